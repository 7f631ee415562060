"""Small nested data sets with a linear chain from a few parameters to the inputs of the quadrature."""

from __future__ import annotations

import numpy as np

from semlang.estimation.kernels.families import CODES, ENTRIES, NO_THRESHOLD, SETS
from semlang.estimation.quadrature import NestedQuadrature, Tree

ALONE = {pair: code for pair, code in CODES.items() if code < SETS}
"""Codes of rows that have a density by themselves."""

STRUCTURES = {
    "r=1": ([1], [9, 5]),
    "r=2": ([2], [8, 5]),
    "r=3": ([3], [6, 5]),
    "(1,1)": ([1, 1], [4, 3, 4]),
    "(2,1)": ([2, 1], [3, 3, 4]),
    "(1,2)": ([1, 2], [3, 3, 4]),
    "(1,1,1)": ([1, 1, 1], [3, 2, 2, 3]),
}
SHIFT = {"identity": 8.0, "sqrt": 3.0, "reciprocal": 2.0}
SCALE = {"reciprocal": 0.15, "log": 0.4, "identity": 0.7, "sqrt": 0.4}


def ids_of(sizes: list[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Units with random numbers of children, one among them; lowest level first, top clusters sizes[0]."""
    ids = [np.arange(sizes[0])]
    for mean in sizes[1:]:
        repeats = rng.integers(1, 2 * mean, ids[-1].size)
        ids = [np.repeat(level, repeats) for level in ids]
        ids.append(np.arange(ids[0].size))
    return ids[:-1][::-1]


class Design:
    """Rows with o = X b, A = Z * loadings, f = f0 + increments; theta moves all of them."""

    def __init__(self, pairs, structure, seed=1, weights=False, threads=1, trials=3):
        rng = np.random.default_rng(seed)
        self.dims, sizes = STRUCTURES[structure] if isinstance(structure, str) else structure
        self.ids = ids_of(sizes, rng)
        n = self.ids[0].size
        self.n, D = n, sum(self.dims)
        pair = [pairs[i % len(pairs)] for i in range(n)]
        self.codes = np.array([CODES[p] for p in pair])
        family, link = np.array([p[0] for p in pair]), np.array([p[1] for p in pair])
        durations = np.isin(family, ("exponential", "weibull", "loglogistic"))
        plain = np.isin(family, ("binomial", "ordinal", "guessed binomial", "sequential", "beta")) | durations
        scale = np.array([1.0 if c else SCALE.get(p, 1.0) for c, p in zip(plain, link)])
        normal = np.array([f.split()[-1] in ("gaussian", "lognormal") for f in family])
        shift = np.array([
            0.0 if c or (g and p == "identity") else SHIFT.get(p, 0.3) for c, g, p in zip(plain, normal, link)
        ])  # fmt: skip
        self.X = rng.normal(size=(2, n)) * scale
        self.Z = rng.normal(size=(D, n))
        self.Z[0] = 1.0
        self.Z = self.Z * scale * 0.8
        self.load = rng.integers(0, 3, n)
        v = [rng.normal(size=(i.max() + 1, m)) for i, m in zip(self.ids, self.dims)]
        nu = shift + 0.5 * self.X[0] + (self.Z * np.concatenate([x[i].T for x, i in zip(v, self.ids)])).sum(0)
        self.o0 = shift
        self.f1, self.f2 = np.full(n, np.nan), np.full(n, np.nan)
        self.y = np.zeros(n)
        b = family == "binomial"
        self.f1[b] = rng.integers(1, trials + 1, b.sum())
        p = 1 / (1 + np.exp(-nu))
        self.y[b] = rng.binomial(self.f1[b].astype(int), p[b])
        mean = np.select(
            [link == "log", link == "sqrt", link == "reciprocal"],
            [np.exp(np.minimum(nu, 3)), nu**2, 1 / np.where(nu == 0, 1, nu)],
            nu,
        )
        self.roles = np.array([ENTRIES[code][2:4] for code in self.codes])
        values = {"shape": 1.7, "zero": 0.25, "guess": 0.2, "slip": 0.1, "one": 1.0, "continues": 0.3}
        for f, role in ((self.f1, self.roles[:, 0]), (self.f2, self.roles[:, 1])):
            for name, value in values.items():
                f[role == name] = value
        c = np.isin(family, ("poisson", "negbinomial", "inflated poisson", "inflated negbinomial"))
        self.y[c] = rng.poisson(np.abs(mean[c]))
        c = np.char.startswith(family, "inflated")
        self.y[c] *= rng.random(c.sum()) > 0.25
        c = family == "guessed binomial"
        self.y[c] = rng.random(c.sum()) < 0.2 + 0.7 * p[c]
        c = family == "sequential"
        self.y[c] = rng.random(c.sum()) < p[c]
        c = family == "censored gaussian"
        self.f2[c] = rng.integers(-1, 2, c.sum())
        c = family == "gamma"
        self.y[c] = np.abs(mean[c]) * rng.gamma(1.7, 1 / 1.7, c.sum())
        c = family == "beta"
        self.y[c] = np.clip(rng.beta(1.7 * p[c], 1.7 * (1 - p[c])), 1e-4, 1 - 1e-4)
        self.y[durations] = 0.8 * rng.logistic(size=durations.sum()) + np.where(link == "aft", nu, -nu)[durations]
        self.f2[durations] = rng.random(durations.sum()) < 0.7
        g = normal
        self.f1[g] = 0.5 if "reciprocal" not in link else 0.2
        self.y[g] = mean[g] + self.f1[g] * rng.normal(size=g.sum())
        c = np.flatnonzero(np.char.startswith(family, "interval"))
        self.f2[c] = self.y[c] + np.resize([0.3, 0.0, 1e300, 0.2, 1e-6], c.size)
        self.y[c[3::5]] = -1e300
        k = family == "ordinal"
        cuts = np.array([-1.0, 0.1, 1.2])
        category = (nu[k, None] + rng.logistic(size=(k.sum(), 1)) > cuts).sum(1)
        self.f1[k] = np.r_[cuts, NO_THRESHOLD][category]
        self.f2[k] = np.r_[-NO_THRESHOLD, cuts][category]
        self.cut1, self.cut2 = np.full(n, -1), np.full(n, -1)
        self.cut1[k] = np.where(category < 3, category, -1)
        self.cut2[k] = category - 1
        self.sigma = g | (self.roles[:, 0] == "shape")
        self.first = np.isin(self.roles[:, 0], ("zero", "guess", "continues"))
        self.second = np.isin(self.roles[:, 1], ("zero", "slip"))
        row_weights = unit_weights = None
        if weights:
            row_weights = rng.uniform(0.5, 2, n)
            row_weights[::3] = 1.0
            row_weights[1::7] = 0.0
            unit_weights = [rng.uniform(0.5, 2, i.max() + 1) for i in self.ids]
            unit_weights[0][1] = 0.0
        self.row_weights, self.unit_weights = row_weights, unit_weights
        self.model = NestedQuadrature(
            self.y, self.codes, Tree.from_ids(self.ids), self.dims, row_weights, unit_weights, threads
        )
        # theta: 2 slopes, D scales, 2 loadings, shifts of sigma or shape, of 3 thresholds, of either probability
        self.theta = np.concatenate([[0.3, -0.2], np.full(D, 0.9), [0.1, -0.1], np.zeros(6)])

    def inputs(self, theta):
        D = self.Z.shape[0]
        loading = 1.0 + np.r_[0.0, theta[2 + D : 4 + D]][self.load]
        o = self.o0 + theta[0] * self.X[0] + theta[1] * self.X[1]
        A = self.Z * theta[2 : 2 + D, None] * loading
        f1 = self.f1 + np.where(self.sigma, theta[4 + D], 0.0) + np.r_[theta[5 + D : 8 + D], 0.0][self.cut1]
        f1 = f1 + np.where(self.first, theta[8 + D], 0.0)
        f2 = self.f2 + np.r_[theta[5 + D : 8 + D], 0.0][self.cut2] + np.where(self.second, theta[9 + D], 0.0)
        return o, A, f1, f2

    def value(self, theta, points):
        e = self.model.evaluate(*self.inputs(theta), points)
        assert e.converged, e
        return e.values.sum()

    def gradient(self, theta, points):
        D = self.Z.shape[0]
        e = self.model.evaluate(*self.inputs(theta), points)
        assert e.converged, e
        loading = 1.0 + np.r_[0.0, theta[2 + D : 4 + D]][self.load]
        by_row = (e.A_bar * self.Z * theta[2 : 2 + D, None]).sum(0)
        cuts = [e.f1_bar[self.cut1 == k].sum() + e.f2_bar[self.cut2 == k].sum() for k in range(3)]
        return np.concatenate([
            self.X @ e.o_bar, (e.A_bar * self.Z * loading).sum(1),
            [by_row[self.load == 1].sum(), by_row[self.load == 2].sum()], [e.f1_bar[self.sigma].sum()], cuts,
            [e.f1_bar[self.first].sum(), e.f2_bar[self.second].sum()],
        ])  # fmt: skip

    def differences(self, theta, points, h=2e-3):
        """Central differences of order six."""
        g = np.zeros(theta.size)
        for k in range(theta.size):
            step = h * np.eye(theta.size)[k]
            d = [self.value(theta + j * step, points) - self.value(theta - j * step, points) for j in (1, 2, 3)]
            g[k] = (45 * d[0] - 9 * d[1] + d[2]) / (60 * h)
        return g
