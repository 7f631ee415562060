"""Binomial responses: y successes in f1 trials; derivatives of y log p + (n - y) log(1 - p) in nu.

Every density of one row returns ten numbers: ``l, l', -l'', -l'''`` in nu, then for each of the row
parameters f1 and f2 the derivatives ``dl/df, dl'/df, -dl''/df``. Data constants are left out.
"""

from __future__ import annotations

from math import atan2

from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, log_cdf_normal, vexp, vlog

Density = tuple[float, float, float, float, float, float, float, float, float, float]


@inline
def logit(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = 1 / (1 + exp(-nu))."""
    e = vexp(-fabs(nu))
    s = 1.0 / (1.0 + e)
    p = s if nu > 0.0 else e * s
    w = f1 * s * e * s
    value = y * nu - f1 * (fmax(nu, 0.0) - vlog(s))
    return value, y - f1 * p, w, w * (1.0 - 2.0 * p), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@inline
def probit(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = Phi(nu); with h = phi/Phi: (log Phi)' = h, '' = -h(nu + h), ''' = h((nu + h)(nu + 2h) - 1)."""
    a, h = log_cdf_normal(nu)
    b, k = log_cdf_normal(-nu)
    n = f1 - y
    w = y * h * (nu + h) + n * k * (k - nu)
    dw = n * k * ((k - nu) * (2.0 * k - nu) - 1.0) - y * h * ((nu + h) * (nu + 2.0 * h) - 1.0)
    return y * a + n * b, y * h - n * k, w, dw, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@inline
def log_one_minus_exp(nu: float) -> tuple[float, float, float, float, float]:
    """With e = exp(nu): return e, log(1 - exp(-e)) and its three derivatives in nu.

    ``s = e / (exp(e) - 1)``, ``s' = s t`` with ``t = 1 - e - s``, ``s'' = s (t**2 - e - s t)``.
    """
    e = vexp(fmin(nu, 300.0))
    x = fmin(e, 0.5)
    # (1 - exp(-x)) / x, for small x by its series
    series = 1.0 / 6227020800.0
    series = 1.0 / 479001600.0 - x * series
    series = 1.0 / 39916800.0 - x * series
    series = 1.0 / 3628800.0 - x * series
    series = 1.0 / 362880.0 - x * series
    series = 1.0 / 40320.0 - x * series
    series = 1.0 / 5040.0 - x * series
    series = 1.0 / 720.0 - x * series
    series = 1.0 / 120.0 - x * series
    series = 1.0 / 24.0 - x * series
    series = 1.0 / 6.0 - x * series
    series = 0.5 - x * series
    series = 1.0 - x * series
    z = fmin(e, 700.0)
    g = vexp(-z)
    small = e < 0.5
    p = z * series if small else 1.0 - g
    log_p = (fmin(nu, 300.0) if small else 0.0) + vlog(series if small else p)
    s = z * g / fmax(p, 1e-300)
    s = (g / series) if small else s
    t = 1.0 - z - s
    return e, log_p, s, s * t, s * (t * t - z - s * t)


@inline
def cloglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = 1 - exp(-exp(nu))."""
    e, log_p, s, s1, s2 = log_one_minus_exp(nu)
    n = f1 - y
    return y * log_p - n * e, y * s - n * e, n * e - y * s1, n * e - y * s2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@inline
def loglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = exp(-exp(-nu)), rising with nu: the mirror image of cloglog."""
    value, r, w, dw, u, u1, u2, v, v1, v2 = cloglog(f1 - y, f1, f2, -nu)
    return value, -r, w, -dw, u, u1, u2, v, v1, v2


@inline
def cauchit(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = 1/2 + atan(nu)/pi, as atan2 so that neither tail is lost; not log-concave."""
    p = atan2(1.0, -nu) * 0.3183098861837907
    q = atan2(1.0, nu) * 0.3183098861837907
    n = f1 - y
    i = 1.0 / (1.0 + nu * nu)
    d = 0.3183098861837907 * i  # density and its two derivatives
    d1 = -2.0 * nu * i * d
    d2 = (6.0 * nu * nu - 2.0) * i * i * d
    a = d / p
    b = d / q
    a1 = d1 / p - a * a
    b1 = d1 / q + b * b
    a2 = d2 / p - a * d1 / p - 2.0 * a * a1
    b2 = d2 / q + b * d1 / q + 2.0 * b * b1
    return y * vlog(p) + n * vlog(q), y * a - n * b, n * b1 - y * a1, n * b2 - y * a2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
