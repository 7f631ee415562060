"""The gradient is that of the value at every number of points: against central differences of order six."""

import numpy as np
import pytest
from designs import ALONE, STRUCTURES, Design

from semlang.estimation.kernels.families import CODES
from semlang.estimation.kernels.workspace import Workspace

MIXED = [p for p in CODES if p[0] in ("binomial", "ordinal") or p == ("gaussian", "identity")]


def fill_with_nan(design, points):
    """Leave NaN in every scratch array, so that a number that is read before it is written shows."""
    design.model.evaluate(*design.inputs(design.theta), points)
    ((_, free),) = design.model._rules.values()
    works = []
    while not free.empty():
        works.append(free.get())
    for work in works:
        for group in (work.fronts, work.scratch, work.tables, work.lanes):
            for array in group.arrays:
                array.fill(np.nan if array.dtype.kind == "f" else -(10**9))
        free.put(work)
    assert isinstance(works[0], Workspace)


def check(design, points, tolerance=1e-6):
    fill_with_nan(design, points)
    exact = design.gradient(design.theta, points)
    differences = design.differences(design.theta, points)
    assert np.abs(exact - differences).max() <= tolerance * np.abs(differences).max()


@pytest.mark.parametrize("pair", ALONE, ids="-".join)
@pytest.mark.parametrize("structure", ["r=1", "r=2", "(1,1)"])
@pytest.mark.parametrize("points", [1, 7])
def test_families(pair, structure, points):
    check(Design([pair], structure), points)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("points", [1, 3])
def test_mixed_families_and_weights(structure, points):
    check(Design(MIXED, structure, seed=3, weights=True), points)


@pytest.mark.parametrize("points", [(1, 5), (5, 1), (7, 3)])
def test_points_by_level(points):
    check(Design(MIXED, "(1,1)", weights=True), points)


def test_four_coordinates():
    check(Design(MIXED, ([2, 2], [3, 3, 4])), 3)


@pytest.mark.slow
@pytest.mark.parametrize("pair", ALONE, ids="-".join)
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("points", [1, 3, 7, 15])
def test_everything(pair, structure, points):
    if points ** sum(STRUCTURES[structure][0]) > 4000:
        pytest.skip("more than 4,000 nodes")
    check(Design([pair], structure, seed=5), points)
