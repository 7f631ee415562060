"""Gaussian responses with residual standard deviation f1."""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.gamma import through
from semlang.estimation.kernels.ordinal import probit
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, log_cdf_normal, vexp, vlog

NARROW = 1e-5


@inline
def normal(y: float, sigma: float, mu: float, m1: float, m2: float, m3: float) -> Density:
    """Density at a mean with derivatives m1, m2, m3 in nu."""
    i = 1.0 / sigma
    e = (y - mu) * i
    value = -0.5 * e * e - vlog(sigma)
    w = (m1 * m1 * i - e * m2) * i
    dw = (3.0 * m1 * m2 * i - e * m3) * i
    return value, e * m1 * i, w, dw, (e * e - 1.0) * i, -2.0 * e * m1 * i * i, -2.0 * w * i, 0.0, 0.0, 0.0


@inline
def identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu."""
    return normal(y, f1, nu, 1.0, 0.0, 0.0)


@inline
def log_mean(nu: float) -> tuple[float, float, float, float]:
    """Return mu = exp(nu) and its three derivatives."""
    mu = vexp(fmin(nu, 300.0))
    return mu, mu, mu, mu


@inline
def reciprocal_mean(nu: float) -> tuple[float, float, float, float]:
    """Return mu = 1 / nu and its three derivatives; nu is held away from zero by 1e-6."""
    size = fmax(fabs(nu), 1e-6)
    mu = 1.0 / (size if nu >= 0.0 else -size)
    m1 = -mu * mu
    m2 = -2.0 * mu * m1
    return mu, m1, m2, -3.0 * mu * m2


@inline
def log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu); not log-concave where mu < y / 2."""
    mu, m1, m2, m3 = log_mean(nu)
    return normal(y, f1, mu, m1, m2, m3)


@inline
def reciprocal(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 / nu; not log-concave."""
    mu, m1, m2, m3 = reciprocal_mean(nu)
    return normal(y, f1, mu, m1, m2, m3)


@inline
def censored_identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu; the response is y (f2 = 0), above y (f2 = 1) or below y (f2 = -1)."""
    m0, m1, m2, m3, m4, m5, m6, _, _, _ = normal(y, f1, nu, 1.0, 0.0, 0.0)
    i = 1.0 / f1
    side = 1.0 if f2 > 0.0 else -1.0
    x = side * (nu - y) * i
    value, h = log_cdf_normal(x)
    w = h * (x + h)
    third = h * ((x + h) * (x + 2.0 * h) - 1.0)
    seen = f2 == 0.0
    return (
        m0 if seen else value, m1 if seen else side * h * i, m2 if seen else w * i * i,
        m3 if seen else -side * third * i * i * i, m4 if seen else -h * x * i,
        m5 if seen else side * (w * x - h) * i * i, m6 if seen else (third * x - 2.0 * w) * i * i * i, 0.0, 0.0, 0.0,
    )  # fmt: skip


@inline
def censored_log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu)."""
    mu, m1, m2, m3 = log_mean(nu)
    return through(censored_identity(y, f1, f2, mu), m1, m2, m3)


@inline
def censored_reciprocal(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 / nu."""
    mu, m1, m2, m3 = reciprocal_mean(nu)
    return through(censored_identity(y, f1, f2, mu), m1, m2, m3)


@inline
def interval_identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu; the response is between y and f2, or y where these are equal.

    An interval below ``NARROW`` standard deviations is its width times the density at its middle, up to 4e-12; the
    difference of two probabilities would have lost as much.
    """
    i = 1.0 / f1
    width = f2 - y
    narrow = width * i < NARROW
    m0, m1, m2, m3, m4, m5, m6, _, _, _ = normal(0.5 * y + 0.5 * f2, f1, nu, 1.0, 0.0, 0.0)
    m0 += vlog(width) - 0.9189385332046727 if width > 0.0 else 0.0
    u = fmin(fmax((f2 - nu) * i, -1e10), 1e10)
    v = fmin(fmax((y - nu) * i, -1e10), 1e10)
    p, p1, p2, p3, pu, pu1, pu2, pv, pv1, pv2 = probit(0.0, u, v, 0.0)
    return (
        m0 if narrow else p, m1 if narrow else p1 * i, m2 if narrow else p2 * i * i,
        m3 if narrow else p3 * i * i * i,
        m4 if narrow else -(u * pu + v * pv) * i,
        m5 if narrow else -(p1 + u * pu1 + v * pv1) * i * i,
        m6 if narrow else -(2.0 * p2 + u * pu2 + v * pv2) * i * i * i, 0.0, 0.0, 0.0,
    )  # fmt: skip


@inline
def interval_log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu)."""
    mu, m1, m2, m3 = log_mean(nu)
    return through(interval_identity(y, f1, f2, mu), m1, m2, m3)


@inline
def interval_reciprocal(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 / nu."""
    mu, m1, m2, m3 = reciprocal_mean(nu)
    return through(interval_identity(y, f1, f2, mu), m1, m2, m3)
