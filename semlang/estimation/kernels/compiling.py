"""How numba compiles a kernel to an object file. Nothing imports this module but to compile.

It stands on numba's extension interface and on some of its internals: `compile_internal`, libraries of code, and the
calling convention.
"""

# mypy: disable-error-code="no-untyped-call, untyped-decorator, override"
# (the compiler's own functions have no types)

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils, codegen, compiler, registry
from numba.core.compiler_lock import global_compiler_lock
from numba.core.typing.typeof import typeof_impl
from numba.np.arrayobj import make_array, populate_array

from semlang.estimation.kernels.declaring import DTYPES, Address, Kernel, Part
from semlang.estimation.kernels.group_types import GroupType
from semlang.estimation.kernels.groups import Group
from semlang.estimation.kernels.linking import ENTRY

__all__ = ["array_at", "exact", "inline", "inner", "intrinsic", "object_code"]

# Not nnan and ninf: kernels test for numbers that are not finite.
_ARITHMETIC = {"reassoc", "contract", "nsz", "arcp"}
# No 'reassoc': a constant that shifts a number into its exponent must not be folded away.
_EXACT = {"contract", "nsz", "arcp", "nnan", "ninf"}
_OPTIONS: dict[str, Any] = {
    "fastmath": _ARITHMETIC, "error_model": "numpy", "_nrt": False, "no_rewrites": True,
    "no_cpython_wrapper": True, "no_cfunc_wrapper": True,
}  # fmt: skip
_RESULTS = {"None": types.void, "bool": types.boolean, "int": types.int64, "float": types.float64}
_KINDS = {int: types.int64, float: types.float64, bool: types.boolean, Address: types.CPointer(types.float64)}
_DTYPES = {np.dtype(np.int64): types.int64, np.dtype(np.float64): types.float64, np.dtype(np.bool_): types.boolean}
_INTEGER = ir.IntType(64)
_WELL_ORDERED = 0x101
"""numpy's flags of an array that is contiguous in C's order, and aligned."""
_present: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()
"""Inner functions that a library holds by now, by function and types."""
_njit: Any = numba.njit
_compiler: Any = compiler
_target: Any = registry.cpu_target
_unliteral: Any = types.unliteral


@typeof_impl.register(Part)
def _type_of_part(part: Part, _: Any) -> Any:
    """A kernel that calls a part calls what is compiled of it; that has just been declared, perhaps."""
    compiled, context = part.compiled, _target.typing_context
    context.refresh()
    return context.resolve_value_type(compiled)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Return a function that is given as instructions of the compiler."""
    return extending.intrinsic(function)


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function of one row into every loop that calls it."""
    return _njit(forceinline=True, **_OPTIONS)(function)


def exact(function: Callable[..., Any]) -> Any:
    """Compile one likewise, without reordering its sums."""
    return _njit(forceinline=True, **{**_OPTIONS, "fastmath": _EXACT})(function)


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function within each kernel that calls it.

    numba would compile and optimise it by itself, and then once more with its callers. It counts no references.
    """
    result = _RESULTS[function.__annotations__["return"]]

    def declare(context: Any, *kinds: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            library = context.active_code_library
            present, key = _present.setdefault(library, {}), (function, signature.args)
            if key not in present:
                present[key] = _compile_into(library, function, signature.args, result)
            return context.call_internal(builder, present[key], signature, arguments)

        return result(*[_unliteral(kind) for kind in kinds]), build

    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [first, *inspect.signature(function).parameters.values()]
    vars(declare).update(__name__=function.__name__, __signature__=inspect.Signature(parameters))
    return extending.intrinsic(declare)


def _compile_into(library: Any, function: Callable[..., Any], arguments: Any, result: Any) -> Any:
    """Compile a function into a library; return its descriptor."""
    flags = _compiler.Flags()
    _target.options.parse_as_flags(flags, {"nopython": True, **_OPTIONS})
    flags.no_compile = True  # the library is not complete yet
    context = _target.target_context
    return _compiler.compile_internal(
        _target.typing_context, context, library, function, arguments, result, flags, {}
    ).fndesc


class _Library(codegen.JITCodeLibrary):
    """Code that is optimised as numba's, and not put into this process."""

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def emitted(self) -> bytes:
        """Return the object file."""
        self.finalize()
        outside = [f.name for f in self._final_module.functions if f.is_declaration]
        for name in outside:
            if name.startswith(("numba", "NRT", "Py", "_Py")):
                raise RuntimeError(f"the kernel {self.name} needs {name}: does it make an array, or raise something?")
        return bytes(self._codegen._tm.emit_object(self._final_module))


def object_code(kernel: Kernel) -> bytes:
    """Compile a kernel to an object file, whose function is `ENTRY`.

    The compiler makes millions of objects that live until it is done: looking for garbage meanwhile costs a quarter of
    its time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with global_compiler_lock:
            arguments = tuple(_native(kind) for kind in kernel.arguments)
            library = _Library(_target.target_context.codegen(), kernel.name)
            described = _compile_into(library, kernel.function, arguments, _RESULTS[kernel.result])
            library.add_ir_module(_entry(kernel, described, arguments))
            return library.emitted()
    finally:
        if collecting:
            gc.enable()


def _native(kind: Any) -> Any:
    """Return numba's type of a kind of argument."""
    if kind in _KINDS:
        return _KINDS[kind]
    if isinstance(kind, type) and issubclass(kind, Group):
        return GroupType(kind)
    dtype, dimensions = kind.__metadata__
    return types.Array(_DTYPES[dtype], dimensions, "C")


def _entry(kernel: Kernel, described: Any, arguments: tuple[Any, ...]) -> Any:
    """Return a module with the function that is called from outside.

    Where it is called by its address it takes the arguments themselves, else the address of the slots that `declaring`
    describes; it then returns 0, or 1 where an array is not what was declared.
    """
    context = _target.target_context
    module = context.create_module("entry")
    convention = context.call_conv
    function = ir.Function(module, convention.get_function_type(described.restype, arguments), described.llvm_func_name)
    returned = context.get_value_type(described.restype)
    given = [context.get_value_type(a) for a in arguments] if kernel.by_address else [_INTEGER.as_pointer()]
    entry = ir.Function(module, ir.FunctionType(returned if kernel.by_address else _INTEGER, given), ENTRY)
    builder = ir.IRBuilder(entry.append_basic_block("entry"))
    slots = None if kernel.by_address else _Slots(context, builder, entry.args[0])
    values = entry.args if slots is None else [slots.take(a) for a in arguments]
    status, value = convention.call_function(
        builder, function, described.restype, arguments, values, attrs=("noinline",)
    )
    with builder.if_then(status.is_error, likely=False):  # an index that is outside, with NUMBA_BOUNDSCHECK=1
        builder.call(cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), []), "abort"), [])
    if slots is None:
        builder.ret(value)
        return module
    if kernel.result != "None":
        stored = context.get_value_as_data(builder, described.restype, value)
        builder.store(stored, builder.inttoptr(slots.result, stored.type.as_pointer()))
    builder.ret(_INTEGER(0))
    return module


class _Slots:
    """Arguments of a kernel, eight bytes each."""

    def __init__(self, context: Any, builder: Any, start: Any) -> None:
        self.context, self.builder, self.start, self.place = context, builder, start, 0
        self.result, self.header = self.load(_INTEGER), self.load(_INTEGER)
        self.dtypes = {_DTYPES[dtype]: self.load(_INTEGER) for dtype in DTYPES}

    def load(self, kind: Any) -> Any:
        """Load the next slot."""
        pointer = self.builder.gep(self.start, [_INTEGER(self.place)])
        self.place += 1
        return self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()))

    def take(self, argument: Any) -> Any:
        """Return the next argument, of a given type."""
        kind = self.context.get_value_type(argument)
        if isinstance(argument, types.Array):
            return self._array(argument, self.load(_INTEGER))
        if isinstance(argument, types.Boolean):
            return self.builder.trunc(self.load(_INTEGER), kind)
        return self.load(kind)

    def _array(self, kind: Any, there: Any) -> Any:
        """Return the array of an object, a PyArrayObject_fields of numpy; leave where it is not as declared."""
        builder = self.builder
        begin = builder.add(there, self.header)

        def field(place: int, width: int = 64) -> Any:
            address = builder.add(begin, _INTEGER(place))
            return builder.load(builder.inttoptr(address, ir.IntType(width).as_pointer()))

        data, dimensions, shape, dtype, flags = field(0), field(8, 32), field(16), field(40), field(48, 32)
        right = builder.and_(
            builder.icmp_signed("==", dimensions, dimensions.type(kind.ndim)),
            builder.icmp_signed("==", builder.and_(flags, flags.type(_WELL_ORDERED)), flags.type(_WELL_ORDERED)),
        )
        right = builder.and_(right, builder.icmp_signed("==", dtype, self.dtypes[kind.dtype]))
        with builder.if_then(builder.not_(right), likely=False):
            builder.ret(_INTEGER(1))
        lengths = builder.inttoptr(shape, _INTEGER.as_pointer())
        loaded = [builder.load(builder.gep(lengths, [_INTEGER(d)])) for d in range(kind.ndim)]
        start = builder.inttoptr(data, self.context.get_value_type(kind.dtype).as_pointer())
        return array_at(self.context, builder, kind, start, loaded)


def array_at(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    """Return the array of a given type and shape whose first element is at an address."""
    array = make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [_INTEGER(size)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    data = builder.bitcast(data, context.get_data_type(kind.dtype).as_pointer())
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return array._getvalue()
