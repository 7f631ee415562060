"""Where generic identification fails: parameters that must not be 0."""

from __future__ import annotations

from semlang.checks.identification.constraints import NotAlgebraic
from semlang.checks.identification.names import Names
from semlang.checks.identification.rank import MomentMap

LARGEST = 60
"""Models with more parameters are searched only where asked."""


def loci(moments: MomentMap, names: Names, everything: bool = False) -> list[int] | None:
    """Return parameters of an identified model that must not be 0, or None where the model is too large.

    Each free loading, path and covariance in turn is set to 0 and the rank is taken again at generic points of that
    locus: ``identified only if f1 ~~ f2 is not 0``.

    Parameters
    ----------
    moments : MomentMap
    names : Names
    everything : bool
        Whether to search however long it takes.
    """
    if moments.n > LARGEST and not everything:
        return None
    out: list[int] = []
    for p in range(moments.n):
        if not names.rows(p) or names.role(p) not in ("loading", "path", "covariance", "residual covariance"):
            continue
        try:
            if not moments.rank(values={p: 0}, draws=1).full and not moments.rank(values={p: 0}, draws=2).full:
                out.append(p)
        except NotAlgebraic:
            continue
    return out
