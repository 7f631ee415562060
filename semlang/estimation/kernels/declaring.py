"""Kernels, and the functions that they call, are declared here; the compiler is imported where one has to be compiled.

A kernel is one function of machine code in an object file. Its arguments are groups (`groups.Group`), arrays
(`groups.Vector`, ...), ``int``, ``float`` and ``bool``; it makes no arrays and raises nothing, so that its code stands
alone: whoever loads it needs no numba.

It is called with the address of eight bytes an argument; before them stands what `_begin` returns. Of an array
it gets the object: where its elements are, its shape, type and order stand at places that numpy's interface for C
has fixed, and are read and checked by the machine code in nanoseconds; from Python that takes a microsecond an array.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable, Sequence
from operator import attrgetter, call, index
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.objects import find

Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = ["DTYPES", "Address", "Kernel", "Part", "compact", "exact", "inline", "inner", "intrinsic", "kernel"]

DTYPES = (np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.bool_))
"""Types of the elements of arrays."""


def _begin(result: int) -> bytes:
    """Return what precedes the arguments: where the result goes, the length of the head of an object, and the types."""
    return struct.pack(f"={2 + len(DTYPES)}q", result, object.__basicsize__, *map(id, DTYPES))


_WITHOUT_RESULT = _begin(0)
_RESULTS: dict[str, Any] = {"None": None, "bool": ctypes.c_bool, "int": ctypes.c_int64, "float": ctypes.c_double}
_FORMATS: dict[Any, str] = {int: "q", float: "d", bool: "q"}
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
        self._result = _RESULTS[self.result]
        self._read = tuple(_reader(kind) for kind in arguments)
        self._pack = struct.Struct("=" + "".join(_FORMATS.get(kind, "q") for kind in arguments)).pack
        self._entry: Callable[[bytes], int] = self._first
        self._address = 0

    SLOTS_BEFORE = 2 + len(DTYPES)
    """Slots that precede those of the arguments."""

    @property
    def loaded(self) -> bool:
        """Whether the kernel can be called at once."""
        return self._address != 0

    def packed(self, arguments: Sequence[Any]) -> NDArray[np.int64]:
        """Return the slots of a call whose result nobody reads; arrays among the arguments have to stay alive."""
        return np.frombuffer(_WITHOUT_RESULT + self._pack(*map(call, self._read, arguments)), dtype=np.int64)

    def load(self) -> None:
        """Load the kernel, or compile it."""
        self.address()

    def address(self) -> int:
        """Return the address of its function."""
        if not self._address:
            with _loading:
                address = self._address or find(self)
                if not self.by_address:
                    self._entry = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p)(address)
                self._address = address
        return self._address

    def __call__(self, *arguments: Any) -> Any:
        """Call the kernel, without Python's lock.

        Raises
        ------
        TypeError
            If an argument is no contiguous array of the type and number of dimensions that were declared.
        """
        if len(arguments) != len(self._read):
            raise TypeError(f"{self.name}: {len(self._read)} arguments, not {len(arguments)}")
        if self._result is None:
            begin = _WITHOUT_RESULT
        else:
            result = self._result()
            begin = _begin(ctypes.addressof(result))
        if self._entry(begin + self._pack(*map(call, self._read, arguments))):
            checked = self._checked(arguments)  # lives until the call is over
            if self._entry(begin + self._pack(*map(call, self._read, checked))):
                raise TypeError(f"{self.name}: numpy keeps these arrays in another way than its interface for C says")
        return None if self._result is None else result.value

    def _first(self, slots: bytes) -> int:
        self.address()
        return self._entry(slots)

    def _checked(self, arguments: tuple[Any, ...]) -> list[Any]:
        """Return the arguments, arrays with numpy's own object for their type; raise where one is no such array."""
        checked = []
        for argument, kind in zip(arguments, self.arguments, strict=True):
            if hasattr(kind, "__metadata__"):
                dtype, dimensions = kind.__metadata__
                if not isinstance(argument, np.ndarray):
                    raise TypeError(f"{self.name}: no array, but {type(argument).__name__}")
                right = argument.dtype == dtype and argument.ndim == dimensions and argument.flags.c_contiguous
                if not right or not argument.flags.aligned:
                    raise TypeError(
                        f"{self.name}: no contiguous array of {dtype} with {dimensions} dimensions, but of "
                        f"{argument.dtype} with {argument.ndim}, strides {argument.strides}"
                    )
                argument = argument.view(dtype)
            checked.append(argument)
        return checked


def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what makes eight bytes of an argument: of an array, where its object is."""
    if kind in _FORMATS:
        return index if kind is int else cast(Callable[[Any], Any], kind)
    return id if hasattr(kind, "__metadata__") else attrgetter("pointer")


def kernel(*arguments: Any) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel: a decorator that takes the kinds of its arguments."""

    def declare(function: Callable[..., Any]) -> Kernel:
        return Kernel(function, arguments)

    return declare
