"""Parts of rows' log densities that do not depend on their linear predictors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.constants import CONSTANTS, READ_F1, Constant
from semlang.estimation.kernels.families import ENTRIES
from semlang.estimation.kernels.layout import Rows
from semlang.estimation.kernels.reduction import Reduction
from semlang.sums import count_by, sum_by

__all__ = ["RowConstants", "constants", "same_memory"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 1 << 16
"""Rows whose constants are computed together: a million need no memory for what is in between."""


class RowConstants:
    """The constants of rows, summed by top-level cluster; they are kept as long as the rows' f1 is the same.

    Parameters
    ----------
    codes : (N,) ints
        Family and link of each row that is kept.
    reduction : Reduction
    given : (N,) floats, optional
        Added to the rows' log densities.
    """

    def __init__(self, codes: Ints, reduction: Reduction, given: Floats | None) -> None:
        self._reduced, self._given = reduction, given
        self._parts = _parts(codes)
        moved = [here for function, here in self._parts if function in READ_F1]
        self._all_read = sum(here.size for here in moved) == codes.size
        self._read = np.sort(np.concatenate(moved)) if moved and not self._all_read else np.zeros(0, dtype=np.int64)
        self._seen: Floats | None = None
        self._known: tuple[Floats, Floats | None] | None = None

    def changed(self, f1: Floats) -> bool:
        """Whether the values of f1 that constants are made from are new; what was computed is forgotten then."""
        read = f1 if self._all_read else f1[self._read]
        if self._seen is not None and _equal(self._seen, read):
            return False
        self._seen = read.copy() if read.flags.writeable else read
        self._known = None
        return True

    def of(self, rows: Rows) -> tuple[Floats, Floats | None]:
        """Return one number a cluster, and derivatives in the rows' f1, None where there are none."""
        if self._known is not None:
            return self._known
        constant = np.zeros(rows.y.size) if self._given is None else self._given.copy()
        slopes: Floats | None = None
        for function, all_rows in self._parts:
            alike = all_rows.size == rows.y.size
            for first in range(0, all_rows.size, _BLOCK):
                block = slice(first, first + _BLOCK)
                here = block if alike else all_rows[block]
                # a shape that has run out of the numbers (exp(800), exp(-800)) has no value: the step is taken back
                with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                    value, slope = function(rows.y[here], rows.f1[here], rows.f2[here])
                constant[here] += value
                if slope is not None:
                    slopes = np.zeros(rows.y.size) if slopes is None else slopes
                    slopes[here] = slope
        weight = self._reduced.row_total
        constant *= weight
        sums = sum_by(self._reduced.row_owner, constant, self._reduced.clusters)
        self._known = sums, slopes * weight if slopes is not None else None
        return self._known


def constants(codes: Ints, y: Floats, f1: Floats, f2: Floats) -> Floats:
    """Return the constant of each row, where none of them moves."""
    out = np.zeros(y.size)
    for function, here in _parts(codes):
        out[here] = function(y[here], f1[here], f2[here])[0]
    return out


def _parts(codes: Ints) -> list[tuple[Constant, NDArray[np.int32]]]:
    """Return the constants of the families that are there, with their rows."""
    parts = []
    present = np.flatnonzero(count_by(codes))
    for code in present:
        entry = ENTRIES[code]
        function = CONSTANTS.get((entry.family, "")) or CONSTANTS.get((entry.family, entry.link))
        if function is not None:
            here = np.arange(codes.size, dtype=np.int32)
            parts.append((function, here if present.size == 1 else here[codes == code]))
    return parts


def same_memory(before: Floats, now: Floats) -> bool:
    """Whether two arrays are the same memory, which nobody writes to."""
    return before.ctypes.data == now.ctypes.data and before.size == now.size and not now.flags.writeable


def _equal(before: Floats, now: Floats) -> bool:
    """Whether an array has the numbers of another: at once where it is the same memory."""
    return same_memory(before, now) or np.array_equal(before, now)
