"""Units laid out a run at a time are those of all rows at once, and take the memory of a run."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.expansion import expand
from semlang.estimation.grid import typed_units as module
from semlang.estimation.grid.row_types import row_types
from semlang.estimation.grid.typed_units import typed_units
from semlang.estimation.layers import layers_of
from semlang.matrices.build import reduced_form

RASCH = "y{1..4} :: binomial(logit)\nf =~ y{1..4}\n"
MODELS = {
    "one layer": RASCH,
    "with a covariate": RASCH + "y2 ~ x\n",
    "persons in groups": "cluster: school\n" + RASCH + "f ~ u[school]\n",
    "blocks": "options: std.lv = true, auto.cov.lv.x = false\ny{1..4} :: binomial(logit)\n"
    "g =~ y{1..4}\ns =~ y{1..2}\nr =~ y{3..4}\n",
}


def data(n):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame((rng.random((n, 4)) < 0.6).astype(float), columns=[f"y{j}" for j in range(1, 5)])
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    frame.iloc[::17, :4] = np.nan  # records without a response
    return frame.assign(x=rng.integers(0, 3, n), school=np.sort(rng.integers(0, n // 7, n)))


def given(name, n=240):
    model, (design,), _ = sl.Model(MODELS[name]).bind(data(n))
    table, form = model.parameter_table, reduced_form(model.graphs[0], lift=False)
    return form, design, table.variables, layers_of(form, (), table.levels), table.levels


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [1, 40, 333])
def test_runs_make_no_difference(name, size, monkeypatch):
    inputs = given(name)
    form, design, _, layers, _ = inputs
    rows = expand(*inputs)
    types = row_types(form, design, rows)
    monkeypatch.setattr(module, "ROWS_AT_A_TIME", size)
    units, found = typed_units(*inputs)
    assert units.tree.rows == rows.tree.rows
    assert units.tree.sizes == rows.tree.sizes
    for k in range(len(layers)):
        np.testing.assert_array_equal(units.tree.first[k], rows.tree.first[k])
        np.testing.assert_array_equal(units.tree.parent[k], rows.tree.parent[k])
        np.testing.assert_array_equal(units.unit_weights[k], rows.unit_weights[k])
    for field in ("source", "response", "records", "multiplicity"):
        np.testing.assert_array_equal(getattr(units, field), getattr(rows, field))
    assert (units.used, units.dropped) == (rows.used, rows.dropped)
    for field in ("response", "y", "codes", "f1", "f2", "category", "offset"):  # each row has a type like itself
        np.testing.assert_array_equal(getattr(found.rows, field)[found.number], getattr(rows, field))
    assert found.rows.y.size == types.rows.y.size
    for product in form.mean_columns:
        if product:
            column = design.columns[product]
            np.testing.assert_array_equal(column[found.rows.source][found.number], column[rows.source])


def test_memory_is_that_of_a_run(monkeypatch):
    """Of more units each row takes 28 bytes while runs are joined, and each unit of four rows 80: 48 a row, not 92."""
    peaks = {}
    for n in (10_000, 40_000):
        inputs = given("one layer", n)
        for size in (4_000, 10**9):
            monkeypatch.setattr(module, "ROWS_AT_A_TIME", size)
            tracemalloc.start()
            units, _ = typed_units(*inputs)
            peaks[n, size] = tracemalloc.get_traced_memory()[1], units.tree.rows
            tracemalloc.stop()
    of_run, of_all = ((peaks[40_000, s][0] - peaks[10_000, s][0]) / (peaks[40_000, s][1] - peaks[10_000, s][1])
                      for s in (4_000, 10**9))  # fmt: skip
    assert of_run < 60.0 < of_all
