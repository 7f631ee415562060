"""Equal rows are counted, not repeated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import ProductColumns
from semlang.data.design import Design
from semlang.data.numbering import numbered
from semlang.model.table import ROWS
from semlang.sums import count_by, sum_by

__all__ = ["collapse"]

Ints = NDArray[np.int64]

LARGEST = 2**40
"""Codes of patterns are renumbered before they grow beyond this."""


def collapse(design: Design) -> tuple[Design, Ints]:
    """Return the distinct rows of a design without clusters and sets, with frequencies, and the row that each became.

    Rows are equal where responses, covariates, weights and all else that is known of them are equal; frequencies
    add up.
    A design that would not become shorter is returned as it is.
    """
    n = design.n_rows
    same = design, np.arange(n)
    if design.clusters or design.sets or not isinstance(design.columns, ProductColumns) or not n:
        return same
    code = np.zeros(n, dtype=np.int64)
    size = 1
    arrays: list[NDArray[Any]] = [*design.columns.sources]
    for name, values in design.each_row(lambda v: v).items():
        if isinstance(values, dict) and name not in ("frequency", "clusters"):
            arrays += [v for v in values.values() if isinstance(v, np.ndarray)]
    for values in arrays:
        levels, number = numbered(values)
        if size * levels > LARGEST:
            kept, code = np.unique(code, return_inverse=True)
            size = kept.size
            if 2 * size > n:
                return same
        code = code * levels + number
        size *= levels
    if size <= 4 * n:
        present = count_by(code, size) > 0
        code = (np.cumsum(present) - 1)[code]
        count = int(present.sum())
    else:
        kept, code = np.unique(code, return_inverse=True)
        count = kept.size
    if 2 * count > n:
        return same
    first = np.empty(count, dtype=np.int64)
    first[code[::-1]] = np.arange(n)[::-1]
    old = design.frequency.get(ROWS, np.ones(n))
    some = design.taken(first)
    return replace(some, frequency={**some.frequency, ROWS: sum_by(code, old, count)}), code
