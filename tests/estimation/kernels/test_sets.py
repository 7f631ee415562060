"""Rows that have a density together: values against sums over nodes by numpy, gradients against differences."""

from __future__ import annotations

import numpy as np
import pytest
from designs import STRUCTURES, ids_of
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import logsumexp

from semlang.estimation.kernels.families import CODES
from semlang.estimation.quadrature import NestedQuadrature, Tree

SET, LOGIT = CODES["multinomial", "logit"], CODES["binomial", "logit"]


class Sets:
    """Sets of two to five alternatives and some binary rows between them; theta moves o and all columns of A."""

    def __init__(self, structure, seed=3, weights=False, sizes=(1, 6)):
        rng = np.random.default_rng(seed)
        self.dims, units = STRUCTURES[structure]
        ids = ids_of(units, rng)
        size = rng.integers(*sizes, ids[0].size)  # of one: a binary row
        first = np.cumsum(size) - size
        self.ids = [np.repeat(i, size) for i in ids]
        n = self.n = int(size.sum())
        D = sum(self.dims)
        place = np.arange(n) - np.repeat(first, size)
        coupled = np.repeat(size > 1, size)
        self.codes = np.where(coupled, SET, LOGIT)
        self.f1 = np.where(coupled, np.repeat(size, size) - place, 1.0)
        self.y = np.where(coupled, place == np.repeat(rng.integers(0, size), size), rng.integers(0, 2, n)) * 1.0
        self.X, self.Z, self.W = rng.normal(size=(2, n)), rng.normal(size=(D, n)), rng.normal(size=(D, n))
        self.row_weights = np.repeat(rng.uniform(0.5, 2.0, size.size), size) if weights else np.ones(n)
        unit_weights = [rng.uniform(0.5, 2, i.max() + 1) for i in self.ids] if weights else None
        self.model = NestedQuadrature(
            self.y, self.codes, Tree.from_ids(self.ids), self.dims, self.row_weights, unit_weights
        )
        self.theta = np.r_[0.3, -0.4, np.full(D, 0.8), np.full(D, 0.3)]

    def inputs(self, theta):
        D = len(self.Z)
        o = theta[0] * self.X[0] + theta[1] * self.X[1]
        return o, self.Z * theta[2 : 2 + D, None] + self.W * theta[2 + D :, None], self.f1, np.zeros(self.n)

    def value(self, theta, points):
        e = self.model.evaluate(*self.inputs(theta), points)
        assert e.converged
        return e.values.sum()

    def gradient(self, theta, points):
        e = self.model.evaluate(*self.inputs(theta), points)
        return np.r_[self.X @ e.o_bar, (e.A_bar * self.Z).sum(1), (e.A_bar * self.W).sum(1)]

    def differences(self, theta, points, h=2e-3):
        g = np.zeros(theta.size)
        for k in range(theta.size):
            step = h * np.eye(theta.size)[k]
            d = [self.value(theta + j * step, points) - self.value(theta - j * step, points) for j in (1, 2, 3)]
            g[k] = (45 * d[0] - 9 * d[1] + d[2]) / (60 * h)
        return g


@pytest.mark.parametrize("points", [1, 3, 7, 15])
@pytest.mark.parametrize("structure", ["r=1", "r=2", "(1,1)"])
def test_gradient(structure, points):
    d = Sets(structure)
    error = np.abs(d.gradient(d.theta, points) - d.differences(d.theta, points)).max()
    assert error < 1e-6 * (1.0 + np.abs(d.gradient(d.theta, points)).max())


@pytest.mark.parametrize(("structure", "points"), [("r=3", 3), ("(2,1)", 3), ("(1,2)", 1), ("(1,1,1)", 3)])
def test_gradient_of_more_dimensions_and_weights(structure, points):
    d = Sets(structure, seed=5, weights=True)
    error = np.abs(d.gradient(d.theta, points) - d.differences(d.theta, points)).max()
    assert error < 1e-6 * (1.0 + np.abs(d.gradient(d.theta, points)).max())


def test_gradient_at_nodes_that_stand_still():
    d = Sets("(1,1)")
    d.model.place(*d.inputs(d.theta), 7)
    theta = d.theta + 0.05
    assert d.gradient(theta, 7) == pytest.approx(d.differences(theta, 7), abs=1e-6)


def dense(d, theta):
    """The log-likelihood by one rule of 150 nodes for all units."""
    z, w = hermegauss(150)
    o, A, f1, _ = d.inputs(theta)
    nu = o[:, None] + A[0][:, None] * z
    rows = np.where(d.y[:, None] == 1.0, -np.logaddexp(0, -nu), -np.logaddexp(0, nu))
    first = np.flatnonzero((d.codes == SET) & (np.r_[1.0, f1[:-1]] == 1.0))
    for i in first:
        here = slice(i, i + int(f1[i]))
        rows[here] = 0.0
        rows[i] = nu[here][d.y[here] == 1.0][0] - logsumexp(nu[here], axis=0)
    sums = np.zeros((d.ids[0].max() + 1, z.size))
    np.add.at(sums, d.ids[0], rows)
    return logsumexp(sums + np.log(w / w.sum()), axis=1).sum()


def test_value():
    d = Sets("r=1")
    # 61 adaptive points and 150 fixed ones agree to 1e-8 with more of either
    assert d.value(d.theta, 61) == pytest.approx(dense(d, d.theta), abs=1e-7)


def test_a_set_of_two_is_a_binary_row():
    d = Sets("r=2", sizes=(2, 3))
    o, A, f1, f2 = d.inputs(d.theta)
    binary = NestedQuadrature(d.y[1::2], np.full(d.n // 2, LOGIT), Tree.from_ids([i[::2] for i in d.ids]), d.dims)
    one, two = np.ones(d.n // 2), np.zeros(d.n // 2)
    for points in (1, 7):
        expected = binary.evaluate(o[1::2] - o[::2], A[:, 1::2] - A[:, ::2], one, two, points)
        found = d.model.evaluate(o, A, f1, f2, points)
        assert found.values == pytest.approx(expected.values, abs=1e-10)
        assert found.o_bar[1::2] == pytest.approx(expected.o_bar, abs=1e-9)
        assert found.o_bar[::2] == pytest.approx(-expected.o_bar, abs=1e-9)


def test_units_longer_than_the_table_are_not_cut_inside_a_set():
    """With 500 rows a unit and 41 * 41 nodes the table of densities is filled several times."""
    rng = np.random.default_rng(1)
    sets, n = 400, 1600
    y = (np.arange(n) % 4 == np.repeat(rng.integers(0, 4, sets), 4)) * 1.0
    f1 = np.tile([4.0, 3.0, 2.0, 1.0], sets)
    A = rng.normal(size=(2, n)) * 0.1
    one = NestedQuadrature(y, np.full(n, SET), Tree.from_ids([np.zeros(n, dtype=int)]), [2])
    o = rng.normal(size=n)
    found = one.evaluate(o, A, f1, np.zeros(n), 41)
    few = one.evaluate(o, A, f1, np.zeros(n), 15)
    assert found.values == pytest.approx(few.values, abs=1e-6)  # the integrand is nearly normal
    assert found.o_bar == pytest.approx(few.o_bar, abs=1e-6)
