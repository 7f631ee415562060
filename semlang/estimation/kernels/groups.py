"""Groups of arrays that a kernel gets as one pointer: to a table of their addresses and shapes.

To a kernel an array of numba is seven numbers or more, any index may be negative, and any two arrays may overlap. Here
arrays are contiguous, indices are complete and not negative, and arrays of different fields do not overlap: a
kernel is compiled in half the time, and more of its loops become vector code.
"""

from __future__ import annotations

import ctypes
from typing import Annotated, Any, ClassVar, cast, get_type_hints

import numpy as np
from numpy.typing import NDArray

__all__ = ["WIDTH", "Cube", "Group", "IntegerMatrix", "Integers", "Matrix", "TruthMatrix", "Vector", "address_of"]

Integers = Annotated[NDArray[np.int64], np.dtype(np.int64), 1]
IntegerMatrix = Annotated[NDArray[np.int64], np.dtype(np.int64), 2]
Vector = Annotated[NDArray[np.float64], np.dtype(np.float64), 1]
Matrix = Annotated[NDArray[np.float64], np.dtype(np.float64), 2]
Cube = Annotated[NDArray[np.float64], np.dtype(np.float64), 3]
TruthMatrix = Annotated[NDArray[np.bool_], np.dtype(np.bool_), 2]

WIDTH = 4
"""Numbers that a group's table has for each array: its address and its shape."""


_NOTHING = ctypes.c_char * 0


def address_of(array: NDArray[Any]) -> int:
    """Return the address of an array's first element."""
    try:
        return ctypes.addressof(_NOTHING.from_buffer(cast(Any, array)))  # four times as fast as `array.ctypes`
    except TypeError:  # can't be written
        return int(array.ctypes.data)


class Group:
    """Arrays that kernels know: the base of frozen data classes whose fields have the types above."""

    layout: ClassVar[dict[str, tuple[Any, int]]] = {}
    """Type and number of dimensions of each field."""

    def __init_subclass__(cls) -> None:
        hints = get_type_hints(cls, include_extras=True).items()
        cls.layout = {name: hint.__metadata__ for name, hint in hints if hasattr(hint, "__metadata__")}

    def __post_init__(self) -> None:
        table = np.zeros((len(self.layout), WIDTH), dtype=np.int64)
        for line, (name, (dtype, dimensions)) in zip(table, self.layout.items(), strict=True):
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != dimensions or not array.flags.c_contiguous:
                raise TypeError(
                    f"{type(self).__name__}.{name} is no contiguous array of {dtype} with {dimensions} dims"
                )
            line[: dimensions + 1] = address_of(array), *array.shape
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "pointer", address_of(table))

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The arrays, in the order of the fields."""
        return tuple(getattr(self, name) for name in self.layout)

    def __reduce__(self) -> Any:
        return type(self), self.arrays  # a copy has a table of its own
