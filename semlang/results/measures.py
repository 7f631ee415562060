"""Fit measures by lavaan's names; what has no meaning for a model is absent, with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, chdtrc, chndtr, chndtrinc

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.nearest import did_you_mean
from semlang.results.table import Table
from semlang.results.unrestricted import Unrestricted, unrestricted

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["NAMES", "Measures", "measures"]

Floats = NDArray[np.float64]

NAMES = (
    "npar", "chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "baseline.pvalue", "cfi", "tli", "nnfi", "rfi",
    "nfi", "ifi", "rni", "logl", "unrestricted.logl", "aic", "bic", "bic2", "ntotal", "rmsea", "rmsea.ci.lower",
    "rmsea.ci.upper", "rmsea.pvalue", "rmsea.notclose.pvalue", "rmr", "srmr",
)  # fmt: skip
"""Every measure, in the order of printing."""

COUNTS = frozenset({"npar", "df", "baseline.df", "ntotal"})
"""Measures that are numbers of something."""


@dataclass(frozen=True)
class Measures:
    """The measures that are defined, and why the others are not.

    Parameters
    ----------
    values : mapping from name to float
    reasons : mapping from name to why it is not defined
    """

    values: dict[str, float]
    reasons: dict[str, str]

    def table(self) -> Table:
        """Return them as they are printed, counts without decimals."""
        rows = tuple((k, round(v) if k in COUNTS and v == round(v) else v) for k, v in self.values.items())
        return Table(("measure", "value"), rows, (), "Fit measures")

    def __getitem__(self, name: str) -> float:
        """Return one measure.

        Raises
        ------
        FitError
            ``undefined-measure`` with the reason, or ``unknown-measure``.
        """
        if name in self.values:
            return self.values[name]
        if name in self.reasons:
            raise FitError([error("undefined-measure", f"{name} is not defined for this fit: {self.reasons[name]}")])
        raise FitError(
            [error("unknown-measure", f"there is no fit measure '{name}'", help=did_you_mean(name, NAMES)
                   or f"the measures are {', '.join(NAMES)}")]
        )  # fmt: skip


def measures(fit: Fit) -> Measures:
    """Return the fit measures of a fit.

    chi-squared is twice the difference of the log-likelihoods of the unrestricted model given the covariates and the
    fit; with missing responses both are full-information. The baseline model has uncorrelated responses on which no
    covariate has an effect (lavaan's independence model). With T and d of the fit, T0 and d0 of the baseline,

        cfi = 1 - max(T - d, 0) / max(T0 - d0, T - d, 0),   tli = (T0/d0 - T/d) / (T0/d0 - 1),
        rmsea = sqrt(max((T - d) / (d n), 0) G),

    G the number of groups and n rows; its interval and p values by the noncentral chi-squared distribution (Browne and
    Cudeck 1993). srmr is Bentler's, means among the moments.

    Parameters
    ----------
    fit : Fit
    """
    values: dict[str, float] = {
        "npar": float(fit.n_free), "logl": fit.loglik, "aic": fit.aic, "bic": fit.bic,
        "bic2": -2.0 * fit.loglik + fit.n_free * math.log((fit.estimate.n_top + 2.0) / 24.0),
        "ntotal": float(fit.estimate.n_rows),
    }  # fmt: skip
    free = unrestricted(fit)
    reasons: dict[str, str] = {}
    if isinstance(free, str):
        reasons = {name: free for name in NAMES if name not in values}
    else:
        values |= _of(fit, free, reasons)
    return Measures({n: values[n] for n in NAMES if n in values}, reasons)


def _of(fit: Fit, free: Unrestricted, reasons: dict[str, str]) -> dict[str, float]:
    T = max(2.0 * (free.loglik - fit.loglik), 0.0)
    df = free.n_parameters - fit.n_free
    groups, n = len(fit.designs), free.n
    out = {"unrestricted.logl": free.loglik, "chisq": T, "df": float(df)}
    out |= dict(zip(("rmr", "srmr"), free.residual_means(fit), strict=True))
    if df < 0:
        for name in ("chisq", "df", "pvalue"):
            out.pop(name, None)
        why = f"the fit has {-df} parameters more than the unrestricted model"
        return out | _leave(reasons, NAMES, out, why)
    if df == 0:
        _leave(reasons, ("pvalue",), out, "there are no degrees of freedom")
    else:
        out["pvalue"] = float(chdtrc(df, T))
    out |= _incremental(free, T, df, reasons)
    return out | _rmsea(T, df, n, groups, reasons)


def _leave(reasons: dict[str, str], names: tuple[str, ...], have: dict[str, float], why: str) -> dict[str, float]:
    reasons.update((name, why) for name in names if name not in have and name not in reasons)
    return {}


def _incremental(free: Unrestricted, T: float, df: int, reasons: dict[str, str]) -> dict[str, float]:
    names = ("cfi", "tli", "nnfi", "nfi", "rfi", "ifi", "rni")
    T0, df0 = max(2.0 * (free.loglik - free.baseline), 0.0), free.n_parameters - free.baseline_parameters
    out = {"baseline.chisq": T0, "baseline.df": float(df0)}
    if df0 <= 0:
        _leave(
            reasons, ("baseline.pvalue", *names), out, "there is one response and no covariate, so no baseline model"
        )
        return out
    out["baseline.pvalue"] = float(chdtrc(df0, T0))
    worst = max(T0 - df0, T - df, 0.0)
    out["cfi"] = 1.0 if worst == 0.0 else 1.0 - max(T - df, 0.0) / worst
    out["nfi"] = (T0 - T) / T0 if T0 > 0 else 1.0
    if df != T0:
        out["ifi"] = (T0 - T) / (T0 - df)
    if df0 != T0:
        out["rni"] = ((T0 - df0) - (T - df)) / (T0 - df0)
    if df > 0 and df0 != T0:
        out["tli"] = out["nnfi"] = (T0 / df0 - T / df) / (T0 / df0 - 1.0)
        out["rfi"] = (T0 / df0 - T / df) / (T0 / df0)
    elif df == 0:
        out["tli"] = out["nnfi"] = out["rfi"] = 1.0
    _leave(reasons, names, out, "the baseline model fits as well as its degrees of freedom say")
    return out


def _rmsea(T: float, df: int, n: float, groups: int, reasons: dict[str, str]) -> dict[str, float]:
    if df == 0:
        out = {"rmsea": 0.0, "rmsea.ci.lower": 0.0, "rmsea.ci.upper": 0.0}
        names = ("rmsea.pvalue", "rmsea.notclose.pvalue")
        _leave(reasons, names, out, "there are no degrees of freedom")
        return out

    def scaled(noncentrality: float) -> float:
        return math.sqrt(max(noncentrality, 0.0) / (df * n) * groups)

    def tail(bound: float) -> float:
        return float(chndtr(T, df, n * df * bound**2 / groups))

    return {
        "rmsea": scaled(T - df),
        "rmsea.ci.lower": scaled(noncentrality(T, df, 0.95)),
        "rmsea.ci.upper": scaled(noncentrality(T, df, 0.05)),
        "rmsea.pvalue": 1.0 - tail(0.05),
        "rmsea.notclose.pvalue": tail(0.08),
    }


def noncentrality(T: float, df: int, probability: float) -> float:
    """Return the noncentrality at which a chi-squared variable is below T with a probability, or 0.

    Examples
    --------
    >>> round(noncentrality(85.305522, 24, 0.95), 3), noncentrality(10.0, 24, 0.95)
    (36.847, 0.0)
    """
    return float(chndtrinc(T, df, probability)) if float(chdtr(df, T)) >= probability else 0.0
