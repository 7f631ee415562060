"""What holds in a record, for the whole unit of the record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.model.table import ROWS
from semlang.sums import sum_by

__all__ = ["Flags", "anywhere", "of_units"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def anywhere(flag: Flags, design: Design, level: str) -> Flags:
    """Return whether a flag is set in any record of the unit of a record."""
    if level == ROWS:
        return flag
    code = design.clusters[level]
    return np.asarray(sum_by(code, flag.astype(np.float64), design.n_units(level)) > 0)[code]


def of_units(values: Floats, design: Design, level: str) -> Floats:
    """Give every record of a unit the value that any of them has."""
    if level == ROWS:
        return values
    code = design.clusters[level]
    out = np.full(design.n_units(level), np.nan)
    known = ~np.isnan(values)
    out[code[known]] = values[known]
    return out[code]
