"""Second derivatives of a shared grid's log-likelihood: Louis' formula.

With the complete-data score of unit u at node q, ``S_uq = sum_{t in u} J_t' s_tq``, and posterior probabilities p_uq,

    d2 log L = sum_u { E[d2 log f] + E[S S'] - E[S] E[S]' }

(Louis 1982, JRSS B 44, eq. 3.2). For the middle term each node has, by pair of types, the posterior weight of the units
that have both: over all nodes and pairs that is one product of matrices. In two layers a unit's score is the sum of
those of its lower units, which are independent given the upper node: with M = E[S | upper node],

    Var(S) = E[sum_lower Var(S_lower | upper node)] + Var(sum_lower M_lower).

The first part is that of one layer, over the distinct lower units; the second a product of matrices an upper node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.grid.scores import CELLS, expected_scores, given_upper_node, summed
from semlang.estimation.grid.sections import Section
from semlang.estimation.kernels.chain_rows import RowInputs

if TYPE_CHECKING:
    from semlang.estimation.grid.shared_grid import Pass, SharedGrid

__all__ = ["second_derivatives"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP = 1e-5
"""Of differences of first derivatives of a density in its inputs, which have the size of a logit."""
SUMS = 4_000_000
"""Sums by node and pair of types that are kept at a time."""
RARE = 1e-12
"""Upper nodes with less posterior weight than this share are passed over."""


def second_derivatives(grid: SharedGrid, x: Floats) -> Floats:
    """Return the second derivatives of the log-likelihood (P, P)."""
    found = grid.evaluate(x, posterior=True)
    J, s = grid.chain.input_jacobian(found.inputs, found.jacobian), grid.slopes(found)
    total = _of_densities(grid, found, J) + grid.chain.second_derivatives(x, grid.bars(found))
    for section in grid.sections:
        total += _of_pairs(grid, found, J, s, section)
    if len(grid.layers) == 1:
        for units, columns, own in expected_scores(grid, lambda units: found.posterior[units], J, s):
            total[np.ix_(columns, columns)] -= _square(own, grid.weight[units])
    else:
        scores = np.zeros((grid.patterns, grid.n_parameters))
        for g in np.flatnonzero(found.mass > RARE * found.mass.sum()).tolist():
            lower = given_upper_node(grid, found, J, s, g)
            total -= _square(lower, found.line_weights[:, g])
            upper = summed(grid, lower)
            total += _square(upper, found.posterior[:, g] * grid.weight)
            scores += found.posterior[:, g, None] * upper
        total -= _square(scores, grid.weight)
    return 0.5 * (total + total.T)


def _square(scores: Floats, weight: Floats) -> Floats:
    """Return ``sum_u weight_u S_u S_u'``, weights not negative."""
    root = scores * np.sqrt(weight)[:, None]
    out: Floats = root.T @ root
    return out


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


def _of_pairs(grid: SharedGrid, found: Pass, J: Floats, s: Floats, section: Section) -> Floats:
    """Return ``sum_u E[S S']`` over the lowest units of a section, weighted."""
    kept, lift = _basis(section, grid.types.response)
    K, T = s.shape[0], section.types.size
    slopes = np.ascontiguousarray(s[:, section.types].transpose(1, 0, 2))  # (T, K, n)
    inner = np.zeros((T, K, T, K))
    i, j = np.triu_indices(kept.size + 1)
    own = slopes.shape[2] // len(grid.nodes)  # nodes of an upper one; in one layer each is its own
    some, chunk = max(1, SUMS // (own * i.size)), max(1, CELLS // T**2)
    for first in range(0, len(grid.nodes), some):
        upper = slice(first, min(first + some, len(grid.nodes)))
        products, begin = _products(grid, found, section, kept, upper), own * first
        for a in range(0, len(products), chunk):
            part = products[a : a + chunk]
            here = slice(begin + a, begin + a + len(part))
            whole = np.empty((len(part), kept.size + 1, kept.size + 1))
            whole[:, i, j] = whole[:, j, i] = part
            by_types = (lift.T @ whole @ lift).transpose(1, 0, 2)  # (T, nodes, T)
            for k in range(K):
                inner[:, :, :, k] += slopes[:, :, here] @ (by_types * slopes[:, k, here].T)
    jacobian = np.ascontiguousarray(J[:, section.types].transpose(1, 0, 2)).reshape(T * K, -1)
    columns = np.flatnonzero(jacobian.any(axis=0))
    out = np.zeros((grid.n_parameters, grid.n_parameters))
    out[np.ix_(columns, columns)] = jacobian[:, columns].T @ inner.reshape(T * K, -1) @ jacobian[:, columns]
    return out


def _products(grid: SharedGrid, found: Pass, section: Section, kept: Ints, upper: slice) -> Floats:
    """Return, by node of some upper ones and pair of columns i <= j, the sums over units of weight times both columns.

    Columns are those of `kept` types, and one of ones. Pairs are gone through in runs whose sums stay in cache.
    """
    width = kept.size + 1
    begins = np.concatenate([[0], np.cumsum(np.arange(width, 0, -1))])  # of pairs with first column i
    nodes = (upper.stop - upper.start) * (found.counts.shape[1] // len(grid.nodes))
    out = np.zeros((nodes, begins[-1]))
    i = 0
    while i < width:
        end = max(i + 1, int(np.searchsorted(begins, begins[i] + CELLS // nodes, side="right")) - 1)
        chunk = max(1, CELLS // max(nodes, int(begins[end] - begins[i])))
        for a in range(0, section.units.size, chunk):
            units = section.units[a : a + chunk]
            columns = np.ones((units.size, width))
            columns[:, :-1] = section.present[a : a + chunk, kept]
            pairs = np.empty((units.size, begins[end] - begins[i]))
            for k in range(i, end):
                to = begins[k : k + 2] - begins[i]
                np.multiply(columns[:, k, None], columns[:, k:], out=pairs[:, to[0] : to[1]])
            out[:, begins[i] : begins[end]] += grid.weights_at_nodes(found, units, upper).T @ pairs
        i = end
    return out


def _basis(section: Section, response: Ints) -> tuple[Ints, Floats]:
    """Return types and a matrix C (types and a constant, T) by which the others follow: ``present = (kept, 1) C``.

    Where all units have a response once, one of its categories is the rest.
    """
    T = section.types.size
    kept, lift = np.ones(T, dtype=bool), np.vstack([np.eye(T), np.zeros(T)])
    of = response[section.types]
    for k in np.unique(of):
        here = np.flatnonzero(of == k)
        if (section.present[:, here].sum(axis=1) == 1).all():
            last = here[-1]
            kept[last] = False
            lift[here[:-1], last] = -1.0
            lift[-1, last] = 1.0
    return np.flatnonzero(kept), lift[np.append(kept, True)]
