"""Gaussian responses with residual standard deviation f1."""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.compiling import inline
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, log_cdf_normal, vexp, vlog


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
def log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu); not log-concave where mu < y / 2."""
    mu = vexp(fmin(nu, 300.0))
    return normal(y, f1, mu, mu, mu, mu)


@inline
def reciprocal(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 / nu; not log-concave, and nu is held away from zero by 1e-6."""
    size = fmax(fabs(nu), 1e-6)
    mu = 1.0 / (size if nu >= 0.0 else -size)
    m1 = -mu * mu
    m2 = -2.0 * mu * m1
    return normal(y, f1, mu, m1, m2, -3.0 * mu * m2)


@inline
def censored(y: float, f1: float, f2: float, nu: float) -> Density:
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
