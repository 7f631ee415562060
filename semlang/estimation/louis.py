"""Scores and second derivatives at nodes that stand still: Louis' formula, for nested levels.

With nodes v_q of a unit's latent variables, weights free of parameters, and posterior probabilities p_q, the
log-likelihood ``log sum_q w_q exp(sum_i l_i(o_i + A_i'v_q))`` has

    d log L = E[S],   d2 log L = E[d2 log f] + Var(S),   S_q = sum_i d l_i(o_i + A_i'v_q)

(Louis 1982, JRSS B 44, eq. 3.2). Of units inside units S is a sum over those inside, which are independent given the
nodes above, so that

    Var(S) = sum_levels E[Var(M_level | nodes above)],   M_level = E[S | nodes of the level and above].

It costs one pass over rows and nodes however many parameters there are, and a product of matrices in the cells of the
chain: far less than a gradient for each of many parameters.

Where loadings of the lowest level have fewer dimensions than it has latent variables (factors of factors), nodes are in
those alone: v = B w + C u, with u as before the data, standard normal and independent of w. S is linear in u.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.chain import Chain
from semlang.estimation.evaluation import Nodes
from semlang.estimation.grid.row_types import row_types
from semlang.estimation.kernels.chain_rows import RowInputs
from semlang.estimation.kernels.families import SETS
from semlang.estimation.member import Infeasible
from semlang.estimation.quadrature import NestedQuadrature
from semlang.estimation.rows_at_nodes import RowsAtNodes
from semlang.sums import sum_by

if TYPE_CHECKING:
    from semlang.estimation.likelihood import QuadratureLikelihood

__all__ = ["Louis", "has_louis"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS_AT_NODES = 200_000
"""Rows times nodes that are gone through together."""
NUMBERS = 8_000_000
"""Numbers of the largest array of a run of units."""
FLAT = 1e-10
"""Share of the largest eigenvalue of A A' below which a direction has no loadings."""


def has_louis(member: QuadratureLikelihood) -> bool:
    """Whether the formula is for a member: nodes for all latent variables, no sets of rows, inputs sums of cells."""
    if not member.layers or member.chain.moderated or (member.rows.codes >= SETS).any():
        return False
    return min(member.node_counts()) > 1


class Louis:
    """A member's nodes at a point, and what they say of the log-likelihood there.

    Parameters
    ----------
    member : QuadratureLikelihood
        One of which `has_louis` is true.
    x : (P,) floats
    own : bool
        Nodes of its own, in the directions that have loadings, see `place`; else those of the member.

    Raises
    ------
    Infeasible
        If there is no density.
    """

    def __init__(self, member: QuadratureLikelihood, x: Floats, own: bool = False) -> None:
        self.member, self.x = member, x
        cells, self.jacobian = member.chain.cells(x)
        self.cells, self.inputs = cells, member.chain.forward(cells)
        dims = [layer.dims for layer in member.layers]
        self.turn, self.unseen = np.eye(dims[0]), np.zeros((dims[0], 0))
        self.engine, self.points = member.engine, member.node_counts()
        if own:
            self._turn(dims)

    def _turn(self, dims: list[int]) -> None:
        """Make an engine for the directions of the lowest level that have loadings."""
        member, A = self.member, self.inputs.A[: dims[0]]
        values, vectors = np.linalg.eigh(A @ A.T)
        seen = values > FLAT * max(float(values[-1]), 1e-300)
        if not seen.all():  # else coordinates stay as they are, in which factors have responses of their own
            self.turn, self.unseen = vectors[:, seen], vectors[:, ~seen]
        self.engine = NestedQuadrature(
            member.rows.y, member.rows.codes, member.rows.tree, [int(seen.sum()), *dims[1:]],
            member.row_weights, member.rows.unit_weights or None, 1, member.sparse, member.rows.constant,
        )  # fmt: skip

    @property
    def dims(self) -> list[int]:
        """Dimensions that have nodes, by layer."""
        return [self.turn.shape[1], *(layer.dims for layer in self.member.layers[1:])]

    @cached_property
    def _turned(self) -> Floats:
        own = self.turn.shape[0]
        return np.concatenate([self.turn.T @ self.inputs.A[:own], self.inputs.A[own:]])

    def place(self, points: int) -> None:
        """Put nodes of its own at posterior means and covariances: so they err by a third of what they do at modes."""
        i = self.inputs
        self.points = [points] * len(self.dims)
        self.engine.release()
        self.engine.place(i.o, self._turned, i.f1, i.f2, self.points)

    def values(self) -> Floats:
        """Return the log-likelihoods of the top-level units (weighted)."""
        i = self.inputs
        values = self.engine.values(i.o, self._turned, i.f1, i.f2, self.points)
        if values is None or not np.isfinite(values).all():
            raise Infeasible("a mode was not found")
        return values

    def run(self) -> None:
        """Go through all units once; the other functions say what was found."""
        inner = self.engine.integrated
        self.rows = RowsAtNodes(self.member.chain, self.inputs, inner.kept, inner.row_weights)
        found = row_types(self.member.reduced, self.member.design, self.member.rows)
        self._type = found.number[inner.kept]
        self._types = found.rows
        n, K = self.rows.cells, self.rows.count
        self._variance, self._scores = np.zeros((n, n)), list[Floats]()
        self._first = np.zeros((K, self._types.y.size))
        self._second = np.zeros((K, K, self._types.y.size))
        self._totals = list(inner.unit_weights)
        for level in range(len(self._totals) - 2, -1, -1):
            self._totals[level] = self._totals[level] * self._totals[level + 1][inner.tree.parent[level]]
        waiting: list[Nodes] = []

        def collect(nodes: Nodes) -> None:
            waiting.append(nodes)
            if sum(max(w.v.size, w.units.size * w.sizes[1] * n) for w in waiting) > NUMBERS:
                self._add(waiting)
                waiting.clear()

        i = self.inputs
        self.engine.nodes(i.o, self._turned, i.f1, i.f2, self.points, collect)
        if waiting:
            self._add(waiting)

    # ------------------------------------------------------------------ what was found

    @cached_property
    def scores(self) -> Floats:
        """Scores of the top-level units that count (C, P)."""
        return np.concatenate(self._scores) @ self.jacobian

    @cached_property
    def hessian(self) -> Floats:
        """Second derivatives of the log-likelihood (P, P)."""
        member = self.member
        chain = Chain(member.reduced, member.design, self._types, member.factors, member.layers)
        types = RowsAtNodes(chain, chain.forward(self.cells), slice(None), np.ones(self._types.y.size))
        types.some, types.count = self.rows.some, self.rows.count
        inner = self._variance.copy()
        size = max(1, NUMBERS // (types.count * types.cells))
        for a in range(0, self._types.y.size, size):
            b = min(a + size, self._types.y.size)
            J = types.input_jacobian(a, b)
            for k in range(types.count):
                inner += J[k].T @ np.einsum("mt,mtc->tc", self._second[k, :, a:b], J)
        dims = chain.dims
        nothing = np.zeros((2, self._types.y.size))
        f1, f2 = [*self._first[1 + dims :], *nothing][:2]
        bars = RowInputs(self._first[0], self._first[1 : 1 + dims], f1, f2, types.inputs.scale)
        out: Floats = self.jacobian.T @ inner @ self.jacobian + chain.second_derivatives(self.x, bars)
        return 0.5 * (out + out.T)

    # ------------------------------------------------------------------ sums over units

    def _add(self, parts: list[Nodes]) -> None:
        """Add what a run of units has, from the lowest level to the highest."""
        inner, sizes = self.engine.integrated, parts[0].sizes
        tree = inner.tree
        low = int(np.searchsorted(inner.units[0], parts[0].units[0]))
        high = low + sum(w.units.size for w in parts)
        weights, v = np.concatenate([w.weights for w in parts]), np.concatenate([w.v for w in parts])
        expected, above = self._lowest(low, high, weights, v, sizes)
        total = self._totals[0][low:high]
        for level in range(1, len(sizes) - 1):
            down = tree.first[level]
            a, b = int(np.searchsorted(down, low)), int(np.searchsorted(down, high))
            first = down[a:b] - low
            T = np.add.reduceat(inner.unit_weights[level - 1][low:high, None, None] * expected, first)
            p = above[first].reshape(b - a, sizes[level + 1], -1)
            low, high, total = a, b, self._totals[level][a:b]
            T = T.reshape(*p.shape, -1)
            self._square(T.reshape(-1, T.shape[-1]), (total[:, None, None] * p).ravel())
            expected, above = self._given(T, p, total)
        self._scores.append(total[:, None] * expected[:, 0])

    def _lowest(self, low: int, high: int, weights: Floats, v: Floats, sizes: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Return expected scores of lowest units (U, G, cells) and probabilities (U, G) by the nodes above."""
        starts = self.engine.integrated.tree.starts(0)
        own = self.turn.shape[1]
        v = np.concatenate([self.turn @ v[:, :own], v[:, own:]], axis=1)
        p = weights.reshape(high - low, sizes[1], -1)
        parts = []
        begin = low
        while begin < high:
            room = starts[begin] + ROWS_AT_NODES // sizes[0]
            end = min(max(int(np.searchsorted(starts, room, side="right")) - 1, begin + 1), high)
            here, total = slice(begin - low, end - low), self._totals[0][begin:end]
            parts.append(self._units(starts[begin : end + 1], v[here], p[here], total))
            begin = end
        expected, above = zip(*parts, strict=True)
        return np.concatenate(expected), np.concatenate(above)

    def _units(self, first: Ints, v: Floats, p: Floats, total: Floats) -> tuple[Floats, Floats]:
        used = np.flatnonzero(p.reshape(len(p), -1).any(axis=0))  # nodes that fill up have no weight
        if used.size < p[0].size:
            if p.shape[1] > 1:
                used = np.arange(p[0].size)
            else:
                v, p = v[:, :, used], p[:, :, used]
        weight = total[:, None] * p.reshape(len(p), -1)
        found = self.rows.evaluate(first, v, weight)
        S = found.scores
        self._square(S.reshape(-1, S.shape[2]), weight.T.ravel())
        if self.unseen.shape[1]:
            self._add_unseen(first, found.slopes, weight, found.second)
        types, n = self._type[first[0] : first[-1]], self._types.y.size
        for k in range(self.rows.count):
            self._first[k] += sum_by(types, found.first[k], n)
            for m in range(k, self.rows.count):
                part = sum_by(types, found.second[k, m], n)
                self._second[k, m] += part
                if m > k:
                    self._second[m, k] += part
        T = S.reshape(p.shape[1], p.shape[2], *S.shape[1:]).transpose(2, 0, 1, 3)
        return self._given(T, p, total)

    def _given(self, T: Floats, p: Floats, total: Floats) -> tuple[Floats, Floats]:
        """Return expected scores given the nodes above and the probabilities of these, less what they vary by.

        T (U, G, own, cells) are scores at nodes, p (U, G, own) their probabilities.
        """
        above = p.sum(axis=2)
        share = np.divide(p, above[:, :, None], out=np.zeros(p.shape), where=above[:, :, None] != 0.0)
        expected = np.einsum("ugs,ugsc->ugc", share, T)
        self._square(expected.reshape(-1, T.shape[-1]), -(total[:, None] * above).ravel())
        return expected, above

    def _square(self, S: Floats, weight: Floats) -> None:
        """Add ``sum weight S S'``."""
        for sign in (1.0, -1.0):
            here = sign * weight > 0.0
            if here.any():
                X = (S if here.all() else S[here]) * np.sqrt(sign * weight[here])[:, None]
                self._variance += sign * (X.T @ X)

    def _add_unseen(self, first: Ints, slopes: Floats, weight: Floats, second: Floats) -> None:
        """Add what directions without loadings have: their scores are ``sum_i l'_i C'dA_i``, of mean zero.

        By unit the sum over nodes of products of l' has as many eigenvectors as the unit has rows, mostly fewer.
        """
        own, n = self.turn.shape[0], self.inputs.A.shape[0]
        second[1 : 1 + own, 1 : 1 + own] += (self.unseen @ self.unseen.T)[:, :, None] * second[0, 0]
        sizes, a = np.diff(first), first[0]
        if sizes.max() < len(slopes):
            vectors, values = np.zeros((sizes.max(), slopes.shape[1])), np.zeros((sizes.max(), sizes.size))
            for u, m in enumerate(sizes.tolist()):
                here = slice(first[u] - a, first[u + 1] - a)
                X = slopes[:, here]
                values[:m, u], R = np.linalg.eigh((X * weight[u][:, None]).T @ X)
                vectors[:m, here] = R.T
        else:
            vectors, values = slopes, np.ascontiguousarray(weight.T)
        for direction in self.unseen.T:
            A = np.zeros((n, *vectors.shape))
            A[:own] = direction[:, None, None] * vectors
            S = self.rows.scores(first, None, A, [])
            self._square(S.reshape(-1, S.shape[2]), values.ravel())
