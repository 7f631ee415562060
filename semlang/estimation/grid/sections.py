"""Lowest units that have no type in common with others: those of one specific factor have items of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from semlang.estimation.kernels.shared_grid import Lists
from semlang.sums import count_by

__all__ = ["Section", "sections"]

Ints = NDArray[np.int64]


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
    units = np.repeat(np.arange(sizes.size), sizes)
    edges = coo_matrix((np.ones(units.size, dtype=np.int8), (lists.entry, types + units)), (types + sizes.size,) * 2)
    count, section = connected_components(edges, directed=False)
    out = []
    for k in range(count):
        here, own = np.flatnonzero(section[types:] == k), np.flatnonzero(section[:types] == k)
        if here.size and own.size:
            row, column = np.full(sizes.size, -1), np.full(types, -1)
            row[here], column[own] = np.arange(here.size), np.arange(own.size)
            used = row[units] >= 0
            cells = row[units[used]] * own.size + column[lists.entry[used]]
            present = count_by(cells, here.size * own.size).reshape(here.size, own.size)
            out.append(Section(here, own, present.astype(np.min_scalar_type(present.max(initial=0)))))
    return out
