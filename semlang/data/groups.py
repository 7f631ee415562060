"""The groups of a multiple-group model."""

from __future__ import annotations

import difflib

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns, row_names
from semlang.data.levels import appearance
from semlang.diagnostics import error, warning

Ints = NDArray[np.int64]


def group_rows(columns: Columns) -> list[Ints | None] | None:
    """Return the rows of every group (None for all rows); None where a finding says what is wrong."""
    table = columns.table
    if not table.group_column:
        if len(table.groups) == 1:
            return [None]
        columns.findings.append(
            error(
                "no-group-column",
                f"the model has {len(table.groups)} groups, of which column?",
                table.source,
                help="write  groups: COLUMN",
            )
        )
        return None
    names, codes = columns.levels(table.group_column)
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        columns.blame(
            table.group_column,
            "missing-cluster",
            f"the group '{table.group_column}' is missing for some rows",
            label=row_names(missing),
            help="every row needs to belong to a group: mend or leave out these rows",
        )
        return None
    wrong = [g for g in table.groups if g not in names]
    if wrong:
        near = difflib.get_close_matches(wrong[0], names, 1)
        shown = ", ".join(appearance(columns.frame[table.group_column])[:6])
        columns.blame(
            table.group_column,
            "unknown-group",
            f"no row belongs to the group '{wrong[0]}'",
            label=f"the groups are {shown}",
            help=f"did you mean '{near[0]}'?" if near else (),
        )
        return None
    left = [n for n in names if n not in table.groups]
    if left:
        count = int(np.isin(codes, [names.index(n) for n in left]).sum())
        columns.blame(
            table.group_column,
            "unused-group",
            f"the rows of group {', '.join(left[:4])} are left out",
            warning,
            label=f"{count} rows",
            notes=f"the groups of the model are {', '.join(table.groups)}",
        )
    return [np.flatnonzero(codes == names.index(g)) for g in table.groups]
