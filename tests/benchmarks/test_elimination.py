"""Elimination in turn beside the whole product of nodes: a bifactor model of five latent variables at seven points.

Both are the same program, nodes and data; the whole product is one clique of all variables. Run by ``just bench``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.elimination.eliminated_grid import EliminatedGrid
from semlang.estimation.elimination.order import Step
from semlang.estimation.elimination.outline import outline

pytest.importorskip("pytest_benchmark")
pytestmark = pytest.mark.slow

Z = np.linspace(-3.0, 3.0, 7)
TEXT = "options: std.lv = true, auto.cov.lv.x = false\ny{1..20} :: binomial(logit)\ng =~ y{1..20}\n" + "\n".join(
    f"s{k} =~ y{{{5 * k - 4}..{5 * k}}}" for k in (1, 2, 3, 4)
)


class Seven(EliminatedGrid):
    """Seven nodes a dimension."""

    @property
    def nodes(self) -> np.ndarray:
        return Z


class Whole(Seven):
    """Every response depends on all variables, as far as the sums know."""

    def _scopes_of_types(self) -> list[frozenset[int]]:
        return [frozenset(range(len(self.outline.keys)))] * self.types.y.size


def data(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g, s = rng.normal(size=(n, 1)), np.repeat(rng.normal(size=(n, 4)), 5, axis=1)
    y = (1.2 * g + 0.8 * s + rng.logistic(size=(n, 20)) > 0).astype(int)
    return pd.DataFrame(y, columns=[f"y{k}" for k in range(1, 21)])


def seconds(member: EliminatedGrid, x: np.ndarray, times: int) -> tuple[float, float]:
    best, value = np.inf, 0.0
    for _ in range(times):
        start = time.process_time()
        value = member.value_and_gradient(x)[0]
        best = min(best, time.process_time() - start)
    return best, value


def test_five_latent_variables(benchmark) -> None:
    model, designs, _ = sl.Model(TEXT).bind(data(2000))
    table = model.parameter_table
    found = outline(model.graphs[0], table.levels, [2000], 40_000)
    assert found is not None
    order = [s.variable for s in found.steps]
    steps = tuple(Step(j, tuple(reversed(order[n + 1 :])), ()) for n, j in enumerate(order))
    assert all(set(b.clique) < set(a.clique) for a, b in pairwise(steps))
    x = np.full(table.n_parameters, 0.7)
    member = Seven(found, designs[0], table.variables, table.levels)
    benchmark.pedantic(member.value_and_gradient, args=(x,), rounds=5, warmup_rounds=1)
    fast, value = seconds(member, x, 20)
    slow, whole = seconds(Whole(replace(found, steps=steps), designs[0], table.variables, table.levels), x, 1)
    print(f"\nfive latent variables, 7 points: {1e3 * fast:.2f} ms in turn, {slow:.2f} s at once: {slow / fast:.0f} x")
    assert abs(value - whole) < 1e-9 * abs(value)
    assert slow / fast > 300
