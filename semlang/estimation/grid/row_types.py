"""Rows with equal densities are one row type: a hundred for half a million answers to fifty binary items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.numbering import numbered
from semlang.estimation.expansion import Expansion
from semlang.estimation.grid.patterns import distinct
from semlang.estimation.quadrature import Tree
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Product

__all__ = ["RowTypes", "row_types"]

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
    parts: list[NDArray[np.generic]] = [rows.response, rows.category.astype(np.int64)]
    parts += [rows.y, rows.offset, rows.f1, rows.f2]
    parts += [np.nan_to_num(design.columns[p])[rows.source] for p in products(reduced)]
    number, representative = _numbers([p for p in parts if p.size and (p != p[0]).any()], rows.y.size)
    return RowTypes(_taken(rows, representative), number)


def _numbers(varying: Sequence[NDArray[np.generic]], n: int) -> tuple[Ints, Ints]:
    """Number the distinct rows of columns in order of appearance; return each row's number and the first of each."""
    code, size = np.zeros(n, dtype=np.int64), 1
    for values in varying:
        levels, number = numbered(values)
        if size * levels > n:
            keys = np.stack([np.ascontiguousarray(p).view(np.int64) for p in varying], axis=1)
            return distinct(np.arange(n + 1) * keys.shape[1], keys.ravel())
        code, size = code * levels + number, size * levels
    first = np.full(size, n)
    first[code[::-1]] = np.arange(n - 1, -1, -1)
    order = np.argsort(first, kind="stable")
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    return place[code], first[order[: int(np.count_nonzero(first < n))]]


def products(reduced: ReducedForm) -> Sequence[Product]:
    """Return the columns that the rows' inputs depend on."""
    used: dict[Product, None] = dict.fromkeys((*reduced.mean_columns, *reduced.random_columns))
    for addends in (*reduced.quantities.values(), *(t for many in reduced.thresholds.values() for t in many)):
        used.update(dict.fromkeys(a.via for a in addends))
    return [p for p in used if p]


def _taken(rows: Expansion, at: Ints) -> Expansion:
    """Return some rows as an expansion of independent rows."""
    return replace(
        rows, response=rows.response[at], predictor=rows.predictor[at], source=rows.source[at], y=rows.y[at],
        offset=rows.offset[at], codes=rows.codes[at], f1=rows.f1[at], f2=rows.f2[at], category=rows.category[at],
        tree=Tree(at.size, (), (), ()), row_weights=np.ones(at.size),
    )  # fmt: skip
