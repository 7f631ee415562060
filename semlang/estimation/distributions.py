"""Distributions of responses at a linear predictor: means, probabilities of categories, variances, and draws.

One row of a table a family of the kernels; what the kernels integrate is what is expected and drawn here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gamma, ndtr, softmax

from semlang.estimation.kernels.families import family_of
from semlang.model.kinds import limits
from semlang.model.table import Variable

__all__ = [
    "CATEGORIES", "DISTRIBUTIONS", "Distribution", "Quantities", "drawn", "expected", "has_distribution",
    "in_order", "transform", "variance",
]  # fmt: skip

Floats = NDArray[np.float64]
Quantities = Mapping[str, Any]
"""What a distribution needs beside the linear predictor, each a number or an array that broadcasts with it: ``sigma``,
``shape``, ``guess``, ``slip``, ``zero``, limits ``low`` and ``high``, ``trials``,
the number of its ``set`` and the ``weight`` of a term in it, a time of ``entry``; instead of sigma
the ``residual`` itself may be given."""

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_LARGEST = 700.0


def _exp(x: Floats) -> Floats:
    return np.exp(np.minimum(x, _LARGEST))


def _continued(power: float, near: float) -> Callable[[Floats, Quantities], Floats]:
    """Return ``nu**power``, below `near` continued by an exponential as the kernels do."""

    def inverse(nu: Floats, q: Quantities) -> Floats:
        low = np.minimum(nu - near, 0.0)
        return np.asarray(np.maximum(nu, near) ** power * np.exp(low * power / near))

    return inverse


Inverse = Callable[[Floats, Quantities], Floats]

BINARY: Mapping[str, Inverse] = {
    "logit": lambda nu, q: np.asarray(expit(nu)),
    "probit": lambda nu, q: np.asarray(ndtr(nu)),
    "cloglog": lambda nu, q: -np.expm1(-np.exp(np.minimum(nu, 300.0))),
    "loglog": lambda nu, q: np.exp(-np.exp(np.minimum(-nu, 300.0))),
    "cauchit": lambda nu, q: 0.5 + np.arctan(nu) / np.pi,
}
"""Distribution functions by link."""

MEANS: Mapping[str, Inverse] = {
    "identity": lambda nu, q: nu,
    "log": lambda nu, q: _exp(nu),
    "reciprocal": lambda nu, q: 1.0 / nu,
}
COUNTS: Mapping[str, Inverse] = {
    "log": lambda nu, q: _exp(nu),
    "identity": _continued(1.0, 0.01),
    "sqrt": _continued(2.0, 0.1),
}
TIMES: Mapping[str, Inverse] = {
    "log": lambda nu, q: _exp(-nu / q.get("shape", 1.0)),
    "aft": lambda nu, q: _exp(nu),
}
"""Scales of durations: the hazard, or the odds, of log time is shape log t + nu, or shape (log t - nu)."""


class Distribution(NamedTuple):
    """A family.

    Parameters
    ----------
    inverse : mapping from link to function of (nu, quantities)
        What the rest is a function of: a mean, a probability, the scale of a duration.
    mean, variance : functions of (inverse link, quantities)
        Of a binomial response those of one trial.
    draw : function of (inverse link, quantities, generator)
    """

    inverse: Mapping[str, Inverse]
    mean: Callable[[Floats, Quantities], Floats]
    variance: Callable[[Floats, Quantities], Floats]
    draw: Callable[[Floats, Quantities, np.random.Generator], Floats]


def _same(m: Floats, q: Quantities) -> Floats:
    return m


def _noise(m: Floats, q: Quantities, rng: np.random.Generator) -> Any:
    return q["residual"] if "residual" in q else q["sigma"] * rng.standard_normal(m.shape)


def _trials(m: Floats, q: Quantities, rng: np.random.Generator) -> Floats:
    n = np.broadcast_to(q.get("trials", 1.0), m.shape).astype(np.int64)
    return np.asarray(rng.binomial(n, m), dtype=np.float64)


def _proportion(m: Floats, q: Quantities, rng: np.random.Generator) -> Floats:
    """Draw from a beta distribution; the draws that rounding makes 0 or 1 are the numbers next to these."""
    draws = rng.beta(m * q["shape"], (1.0 - m) * q["shape"])
    return np.asarray(np.clip(draws, np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg))


_BINOMIAL = Distribution(BINARY, _same, lambda m, q: m * (1.0 - m), _trials)
_POISSON = Distribution(COUNTS, _same, _same, lambda m, q, rng: np.asarray(rng.poisson(m), dtype=np.float64))
_NEGBINOMIAL = Distribution(
    COUNTS, _same, lambda m, q: m + m**2 / q["shape"],
    lambda m, q, rng: np.asarray(rng.poisson(rng.gamma(q["shape"], m / q["shape"])), dtype=np.float64),
)  # fmt: skip


def _guessed(plain: Distribution) -> Distribution:
    """P(1) = guess + (1 - guess - slip) p."""

    def by(inverse: Inverse) -> Inverse:
        def p(nu: Floats, q: Quantities) -> Floats:
            guess, slip = q.get("guess", 0.0), q.get("slip", 0.0)
            return np.asarray(guess + (1.0 - guess - slip) * inverse(nu, q))

        return p

    return plain._replace(inverse={link: by(inverse) for link, inverse in plain.inverse.items()})


def _inflated(plain: Distribution) -> Distribution:
    """0 with probability zero, else as the plain one."""

    def mean(m: Floats, q: Quantities) -> Floats:
        return np.asarray((1.0 - q["zero"]) * plain.mean(m, q))

    def variance(m: Floats, q: Quantities) -> Floats:
        return np.asarray((1.0 - q["zero"]) * (plain.variance(m, q) + q["zero"] * plain.mean(m, q) ** 2))

    def draw(m: Floats, q: Quantities, rng: np.random.Generator) -> Floats:
        y = plain.draw(m, q, rng)
        return np.where(rng.random(m.shape) < q["zero"], 0.0, y)

    return Distribution(plain.inverse, mean, variance, draw)


def _between_limits(m: Floats, q: Quantities) -> tuple[Floats, Floats]:
    """Return the first two moments about m of a normal response that is recorded as a limit beyond it."""
    s = np.asarray(q["sigma"], dtype=np.float64)
    a, b = (q["low"] - m) / s, (q["high"] - m) / s
    pa, pb = ndtr(a), ndtr(-b)
    fa, fb = (np.exp(-0.5 * x * x - _HALF_LOG_2PI) for x in (a, b))

    def at_limits(power: int) -> Floats:
        return np.where(pa > 0.0, np.where(np.isfinite(a), a, 0.0) ** power * pa, 0.0) + np.where(
            pb > 0.0, np.where(np.isfinite(b), b, 0.0) ** power * pb, 0.0
        )

    first = at_limits(1) + fa - fb
    inner = np.where(np.isfinite(a), a, 0.0) * fa - np.where(np.isfinite(b), b, 0.0) * fb
    second = at_limits(2) + (1.0 - pa - pb) + inner
    return s * first, s * s * second


def _censored_variance(m: Floats, q: Quantities) -> Floats:
    first, second = _between_limits(m, q)
    return second - first**2


def _lognormal_variance(m: Floats, q: Quantities) -> Floats:
    s = np.asarray(q["sigma"], dtype=np.float64) ** 2
    return np.asarray(np.expm1(s) * np.exp(2.0 * m + s))


def _weibull_moment(a: Any, r: float) -> Floats:
    return np.asarray(gamma(1.0 + r / np.asarray(a, dtype=np.float64)))


def _loglogistic_moment(a: Any, r: float) -> Floats:
    """Return ``E T**r`` at scale 1: infinite where the shape is no larger than r."""
    x = np.pi * r / np.maximum(np.asarray(a, dtype=np.float64), r)
    with np.errstate(divide="ignore"):
        return np.where(np.asarray(a) > r, x / np.maximum(np.sin(x), 1e-300), np.inf)


def _duration(moment: Callable[[Any, float], Floats], survival: Callable[[Floats], Floats],
              quantile: Callable[[Floats], Floats]) -> Distribution:  # fmt: skip
    """A duration scale X**(1 / shape).

    Parameters
    ----------
    moment : E X**(r / shape) by (shape, r)
    survival : P(X > x)
    quantile : the x with a given P(X > x)
    """

    def mean(m: Floats, q: Quantities) -> Floats:
        return np.asarray(m * moment(q.get("shape", 1.0), 1.0))

    def variance(m: Floats, q: Quantities) -> Floats:
        a = q.get("shape", 1.0)
        with np.errstate(invalid="ignore"):
            v = moment(a, 2.0) - moment(a, 1.0) ** 2
        return np.asarray(m**2 * np.where(np.isnan(v), np.inf, v))

    def draw(m: Floats, q: Quantities, rng: np.random.Generator) -> Floats:
        a = np.asarray(q.get("shape", 1.0), dtype=np.float64)
        left = survival((np.asarray(q.get("entry", 0.0)) / m) ** a)
        return np.asarray(m * quantile(left * (1.0 - rng.random(m.shape))) ** (1.0 / a))

    return Distribution(TIMES, mean, variance, draw)


_WEIBULL = _duration(_weibull_moment, lambda x: np.exp(-x), lambda p: -np.log(p))
_LOGLOGISTIC = _duration(_loglogistic_moment, lambda x: 1.0 / (1.0 + x), lambda p: 1.0 / p - 1.0)

_GAUSSIAN = Distribution(
    MEANS, _same, lambda m, q: np.broadcast_to(np.square(q["sigma"]), m.shape),
    lambda m, q, rng: np.asarray(m + _noise(m, q, rng)),
)  # fmt: skip
_LOGNORMAL = Distribution(
    MEANS, lambda m, q: np.exp(m + 0.5 * np.square(q["sigma"])), _lognormal_variance,
    lambda m, q, rng: np.exp(m + _noise(m, q, rng)),
)  # fmt: skip

DISTRIBUTIONS: Mapping[str, Distribution] = {
    "binomial": _BINOMIAL,
    "guessed binomial": _guessed(_BINOMIAL),
    "poisson": _POISSON,
    "inflated poisson": _inflated(_POISSON),
    "negbinomial": _NEGBINOMIAL,
    "inflated negbinomial": _inflated(_NEGBINOMIAL),
    "gaussian": _GAUSSIAN,
    "interval gaussian": _GAUSSIAN,
    "censored gaussian": Distribution(
        MEANS, lambda m, q: m + _between_limits(m, q)[0], _censored_variance,
        lambda m, q, rng: np.clip(m + _noise(m, q, rng), q["low"], q["high"]),
    ),
    "lognormal": _LOGNORMAL,
    "interval lognormal": _LOGNORMAL,
    "gamma": Distribution(
        MEANS, _same, lambda m, q: m**2 / q["shape"],
        lambda m, q, rng: np.asarray(rng.gamma(q["shape"], m / q["shape"])),
    ),
    "beta": Distribution(
        BINARY, _same, lambda m, q: m * (1.0 - m) / (1.0 + np.asarray(q["shape"])), _proportion
    ),
    "composite gaussian": _GAUSSIAN,
    "composite binomial": _BINOMIAL,
    "composite poisson": _POISSON,
    "exponential": _WEIBULL,
    "weibull": _WEIBULL,
    "loglogistic": _LOGLOGISTIC,
}  # fmt: skip
"""Families whose responses are numbers."""


def _cumulative(link: str, x: Floats) -> Floats:
    return BINARY[link](x, {})


def _sequential(link: str, x: Floats) -> Floats:
    """Return P(y > s), a product of the steps up to s."""
    return np.asarray(np.cumprod(BINARY[link](x, {}), axis=0))


def _adjacent(link: str, x: Floats) -> Floats:
    """Return P(y > s): the logit of category s has the sum of the first s steps."""
    logits = np.concatenate([np.zeros_like(x[:1]), np.cumsum(x, axis=0)])
    return np.asarray(np.cumsum(softmax(logits, axis=0)[:0:-1], axis=0)[::-1])


CATEGORIES: Mapping[str, Callable[[str, Floats], Floats]] = {
    "ordinal": _cumulative,
    "sequential": _sequential,
    "adjacent": _adjacent,
}
"""P(y > s) by link and nu - tau_s, (S, ...), of families whose responses are categories."""


def has_distribution(variable: Variable) -> bool:
    """Whether a response is of a family of these tables."""
    return variable.kind.nominal or variable.kind.sets or variable.kind.name in (*CATEGORIES, *DISTRIBUTIONS)


def transform(quantity: str, value: Floats) -> Floats:
    """Return a distribution parameter from its linear predictor."""
    return np.asarray(np.exp(value) if quantity in ("sigma", "shape") else expit(value))


def _found(variable: Variable, q: Quantities) -> tuple[Distribution, Quantities]:
    if "censored" in variable.arguments and "low" not in q:
        low, high = (
            x if isinstance(x, int | float) else side
            for x, side in zip(limits(variable.arguments["censored"]) or (), (-np.inf, np.inf), strict=True)
        )
        q = {**q, "low": low, "high": high}
    return DISTRIBUTIONS[family_of(variable.kind.name, [*q, *variable.arguments])], q


def in_order(thresholds: Floats, variable: Variable) -> Floats:
    """Return cumulative thresholds (S, ...), each as high as the highest before it.

    Where they cross, a category is empty. Those of sequential and adjacent-category responses have no order.
    """
    return np.maximum.accumulate(thresholds, axis=0) if variable.kind.name == "ordinal" else thresholds


def expected(variable: Variable, nu: Floats, quantities: Quantities, thresholds: Floats | None = None) -> list[Floats]:
    """Return the mean, or the probability of each category, each of the shape of `nu`.

    Parameters
    ----------
    variable : Variable
    nu : (n, ...) floats
        Linear predictors, of a nominal response (K, n, ...), one a category. Of a binomial response the mean is that
        of one trial, of a censored one that of the value which is recorded (limits in columns are ``low`` and ``high``
        of `quantities`), of one in an interval that of the value itself, of a duration that of the time of the
        event (infinite where it has none).
    quantities : Quantities
    thresholds : (S, n) floats, optional
        Of a response with categories; a ``sigma`` divides them and nu.
    """
    kind, link = variable.kind.name, variable.link or "identity"
    if variable.kind.sets:
        return [_first_of_set(nu, np.asarray(quantities["set"]).reshape(-1))]
    if variable.kind.nominal:
        return list(softmax(nu, axis=0))
    if kind in CATEGORIES:
        assert thresholds is not None
        shape = (-1, nu.shape[0], *([1] * (nu.ndim - 1)))
        x = (nu - thresholds.reshape(shape)) / quantities.get("sigma", 1.0)
        above = [np.ones_like(nu), *CATEGORIES[kind](link, x), np.zeros_like(nu)]
        return [a - b for a, b in pairwise(above)]
    d, q = _found(variable, quantities)
    return [d.mean(_centre(variable, d, nu, q), q)]


def _centre(variable: Variable, d: Distribution, nu: Floats, q: Quantities) -> Floats:
    """Return the inverse link; with a composite link the weighted sum over the rows of the set, in each of these."""
    h = d.inverse[variable.link or "identity"](nu, q)
    if not variable.kind.composite:
        return h
    _, of = np.unique(np.asarray(q["set"]).reshape(-1), return_inverse=True)
    weight = np.asarray(q["weight"]).reshape(-1, *([1] * (nu.ndim - 1)))
    total = np.zeros((int(of.max(initial=-1)) + 1, *nu.shape[1:]))
    np.add.at(total, of, weight * h)
    return np.asarray(total[of])


def _first_of_set(nu: Floats, sets: Floats) -> Floats:
    """Return the probability that a row is chosen from the rows of its set, exp(nu) over its sum; rows first."""
    _, of = np.unique(sets, return_inverse=True)
    top = np.full((int(of.max(initial=-1)) + 1, *nu.shape[1:]), -np.inf)
    np.maximum.at(top, of, nu)
    e = np.exp(nu - top[of])
    total = np.zeros_like(top)
    np.add.at(total, of, e)
    return np.asarray(e / total[of])


def _ranks(utility: Floats, sets: Floats) -> Floats:
    """Return the rank from 1 of each row among those of its set, the largest utility first."""
    order = np.lexsort((-utility, sets))
    own = np.asarray(sets)[order]
    begins = np.flatnonzero(np.r_[True, own[1:] != own[:-1]][: own.size])
    rank = np.empty(utility.size)
    place = np.arange(own.size)
    rank[order] = place - begins[np.searchsorted(begins, place, side="right") - 1] + 1.0
    return rank


def variance(variable: Variable, nu: Floats, quantities: Quantities) -> Floats:
    """Return the variance of a response that is a number, of a binomial one that of one trial."""
    d, q = _found(variable, quantities)
    return d.variance(_centre(variable, d, nu, q), q)


def drawn(
    variable: Variable, nu: Floats, quantities: Quantities, thresholds: Floats | None, rng: np.random.Generator
) -> Floats:
    """Draw responses, coded as in `Design.responses`; NaN where the linear predictor is.

    That of a nominal response is (K, n).

    Raises
    ------
    ValueError
        Where a mean is not positive that has to be.
    """
    known = ~np.isnan(nu).any(axis=0) if nu.ndim > 1 else ~np.isnan(nu)
    out = np.full(known.size, np.nan)

    def of_known(value: Any) -> Any:
        return np.broadcast_to(value, (*np.shape(value)[:-1], known.size))[..., known] if np.ndim(value) else value

    q: Quantities = {name: of_known(value) for name, value in quantities.items()}
    if variable.kind.name in CATEGORIES or nu.ndim > 1:
        p = np.stack(expected(variable, nu[..., known], q, of_known(thresholds)))
        out[known] = (rng.random(p.shape[1]) > np.cumsum(p, axis=0)[:-1]).sum(axis=0)
        return out
    if variable.kind.sets:
        out[known] = _ranks(nu[known] + rng.gumbel(size=int(known.sum())), q["set"])
        return np.where(out == 1.0, 1.0, 0.0) if variable.kind.name == "choice" else out
    d, q = _found(variable, q)
    y = d.draw(_centre(variable, d, nu[known], q), q, rng)
    if variable.kind.composite:  # a set has one response
        first, of = np.unique(q["set"], return_index=True, return_inverse=True)[1:]
        y = y[first][of]
    out[known] = y
    return out
