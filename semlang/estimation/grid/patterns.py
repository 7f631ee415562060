"""Units with equal lists of entries are one pattern."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.shared_grid import Lists, equal_lists

__all__ = ["blocks", "distinct", "taken"]

Ints = NDArray[np.int64]

LARGEST_BLOCK = 8


def distinct(first: Ints, entry: Ints) -> tuple[Ints, Ints]:
    """Return the number of each unit's list among the distinct ones, and the first unit with each.

    Parameters
    ----------
    first : (U + 1,) ints
        Unit u has the entries ``entry[first[u]:first[u + 1]]``.
    entry : (n,) ints

    Examples
    --------
    >>> number, representative = distinct(np.array([0, 2, 4, 5]), np.array([7, 8, 7, 8, 7]))
    >>> number.tolist(), representative.tolist()
    ([0, 0, 1], [0, 2])
    """
    units = first.size - 1
    slot = np.full(1 << max(2 * units - 1, 1).bit_length(), -1, dtype=np.int64)
    number, representative = np.empty(units, dtype=np.int64), np.empty(units, dtype=np.int64)
    count = equal_lists(Lists(first.astype(np.int64), np.ascontiguousarray(entry)), slot, representative, number)
    return number, representative[:count].copy()


def taken(first: Ints, entry: Ints, at: Ints) -> Lists:
    """Return the lists of some units."""
    if at.size == first.size - 1 and (at == np.arange(at.size)).all():
        return Lists(first.astype(np.int64, copy=False), np.ascontiguousarray(entry))
    sizes = np.diff(first)[at]
    begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    index = np.repeat(first[:-1][at] - begins[:-1], sizes) + np.arange(begins[-1])
    return Lists(begins, np.ascontiguousarray(entry[index]))


def blocks(
    first: Ints, entry: Ints, response: NDArray[np.signedinteger], choices: Ints, largest: int = LARGEST_BLOCK
) -> tuple[Lists, Ints, Ints]:
    """Divide the rows of units into blocks of neighbouring responses, whose sums many units share.

    A unit of 50 binary responses is then 13 numbers of at most 16 sums each, not 50 rows. The size of a block is that
    with the fewest additions.

    Parameters
    ----------
    first, entry : units as lists of row types
    response : (n,) ints
        Response of each entry, not decreasing within a unit.
    choices : (K,) ints
        Number of row types of each response.
    largest : int
        Most responses of a block.

    Returns
    -------
    lists : Lists
        Distinct blocks as lists of row types.
    first, entry : ints
        Units as lists of blocks.
    """
    units, rows = first.size - 1, entry.size

    def additions(size: int) -> float:
        groups = [np.prod(choices[k : k + size], dtype=float) for k in range(0, choices.size, size)]
        return float(sum(min(g, units) * size for g in groups)) + rows / size

    size = min(range(1, largest + 1), key=additions)
    block = response // size
    begins = np.zeros(rows, dtype=bool)
    begins[first[:-1][np.diff(first) > 0]] = True
    begins[1:] |= block[1:] != block[:-1]
    starts = np.append(np.flatnonzero(begins), rows).astype(np.int64)
    number, representative = distinct(starts, entry)
    return taken(starts, entry, representative), np.searchsorted(starts, first).astype(np.int64), number
