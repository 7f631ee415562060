"""Comparing two fits: the test that their relation allows, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.checks.equivalence import Comparison, compare
from semlang.checks.equivalence.compare import A_IN_B, B_IN_A, EQUIVALENT, NEITHER
from semlang.estimation.space import never_negative
from semlang.model.table import ParameterTable, Row
from semlang.shown import Shown

NOISE = 1e-3
"""By so much two maxima may differ through the errors of their integrals, 0.001 in log-likelihood each at most."""

if TYPE_CHECKING:
    from semlang.results.fit import Fit


@dataclass(frozen=True, repr=False)
class FitComparison(Shown):
    """How two fits compare.

    Parameters
    ----------
    relation, why : str
        Of the models, see `semlang.checks.equivalence.Comparison`.
    test : str
        ``likelihood ratio``, ``likelihood ratio, boundary``, ``Vuong`` or '' where there is none.
    statistic : float or None
        Twice the difference of log-likelihoods, or Vuong's z.
    reference : str
        Distribution of the statistic if the smaller model holds.
    p : float or None
    reason : str
        Why there is no test, or what it assumes.
    logliks, n_free, aic : (float, float)
        Of a and b.
    """

    relation: str
    why: str
    test: str
    statistic: float | None
    reference: str
    p: float | None
    reason: str
    logliks: tuple[float, float]
    n_free: tuple[int, int]
    aic: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``semlang compare --json`` prints as its result."""
        return {
            "relation": self.relation,
            "why": self.why,
            "test": self.test,
            "statistic": self.statistic,
            "reference": self.reference,
            "p": self.p,
            "reason": self.reason,
            "loglik": list(self.logliks),
            "n_free": list(self.n_free),
            "aic": list(self.aic),
        }

    def __str__(self) -> str:
        out = [self.relation, f"  {self.why}"]
        for name, k in (("a", 0), ("b", 1)):
            out.append(
                f"  {name}: log-likelihood {self.logliks[k]:.4f}, {self.n_free[k]} parameters, AIC {self.aic[k]:.2f}"
            )
        if self.test:
            out.append(f"{self.test}: {self.statistic:.4f}, {self.reference}, p = {self.p:.4g}")
        return "\n".join([*out, self.reason] if self.reason else out)


def compare_fits(a: Fit, b: Fit) -> FitComparison:
    """Test one fit against another.

    Nested models are compared by the likelihood ratio T = 2 (l_b - l_a), whose reference distribution is chi-squared,
    or a mixture of chi-squares where the smaller model puts a variance at zero: with one variance and its q covariances
    0.5 chi2(q) + 0.5 chi2(q + 1) (Self and Liang 1987, case 6; Stram and Lee 1994). Where more than one variance is at
    zero the weights depend on the information; bounds of p are given. Models that are not nested are compared by
    Vuong's (1989) statistic of their units' log-likelihoods.

    Parameters
    ----------
    a, b : Fit
        Fitted to the same data.

    References
    ----------
    Stram and Lee (1994), Biometrics 50, 1171-1177. Vuong (1989), Econometrica 57, 307-333.
    """
    known = compare(a.table, b.table)
    reason = _different_data(a, b)
    if reason:
        return _answer(a, b, known, reason=reason)
    if not (a.converged and b.converged):
        return _answer(a, b, known, reason="No test: a fit did not converge.")
    match known.relation:
        case relation if relation == EQUIVALENT:
            return _answer(a, b, known, reason="No test: no data can tell the models apart.")
        case relation if relation in (A_IN_B, B_IN_A):
            small, large = (a, b) if relation == A_IN_B else (b, a)
            return _ratio(a, b, known, small, large)
        case relation if relation == NEITHER:
            return _vuong(a, b, known)
    return _answer(a, b, known, reason=f"No test: it is not known whether the models are nested. {known.why}")


def _different_data(a: Fit, b: Fit) -> str:
    if a.estimate.n_rows != b.estimate.n_rows:
        return (
            f"No test: the fits use different data ({a.estimate.n_rows} and {b.estimate.n_rows} rows with a response)."
        )
    if {v.key for v in a.table.responses} != {v.key for v in b.table.responses}:
        return "No test: the models have different responses."
    for key in sorted({v.key for v in a.table.responses}):
        if not np.array_equal(_values(a, key), _values(b, key), equal_nan=True):
            return f"No test: the fits use different data (the values of '{key}' differ)."
    if a.table.weights or b.table.weights:
        return "No test: with sampling weights the log-likelihood is that of no sample; use Wald tests."
    return ""


def _values(fit: Fit, response: str) -> NDArray[np.float64]:
    """Return the values of a response in all groups, in order of size."""
    columns = [d.responses[response] for d in fit.designs if response in d.responses]
    return np.sort(np.concatenate(columns)) if columns else np.zeros(0)


def _answer(a: Fit, b: Fit, known: Comparison, **more: Any) -> FitComparison:
    given: dict[str, Any] = {"test": "", "statistic": None, "reference": "", "p": None, "reason": ""} | more
    return FitComparison(
        known.relation,
        known.why,
        logliks=(a.loglik, b.loglik),
        n_free=(a.n_free, b.n_free),
        aic=(a.aic, b.aic),
        **given,
    )


def chi2_tail(x: float, df: int) -> float:
    """Return P(chi2(df) > x); with df 0 all mass is at 0.

    Examples
    --------
    >>> round(chi2_tail(3.841459, 1), 4), chi2_tail(0.5, 0)
    (0.05, 0.0)
    """
    from scipy.special import gammaincc

    if df == 0:
        return 0.0 if x > 0 else 1.0
    return float(gammaincc(df / 2.0, max(x, 0.0) / 2.0))


def _ratio(a: Fit, b: Fit, known: Comparison, small: Fit, large: Fit) -> FitComparison:
    df = known.df
    assert df is not None  # the models are nested
    statistic = 2.0 * (large.loglik - small.loglik)
    if statistic < -NOISE * max(1.0, 1e-4 * abs(small.loglik)):
        reason = (
            f"No test: the larger model has the lower log-likelihood ({large.loglik:.4f} and {small.loglik:.4f}), so "
            "its fit is not at the maximum. Fit it again with start values from the smaller model, or several starts."
        )
        return _answer(a, b, known, reason=reason)
    statistic = max(statistic, 0.0)
    zeros = zero_variances(small.table, large.table)
    if not zeros:
        p = chi2_tail(statistic, df)
        return _answer(
            a, b, known, test="likelihood ratio", statistic=statistic, reference=f"chi-squared, {df} df", p=p
        )
    lower = df - len(zeros)
    if len(zeros) == 1:
        p = 0.5 * chi2_tail(statistic, lower) + 0.5 * chi2_tail(statistic, df)
        reference, reason = f"0.5 chi-squared({lower}) + 0.5 chi-squared({df})", ""
    else:
        p = chi2_tail(statistic, df)
        least = 0.5 * chi2_tail(statistic, df - 1) + 0.5 * chi2_tail(statistic, df)
        reference = f"at most chi-squared({df})"
        reason = f"{len(zeros)} variances are at the boundary: p is an upper bound; with one it would be {least:.4g}."
    return _answer(
        a, b, known, test="likelihood ratio, boundary", statistic=statistic, reference=reference, p=p, reason=reason
    )


def zero_variances(small: ParameterTable, large: ParameterTable) -> list[Row]:
    """Return the variances that the smaller model has at the border of the larger one's parameter space.

    These are free variances of latent variables that the smaller model has not, or fixes at 0, and that can't be below
    zero: see `semlang.estimation.space.never_negative`, and bounds in the text. A variance that may be negative is an
    inner point at zero.
    """
    gaussian = all(v.is_gaussian for v in large.responses)
    bounded = never_negative(large)

    def variances(table: ParameterTable) -> dict[tuple[str, int], Row]:
        latent = {v.key for v in table.latents}
        return {
            (r.target, r.group): r
            for r in table.rows
            if r.op == "~~" and r.target == r.source and r.target in latent and (r.parameter >= 0 or r.ustart)
        }

    has = variances(small)
    return [
        row
        for key, row in variances(large).items()
        if row.parameter >= 0 and key not in has and (not gaussian or row.target in bounded or row.lower is not None)
    ]


def _vuong(a: Fit, b: Fit, known: Comparison) -> FitComparison:
    one, two = a.unit_logliks, b.unit_logliks
    if one is None or two is None or one.shape != two.shape:
        return _answer(a, b, known, reason="No test: the units' log-likelihoods of these fits are not known.")
    difference = one - two
    n = difference.size
    spread = float(np.std(difference))
    if not spread > 1e-10 * (1.0 + float(np.abs(one).max())):
        return _answer(a, b, known, reason="No test: the fits give every unit the same log-likelihood.")
    z = float(difference.sum()) / (math.sqrt(n) * spread)
    return _answer(
        a,
        b,
        known,
        test="Vuong",
        statistic=z,
        reference="standard normal if both are equally far from the truth",
        p=math.erfc(abs(z) / math.sqrt(2.0)),
        reason="The closer model is " + ("a." if z > 0 else "b.")
        if abs(z) > 1.96
        else "Neither is closer at the 5 % level.",
    )
