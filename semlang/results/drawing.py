"""What a fit adds to a path diagram: stars, confidence intervals, explained variances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from semlang.diagnostics import error
from semlang.diagram.content import interval, number, stars_of
from semlang.errors import SemlangError
from semlang.results.r_squared import r_squared
from semlang.results.reading import choice

if TYPE_CHECKING:
    from semlang.results.fit import Fit

SHOWN = {"est": "estimates", "std": "standardized", "names": "names", "none": "none"}
"""What stands at arrows, by the words of `Fit.draw`."""


def shown_of(what: str) -> str:
    """Return the option of `semlang.diagram.options.Options` that a word of `Fit.draw` means."""
    return SHOWN[choice("what", what, tuple(SHOWN))]


def marks_of(fit: Fit, *, stars: bool, ci: float | None, digits: int | None = None) -> dict[int, str]:
    """Return what stands behind estimates, by row id.

    Parameters
    ----------
    fit : Fit
    stars : bool
    ci : float, optional
        Level of the intervals: estimate less and plus a quantile of the normal distribution times its standard error.
    digits : int, optional

    Raises
    ------
    SemlangError
        ``not-a-choice`` where the level is none.
    """
    if ci is not None and not 0.0 < ci < 1.0:
        raise SemlangError([error("not-a-choice", f"ci is {ci!r}, not a level between 0 and 1", help="write ci=0.95")])
    out: dict[int, str] = {}
    if not stars and ci is None:
        return out
    vcov = fit.estimate.vcov
    for row in fit.table.rows:
        variance = float(vcov[row.parameter, row.parameter]) if vcov is not None and row.parameter >= 0 else math.nan
        if not (math.isfinite(variance) and variance > 0.0):
            continue
        value, se = float(fit.estimate.theta[row.parameter]), math.sqrt(variance)
        said = stars_of(math.erfc(abs(value / se) / math.sqrt(2.0))) if stars else ""
        if ci is not None:
            said += interval(value, se, ci, digits)
        out[row.id] = said
    return out


def notes_of(fit: Fit) -> dict[tuple[str, int], str]:
    """Return the explained variance of each variable and group, as it stands in a node."""
    groups = list(fit.table.groups)
    out = {}
    for record in r_squared(fit).records():
        group = groups.index(record["group"]) + 1 if record["group"] in groups else 1
        out[record["variable"], group] = f"R\u00b2 {number(float(record['r2']))}"
    return out
