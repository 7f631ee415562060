"""One row for each family of responses: how it is declared, true parameters, and how data are drawn.

Draws are numpy's, from the definition of each density, not those of the program. A new kind is a new row of `TRUTHS`:
the study of recovery, its table in the documentation and the test of gradients take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, ndtr

from semlang.estimation.kernels.families import ENTRIES

Columns = dict[str, np.ndarray]
Draw = Callable[[np.random.Generator, np.ndarray, str, str], Columns]
"""From a generator, linear predictors (n, categories), a link and a name to the columns of a response."""

BINARY = {
    "logit": expit, "probit": ndtr, "cloglog": lambda nu: -np.expm1(-np.exp(nu)),
    "loglog": lambda nu: np.exp(-np.exp(-nu)), "cauchit": lambda nu: 0.5 + np.arctan(nu) / np.pi,
}  # fmt: skip
MEANS = {"log": np.exp, "identity": lambda nu: nu, "reciprocal": lambda nu: 1.0 / nu, "sqrt": lambda nu: nu**2}


@dataclass(frozen=True)
class Truth:
    """A family of responses.

    Parameters
    ----------
    declaration : str
        After ``::``, with {link} and the {name} of the response.
    draw : callable
    intercepts : two tuples of float
        Of every linear predictor (one, or one a category but the base) in the first class, which is all there is
        without classes, and in the second.
    slope : float
        Of the covariate x, in every linear predictor.
    sd : float
        Of a factor or random intercept.
    lines : str
        Further lines for a response, with its {name}.
    others : mapping from (left side with {name}, operator, right side) to float
        Further parameters.
    thresholds : tuple of float
        Of ordered categories, which have no intercept.
    categories : tuple of str
        Of nominal responses, without the base.
    link : str
        With which data are drawn; the first of the kind.
    """

    declaration: str
    draw: Draw
    intercepts: tuple[tuple[float, ...], tuple[float, ...]]
    slope: float = 0.5
    sd: float = 0.7
    lines: str = ""
    others: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    thresholds: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    link: str = ""

    def targets(self, name: str) -> list[str]:
        """Return the left sides of the linear predictors of a response."""
        return [f"{name}@{c}" for c in self.categories] or [name]

    def declared(self, name: str, link: str = "") -> str:
        """Return the lines that declare a response."""
        lines = f"{name} :: {self.declaration}\n{self.lines}\n"
        return lines.replace("{name}", name).replace("{link}", link or self.link)

    def own(self, name: str) -> dict[tuple[str, str, str, int], float]:
        """Return the true parameters that do not depend on the latent variables."""
        found = {(lhs.replace("{name}", name), op, rhs.replace("{name}", name), 0): v
                 for (lhs, op, rhs), v in self.others.items()}  # fmt: skip
        return found | {(name, "|", f"t{s}", 0): t for s, t in enumerate(self.thresholds, 1)}


def binomial(guess: float = 0.0) -> Draw:
    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        p = guess + (1.0 - guess) * BINARY[link](nu[:, 0])
        return {name: (rng.random(len(nu)) < p).astype(float)}

    return draw


def of_mean(sample: Callable[[np.random.Generator, np.ndarray], np.ndarray], zero: float = 0.0) -> Draw:
    """Draw from a mean, and 0 with some probability."""

    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        y = sample(rng, MEANS[link](nu[:, 0]))
        return {name: np.where(rng.random(len(nu)) < zero, 0.0, y)} if zero else {name: y}

    return draw


def duration(sample: Callable[[np.random.Generator, int], np.ndarray], shape: float) -> Draw:
    """Draw log T = (e - nu) / shape, or nu + e / shape where times are accelerated; a third is censored."""

    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        e = sample(rng, len(nu))
        log_t = (e - nu[:, 0]) / shape if link == "log" else nu[:, 0] + e / shape
        end = np.exp(np.quantile(log_t, 0.8) + rng.normal(0.0, 0.3, len(nu)))
        t = np.exp(log_t)
        return {name: np.minimum(t, end), f"{name}_d": (t <= end).astype(float)}

    return draw


def ordered(thresholds: tuple[float, ...]) -> Draw:
    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        above = BINARY[link](nu - np.array(thresholds))
        return {name: (rng.random(len(nu))[:, None] < above).sum(axis=1).astype(float)}

    return draw


def adjacent(thresholds: tuple[float, ...]) -> Draw:
    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        logits = np.cumsum(nu - np.array(thresholds), axis=1)
        logits = np.concatenate([np.zeros((len(nu), 1)), logits], axis=1)
        return {name: (logits + rng.gumbel(size=logits.shape)).argmax(axis=1).astype(float)}

    return draw


def sequential(thresholds: tuple[float, ...]) -> Draw:
    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        goes_on = rng.random((len(nu), len(thresholds))) < BINARY[link](nu - np.array(thresholds))
        return {name: np.cumprod(goes_on, axis=1).sum(axis=1).astype(float)}

    return draw


def nominal(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
    logits = np.concatenate([np.zeros((len(nu), 1)), nu], axis=1)
    return {name: np.array(list("abc"))[(logits + rng.gumbel(size=logits.shape)).argmax(axis=1)]}


def censored(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
    return {name: np.clip(rng.normal(MEANS[link](nu[:, 0]), 0.8), -0.5, 1.5)}


def between(scale: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Draw:
    """Draw a normal value and say between which halves it lies, on a scale."""

    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        low = np.floor(2.0 * rng.normal(MEANS[link](nu[:, 0]), 0.8)) / 2.0
        return {f"{name}_low": scale(low), f"{name}_high": scale(low + 0.5)}

    return draw


def beta_of(precision: float) -> Draw:
    def draw(rng: np.random.Generator, nu: np.ndarray, link: str, name: str) -> Columns:
        m = BINARY[link](nu[:, 0])
        return {name: np.clip(rng.beta(m * precision, (1.0 - m) * precision), 1e-9, 1.0 - 1e-9)}

    return draw


def extreme(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.log(rng.exponential(size=n))


SIGMA = {("sigma({name})", "~1", ""): float(np.log(0.8))}
SHAPE = {("shape({name})", "~1", ""): float(np.log(2.0))}
ZERO = {("zero({name})", "~1", ""): -1.2}
FEW = float(expit(-1.2))
RISING, STEPS = (-0.8, 0.2, 1.0), (-0.8, 0.5, 0.2)
ONE = ((1.2,), (-1.4,))
POSITIVE = ((0.9,), (-0.3,))
NONE = ((0.0,), (-2.0,))

TRUTHS: dict[str, Truth] = {
    "gaussian": Truth(
        "gaussian({link})", of_mean(lambda rng, m: rng.normal(m, 0.8)), ((0.5,), (-1.2,)), link="identity",
        others={("{name}", "~~", "{name}"): 0.64},
    ),
    "censored gaussian": Truth(
        "gaussian({link}, censored=[-0.5, 1.5])", censored, ((0.7,), (-0.6,)), link="identity",
        others={("{name}", "~~", "{name}"): 0.64},
    ),
    "interval gaussian": Truth(
        "gaussian({link}, interval=[{name}_low, {name}_high])", between(), ((0.5,), (-1.2,)), link="identity",
        others={("{name}", "~~", "{name}"): 0.64},
    ),
    "interval lognormal": Truth(
        "lognormal({link}, interval=[{name}_low, {name}_high])", between(np.exp), ((0.5,), (-1.2,)), others=SIGMA,
        link="identity",
    ),
    "lognormal": Truth(
        "lognormal({link})", lambda rng, nu, link, name: {name: np.exp(rng.normal(nu[:, 0], 0.8))}, ((0.5,), (-1.2,)),
        others=SIGMA, link="identity",
    ),
    "gamma": Truth(
        "gamma({link})", of_mean(lambda rng, m: rng.gamma(2.0, m / 2.0)), POSITIVE, 0.3, 0.5, others=SHAPE, link="log"
    ),
    "beta": Truth(
        "beta({link})", beta_of(8.0), ((0.8,), (-0.8,)), 0.4, 0.6, link="logit",
        others={("shape({name})", "~1", ""): float(np.log(8.0))},
    ),
    "binomial": Truth("binomial({link})", binomial(), ONE, link="logit", sd=1.0),
    "guessed binomial": Truth("binomial({link}, guess=0.2)", binomial(0.2), ((1.6,), (-1.2,)), 0.8, 1.2, link="logit"),
    "poisson": Truth("poisson({link})", of_mean(lambda rng, m: rng.poisson(m) * 1.0), POSITIVE, 0.3, 0.5, link="log"),
    "inflated poisson": Truth(
        "poisson({link})", of_mean(lambda rng, m: rng.poisson(m) * 1.0, FEW), ((1.2,), (0.0,)), 0.3, 0.5,
        "zero({name}) ~ 1", ZERO, link="log",
    ),
    "negbinomial": Truth(
        "negbinomial({link})", of_mean(lambda rng, m: rng.poisson(rng.gamma(2.0, m / 2.0)) * 1.0), POSITIVE, 0.3, 0.5,
        others=SHAPE, link="log",
    ),
    "inflated negbinomial": Truth(
        "negbinomial({link})", of_mean(lambda rng, m: rng.poisson(rng.gamma(4.0, m / 4.0)) * 1.0, FEW),
        ((1.8,), (0.6,)), 0.3, 0.5, "zero({name}) ~ 1", ZERO | {("shape({name})", "~1", ""): float(np.log(4.0))},
        link="log",
    ),
    "exponential": Truth("exponential({link}, event={name}_d)", duration(extreme, 1.0), ONE, link="log"),
    "weibull": Truth("weibull({link}, event={name}_d)", duration(extreme, 2.0), ONE, others=SHAPE, link="log"),
    "loglogistic": Truth(
        "loglogistic({link}, event={name}_d)", duration(lambda rng, n: rng.logistic(size=n), 2.0), ONE, others=SHAPE,
        link="log",
    ),
    "ordinal": Truth("ordinal({link})", ordered(RISING), NONE, thresholds=RISING, link="logit", sd=1.0),
    "adjacent": Truth("adjacent({link})", adjacent(STEPS), NONE, thresholds=STEPS, link="logit"),
    "sequential": Truth("sequential({link})", sequential(STEPS), NONE, thresholds=STEPS, link="logit"),
    "multinomial": Truth(
        "multinomial({link})", nominal, ((0.3, -0.4), (-1.2, 1.2)), categories=("b", "c"), link="logit", sd=1.0
    ),
}  # fmt: skip
"""By the name of the family in the kernels' table (`semlang.estimation.kernels.families`)."""

LEFT = {
    "choice": "sets of rows: tests/estimation/test_choices.py",
    "ranking": "sets of rows: tests/estimation/test_choices.py",
    **dict.fromkeys(
        ("composite gaussian", "composite binomial", "composite poisson", "composite term"),
        "sets of rows: tests/estimation/test_composite_links.py",
    ),
}  # fmt: skip
"""Families of that table without a row, and why."""


def studied() -> list[str]:
    """Return the families with a row that the kernels have."""
    families = {e.family for e in ENTRIES}
    return [family for family in TRUTHS if family in families]
