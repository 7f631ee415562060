"""Probabilities of the categories of a response, with derivatives, for the rank of the information.

Every response is read through a few categories (a count as 0, 1, ..., 6, or more; a continuous response in bins): what
is identified from less is identified from more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import erf, factorial, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import Variable

Floats = NDArray[np.float64]
COUNTS = 7
BINS = np.array([-2.4, -1.2, -0.4, 0.4, 1.2, 2.4])
NOISE = 0.5
"""Part of a gaussian residual's standard deviation that smooths the bins; the rest is added to the covariance."""


@dataclass(frozen=True)
class Categories:
    """Category probabilities at nodes of the linear predictor.

    Parameters
    ----------
    p, first, second : (categories, nodes)
        Probabilities and their first two derivatives with respect to the linear predictor.
    aux : mapping from (name, index) to (categories, nodes)
        Derivatives with respect to thresholds (``threshold``, t) and linear predictors of distribution parameters.
    """

    p: Floats
    first: Floats
    second: Floats
    aux: dict[tuple[str, int], Floats]

    def only(self, category: int) -> Categories:
        """Return one category alone."""
        pick = slice(category, category + 1)
        return Categories(self.p[pick], self.first[pick], self.second[pick], {k: v[pick] for k, v in self.aux.items()})


def _logit(x: Floats) -> tuple[Floats, Floats, Floats]:
    f = 1 / (1 + np.exp(-x))
    d = f * (1 - f)
    return f, d, d * (1 - 2 * f)


def _probit(x: Floats) -> tuple[Floats, Floats, Floats]:
    cdf = np.array([0.5 * (1 + erf(v / sqrt(2))) for v in np.ravel(x).tolist()]).reshape(x.shape)
    d = np.exp(-0.5 * x * x) / sqrt(2 * pi)
    return cdf, d, -x * d


def _cloglog(x: Floats) -> tuple[Floats, Floats, Floats]:
    e = np.exp(np.minimum(x, 6.0))
    s = np.exp(-e)
    return 1 - s, e * s, e * s * (1 - e)


def _loglog(x: Floats) -> tuple[Floats, Floats, Floats]:
    f, d, s = _cloglog(-x)
    return 1 - f, d, -s


def _cauchit(x: Floats) -> tuple[Floats, Floats, Floats]:
    d = 1 / (pi * (1 + x * x))
    return 0.5 + np.arctan(x) / pi, d, -2 * x * d / (1 + x * x)


LINKS: dict[str, Callable[[Floats], tuple[Floats, Floats, Floats]]] = {
    "logit": _logit, "probit": _probit, "cloglog": _cloglog, "loglog": _loglog, "cauchit": _cauchit,
}  # fmt: skip


def categories(
    variable: Variable, nu: Floats, thresholds: Sequence[float], quantities: dict[str, float]
) -> Categories | None:
    """Return the categories of a response at linear predictors `nu`, or None where its kind is not covered.

    Parameters
    ----------
    variable : Variable
    nu : (nodes,)
    thresholds : sequence of float
    quantities : mapping from name to the linear predictor of a distribution parameter
    """
    kind, link = variable.kind.name, variable.link
    if kind == "binomial":
        return _binomial(variable, nu, quantities)
    if kind == "ordinal":
        return _ordinal(link, nu, thresholds, quantities)
    if kind == "adjacent":
        return _adjacent(nu, thresholds)
    if kind == "sequential":
        return _sequential(nu, thresholds)
    if kind in ("poisson", "negbinomial") and link in ("", "log"):
        return _counts(kind, nu, quantities)
    if kind in ("gaussian", "lognormal") and link in ("", "identity") and "sigma" not in quantities:
        return _bins(nu)
    if kind in ("weibull", "loglogistic", "exponential") and link in ("", "log"):
        return _durations(kind, nu, quantities)
    return None


def _tails(upper: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """Return categories from probabilities of exceeding each cut (cuts, nodes)."""
    one, zero = np.ones((1, upper.shape[1])), np.zeros((1, upper.shape[1]))
    t, d, s = (np.concatenate([a, x, zero]) for a, x in ((one, upper), (zero, first), (zero, second)))
    return t[:-1] - t[1:], d[:-1] - d[1:], s[:-1] - s[1:]


def _aux_tail(derivative: Floats, cut: int, n: int) -> Floats:
    out = np.zeros((n, derivative.size))
    out[cut] -= derivative
    out[cut + 1] += derivative
    return out


def _binomial(variable: Variable, nu: Floats, quantities: dict[str, float]) -> Categories:
    """Successes of one trial, or of three where there are several; each trial is guessed by itself."""
    f, d, s = LINKS[variable.link or "logit"](nu)
    n = 1 if variable.arguments.get("trials", 1) in (1, 1.0, None) else 3
    low = _logistic(quantities["guess"]) if "guess" in quantities else 0.0
    high = 1 - (_logistic(quantities["slip"]) if "slip" in quantities else 0.0)
    by = {"guess": low * (1 - low) * (1 - f), "slip": -(1 - high) * high * f}
    f, d, s = low + (high - low) * f, (high - low) * d, (high - low) * s
    y = np.arange(n + 1)[:, None]
    ways = np.array([[factorial(n) / factorial(k) / factorial(n - k)] for k in range(n + 1)])
    z = n - y

    def power(i: int, j: int) -> Floats:
        """Return ``f**(y - i) (1 - f)**(z - j)``, with any exponent below 0 taken as 0: its factor is 0."""
        out: Floats = ways * f ** np.maximum(y - i, 0) * (1 - f) ** np.maximum(z - j, 0)
        return out

    first = y * power(1, 0) - z * power(0, 1)
    second = y * (y - 1) * power(2, 0) - 2 * y * z * power(1, 1) + z * (z - 1) * power(0, 2)
    aux: dict[tuple[str, int], Floats] = {(name, 0): first * by[name] for name in by if name in quantities}
    return Categories(power(0, 0), first * d, second * d * d + first * s, aux)


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _ordinal(link: str, nu: Floats, thresholds: Sequence[float], quantities: dict[str, float]) -> Categories:
    cut = LINKS[link or "logit"]
    log_sigma = quantities.get("sigma", 0.0)
    sigma = float(np.exp(log_sigma))
    z = [(nu - t) / sigma for t in thresholds]
    f, d, s = (np.stack(a) for a in zip(*(cut(x) for x in z), strict=True))
    p, first, second = _tails(f, d / sigma, s / sigma**2)
    n = p.shape[0]
    aux = {("threshold", t): _aux_tail(-d[t] / sigma, t, n) for t in range(len(thresholds))}
    if "sigma" in quantities:
        aux["sigma", 0] = sum((_aux_tail(-d[t] * z[t], t, n) for t in range(len(z))), np.zeros_like(p))
    return Categories(p, first, second, aux)


def _adjacent(nu: Floats, thresholds: Sequence[float]) -> Categories:
    c = np.arange(len(thresholds) + 1)[:, None]
    e = np.exp(c * nu - np.concatenate([[0.0], np.cumsum(thresholds)])[:, None])
    p = e / e.sum(axis=0)
    mean = (c * p).sum(axis=0)
    variance = (c * c * p).sum(axis=0) - mean**2
    aux = {}
    for t in range(len(thresholds)):
        beyond = (c > t).astype(float)
        aux["threshold", t] = -p * (beyond - (beyond * p).sum(axis=0))
    return Categories(p, p * (c - mean), p * ((c - mean) ** 2 - variance), aux)


def _sequential(nu: Floats, thresholds: Sequence[float]) -> Categories:
    n = len(thresholds)
    f, d, _ = (np.stack(a) for a in zip(*(_logit(nu - t) for t in thresholds), strict=True))
    p, g, h = np.ones((n + 1, nu.size)), np.zeros((n + 1, nu.size)), np.zeros((n + 1, nu.size))
    aux = {("threshold", t): np.zeros((n + 1, nu.size)) for t in range(n)}
    for c in range(n + 1):
        for t in range(min(c + 1, n)):
            go = t < c
            p[c] *= f[t] if go else 1 - f[t]
            slope = 1 - f[t] if go else -f[t]
            g[c] += slope
            h[c] -= d[t]
            aux["threshold", t][c] = -slope
    return Categories(p, p * g, p * (g * g + h), {k: p * v for k, v in aux.items()})


def _counts(kind: str, nu: Floats, quantities: dict[str, float]) -> Categories:
    mu = np.exp(np.minimum(nu, 6.0))
    shape = float(np.exp(quantities.get("shape", 0.0)))
    p, g, h, q = [], [], [], []
    for c in range(COUNTS):
        if kind == "poisson":
            p.append(np.exp(c * np.log(mu) - mu - lgamma(c + 1)))
            g.append(c - mu)
            h.append(-mu)
        else:
            share = mu / (shape + mu)
            constant = lgamma(c + shape) - lgamma(shape) - lgamma(c + 1)
            p.append(np.exp(constant + shape * np.log(1 - share) + c * np.log(share)))
            g.append(c - (c + shape) * share)
            h.append(-(c + shape) * share * (1 - share))
            harmonic = sum(1 / (shape + i) for i in range(c))
            q.append(shape * (harmonic + np.log(1 - share) + 1 - (c + shape) / (shape + mu)))
    pp, gg, hh = np.stack(p), np.stack(g), np.stack(h)
    first, second = pp * gg, pp * (gg * gg + hh)
    aux: dict[tuple[str, int], Floats] = {}
    if kind == "negbinomial":
        d = pp * np.stack(q)
        aux["shape", 0] = np.concatenate([d, -d.sum(axis=0)[None]])
    pp = np.concatenate([pp, 1 - pp.sum(axis=0)[None]])
    first, second = (np.concatenate([a, -a.sum(axis=0)[None]]) for a in (first, second))
    if "zero" in quantities:
        z = _logistic(quantities["zero"])
        atom = np.zeros_like(pp)
        atom[0] = 1
        aux = {k: (1 - z) * v for k, v in aux.items()}
        aux["zero", 0] = z * (1 - z) * (atom - pp)
        pp, first, second = z * atom + (1 - z) * pp, (1 - z) * first, (1 - z) * second
    return Categories(pp, first, second, aux)


def _bins(nu: Floats) -> Categories:
    f, d, s = (np.stack(a) for a in zip(*(_probit((nu - b) / NOISE) for b in BINS), strict=True))
    return Categories(*_tails(f, d / NOISE, s / NOISE**2), {})


def _durations(kind: str, nu: Floats, quantities: dict[str, float]) -> Categories:
    cuts = np.array([0.1, 0.3, 0.6, 1.0, 1.6, 2.5])
    shape = float(np.exp(quantities.get("shape", 0.0)))
    parts: tuple[list[Floats], list[Floats], list[Floats], list[Floats]] = ([], [], [], [])
    for t in cuts.tolist():
        x = nu + shape * log(t)  # log cumulative hazard, or log odds
        f, d, s = _logit(-x) if kind == "loglogistic" else tuple(_cloglog(x))
        if kind == "loglogistic":
            upper, first, second = f, -d, s
        else:
            upper, first, second = 1 - f, -d, -s
        parts[0].append(upper)
        parts[1].append(first)
        parts[2].append(second)
        parts[3].append(first * shape * log(t))
    upper, first, second, last = (np.stack(a) for a in parts)
    p, p1, p2 = _tails(upper, first, second)
    aux: dict[tuple[str, int], Floats] = {}
    if kind != "exponential":
        aux["shape", 0] = sum((_aux_tail(last[t], t, p.shape[0]) for t in range(len(cuts))), np.zeros_like(p))
    return Categories(p, p1, p2, aux)
