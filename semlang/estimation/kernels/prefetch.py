"""Rows that are needed soon are asked for while others are computed.

By Laplace a row takes 14 ns, and to wait for memory beyond the caches would take three more. Asking has no effect on
results, and may be for rows that do not exist.
"""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.declaring import compact, inner, intrinsic
from semlang.estimation.kernels.layout import Adjoints, Nest, Rows

AHEAD = 1024
"""Rows from those that are computed to those that are asked for: two blocks of `modes`."""
WRITTEN_AHEAD = 512
LINE = 8
"""Numbers of a line of the cache."""


def _asking(to_write: int) -> Any:
    @intrinsic
    def function(context: Any, address: Any) -> Any:
        from llvmlite import ir
        from numba import types

        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
            ask = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
            second_cache, data = number(2), number(1)
            builder.call(ask, [builder.inttoptr(arguments[0], pointer), number(to_write), second_cache, data])
            return context.get_dummy_value()

        return types.none(types.int64), build

    return function


ask_to_read = _asking(0)
ask_to_write = _asking(1)


@inner
def ask_for_rows(a: int, b: int, D: int, nest: Nest, rows: Rows) -> None:
    """Ask for what modes and values need of the rows `AHEAD` of rows a to b."""
    compact()
    y, f1, o, A = rows.y.ctypes.data, rows.f1.ctypes.data, rows.o.ctypes.data, rows.A.ctypes.data
    n = rows.o.size
    for i in range(a + AHEAD, b + AHEAD, LINE):
        ask_to_read(y + 8 * i)
        ask_to_read(o + 8 * i)
        if nest.uniform[2] == 0:
            ask_to_read(f1 + 8 * i)
        for d in range(D):
            ask_to_read(A + 8 * (d * n + i))


@inner
def ask_for_adjoints(a: int, b: int, D: int, adjoints: Adjoints) -> None:
    """Ask for the places of the adjoints of the rows `WRITTEN_AHEAD` of rows a to b."""
    compact()
    o, A = adjoints.o.ctypes.data, adjoints.A.ctypes.data
    n = adjoints.o.size
    for i in range(a + WRITTEN_AHEAD, b + WRITTEN_AHEAD, LINE):
        ask_to_write(o + 8 * i)
        for d in range(D):
            ask_to_write(A + 8 * (d * n + i))
