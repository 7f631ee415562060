"""Lowest units that have no type in common with others: those of one specific factor have items of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.grid.patterns import taken
from semlang.estimation.kernels.shared_grid import Lists
from semlang.sums import count_by

__all__ = ["Section", "sections"]

Ints = NDArray[np.int64]

UNITS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Section:
    """Units and the types that they, and no others, have.

    Parameters
    ----------
    units : (U,) ints
    types : (T,) ints
    present : (U, T) ints
        How often each unit has each type, in as few bytes as do.
    """

    units: Ints
    types: Ints
    present: NDArray[np.unsignedinteger]


def sections(lists: Lists, types: int) -> list[Section]:
    """Divide units into sections, in the order of their first types.

    Parameters
    ----------
    lists : Lists
        Units as lists of types.
    types : int
        Number of types.

    Examples
    --------
    >>> first, entry = np.array([0, 2, 3, 5]), np.array([0, 1, 2, 1, 3])
    >>> [(s.units.tolist(), s.types.tolist()) for s in sections(Lists(first, entry), 4)]
    [([0, 2], [0, 1, 3]), ([1], [2])]
    """
    sizes = np.diff(lists.first)
    together = np.zeros((types, types), dtype=bool)
    for begin, end in _runs(lists):
        entry = lists.entry[lists.first[begin] : lists.first[end]]
        same_unit = np.ones(entry.size + 1, dtype=bool)  # as the entry before
        same_unit[lists.first[begin:end] - lists.first[begin]] = False
        inner = same_unit[1 : entry.size]
        together[entry[:-1][inner], entry[1:][inner]] = True
    section = _joined(together)
    count = int(section.max(initial=-1)) + 1
    of_unit = np.full(sizes.size, -1)
    of_unit[sizes > 0] = section[lists.entry[lists.first[:-1][sizes > 0]]]
    smallest = np.min_scalar_type(int(sizes.max(initial=0)))
    out = []
    for k in range(count):
        here, own = np.flatnonzero(of_unit == k), np.flatnonzero(section == k)
        if here.size:
            column = np.full(types, -1)
            column[own] = np.arange(own.size)
            present = np.zeros((here.size, own.size), dtype=smallest)
            for begin in range(0, here.size, UNITS_AT_A_TIME):
                some = here[begin : begin + UNITS_AT_A_TIME]
                entries = taken(lists.first, lists.entry, some)
                cells = np.repeat(np.arange(some.size) * own.size, np.diff(entries.first)) + column[entries.entry]
                counts = count_by(cells, some.size * own.size)
                present[begin : begin + some.size] = counts.reshape(some.size, own.size)
            out.append(Section(here, own, present))
    return out


def _runs(lists: Lists) -> Iterator[tuple[int, int]]:
    """Yield the first unit of each run and that of the next."""
    units = lists.first.size - 1
    for begin in range(0, units, UNITS_AT_A_TIME):
        yield begin, min(begin + UNITS_AT_A_TIME, units)


def _joined(together: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the part of a graph that each vertex is in, numbered by the first vertex.

    Each vertex takes the least number of its neighbours', and then that of the vertex of this number.

    Examples
    --------
    >>> _joined(np.array([[0, 0, 1], [0, 0, 0], [0, 0, 0]], dtype=bool)).tolist()
    [0, 1, 0]
    """
    either = together | together.T
    np.fill_diagonal(either, True)
    least = np.arange(len(either))
    while True:
        new = np.where(either, least, len(either)).min(axis=1, initial=len(either))
        new = new[new]
        if np.array_equal(new, least):
            return np.unique(least, return_inverse=True)[1].astype(np.int64)
        least = new
