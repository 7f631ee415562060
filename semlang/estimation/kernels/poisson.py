"""Counts: y log mu - mu. An exposure enters as an offset of nu (log link) outside.

The identity and square-root links have a positive mean for positive nu only. Below a mean of 0.01 the mean
is continued by an exponential with the same value and slope, so that the density is proper and log-concave.
"""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.vector_math import fmax, fmin, vexp, vlog


@inline
def log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu)."""
    mu = vexp(fmin(nu, 300.0))
    return y * nu - mu, y - mu, mu, mu, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@inline
def power(y: float, nu: float, k: float, d: float) -> Density:
    """mu = nu**k for nu > d, else d**k exp(k (nu - d) / d)."""
    u = fmax(nu, d)
    c = k / d
    t = fmin(nu - d, 0.0) * c
    mu = (u if k == 1.0 else u * u) * vexp(t)
    i = 1.0 / u
    value = y * (k * vlog(u) + t) - mu
    inside = nu > d
    if k == 1.0:
        m1 = 1.0
        m2 = 0.0
    else:
        m1 = 2.0 * u
        m2 = 2.0
    l1 = y * k * i - (m1 if inside else mu * c)
    w = (y * k * i * i + m2) if inside else mu * c * c
    dw = (-2.0 * y * k * i * i * i) if inside else mu * c * c * c
    return value, l1, w, dw, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@inline
def identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu."""
    return power(y, nu, 1.0, 0.01)


@inline
def sqrt(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu**2, nu positive."""
    return power(y, nu, 2.0, 0.1)
