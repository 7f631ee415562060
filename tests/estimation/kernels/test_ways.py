"""Logit rows are computed in four ways at the nodes, values with and without derivatives: all are one likelihood."""

import numpy as np
import pytest
from designs import Design

from semlang.estimation.kernels.families import CODES
from semlang.estimation.kernels.workspace import rule_of_levels
from semlang.estimation.quadrature import NestedQuadrature, Tree

STRUCTURES = {"r=1": ([1], [9, 6]), "r=2": ([2], [8, 6]), "(1,1)": ([1, 1], [4, 3, 5]), "(2,1)": ([2, 1], [3, 3, 6])}
PAIRS = {
    "logit": [("binomial", "logit")],
    "two kinds": [("binomial", "logit"), ("binomial", "logit"), ("binomial", "logit"), ("poisson", "log")],
}


def evaluated(design, A, points):
    o, _, f1, f2 = design.inputs(design.theta)
    weights = np.where(np.arange(design.n) % 5 == 4, 1.5, 1.0)  # weighted rows go another way, several in one call
    model = NestedQuadrature(design.y, design.codes, Tree.from_ids(design.ids), design.dims, weights)
    found = model.evaluate(o, A, f1, f2, points)
    assert found.converged
    return model, found, (o, A, f1, f2)


@pytest.mark.parametrize("points", [3, 7])  # at 7 nodes of two dimensions come in runs, at 3 they do not
@pytest.mark.parametrize("pairs", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_rows_that_share_loadings_are_rows(structure, pairs, points):
    """Loadings that differ in the thirteenth digit are not shared."""
    design = Design(pairs, structure, trials=1)
    shared = np.tile(np.arange(1.0, 1.0 + sum(design.dims))[:, None] * 0.7, design.n)
    shared[:, design.n // 2 :] *= 1.3  # within a unit, too
    _, one, _ = evaluated(design, shared, points)
    alone = shared * (1.0 + 1e-13 * np.arange(design.n))
    _, other, _ = evaluated(design, alone, points)
    # exponentials of sums and products of exponentials, of predictors up to 40: 1e-14 each, over some fifty rows
    np.testing.assert_allclose(one.values, other.values, rtol=1e-11)
    np.testing.assert_allclose(one.o_bar, other.o_bar, atol=1e-9)
    np.testing.assert_allclose(one.A_bar, other.A_bar, atol=1e-9)


@pytest.mark.parametrize("points", [1, 7])
@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_values_alone(structure, points):
    """They have no correction for the Newton step that is not taken, which is 1e-4 of the other's."""
    design = Design(PAIRS["two kinds"], structure)
    model, found, inputs = evaluated(design, design.inputs(design.theta)[1], points)
    np.testing.assert_allclose(model.values(*inputs, points), found.values, rtol=1e-10)
    if points > 1:
        model.place(*inputs, points)
        np.testing.assert_allclose(model.values(*inputs, points), model.evaluate(*inputs, points).values, rtol=1e-13)


SIZES = {"small": [1, 2, 3] * 30, "around the longest lane": [24, 25, 48, 49, 1, 23], "long": [700, 5, 1700, 2]}


@pytest.mark.parametrize("points", [2, 7, 12])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("dims", "steep"), [((1,), 1.0), ((1, 1), 1.0), ((1, 2), 1.0), ((1,), 9.0)])
@pytest.mark.parametrize(("shared", "pair"), [(True, ("binomial", "logit")), (False, ("binomial", "logit")),
                                              (True, ("poisson", "log")), (False, ("poisson", "log"))])  # fmt: skip
def test_units_side_by_side_are_units(dims, steep, sizes, points, shared, pair):
    """Rows whose weight differs from one in the thirteenth digit are not side by side, nor steep ones."""
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(len(sizes)), sizes)
    ids = [unit, unit // 3][: len(dims)]
    n = unit.size
    A = np.full((sum(dims), n), 0.8) + (0.0 if shared else 0.3 * rng.normal(size=(sum(dims), n)))
    o = 0.4 * rng.normal(size=n)
    y = (rng.random(n) < 0.6).astype(float)
    if pair[0] == "poisson":
        steep = min(steep, 3.0)  # counts of such variances have no mode within reach
        y = rng.poisson(np.exp(np.minimum(o + A[0] * rng.normal(size=unit.max() + 1)[unit], 4.0))).astype(float)
    inputs = (o, steep * A, np.ones(n), np.ones(n))
    found = []
    for weight in (1.0, 1.0 + 1e-13):
        model = NestedQuadrature(y, np.full(n, CODES[pair]), Tree.from_ids(ids), dims, np.full(n, weight))
        found.append((model.evaluate(*inputs, points), model.values(*inputs, points), model.posterior(*inputs, points)))
    (one, alone, posterior), (other, other_alone, other_posterior) = found
    assert one.converged
    assert other.converged
    np.testing.assert_allclose(one.values, other.values, rtol=1e-11)
    np.testing.assert_allclose(alone, other_alone, rtol=1e-11)
    np.testing.assert_allclose(one.o_bar, other.o_bar, atol=1e-10)
    np.testing.assert_allclose(one.A_bar, other.A_bar, atol=1e-9)
    for level, the_same in zip(posterior, other_posterior, strict=True):
        np.testing.assert_allclose(level.means, the_same.means, atol=1e-10)
        np.testing.assert_allclose(level.covariances, the_same.covariances, atol=1e-10)


@pytest.mark.parametrize("points", [1, 7])
def test_trials_that_become_more(points):
    """Which units are side by side, and constants, follow f1."""
    n = 40
    y = (np.arange(n) % 3 == 0).astype(float)
    ids = [np.arange(n) // 8]
    o, A, one = np.zeros(n), np.full((1, n), 0.8), np.ones(n)
    code = np.full(n, CODES["binomial", "logit"])
    model = NestedQuadrature(y, code, Tree.from_ids(ids), [1])
    first = model.evaluate(o, A, one, one, points)
    more = np.where(np.arange(n) < 8, 3.0, 1.0)
    second = model.evaluate(o, A, more, one, points)
    fresh = NestedQuadrature(y, code, Tree.from_ids(ids), [1]).evaluate(o, A, more, one, points)
    np.testing.assert_allclose(second.values, fresh.values, rtol=1e-12)
    assert second.values[0] != first.values[0]
    np.testing.assert_allclose(model.evaluate(o, A, one, one, points).values, first.values, rtol=1e-12)


@pytest.mark.parametrize(("dims", "points"), [((1,), 7), ((2,), 7), ((2,), 9), ((3, 1), 7), ((1, 2), 11), ((2, 2), 3)])
def test_runs_of_nodes_differ_in_the_last_coordinate(dims, points):
    """Nodes that fill a run up have no weight, and the rule is one for the normal distribution."""
    rule = rule_of_levels(dims, [points] * len(dims))
    n, run = int(rule.counts[0]), int(rule.run[0])
    z = rule.z[0, : dims[0], :n].reshape(dims[0], n // run, run)
    assert n % run == 0
    for d in range(dims[0] - 1):
        assert (z[d, :, :points] == z[d, :, :1]).all()
    assert (z[-1] == z[-1, :1]).all()
    weight = np.exp(rule.log_weight[0, :n] - 0.5 * (rule.z[0, : dims[0], :n] ** 2).sum(axis=0))
    np.testing.assert_allclose(weight.sum(), 1.0, rtol=1e-12)
    np.testing.assert_allclose((rule.z[0, : dims[0], :n] ** 2 * weight).sum(axis=1), 1.0, rtol=1e-12)
