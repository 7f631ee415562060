"""Kernels, and the functions that they call, are declared here; the compiler is imported where one has to be compiled.

A kernel is one function of machine code in an object file. Its arguments are groups (`groups.Group`), arrays
(`groups.Vector`, ...), ``int``, ``float`` and ``bool``; it makes no arrays and raises nothing, so that its code stands
alone: whoever loads it needs neither numba nor Python.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.groups import Group, address_of
from semlang.estimation.kernels.objects import find

Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = ["Address", "Kernel", "Part", "compact", "exact", "inline", "inner", "intrinsic", "kernel"]

_RESULTS = {"None": None, "bool": ctypes.c_bool, "int": ctypes.c_int64, "float": ctypes.c_double}
_SCALARS = {int: "q", float: "d", bool: "q"}
_loading = threading.RLock()


class Address(int):
    """The address of the first of some floats: an argument of a function that other kernels call by its address."""


class Part:
    """A function that kernels call; it is compiled within them.

    Parameters
    ----------
    function : callable
    way : str
        What the compiler makes of it: the name of a function of `compiling`.
    """

    def __init__(self, function: Callable[..., Any], way: str) -> None:
        self.function, self.way = function, way
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._compiled: Any = None

    @property
    def compiled(self) -> Any:
        """What numba knows the function as."""
        if self._compiled is None:
            from semlang.estimation.kernels import compiling

            self._compiled = getattr(compiling, self.way)(self.function)
        return self._compiled

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)


def inner(function: Function) -> Function:
    """Declare a function that is compiled once within each kernel that calls it.

    It makes no arrays; it returns a number, a truth value or nothing, as its annotation says.
    """
    return cast(Function, Part(function, "inner"))


def inline(function: Function) -> Function:
    """Declare a function of one row that is copied into every loop that calls it: the loop becomes vector code."""
    return cast(Function, Part(function, "inline"))


def exact(function: Function) -> Function:
    """Declare one that is copied likewise, and whose sums are not reordered."""
    return cast(Function, Part(function, "exact"))


def intrinsic(function: Callable[..., Any]) -> Any:
    """Declare a function that is given as instructions of the compiler, as `numba.extending.intrinsic` takes it."""
    return Part(function, "intrinsic")


@intrinsic
def compact(context: Any) -> Any:
    """Keep the function that calls this small: its loops are short, and are neither unrolled nor made vector code."""
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("optsize")
        return context.get_dummy_value()

    return types.void(), build


class Kernel:
    """A compiled function; it is loaded, and compiled where it is in no file, when first needed.

    Parameters
    ----------
    function : callable
        Its annotation says whether it returns a number, a truth value or nothing.
    arguments : tuple
        Their kinds: a class of `Group`, an array of `groups`, ``int``, ``float``, ``bool``; `Address` for those that
        are called by their address.
    name : str, optional
        That of its file; the function's, if it isn't given.
    by_address : bool
        Other kernels call it, by the rules of C.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], *, name: str = "", by_address: bool = False
    ) -> None:
        self.function, self.arguments, self.by_address = function, arguments, by_address
        self.name = name or function.__name__
        self.__doc__ = function.__doc__
        self.result = str(function.__annotations__["return"])
        self._dtypes = tuple(getattr(kind, "__metadata__", (None,))[0] for kind in arguments)
        self._pack = struct.Struct("".join(map(_slots, arguments))).pack
        self._entry: Callable[..., Any] | None = None
        self._address = 0

    @property
    def loaded(self) -> bool:
        """Whether the kernel can be called at once."""
        return self._address != 0

    def load(self) -> None:
        """Load the kernel, or compile it."""
        self.address()

    def address(self) -> int:
        """Return the address of its function."""
        if not self._address:
            with _loading:
                address = self._address or find(self)
                if not self.by_address:
                    self._entry = ctypes.CFUNCTYPE(_RESULTS[self.result], ctypes.c_char_p)(address)
                self._address = address
        return self._address

    def __call__(self, *arguments: Any) -> Any:
        """Call the kernel, without Python's lock: its arguments are packed into one array of eight bytes each."""
        if self._entry is None:
            self.address()
        slots: list[Any] = []
        for argument, kind, dtype in zip(arguments, self.arguments, self._dtypes, strict=True):
            if dtype is not None:
                slots.append(_first(argument, dtype))
                slots += argument.shape
            elif kind in _SCALARS:
                slots.append(argument)
            else:
                slots.append(argument.pointer)
        return self._entry(self._pack(*slots))  # type: ignore[misc]


def _slots(kind: Any) -> str:
    """Return the format of an argument: an array has its address and shape."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind is Address or (isinstance(kind, type) and issubclass(kind, Group)):
        return "q"
    return "q" * (1 + int(kind.__metadata__[1]))


def _first(array: NDArray[Any], dtype: np.dtype[Any]) -> int:
    """Return the address of a contiguous array's first element."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise TypeError(f"no contiguous array of {dtype}: {array.dtype}, strides {array.strides}")
    return address_of(array)


def kernel(*arguments: Any) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel: a decorator that takes the kinds of its arguments."""

    def declare(function: Callable[..., Any]) -> Kernel:
        return Kernel(function, arguments)

    return declare
