"""How kernels are compiled and where the machine code is kept.

numba's own cache looks at the file of a kernel only; ours lives in a folder that is named by a hash of *all*
kernel sources, so a kernel may be spread over several files. The folder is in `semlang.cache.cache_folder`; where
there is none, kernels are compiled in every process.
"""

from __future__ import annotations

import gc
import hashlib
import inspect
import sys
import time
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import extending, types
from numba.core import compiler, registry

from semlang.cache import cache_folder, refusal
from semlang.estimation.kernels.cached import KernelCache, compilation

__all__ = ["Kernel", "compact", "inline", "inner", "intrinsic", "kernel", "kernel_folder"]

Function = TypeVar("Function", bound=Callable[..., Any])

# Not nnan and ninf: kernels test for numbers that are not finite.
_ARITHMETIC = {"reassoc", "contract", "nsz", "arcp"}
_OPTIONS: dict[str, Any] = {"fastmath": _ARITHMETIC, "error_model": "numpy"}
_WITHOUT_REFERENCES: dict[str, Any] = {**_OPTIONS, "_nrt": False, "no_rewrites": True}  # counting costs 50 ns a call
_WITHOUT_WRAPPERS: dict[str, Any] = {**_WITHOUT_REFERENCES, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_RESULTS = {"None": types.void, "bool": types.boolean, "int": types.int64, "float": types.float64}
_present: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()
"""Inner functions that a library holds by now, by function and types."""
_njit: Any = numba.njit
_compiler: Any = compiler
_options: Any = registry.cpu_target.options
_unliteral: Any = types.unliteral


def inner(function: Function) -> Function:
    """Compile a function that is called by kernels only, within each kernel that calls it.

    numba would compile and optimise it by itself, and then once more with its callers. It makes no arrays, so it
    counts no references; it returns a number, a truth value or nothing, as its annotation says.
    """
    result = _RESULTS[function.__annotations__["return"]]

    def declare(context: Any, *kinds: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            library = context.active_code_library
            present, key = _present.setdefault(library, {}), (function, signature.args)
            if key not in present:
                flags = _compiler.Flags()
                _options.parse_as_flags(flags, {"nopython": True, **_WITHOUT_WRAPPERS})
                flags.no_compile = True  # its caller's library is not complete yet
                present[key] = _compiler.compile_internal(
                    context.typing_context, context, library, function, signature.args, result, flags, {}
                ).fndesc
            return context.call_internal(builder, present[key], signature, arguments)

        return result(*[_unliteral(kind) for kind in kinds]), build

    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [first, *inspect.signature(function).parameters.values()]
    vars(declare).update(__name__=function.__name__, __signature__=inspect.Signature(parameters))
    return intrinsic(declare)  # type: ignore[no-any-return]


def inline(function: Function) -> Function:
    """Compile a function of one row into every loop that calls it, so that the loop becomes vector code."""
    return _njit(forceinline=True, **_WITHOUT_WRAPPERS)(function)  # type: ignore[no-any-return]


def intrinsic(function: Callable[..., Any]) -> Any:
    """Declare a function that is given as instructions of the compiler."""
    return extending.intrinsic(function)


@intrinsic
def compact(context: Any) -> Any:
    """Keep the function that calls this small: its loops are short, and are neither unrolled nor made vector code."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("optsize")
        return context.get_dummy_value()

    return types.void(), build


def sources_hash() -> str:
    """Return a hash of all kernel sources and of the version of the compiler."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def kernel_folder() -> str | None:
    """Return the folder of the compiled kernels, or None where none can be written."""
    base = cache_folder()
    if base is None:
        return None
    folder = base / f"kernels-{sources_hash()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return str(folder) if not refusal(folder) else None


class Kernel:
    """A compiled function with one signature a key; it is compiled, or loaded, when first needed."""

    def __init__(
        self, function: Callable[..., Any], signature: tuple[Any, ...] | None = None, allocates: bool = False
    ) -> None:
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self.signature = signature
        folder = kernel_folder()
        self.dispatcher = _njit(
            nogil=True, no_cfunc_wrapper=signature is not None, **(_OPTIONS if allocates else _WITHOUT_REFERENCES)
        )(function)
        if folder is not None:
            before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
            numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
            try:
                self.dispatcher._cache = KernelCache(function)
            finally:
                numba.config.CACHE_DIR = before  # type: ignore[attr-defined]
        self._entry: Callable[..., Any] | None = None

    def compile(self, signature: tuple[Any, ...]) -> Any:
        """Return numba's compile result for a signature; what takes long is announced, and its seconds are counted.

        The compiler makes millions of objects that live until it is done: looking for garbage meanwhile costs a
        quarter of its time.
        """
        if signature not in self.dispatcher.overloads:
            collecting = gc.isenabled()
            gc.disable()
            before, start = compilation.misses, time.perf_counter()
            try:
                self.dispatcher.compile(signature)
            finally:
                if collecting:
                    gc.enable()
                if compilation.misses > before:
                    compilation.seconds += time.perf_counter() - start
        return self.dispatcher.overloads[signature]

    @property
    def loaded(self) -> bool:
        """Whether the kernel can be called at once."""
        return self._entry is not None

    def load(self) -> None:
        """Compile the kernel, or load it from the cache."""
        if self._entry is None:
            self._entry = self.compile(self.signature or ()).entry_point

    def address(self, signature: tuple[Any, ...]) -> int:
        """Return the address of the C function for a signature."""
        result = self.compile(signature)
        return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))

    def __call__(self, *arguments: Any) -> Any:
        if self._entry is None:
            self.load()
        return self._entry(*arguments)  # type: ignore[misc]


def kernel(*argument_types: Any, allocates: bool = False) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel: a decorator that takes the types of its arguments.

    A kernel that makes no arrays needs no reference counts, which halves the time of compilation and saves
    microseconds wherever it passes a group of arrays to a function.
    """

    def declare(function: Callable[..., Any]) -> Kernel:
        return Kernel(function, tuple(argument_types), allocates)

    return declare


DOUBLES = types.CPointer(types.float64)  # type: ignore[no-untyped-call]
