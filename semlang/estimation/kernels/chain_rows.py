"""Linear predictors of rows from the cells of the model, and the way back to scores of clusters."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from semlang.estimation.kernels.compiling import inner, kernel

__all__ = ["forward", "reverse"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_I, _II = types.int64[::1], types.int64[:, ::1]
_F, _FF = types.float64[::1], types.float64[:, ::1]
_ENTRIES = (_II, _II, _II, _II, _II, _II, _II, types.boolean[::1])
_ROWS = (_F, _FF, _F, _F)


@inner
def _one_response(
    source: Ints, columns: Floats, cells: Floats, o_entries: Ints, a_entries: Ints, o: Floats, A: Floats
) -> None:
    """Fill o and A of rows that all have the same response: entries outside, rows inside."""
    n = source.size
    for d in range(A.shape[0]):
        for i in range(n):
            A[d, i] = 0.0
    for e in range(o_entries.shape[0]):
        j = o_entries[e, 0]
        c = cells[o_entries[e, 1]]
        if j < 0:
            for i in range(n):
                o[i] += c
        else:
            for i in range(n):
                o[i] += c * columns[j, source[i]]
    for e in range(a_entries.shape[0]):
        d, j = a_entries[e, 0], a_entries[e, 1]
        c = cells[a_entries[e, 2]]
        if j < 0:
            for i in range(n):
                A[d, i] += c
        else:
            for i in range(n):
                A[d, i] += c * columns[j, source[i]]


@inner
def _one_response_back(
    begin: int,
    end: int,
    source: Ints,
    columns: Floats,
    o_entries: Ints,
    a_entries: Ints,
    o_bar: Floats,
    A_bar: Floats,
    bar: Floats,
) -> None:
    """Sum the adjoints of the cells over the rows of one cluster."""
    for e in range(o_entries.shape[0]):
        j = o_entries[e, 0]
        total = 0.0
        if j < 0:
            for i in range(begin, end):
                total += o_bar[i]
        else:
            for i in range(begin, end):
                total += o_bar[i] * columns[j, source[i]]
        bar[o_entries[e, 1]] += total
    for e in range(a_entries.shape[0]):
        d, j = a_entries[e, 0], a_entries[e, 1]
        total = 0.0
        if j < 0:
            for i in range(begin, end):
                total += A_bar[d, i]
        else:
            for i in range(begin, end):
                total += A_bar[d, i] * columns[j, source[i]]
        bar[a_entries[e, 2]] += total


@kernel(_I, _I, _FF, _F, *_ENTRIES, *_ROWS, _F, allocates=True)
def forward(
    response: Ints,
    source: Ints,
    columns: Floats,
    cells: Floats,
    o_range: Ints,
    o_entries: Ints,
    a_range: Ints,
    a_entries: Ints,
    f_lists: Ints,
    f_range: Ints,
    f_entries: Ints,
    exponential: Flags,
    o: Floats,
    A: Floats,
    f1: Floats,
    f2: Floats,
    scale: Floats,
) -> None:
    """Fill ``o, A, f1, f2`` and the scale of the rows.

    Row i belongs to response k and record r. With columns x (number -1 is the constant 1) and cells c,

        o_i = offset_i + sum c x,   A_di = sum c x,   f_i = sum c x, or its exponential,

    over the entries of k (for f: of the row's list). Where a row has a scale s = exp(-sum c x), all are multiplied by
    it: F((tau - nu) s).

    Parameters
    ----------
    response, source : (N,) ints
    columns : (X, records) floats
    cells : (n,) floats
    o_range, a_range, f_range : (lists, 2) ints
        First entry and end.
    o_entries, f_entries : (n, 2) ints
        Column and cell.
    a_entries : (n, 3) ints
        Coordinate, column and cell.
    f_lists : (3, N) ints
        List of f1, of f2 and of the scale, or -1 (left as it is).
    exponential : (lists,) bools
    o : (N,) floats
        Holds the offsets on entry.
    """
    dims = A.shape[0]
    if o_range.shape[0] == 1 and f_range.shape[0] == 0:
        _one_response(source, columns, cells, o_entries, a_entries, o, A)
        return
    for i in range(response.size):
        k = response[i]
        r = source[i]
        total = o[i]
        for e in range(o_range[k, 0], o_range[k, 1]):
            j = o_entries[e, 0]
            c = cells[o_entries[e, 1]]
            total += c if j < 0 else c * columns[j, r]
        o[i] = total
        for d in range(dims):
            A[d, i] = 0.0
        for e in range(a_range[k, 0], a_range[k, 1]):
            j = a_entries[e, 1]
            c = cells[a_entries[e, 2]]
            A[a_entries[e, 0], i] += c if j < 0 else c * columns[j, r]
        for side in range(3):
            t = f_lists[side, i]
            if t < 0:
                continue
            total = 0.0
            for e in range(f_range[t, 0], f_range[t, 1]):
                j = f_entries[e, 0]
                c = cells[f_entries[e, 1]]
                total += c if j < 0 else c * columns[j, r]
            if exponential[t]:
                total = np.exp(total)
            if side == 0:
                f1[i] = total
            elif side == 1:
                f2[i] = total
            else:
                s = 1.0 / total
                scale[i] = s
                o[i] *= s
                for d in range(dims):
                    A[d, i] *= s
                if f_lists[0, i] >= 0:
                    f1[i] *= s
                if f_lists[1, i] >= 0:
                    f2[i] *= s


@kernel(_I, _I, _I, _FF, *_ENTRIES, *_ROWS, _F, *_ROWS, _I, _I, _F, _FF, allocates=True)
def reverse(
    first: Ints,
    response: Ints,
    source: Ints,
    columns: Floats,
    o_range: Ints,
    o_entries: Ints,
    a_range: Ints,
    a_entries: Ints,
    f_lists: Ints,
    f_range: Ints,
    f_entries: Ints,
    exponential: Flags,
    o: Floats,
    A: Floats,
    f1: Floats,
    f2: Floats,
    scale: Floats,
    o_bar: Floats,
    A_bar: Floats,
    f1_bar: Floats,
    f2_bar: Floats,
    j_first: Ints,
    j_parameter: Ints,
    j_value: Floats,
    scores: Floats,
) -> None:
    """Fill the scores of clusters from the adjoints of the rows' inputs.

    Cluster c has rows ``first[c]`` to ``first[c + 1]``. Its adjoints of the cells are summed over its rows, then
    multiplied by the sparse Jacobian of the cells (compressed rows `j_first`, `j_parameter`, `j_value`).
    """
    n_cells = j_first.size - 1
    bar = np.zeros(n_cells)
    dims = A.shape[0]
    simple = o_range.shape[0] == 1 and f_range.shape[0] == 0
    for c in range(first.size - 1):
        if simple:
            _one_response_back(first[c], first[c + 1], source, columns, o_entries, a_entries, o_bar, A_bar, bar)
        for i in range(first[c + 1] if simple else first[c], first[c + 1]):
            k = response[i]
            r = source[i]
            s = scale[i]
            moved = 0.0
            for e in range(o_range[k, 0], o_range[k, 1]):
                j = o_entries[e, 0]
                bar[o_entries[e, 1]] += s * o_bar[i] if j < 0 else s * o_bar[i] * columns[j, r]
            for e in range(a_range[k, 0], a_range[k, 1]):
                j = a_entries[e, 1]
                b = s * A_bar[a_entries[e, 0], i]
                bar[a_entries[e, 2]] += b if j < 0 else b * columns[j, r]
            for side in range(2):
                t = f_lists[side, i]
                if t < 0:
                    continue
                b = f1_bar[i] if side == 0 else f2_bar[i]
                f = f1[i] if side == 0 else f2[i]
                moved += b * f
                b *= f if exponential[t] else s
                for e in range(f_range[t, 0], f_range[t, 1]):
                    j = f_entries[e, 0]
                    bar[f_entries[e, 1]] += b if j < 0 else b * columns[j, r]
            t = f_lists[2, i]
            if t >= 0:
                moved += o_bar[i] * o[i]
                for d in range(dims):
                    moved += A_bar[d, i] * A[d, i]
                for e in range(f_range[t, 0], f_range[t, 1]):
                    j = f_entries[e, 0]
                    bar[f_entries[e, 1]] -= moved if j < 0 else moved * columns[j, r]
        for p in range(scores.shape[1]):
            scores[c, p] = 0.0
        for e in range(n_cells):
            if bar[e] != 0.0:
                for t in range(j_first[e], j_first[e + 1]):
                    scores[c, j_parameter[t]] += bar[e] * j_value[t]
                bar[e] = 0.0
