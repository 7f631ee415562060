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


def test_power_of_a_mediated_effect() -> None:
    """P(|a b| > 1.96 sqrt(a^2 / n + b^2 / n)) of two independent normal estimates, integrated over a grid."""
    n, effect, replications = 200, 0.25, 400
    model = sl.Model("m ~ a*x\ny ~ b*m + c*x\nm ~~ s*m\ny ~~ t*y\nab := a*b")
    values = {"a": effect, "b": effect, "c": 0.0, "s": 1.0, "t": 1.0}
    found = model.power(values, n=n, replications=replications, seed=11, processes=1).set_index("name")
    z = np.linspace(-6.0, 6.0, 1201)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    a, b = effect + z[:, None] / np.sqrt(n), effect + z / np.sqrt(n)
    rejects = np.abs(a * b) > stats.norm.ppf(0.975) * np.sqrt((a**2 + b**2) / n)
    expected = float(weight @ rejects @ weight)
    error = np.sqrt(expected * (1 - expected) / replications)
    assert 0.5 < expected < 0.95
    assert found.loc["ab", "power"] == pytest.approx(expected, abs=4 * error)
    assert found.loc["ab", "coverage"] > 0.9
