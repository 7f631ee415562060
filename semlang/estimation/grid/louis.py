"""Second derivatives of a shared grid's log-likelihood: Louis' formula.

With the complete-data score of unit u at node q, ``S_uq = sum_{t in u} J_t' s_tq``, and posterior probabilities p_uq,

    d2 log L = sum_u { E[d2 log f] + E[S S'] - E[S] E[S]' }

(Louis 1982, JRSS B 44, eq. 3.2). The middle term is a product of matrices a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from semlang.estimation.grid.scores import CELLS, pattern_scores, type_counts
from semlang.estimation.kernels.chain_rows import RowInputs

if TYPE_CHECKING:
    from semlang.estimation.grid.shared_grid import Pass, SharedGrid

__all__ = ["second_derivatives"]

Floats = NDArray[np.float64]

STEP = 1e-5
"""Of differences of first derivatives of a density in its inputs, which have the size of a logit."""
RARE = 1e-12
"""Nodes with less posterior weight than this share are passed over."""


def second_derivatives(grid: SharedGrid, x: Floats) -> Floats:
    """Return the second derivatives of the log-likelihood (P, P)."""
    found = grid.evaluate(x, posterior=True)
    J, s = grid.chain.input_jacobian(found.inputs, found.jacobian), grid.slopes(found)
    total = (
        _of_densities(grid, found, J)
        + grid.chain.second_derivatives(x, grid.bars(found))
        + _between_nodes(grid, found, J, s)
    )
    scores = pattern_scores(grid, found, J, s)
    out: Floats = total - (scores * grid.weight[:, None]).T @ scores
    return 0.5 * (out + out.T)


def _of_densities(grid: SharedGrid, found: Pass, J: Floats) -> Floats:
    """Return ``sum_t J_t' (sum_q R_tq d2 l_tq) J_t``, second derivatives in the inputs by differences of the first."""
    names = ["o", "A", "f1", "f2"]
    dims = found.nodes.shape[0]
    column = {k: (0 if k == 0 else 1 if k <= dims else k - dims + 1) for k in grid.chain.inputs_used}
    by_name: dict[int, Floats] = {}
    for name in sorted({c for c in column.values() if c != 1}):
        ends = []
        for sign in (1.0, -1.0):
            parts = {n: getattr(found.inputs, n) for n in names}
            parts[names[name]] = parts[names[name]] + sign * STEP
            moved = RowInputs(parts["o"], parts["A"], parts["f1"], parts["f2"], found.inputs.scale)
            ends.append(grid.table_at(moved, found.nodes))
        by_name[name] = (ends[0] - ends[1])[1:] / (2.0 * STEP)  # (3, T, n): d l', d l_f1, d l_f2
    z = {k: found.nodes[k - 1] if 1 <= k <= dims else np.ones(found.nodes.shape[1]) for k in grid.chain.inputs_used}
    out = np.zeros((grid.n_parameters, grid.n_parameters))
    for a, k in enumerate(grid.chain.inputs_used):
        for b, m in enumerate(grid.chain.inputs_used):
            inner = by_name[0 if column[k] == 1 else column[k]][max(column[m] - 1, 0)]
            weight = (found.counts * inner * z[k] * z[m]).sum(axis=1)
            out += (J[a] * weight[:, None]).T @ J[b]
    return out


def _between_nodes(grid: SharedGrid, found: Pass, J: Floats, s: Floats) -> Floats:
    """Return ``sum_u w_u E[S S']``: by node the products of units' types, in a basis of these."""
    size = grid.types.y.size
    out = np.zeros((grid.n_parameters, grid.n_parameters))
    used = np.flatnonzero(found.mass > RARE * found.mass.sum())
    chunk = max(1, CELLS // max(size, 1))
    for a in range(0, grid.patterns, chunk):
        b = min(a + chunk, grid.patterns)
        present, lift = _basis(grid, type_counts(grid, a, b))
        for q in used:
            weighted = present * np.sqrt(found.posterior[a:b, q] * grid.weight[a:b])[:, None]
            product = dsyrk(1.0, weighted, trans=1)
            product += np.triu(product, 1).T
            slope = lift @ np.einsum("kt,ktp->tp", s[:, :, q], J)
            out += slope.T @ product @ slope
    return out


def _basis(grid: SharedGrid, present: Floats) -> tuple[Floats, Floats]:
    """Return columns B and a matrix C with ``present = B C``: where all answered an item, one category is the rest."""
    size, response = present.shape[1], grid.types.response
    kept = np.ones(size, dtype=bool)
    lift = np.eye(size)
    constant = np.zeros(size)
    for k in np.unique(response):
        here = np.flatnonzero(response == k)
        if (present[:, here].sum(axis=1) == 1.0).all():
            last = here[-1]
            kept[last] = False
            constant[last] = 1.0
            lift[here[:-1], last] = -1.0
    if kept.all():
        return present, lift
    columns = np.column_stack([present[:, kept], np.ones(present.shape[0])])
    return columns, np.vstack([lift[kept], constant])
