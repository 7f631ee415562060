"""Constraints that hold nowhere together are refused by name: linear, nonlinear, or with bounds; others are met."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

import semlang as sl

MODEL = "y ~ a*x\nz ~ c*x\ny ~~ 0*z\n"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(size=200)
    return pd.DataFrame({"x": x, "y": 0.6 * x + rng.normal(size=200), "z": 0.2 * x + rng.normal(size=200)})


@pytest.mark.parametrize(
    "text",
    [
        MODEL + "a == 1\na == 2",
        MODEL + "a > 2\na < 1",
        MODEL + "a == c\na == 1\nc == 2",
        MODEL + "a + c == 1\na + c == 2",
        MODEL + "a > 2\nc < 1\na == c",
        MODEL + "a^2 == -1",
        MODEL + "a*c > 1\na < 0.5\nc < 0.5\na > 0\nc > 0",
        "y ~ lower(-1)*upper(1)*a*x\nz ~ lower(-1)*upper(1)*c*x\na*c == 4",
        MODEL + "a^2 + c^2 == 1\na + c == 3",
    ],
)
def test_refused(data: pd.DataFrame, text: str) -> None:
    with pytest.raises(sl.FitError) as problem:
        sl.Model(text).fit(data)
    assert "contradictory-constraints" in [d.slug for d in problem.value.diagnostics]
    assert "not-converged" not in [d.slug for d in problem.value.diagnostics]


def loglik(data: pd.DataFrame, a: float, c: float) -> float:
    """Two regressions with given slopes."""
    total = 0.0
    for name, slope in (("y", a), ("z", c)):
        rest = data[name] - slope * data.x
        total -= 0.5 * len(rest) * (np.log(2.0 * np.pi * rest.var(ddof=0)) + 1.0)
    return total


@pytest.mark.parametrize(
    ("constraints", "feasible"),
    [
        ("a*c == 1", lambda t: (t, 1.0 / t)),
        ("a^2 + c^2 == 0.01", lambda t: (0.1 * np.cos(t), 0.1 * np.sin(t))),
        ("a > 3", lambda t: (3.0 + t**2, None)),
        ("a == c\n2*a == 2*c", lambda t: (t, t)),
        ("a*c == 4\na > 0\nc > 1", lambda t: (4.0 / (1.0 + t**2), 1.0 + t**2)),
    ],
)
def test_what_can_hold_is_fitted(data: pd.DataFrame, constraints: str, feasible) -> None:
    fit = sl.Model(MODEL + constraints).fit(data)
    assert fit.converged
    free = float(data.x @ (data.z - data.z.mean()) / (data.x @ (data.x - data.x.mean())))

    def minus(t: float) -> float:
        a, c = feasible(t)
        return -loglik(data, a, free if c is None else c)

    grid = [t for t in np.linspace(-4.0, 4.0, 400) if np.isfinite(minus(t))]
    first = min(grid, key=minus)
    best = -minimize_scalar(minus, bounds=(first - 0.03, first + 0.03), method="bounded", options={"xatol": 1e-10}).fun
    assert fit.loglik == pytest.approx(best, abs=1e-4)
