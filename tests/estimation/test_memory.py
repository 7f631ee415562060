"""What a fit takes beside its data: bytes a row, of arrays, at the highest point."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation import memory
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.graph.build import build_graph

ROWS = 100_000


def rows(gaussian: bool) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(ROWS // 20), 20)
    x, u = rng.normal(size=ROWS), rng.normal(size=ROWS // 20)
    eta = 0.5 * x + u[g]
    y = eta + rng.normal(size=ROWS) if gaussian else (rng.random(ROWS) < 1 / (1 + np.exp(-eta))).astype(float)
    return pd.DataFrame({"g": g, "x": x, "y": y})


# 18 and 19.7 arrays of one number a row were measured; before they were counted it was 39.2 and 22.5
@pytest.mark.parametrize(("text", "arrays"), [("y :: binomial(logit)\ny ~ x + (1|g)", 21), ("y ~ x + (1|g)", 21)])
def test_a_fit_takes_few_arrays_beside_the_data(text: str, arrays: int) -> None:
    data = rows("binomial" not in text)
    model = sl.Model(text)
    model.fit(data.head(2000), threads=1)  # what is compiled and imported stays
    tracemalloc.start()
    try:
        fit = model.fit(data, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fit.converged
    assert peak / (8 * ROWS) < arrays


def evaluated(text: str, data: pd.DataFrame) -> float:
    """Return the bytes a row at the highest point of making a model's members and a gradient."""
    model, designs, _ = sl.Model(text).bind(data)
    table = model.parameter_table
    graphs = [build_graph(table, g + 1) for g in range(len(designs))]
    theta = np.full(table.n_parameters, 0.2)
    theta[[r.parameter for r in table.rows if r.op == "~~" and r.target == r.source and r.parameter >= 0]] = 1.0
    tracemalloc.start()
    try:
        road = assemble(table, graphs, designs, Constraints(table), True, 7, 1, scaled=False)
        x = road.parametrisation.coordinates(theta)
        for member in road.members:
            member.value_and_gradient(x)
        return tracemalloc.get_traced_memory()[1] / len(data)
    finally:
        tracemalloc.stop()


# Copies of all of the data for seven nodes took 16.4 kB a row; runs take 4 kB here, most of it to evaluate one of them
def test_copies_of_the_data_for_nodes_are_not_all_there_at_once() -> None:
    n = 12_000
    rng = np.random.default_rng(1)
    f, g = rng.normal(size=(2, n))
    means = {"x": f, "w": g, "y": f + g + 0.5 * f * g}
    data = pd.DataFrame({f"{k}{i}": m + rng.normal(size=n) for k, m in means.items() for i in (1, 2, 3)})
    text = "f =~ x1 + x2 + x3\ng =~ w1 + w2 + w3\nh =~ y1 + y2 + y3\nh ~ f + g + f:g"
    evaluated(text, data.head(500))
    assert evaluated(text, data) < 6000.0


def test_memory_is_lent_once() -> None:
    memory.release()
    first = memory.empty(2, 5000)
    view = first[1, 10:].reshape(-1, 2)
    view[:] = 7.0
    address = first.ctypes.data
    del first
    second = memory.empty(10000)
    assert second.ctypes.data != address  # the view is still read
    del view
    assert memory.empty(9000).ctypes.data == address  # a smaller array has place there
    assert second.ctypes.data != address


def test_what_waits_is_bounded() -> None:
    memory.release()
    arrays = [memory.empty(memory.KEPT // 32) for _ in range(9)]  # a quarter of the bytes each
    arrays.clear()
    assert sum(m.nbytes for m in memory._free.values()) <= memory.KEPT
    memory.release()
    assert not memory._free
