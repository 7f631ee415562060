"""Tests of fit have uniform p values under the model (slow), and the power of a mediated effect is the analytic one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

import semlang as sl

ITEMS = [f"y{k}" for k in range(1, 7)]
SLOPES = np.array([1.2, 0.8, 1.5, 1.0, 1.3, 0.9])
INTERCEPTS = np.array([-1.0, -0.5, 0.0, 0.4, 0.8, 0.2])
TWO = "options: std.lv = true\ny{1..6} :: binomial(logit)\nf =~ y{1..6}"
RASCH = "y{1..6} :: binomial(logit)\nf =~ 1*y{1..6}"
SETS = 500


def answers(rng: np.random.Generator, ability: np.ndarray, slopes: np.ndarray) -> pd.DataFrame:
    p = expit(slopes * ability[:, None] + INTERCEPTS)
    return pd.DataFrame((rng.random(p.shape) < p).astype(int), columns=ITEMS)


@pytest.mark.slow
def test_p_values_are_uniform_under_the_model() -> None:
    p: dict[str, list[float]] = {"M2": [], "S-X2": [], "score": []}
    two, rasch = sl.Model(TWO), sl.Model(RASCH)
    for seed in range(SETS):
        rng = np.random.default_rng(seed)
        ability = rng.normal(size=600)
        fit = two.fit(answers(rng, ability, SLOPES), threads=1)
        p["M2"].append(fit.m2()["p"].item())
        p["S-X2"].append(fit.item_fit().set_index("item").loc["y3", "p"])
        equal = rasch.fit(answers(rng, ability, np.ones(6)), threads=1)
        p["score"].append(equal.score_test("f =~ y2")["p"].item())
    for name, values in p.items():
        # one of a thousand right tests is below
        assert stats.kstest(values, "uniform").pvalue > 0.001, name


def mediated_by_least_squares(n: int, effect: float, sets: int) -> float:
    """Return the share of data sets in which least squares and the delta method find the mediated effect.

    The standard errors are those of maximum likelihood: residual sums of squares over n.
    """
    rng = np.random.default_rng(20)
    x = rng.normal(size=(sets, n))
    m = effect * x + rng.normal(size=(sets, n))
    y = effect * m + rng.normal(size=(sets, n))
    x, m, y = (v - v.mean(axis=1, keepdims=True) for v in (x, m, y))
    xx, xm, mm, my, xy = ((a * b).sum(axis=1) for a, b in ((x, x), (x, m), (m, m), (m, y), (x, y)))
    a, determinant = xm / xx, mm * xx - xm**2
    b, c = (my * xx - xy * xm) / determinant, (xy * mm - my * xm) / determinant
    of_m = ((m - a[:, None] * x) ** 2).mean(axis=1)
    of_y = ((y - b[:, None] * m - c[:, None] * x) ** 2).mean(axis=1)
    se = np.sqrt(b**2 * of_m / xx + a**2 * of_y * xx / determinant)
    return float((np.abs(a * b) > stats.norm.ppf(0.975) * se).mean())


def test_power_of_a_mediated_effect() -> None:
    """As least squares finds on data of its own; the normal approximation to two known variances is a little higher."""
    n, effect, replications = 200, 0.25, 400
    model = sl.Model("m ~ a*x\ny ~ b*m + c*x\nm ~~ s*m\ny ~~ t*y\nab := a*b")
    values = {"a": effect, "b": effect, "c": 0.0, "s": 1.0, "t": 1.0}
    found = model.power(values, n=n, replications=replications, seed=11, processes=1).set_index("name")
    expected = mediated_by_least_squares(n, effect, 20_000)
    error = np.sqrt(expected * (1 - expected) * (1 / replications + 1 / 20_000))
    # one of ten thousand right programs is outside
    assert found.loc["ab", "power"] == pytest.approx(expected, abs=4 * error)
    assert found.loc["ab", "coverage"] > 0.9
    z = np.linspace(-6.0, 6.0, 1201)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    a, b = effect + z[:, None] / np.sqrt(n), effect + z / np.sqrt(n)
    approximate = float(weight @ (np.abs(a * b) > stats.norm.ppf(0.975) * np.sqrt((a**2 + b**2) / n)) @ weight)
    assert 0.0 < approximate - expected < 0.02
