"""Edges: nothing overflows, no NaN appears, and what fails says so."""

import numpy as np
import pytest
from designs import ALONE, Design

from semlang.estimation.kernels.families import CODES, NO_THRESHOLD
from semlang.estimation.quadrature import NestedQuadrature, Tree

LOGIT = CODES["binomial", "logit"]


def single(pair, n=6):
    """One cluster of each category of response, as y, f1, f2."""
    family = pair[0]
    if family == "ordinal":
        cuts = np.array([-NO_THRESHOLD, -1.0, 1.0, NO_THRESHOLD])
        s = np.arange(n) % 3
        return np.zeros(n), cuts[s + 1], cuts[s]
    if family == "guessed binomial":
        return (np.arange(n) % 2).astype(float), np.full(n, 0.2), np.full(n, 0.1)
    if family.startswith("inflated"):
        return (np.arange(n) % 2).astype(float), np.full(n, 0.2), np.full(n, 0.1)
    if family == "beta":
        return np.where(np.arange(n) % 2, 0.9, 1e-9), np.full(n, 2.0), np.ones(n)
    if family.startswith("interval"):
        return np.resize([-1e300, 1.0, 2.0], n), np.ones(n), np.resize([1.0, 1e300, 2.0], n)
    return (np.arange(n) % 2).astype(float) + (family in ("gaussian", "gamma")), np.ones(n), np.ones(n)


@pytest.mark.parametrize("pair", ALONE, ids="-".join)
@pytest.mark.parametrize("nu", [-1e3, -50.0, 50.0, 1e3])
@pytest.mark.parametrize("points", [1, 7])
def test_extreme_predictors(pair, nu, points):
    y, f1, f2 = single(pair)
    model = NestedQuadrature(y, np.full(6, CODES[pair]), Tree.from_ids([np.arange(6) // 2]), [1])
    e = model.evaluate(np.full(6, nu), np.ones((1, 6)), f1, f2, points)
    if e.converged:
        assert all(np.isfinite(x).all() for x in (e.values, e.o_bar, e.A_bar, e.f1_bar, e.f2_bar))
    else:  # the mode is further away than Newton's steps lead: it is said, and where
        assert e.failed.size


@pytest.mark.parametrize("pair", [("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog")], ids="-".join)
@pytest.mark.parametrize("points", [1, 7])
@pytest.mark.parametrize("response", [0.0, 1.0])
def test_all_equal_responses(pair, points, response):
    n = 40
    model = NestedQuadrature(np.full(n, response), np.full(n, CODES[pair]), Tree.from_ids([np.arange(n) // 8]), [1])
    h = 1e-4
    value = {}
    for s in (-h, 0.0, h):
        e = model.evaluate(np.zeros(n), np.full((1, n), 8.0 + s), np.ones(n), np.ones(n), points)
        assert e.converged
        value[s] = e.values.sum()
        if s == 0.0:
            slope = e.A_bar.sum()
    assert slope == pytest.approx((value[h] - value[-h]) / (2 * h), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("points", [1, 5])
def test_zero_variance_is_the_linear_model(points):
    design = Design([("binomial", "probit"), ("poisson", "log"), ("ordinal", "logit")], "(1,1)")
    o, A, f1, f2 = design.inputs(design.theta)
    e = design.model.evaluate(o, 0 * A, f1, f2, points)
    plain = NestedQuadrature(design.y, design.codes, Tree.from_ids([], rows=design.n), [])
    f = plain.evaluate(o, np.zeros((0, design.n)), f1, f2, 1)
    assert e.values.sum() == pytest.approx(f.values.sum(), rel=1e-12)
    np.testing.assert_allclose(e.o_bar, f.o_bar, atol=1e-12)


def test_clusters_of_size_one():
    n = 30
    y = (np.arange(n) % 2).astype(float)
    model = NestedQuadrature(y, np.full(n, LOGIT), Tree.from_ids([np.arange(n), np.arange(n)]), [1, 1])
    e = model.evaluate(np.zeros(n), np.ones((2, n)), np.ones(n), np.ones(n), 21)
    np.testing.assert_allclose(e.values, np.log(0.5), atol=1e-9)


def test_mode_that_is_not_found_is_reported():
    y, n = np.array([1.0, 0.0, 1.0, np.nan]), 4
    model = NestedQuadrature(y, np.full(n, LOGIT), Tree.from_ids([np.array([0, 0, 1, 1])]), [1])
    e = model.evaluate(np.zeros(n), np.ones((1, n)), np.ones(n), np.ones(n), 3)
    assert not e.converged
    assert e.failed.tolist() == [1]


def test_failure_is_forgotten():
    n = 8
    y = (np.arange(n) % 2).astype(float)
    model = NestedQuadrature(y, np.full(n, LOGIT), Tree.from_ids([np.arange(n) // 4]), [1])
    one, o = np.ones(n), np.zeros(n)
    first = model.evaluate(o, np.ones((1, n)), one, one, 3)
    assert not model.evaluate(o + np.nan, np.ones((1, n)), one, one, 3).converged
    again = model.evaluate(o, np.ones((1, n)), one, one, 3)
    assert again.converged
    np.testing.assert_allclose(again.values, first.values, rtol=1e-12)


@pytest.mark.parametrize("points", [1, 9])
@pytest.mark.parametrize("dims", [(1,), (1, 1)])
def test_posterior_of_gaussian_rows(points, dims):
    design = Design([("gaussian", "identity")], "r=1" if len(dims) == 1 else "(1,1)")
    o, A, f1, f2 = design.inputs(design.theta)
    moments = design.model.posterior(o, A, f1, f2, points)
    for cluster in range(design.ids[-1].max() + 1):
        rows = design.ids[-1] == cluster
        units = [np.unique(ids[rows]) for ids in design.ids]
        B = np.concatenate([(ids[rows][:, None] == u) * A[d, rows][:, None]
                            for d, (ids, u) in enumerate(zip(design.ids, units))], axis=1)  # fmt: skip
        S = np.linalg.inv(np.eye(B.shape[1]) + (B / f1[rows, None] ** 2).T @ B)
        m = S @ B.T @ ((design.y[rows] - o[rows]) / f1[rows] ** 2)
        start = 0
        for level, u in enumerate(units):
            here = slice(start, start + u.size)
            np.testing.assert_allclose(moments[level].means[u, 0], m[here], rtol=1e-8, atol=1e-9)
            np.testing.assert_allclose(moments[level].covariances[u, 0, 0], np.diag(S)[here], rtol=1e-8)
            start += u.size
