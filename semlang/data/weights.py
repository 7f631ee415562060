"""Frequencies and sampling weights of rows and of clusters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.data.clusters import constant_within
from semlang.data.columns import Columns, row_names
from semlang.model.table import ROWS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def read_weights(columns: Columns, wanted: Mapping[str, str], what: str) -> dict[str, Floats]:
    """Return the columns of frequencies or weights by level, in the order of the file.

    Parameters
    ----------
    wanted : mapping from level to column
    what : str
        ``frequency`` or ``weight``, for findings.
    """
    found: dict[str, Floats] = {}
    for level, name in wanted.items():
        values = columns.numbers(name)
        if values is None:
            continue
        negative, missing = np.flatnonzero(values < 0), np.flatnonzero(np.isnan(values))
        if negative.size:
            columns.blame(
                name,
                "negative-weight",
                f"the {what} '{name}' is negative for some rows",
                label=f"{values[negative[0]]:g} in {row_names(negative)}",
            )
        elif missing.size:
            columns.blame(
                name,
                "missing-weight",
                f"the {what} '{name}' is missing for some rows",
                label=row_names(missing),
                help="give a number, 0 for a row that does not count",
            )
        elif not values.any():
            columns.blame(name, "negative-weight", f"the {what} '{name}' is 0 for all rows")
        else:
            found[level] = values
    return found


def spread_weights(
    columns: Columns, found: Mapping[str, Floats], clusters: Mapping[str, Ints], rows: Ints, what: str
) -> dict[str, Floats]:
    """Return the weights of sorted rows; those of a cluster have to be constant within its units."""
    out: dict[str, Floats] = {}
    for level, values in found.items():
        out[level] = values[rows]
        if level == ROWS or level not in clusters:
            continue
        unit, varying = constant_within(out[level], clusters[level])
        if varying.size:
            name = (columns.table.frequency if what == "frequency" else columns.table.weights)[level]
            where = rows[clusters[level] == varying[0]]
            columns.blame(
                name,
                "varies-within",
                f"the {what} '{name}' of {level} varies within a unit of {level}",
                label=row_names(where),
                help=f"the {what} of a unit stands in all of its rows",
            )
        out[level] = unit[clusters[level]]
    return out
