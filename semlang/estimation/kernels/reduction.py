"""From the levels of a model to those that the kernels integrate.

Units of weight zero are left out with their rows. A level without latent variables is left out; its units'
weights go to what is next below them: units of a lower level, or rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.batches import Tree

__all__ = ["Reduction", "reduce_levels"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reduction:
    """What is integrated.

    Attributes
    ----------
    kept : slice or array of int
        Its rows among the data's.
    tree : Tree
        Levels with latent variables.
    levels : tuple of int
        Their numbers among the given levels.
    units : tuple of arrays
        Their units' numbers among the given units.
    row_weights : (n,) array
    unit_weights : tuple of arrays
    owner : array
        Given top-level cluster of each top-level unit (of each row where no level is left).
    given : Tree
        The given levels.
    row_total : (n,) array
        Product of the weights of the row and of all units above it.
    clusters : int
        Number of given top-level clusters.
    """

    kept: slice | Ints
    tree: Tree
    levels: tuple[int, ...]
    units: tuple[Ints, ...]
    row_weights: Floats
    unit_weights: tuple[Floats, ...]
    owner: Ints
    given: Tree
    row_total: Floats
    clusters: int

    @property
    def row_owner(self) -> Ints:
        """Given top-level cluster of each row, (n,)."""
        levels = len(self.given.sizes)
        owner = self.given.ids(levels - 1) if levels else np.arange(self.given.rows)
        return owner[self.kept]


def reduce_levels(
    tree: Tree, dims: Sequence[int], row_weights: Floats | None, unit_weights: Sequence[Floats | None] | None
) -> Reduction:
    """Leave out units of weight zero and levels without latent variables."""
    count = len(dims)
    if count != len(tree.sizes):
        raise ValueError(f"{count} numbers of dimensions for {len(tree.sizes)} levels")
    given = unit_weights if unit_weights is not None else [None] * count
    weights = [
        np.ones(size) if w is None else np.asarray(w, dtype=np.float64)
        for size, w in zip(tree.sizes, given, strict=True)
    ]
    rows = np.ones(tree.rows) if row_weights is None else np.asarray(row_weights, dtype=np.float64)
    ids = [tree.ids(level) for level in range(count)]
    above = np.ones(tree.rows)
    for weight, unit in zip(weights, ids, strict=True):
        if not (weight == 1.0).all():
            above *= weight[unit]
    kept: slice | Ints = slice(None)
    if not above.all():
        kept = np.flatnonzero(above)
        ids = [unit[kept] for unit in ids]
    rows, above = rows[kept], above[kept]
    levels = tuple(level for level in range(count) if dims[level] > 0)
    reduced = Tree.from_ids([ids[level] for level in levels], rows=rows.size)
    carried = np.ones(rows.size)
    units: dict[int, Ints] = {}
    unit_totals: dict[int, Floats] = {}
    for level in range(count - 1, -1, -1):
        carried = _times(carried, weights[level][ids[level]])
        if dims[level] > 0:
            starts = reduced.starts(levels.index(level))[:-1]
            units[level] = ids[level][starts]
            unit_totals[level] = carried[starts]
            carried = np.ones(rows.size)
    row_owner = ids[-1] if count else np.arange(tree.rows)
    owner = row_owner[reduced.starts(len(levels) - 1)[:-1]] if levels else row_owner
    return Reduction(
        kept, reduced, levels, tuple(units[level] for level in levels), _times(rows, carried),
        tuple(unit_totals[level] for level in levels), owner, tree, _times(rows, above),
        tree.sizes[-1] if count else tree.rows,
    )  # fmt: skip


def _times(a: Floats, b: Floats) -> Floats:
    """Return the product; `a` itself where all of `b` is 1."""
    return a if (b == 1.0).all() else a * b
