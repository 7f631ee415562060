"""Parts of the rows' log densities that do not depend on the linear predictor, with derivatives in f1.

They are computed once an evaluation, not once a node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

__all__ = ["CONSTANTS", "READ_F1", "Constant"]

Floats = NDArray[np.float64]
Constant = Callable[[Floats, Floats, Floats], tuple[Floats, Floats | None]]

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_LARGE = 1e3
"""From here on lnGamma(a + y) - lnGamma(a) is computed by Stirling's series: the next term is below 1e-18."""


def _binomial(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    out = np.zeros(y.size)
    many = np.flatnonzero((f1 != 1.0) | ((y != 0.0) & (y != 1.0)))
    n, s = f1[many], y[many]
    out[many] = gammaln(n + 1.0) - gammaln(s + 1.0) - gammaln(n - s + 1.0)
    return out, None


def _poisson(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    return -gammaln(y + 1.0), None


def _gaussian(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    return np.full(y.size, -_HALF_LOG_2PI), None


def _of_trials_in_f2(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    return _binomial(y, f2, f1)


def _censored(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    return np.where(f2 == 0.0, -_HALF_LOG_2PI, 0.0), None


def _interval(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    return np.where(f2 == y, -_HALF_LOG_2PI, 0.0), None


def _log_interval(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    return np.where(f2 == y, -_HALF_LOG_2PI - y, 0.0), None


def _lognormal(y: Floats, f1: Floats, f2: Floats) -> tuple[Floats, None]:
    """``y`` is the logarithm."""
    return -_HALF_LOG_2PI - y, None


def _gamma(y: Floats, a: Floats, f2: Floats) -> tuple[Floats, Floats]:
    log_y, log_a = np.log(y), np.log(a)
    return a * log_a + (a - 1.0) * log_y - gammaln(a), 1.0 + log_a + log_y - digamma(a)


def _beta(y: Floats, a: Floats, f2: Floats) -> tuple[Floats, Floats]:
    """``log(Gamma(a) (1 - y)**(a - 1) / y)``."""
    rest = np.log1p(-y)
    return gammaln(a) + (a - 1.0) * rest - np.log(y), digamma(a) + rest


def _negbinomial(y: Floats, a: Floats, f2: Floats) -> tuple[Floats, Floats]:
    """``log(Gamma(y + a) / (Gamma(a) a**y y!))``."""
    large = a > _LARGE
    s = np.where(large, 1.0, a)
    value = gammaln(y + s) - gammaln(s) - y * np.log(s)
    slope = digamma(y + s) - digamma(s) - y / s
    s = np.where(large, a, _LARGE)
    n = s + y
    log_ratio = np.log1p(y / s)
    stirling = (n - 0.5) * log_ratio - y + (1.0 / n - 1.0 / s) / 12.0 - (n**-3.0 - s**-3.0) / 360.0
    its_slope = log_ratio - y * (1.0 - 0.5 / n) / s - (n**-2.0 - s**-2.0) / 12.0 + (n**-4.0 - s**-4.0) / 120.0
    value, slope = np.where(large, stirling, value), np.where(large, its_slope, slope)
    return value - gammaln(y + 1.0), slope


def _hazard(y: Floats, a: Floats, event: Floats) -> tuple[Floats, Floats]:
    """Of the density of time; ``y`` is its logarithm."""
    d = np.where(event == 1.0, 1.0, 0.0)
    return d * (np.log(a) + (a - 1.0) * y), d * (1.0 / a + y)


def _accelerated(y: Floats, a: Floats, event: Floats) -> tuple[Floats, Floats]:
    d = np.where(event == 1.0, 1.0, 0.0)
    return d * (np.log(a) - y), d / a


_DURATIONS = ("exponential", "weibull", "loglogistic")

CONSTANTS: Mapping[tuple[str, str], Constant] = {
    ("binomial", ""): _binomial,
    ("poisson", ""): _poisson,
    ("inflated poisson", ""): _poisson,
    ("gaussian", ""): _gaussian,
    ("composite gaussian", ""): _gaussian,
    ("composite binomial", ""): _of_trials_in_f2,
    ("composite poisson", ""): _poisson,
    ("censored gaussian", ""): _censored,
    ("interval gaussian", ""): _interval,
    ("interval lognormal", ""): _log_interval,
    ("lognormal", ""): _lognormal,
    ("gamma", ""): _gamma,
    ("beta", ""): _beta,
    ("negbinomial", ""): _negbinomial,
    ("inflated negbinomial", ""): _negbinomial,
    **{(family, "log"): _hazard for family in _DURATIONS},
    **{(family, "aft"): _accelerated for family in _DURATIONS},
}
"""By family, and link where it matters: (y, f1, f2) to the values and their derivatives in f1 (None: f1 is not
estimated, or does not enter)."""

READ_F1 = frozenset((_binomial, _gamma, _beta, _negbinomial, _hazard, _accelerated))
"""Those that must be computed again when f1 has changed."""
