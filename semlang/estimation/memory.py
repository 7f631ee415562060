"""Arrays whose memory is used again once nobody reads them.

The system gives a new array of megabytes page by page, at its first write: that takes as long as a pass of an
evaluation over its rows, and threads wait for each other meanwhile.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["aligned", "empty", "release"]

Floats = NDArray[np.float64]

KEPT = 1 << 26
"""Bytes that wait to be used again at most."""
LARGER = 1.25
"""An array gets memory that is larger than itself by this factor at most."""

LINE = 64
"""Bytes of a line of the cache."""

_free: dict[int, Floats] = {}
"""What waits, by address; the oldest first."""


class _Lent:
    """Owner of the memory of an array and of all views of it: gives it back when the last of these is gone."""

    def __init__(self, memory: Floats, size: int) -> None:
        self._memory = memory
        self.__array_interface__: dict[str, Any] = memory[:size].__array_interface__
        self._address: int = self.__array_interface__["data"][0]

    def __del__(self, free: dict[int, Floats] = _free, kept: int = KEPT) -> None:
        free[self._address] = self._memory  # names of the module are gone when Python ends, defaults are not
        waiting = list(free.items())
        excess = sum(memory.nbytes for _, memory in waiting) - kept
        for address, memory in waiting:
            if excess > 0 and free.pop(address, None) is not None:
                excess -= memory.nbytes


def aligned(shape: int | tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
    """Return an array of any content whose first element begins a line of the processor's cache.

    Vectors of eight numbers then lie in one line; where numpy puts an array, loops over nodes take a seventh longer.

    Examples
    --------
    >>> aligned((3, 5)).ctypes.data % 64, aligned(0).shape
    (0, (0,))
    """
    count = prod(shape) if isinstance(shape, tuple) else shape
    memory = np.empty(count * np.dtype(dtype).itemsize + LINE, dtype=np.uint8)
    begin = -memory.ctypes.data % LINE
    array: NDArray[Any] = memory[begin : begin + count * np.dtype(dtype).itemsize].view(dtype).reshape(shape)
    return array


def empty(*shape: int) -> Floats:
    """Return an array of any content that nobody else has.

    Examples
    --------
    >>> release()
    >>> first = empty(2, 3000)
    >>> address, row = first.ctypes.data, first[1]
    >>> del first
    >>> second = empty(2, 3000)  # the row is still read
    >>> second.ctypes.data == address
    False
    >>> del row
    >>> empty(3000, 2).ctypes.data == address
    True
    """
    size = prod(shape)
    fitting = [(m.size, address) for address, m in list(_free.items()) if size <= m.size <= LARGER * size]
    memory = _free.pop(min(fitting)[1], None) if fitting else None
    if memory is None:
        memory = aligned(size)
    array: Floats = np.asarray(_Lent(memory, size)).reshape(shape)
    return array


def release() -> None:
    """Give back what waits: the next arrays have other sizes."""
    _free.clear()
