"""Beta responses with mean mu and precision f1, Var = mu (1 - mu) / (1 + f1).

    -log Gamma(mu f1) - log Gamma((1 - mu) f1) + mu f1 logit(y)

What does not depend on mu is added outside. The logarithm of the gamma function and its derivatives come from their
series at x + 8. Not log-concave in nu for every link.
"""

from __future__ import annotations

from math import atan2

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.gamma import through
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, log_cdf_normal, vexp, vlog


@inline
def log_gamma(x: float) -> tuple[float, float, float, float]:
    """Return ``log Gamma(x)`` and its three derivatives, for x > 0.

    Stirling's series at z = x + 8, whose next terms are below 1e-14, and the recurrence down to x.
    """
    product = 1.0
    first = second = third = 0.0
    for k in range(8):
        i = 1.0 / (x + k)
        product *= x + k
        first += i
        second += i * i
        third += i * i * i
    z = x + 8.0
    i = 1.0 / z
    s = i * i
    log_z = vlog(z)
    a = 1 / 156.0
    a = 691 / 360360.0 - s * a
    a = 1 / 1188.0 - s * a
    a = 1 / 1680.0 - s * a
    a = 1 / 1260.0 - s * a
    a = 1 / 360.0 - s * a
    a = 1 / 12.0 - s * a
    b = 1 / 12.0
    b = 691 / 32760.0 - s * b
    b = 1 / 132.0 - s * b
    b = 1 / 240.0 - s * b
    b = 1 / 252.0 - s * b
    b = 1 / 120.0 - s * b
    b = 1 / 12.0 - s * b
    c = 7 / 6.0
    c = 691 / 2730.0 - s * c
    c = 5 / 66.0 - s * c
    c = 1 / 30.0 - s * c
    c = 1 / 42.0 - s * c
    c = 1 / 30.0 - s * c
    c = 1 / 6.0 - s * c
    d = 17.5
    d = 691 / 210.0 - s * d
    d = 5 / 6.0 - s * d
    d = 0.3 - s * d
    d = 1 / 6.0 - s * d
    d = 1 / 6.0 - s * d
    d = 0.5 - s * d
    return (
        (z - 0.5) * log_z - z + 0.9189385332046727 + i * a - vlog(product),
        log_z - 0.5 * i - s * b - first,
        i + 0.5 * s + s * i * c + second,
        -s - s * i - s * s * d - 2.0 * third,
    )


@inline
def at_mean(y: float, phi: float, mu: float, rest: float) -> Density:
    """Return the density as a function of the mean mu; rest is 1 - mu."""
    p, p1, p2, p3 = log_gamma(fmax(mu * phi, 1e-100))
    q, q1, q2, q3 = log_gamma(fmax(rest * phi, 1e-100))
    logit_y = vlog(y) - vlog(1.0 - y)
    slope = logit_y - p1 + q1
    return (
        mu * phi * logit_y - p - q, phi * slope, phi * phi * (p2 + q2), phi * phi * phi * (p3 - q3),
        mu * (logit_y - p1) - rest * q1, slope + phi * (rest * q2 - mu * p2),
        phi * (2.0 * (p2 + q2) + phi * (mu * p3 + rest * q3)), 0.0, 0.0, 0.0,
    )  # fmt: skip


@inline
def logit(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 / (1 + exp(-nu))."""
    x = fmin(fmax(nu, -100.0), 100.0)
    e = vexp(-fabs(x))
    s = 1.0 / (1.0 + e)
    mu = s if x > 0.0 else e * s
    rest = e * s if x > 0.0 else s
    d = mu * rest
    return through(at_mean(y, f1, mu, rest), d, d * (rest - mu), d * (1.0 - 6.0 * d))


@inline
def probit(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = Phi(nu)."""
    x = fmin(fmax(nu, -17.0), 17.0)
    log_mu, _ = log_cdf_normal(x)
    log_rest, _ = log_cdf_normal(-x)
    d = 0.3989422804014327 * vexp(-0.5 * x * x)
    return through(at_mean(y, f1, vexp(log_mu), vexp(log_rest)), d, -x * d, (x * x - 1.0) * d)


@inline
def cloglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1 - exp(-exp(nu))."""
    e = vexp(fmin(fmax(nu, -100.0), 5.2))
    rest = vexp(-e)
    # 1 - exp(-e), for small e by its series
    series = e * (1.0 - e * (0.5 - e * (1 / 6.0 - e * (1 / 24.0 - e * (1 / 120.0 - e / 720.0)))))
    mu = series if e < 0.01 else 1.0 - rest
    d = e * rest
    return through(at_mean(y, f1, mu, rest), d, d * (1.0 - e), d * ((1.0 - e) * (1.0 - e) - e))


@inline
def loglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(-exp(-nu)), rising with nu: the mirror image of cloglog."""
    value, r, w, dw, u, u1, u2, v, v1, v2 = cloglog(1.0 - y, f1, f2, -nu)
    # the constant outside is that of y, so what mirroring adds is taken off: f1 (log y - log(1 - y))
    logit_y = vlog(y) - vlog(1.0 - y)
    return value + f1 * logit_y, -r, w, -dw, u + logit_y, -u1, u2, v, v1, v2


@inline
def cauchit(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = 1/2 + atan(nu) / pi, as atan2 so that neither tail is lost."""
    mu = atan2(1.0, -nu) * 0.3183098861837907
    rest = atan2(1.0, nu) * 0.3183098861837907
    i = 1.0 / (1.0 + nu * nu)
    d = 0.3183098861837907 * i
    return through(at_mean(y, f1, mu, rest), d, -2.0 * nu * i * d, (6.0 * nu * nu - 2.0) * i * i * d)
