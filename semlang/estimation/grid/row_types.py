"""Rows with equal densities are one row type: a hundred for half a million answers to fifty binary items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
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


def keys_of_rows(reduced: ReducedForm, design: Design, rows: Expansion) -> list[NDArray[np.int64]]:
    """Return what rows of one type have in common, as bits."""
    parts: list[NDArray[np.generic]] = [rows.response, rows.category.astype(np.int64)]
    parts += [rows.y, rows.offset, rows.f1, rows.f2]
    parts += [np.nan_to_num(design.columns[p])[rows.source] for p in products(reduced)]
    return [np.ascontiguousarray(p).view(np.int64) for p in parts]


def distinct_keys(keys: Sequence[NDArray[np.int64]]) -> tuple[Ints, Ints]:
    """Return the number of each row's combination of keys, and the first row with each."""
    varying = [p for p in keys if p.size and (p != p[0]).any()]
    table = np.stack(varying, axis=1) if varying else np.zeros((keys[0].size, 1), dtype=np.int64)
    return distinct(np.arange(len(table) + 1) * table.shape[1], table.ravel())


def rows_at(rows: Expansion, at: Ints) -> Expansion:
    """Return some rows as an expansion of independent rows."""
    return replace(
        rows, response=rows.response[at], predictor=rows.predictor[at], source=rows.source[at], y=rows.y[at],
        offset=rows.offset[at], codes=rows.codes[at], f1=rows.f1[at], f2=rows.f2[at], category=rows.category[at],
        tree=Tree(at.size, (), (), ()), row_weights=np.ones(at.size),
    )  # fmt: skip
