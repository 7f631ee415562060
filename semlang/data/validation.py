"""Checks of bound data that need more than one column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.clusters import constant_within
from semlang.data.columns import Columns, row_names
from semlang.data.covariates import ProductColumns
from semlang.data.levels import number_text
from semlang.data.response import Response
from semlang.diagnostics import error, warning
from semlang.model.scales import sharing
from semlang.model.table import ROWS, ParameterTable, Variable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def check_responses(columns: Columns, responses: Mapping[str, Response], groups: Sequence[Ints | None]) -> None:
    """Find responses that do not vary, in any group, and categories that a group lacks."""
    labels = columns.table.groups
    given = [{v.key for v in columns.table.responses_of(g)} for g in range(1, len(labels) + 1)]
    for v in columns.table.responses:
        found = responses[v.key]
        for g, (rows, label) in enumerate(zip(groups, labels, strict=True), 1):
            if v.key not in given[g - 1]:
                continue  # the group's model is without it
            values = found.values if rows is None else found.values[rows]
            trials = found.trials if rows is None or found.trials is None else found.trials[rows]
            where = f" in group {label}" if label else ""
            what = _constant(v, values, trials)
            if what and not (np.isfinite(values).any() and _shared(columns.table, v, g)):
                columns.blame(v.name, "constant-response", f"the response '{v.name}' does not vary{where}", label=what)
            elif not what and (v.kind.thresholds or v.kind.name == "multinomial"):
                kept = np.unique(values[~np.isnan(values)]).astype(int)
                lost = [c for k, c in enumerate(found.categories) if k not in kept]
                if lost and not sharing(columns.table, v):
                    columns.blame(
                        v.name, "empty-category", f"no row{where} has the category {lost[0]} of '{v.name}'", warning
                    )


def _shared(table: ParameterTable, v: Variable, group: int) -> bool:
    """Whether all that a response's distribution needs in a group is fixed or estimated in others, too."""
    own = {r.parameter for r in table.rows if r.group == group and r.target == v.key} - {-1}
    return len(table.groups) > 1 and own <= {r.parameter for r in table.rows if r.group != group}


def _constant(v: Variable, values: Floats, trials: Floats | None) -> str:
    """Say in which way a response does not vary, or nothing."""
    low = float(np.fmin.reduce(values, initial=np.inf))
    high = float(np.fmax.reduce(values, initial=-np.inf))
    if low > high:
        return "all values are missing"
    if trials is not None:
        seen = ~np.isnan(values)
        if high == 0:
            return "there is no success"
        return "there are only successes" if (values[seen] == trials[seen]).all() else ""
    if low < high or ("exposure" in v.arguments and low > 0):
        return ""
    return f"all values are {number_text(low)}"


def check_across_groups(columns: Columns, codes: Mapping[str, Ints], groups: Sequence[Ints | None]) -> None:
    """Warn of units that have rows in more than one group: groups are independent."""
    if not columns.table.clusters or len(groups) < 2:
        return
    top = columns.table.clusters[-1]
    shared = sum(np.unique(codes[top][rows]).size for rows in groups if rows is not None)
    used = np.concatenate([rows for rows in groups if rows is not None])
    if shared > np.unique(codes[top][used]).size:
        columns.blame(
            top,
            "cluster-across-groups",
            f"some units of {top} have rows in more than one group",
            warning,
            notes="groups are taken as independent: the parts count as different units",
        )


def check_within(columns: Columns, covariates: ProductColumns, clusters: Mapping[str, Ints], rows: Ints) -> None:
    """Check that covariates of a variable of a cluster do not vary within its units."""
    table = columns.table
    for row in table.rows:
        level = table.variables[row.target].level if row.target in table.variables else ROWS
        if not row.via or level == ROWS or level not in clusters:
            continue
        for c in row.via:
            if c.function == "factor" or columns.blamed(c.column):
                continue
            _, varying = constant_within(covariates[(c,)], clusters[level])
            if varying.size:
                where = rows[clusters[level] == varying[0]]
                varies(columns, c.column, level, where, f"the covariate '{c.column}' of {row.target}")


def varies(columns: Columns, column: str, level: str, rows: Ints, what: str) -> None:
    """Add the finding that a column varies within a unit of a level."""
    values = columns.frame[column].iloc[rows].dropna().unique()[:3]
    columns.blame(
        column,
        "varies-within",
        f"{what} varies within a unit of {level}",
        error,
        label=f"{', '.join(map(str, values))} in {row_names(rows)}",
        help=f"a variable of the level {level} has one value in all rows of a unit",
    )
