"""A unit of frequency f is f units."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from semlang.estimation.gaussian import ByRow, Nested, OneLevel, TwoLevel


def setting(h: types.SimpleNamespace, missing: float) -> Any:
    g = np.random.default_rng(3)
    cluster = np.repeat(np.arange(12), g.integers(1, 5, 12))
    n = len(cluster)
    y = {f"y{i}": np.where(g.uniform(size=n) < missing, np.nan, g.normal(size=n)) for i in (1, 2, 3)}
    frequency = {"rows": g.integers(1, 4, n).astype(float), "cl": g.integers(1, 4, 12).astype(float)[cluster]}
    return cluster, y, frequency


def model(h: types.SimpleNamespace, level: str, rows: bool) -> Any:
    m = h.Model(["y1", "y2", "y3"], ([("f", "rows")] if rows else []) + [("u", level)])
    for i in (1, 2, 3):
        y = f"y{i}"
        m.path(y, "u", 1.0 if i == 1 else f"u{i}", 0.6).path(y, "", f"{y}~1", 0.1).variance(y, y, f"{y}~~{y}", 0.8)
        if rows:
            m.path(y, "f", 1.0 if i == 1 else f"f{i}", 0.5)
    m.variance("u", "u", "u~~u", 0.4)
    return m.variance("f", "f", "f~~f", 0.3) if rows else m


@pytest.mark.parametrize("engine", [OneLevel, ByRow, Nested])
def test_rows(by_hand: types.SimpleNamespace, engine: Any) -> None:
    _, y, frequency = setting(by_hand, 0.3)
    reduced = model(by_hand, "rows", False).reduced()
    theta = model(by_hand, "rows", False).theta0
    f = frequency["rows"]
    copy = np.repeat(np.arange(len(f)), f.astype(int))
    check(
        by_hand,
        engine(reduced, by_hand.design(y, reduced=reduced, frequency={"rows": f})),
        engine(reduced, by_hand.design({k: v[copy] for k, v in y.items()}, reduced=reduced)),
        theta,
    )


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize(("engine", "missing"), [(TwoLevel, 0.0), (Nested, 0.0), (Nested, 0.3)])
@pytest.mark.parametrize("levels", [("rows",), ("cl",), ("rows", "cl")])
def test_clusters(by_hand: types.SimpleNamespace, engine: Any, missing: float, rows: bool, levels: Any) -> None:
    cluster, y, frequency = setting(by_hand, missing)
    m = model(by_hand, "cl", rows)
    reduced = m.reduced()
    data = by_hand.design(y, None, {"cl": cluster}, reduced, frequency={k: frequency[k] for k in levels})
    index, codes, unit = [], [], 0
    for c in range(12):
        mine = np.flatnonzero(cluster == c)
        for _ in range(int(frequency["cl"][mine[0]]) if "cl" in levels else 1):
            for i in mine:
                for _ in range(int(frequency["rows"][i]) if "rows" in levels else 1):
                    index.append(i)
                    codes.append(unit)
            unit += 1
    copied = by_hand.design({k: v[index] for k, v in y.items()}, None, {"cl": np.array(codes)}, reduced)
    check(by_hand, engine(reduced, data), engine(reduced, copied), m.theta0)


def check(h: types.SimpleNamespace, weighted: Any, copied: Any, theta: np.ndarray) -> None:
    value, gradient = weighted.value_and_gradient(theta)
    value2, gradient2 = copied.value_and_gradient(theta)
    assert value == pytest.approx(value2, rel=1e-11)
    np.testing.assert_allclose(gradient, gradient2, atol=1e-10 * np.abs(gradient2).max())
    np.testing.assert_allclose(weighted.scores(theta).sum(0), gradient, atol=1e-9 * np.abs(gradient).max())
    exact = copied.hessian(theta)
    np.testing.assert_allclose(weighted.hessian(theta), exact, atol=1e-4 * np.abs(exact).max())
