"""The choice of a closed form, what is not supported, and infeasible points."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from semlang.estimation.gaussian import ByRow, FreeResiduals, Infeasible, Nested, OneLevel, TwoLevel, choose


def model(h: types.SimpleNamespace, level: str, residual: Any = "s") -> Any:
    m = h.Model(["y1", "y2", "y3", "y4", "y5", "y6"], [("f", level)])
    for y in m.responses:
        m.path(y, "f", 1.0 if y == "y1" else f"f=~{y}", 0.7).path(y, "", f"{y}~1", 0.0)
        m.variance(y, y, residual if isinstance(residual, float) else f"{y}~~{y}", 0.5)
    return m.variance("f", "f", "f~~f", 0.5)


def data(h: types.SimpleNamespace, reduced: Any, missing: float, clusters: bool) -> Any:
    g = np.random.default_rng(1)
    y = {k: np.where(g.uniform(size=200) < missing, np.nan, g.normal(size=200)) for k in reduced.responses}
    return h.design(y, None, {"cl": np.arange(200) // 4} if clusters else None, reduced)


@pytest.mark.parametrize(
    ("level", "residual", "missing", "clusters", "expected"),
    [
        ("rows", "free", 0.0, False, OneLevel),
        ("rows", "free", 0.0, True, OneLevel),
        ("rows", "free", 0.4, False, Nested),
        ("rows", 0.0, 0.4, False, ByRow),
        ("cl", "free", 0.0, True, TwoLevel),
        ("cl", "free", 0.4, True, Nested),
        ("cl", 0.0, 0.4, True, FreeResiduals),
    ],
)
def test_choice(
    by_hand: types.SimpleNamespace, level: str, residual: Any, missing: float, clusters: bool, expected: Any
) -> None:
    reduced = model(by_hand, level, residual).reduced()
    assert choose(reduced, data(by_hand, reduced, missing, clusters)) is expected


@pytest.mark.parametrize("engine", [OneLevel, ByRow, Nested, TwoLevel])
def test_points_without_a_density(by_hand: types.SimpleNamespace, engine: Any) -> None:
    level = "cl" if engine is TwoLevel else "rows"
    m = model(by_hand, level)
    reduced = m.reduced()
    e = engine(reduced, data(by_hand, reduced, 0.0, engine is TwoLevel))
    theta = m.theta0
    theta[m.names.index("y2~~y2")] = -3.0
    for call in (e.value, e.value_and_gradient, e.scores, e.hessian):
        with pytest.raises(Infeasible):
            call(theta)


def test_negative_variance_of_a_latent_variable(by_hand: types.SimpleNamespace) -> None:
    """Every closed form allows it as long as there is a density."""
    m = model(by_hand, "rows")
    reduced = m.reduced()
    design = data(by_hand, reduced, 0.0, False)
    theta = m.theta0
    theta[m.names.index("f~~f")] = -0.05
    for engine in (OneLevel, ByRow, Nested, FreeResiduals):
        assert engine(reduced, design).value(theta) == pytest.approx(by_hand.dense(reduced, design, theta))
