"""Durations: y is the log of the time, f1 the shape a, f2 is 1 for an event, 0 for a censored time, and 2 for the
time of entry, at which the event had not happened yet: its density is 1 / S.

With z = a y + nu (link log: proportional hazards or odds) or z = a (y - nu) (accelerated failure time),

    Weibull:      log S = -exp(z),           log-logistic:  log S = -log(1 + exp(z)),

and the log hazard of log time is z plus log a (log-logistic: plus log S). What does not depend on nu is added outside.
"""

from __future__ import annotations

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline
from semlang.estimation.kernels.vector_math import fabs, fmax, fmin, vexp, vlog


@inline
def weibull(z: float, event: float) -> tuple[float, float, float, float]:
    """Return ``d z - exp(z)`` and its three derivatives."""
    entry = event > 1.5
    d = 0.0 if entry else event
    h = vexp(fmin(z, 300.0)) * (-1.0 if entry else 1.0)
    return d * z - h, d - h, -h, -h


@inline
def loglogistic(z: float, event: float) -> tuple[float, float, float, float]:
    """Return ``d z - (1 + d) log(1 + exp(z))`` and its three derivatives."""
    e = vexp(-fabs(z))
    s = 1.0 / (1.0 + e)
    p = s if z > 0.0 else e * s
    entry = event > 1.5
    d = 0.0 if entry else event
    n = -1.0 if entry else 1.0 + event
    v = n * e * s * s
    return d * z - n * (fmax(z, 0.0) - vlog(s)), d - n * p, -v, -v * (1.0 - 2.0 * p)


@inline
def weibull_log(y: float, f1: float, f2: float, nu: float) -> Density:
    """Hazard a t**(a - 1) exp(nu)."""
    value, g, g1, g2 = weibull(f1 * y + nu, f2)
    d = 0.0 if f2 > 1.5 else f2
    return value - d * f1 * y, g, -g1, -g2, (g - d) * y, g1 * y, -g2 * y, 0.0, 0.0, 0.0


@inline
def loglogistic_log(y: float, f1: float, f2: float, nu: float) -> Density:
    """Odds of having failed t**a exp(nu)."""
    value, g, g1, g2 = loglogistic(f1 * y + nu, f2)
    d = 0.0 if f2 > 1.5 else f2
    return value - d * f1 * y, g, -g1, -g2, (g - d) * y, g1 * y, -g2 * y, 0.0, 0.0, 0.0


@inline
def accelerated(a: float, r: float, value: float, g: float, g1: float, g2: float) -> Density:
    """Return the density of nu given that of z = a r, r = y - nu."""
    return (
        value, -a * g, -a * a * g1, a * a * a * g2,
        g * r, -g - a * r * g1, -2.0 * a * g1 - a * a * r * g2, 0.0, 0.0, 0.0,
    )  # fmt: skip


@inline
def weibull_aft(y: float, f1: float, f2: float, nu: float) -> Density:
    """log t = nu + (log of an exponential variable) / a."""
    r = y - nu
    value, g, g1, g2 = weibull(f1 * r, f2)
    return accelerated(f1, r, value, g, g1, g2)


@inline
def loglogistic_aft(y: float, f1: float, f2: float, nu: float) -> Density:
    """log t = nu + (logistic variable) / a."""
    r = y - nu
    value, g, g1, g2 = loglogistic(f1 * r, f2)
    return accelerated(f1, r, value, g, g1, g2)
