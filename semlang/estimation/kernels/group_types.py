"""Groups of arrays in compiled code: how a kernel finds an array, and reads and writes its elements."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator, override"
# (the compiler's own functions have no types)

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    unbox,
)

from semlang.estimation.kernels.groups import WIDTH, Group

__all__ = ["GroupType"]

_INTEGER = ir.IntType(64)
_TABLE = _INTEGER.as_pointer()


class Member(types.Type):
    """An array of a group; its value is the place of its address and shape in the group's table."""

    def __init__(self, name: str, dtype: Any, dimensions: int) -> None:
        self.dtype = types.int64 if dtype == np.int64 else types.float64
        self.dimensions = dimensions
        super().__init__(f"{name}[{dtype}, {dimensions}]")


class GroupType(types.Type):
    """A group; its value is the address of its table."""

    def __init__(self, group: type[Group]) -> None:
        own = f"{group.__module__}.{group.__qualname__}"
        self.members = {name: Member(f"{own}.{name}", *kind) for name, kind in group.layout.items()}
        super().__init__(own)


@register_model(Member)
@register_model(GroupType)
class _Pointer(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _TABLE)

    def from_argument(self, builder: Any, value: Any) -> Any:
        if isinstance(self.fe_type, GroupType) and isinstance(value, ir.Argument):
            value.attributes.dereferenceable = 8 * WIDTH * len(self.fe_type.members)
        return value


@unbox(GroupType)
def _unbox(kind: Any, value: Any, context: Any) -> Any:
    builder, python = context.builder, context.pyapi
    address = cgutils.alloca_once_value(builder, _INTEGER(0))
    number = python.object_getattr_string(value, "pointer")
    with builder.if_then(cgutils.is_not_null(builder, number), likely=True):
        builder.store(python.long_as_longlong(number), address)
        python.decref(number)
    return NativeValue(builder.inttoptr(builder.load(address), _TABLE), is_error=python.c_api_error())


@infer_getattr
class _GroupAttributes(AttributeTemplate):
    key = GroupType

    def generic_resolve(self, group: Any, name: str) -> Any:
        return group.members.get(name)


@infer_getattr
class _MemberAttributes(AttributeTemplate):
    key = Member

    def resolve_ctypes(self, member: Any) -> Any:
        return member  # so that `x.ctypes.data` is the address

    def resolve_data(self, member: Any) -> Any:
        return types.intp

    def resolve_size(self, member: Any) -> Any:
        return types.intp if member.dimensions == 1 else None

    def resolve_shape(self, member: Any) -> Any:
        return types.UniTuple(types.intp, member.dimensions)


class _Access(AbstractTemplate):
    metadata = {"target": "cpu"}  # asked before those of numba's arrays, of which there are many

    def generic(self, arguments: Any, _: Any) -> Any:
        member, index, *value = arguments
        if not isinstance(member, Member):
            return None
        indices = getattr(index, "types", (index,))
        if len(indices) != member.dimensions or not all(isinstance(i, types.Integer) for i in indices):
            return None
        place = types.intp if len(indices) == 1 else types.UniTuple(types.intp, len(indices))
        if value:
            return signature(types.none, member, place, member.dtype)
        return signature(member.dtype, member, place)


@infer_global(operator.getitem)
class _Read(_Access):
    pass


@infer_global(operator.setitem)
class _Write(_Access):
    pass


@lower_getattr_generic(GroupType)
def _member(context: Any, builder: Any, group: Any, table: Any, name: str) -> Any:
    return builder.gep(table, [_INTEGER(WIDTH * list(group.members).index(name))], inbounds=True)


@lower_getattr_generic(Member)
def _attribute(context: Any, builder: Any, member: Any, place: Any, name: str) -> Any:
    if name == "shape":
        lengths = [_entry(builder, place, 1 + d) for d in range(member.dimensions)]
        return context.make_tuple(builder, types.UniTuple(types.intp, member.dimensions), lengths)
    return place if name == "ctypes" else _entry(builder, place, 0 if name == "data" else 1)


def _entry(builder: Any, place: Any, number: int) -> Any:
    """Load the address or a length of an array; they never change, so the compiler loads them once."""
    loaded = builder.load(builder.gep(place, [_INTEGER(number)], inbounds=True))
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


def _element(context: Any, builder: Any, member: Any, place: Any, index: Any) -> Any:
    """Return the address of an element; with NUMBA_BOUNDSCHECK=1 the process ends where there is none."""
    start = _entry(builder, builder.bitcast(place, context.get_value_type(member.dtype).as_pointer().as_pointer()), 0)
    indices = [index] if member.dimensions == 1 else cgutils.unpack_tuple(builder, index)
    if config.BOUNDSCHECK:  # type: ignore[attr-defined]
        for d, i in enumerate(indices):
            with builder.if_then(builder.icmp_unsigned(">=", i, _entry(builder, place, 1 + d)), likely=False):
                abort = ir.FunctionType(ir.VoidType(), [])
                builder.call(cgutils.get_or_insert_function(builder.module, abort, "abort"), [])
    offset = indices[0]
    for d in range(1, member.dimensions):
        offset = builder.mul(offset, _entry(builder, place, 1 + d), flags=["nsw"])
        offset = builder.add(offset, indices[d], flags=["nsw"])
    return builder.gep(start, [offset], inbounds=True)


def _only(builder: Any, member: Any, access: Any) -> Any:
    """Mark an access: nothing but elements of this field is there."""
    add = builder.module.add_metadata
    field = add([member.name, add(["groups"]), _INTEGER(0)])
    access.set_metadata("tbaa", add([field, field, _INTEGER(0)]))
    return access


@lower_builtin(operator.getitem, Member, types.Any)
def _read(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    return _only(builder, sig.args[0], builder.load(_element(context, builder, sig.args[0], *arguments)))


@lower_builtin(operator.setitem, Member, types.Any, types.Any)
def _write(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    *place, value = arguments
    _only(builder, sig.args[0], builder.store(value, _element(context, builder, sig.args[0], *place)))
    return context.get_dummy_value()
