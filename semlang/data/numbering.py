"""Numbers of values: small integers are their own, others are sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_of_each", "numbered"]

Ints = NDArray[np.int64]

SMALL = 256
"""Range of whole numbers that are not sorted."""


def numbered(values: NDArray[Any]) -> tuple[int, Ints]:
    """Return the number of distinct values, or a bound of it, and the number of each value, in their order.

    Values that are not known are one, the last.

    Examples
    --------
    >>> levels, number = numbered(np.array([3.0, 1.0, np.nan, 3.0]))
    >>> levels, number.tolist()
    (4, [2, 0, 3, 2])
    """
    if not values.size:
        return 1, np.zeros(0, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int16)
    if (whole == values).all() and (levels := int(whole.max()) - int(whole.min()) + 1) <= SMALL:
        return levels, whole.astype(np.int64) - int(whole.min())
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, dtype=bool)
    if missing.any() and not missing.all():
        levels, number = numbered(values[~missing])
        every = np.full(values.size, levels)
        every[~missing] = number
        return levels + 1, every
    distinct, number = np.unique(values, return_inverse=True)
    return distinct.size, number.astype(np.int64)


def first_of_each(values: NDArray[Any]) -> Ints:
    """Return where each distinct value comes first, in the order of values.

    Examples
    --------
    >>> first_of_each(np.array([3.0, 1.0, 2.5, 3.0, 1.0])).tolist()
    [1, 2, 0]
    """
    levels, number = numbered(values)
    first = np.full(levels, -1, dtype=np.int64)
    first[number[::-1]] = np.arange(values.size - 1, -1, -1)
    return first[first >= 0]
