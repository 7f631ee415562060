"""Tests of means, variances, probabilities and draws of every family of the kernels, against scipy's laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from semlang.api import Model
from semlang.estimation.distributions import drawn, expected, has_distribution, transform, variance
from semlang.estimation.kernels.families import ENTRIES, Entry
from semlang.model.kinds import KINDS
from semlang.model.table import Variable

CDF = {
    "logit": stats.logistic.cdf,
    "probit": stats.norm.cdf,
    "cloglog": lambda x: -np.expm1(-np.exp(x)),
    "cauchit": stats.cauchy.cdf,
    "loglog": lambda x: np.exp(-np.exp(-x)),
}
MEAN = {"identity": lambda x: x, "log": np.exp, "reciprocal": lambda x: 1 / x, "sqrt": lambda x: x**2}
QUANTITIES = {"sigma": 0.6, "shape": 2.7, "guess": 0.2, "slip": 0.1, "zero": 0.25}
LOW, HIGH = 0.2, 3.0
CUTS = np.array([-0.8, 0.1, 1.1])
NU = (0.4, 1.3)

ALONE = [e for e in ENTRIES if e.density]
NUMBERS = [e for e in ALONE if e.f2 not in ("lower",) and e.f1 != "continues"]
STEPS = [e for e in ALONE if e not in NUMBERS]


def variable(entry: Entry) -> Variable:
    *words, kind = entry.family.split()
    arguments: dict[str, Any] = {"censored": (LOW, HIGH), "interval": (LOW, HIGH)}
    arguments = {word: arguments[word] for word in words if word in arguments}
    return Variable("y", "y", "rows", "response", KINDS[kind], entry.link, arguments)


def quantities(entry: Entry) -> dict[str, float]:
    return {q: QUANTITIES[q] for q in (entry.f1, entry.f2) if q in QUANTITIES}


def law(entry: Entry, nu: float) -> Any:
    """Return scipy's distribution of a response."""
    family, link, a = entry.family.removeprefix("interval "), entry.link, QUANTITIES["shape"]
    match family:
        case "binomial":
            return stats.bernoulli(CDF[link](nu))
        case "guessed binomial":
            return stats.bernoulli(0.2 + 0.7 * CDF[link](nu))
        case "poisson":
            return stats.poisson(MEAN[link](nu))
        case "negbinomial":
            return stats.nbinom(a, a / (a + MEAN[link](nu)))
        case "gaussian":
            return stats.norm(MEAN[link](nu), QUANTITIES["sigma"])
        case "lognormal":
            return stats.lognorm(QUANTITIES["sigma"], scale=np.exp(nu))
        case "beta":
            return stats.beta(a * CDF[link](nu), a * (1 - CDF[link](nu)))
        case "gamma":
            return stats.gamma(a, scale=MEAN[link](nu) / a)
        case "exponential":
            return stats.expon(scale=np.exp(nu if link == "aft" else -nu))
    scale = np.exp(nu if link == "aft" else -nu / a)
    return (stats.fisk if family == "loglogistic" else stats.weibull_min)(a, scale=scale)


def moments(entry: Entry, nu: float) -> tuple[float, float]:
    """Return mean and variance by summation or integration."""
    if entry.family.startswith("inflated"):
        plain = law(entry._replace(family=entry.family.split()[1]), nu)
        y = np.arange(400)
        p = 0.75 * plain.pmf(y) + 0.25 * (y == 0)
    elif entry.family == "censored gaussian":
        plain = stats.norm(MEAN[entry.link](nu), QUANTITIES["sigma"])
        ends = np.array(
            [LOW * plain.cdf(LOW) + HIGH * plain.sf(HIGH), LOW**2 * plain.cdf(LOW) + HIGH**2 * plain.sf(HIGH)]
        )
        inner = [integrate.quad(lambda t, r=r: t**r * plain.pdf(t), LOW, HIGH)[0] for r in (1, 2)]
        first, second = ends + inner
        return first, second - first**2
    elif hasattr(law(entry, nu).dist, "pmf"):
        y = np.arange(400)
        p = law(entry, nu).pmf(y)
    elif entry.family == "beta":
        return law(entry, nu).stats("mv")
    else:
        f = law(entry, nu)
        low, high = f.support()
        points = f.ppf([1e-12, 0.5, 1 - 1e-6])
        first, second = (
            sum(integrate.quad(lambda t, r=r: t**r * f.pdf(t), a, b, limit=400)[0]
                for a, b in zip([low, *points], [*points, high], strict=True))
            for r in (1, 2)
        )  # fmt: skip
        return first, second - first**2
    return p @ y, p @ y**2 - (p @ y) ** 2


@pytest.mark.parametrize("entry", ALONE, ids=lambda e: f"{e.family}-{e.link}")
def test_every_family_has_a_distribution(entry: Entry) -> None:
    assert has_distribution(variable(entry))


@pytest.mark.parametrize("entry", NUMBERS, ids=lambda e: f"{e.family}-{e.link}")
def test_moments_and_draws(entry: Entry) -> None:
    """Moments against integration; 4,000 draws against the distribution function, or both moments, at 1e-4."""
    v, q, rng = variable(entry), quantities(entry), np.random.default_rng(7)
    for nu in NU:
        mean, var = moments(entry, nu)
        at = np.array([nu])
        assert expected(v, at, q)[0] == pytest.approx([mean], rel=1e-6)
        assert variance(v, at, q) == pytest.approx([var], rel=1e-5)
        y = drawn(v, np.full(4000, nu), q, None, rng)
        assert y.mean() == pytest.approx(mean, abs=4 * np.sqrt(var / 4000))
        rounded = entry.family == "beta"  # many a draw is the number next to 1, so there are ties
        if len(entry.family.split()) == 1 and not rounded and not hasattr(law(entry, nu).dist, "pmf"):
            assert stats.kstest(y, law(entry, nu).cdf).pvalue > 1e-4
        else:
            spread = np.sqrt(((y - mean) ** 2).var() / 4000)
            assert ((y - mean) ** 2).mean() == pytest.approx(var, abs=4 * spread)


@pytest.mark.parametrize("entry", STEPS, ids=lambda e: f"{e.family}-{e.link}")
def test_categories(entry: Entry) -> None:
    """Of an ordinal response a latent one cut at the thresholds; of a sequential one a walk through the steps."""
    v, rng, n = variable(entry), np.random.default_rng(3), 6000
    for nu in NU:
        above = CDF[entry.link](nu - CUTS)
        if entry.family == "sequential":
            above = np.cumprod(above)
        p = -np.diff([1.0, *above, 0.0])
        found = np.stack(expected(v, np.array([nu]), {}, CUTS[:, None]))[:, 0]
        assert found == pytest.approx(p, abs=1e-12)
        y = drawn(v, np.full(n, nu), {}, np.repeat(CUTS[:, None], n, axis=1), rng)
        assert stats.chisquare(np.bincount(y.astype(int), minlength=4), n * p).pvalue > 1e-4


def test_a_scale_of_an_ordinal_response_divides_all() -> None:
    v = variable(next(e for e in STEPS if e.link == "probit"))
    p = np.stack(expected(v, np.array([0.4]), {"sigma": 2.0}, CUTS[:, None]))[:, 0]
    assert p == pytest.approx(-np.diff([1.0, *stats.norm.cdf((0.4 - CUTS) / 2), 0.0]))


def test_durations_without_a_mean_and_with_times_of_entry() -> None:
    rng = np.random.default_rng(2)
    for family, f in (("weibull", stats.weibull_min(0.8)), ("loglogistic", stats.fisk(0.8))):
        v = variable(Entry(family, "aft", "shape", "event", ""))
        q = {"shape": 0.8}
        assert (expected(v, np.zeros(1), q)[0][0] == np.inf) == (family == "loglogistic")
        entry = rng.random(4000)
        y = drawn(v, np.zeros(4000), q | {"entry": entry}, None, rng)
        assert (y > entry).all()
        assert stats.kstest(f.sf(y) / f.sf(entry), "uniform").pvalue > 1e-4


def test_missing_predictors_and_impossible_means() -> None:
    v, rng = variable(Entry("gamma", "identity", "shape", "", "")), np.random.default_rng(2)
    y = drawn(v, np.array([1.0, np.nan, 2.0]), {"shape": 2.0}, None, rng)
    assert np.isnan(y).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="scale"):
        drawn(v, np.array([1.0, -1.0]), {"shape": 2.0}, None, rng)
    assert transform("shape", np.zeros(1)) == [1.0]
    assert transform("zero", np.zeros(1)) == [0.5]


def test_numpy_does_not_speak_to_users() -> None:
    """Counts near 2e5: steps leave the domain of the gamma functions, and are taken back (warnings are errors here)."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=300)
    data = pd.DataFrame(
        {"x": x, "big": rng.poisson(np.exp(12.0 + 0.3 * x)), "small": rng.poisson(np.exp(0.5 + 0.3 * x))}
    )
    for name in ("big", "small"):
        fit = Model(f"{name} :: negbinomial(log)\n{name} ~ 1 + x").fit(data)
        poisson = Model(f"{name} :: poisson(log)\n{name} ~ 1 + x").fit(data)
        assert fit.converged
        assert fit.loglik > poisson.loglik - 1e-3
