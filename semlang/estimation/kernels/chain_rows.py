"""Linear predictors of rows from the cells of the model, and the way back to scores of clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import compact, inner, kernel
from semlang.estimation.kernels.groups import Group, IntegerMatrix, Integers, Matrix, Vector

__all__ = ["Entries", "RowInputs", "SparseRows", "forward", "reverse"]


IDENTITY, EXPONENTIAL, LOGISTIC = 0, 1, 2
"""What a list's sum goes through."""

BLOCK = 1024
"""Rows whose inputs stay in the fastest cache while all entries are gone through."""


@dataclass(frozen=True, eq=False)
class Entries(Group):
    """Which cells and columns make the inputs of a row.

    Row i has linear predictor k and belongs to record r. With columns x (number -1 is the constant 1) and cells c,

        o_i = offset_i + sum c x,   A_di = sum c x,   f_i = sum c x, its exponential, or its logistic function,

    over the entries of k (for f: of the row's list). Where a row has a scale s = exp(-sum c x), all are multiplied by
    it: F((tau - nu) s). Where all rows have the same predictor and no lists, record r is row r.
    """

    predictor: Integers  # (N,)
    source: Integers  # (N,) record
    columns: Matrix  # (X, records)
    o_range: IntegerMatrix  # (predictors, 2) first entry and end
    o_entries: IntegerMatrix  # (n, 2) column and cell
    a_range: IntegerMatrix  # (predictors, 2)
    a_entries: IntegerMatrix  # (n, 3) coordinate, column and cell
    f_lists: IntegerMatrix  # (3, N) list of f1, of f2 and of the scale, or -1 (left as it is)
    f_range: IntegerMatrix  # (lists, 2)
    f_entries: IntegerMatrix  # (n, 2) column and cell
    transforms: Integers  # (lists,) what the sum goes through


@dataclass(frozen=True, eq=False)
class RowInputs(Group):
    """What the density of a row needs: nu = o + A' v, and the constants f1, f2; or the adjoints of these."""

    o: Vector
    A: Matrix
    f1: Vector
    f2: Vector
    scale: Vector


@dataclass(frozen=True, eq=False)
class SparseRows(Group):
    """A matrix by rows: row e has entries ``first[e]`` to ``first[e + 1]``."""

    first: Integers
    column: Integers
    value: Vector


@inner
def _of_one_response(entries: Entries) -> bool:
    """Have all rows the same predictor and no lists? Then record r is row r."""
    return bool(entries.o_range.shape[0] == 1 and entries.f_range.shape[0] == 0)


@inner
def _one_response(begin: int, end: int, entries: Entries, cells: Any, rows: RowInputs) -> None:
    """Fill o and A of rows begin to end, which have the same predictor: entries outside, rows inside."""
    for d in range(rows.A.shape[0]):
        for i in range(begin, end):
            rows.A[d, i] = 0.0
    for e in range(entries.o_entries.shape[0]):
        j = entries.o_entries[e, 0]
        c = cells[entries.o_entries[e, 1]]
        if j < 0:
            for i in range(begin, end):
                rows.o[i] += c
        else:
            for i in range(begin, end):
                rows.o[i] += c * entries.columns[j, i]
    for e in range(entries.a_entries.shape[0]):
        d = entries.a_entries[e, 0]
        j = entries.a_entries[e, 1]
        c = cells[entries.a_entries[e, 2]]
        if j < 0:
            for i in range(begin, end):
                rows.A[d, i] += c
        else:
            for i in range(begin, end):
                rows.A[d, i] += c * entries.columns[j, i]


@inner
def _one_response_back(begin: int, end: int, entries: Entries, adjoints: RowInputs, bar: Any) -> None:
    """Sum the adjoints of the cells over the rows of one cluster."""
    for e in range(entries.o_entries.shape[0]):
        j = entries.o_entries[e, 0]
        total = 0.0
        if j < 0:
            for i in range(begin, end):
                total += adjoints.o[i]
        else:
            for i in range(begin, end):
                total += adjoints.o[i] * entries.columns[j, i]
        bar[entries.o_entries[e, 1]] += total
    for e in range(entries.a_entries.shape[0]):
        d = entries.a_entries[e, 0]
        j = entries.a_entries[e, 1]
        total = 0.0
        if j < 0:
            for i in range(begin, end):
                total += adjoints.A[d, i]
        else:
            for i in range(begin, end):
                total += adjoints.A[d, i] * entries.columns[j, i]
        bar[entries.a_entries[e, 2]] += total


@kernel(Entries, Vector, RowInputs)
def forward(entries: Entries, cells: Any, rows: RowInputs) -> None:
    """Fill the inputs of the rows; o holds the offsets on entry."""
    compact()
    dims = rows.A.shape[0]
    if _of_one_response(entries):
        for begin in range(0, rows.o.size, BLOCK):
            _one_response(begin, min(begin + BLOCK, rows.o.size), entries, cells, rows)
        return
    for i in range(entries.predictor.size):
        k = entries.predictor[i]
        r = entries.source[i]
        total = rows.o[i]
        for e in range(entries.o_range[k, 0], entries.o_range[k, 1]):
            j = entries.o_entries[e, 0]
            c = cells[entries.o_entries[e, 1]]
            total += c if j < 0 else c * entries.columns[j, r]
        rows.o[i] = total
        for d in range(dims):
            rows.A[d, i] = 0.0
        for e in range(entries.a_range[k, 0], entries.a_range[k, 1]):
            j = entries.a_entries[e, 1]
            c = cells[entries.a_entries[e, 2]]
            rows.A[entries.a_entries[e, 0], i] += c if j < 0 else c * entries.columns[j, r]
        for side in range(3):
            t = entries.f_lists[side, i]
            if t < 0:
                continue
            total = 0.0
            for e in range(entries.f_range[t, 0], entries.f_range[t, 1]):
                j = entries.f_entries[e, 0]
                c = cells[entries.f_entries[e, 1]]
                total += c if j < 0 else c * entries.columns[j, r]
            if entries.transforms[t] == EXPONENTIAL:
                total = np.exp(total)
            elif entries.transforms[t] == LOGISTIC:
                total = 1.0 / (1.0 + np.exp(-total))
            if side == 0:
                rows.f1[i] = total
            elif side == 1:
                rows.f2[i] = total
            else:
                s = 1.0 / total
                rows.scale[i] = s
                rows.o[i] *= s
                for d in range(dims):
                    rows.A[d, i] *= s
                if entries.f_lists[0, i] >= 0:
                    rows.f1[i] *= s
                if entries.f_lists[1, i] >= 0:
                    rows.f2[i] *= s


@inner
def _row_back(i: int, entries: Entries, rows: RowInputs, adjoints: RowInputs, bar: Any) -> None:
    """Add to the adjoints of the cells those of row i."""
    compact()
    k = entries.predictor[i]
    r = entries.source[i]
    s = rows.scale[i]
    moved = 0.0
    for e in range(entries.o_range[k, 0], entries.o_range[k, 1]):
        j = entries.o_entries[e, 0]
        b = s * adjoints.o[i]
        bar[entries.o_entries[e, 1]] += b if j < 0 else b * entries.columns[j, r]
    for e in range(entries.a_range[k, 0], entries.a_range[k, 1]):
        j = entries.a_entries[e, 1]
        b = s * adjoints.A[entries.a_entries[e, 0], i]
        bar[entries.a_entries[e, 2]] += b if j < 0 else b * entries.columns[j, r]
    for side in range(2):
        t = entries.f_lists[side, i]
        if t < 0:
            continue
        b = adjoints.f1[i] if side == 0 else adjoints.f2[i]
        f = rows.f1[i] if side == 0 else rows.f2[i]
        moved += b * f
        if entries.transforms[t] == EXPONENTIAL:
            b *= f
        elif entries.transforms[t] == LOGISTIC:
            b *= f * (1.0 - f)
        else:
            b *= s
        for e in range(entries.f_range[t, 0], entries.f_range[t, 1]):
            j = entries.f_entries[e, 0]
            bar[entries.f_entries[e, 1]] += b if j < 0 else b * entries.columns[j, r]
    t = entries.f_lists[2, i]
    if t >= 0:
        moved += adjoints.o[i] * rows.o[i]
        for d in range(rows.A.shape[0]):
            moved += adjoints.A[d, i] * rows.A[d, i]
        for e in range(entries.f_range[t, 0], entries.f_range[t, 1]):
            j = entries.f_entries[e, 0]
            bar[entries.f_entries[e, 1]] -= moved if j < 0 else moved * entries.columns[j, r]


@kernel(
    Integers, Entries, RowInputs, RowInputs, SparseRows, Vector,
    Matrix,
)  # fmt: skip
def reverse(
    first: Any, entries: Entries, rows: RowInputs, adjoints: RowInputs, jacobian: SparseRows, bar: Any, scores: Any
) -> None:
    """Fill the scores of clusters from the adjoints of the rows' inputs.

    Cluster c has rows ``first[c]`` to ``first[c + 1]``. Its adjoints of the cells are summed over its rows into
    ``bar``, which holds zeros on entry, then multiplied by the Jacobian of the cells.
    """
    simple = _of_one_response(entries)
    for c in range(first.size - 1):
        if simple:
            _one_response_back(first[c], first[c + 1], entries, adjoints, bar)
        else:
            for i in range(first[c], first[c + 1]):
                _row_back(i, entries, rows, adjoints, bar)
        for p in range(scores.shape[1]):
            scores[c, p] = 0.0
        for e in range(bar.size):
            if bar[e] != 0.0:
                for t in range(jacobian.first[e], jacobian.first[e + 1]):
                    scores[c, jacobian.column[t]] += bar[e] * jacobian.value[t]
                bar[e] = 0.0
