"""Scores of the distinct units of a shared grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.sums import count_by

if TYPE_CHECKING:
    from semlang.estimation.grid.shared_grid import Pass, SharedGrid

__all__ = ["pattern_scores", "type_counts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELLS = 4_000_000
"""Numbers of a chunk's matrix of patterns by types."""


def pattern_scores(grid: SharedGrid, found: Pass, J: Floats, s: Floats) -> Floats:
    """Return the scores of the distinct top-level units (patterns, P), without weights.

    Parameters
    ----------
    grid, found
    J : (K, T, P) floats
        `Chain.input_jacobian`.
    s : (K, T, n) floats
        `SharedGrid.slopes`.
    """
    return _of_one_layer(grid, found, J, s) if len(grid.layers) == 1 else _of_two_layers(grid, found, J, s)


def type_counts(grid: SharedGrid, begin: int, end: int) -> Floats:
    """Return how often each type occurs in the lowest patterns begin to end (patterns, T)."""
    first, size = grid.lowest.first, grid.types.y.size
    owner = np.repeat(np.arange(end - begin), np.diff(first[begin : end + 1]))
    cells = owner * size + grid.lowest.entry[first[begin] : first[end]]
    return count_by(cells, (end - begin) * size).reshape(end - begin, size).astype(np.float64)


def _of_one_layer(grid: SharedGrid, found: Pass, J: Floats, s: Floats) -> Floats:
    out = np.zeros((grid.patterns, grid.n_parameters))
    chunk = max(1, CELLS // max(grid.types.y.size, 1))
    for a in range(0, grid.patterns, chunk):
        b = min(a + chunk, grid.patterns)
        present = type_counts(grid, a, b)
        for slope, jacobian in zip(s, J, strict=True):
            out[a:b] += ((found.posterior[a:b] @ slope.T) * present) @ jacobian
    return out


def _of_two_layers(grid: SharedGrid, found: Pass, J: Floats, s: Floats) -> Floats:
    """Sum over lower units: their expected scores given each upper node, weighted by the upper posterior."""
    out = np.zeros((grid.patterns, grid.n_parameters))
    size, owner = len(grid.nodes), np.repeat(np.arange(grid.patterns), np.diff(grid.top.first))
    order = np.argsort(grid.top.entry, kind="stable")
    begins = np.searchsorted(grid.top.entry[order], np.arange(grid.lowest.first.size))
    for a in range(grid.lowest.first.size - 1):
        units = owner[order[begins[a] : begins[a + 1]]]
        lines = grid.lowest.entry[grid.lowest.first[a] : grid.lowest.first[a + 1]]
        p = grid.conditional(found, a)
        slopes = s[:, lines].reshape(len(s), lines.size, size, size)
        expected = np.einsum("gs,ktgs->gkt", p, slopes, optimize=True).reshape(size, -1)
        np.add.at(out, units, (found.posterior[units] @ expected) @ J[:, lines].reshape(-1, grid.n_parameters))
    return out
