"""Rows with equal densities are one row type: a hundred for half a million answers to fifty binary items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.numbering import numbered
from semlang.estimation.expansion import Expansion
from semlang.estimation.grid.patterns import distinct
from semlang.estimation.quadrature import Tree
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Product

__all__ = ["RowTypes", "distinct_keys", "keys_of_rows", "row_types", "rows_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class RowTypes:
    """The distinct rows of an expansion.

    Parameters
    ----------
    rows : Expansion
        One row a type, in order of appearance; the chain is laid out for these.
    number : (N,) ints
        Type of each row of the whole expansion.
    """

    rows: Expansion
    number: Ints


def row_types(reduced: ReducedForm, design: Design, rows: Expansion) -> RowTypes:
    """Return the types of rows: equal response, category, constants, offset and covariates."""
    number, representative = distinct_keys(keys_of_rows(reduced, design, rows))
    return RowTypes(rows_at(rows, representative), number)


def products(reduced: ReducedForm) -> Sequence[Product]:
    """Return the columns that the rows' inputs depend on."""
    used: dict[Product, None] = dict.fromkeys((*reduced.mean_columns, *reduced.random_columns))
    for addends in (*reduced.quantities.values(), *(t for many in reduced.thresholds.values() for t in many)):
        used.update(dict.fromkeys(a.via for a in addends))
    return [p for p in used if p]


def keys_of_rows(reduced: ReducedForm, design: Design, rows: Expansion) -> list[NDArray[Any]]:
    """Return what rows of one type have in common, numbers of 64 bits."""
    parts: list[NDArray[Any]] = [rows.response, rows.category.astype(np.int64)]
    parts += [rows.y, rows.offset, rows.f1, rows.f2]
    return parts + [np.nan_to_num(design.columns[p])[rows.source] for p in products(reduced)]


def distinct_keys(keys: Sequence[NDArray[Any]]) -> tuple[Ints, Ints]:
    """Return the number of each row's combination of keys, in order of appearance, and the first row with each."""
    n = keys[0].size
    varying = [p for p in keys if n and (p != p[0]).any()]
    code, size = np.zeros(n, dtype=np.int64), 1
    for values in varying:
        levels, number = numbered(values)
        if size * levels > n:
            table = np.stack([np.ascontiguousarray(p).view(np.int64) for p in varying], axis=1)
            return distinct(np.arange(n + 1) * table.shape[1], table.ravel())
        code, size = code * levels + number, size * levels
    first = np.full(size, n)
    first[code[::-1]] = np.arange(n - 1, -1, -1)
    order = np.argsort(first, kind="stable")
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    return place[code], first[order[: int(np.count_nonzero(first < n))]]


def rows_at(rows: Expansion, at: Ints) -> Expansion:
    """Return some rows as an expansion of independent rows."""
    return replace(
        rows, response=rows.response[at], predictor=rows.predictor[at], source=rows.source[at], y=rows.y[at],
        offset=rows.offset[at], codes=rows.codes[at], f1=rows.f1[at], f2=rows.f2[at], category=rows.category[at],
        tree=Tree(at.size, (), (), ()), row_weights=np.ones(at.size),
    )  # fmt: skip
