"""Fit by the whole program, for the server of the page."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

from semlang.api import Model, ordered
from semlang.data.sheet import Sheet
from semlang.errors import NotConvergedWarning
from semlang.page.analyse import diagrams
from semlang.source import Source

Json = dict[str, Any]


def full_fit(source: Source, sheet: Sheet, csv: str) -> Json:
    """Fit a text to data as ``semlang fit`` does, and draw it with the estimates.

    Parameters
    ----------
    source : Source
    sheet : Sheet
        For the name of the data.
    csv : str
        The data as written.

    Returns
    -------
    dict
        ``findings``; ``fit`` as the result of ``semlang fit --json``, each parameter with the ``ids`` of its
        rows; ``diagram``.

    Raises
    ------
    SemlangError
        With all findings, where there is no fit.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(sheet.name).stem.strip() or "data")
        path = path.with_suffix(".csv")
        path.write_text(csv, encoding="utf-8", newline="")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotConvergedWarning)  # a finding says so
            fit = Model(source).fit(path)
    result = fit.to_json()
    for p, row in zip(result["parameters"], fit.reported_rows, strict=True):
        p["ids"] = [row.id]
    estimates = {row.id: p["est"] for p, row in zip(fit.parameters, fit.reported_rows, strict=True)}
    return {
        "findings": [d.to_json() for d in ordered(fit.diagnostics)],
        "fit": result,
        "diagram": diagrams(fit.table, estimates),
    }
