"""Which lines come near one another: a grid over the picture, so that not every pair is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELL = 5.0
REACH = 2.0
"""Lines that are nearer than this somewhere share a cell."""
STEP = 2.0
"""Between the points of lines that are entered."""


class Grid:
    """Cells of the picture and the lines that touch them."""

    def __init__(self) -> None:
        self.cells: dict[int, set[Hashable]] = {}
        self.of: dict[Hashable, set[int]] = {}

    def put(self, name: Hashable, fine: Floats) -> None:
        """Enter a line.

        Parameters
        ----------
        name : hashable
        fine : (m, 2) floats
            Points at most `STEP` apart.
        """
        corners = [(-REACH, -REACH), (-REACH, REACH), (REACH, -REACH), (REACH, REACH)]
        own = set(np.concatenate([_cells(fine + np.array(c)) for c in corners]).tolist())
        self.of[name] = own
        for cell in own:
            self.cells.setdefault(cell, set()).add(name)

    def take(self, name: Hashable) -> None:
        """Take a line away."""
        for cell in self.of.pop(name, ()):
            self.cells[cell].discard(name)

    def near(self, fine: Floats) -> Counter[Hashable]:
        """Return the lines near points, with the number of points near which each is."""
        return Counter(chain.from_iterable(self.cells.get(cell, ()) for cell in _cells(fine).tolist()))


def _cells(points: Floats) -> NDArray[np.int64]:
    whole = np.floor(points / CELL).astype(np.int64)
    return np.asarray(whole[:, 0] * 100_003 + whole[:, 1])


def along(fine: Floats, p: Floats, q: Floats, near: float) -> float:
    """Return over how many points a line runs nearer than `near` to the segments p-q.

    Parameters
    ----------
    fine : (m, 2) floats
    p, q : (n, 2) floats
    near : float
    """
    low, high = np.minimum(p, q).min(axis=0) - near, np.maximum(p, q).max(axis=0) + near
    fine = fine[((fine >= low) & (fine <= high)).all(axis=1)]
    if not fine.size:
        return 0.0
    d = q - p
    size = np.maximum((d**2).sum(axis=1), 1e-12)
    t = np.clip(((fine[:, None] - p[None]) * d[None]).sum(axis=2) / size, 0.0, 1.0)
    away = ((p[None] + d[None] * t[..., None] - fine[:, None]) ** 2).sum(axis=2).min(axis=1)
    return float((away < near * near).sum())
