"""Mixtures of a density with a constant: guessing and slipping, zero inflation.

With P = b + k exp(L) and r = k exp(L) / P, the posterior probability of the second part,

    l' = r L',   l'' = r L'' + r (1 - r) L'**2,   l''' = r L''' + 3 r (1 - r) L' L'' + r (1 - r)(1 - 2 r) L'**3.

They are not log-concave.
"""

from __future__ import annotations

from semlang.estimation.kernels import binomial, negbinomial, poisson
from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.vector_math import fmax, vexp, vlog


@inline
def beside(b: float, k: float, density: Density) -> Density:
    """Return the density of b + k exp(L), with derivatives in L's own f1 and, as f2, in b along k = constant - b."""
    value, g, w, dw, a, a1, a2, _, _, _ = density
    e = vexp(fmax(value, -600.0))
    p = fmax(b + k * e, 1e-300)
    alone = b <= 0.0
    r = 1.0 if alone else k * e / p
    u = r * (1.0 - r)
    bend = w - (1.0 - 2.0 * r) * g * g
    total = vlog(k) + value if alone else vlog(p)
    by_b = (1.0 - e) / p
    moved = -r / p - u / k  # dr/db - dr/dk
    by_a = u * a
    return (
        total, r * g, r * w - u * g * g, r * dw + 3.0 * u * g * w - u * (1.0 - 2.0 * r) * g * g * g,
        r * a, by_a * g + r * a1, by_a * bend + r * a2 - 2.0 * u * g * a1,
        by_b, moved * g, moved * bend,
    )  # fmt: skip


@inline
def guessed(y: float, f1: float, f2: float, density: Density) -> Density:
    """P(1) = f1 + (1 - f1 - f2) p; ``density`` is that of the response y without guessing."""
    success = y > 0.5
    k = 1.0 - f1 - f2
    value, g, w, dw, _, _, _, b, b1, b2 = beside(f1 if success else f2, k, density)
    # the other constant enters through k alone
    e = vexp(fmax(density[0], -600.0))
    p = fmax((f1 if success else f2) + k * e, 1e-300)
    r = 1.0 if (f1 if success else f2) <= 0.0 else k * e / p
    c = -r / k
    moved = c * (1.0 - r)
    c1 = moved * density[1]
    c2 = moved * (density[2] - (1.0 - 2.0 * r) * density[1] * density[1])
    if success:
        return value, g, w, dw, b, b1, b2, c, c1, c2
    return value, g, w, dw, c, c1, c2, b, b1, b2


@inline
def guessed_logit(y: float, f1: float, f2: float, nu: float) -> Density:
    """Three- and four-parameter logistic."""
    return guessed(y, f1, f2, binomial.logit(y, 1.0, 0.0, nu))


@inline
def guessed_probit(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = Phi(nu)."""
    return guessed(y, f1, f2, binomial.probit(y, 1.0, 0.0, nu))


@inline
def guessed_cloglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = 1 - exp(-exp(nu))."""
    return guessed(y, f1, f2, binomial.cloglog(y, 1.0, 0.0, nu))


@inline
def guessed_loglog(y: float, f1: float, f2: float, nu: float) -> Density:
    """The mirror image of cloglog."""
    return guessed(y, f1, f2, binomial.loglog(y, 1.0, 0.0, nu))


@inline
def guessed_cauchit(y: float, f1: float, f2: float, nu: float) -> Density:
    """p = 1/2 + atan(nu)/pi."""
    return guessed(y, f1, f2, binomial.cauchit(y, 1.0, 0.0, nu))


@inline
def inflated(y: float, zero: float, density: Density) -> Density:
    """P(0) = zero + (1 - zero) exp(L); derivatives in L's own f1, and in ``zero`` as f2."""
    k = 1.0 - zero
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 = beside(zero, k, density)
    n0, n1, n2, n3, n4, n5, n6, _, _, _ = density
    counted = y > 0.5
    return (
        n0 + vlog(k) if counted else m0, n1 if counted else m1, n2 if counted else m2, n3 if counted else m3,
        n4 if counted else m4, n5 if counted else m5, n6 if counted else m6,
        -1.0 / k if counted else m7, 0.0 if counted else m8, 0.0 if counted else m9,
    )  # fmt: skip


@inline
def with_zero_first(density: Density) -> Density:
    """Let f1 be what f2 was."""
    value, g, w, dw, _, _, _, b, b1, b2 = density
    return value, g, w, dw, b, b1, b2, 0.0, 0.0, 0.0


@inline
def inflated_poisson_log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu)."""
    return with_zero_first(inflated(y, f1, poisson.log(y, 0.0, 0.0, nu)))


@inline
def inflated_poisson_identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu."""
    return with_zero_first(inflated(y, f1, poisson.identity(y, 0.0, 0.0, nu)))


@inline
def inflated_poisson_sqrt(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu**2."""
    return with_zero_first(inflated(y, f1, poisson.sqrt(y, 0.0, 0.0, nu)))


@inline
def inflated_negbinomial_log(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = exp(nu)."""
    return inflated(y, f2, negbinomial.log(y, f1, 0.0, nu))


@inline
def inflated_negbinomial_identity(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu."""
    return inflated(y, f2, negbinomial.identity(y, f1, 0.0, nu))


@inline
def inflated_negbinomial_sqrt(y: float, f1: float, f2: float, nu: float) -> Density:
    """mu = nu**2."""
    return inflated(y, f2, negbinomial.sqrt(y, f1, 0.0, nu))
