"""Confidence intervals: Wald, profile likelihood, bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.nearest import did_you_mean
from semlang.model.parameter_names import parameters_by_name, tight
from semlang.results.bootstrap import bootstrap
from semlang.results.profile import Profile
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["METHODS", "confint", "parameter_of"]

METHODS = ("wald", "profile", "bootstrap")


def parameter_of(fit: Fit, name: str) -> int:
    """Return the number of the free parameter of a name.

    Raises
    ------
    FitError
        ``unknown-label``.
    """
    found = parameters_by_name(fit.table).get(tight(name), [])
    if len(found) == 1:
        return found[0]
    names = [n for n in fit.parameter_names if n]
    raise FitError(
        [error("unknown-label", f"no free parameter has the name '{name}'",
               help=did_you_mean(name, names) or f"names are like '{names[0]}'")]
    )  # fmt: skip


def confint(
    fit: Fit,
    method: str = "wald",
    level: float = 0.95,
    parameters: Sequence[str] | None = None,
    n: int = 1000,
    seed: int = 1,
    parametric: bool = True,
    processes: int | None = None,
    file: Any = None,
    tell: Callable[[str], None] | None = None,
) -> Table:
    """Return confidence intervals of free parameters, by Wald and bootstrap of defined ones, too.

    Parameters
    ----------
    fit : Fit
    method : {'wald', 'profile', 'bootstrap'}
        estimate +- z SE; where 2 (l_max - l) reaches the chi-squared quantile; quantiles of bootstrap estimates.
    level : float
    parameters : sequence of str, optional
        Names; default all.
    n, seed, parametric, processes, file, tell
        Of the bootstrap.

    Returns
    -------
    Table
        ``name est lower upper``; a profile that never falls enough has an infinite end (a variance ends at 0).
    """
    z = float(ndtri(0.5 + 0.5 * level))
    wanted = None if parameters is None else [parameter_of(fit, p) for p in parameters]
    free = [(k, name) for k, name in enumerate(fit.parameter_names) if wanted is None or k in wanted]
    vcov = fit.estimate.vcov
    notes: list[str] = []
    records: list[dict[str, Any]] = []
    drawn = bootstrap(fit, n, seed, parametric, processes, file, tell) if method == "bootstrap" else None
    if drawn is not None:
        notes += drawn.attrs["notes"]
        sides = [0.5 - 0.5 * level, 0.5 + 0.5 * level]
        if len(drawn) < 2:
            raise FitError([error("no-covariance-matrix", "fewer than two bootstrap fits converged")])
    for step, (k, name) in enumerate(free, 1):
        est = float(fit.estimate.theta[k])
        se = math.sqrt(vcov[k, k]) if vcov is not None and vcov[k, k] >= 0 else math.nan
        if drawn is not None:
            lower, upper = np.quantile(drawn.iloc[:, k], sides).tolist()
        elif method == "wald":
            lower, upper = est - z * se, est + z * se
        else:
            if tell is not None:
                tell(f"profile {step} of {len(free)}: {name}")
            lower, upper = _profile(fit, k, z, se)
        at = fit.estimate.limits.get(k, est)
        records.append({"name": name, "est": at, "lower": lower, "upper": upper})
    if method != "profile" and wanted is None:
        for j, d in enumerate(fit.estimate.defined):
            if drawn is not None:
                lower, upper = np.quantile(drawn.iloc[:, fit.estimate.theta.size + j], sides).tolist()
            else:
                lower, upper = d.est - z * d.se, d.est + z * d.se
            records.append({"name": d.name, "est": d.est, "lower": lower, "upper": upper})
    title = f"{100 * level:g} % confidence intervals ({method})"
    return Table.of(("name", "est", "lower", "upper"), records, notes, title)


def _profile(fit: Fit, k: int, z: float, se: float) -> tuple[float, float]:
    profile = Profile(fit, k)
    scale = se if math.isfinite(se) and se > 0 else 0.1 * max(abs(profile.best), 0.1)
    lower, upper = profile.bound(-1.0, z * z, scale), profile.bound(1.0, z * z, scale)
    variance = any(r.parameter == k and r.op == "~~" and r.target == r.source for r in fit.table.rows)
    return max(lower, 0.0) if variance and profile.best >= 0 else lower, upper
