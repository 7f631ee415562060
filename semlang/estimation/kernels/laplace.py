"""The value at one point: Laplace's approximation at the joint modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import inner, kernel
from semlang.estimation.kernels.densities import THIRD, TILE, VALUE, call_rows, end_of_run
from semlang.estimation.kernels.families import SETS
from semlang.estimation.kernels.groups import Vector
from semlang.estimation.kernels.layout import Fronts, Nest, Rows, Scratch
from semlang.estimation.kernels.softmax import end_of_set, log_probability


@inner
def value_at_modes(a: int, b: int, r0: int, nest: Nest, rows: Rows, scratch: Scratch) -> None:
    """Fill ``scratch.value`` with l, dl/df1 and dl/df2, times the row's weight."""
    y, f1, f2 = rows.y.ctypes.data, rows.f1.ctypes.data, rows.f2.ctypes.data
    nu, tile = scratch.nu.ctypes.data, scratch.tile.ctypes.data
    i = a
    while i < b:
        c = rows.code[i]
        if c >= SETS:
            j = end_of_set(i, rows)
            for t in range(i - r0, j - r0):
                scratch.value[0, t] = 0.0
            scratch.value[0, i - r0] = log_probability(i, i - r0, rows, scratch.nu)
            i = j
            continue
        j = min(b, i + TILE)
        if nest.uniform[0] == 0:
            j = end_of_run(i, j, rows.code)
        same = i if nest.uniform[2] == 0 else r0
        call_rows(rows.address[c], VALUE, j - i, y + 8 * i, f1 + 8 * same, f2 + 8 * i, nu + 8 * (i - r0), tile)
        for t in range(j - i):
            scratch.value[0, i - r0 + t] = scratch.tile[t]
        if nest.uniform[1] == 0:
            for t in range(j - i):
                scratch.value[0, i - r0 + t] *= rows.weight[i + t]
        if rows.parameters[c] > 0:
            for t in range(j - i):
                scratch.value[1, i - r0 + t] = rows.weight[i + t] * scratch.tile[2 * TILE + t]
                scratch.value[2, i - r0 + t] = rows.weight[i + t] * scratch.tile[3 * TILE + t]
        i = j


@kernel(Nest, Rows, Fronts, Scratch, Vector)
def laplace(nest: Nest, rows: Rows, fronts: Fronts, scratch: Scratch, value: Any) -> None:
    """``value = sum_u Om_u (-log|L_u| - |m_u|^2 / 2) + sum_i Om l_i`` of each top-level cluster."""
    K = nest.dims.size
    r0 = nest.first[0]
    value_at_modes(r0, nest.last[nest.base[1] - 1], r0, nest, rows, scratch)
    sums = fronts.sum
    for q in range(nest.base[K]):
        sums[q] = 0.0
    for level in range(K):
        for q in range(nest.base[level], nest.base[level + 1]):
            s = sums[q]
            if level == 0:
                for i in range(nest.first[q] - r0, nest.last[q] - r0):
                    s += scratch.value[0, i]
            det = 1.0
            for k in range(nest.dims[level]):
                s -= 0.5 * fronts.path[q, k] * fronts.path[q, k]
                det *= fronts.L[q, k, k]
            s = nest.weight[q] * (s - np.log(det))
            if level < K - 1:
                sums[nest.above[q]] += s
            else:
                value[q - nest.base[level]] = s


@kernel(Rows, Scratch, int, int)
def third_derivatives(rows: Rows, scratch: Scratch, a: int, b: int) -> None:
    """Fill ``w1`` and ``mixed`` of those rows a to b (the rows of a batch) of which `curvature` does not fill ``w1``.

    They are times the row's weight. Of rows of a set ``w1`` is w, see `softmax.centre_sets`.
    """
    y, f1, f2 = rows.y.ctypes.data, rows.f1.ctypes.data, rows.f2.ctypes.data
    nu, tile = scratch.nu.ctypes.data, scratch.tile.ctypes.data
    i = a
    while i < b:
        c = rows.code[i]
        if c >= SETS:
            j = end_of_set(i, rows)
            for t in range(i - a, j - a):
                scratch.w1[t] = scratch.w[t]
            i = j
            continue
        j = end_of_run(i, min(b, i + TILE), rows.code)
        if rows.parameters[c] > 0:
            call_rows(rows.address[c], THIRD, j - i, y + 8 * i, f1 + 8 * i, f2 + 8 * i, nu + 8 * (i - a), tile)
            for t in range(j - i):
                scratch.w1[i - a + t] = rows.weight[i + t] * scratch.tile[t]
            for k in range(4):
                for t in range(j - i):
                    scratch.mixed[k, i - a + t] = rows.weight[i + t] * scratch.tile[(k + 1) * TILE + t]
        i = j
