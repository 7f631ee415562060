"""Clusters: unit numbers of nested levels, and the order of rows that makes every unit contiguous."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns, row_names
from semlang.diagnostics import note, warning

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def cluster_codes(columns: Columns) -> dict[str, Ints] | None:
    """Return for every cluster of the table, lowest first, a number for the unit of each row.

    Units of a lower level are the distinct pairs of their own and the higher identifiers. The numbers count units in
    order of appearance. None where an identifier is missing.
    """
    clusters = columns.table.clusters
    own: dict[str, Ints] = {}
    for name in clusters:
        codes = identifiers(columns, name)
        if codes is None:
            return None
        own[name] = codes
    found: dict[str, Ints] = {}
    above: Ints | None = None
    higher = ""
    for name in reversed(clusters):
        codes = own[name]
        if above is not None:
            pairs = _appearance(above * (int(codes.max(initial=0)) + 1) + codes)
            _nesting(columns, name, higher, _size(codes), _size(pairs), _size(above))
            codes = pairs
        if _size(codes) == 1:
            columns.blame(
                name,
                "single-cluster",
                f"all rows have the same {name}",
                warning,
                label="one unit",
                notes=f"nothing can be learnt about differences between units of {name}",
            )
        found[name] = codes
        above, higher = codes, name
    return {name: found[name] for name in clusters}


def identifiers(columns: Columns, name: str) -> Ints | None:
    """Return a number for every distinct value of a column, in order of appearance; None where one is missing."""
    import pandas as pd

    series = columns.frame[name]
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iub":
        return _appearance(series.to_numpy())
    codes, values = pd.factorize(series)
    empty = [k for k, v in enumerate(values) if isinstance(v, str) and not v.strip()]
    missing = np.flatnonzero(np.isin(codes, [-1, *empty]))
    if missing.size:
        columns.blame(
            name,
            "missing-cluster",
            f"'{name}' is missing for some rows",
            label=row_names(missing),
            help="every row needs to belong to a unit: mend or leave out these rows",
        )
        return None
    return np.asarray(codes, dtype=np.int64)


def contiguous(codes: Mapping[str, Ints], rows: Ints | None) -> Ints | None:
    """Return the stable order of `rows` (all where None) that makes units contiguous; None where they are already.

    Parameters
    ----------
    codes : mapping from cluster, lowest first, to unit numbers
    """
    keys = [c if rows is None else c[rows] for c in codes.values()]
    if all(bool((k[1:] >= k[:-1]).all()) for k in keys):
        return rows
    order = np.lexsort(keys)
    return order if rows is None else rows[order]


def renumber(codes: Ints) -> Ints:
    """Return unit numbers 0, 1, ... of contiguous units.

    Examples
    --------
    >>> renumber(np.array([7, 7, 3, 9, 9])).tolist()
    [0, 0, 1, 2, 2]
    """
    out = np.zeros(codes.size, dtype=np.int64)
    np.cumsum(codes[1:] != codes[:-1], out=out[1:])
    return out


def first_rows(codes: Ints) -> Ints:
    """Return the first row of every unit; `codes` are unit numbers of contiguous units."""
    return np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])


def constant_within(values: Floats, codes: Ints) -> tuple[Floats, Ints]:
    """Return the value of every unit (its first that is not missing) and the units in which it varies."""
    starts = first_rows(codes)
    low = np.fmin.reduceat(values, starts)
    high = np.fmax.reduceat(values, starts)
    return low, np.flatnonzero(low < high)


def _appearance(values: NDArray[Any]) -> Ints:
    """Number distinct values in order of appearance; sorted values need no table."""
    if (values[1:] >= values[:-1]).all():
        return renumber(values)
    import pandas as pd

    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def _size(codes: Ints) -> int:
    return int(codes.max(initial=-1)) + 1


def _nesting(columns: Columns, name: str, higher: str, n_own: int, n_pairs: int, n_above: int) -> None:
    if n_pairs == n_above and n_above > 1:
        columns.blame(
            name,
            "redundant-cluster",
            f"every unit of {higher} holds one unit of {name}",
            warning,
            label="the two levels are the same",
            help="name the outermost cluster first, as in  cluster: school/class",
        )
    elif n_pairs > n_own:
        columns.blame(
            name,
            "clusters-not-nested",
            f"some values of {name} occur in several units of {higher}",
            note,
            label=f"{n_own} values, {n_pairs} pairs",
            notes=f"units of {name} are the distinct ({higher}, {name}) pairs",
        )
