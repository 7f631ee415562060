"""Scores of the distinct units of a shared grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.shared_grid import sum_lines

if TYPE_CHECKING:
    from semlang.estimation.grid.shared_grid import Pass, SharedGrid

__all__ = ["CELLS", "expected_scores", "given_upper_node", "pattern_scores", "summed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELLS = 400_000
"""Numbers of a matrix that is worked on at a time."""


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
    if len(grid.layers) == 1:
        return _expected(grid, lambda units: found.posterior[units], J, s)
    out = np.zeros((grid.patterns, grid.n_parameters))
    for g in range(len(grid.nodes)):
        out += found.posterior[:, g, None] * summed(grid, given_upper_node(grid, found, J, s, g))
    return out


def given_upper_node(grid: SharedGrid, found: Pass, J: Floats, s: Floats, g: int) -> Floats:
    """Return the expected scores of the distinct lower units given the g-th upper node (lower patterns, P)."""
    own = slice(g * len(grid.nodes), (g + 1) * len(grid.nodes))
    return _expected(grid, lambda units: grid.conditional(found, units, slice(g, g + 1))[:, 0], J, s[:, :, own])


def summed(grid: SharedGrid, lower: Floats) -> Floats:
    """Return the sums of lower units' values over those of each distinct top unit (patterns, P)."""
    out = np.empty((grid.patterns, lower.shape[1]))
    sum_lines(grid.top, lower, out, 0)
    return out


def _expected(grid: SharedGrid, posterior: Callable[[Ints], Floats], J: Floats, s: Floats) -> Floats:
    """Return the expected scores of the distinct lowest units, with probabilities of their nodes by `posterior`."""
    out = np.zeros((grid.lowest.first.size - 1, grid.n_parameters))
    for units, columns, scores in expected_scores(grid, posterior, J, s):
        out[np.ix_(units, columns)] = scores
    return out


def expected_scores(
    grid: SharedGrid, posterior: Callable[[Ints], Floats], J: Floats, s: Floats
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield lowest units, the parameters that their scores are of, and ``sum_t [t in u] J_t' sum_q p_uq s_tq``.

    A unit comes once; with respect to other parameters its score is zero.
    """
    for section in grid.sections:
        of_types = J[:, section.types]
        columns = np.flatnonzero(of_types.any(axis=(0, 1)))
        of_types, slopes = of_types[:, :, columns], s[:, section.types]
        chunk = max(1, CELLS // section.types.size)
        for a in range(0, section.units.size, chunk):
            units, present = section.units[a : a + chunk], section.present[a : a + chunk]
            p = posterior(units)
            total = np.zeros((units.size, columns.size))
            for slope, jacobian in zip(slopes, of_types, strict=True):
                total += ((p @ slope.T) * present) @ jacobian
            yield units, columns, total
