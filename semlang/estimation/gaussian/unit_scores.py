"""Scores of the highest units from the posterior moments of the nested recursion.

By Fisher's identity the score of a unit is the posterior expectation of its complete-data score, leaf by leaf
for the loadings, row by row for means and residual variances, and unit by unit of every level for the
covariance matrices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.gaussian.sweep import sandwich, unpack
from semlang.sums import sum_by

if TYPE_CHECKING:
    from semlang.estimation.gaussian.nested import Nested

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def unit_scores(engine: Nested, theta: Floats) -> Floats:
    """Return the gradient of each unit of the highest level of the data: (units, P)."""
    chain, tree, data, leaves = engine.chain, engine.tree, engine.data, engine.leaves
    point = chain.at(theta)
    state = engine.state(point)
    posterior = engine.posterior(state)
    psi = [engine.sweep.prior_moments(i, p, unit=True) for i, p in enumerate(posterior)]
    first = tree.first[0]
    sizes = np.diff(first, append=data.y.shape[1])
    total = np.ones(first.size) if tree.total is None else tree.total[0]

    def by_leaf(v: Floats) -> Floats:
        """Sum over the rows of each leaf, with their weights."""
        v = v if tree.rows is None else v * tree.rows
        return v if first.size == v.size else np.add.reduceat(v, first)

    # Loadings and posterior moments of zeta itself.
    L, b, S = state.L.copy(), posterior[0].mean.copy(), unpack(posterior[0].covariance)
    if state.folded:
        full = np.zeros((len(engine.order),) * 2)
        for block, F in zip(engine.blocks, state.F, strict=True):
            full[block, block] = F
            L[:, :, block] = L[:, :, block] @ np.linalg.inv(F)
        b = full @ b
        S = sandwich(full, S)
    place = np.argsort(engine.order)
    cells = np.zeros((chain.n_cells, tree.n_top))
    mean_at, loading_at, psi_at, residual_at = chain.slices
    D = leaves.D.reshape(leaves.K, -1, leaves.D.shape[1])
    E = leaves.E.reshape(leaves.K, leaves.A, leaves.C + 1, -1)
    pair = {(int(a), int(c)): p for p, (a, c) in enumerate(zip(*leaves.pairs, strict=True))}
    mt = np.concatenate([-state.m, np.ones((leaves.K, 1))], 1)
    x = data.frame @ data.x
    residual_of = {int(i): cell for cell, (i, j) in enumerate(chain.residual) if i == j}
    coupled = {int(k): i for i, k in enumerate(engine.coupled)}

    variance_scores = np.zeros((leaves.K, tree.n_top))
    for k, response in enumerate(engine.residuals.response.tolist()):
        t = state.t[k]
        product = [np.tensordot(L[k, a], S, 1) for a in range(leaves.A)]
        fitted = [L[k, a] @ b for a in range(leaves.A)]
        of_loading = np.flatnonzero(chain.loading[:, 0] == response)
        if len(of_loading):
            standard = {}
            js = {int(j) for j in chain.loading[of_loading, 2]}
            for a in range(leaves.A):
                signal = mt[k] @ E[k, a]
                for j in js:
                    s = place[j]
                    v = b[s] * signal
                    for c in range(leaves.A):
                        v = v - D[k, pair[max(a, c), min(a, c)]] * (product[c][s] + b[s] * fitted[c])
                    standard[a, j] = v * total / t
            for cell in of_loading:
                _, a, j = chain.loading[cell].tolist()
                weights = data.random_frame[a].tolist()
                v = sum((w * standard[c, j] for c, w in enumerate(weights) if w), np.zeros(len(total)))
                cells[loading_at.start + cell] += _add(v, tree.top[0], tree.n_top)
        of_mean = np.flatnonzero(chain.mean[:, 0] == response)
        has_variance = response not in coupled
        if not len(of_mean) and not has_variance:
            continue
        residual = data.y[k] - state.m[k] @ data.x
        for a in range(leaves.A):
            own = np.repeat(fitted[a], sizes)
            residual -= own if a == 0 else own * data.d[a]  # the first column of d is the constant
        seen = ~np.isnan(residual)
        if not seen.all():
            residual[~seen] = 0.0
        for cell in of_mean:
            c = int(chain.mean[cell, 1])
            v = by_leaf(residual if c == 0 else residual * x[c]) * total / t  # so is the first of x
            cells[mean_at.start + cell] += _add(v, tree.top[0], tree.n_top)
        if has_variance:
            v = (0.5 * by_leaf(residual**2) / t**2 - 0.5 * by_leaf(1.0 * seen) / t) * total
            spread = np.zeros(len(total))
            for (a, c), p in pair.items():
                spread += (1.0 if a == c else 2.0) * D[k, p] * (L[k, a] @ product[c])
            v_leaf = 0.5 * spread * total / t**2
            variance_scores[k] = _add(v + v_leaf, tree.top[0], tree.n_top)
            if response in residual_of:
                cells[residual_at.start + residual_of[response]] = variance_scores[k]

    # Covariance matrices, by level; residual covariances are those of disturbances after the model's.
    where = {}
    for i, block in enumerate(engine.blocks):
        for s in range(block.start, block.stop):
            where[int(engine.order[s])] = (i, s - block.start)
    bars = []
    for F, own_bar in zip(state.F, psi, strict=True):
        if state.folded:
            inverse = np.asarray(np.linalg.inv(F), dtype=float)
            bars.append(sandwich(inverse.T, own_bar))
        else:
            bars.append(own_bar)
    targets = [(psi_at.start + c, int(i), int(j)) for c, (i, j) in enumerate(chain.psi)]
    targets += [
        (residual_at.start + c, engine.J + coupled[int(i)], engine.J + coupled[int(j)])
        for c, (i, j) in enumerate(chain.residual)
        if int(i) in coupled and int(j) in coupled
    ]
    for cell, i, j in targets:
        level, s = where[i]
        v = bars[level][s, where[j][1]] * (1.0 if i == j else 2.0)
        cells[cell] = _add(v, tree.top[level], tree.n_top)
    out = np.asarray(chain.jacobian(point).T @ cells)
    engine.residuals.gradient(state.t, variance_scores, out)
    return out.T


def _add(v: Floats, unit: Ints, n: int) -> Floats:
    return v if len(v) == n else sum_by(unit, v, n)
