"""Prepare a frame for a model: reshape it where the model asks, and see whether it has the model's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semlang.data.reading import frame_findings
from semlang.data.reshaping import widen
from semlang.data.spots import absent
from semlang.diagnostics import Diagnostic
from semlang.model.table import ParameterTable

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
    return (None, tuple(missing)) if missing else (listwise(table, wide), ())


def listwise(table: ParameterTable, frame: pd.DataFrame) -> pd.DataFrame:
    """With ``options: missing = listwise``, keep the rows in which all responses and covariates are known."""
    if str(table.options.get("missing", "")).casefold() != "listwise":
        return frame
    needed = dict.fromkeys(v.name for v in table.responses)
    needed |= dict.fromkeys(c.column for row in table.rows for c in row.via)
    known = frame[[c for c in needed if c in frame.columns]].notna().all(axis=1)
    return frame if bool(known.all()) else frame[known].reset_index(drop=True)
