"""Prepare a frame for a model: reshape it where the model asks, and see whether it has the model's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semlang.data.reading import frame_findings
from semlang.data.reshaping import widen
from semlang.data.spots import absent, spot
from semlang.diagnostics import Diagnostic, error
from semlang.model.kinds import limits
from semlang.model.table import ParameterTable, Variable

if TYPE_CHECKING:
    import pandas as pd


def prepare(table: ParameterTable, frame: pd.DataFrame) -> tuple[pd.DataFrame | None, tuple[Diagnostic, ...]]:
    """Return the frame that the model describes; to be called before its levels are asked for.

    Parameters
    ----------
    table : ParameterTable
        Elaborated without data, or with them: it makes no difference here.
    frame : DataFrame

    Returns
    -------
    frame : DataFrame or None
        Wide where the model says ``reshape:``. None where a finding is an error. A prepared frame passes unchanged.
    findings : tuple of Diagnostic
        One for a table that is transposed or belongs to another model, else one a column that is not there.
    """
    wrong = frame_findings(frame)
    if wrong:
        return None, wrong
    wide, wrong = widen(frame, table.reshape, table.source)
    if wide is None:
        return None, wrong
    missing = absent(table, wide)
    if missing:
        return None, tuple(missing)
    wide, wrong = with_products(table, wide)
    return (None, wrong) if wrong else (listwise(table, wide), ())


def with_products(table: ParameterTable, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Diagnostic, ...]]:
    """Return the frame with a column for each response that is a product of columns, ``x1:z1``, or in an interval."""
    import pandas as pd

    new: dict[str, pd.Series[float]] = {}
    wrong: list[Diagnostic] = []
    for v in table.responses:
        if "interval" in v.arguments:
            new[v.name] = _middles(v, frame)
            continue
        if v.name in frame.columns or ":" not in v.name:
            continue
        parts = v.name.split(":")
        text = [p for p in parts if not pd.api.types.is_numeric_dtype(frame[p].infer_objects().dtype)]
        if text:
            message = f"the product '{v.name}' needs numbers, and column '{text[0]}' is text"
            wrong.append(error("text-column", message, table.source, spot(table, v.name)))
            continue
        new[v.name] = frame[parts].astype(float).prod(axis=1, skipna=False)
    return (frame.assign(**new) if new else frame), tuple(wrong)


def listwise(table: ParameterTable, frame: pd.DataFrame) -> pd.DataFrame:
    """With ``options: missing = listwise``, keep the rows in which all responses and covariates are known."""
    if str(table.options.get("missing", "")).casefold() != "listwise":
        return frame
    needed = dict.fromkeys(v.name for v in table.responses)
    needed |= dict.fromkeys(c.column for row in table.rows for c in row.via)
    known = frame[[c for c in needed if c in frame.columns]].notna().all(axis=1)
    return frame if bool(known.all()) else frame[known].reset_index(drop=True)


def _middles(v: Variable, frame: pd.DataFrame) -> pd.Series[float]:
    """Return the middle of each interval of a response, or the end that is there; NaN where there is none."""
    import pandas as pd

    ends = []
    for x in limits(v.arguments["interval"]) or ():
        values = pd.to_numeric(frame[x], errors="coerce") if isinstance(x, str) else pd.Series(x, index=frame.index)
        ends.append(values.where(values.abs() < np.inf).astype(float))
    low, high = ends
    return 0.5 * (low.fillna(high) + high.fillna(low))
