"""What is timed beside peers: models, data, and the seconds that each must take and aims at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["WORKS", "Work"]


@dataclass(frozen=True)
class Work:
    """A model and its data.

    Parameters
    ----------
    title : str
    text : str
    simulate : callable
        Takes nothing, returns the data.
    file : str
        Name of the data in a given folder, whose columns become y1, y2, ... if `prefix` is given.
    options : dict
        Of the fit.
    peer : str
        ``R`` and ``Python``: a package that runs here if it is installed; else the name of a program that can not be.
    stated : float
        Seconds that the peer took where lmer took `LMER`, if it does not run.
    must, aim : float
        How many times as fast as the peer; of a work without a peer, seconds.
    """

    title: str
    text: str
    simulate: Callable[[], pd.DataFrame]
    file: str = ""
    prefix: str = ""
    options: dict[str, object] = field(default_factory=dict)
    peer: str = ""
    stated: float = 0.0
    must: float = 0.0
    aim: float = 0.0


def _binary(rng: np.random.Generator, nu: np.ndarray) -> np.ndarray:
    return (nu + rng.logistic(size=nu.shape) > 0).astype(int)


def _frame(y: np.ndarray, prefix: str = "y") -> pd.DataFrame:
    return pd.DataFrame(y, columns=[f"{prefix}{j + 1}" for j in range(y.shape[1])])


def item_response() -> pd.DataFrame:
    """10,000 persons, 50 binary items."""
    rng = np.random.default_rng(101)
    nu = rng.normal(size=(10_000, 1)) * rng.lognormal(0, 0.3, 50) + rng.normal(size=50)
    return _frame(_binary(rng, nu))


def bifactor() -> pd.DataFrame:
    """5,000 persons, 40 binary items, one general and four specific factors."""
    rng = np.random.default_rng(102)
    s = np.repeat(rng.normal(size=(5000, 4)), 10, axis=1) * rng.lognormal(-0.3, 0.3, 40)
    nu = rng.normal(size=(5000, 1)) * rng.lognormal(0, 0.3, 40) + s + rng.normal(size=40)
    return _frame(_binary(rng, nu))


def graded() -> pd.DataFrame:
    """5,000 persons, 20 items of five categories."""
    rng = np.random.default_rng(103)
    nu = rng.normal(size=(5000, 1)) * rng.lognormal(0.2, 0.3, 20) + rng.logistic(size=(5000, 20))
    cuts = np.sort(rng.normal(0, 1.5, (20, 4)), axis=1)
    return _frame((nu[:, :, None] > cuts).sum(axis=2))


def ordinal() -> pd.DataFrame:
    """3,000 clusters of ten rows, four categories."""
    rng = np.random.default_rng(111)
    ids, x = np.repeat(np.arange(3000), 10), rng.normal(size=30_000)
    nu = 0.7 * x + rng.normal(size=3000)[ids] + rng.logistic(size=ids.size)
    return pd.DataFrame({"id": ids, "x": x, "y": np.searchsorted([-1.5, 0.0, 1.5], nu)})


def classes() -> pd.DataFrame:
    """50,000 persons, ten binary items, four classes."""
    rng = np.random.default_rng(108)
    p = rng.uniform(0.1, 0.9, (4, 10))[rng.choice(4, 50_000, p=[0.4, 0.3, 0.2, 0.1])]
    return _frame((rng.random(p.shape) < p).astype(int))


def logit_slope(clusters: int = 5000) -> pd.DataFrame:
    """Clusters of 20."""
    rng = np.random.default_rng(2)
    ids = np.repeat(np.arange(clusters), 20)
    x1, x2, x3 = rng.normal(size=ids.size), rng.normal(size=clusters)[ids], rng.integers(0, 2, ids.size)
    u = rng.normal(size=(clusters, 2)) @ np.array([[1.0, 0.3], [0.0, 0.6]])
    nu = -0.5 + 0.8 * x1 + 0.4 * x2 - 0.3 * x3 + u[ids, 0] + u[ids, 1] * x1
    return pd.DataFrame({"id": ids, "x1": x1, "x2": x2, "x3": x3, "y": _binary(rng, nu)})


def logit_slope_small() -> pd.DataFrame:
    """500 clusters of 20, one covariate."""
    return logit_slope(500).rename(columns={"x1": "x"})


def logit_three_levels() -> pd.DataFrame:
    """500 clusters of 10 clusters of 20."""
    rng = np.random.default_rng(3)
    ids = np.repeat(np.arange(5000), 20)
    x1, x2 = rng.normal(size=ids.size), rng.normal(size=5000)[ids]
    nu = -0.5 + 0.8 * x1 + 0.4 * x2 + rng.normal(size=5000)[ids] + 0.7 * rng.normal(size=500)[ids // 10]
    return pd.DataFrame({"top": ids // 10, "id": ids, "x1": x1, "x2": x2, "y": _binary(rng, nu)})


def linear_slope() -> pd.DataFrame:
    """5,000 clusters of 20."""
    rng = np.random.default_rng(4)
    ids, t = np.repeat(np.arange(5000), 20), np.tile(np.arange(20) / 10, 5000)
    u = rng.normal(size=(5000, 2)) * [1, 0.5]
    return pd.DataFrame({"id": ids, "t": t, "y": 1 + 0.5 * t + u[ids, 0] + u[ids, 1] * t + rng.normal(size=t.size)})


def factors(missing: float = 0.0) -> pd.DataFrame:
    """5,000 rows, ten correlated factors with five items each."""
    rng = np.random.default_rng(5)
    eta = rng.normal(size=(5000, 10)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(10)).T
    y = np.repeat(eta, 5, axis=1) * rng.uniform(0.5, 1, 50) + 0.7 * rng.normal(size=(5000, 50))
    y[rng.random(y.shape) < missing] = np.nan
    return _frame(y)


CUTS = np.array([-1.5, -0.3, 0.8, 2.0]) + 0.2 * np.arange(5)[:, None]


def _five_items(rng: np.random.Generator, f: np.ndarray) -> np.ndarray:
    """Five ordinal items of five categories for each factor (n, T): (n, 5 T)."""
    nu = f[:, :, None] * np.array([1, 1.3, 0.8, 1.6, 1.1]) + rng.logistic(size=(*f.shape, 5))
    return (nu[:, :, :, None] > CUTS).sum(axis=3).reshape(len(f), -1)


def growth() -> pd.DataFrame:
    """1,000 persons, four waves of five ordinal items."""
    rng = np.random.default_rng(1)
    i = rng.normal(size=(1000, 1))
    s = 0.3 + 0.4 * (0.3 * i + np.sqrt(0.91) * rng.normal(size=(1000, 1)))
    y = _five_items(rng, i + s * np.arange(4) + 0.6 * rng.normal(size=(1000, 4)))
    return pd.DataFrame(y, columns=[f"y{t}{j}" for t in range(1, 5) for j in range(1, 6)])


def five_factors() -> pd.DataFrame:
    """500 persons, five correlated factors by five ordinal items."""
    rng = np.random.default_rng(2)
    y = _five_items(rng, rng.normal(size=(500, 5)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(5)).T)
    return pd.DataFrame(y, columns=[f"y{t}{j}" for t in range(1, 6) for j in range(1, 6)])


GROWTH = "\n".join(
    [f"y{t}{{1..5}} :: ordinal(logit)" for t in range(1, 5)]
    + [f"f{t} =~ 1*y{t}1 + " + " + ".join(f"l{j}*y{t}{j}" for j in range(2, 6)) for t in range(1, 5)]
    + [f"y{t}{j} | " + " + ".join(f"k{j}{c}*t{c}" for c in range(1, 5)) for t in range(1, 5) for j in range(1, 6)]
    + ["i =~ 1*f1 + 1*f2 + 1*f3 + 1*f4", "s =~ 0*f1 + 1*f2 + 2*f3 + 3*f4", "i ~ 0*1", "s ~ 1"]
)
FIVE = "options: std.lv = true\n" + "\n".join(
    f"y{t}{{1..5}} :: ordinal(logit)\nf{t} =~ y{t}{{1..5}}" for t in range(1, 6)
)
LOGISTIC = "options: std.lv = true\ny{1..50} :: binomial(logit)\nf =~ y{1..50}"
BIFACTOR = "options: std.lv = true, auto.cov.lv.x = false\ny{1..40} :: binomial(logit)\ng =~ y{1..40}\n" + "\n".join(
    f"s{k} =~ y{{{10 * k - 9}..{10 * k}}}" for k in range(1, 5)
)
GRADED = "options: std.lv = true\ny{1..20} :: ordinal(logit)\nf =~ y{1..20}"
FACTORS = "\n".join(f"f{k + 1} =~ " + " + ".join(f"y{k * 5 + j}" for j in range(1, 6)) for k in range(10))
SLOPE = "y :: binomial(logit)\ny ~ x1 + x2 + x3 + (1 + x1 | id)"
THREE = "cluster: top/id\ny :: binomial(logit)\ny ~ x1 + x2 + (1 | top/id)"
CLASSES = "y{1..10} :: binomial(logit)\nc :: class(4)\nc =~ y{1..10}"
NONE = {"se": "none"}

WORKS: dict[str, Work] = {
    "irt": Work("2PL, 10,000 x 50", LOGISTIC, item_response, "irt2pl_10000x50", "y", NONE, "mirt", 1.58, 8, 20),
    "irt_se": Work("the same, with standard errors", LOGISTIC, item_response, "irt2pl_10000x50", "y", {}, "mirt", 12.59,
                   15, 40),
    "irt_python": Work("the same, Python, without", LOGISTIC, item_response, "irt2pl_10000x50", "y", NONE, "Python"),
    "irt_se_python": Work("and with", LOGISTIC, item_response, "irt2pl_10000x50", "y", {}, "Python"),
    "bifactor": Work("bifactor, 5,000 x 40", BIFACTOR, bifactor, "bifactor_5000x40", "y", NONE, "mirt", 18.85, 50, 100),
    "graded": Work("graded responses, 5,000 x 20 x 5", GRADED, graded, "grm_5000x20x5", "y", NONE, "mirt", 0.61, 4, 8),
    "ordinal": Work("ordinal, 3,000 x 10, 10 points", "y :: ordinal(logit)\ny ~ x + (1 | id)", ordinal, "ord_30000", "",
                    {"points": 10}, "R", 260.63, 200, 0),
    "classes": Work("four classes, 50,000 x 10, one start", CLASSES, classes, "lca_50000x10", "y", NONE | {"starts": 1},
                    "Python", 0, 20, 100),
    "five": Work("five correlated factors x 5 ordinal items, 500", FIVE, five_factors, must=10, aim=2),
    "growth": Work("growth of factors, 4 waves x 5 ordinal items, 1,000", GROWTH, growth, must=10, aim=2),
    "slope": Work("logit with slope, 100,000 rows, Laplace", SLOPE, logit_slope, "logit_rs_100000", "",
                  {"points": 1, "se": "none"}, "R", 0, 80, 200),
    "slope_tmb": Work("the same", SLOPE, logit_slope, "logit_rs_100000", "", {"points": 1, "se": "none"}, "R", 20.17,
                      150, 350),
    "slope_python": Work("the same", SLOPE, logit_slope, "logit_rs_100000", "", {"points": 1, "se": "none"}, "Python"),
    "slope7": Work("the same, 7 x 7 points", SLOPE, logit_slope, "logit_rs_100000", "", {"points": 7}, "R"),
    "slope7_small": Work("logit with slope, 10,000 rows, 7 x 7 points", "y :: binomial(logit)\ny ~ x + (1 + x | id)",
                         logit_slope_small, "logit_rs_10000", "", {"points": 7}, "GLMMadaptive", 14.56, 300, 600),
    "three": Work("three levels, 100,000 rows, 7 x 7 points", THREE, logit_three_levels, "logit3_100000", "",
                  {"points": 7}, "R", 0, 30, 50),
    "linear": Work("linear with slope, 100,000 rows", "y ~ t + (1 + t | id)", linear_slope, "lmm_100000", "", {}, "R",
                   0, 20, 40),
    "factors": Work("ten factors x 5, 5,000 rows, with standard errors", FACTORS, factors, "cfa_5000x50", "", {}, "R",
                    0, 20, 60),
    "factors_semopy": Work("the same, without standard errors", FACTORS, factors, "cfa_5000x50", "", NONE, "Python",
                           0.19, 3, 8),
    "missing": Work("the same, 5 % missing", FACTORS, lambda: factors(0.05), "cfa_5000x50_miss", must=2, aim=0.5),
    "missing20": Work("the same, 20 % missing", FACTORS, lambda: factors(0.2), "cfa_5000x50_miss20", must=2, aim=0.5),
}  # fmt: skip
