"""Start values of one response by itself: its linear predictor and the parameters of its distribution, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from semlang.data.design import Summary
from semlang.model.kinds import COMPOSITES
from semlang.model.table import Variable

__all__ = ["Margin", "Observed", "margin", "quantile"]

Floats = NDArray[np.float64]

GUESS, ZERO = 0.15, 0.2
"""Probabilities of guessing or slipping, and share of the zeros that no count explains, at the start."""


@dataclass(frozen=True)
class Observed:
    """Values of a response that are there, with what belongs to them, None where nothing does; `summary` unweighted."""

    values: Floats
    weight: Floats | None = None
    trials: Floats | None = None
    exposure: Floats | None = None
    event: Floats | None = None
    weights_of_terms: Floats | None = None
    summary: Summary | None = None

    def mean(self, values: Floats) -> float:
        """Return the mean, weighted where the weights are not all zero."""
        if self.weight is None or not self.weight.sum() > 0:
            return float(values.sum()) / values.size
        return float(self.weight @ values) / float(self.weight.sum())


@dataclass(frozen=True)
class Margin:
    """Start values: of nu, of a residual variance, and of distribution parameters on the scale they are modelled on."""

    nu: float
    variance: float = 1.0
    quantities: Mapping[str, float] = field(default_factory=dict)


def margin(variable: Variable, observed: Observed) -> Margin:
    """Return start values of a response from its moments."""
    special = _SPECIAL.get(variable.kind.name)
    if special is not None:
        return special(variable, observed)
    if observed.summary is not None:
        mean, variance = observed.summary.mean, observed.summary.variance or 1.0
    else:
        mean = observed.mean(observed.values)
        variance = observed.mean((observed.values - observed.values.mean()) ** 2) or 1.0
    return Margin(_link(variable.link, mean), variance, {"sigma": 0.5 * float(np.log(variance))})


def _composite(variable: Variable, o: Observed) -> Margin:
    """All terms at one mean: that of the responses over that of the sums of weights."""
    weights = 1.0 if o.weights_of_terms is None else max(o.mean(o.weights_of_terms), 1e-8)
    mean = o.mean(o.values) / weights
    variance = o.mean((o.values - o.mean(o.values)) ** 2) or 1.0
    if variable.kind.name == "composite binomial":
        trials = 1.0 if o.trials is None else max(o.mean(o.trials), 1.0)
        return Margin(-quantile(variable.link, 1.0 - min(max(mean / trials, 1e-3), 1 - 1e-3)))
    if o.exposure is not None:
        mean /= max(o.mean(o.exposure), 1e-8)
    return Margin(_link(variable.link, mean), variance, {"sigma": 0.5 * float(np.log(variance))})


def _binomial(variable: Variable, o: Observed) -> Margin:
    mean = o.mean(o.values)
    if o.trials is not None:
        mean = float(o.values.sum() / max(np.nansum(o.trials), 1.0))
    p = min(max(mean, 1e-3), 1 - 1e-3)
    guess = float(np.log(GUESS / (1.0 - GUESS)))
    return Margin(-quantile(variable.link, 1.0 - p), quantities={"guess": guess, "slip": guess})


def _count(variable: Variable, o: Observed) -> Margin:
    mean = o.mean(o.values)
    variance = o.mean((o.values - mean) ** 2)
    shape = mean**2 / max(variance - mean, 0.1 * mean) if mean > 0 else 1.0
    rate = mean if o.exposure is None else float(o.values.sum() / max(np.nansum(o.exposure), 1e-8))
    zeros = min(max(ZERO * o.mean(1.0 * (o.values == 0)), 1e-2), 0.9)
    quantities = {"shape": float(np.log(max(shape, 1e-2))), "zero": float(np.log(zeros / (1.0 - zeros)))}
    return Margin(_link(variable.link, rate), variance or 1.0, quantities)


def _gamma(variable: Variable, o: Observed) -> Margin:
    mean = o.mean(o.values)
    variance = o.mean((o.values - mean) ** 2) or mean**2
    return Margin(_link(variable.link, mean), variance, {"shape": float(np.log(mean**2 / variance))})


def _beta(variable: Variable, o: Observed) -> Margin:
    mean = o.mean(o.values)
    variance = o.mean((o.values - mean) ** 2) or 1e-3 * mean * (1.0 - mean)
    shape = float(np.log(max(mean * (1.0 - mean) / variance - 1.0, 0.1)))
    return Margin(-quantile(variable.link, 1.0 - mean), variance, {"shape": shape})


def _lognormal(variable: Variable, o: Observed) -> Margin:
    logs = np.log(o.values)
    mean = o.mean(logs)
    variance = o.mean((logs - mean) ** 2) or 1.0
    return Margin(mean, variance, {"sigma": 0.5 * float(np.log(variance))})


def _duration(variable: Variable, o: Observed) -> Margin:
    """Constant hazard: events over time at risk; the times in the unit of their median."""
    events = 1.0 if o.event is None else max(o.mean(o.event), 1e-3)
    rate = float(np.log(events / o.mean(o.values)))
    return Margin(-rate if variable.link == "aft" else rate, quantities={"shape": 0.0})


_SPECIAL: Mapping[str, Callable[[Variable, Observed], Margin]] = {
    "binomial": _binomial,
    "poisson": _count,
    "negbinomial": _count,
    "gamma": _gamma,
    "beta": _beta,
    **dict.fromkeys((kind.name for kind in COMPOSITES.values()), _composite),
    "lognormal": _lognormal,
    "exponential": _duration,
    "weibull": _duration,
    "loglogistic": _duration,
}


def _link(link: str, mean: float) -> float:
    match link:
        case "log":
            return float(np.log(mean)) if mean > 0 else float(np.log(1e-3))
        case "sqrt":
            return float(np.sqrt(max(mean, 1e-3)))
        case "reciprocal":
            return 1.0 / mean if mean else 1.0
    return mean


def quantile(link: str, p: float) -> float:
    """Return tau with 1 - F(-tau) = p for the link's distribution: P(y <= s) = 1 - F(nu - tau_s) at nu = 0."""
    p = min(max(p, 1e-4), 1 - 1e-4)
    match link:
        case "probit":
            return float(ndtri(p))
        case "cloglog":  # F(x) = 1 - exp(-exp(x)), so p = exp(-exp(-tau))
            return float(-np.log(-np.log(p)))
        case "loglog":  # F(x) = exp(-exp(-x)), so 1 - p = exp(-exp(tau))
            return float(np.log(-np.log1p(-p)))
        case "cauchit":
            return float(np.tan(np.pi * (p - 0.5)))
    return float(np.log(p / (1.0 - p)))
