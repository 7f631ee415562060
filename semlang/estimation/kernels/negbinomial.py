"""Counts with mean mu and variance mu + mu**2 / f1: y log mu - (y + f1) log(1 + mu / f1).

What does not depend on mu is added outside, an exposure enters as an offset. Links as in `poisson`.
"""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.gamma import logarithm, through
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, vexp, vlog


@inline
def log_one_plus(e: float) -> float:
    """Return log(1 + e), 0 <= e <= 1, to full precision where e is small: twice the series of atanh(e / (2 + e))."""
    z = fmin(e, 0.4) / (2.0 + fmin(e, 0.4))
    q = z * z
    p = 1.0 / 21.0
    for odd in (19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        p = p * q + 1.0 / odd
    return 2.0 * p * z if e < 0.4 else vlog(1.0 + e)


@inline
def log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu); p = mu / (mu + f1)."""
    x = nu - vlog(f1)
    e = vexp(-fabs(x))
    s = 1.0 / (1.0 + e)
    p = s if x > 0.0 else e * s
    v = e * s * s
    n = y + f1
    i = 1.0 / f1
    log_ratio = fmax(x, 0.0) + log_one_plus(e)
    w = n * v
    dw = w * (1.0 - 2.0 * p)
    return (
        y * nu - n * log_ratio, y - n * p, w, dw,
        n * p * i - log_ratio, w * i - p, v - dw * i, 0.0, 0.0, 0.0,
    )  # fmt: skip


@inline
def identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu."""
    t, t1, t2, t3 = logarithm(nu, 1.0, 0.01)
    return through(log(y, f1, f2, t), t1, t2, t3)


@inline
def sqrt(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu**2, nu positive."""
    t, t1, t2, t3 = logarithm(nu, 2.0, 0.1)
    return through(log(y, f1, f2, t), t1, t2, t3)
