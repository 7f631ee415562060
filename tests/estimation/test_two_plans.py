"""Random models by two numbers of points agree, or one of the fits says that they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

KINDS = ("b :: binomial(logit)", "b :: binomial(probit)", "p :: poisson(log)", "o :: ordinal(logit)")
TERMS = ("x + (1 | g)", "x + (1 + x | g)", "x + (1 + x || g)")
AGREE = 0.01
"""Log-likelihoods agree within what `points-not-settled` is said beyond."""


def check(seed: int) -> bool:
    """Fit with the points that the program chooses and with 15; return whether one fit says that it is unsure."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(30), rng.integers(2, 9))
    x = rng.normal(size=g.size)
    u = rng.normal(size=(30, 2)) * rng.uniform(0.2, 3.0, 2)
    nu = 0.3 + 0.5 * x + u[g, 0] + u[g, 1] * x
    data = pd.DataFrame({"g": g, "x": x})
    data["b"] = (rng.random(g.size) < 1.0 / (1.0 + np.exp(-nu))).astype(float)
    data["p"] = rng.poisson(np.exp(np.clip(nu, -3.0, 3.0))).astype(float)
    data["o"] = np.digitize(nu + rng.logistic(size=g.size), [-1.0, 0.3, 1.5]).astype(float)
    kind = KINDS[rng.integers(len(KINDS))]
    text = f"{kind}\n{kind[0]} ~ {'' if kind[0] == 'o' else '1 + '}{TERMS[rng.integers(len(TERMS))]}"
    one, other = sl.Model(text).fit(data), sl.Model(text).fit(data, points=15)
    unsure = any(d.slug in ("points-not-settled", "not-converged") for f in (one, other) for d in f.diagnostics)
    assert unsure or other.loglik == pytest.approx(one.loglik, abs=AGREE), f"seed {seed}: {text!r}"
    return unsure


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(10))
def test_two_numbers_of_points(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_numbers_of_points_in_many() -> None:
    wrong, unsure = [], 0
    for seed in range(100):
        try:
            unsure += check(seed)
        except AssertionError as problem:
            wrong.append(str(problem).splitlines()[0])
    assert not wrong, wrong
    assert unsure < 20, "a program that is always unsure says nothing"
