"""A climb by few shared nodes that leads near to the maximum: it changes the way, not the end."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation import ascent
from semlang.estimation.grid.shared_grid import SharedGrid
from semlang.estimation.grid.suits import COUNTS, FEW_NODES

ITEMS = "options: std.lv = true\ny{1..8} :: binomial(logit)\nf =~ y{1..8}"
BIFACTOR = (
    "options: std.lv = true, auto.cov.lv.x = false\ny{1..8} :: binomial(logit)\ng =~ y{1..8}\n"
    "s1 =~ y{1..4}\ns2 =~ y{5..8}"
)


def items(loading: float, n: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(20261128)
    f = rng.normal(size=(n, 1)) + np.repeat(0.8 * rng.normal(size=(n, 2)), 4, axis=1)
    y = loading * f + rng.normal(size=8) + rng.logistic(size=(n, 8)) > 0
    return pd.DataFrame(y.astype(int), columns=[f"y{j}" for j in range(1, 9)])


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Count passes over units by the number of nodes."""
    counted: Counter[int] = Counter()
    evaluate = SharedGrid.evaluate

    def count(self: SharedGrid, x: np.ndarray, nodes: object = None, posterior: bool = False) -> object:
        counted[len(nodes or self.nodes)] += 1
        return evaluate(self, x, nodes, posterior)

    monkeypatch.setattr(SharedGrid, "evaluate", count)
    return counted


@pytest.mark.parametrize(("text", "layers"), [(ITEMS, 1), (BIFACTOR, 2)])
def test_few_nodes_change_the_way_and_not_the_end(
    text: str, layers: int, passes: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = items(1.0)
    few = sl.Model(text).fit(data)
    with_few = dict(passes)
    assert few.estimate.method.endswith("shared grid of nodes")
    assert with_few[FEW_NODES[layers]] >= 4
    passes.clear()
    monkeypatch.setattr(ascent, "Coarsenable", int)
    plain = sl.Model(text).fit(data)
    assert FEW_NODES[layers] not in passes
    assert with_few[COUNTS[layers][0]] < 0.8 * passes[COUNTS[layers][0]]
    assert few.loglik == pytest.approx(plain.loglik, abs=1e-7)
    free = plain.params["se"].notna()
    apart = (few.params["est"] - plain.params["est"])[free] / plain.params["se"][free]
    assert np.abs(apart).max() < 5e-4  # of a standard error: climbs end at a decrement of 1e-8, which is 1e-4
    np.testing.assert_allclose(few.params["se"], plain.params["se"], rtol=5e-4)


def test_where_few_nodes_see_another_likelihood_the_climb_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steep items: 32 nodes are a third of a posterior SD too far apart."""
    data = items(12.0)
    expected = sl.Model(ITEMS).fit(data, se="none")
    said: list[str] = []
    monkeypatch.setattr(ascent, "ALIKE", 0.0)
    again = sl.Model(ITEMS).fit(data, se="none", progress=said.append)
    assert any("nodes first" in line for line in said)
    assert again.loglik == pytest.approx(expected.loglik, abs=1e-4)
