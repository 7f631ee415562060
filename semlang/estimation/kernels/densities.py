"""The table of densities, and loops over rows that any kernel can call through an address.

The kernels of the integral know no family: they call ``rows_of[code]`` by its address, with 64 rows at a time.
So a model compiles only the densities that it uses, and a new family is one function of a row and
one line of `families.ENTRIES`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.compiling import DOUBLES, Kernel, inner, intrinsic
from semlang.estimation.kernels.families import ENTRIES

__all__ = ["CURVATURE", "DENSITIES", "PARAMETERS", "THIRD", "TILE", "VALUE", "addresses", "call_rows", "end_of_run"]

carray: Any = numba.carray  # type: ignore[attr-defined]

TILE = 64
"""Rows, or nodes, that are passed at a time."""

CURVATURE, VALUE, THIRD = 0, 1, 2
"""What is asked for: (l', -l'', and -l''' where no row parameter is estimated); (l, l', dl/df1, dl/df2);
(-l''', dl'/df1, -dl''/df1, dl'/df2, -dl''/df2)."""


def _function(name: str) -> Any:
    """Return a function of this package, None for rows that have a density only together."""
    if not name:
        return None
    module, function = name.split(".")
    return getattr(import_module(f"semlang.estimation.kernels.{module}"), function)


DENSITIES = tuple(_function(entry.density) for entry in ENTRIES)

DATA = ("", "trials", "event", "censored", "high", "one", "set")
"""Numbers of rows that are data, not estimated."""

PARAMETERS = np.array([sum(f not in DATA for f in (e.f1, e.f2)) for e in ENTRIES], dtype=np.int64)
"""How many row parameters of a code are estimated."""


def density(code: int, y: float, f1: float, f2: float, nu: float) -> Density:
    """Return the density of one row; the code is known to the compiler."""
    raise NotImplementedError


@overload(density, jit_options={"forceinline": True, "error_model": "numpy"})
def _density(code: Any, y: Any, f1: Any, f2: Any, nu: Any) -> Any:
    if not isinstance(code, types.IntegerLiteral):
        return None
    function = DENSITIES[code.literal_value]

    def implementation(code: Any, y: Any, f1: Any, f2: Any, nu: Any) -> Any:
        return function(y, f1, f2, nu)

    return implementation


def estimated(code: int) -> bool:
    """Whether a code, known to the compiler, has row parameters that are estimated."""
    raise NotImplementedError


@overload(estimated)
def _estimated(code: Any) -> Any:
    if not isinstance(code, types.IntegerLiteral):
        return None
    answer = bool(PARAMETERS[code.literal_value] > 0)

    def implementation(code: Any) -> Any:
        return answer

    return implementation


def _rows(code: int, what: int, n: int, y_: Any, f1_: Any, f2_: Any, nu_: Any, out_: Any) -> int:
    """Fill ``out[k * TILE + t]`` with the k-th quantity of row t < n <= TILE."""
    y = carray(y_, n)
    f1 = carray(f1_, n)
    f2 = carray(f2_, n)
    nu = carray(nu_, n)
    out = carray(out_, 5 * TILE)
    if what == CURVATURE:
        for t in range(n):
            row = density(code, y[t], f1[t], f2[t], nu[t])
            out[t] = row[1]
            out[t + TILE] = row[2]
            if not estimated(code):
                out[t + 2 * TILE] = row[3]
    elif what == VALUE:
        for t in range(n):
            row = density(code, y[t], f1[t], f2[t], nu[t])
            out[t] = row[0]
            out[t + TILE] = row[1]
            out[t + 2 * TILE] = row[4]
            out[t + 3 * TILE] = row[7]
    else:
        for t in range(n):
            row = density(code, y[t], f1[t], f2[t], nu[t])
            out[t] = row[3]
            out[t + TILE] = row[5]
            out[t + 2 * TILE] = row[6]
            out[t + 3 * TILE] = row[8]
            out[t + 4 * TILE] = row[9]
    return 0


rows_of = Kernel(_rows, allocates=True)


def addresses(codes: Iterable[int]) -> NDArray[np.int64]:
    """Return the addresses of the loops of the given codes by code, compiling or loading them."""
    table = np.zeros(len(ENTRIES), dtype=np.int64)
    for code in codes:
        if DENSITIES[code] is None:
            continue
        signature = (types.IntegerLiteral(int(code)), types.int64, types.int64, *[DOUBLES] * 5)
        table[code] = rows_of.address(signature)
    return table


@inner
def end_of_run(i: int, end: int, code: Any) -> int:
    """Return the end of the rows from i on that have the code of row i, at most `end`."""
    j = i + 1
    while j < end and code[j] == code[i]:
        j += 1
    return j


@intrinsic
def call_rows(context: Any, address: Any, what: Any, n: Any, y: Any, f1: Any, f2: Any, nu: Any, out: Any) -> Any:
    """Call the loop at an address; the arrays are given by the addresses of their first elements."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, pointer = ir.IntType(64), ir.DoubleType().as_pointer()
        kind = ir.FunctionType(integer, [integer] * 3 + [pointer] * 5)
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        pointers = [builder.inttoptr(a, pointer) for a in arguments[3:]]
        return builder.call(function, [integer(0), arguments[1], arguments[2], *pointers])

    return types.int64(*[types.int64] * 8), build
