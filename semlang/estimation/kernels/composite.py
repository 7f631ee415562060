"""Composite links: the mean of one response is a known weighted sum of means, one a row of its set.

    E(y) = m = sum_k w_k h_k,   h_k = h(nu_k)

The first row of a set is the response y, with sigma or the number of trials in f2; the others are the terms, with
the weight w_k in y. f1 is the number of rows of the set from a row on. With l the log density of y in m, the derivative
in nu_k is l' w_k h'(nu_k). Latent variables behind the terms are known by nodes (`estimation.conditioning`), so that no
more than first derivatives is asked for.

The mean of 1 - y is summed beside that of y, so that neither end loses digits.
"""

from __future__ import annotations

from math import atan2
from typing import Any

import numpy as np

from semlang.estimation.kernels.binomial import log_one_minus_exp
from semlang.estimation.kernels.declaring import inline, inner
from semlang.estimation.kernels.families import CODES, COMPOSITES, ENTRIES
from semlang.estimation.kernels.softmax import end_of_set
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, log_cdf_normal, vexp, vlog

IDENTITY, LOG, RECIPROCAL, COUNT_IDENTITY, COUNT_SQRT, LOGIT, PROBIT, CLOGLOG, LOGLOG, CAUCHIT = range(10)
_LINKS = {
    "identity": IDENTITY, "log": LOG, "reciprocal": RECIPROCAL, "logit": LOGIT, "probit": PROBIT,
    "cloglog": CLOGLOG, "loglog": LOGLOG, "cauchit": CAUCHIT, "sqrt": COUNT_SQRT,
}  # fmt: skip
LINK_OF = np.array(
    [
        COUNT_IDENTITY if e.family == "composite poisson" and e.link == "identity" else _LINKS.get(e.link, -1)
        for e in ENTRIES
    ],
    dtype=np.int64,
)
"""Number of the link by code."""

GAUSSIAN = CODES["composite gaussian", "identity"]
BINOMIAL = CODES["composite binomial", "logit"]
POISSON = CODES["composite poisson", "log"]
assert GAUSSIAN == COMPOSITES < BINOMIAL < POISSON

SMALLEST = 1e-300
"""A mean that underflows."""
EDGE = 1e-12
"""What is left of 1 is at least this; weights that add up to more than 1 can lead beyond it."""
NEAR = 0.01
"""Below this mean, and below its root, counts with other links than log are continued by an exponential."""


@inline
def power(nu: float, k: float, near: float) -> tuple[float, float, float]:
    """``nu**k``, below `near` continued by an exponential with the same value and slope, as `poisson.power` is."""
    if nu > near:
        return nu**k, 0.0, k * nu ** (k - 1.0)
    h = near**k * vexp((nu - near) * k / near)
    return h, 0.0, h * k / near


@inline
def inverse_link(link: int, nu: float) -> tuple[float, float, float]:
    """Return h(nu), for probabilities 1 - h(nu), and h'(nu)."""
    if link == IDENTITY:
        return nu, 0.0, 1.0
    if link == LOG:
        h = vexp(fmin(nu, 300.0))
        return h, 0.0, h
    if link == RECIPROCAL:
        h = 1.0 / nu
        return h, 0.0, -h * h
    if link == COUNT_IDENTITY:
        return power(nu, 1.0, NEAR)
    if link == COUNT_SQRT:
        return power(nu, 2.0, 10.0 * NEAR)
    if link == LOGIT:
        e = vexp(-fabs(nu))
        s = 1.0 / (1.0 + e)
        p = s if nu > 0.0 else e * s
        return p, (e * s if nu > 0.0 else s), e * s * s
    if link == PROBIT:
        a, _ = log_cdf_normal(nu)
        b, _ = log_cdf_normal(-nu)
        return vexp(a), vexp(b), 0.3989422804014327 * vexp(-0.5 * nu * nu)
    if link == CAUCHIT:
        p = atan2(1.0, -nu) * 0.3183098861837907
        return p, atan2(1.0, nu) * 0.3183098861837907, 0.3183098861837907 / (1.0 + nu * nu)
    x = nu if link == CLOGLOG else -nu
    e, log_p, _, _, _ = log_one_minus_exp(x)
    p = vexp(log_p)
    q = vexp(-e)
    slope = fmin(e, 1e300) * q if e < 700.0 else 0.0
    if link == CLOGLOG:
        return p, q, slope
    return q, p, slope


@inner
def composite_row(i: int, rows: Any, value: Any, adjoints: Any) -> int:
    """Fill l and its derivatives of the set that begins at row i, times the set's weight; return its end."""
    end = end_of_set(i, rows)
    code = rows.code[i]
    link = LINK_OF[code]
    m = rest = total = 0.0
    for k in range(i + 1, end):
        h, g, slope = inverse_link(link, rows.o[k])
        w = rows.y[k]
        m += w * h
        rest += w * g
        total += w
        adjoints.o[k] = w * slope
        adjoints.f1[k] = adjoints.f2[k] = value[k] = 0.0
    y = rows.y[i]
    f = rows.f2[i]
    by_f = 0.0
    if code < BINOMIAL:
        z = (y - m) / f
        log_density = -0.5 * z * z - vlog(f)
        by_m = z / f
        by_f = (z * z - 1.0) / f
    elif code < POISSON:
        p = fmax(m, SMALLEST)
        left = rest + (1.0 - total)
        q = fmax(left, EDGE)
        beyond = (q - left) / EDGE  # no probability: a barrier with a slope of zero at the edge
        log_density = -f * beyond * beyond
        by_m = -2.0 * f * beyond / EDGE
        if y > 0.0:
            log_density += y * vlog(p)
            by_m += y / p
        if y < f:
            log_density += (f - y) * vlog(q)
            by_m -= (f - y) / q
    else:
        p = fmax(m, SMALLEST)
        log_density = (y * vlog(p) if y > 0.0 else 0.0) - p
        by_m = y / p - 1.0
    weight = rows.weight[i]
    value[i] = weight * log_density
    adjoints.o[i] = adjoints.f1[i] = 0.0
    adjoints.f2[i] = weight * by_f
    for k in range(i + 1, end):
        adjoints.o[k] *= weight * by_m
    return end
