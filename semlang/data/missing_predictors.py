"""Responses that predict others where they are missing: those whose values can't be summed or integrated over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns, row_names
from semlang.data.response import Response
from semlang.model.table import ParameterTable, Row, Variable

__all__ = ["check_missing_predictors", "has_states"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

COUNTS = ("poisson", "negbinomial", "binomial")


def has_states(v: Variable) -> bool:
    """Whether missing values of a response can be integrated (gaussian) or summed (categories) over."""
    if v.kind.name == "gaussian":
        return not v.arguments.get("censored") and not v.arguments.get("interval")
    if v.kind.name == "binomial":
        return v.arguments.get("trials") in (None, 1)
    return v.kind.thresholds or v.kind.name == "multinomial"


def check_missing_predictors(
    columns: Columns, responses: Mapping[str, Response], groups: Sequence[Ints | None]
) -> None:
    """Find responses that are missing where they predict, and whose missing values have no sum or integral."""
    table = columns.table
    predictors = {c.column for row in table.rows for c in row.via if c.response}
    used = np.zeros(len(columns.frame), dtype=bool)
    for rows in groups:
        used[slice(None) if rows is None else rows] = True
    for v in (v for v in table.responses if v.key in predictors):
        gone = np.isnan(responses[v.key].values) & used
        if not gone.any():
            continue
        for row in table.rows:
            why = _obstacle(table, v, row)
            if not why:
                continue
            lost = np.flatnonzero(gone & _needed(responses, row))
            if lost.size:
                columns.blame(
                    v.name,
                    "missing-predictor",
                    f"'{v.name}' predicts '{row.target}', and is missing in {row_names(lost)}",
                    label=why,
                    notes="missing gaussian predictors are integrated, those with categories summed over; "
                    "no others can be, and no row is left out unasked",
                    help="write 'options: missing = listwise' to leave out the rows in which anything is missing",
                )
                break


def _obstacle(table: ParameterTable, v: Variable, row: Row) -> str:
    """Say why a row of the table needs the value of a response where it is missing, or nothing."""
    own = [c for c in row.via if c.response and c.column == v.key]
    if not own:
        return ""
    if not has_states(v):
        kind = "count" if v.kind.name in COUNTS else f"{v.kind.name} response"
        kind = "censored response" if v.kind.name == "gaussian" else kind
        return f"a missing {kind} is not integrated out"
    target = table.variables.get(row.target)
    if target is not None and target.kind.discrete:
        return f"the probabilities of {target.name} need its value"
    if v.kind.name == "gaussian":
        for c in own:
            partial = c.function in ("log", "level") or (c.function == "offset" and c.argument)
            if partial or (c.function == "power" and float(c.argument or 1.0) not in (1.0, 2.0, 3.0, 4.0)):
                return f"{c.name} is not defined for all values that a gaussian response can take"
    return ""


def _needed(responses: Mapping[str, Response], row: Row) -> Flags:
    """Return the rows in which what a row of the table is about is observed."""
    if row.target in responses:
        return np.asarray(~np.isnan(responses[row.target].values))
    return np.asarray(np.any([~np.isnan(r.values) for r in responses.values()], axis=0))
