"""Log densities of a response given its linear predictor, with derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOG_2PI = math.log(2 * math.pi)

KNOWN = {
    "gaussian": ("identity",),
    "binomial": ("logit", "probit"),
    "poisson": ("log",),
    "ordinal": ("logit", "probit"),
}
"""Kinds and links."""


@dataclass(frozen=True)
class Density:
    """Values at U rows and Q nodes.

    Parameters
    ----------
    log : (U, Q)
    slope : (U, Q)
        Derivative in the linear predictor.
    variance : (U, Q) or None
        Derivative in the residual variance.
    upper, lower : (U, Q) or None
        Derivatives in the thresholds above and below the category.
    """

    log: Floats
    slope: Floats
    variance: Floats | None = None
    upper: Floats | None = None
    lower: Floats | None = None


def density(
    kind: str,
    link: str,
    y: Floats,
    eta: Floats,
    variance: float = 1.0,
    upper: Floats | None = None,
    lower: Floats | None = None,
) -> Density:
    """Return the log density of a response.

    Parameters
    ----------
    kind, link : str
    y : (U,) floats
    eta : (U, Q) floats
    variance : float
        Residual variance of a gaussian response.
    upper, lower : (U,) floats
        Thresholds of the category of an ordinal response, infinite at the ends.

    Examples
    --------
    >>> one = density("binomial", "logit", np.array([1.0]), np.array([[0.0]]))
    >>> float(np.exp(one.log[0, 0])), float(one.slope[0, 0])
    (0.5, 0.5)
    """
    y = y[:, None]
    match kind:
        case "gaussian":
            r = y - eta
            log = -0.5 * (LOG_2PI + math.log(variance) + r * r / variance)
            return Density(log, r / variance, 0.5 * (r * r / variance - 1) / variance)
        case "poisson":
            constant = np.array([math.lgamma(v + 1) for v in y[:, 0]])[:, None]
            mu = np.exp(eta)
            return Density(y * eta - mu - constant, y - mu)
        case "binomial":
            sign = 2 * y - 1
            log, slope = _log_cdf(link, sign * eta)
            return Density(log, sign * slope)
        case "ordinal":
            assert upper is not None
            assert lower is not None
            return _between(link, upper[:, None] - eta, lower[:, None] - eta)
    raise ValueError(kind)


def _between(link: str, upper: Floats, lower: Floats) -> Density:
    """log(F(upper) - F(lower)), on the side where both are small: F(-a) = 1 - F(a)."""
    turned = lower > 0
    a, b = np.where(turned, -lower, upper), np.where(turned, -upper, lower)
    (la, sa), (lb, sb) = _log_cdf(link, a), _log_cdf(link, b)
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.log1p(-np.exp(np.where(np.isneginf(lb), -np.inf, lb - la)))
        log = la + step
        at_a, at_b = sa * np.exp(la - log), np.where(np.isneginf(b), 0.0, sb * np.exp(lb - log))
    at_a = np.where(np.isposinf(a), 0.0, at_a)
    du, dl = np.where(turned, at_b, at_a), -np.where(turned, at_a, at_b)
    return Density(log, -(du + dl), None, du, dl)


def _log_cdf(link: str, x: Floats) -> tuple[Floats, Floats]:
    """Return log F(x) and its derivative."""
    if link == "logit":
        with np.errstate(over="ignore"):
            log = -np.logaddexp(0.0, -x)
            slope = 1.0 / (1.0 + np.exp(np.minimum(x, 700.0)))
        return log, slope
    log = _log_normal_cdf(x)
    with np.errstate(invalid="ignore", over="ignore"):
        slope = np.exp(-0.5 * x * x - 0.5 * LOG_2PI - log)
    return log, np.where(np.isneginf(x), 0.0, np.where(np.isposinf(x), 0.0, slope))


_erfc = np.vectorize(math.erfc, otypes=[float])


def _log_normal_cdf(x: Floats) -> Floats:
    """log Phi(x): by erfc, and below -30 by the asymptotic series of Mills' ratio (relative error below 1e-12)."""
    middle = np.clip(x, -30.0, 40.0)
    out = np.log(0.5 * _erfc(-middle / math.sqrt(2)))
    far = x < -30.0
    if far.any():
        with np.errstate(invalid="ignore", over="ignore"):
            t = np.where(far, x, -31.0)
            q = 1 / (t * t)
            tail = -0.5 * t * t - 0.5 * LOG_2PI - np.log(-t) + np.log1p(-q + 3 * q**2 - 15 * q**3 + 105 * q**4)
        out = np.where(far, np.where(np.isneginf(x), -np.inf, tail), out)
    return np.asarray(out)
