"""Nested units, and their division into batches of top-level clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.layout import Nest

__all__ = ["Batch", "Tree", "batches_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS_OF_A_BATCH = 6144


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

        Examples
        --------
        >>> tree = Tree.from_ids([np.array([0, 0, 1, 0]), np.array([7, 7, 7, 8])])
        >>> tree.sizes
        (3, 2)
        """
        n = len(ids[0]) if ids else (rows or 0)
        begins = np.zeros(n, dtype=bool)
        begins[:1] = True
        starts: list[Ints] = []
        for level in reversed(ids):
            begins = begins.copy()
            begins[1:] |= level[1:] != level[:-1]
            starts.insert(0, np.flatnonzero(begins).astype(np.int64))
        first: list[Ints] = []
        parent: list[Ints] = []
        for number, start in enumerate(starts):
            below = np.arange(n + 1) if number == 0 else np.append(starts[number - 1], n)
            first.append(np.searchsorted(below, np.append(start, n)).astype(np.int64))
            if number + 1 < len(starts):
                parent.append((np.searchsorted(starts[number + 1], start, side="right") - 1).astype(np.int64))
            else:
                parent.append(np.zeros(0, dtype=np.int64))
        return cls(n, tuple(s.size for s in starts), tuple(first), tuple(parent))

    def starts(self, level: int) -> Ints:
        """Return the first row of each unit of a level, and N."""
        rows = self.first[level]
        for below in range(level - 1, -1, -1):
            rows = self.first[below][rows]
        return rows

    @property
    def top(self) -> Ints:
        """First row of each top-level unit, of each row where there is no level, and N."""
        return self.starts(len(self.sizes) - 1) if self.sizes else np.arange(self.rows + 1)

    def ids(self, level: int) -> Ints:
        """Return the unit of each row."""
        return np.repeat(np.arange(self.sizes[level]), np.diff(self.starts(level)))


@dataclass(frozen=True)
class Batch:
    """Units of a run of top-level clusters, numbered as the kernels want it.

    Attributes
    ----------
    nest : Nest
    top : slice
        Its top-level clusters.
    rows : slice
        Its rows.
    units : tuple of slice
        Its units of each level.
    """

    nest: Nest
    top: slice
    rows: slice
    units: tuple[slice, ...]


def batches_of(tree: Tree, dims: Sequence[int], weights: Sequence[Floats]) -> list[Batch]:
    """Divide the top-level clusters into runs of about `ROWS_OF_A_BATCH` rows, fewer for small data.

    The division depends on the data alone, so that results do not depend on the number of threads.
    """
    levels = len(dims)
    target = min(ROWS_OF_A_BATCH, max(1280, tree.rows // 16))
    starts = tree.starts(levels - 1)
    batches, begin = [], 0
    while begin < starts.size - 1:
        end = int(np.searchsorted(starts, starts[begin] + target, side="left"))
        end = min(max(end, begin + 1), starts.size - 1)
        batches.append(_batch(tree, dims, weights, begin, end))
        begin = end
    return batches


def _batch(tree: Tree, dims: Sequence[int], weights: Sequence[Floats], begin: int, end: int) -> Batch:
    levels = len(dims)
    low, high = [0] * levels, [0] * levels
    low[-1], high[-1] = begin, end
    for k in range(levels - 1, 0, -1):
        low[k - 1], high[k - 1] = int(tree.first[k][low[k]]), int(tree.first[k][high[k]])
    base = np.cumsum([0] + [b - a for a, b in zip(low, high, strict=True)]).astype(np.int64)
    above = np.zeros(base[-1], dtype=np.int64)
    first = np.empty(base[-1], dtype=np.int64)
    last = np.empty(base[-1], dtype=np.int64)
    weight = np.empty(base[-1])
    total = np.empty(base[-1])
    for k in range(levels - 1, -1, -1):
        here = slice(base[k], base[k + 1])
        shift = 0 if k == 0 else base[k - 1] - low[k - 1]
        first[here] = tree.first[k][low[k] : high[k]] + shift
        last[here] = tree.first[k][low[k] + 1 : high[k] + 1] + shift
        weight[here] = total[here] = weights[k][low[k] : high[k]]
        if k + 1 < levels:
            above[here] = tree.parent[k][low[k] : high[k]] - low[k + 1] + base[k + 1]
            total[here] *= total[above[here]]
    nest = Nest(
        np.array(dims, dtype=np.int64),
        np.append(np.cumsum(dims[::-1])[::-1], 0).astype(np.int64),
        base, above, first, last, weight, total,
        np.zeros((base[-1], max(dims))),
        np.zeros(3, dtype=np.int64), np.zeros(base[1], dtype=np.int64),
    )  # fmt: skip
    units = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return Batch(nest, slice(begin, end), slice(int(first[0]), int(last[base[1] - 1])), units)
