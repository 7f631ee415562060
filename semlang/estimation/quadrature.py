"""Adaptive Gauss-Hermite quadrature over nested levels, with the exact gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from semlang.estimation.kernels import draft

__all__ = ["Evaluation", "NestedQuadrature", "Posterior", "Tree"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """Nested units, lowest level first.

    Attributes
    ----------
    rows : int
        Number of rows N.
    sizes : tuple of int
        Number of units of each level.
    first : tuple of arrays
        ``first[l][u]`` is the first child of unit u of level l (level 0: its first row); one entry
        more than units.
    parent : tuple of arrays
        ``parent[l][u]`` is the unit of level l + 1 above unit u; empty for the top level.
    """

    rows: int
    sizes: tuple[int, ...]
    first: tuple[Ints, ...]
    parent: tuple[Ints, ...]

    @classmethod
    def from_ids(cls, ids: Sequence[NDArray[np.integer]], rows: int | None = None) -> Tree:
        """Build the tree from one array of unit numbers a level, lowest level first.

        Parameters
        ----------
        ids : sequence of (N,) integer arrays
            Rows are sorted so that the rows of a unit are contiguous at every level. A unit begins
            where its own number or that of a higher level changes, so numbers may repeat in other
            clusters. Units are numbered in order of appearance.
        rows : int, optional
            N, needed when there is no level.
        """
        n = len(ids[0]) if ids else (rows or 0)
        begins = np.zeros(n, dtype=bool)
        if n:
            begins[0] = True
        starts: list[Ints] = []
        for level in reversed(ids):
            begins = begins.copy()
            begins[1:] |= np.diff(np.asarray(level)) != 0
            starts.insert(0, np.flatnonzero(begins).astype(np.int64))
        first, parent = [], []
        for level_number, start in enumerate(starts):
            below = np.arange(n + 1) if level_number == 0 else np.r_[starts[level_number - 1], n]
            first.append(np.searchsorted(below, np.r_[start, n]).astype(np.int64))
            if level_number + 1 < len(starts):
                above = starts[level_number + 1]
                parent.append((np.searchsorted(above, start, side="right") - 1).astype(np.int64))
            else:
                parent.append(np.zeros(0, dtype=np.int64))
        return cls(n, tuple(s.size for s in starts), tuple(first), tuple(parent))


@dataclass(frozen=True)
class Evaluation:
    """Log-likelihood of each top-level cluster and its derivatives with respect to the rows' inputs.

    Attributes
    ----------
    values : (C,) array
        Log-likelihood of each top-level cluster times its weight, data constants included
        (each row is a cluster where there is no level).
    o_bar, f1_bar, f2_bar : (N,) arrays
    A_bar : (D, N) array
        Derivatives of ``values.sum()`` with respect to ``o, f1, f2, A``.
    steps : int
        Largest number of Newton steps of a cluster.
    converged : bool
        False if the mode of some cluster was not found; values are then not to be used.
    failed : array of int
        Those clusters.
    """

    values: Floats
    o_bar: Floats
    A_bar: Floats
    f1_bar: Floats
    f2_bar: Floats
    steps: int
    converged: bool
    failed: Ints


@dataclass(frozen=True)
class Posterior:
    """Posterior moments of the spherical latent variables of the units of one level.

    Attributes
    ----------
    means : (units, M) array
    covariances : (units, M, M) array
    """

    means: Floats
    covariances: Floats


class NestedQuadrature:
    """Marginal log-likelihood of rows nested in levels of normal latent variables.

    Row i has ``nu_i = o_i + sum_d A[d, i] v_d`` with ``v ~ N(0, I)``; the coordinates d are those of its
    lowest unit first, then those of each unit above it.

    Parameters
    ----------
    y : (N,) array
        Responses (category numbers are not read for ordinal rows: thresholds are row parameters).
    codes : (N,) int array
        Family and link, see `semlang.estimation.kernels.codes`.
    tree : Tree
    dims : sequence of int
        Number of latent coordinates of each level, lowest first; 0 is allowed.
    row_weights : (N,) array, optional
    unit_weights : sequence of arrays, optional
        One array a level (or None): multiplies the unit's log-likelihood inside its parent's integral.
    threads : int
        Results do not depend on it.
    """

    def __init__(
        self,
        y: Floats,
        codes: Ints,
        tree: Tree,
        dims: Sequence[int],
        row_weights: Floats | None = None,
        unit_weights: Sequence[Floats | None] | None = None,
        threads: int = 1,
    ) -> None:
        draft_code = np.full(15, -1)
        draft_code[[0, 5, 8, 11]] = [4, 1, 2, 3]
        self.codes = draft_code[codes]
        if (self.codes < 0).any():
            raise NotImplementedError("draft: binomial logit, poisson log, gaussian identity, ordinal logit")
        self.y = np.ascontiguousarray(y, dtype=np.float64)
        self.tree, self.dims, self.threads = tree, tuple(dims), threads
        levels, n = len(self.dims), tree.rows
        self.D = sum(self.dims)
        self.weights = np.ones(n) if row_weights is None else np.asarray(row_weights, dtype=np.float64)
        parts = unit_weights or [None] * levels
        uw = [np.ones(s) if w is None else np.asarray(w, float) for s, w in zip(tree.sizes, parts, strict=True)]
        self._uw = np.concatenate(uw)
        self._ptr = np.concatenate(tree.first)
        self._poff = np.cumsum([0] + [f.size for f in tree.first])[:-1].astype(np.int64)
        self._par = np.concatenate([*tree.parent[:-1], np.zeros(tree.sizes[-1], np.int64)])
        self._uoff = np.cumsum([0, *tree.sizes])[:-1].astype(np.int64)
        self._voff = np.cumsum([0] + [s * m for s, m in zip(tree.sizes, self.dims, strict=True)]).astype(np.int64)
        self._v = np.zeros(self._voff[-1])

    def reset(self) -> None:
        """Forget the modes: the next evaluation starts from zero."""
        self._v[:] = 0.0

    @property
    def modes(self) -> list[Floats]:
        """Modes of the latent variables, one (units, M) array a level."""
        return [
            self._v[self._voff[k] : self._voff[k + 1]].reshape(s, m).copy()
            for k, (s, m) in enumerate(zip(self.tree.sizes, self.dims, strict=True))
        ]

    def evaluate(self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int]) -> Evaluation:
        """Return log-likelihoods of the top-level clusters and the exact adjoints of the rows' inputs.

        Parameters
        ----------
        o, f1, f2 : (N,) arrays
        A : (D, N) array
        points : int or one a level
            Points per dimension; one is Laplace.
        """
        levels, n = len(self.dims), self.tree.rows
        per_level = [points] * levels if isinstance(points, int) else list(points)
        dims = np.array(self.dims)
        counts = np.array([q**m for q, m in zip(per_level, self.dims, strict=True)])
        z = np.zeros((levels, max(self.dims), counts.max()))
        lw = np.zeros((levels, counts.max()))
        for k, (q, m) in enumerate(zip(per_level, self.dims, strict=True)):
            x, w = hermegauss(q)
            grid = np.meshgrid(*[x] * m, indexing="ij")
            wgrid = np.meshgrid(*[np.log(w / w.sum())] * m, indexing="ij")
            z[k, :m, : counts[k]] = np.stack([g.ravel() for g in grid])
            lw[k, : counts[k]] = sum(g.ravel() for g in wgrid) + 0.5 * (z[k, :m, : counts[k]] ** 2).sum(0)
        c = self.tree.sizes[-1]
        val, ob, ab, fb = np.empty(c), np.empty(n), np.empty((self.D, n)), np.zeros((2, n))
        f1, f2 = np.clip(f1, -1e3, 1e3), np.clip(f2, -1e3, 1e3)
        a = np.ascontiguousarray(A)
        steps = draft.nested(
            0, c, levels, dims, counts, z, lw, self._ptr, self._poff, self._par, self._uoff, self._uw, self._v,
            self._voff, self.codes, self.y, f1, f2, self.weights, o, a, 1e-14, val, ob, ab, fb,
        )  # fmt: skip
        const = np.zeros(n)
        b, p, g = self.codes == 4, self.codes == 1, self.codes == 2
        const[b] = [lgamma(m + 1) - lgamma(k + 1) - lgamma(m - k + 1) for k, m in zip(self.y[b], f1[b], strict=True)]
        const[p] = [-lgamma(k + 1) for k in self.y[p]]
        const[g] = -0.5 * np.log(2 * np.pi)
        const *= self.weights
        for level in range(levels):
            const = np.add.reduceat(const, self.tree.first[level][:-1])
            const *= self._uw[self._uoff[level] : self._uoff[level] + const.size]
        bad = np.flatnonzero(~np.isfinite(val))
        return Evaluation(val + const, ob, ab, fb[0], fb[1], steps, steps < 200 and not bad.size, bad)

    def posterior(self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int]) -> list[Posterior]:
        """Return posterior means and covariances of the latent variables, one `Posterior` a level."""
        raise NotImplementedError
