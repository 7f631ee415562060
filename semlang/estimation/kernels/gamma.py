"""Gamma responses with mean mu and shape f1: -f1 (log mu + y / mu); what does not depend on mu is added outside.

With the identity and reciprocal links the mean is positive for positive nu only. Where it would come to within a
thousandth of the wrong side of y it is continued by an exponential; the place moves with the unit of y.
"""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.vector_math import fmax, fmin, vexp, vlog

NEAR = 1e-3


@inline
def log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu)."""
    e = y * vexp(-fmax(nu, -300.0))
    return (
        -f1 * (nu + e), f1 * (e - 1.0), f1 * e, -f1 * e, -nu - e, e - 1.0, e, 0.0, 0.0, 0.0,
    )  # fmt: skip


@inline
def logarithm(nu: float, k: float, d: float) -> tuple[float, float, float, float]:
    """Return ``t = k log nu`` and its three derivatives; below d it goes on in a straight line."""
    inside = nu > d
    i = 1.0 / fmax(nu, d)
    t = -k * vlog(i) + fmin(nu - d, 0.0) * k * i
    return t, k * i, -k * i * i if inside else 0.0, 2.0 * k * i * i * i if inside else 0.0


@inline
def through(density: Density, t1: float, t2: float, t3: float) -> Density:
    """Return the density as a function of nu, given that of t and the derivatives of t in nu."""
    value, g, w, dw, a, a1, a2, b, b1, b2 = density
    square = t1 * t1
    return (
        value, g * t1, w * square - g * t2, dw * square * t1 + 3.0 * w * t1 * t2 - g * t3,
        a, a1 * t1, a2 * square - a1 * t2, b, b1 * t1, b2 * square - b1 * t2,
    )  # fmt: skip


@inline
def identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu; not log-concave where mu > 2 y."""
    t, t1, t2, t3 = logarithm(nu, 1.0, NEAR * y)
    return through(log(y, f1, f2, t), t1, t2, t3)


@inline
def reciprocal(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 / nu."""
    t, t1, t2, t3 = logarithm(nu, -1.0, NEAR / y)
    return through(log(y, f1, f2, t), t1, t2, t3)
