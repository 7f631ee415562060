"""Ordered categories: P(y > s) = F(nu - tau_s), upper threshold f1 and lower threshold f2 of the category.

The probability of the category is ``F(nu - f2) - F(nu - f1)``; +-1e10 stands for infinity (``NO_THRESHOLD``).
The response itself is not read.
"""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density, log_one_minus_exp
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, log_cdf_normal, vexp, vlog


@inline
def gap(f1: float, f2: float) -> tuple[float, float]:
    """Return ``log(1 - exp(f2 - f1))`` and minus its derivative in f2, ``k = 1 / (exp(f1 - f2) - 1)``."""
    d = vexp(f2 - f1)
    g = fmax(1.0 - d, 1e-300)
    return vlog(g), d / g


@inline
def logit(y: float, f1: float, f2: float, nu: float) -> Density:
    """log P = log F(f1 - nu) + log F(nu - f2) + log(1 - exp(f2 - f1))."""
    log_gap, k = gap(f1, f2)
    a = fmin(fmax(f1 - nu, -1e5), 1e5)
    b = fmin(fmax(nu - f2, -1e5), 1e5)
    ea = vexp(-fabs(a))
    eb = vexp(-fabs(b))
    sa = 1.0 / (1.0 + ea)
    sb = 1.0 / (1.0 + eb)
    pa = sa if a > 0.0 else ea * sa
    qa = ea * sa if a > 0.0 else sa
    pb = sb if b > 0.0 else eb * sb
    qb = eb * sb if b > 0.0 else sb
    fa = pa * qa
    fb = pb * qb
    value = fmin(a, 0.0) + vlog(sa) + fmin(b, 0.0) + vlog(sb) + log_gap
    wa = fa * (qa - pa)
    wb = fb * (qb - pb)
    return value, qb - qa, fa + fb, wb - wa, qa + k, fa, wa, -qb - k, fb, -wb


@inline
def probit(y: float, f1: float, f2: float, nu: float) -> Density:
    """log P from the tail in which both probabilities are small; h = density over P at either threshold."""
    lower = nu - f2
    upper = nu - f1
    flip = lower + upper > 0.0
    a, _ = log_cdf_normal(-upper if flip else lower)
    b, _ = log_cdf_normal(-lower if flip else upper)
    _, log_ratio, _, _, _ = log_one_minus_exp(vlog(fmax(a - b, 1e-300)))
    value = a + log_ratio
    hu = vexp(-0.5 * upper * upper - 0.9189385332046727 - value)
    hl = vexp(-0.5 * lower * lower - 0.9189385332046727 - value)
    u = fmin(fmax(upper, -1e5), 1e5)
    v = fmin(fmax(lower, -1e5), 1e5)
    p1 = hl - hu
    p2 = u * hu - v * hl
    p3 = (v * v - 1.0) * hl - (u * u - 1.0) * hu
    l2 = p2 - p1 * p1
    l3 = p3 - 3.0 * p1 * p2 + 2.0 * p1 * p1 * p1
    cu = -u - p1
    cl = -v - p1
    return (
        value, p1, -l2, -l3,
        hu, hu * cu, -hu * (cu * cu - 1.0 - l2),
        -hl, -hl * cl, hl * (cl * cl - 1.0 - l2),
    )  # fmt: skip


@inline
def cloglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """F(x) = 1 - exp(-exp(x)): log P = -exp(nu - f1) + log(1 - exp(-exp(nu - f2 + log(1 - exp(f2 - f1)))))."""
    log_gap, k = gap(f1, f2)
    a = vexp(fmin(nu - f1, 300.0))
    _, log_p, s, s1, s2 = log_one_minus_exp(fmin(nu - f2 + log_gap, 1e5))
    j = 1.0 + k
    return log_p - a, s - a, a - s1, a - s2, a + s * k, a + s1 * k, -a - s2 * k, -s * j, -s1 * j, s2 * j


@inline
def loglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """F(x) = exp(-exp(-x)), increasing: the mirror image of cloglog."""
    value, r, w, dw, u, u1, u2, v, v1, v2 = cloglog(y, -f2, -f1, -nu)
    return value, -r, w, -dw, -v, v1, -v2, -u, u1, -u2
