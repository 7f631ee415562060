"""Nothing that is said depends on the origin or unit of a covariate: linear predictors are judged, not coefficients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl

DATA = Path(__file__).parent / "inputs" / "year.csv"
"""Simulated: calendar years, a binary response, a count, clusters."""

# R 4.2.2 on 2026-11-28: glm of stats, glmer of lme4 1.1-31 with nAGQ = 25
CASES = {
    "k :: poisson(log)\nk ~ 1 + yr": -608.505,
    "y :: binomial(logit)\ny ~ 1 + yr + (1 | c)": -274.485,
}


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("move", [(0.0, 1.0), (-2015.0, 1.0), (0.0, 1e-4), (0.0, 365.25), (1e4, 365.25)])
def test_calendar_years(text: str, move: tuple[float, float]) -> None:
    data = pd.read_csv(DATA)
    data["yr"] = (data["yr"] + move[0]) * move[1]
    fit = sl.Model(text).fit(data)
    assert fit.converged
    assert fit.loglik == pytest.approx(CASES[text], abs=1e-3)
    assert not [d.slug for d in fit.diagnostics if d.slug in ("unbounded-likelihood", "flat-likelihood")]
    plain = sl.Model(text).fit(pd.read_csv(DATA))
    slope, own = (f.params.query("rhs == 'yr'").iloc[0] for f in (fit, plain))
    assert slope["est"] * move[1] == pytest.approx(own["est"], abs=1e-4 * own["se"] + 1e-9)
    assert slope["se"] * move[1] == pytest.approx(own["se"], rel=1e-3)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_separation_is_found_in_every_unit(unit: float) -> None:
    x = np.random.default_rng(4).normal(size=80)
    data = pd.DataFrame({"x": x * unit + 2015.0 * unit, "y": (x > 0.1).astype(int)})
    with pytest.raises(sl.FitError) as problem:
        sl.Model("y :: binomial(logit)\ny ~ 1 + x").fit(data)
    assert "unbounded-likelihood" in [d.slug for d in problem.value.diagnostics]


def test_powers_of_age_are_no_separation() -> None:
    rng = np.random.default_rng(6)
    for _ in range(5):
        data = pd.DataFrame({"age": rng.integers(20, 80, 300), "y": rng.integers(0, 2, 300)})
        fit = sl.Model("y :: binomial(logit)\ny ~ 1 + age + age^2 + age^3").fit(data)
        assert fit.converged
        assert "unbounded-likelihood" not in [d.slug for d in fit.diagnostics]
