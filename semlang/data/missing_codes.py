"""Numbers that stand for missing values: -99 among answers from 1 to 5."""

from __future__ import annotations

import numpy as np

from semlang.data.columns import Columns
from semlang.data.spots import spot
from semlang.diagnostics import warning

CODES = (-9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0)
"""Numbers that questionnaires and other programs write where nothing was observed."""


def check_missing_codes(columns: Columns) -> None:
    """Warn of columns in which such a number lies farther from the other values than these from each other."""
    table = columns.table
    outside = {*table.clusters, table.group_column, *table.frequency.values(), *table.weights.values()}
    there = set(columns.frame.columns.tolist())
    for name in table.columns():
        if name in outside or name not in there or columns.blamed(name):
            continue
        values = columns.given(name)
        if values.dtype.kind not in "if":
            continue
        if not values.size or not {float(np.fmin.reduce(values)), float(np.fmax.reduce(values))} & {*CODES}:
            continue  # one that lies farther out than all others is the least or the greatest
        coded = np.isin(values, CODES)
        others = values[~coded & np.isfinite(values)]
        if not others.size:
            continue
        low, high = float(others.min()), float(others.max())
        for code in (c for c in CODES if c < low - (high - low) or c > high + (high - low)):
            n = int((values == code).sum())
            if n > (code > 0):  # a single large value may be one
                columns.findings.append(
                    warning(
                        "missing-code",
                        f"'{name}' is {code:g} in {n} row{'s' if n > 1 else ''}, which looks like a missing code",
                        table.source,
                        spot(table, name),
                        label=f"its other values go from {low:g} to {high:g}",
                        help=[
                            "leave the cell empty, or write NA, where nothing was observed",
                            f"in Python: df = df.replace({{'{name}': {code:g}}}, float('nan'))",
                        ],
                    )
                )
                break
