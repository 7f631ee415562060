"""Rows without a latent variable: a generalized linear model."""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.composite import composite_row
from semlang.estimation.kernels.declaring import kernel
from semlang.estimation.kernels.densities import TILE, VALUE, call_rows, end_of_run
from semlang.estimation.kernels.families import COMPOSITES, SETS
from semlang.estimation.kernels.groups import Vector
from semlang.estimation.kernels.layout import Adjoints, Rows
from semlang.estimation.kernels.softmax import log_probability, probabilities


@kernel(Rows, int, int, Vector, Vector, Adjoints)
def plain_rows(rows: Rows, a: int, b: int, tile_: Any, value: Any, adjoints: Adjoints) -> None:
    """Fill l and its derivatives in o, f1, f2 of rows a to b, times the row's weight."""
    y, f1, f2, o, tile = (
        rows.y.ctypes.data, rows.f1.ctypes.data, rows.f2.ctypes.data, rows.o.ctypes.data, tile_.ctypes.data,
    )  # fmt: skip
    i = a
    while i < b:
        c = rows.code[i]
        if c >= COMPOSITES:
            i = composite_row(i, rows, value, adjoints)
            continue
        if c >= SETS:
            value[i] = log_probability(i, i, rows, rows.o)
            j = probabilities(i, i, rows, rows.o, adjoints.o)
            for t in range(i, j):
                adjoints.o[t] = rows.weight[t] * (rows.y[t] - adjoints.o[t])
                adjoints.f1[t] = adjoints.f2[t] = 0.0
            for t in range(i + 1, j):
                value[t] = 0.0
            i = j
            continue
        j = end_of_run(i, min(b, i + TILE), rows.code)
        call_rows(rows.address[c], VALUE, j - i, y + 8 * i, f1 + 8 * i, f2 + 8 * i, o + 8 * i, tile)
        for t in range(j - i):
            x = rows.weight[i + t]
            value[i + t] = x * tile_[t]
            adjoints.o[i + t] = x * tile_[TILE + t]
            adjoints.f1[i + t] = x * tile_[2 * TILE + t]
            adjoints.f2[i + t] = x * tile_[3 * TILE + t]
        i = j
