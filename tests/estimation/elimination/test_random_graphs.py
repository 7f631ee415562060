"""Elimination in turn against the whole product of nodes, on random graphs of latent variables.

The whole sum is made here with numpy and scipy alone: covariance matrix of the latent variables from the paths, density
of every node, logistic responses. Equal to 1e-10 of the log-likelihood, which is rounding.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal, norm

import semlang as sl
from semlang.estimation.elimination.eliminated_grid import EliminatedGrid
from semlang.estimation.elimination.outline import outline

Z = np.linspace(-2.5, 2.5, 4)
"""Nodes of every variable: few and coarse, since both sums must be equal whatever the nodes are."""

PERSONS = 12


class Coarse(EliminatedGrid):
    """The member with these nodes."""

    @property
    def nodes(self) -> np.ndarray:
        return Z


class Graph:
    """A random model: paths among latent variables, correlated disturbances, loadings on one or two of them."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.d = d = int(rng.integers(2, 6))
        self.B = np.tril((rng.random((d, d)) < 0.4) * rng.uniform(-0.7, 0.7, (d, d)), -1)
        self.Psi = np.diag(rng.uniform(0.4, 1.5, d))
        for a in range(d):
            for b in range(a):
                if rng.random() < 0.15 and not self.B[a, b]:
                    self.Psi[a, b] = self.Psi[b, a] = 0.2
        items = 2 * d
        self.loadings = np.zeros((items, d))
        for k in range(items):
            self.loadings[k, k % d] = rng.uniform(0.5, 1.5)
            if rng.random() < 0.25:
                self.loadings[k, rng.integers(d)] = rng.uniform(-1.0, 1.0)
        self.intercepts = rng.normal(size=items)
        y = (rng.random((PERSONS, items)) < 0.5).astype(float)
        y[rng.random(y.shape) < 0.1] = np.nan
        y[0], y[1] = 0.0, 1.0  # both are there
        self.y = y

    @property
    def text(self) -> str:
        f = [f"f{j + 1}" for j in range(self.d)]
        lines = ["options: auto.cov.lv.x = false, auto.cov.y = false", f"y{{1..{2 * self.d}}} :: binomial(logit)"]
        for j in range(self.d):
            on = [f"{self.loadings[k, j]!r}*y{k + 1}" for k in np.flatnonzero(self.loadings[:, j])]
            lines.append(f"{f[j]} =~ " + " + ".join(on))
            lines += [f"{f[j]} ~ {float(self.B[j, i])!r}*{f[i]}" for i in np.flatnonzero(self.B[j])]
            lines += [f"{f[j]} ~~ {float(self.Psi[j, i])!r}*{f[i]}" for i in range(j + 1) if self.Psi[j, i]]
        lines += [f"y{k + 1} ~ {float(b)!r}*1" for k, b in enumerate(self.intercepts) if k]
        return "\n".join(lines).replace("np.float64(", "").replace(")*", "*")

    @property
    def covariance(self) -> np.ndarray:
        T = np.linalg.inv(np.eye(self.d) - self.B)
        return T @ self.Psi @ T.T


def whole_sum(graph: Graph, steps: list[tuple[int, list[int]]]) -> float:
    """Return the log-likelihood over the product of all nodes."""
    S = graph.covariance
    c = np.sqrt(np.diag(S))
    R = S / np.outer(c, c)
    grid = np.array(list(product(Z, repeat=graph.d)))
    log_prior, density = np.zeros(len(grid)), np.zeros(len(grid))
    for j, given in steps:
        b = np.linalg.solve(R[np.ix_(given, given)], R[given, j]) if given else np.zeros(0)
        sd = np.sqrt(1.0 - b @ R[given, j]) if given else 1.0
        mean = grid[:, given] @ b
        own = norm.logpdf(grid[:, j], mean, sd)
        log_prior += own - logsumexp(norm.logpdf(Z[None, :], mean[:, None], sd), axis=1)
        density += own
    # the order is one that the graph allows: the conditional densities make up the joint one
    assert density == pytest.approx(multivariate_normal(np.zeros(graph.d), R).logpdf(grid), abs=1e-9)
    p = expit(graph.intercepts + (grid * c) @ graph.loadings.T)
    total = 0.0
    for y in graph.y:
        seen = ~np.isnan(y)
        log_p = np.where(y[seen] == 1.0, np.log(p[:, seen]), np.log1p(-p[:, seen])).sum(axis=1)
        total += logsumexp(log_prior + log_p)
    return float(total)


def check(seed: int) -> None:
    graph = Graph(seed)
    data = pd.DataFrame(graph.y, columns=[f"y{k + 1}" for k in range(graph.y.shape[1])])
    model, designs, _ = sl.Model(graph.text).bind(data)
    table = model.parameter_table
    found = outline(model.graphs[0], table.levels, [PERSONS] * len(table.levels), graph.y.size)
    assert found is not None
    assert table.n_parameters == 1  # the first intercept
    place = [int(key[1:]) - 1 for key in found.keys]
    steps = [(place[s.variable], [place[g] for g in s.given]) for s in found.steps]
    value = Coarse(found, designs[0], table.variables, table.levels).value(graph.intercepts[: table.n_parameters])
    assert value == pytest.approx(whole_sum(graph, steps), rel=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_some_graphs(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 210))
def test_two_hundred_graphs(seed: int) -> None:
    check(seed)
