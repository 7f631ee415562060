"""The rows of a run of units at the nodes of these: scores by node, and expected second derivatives of densities.

Everything is in the cells of the chain (`Chain.cells`), of which parameters are functions: there are as many however
many parameters there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.chain import Chain
from semlang.estimation.kernels.chain_rows import RowInputs, SparseRows, reverse
from semlang.estimation.kernels.densities import PARAMETERS, TILE, addresses
from semlang.estimation.kernels.families import ENTRIES, with_role
from semlang.estimation.kernels.layout import Adjoints, Rows
from semlang.estimation.kernels.plain import plain_rows
from semlang.sums import count_by

__all__ = ["AtNodes", "RowsAtNodes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP = 1e-5
"""Of differences of first derivatives of a density in its inputs, in the size of a logit or of a residual SD."""
DISCRETE = np.array([e.family in ("binomial", "ordinal", "poisson") for e in ENTRIES])
"""Densities that are no narrower than a logit: differences to one side are exact enough, nothing cancels."""


@dataclass(frozen=True)
class AtNodes:
    """What rows have at the nodes of their unit.

    Parameters
    ----------
    scores : (Q, U, cells) floats
        Of units given a node.
    first : (K, R) floats
        Sums over nodes of weight times the first derivatives of the log densities in the inputs o, A, f1, f2.
    second : (K, K, R) floats
        The same of the second ones.
    slopes : (Q, R) floats
        First derivatives in o.
    """

    scores: Floats
    first: Floats
    second: Floats
    slopes: Floats


class RowsAtNodes:
    """Rows with their inputs at one point.

    Parameters
    ----------
    chain : Chain
    inputs : RowInputs
    kept : slice or (n,) ints
        Rows that count.
    weights : (n,) floats
        Of these.
    """

    def __init__(self, chain: Chain, inputs: RowInputs, kept: slice | Ints, weights: Floats) -> None:
        self.chain, self.inputs, self.weights = chain, inputs, weights
        self.kept = np.arange(chain.rows.y.size)[kept]
        self.codes, self.y = chain.rows.codes[kept], chain.rows.y[kept]
        self.some = int(PARAMETERS[self.codes].max(initial=0))
        """Inputs beside o and A that are parameters of a density."""
        self.count = 1 + chain.dims + self.some
        self.sides = (1.0,) if DISCRETE[self.codes].all() else (1.0, -1.0)
        self._address = addresses(np.flatnonzero(count_by(self.codes)))
        self._buffer = np.empty(5 * TILE)

    @cached_property
    def _steps(self) -> list[Floats]:
        """Return the steps in o, f1 and f2."""
        f1, f2 = self.inputs.f1[self.kept], self.inputs.f2[self.kept]
        sigma, positive = ([np.array(side)[self.codes] for side in zip(*with_role(*roles), strict=True)]
                           for roles in (("sigma",), ("sigma", "shape")))  # fmt: skip
        size = np.where(sigma[0], f1, np.where(sigma[1], f2, 1.0))
        of_f = [np.where(p, f, np.maximum(np.abs(f), 1.0)) for p, f in zip(positive, (f1, f2), strict=True)]
        return [STEP * size, *(STEP * f for f in of_f)]

    def _densities(self, rows: Rows) -> Floats:
        """Return l, dl/do, dl/df1 and dl/df2."""
        n, out = rows.o.size, np.zeros((4, rows.o.size))
        plain_rows(rows, 0, n, self._buffer, out[0], Adjoints(out[1], np.zeros((0, n)), out[2], out[3]))
        return out

    def evaluate(self, first: Ints, v: Floats, weight: Floats) -> AtNodes:
        """Evaluate rows at nodes.

        Parameters
        ----------
        first : (U + 1,) ints
            First row of each unit among those that count, and the end.
        v : (U, D, Q) floats
            Coordinates of the nodes.
        weight : (U, Q) floats
        """
        a, b = int(first[0]), int(first[-1])
        here, Q, sizes = self.kept[a:b], v.shape[2], np.diff(first)
        z = np.repeat(v.transpose(1, 2, 0), sizes, axis=2)  # (D, Q, R)
        p = np.repeat(weight.T, sizes, axis=1)
        o = np.einsum("dr,dqr->qr", self.inputs.A[:, here], z) + self.inputs.o[here]
        parts = [o.ravel(), np.tile(self.inputs.f1[here], Q), np.tile(self.inputs.f2[here], Q)]
        none = np.zeros((0, o.size))
        known = (np.tile(self.codes[a:b], Q), np.tile(self.y[a:b], Q), np.tile(self.weights[a:b], Q))

        def densities(k: int = 0, step: Floats | None = None) -> Floats:
            moved = [x if step is None or j != k else x + step for j, x in enumerate(parts)]
            rows = Rows(known[0], known[1], moved[1], moved[2], known[2], moved[0], none, none, self._address,
                        PARAMETERS)  # fmt: skip
            return self._densities(rows).reshape(4, *o.shape)

        centre = densities()
        slopes = centre[1 : 2 + self.some]
        dims, R = len(z), b - a
        means = np.zeros((self.count, R))
        second = np.zeros((self.count, self.count, R))
        for j, slope in enumerate(slopes):
            means[0 if j == 0 else dims + j] = np.einsum("qr,qr->r", p, slope)
        weighted = p * slopes[0]
        for d in range(dims):
            means[1 + d] = np.einsum("qr,qr->r", weighted, z[d])
        for k in range(1 + self.some):
            step = np.tile(self._steps[k][a:b], Q)
            ends = [densities(k, side * step) for side in self.sides]
            other = centre if len(ends) == 1 else ends[1]
            change = (ends[0] - other)[1:] * (p / (len(ends) * step.reshape(o.shape)))
            if k:
                for j in range(k, 1 + self.some):
                    second[dims + k, dims + j] = change[j].sum(axis=0)
                continue
            second[0, 0] = change[0].sum(axis=0)
            for d in range(dims):
                moved = change[0] * z[d]
                second[0, 1 + d] = moved.sum(axis=0)
                for e in range(d, dims):
                    second[1 + d, 1 + e] = np.einsum("qr,qr->r", moved, z[e])
                for j in range(1, 1 + self.some):
                    second[1 + d, dims + j] = np.einsum("qr,qr->r", change[j], z[d])
            for j in range(1, 1 + self.some):
                second[0, dims + j] = change[j].sum(axis=0)
        scores = self.scores(first, slopes[0], slopes[0] * z, [*slopes[1:]])
        return AtNodes(scores, means, second, slopes[0])

    def scores(self, first: Ints, o: Floats | None, A: Floats, f: list[Floats]) -> Floats:
        """Return the units' scores (Q, U, cells) from derivatives in the inputs of rows at nodes, (Q, R) each."""
        dims, Q, R = A.shape
        here = self.kept[first[0] : first[-1]]
        nothing = np.zeros(Q * R)
        o = nothing if o is None else o.ravel()
        f1, f2 = ([*(np.ascontiguousarray(x).ravel() for x in f), nothing, nothing])[:2]
        at = self.inputs
        inputs = RowInputs(
            np.tile(at.o[here], Q), np.ascontiguousarray(np.tile(at.A[:, here], Q)), np.tile(at.f1[here], Q),
            np.tile(at.f2[here], Q), np.tile(at.scale[here], Q),
        )  # fmt: skip
        begins = (np.arange(Q)[:, None] * R + (first[:-1] - first[0])).ravel()
        out = np.empty((begins.size, self.cells))
        bars = RowInputs(o, A.reshape(dims, Q * R), f1, f2, inputs.scale)
        reverse(np.append(begins, Q * R), self.chain.copies(here, Q), inputs, bars, self._each, np.zeros(self.cells),
                out)  # fmt: skip
        return out.reshape(Q, first.size - 1, self.cells)

    @cached_property
    def cells(self) -> int:
        """Number of cells."""
        return int(self.chain.n_cells)

    @cached_property
    def _each(self) -> SparseRows:
        every = np.arange(self.cells + 1, dtype=np.int64)
        return SparseRows(every, every[:-1].copy(), np.ones(self.cells))

    def input_jacobian(self, a: int, b: int) -> Floats:
        """Return the derivatives of the inputs of rows a to b with respect to the cells (K, b - a, cells)."""
        out = np.empty((self.count, b - a, self.cells))
        first = np.arange(a, b + 1)
        for k in range(self.count):
            unit = np.zeros((1 + self.chain.dims + 2, 1, b - a))
            unit[k] = 1.0
            A = np.ascontiguousarray(unit[1:-2])
            out[k] = self.scores(first, unit[0], A, [unit[-2], unit[-1]])[0]
        return out
