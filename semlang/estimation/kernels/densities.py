"""The table of densities, and loops over rows that any kernel can call through an address.

The kernels of the integral know no family: they call ``rows_of[code]`` by its address, with 64 rows at a time.
So a model compiles only the densities that it uses, and a new family is one function of a row and
one line of `families.ENTRIES`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.declaring import Address, Kernel, inner, intrinsic
from semlang.estimation.kernels.families import ENTRIES

__all__ = ["CURVATURE", "PARAMETERS", "THIRD", "TILE", "VALUE", "addresses", "call_rows", "end_of_run", "has_rows",
           "rows_of"]  # fmt: skip

TILE = 64
"""Rows, or nodes, that are passed at a time."""

CURVATURE, VALUE, THIRD = 0, 1, 2
"""What is asked for: (l', -l'', and -l''' where no row parameter is estimated); (l, l', dl/df1, dl/df2);
(-l''', dl'/df1, -dl''/df1, dl'/df2, -dl''/df2)."""


DATA = ("", "trials", "event", "censored", "high", "one", "set")
"""Numbers of rows that are data, not estimated."""

PARAMETERS = np.array([sum(f not in DATA for f in (e.f1, e.f2)) for e in ENTRIES], dtype=np.int64)
"""How many row parameters of a code are estimated."""


@intrinsic
def _numbers(context: Any, address: Any, n: Any) -> Any:
    """Take the n numbers from an address on as an array."""
    from numba import types

    from semlang.estimation.kernels.compiling import array_at

    kind = types.Array(types.float64, 1, "C")

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return array_at(context, builder, kind, arguments[0], [arguments[1]])

    return kind(address, types.int64), build


@cache
def rows_of(code: int) -> Kernel:
    """Return the loop over rows of a code."""
    entry = ENTRIES[code]
    module, name = entry.density.split(".")
    density = getattr(import_module(f"semlang.estimation.kernels.{module}"), name)
    estimated = bool(PARAMETERS[code] > 0)

    def rows(what: int, n: int, y_: Any, f1_: Any, f2_: Any, nu_: Any, out_: Any) -> int:
        """Fill ``out[k * TILE + t]`` with the k-th quantity of row t < n <= TILE."""
        y = _numbers(y_, n)
        f1 = _numbers(f1_, n)
        f2 = _numbers(f2_, n)
        nu = _numbers(nu_, n)
        out = _numbers(out_, 5 * TILE)
        if what == CURVATURE:
            for t in range(n):
                row = density(y[t], f1[t], f2[t], nu[t])
                out[t] = row[1]
                out[t + TILE] = row[2]
                if not estimated:
                    out[t + 2 * TILE] = row[3]
        elif what == VALUE:
            for t in range(n):
                row = density(y[t], f1[t], f2[t], nu[t])
                out[t] = row[0]
                out[t + TILE] = row[1]
                out[t + 2 * TILE] = row[4]
                out[t + 3 * TILE] = row[7]
        else:
            for t in range(n):
                row = density(y[t], f1[t], f2[t], nu[t])
                out[t] = row[3]
                out[t + TILE] = row[5]
                out[t + 2 * TILE] = row[6]
                out[t + 3 * TILE] = row[8]
                out[t + 4 * TILE] = row[9]
        return 0

    name = f"rows {entry.family} {entry.link}".replace(" ", "-")
    return Kernel(rows, (int, int, *[Address] * 5), name=name, by_address=True)


def has_rows(code: int) -> bool:
    """Whether a row of this code has a density by itself, and so a loop."""
    return bool(ENTRIES[code].density)


def addresses(codes: Iterable[int]) -> NDArray[np.int64]:
    """Return the addresses of the loops of the given codes by code, compiling or loading them."""
    table = np.zeros(len(ENTRIES), dtype=np.int64)
    for code in codes:
        if has_rows(code):
            table[code] = rows_of(int(code)).address()
    return table


@inner
def end_of_run(i: int, end: int, code: Any) -> int:
    """Return the end of the rows from i on that have the code of row i, at most `end`."""
    others = 0
    for t in range(i, end):  # vector code: nearly always there are none
        others += 1 if code[t] != code[i] else 0
    if others == 0:
        return end
    j = i + 1
    while j < end and code[j] == code[i]:
        j += 1
    return j


@intrinsic
def call_rows(context: Any, address: Any, what: Any, n: Any, y: Any, f1: Any, f2: Any, nu: Any, out: Any) -> Any:
    """Call the loop at an address; the arrays are given by the addresses of their first elements."""
    from llvmlite import ir
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, pointer = ir.IntType(64), ir.DoubleType().as_pointer()
        kind = ir.FunctionType(integer, [integer] * 2 + [pointer] * 5)
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        pointers = [builder.inttoptr(a, pointer) for a in arguments[3:]]
        return builder.call(function, [arguments[1], arguments[2], *pointers])

    return types.int64(*[types.int64] * 8), build
