"""Ordinal and nominal responses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns
from semlang.data.levels import level_text
from semlang.diagnostics import error, warning
from semlang.model.nearest import did_you_mean
from semlang.model.table import Variable

Floats = NDArray[np.float64]

MANY = 20
"""More categories than this are taken for a mistake."""


def category_values(columns: Columns, v: Variable) -> tuple[Floats, tuple[str, ...]] | None:
    """Return the category number from 0 of every row, NaN where missing, and the categories.

    None where a finding says what is wrong.
    """
    names, codes = columns.levels(v.name)
    if not names:
        columns.blame(v.name, "empty-column", f"column '{v.name}' has no value", label="all rows are missing")
        return None
    if len(names) == 1:
        columns.blame(
            v.name, "constant-response", f"the response '{v.name}' does not vary", label=f"all values are {names[0]}"
        )
        return None
    if not (_addressed(columns, v, names) and _thresholds(columns, v, names)):
        return None
    _order(columns, v, names)
    out = codes.astype(np.float64)
    out[codes < 0] = np.nan
    return out, names


def _addressed(columns: Columns, v: Variable, names: tuple[str, ...]) -> bool:
    """Check that the categories that the text names exist."""
    table = columns.table
    rows = [(r.category, r.span) for r in table.rows if r.category and v.key in (r.target, r.source)]
    if v.arguments.get("base") is not None:
        rows.append((level_text(v.arguments["base"]), v.span))
    wrong = {c: s for c, s in reversed(rows) if c not in names}
    for category, span in reversed(wrong.items()):
        columns.findings.append(
            error(
                "unknown-category",
                f"'{v.name}' has no category '{category}'",
                table.source,
                span,
                label=f"its categories are {_listed(names)}",
                help=did_you_mean(category, names),
            )
        )
    return not wrong


def _thresholds(columns: Columns, v: Variable, names: tuple[str, ...]) -> bool:
    """Check that the table has a threshold between every two categories, and none more."""
    rows = [r for r in columns.table.rows if r.op == "|" and r.target == v.key]
    count = max((r.threshold for r in rows), default=0)
    if not v.kind.thresholds or not rows or count == len(names) - 1:
        return True
    columns.findings.append(
        error(
            "too-many-thresholds" if count >= len(names) else "too-few-thresholds",
            f"'{v.name}' has {len(names)} categories and so {len(names) - 1} thresholds, not {count}",
            columns.table.source,
            rows[-1].span or v.span,
            label=f"its categories are {_listed(names)}",
            help="leave the thresholds out: they are added",
        )
    )
    return False


def _order(columns: Columns, v: Variable, names: tuple[str, ...]) -> None:
    """Warn of categories that are too many, of gaps, and of an order that is merely alphabetical."""
    import pandas as pd

    if len(names) > MANY:
        columns.blame(
            v.name,
            "many-categories",
            f"'{v.name}' has {len(names)} categories",
            warning,
            label=f"{_listed(names)}",
            help=f"is it a number? {v.name} :: gaussian",
        )
        return
    dtype = columns.frame[v.name].dtype
    gaps: list[str] = []
    if isinstance(dtype, pd.CategoricalDtype):
        gaps = [t for t in (level_text(c) for c in dtype.categories) if t not in names]
    elif v.kind.thresholds and all(n.lstrip("-").isdigit() for n in names):
        whole = [int(n) for n in names]
        gaps = [str(k) for k in range(min(whole), max(whole)) if k not in whole]
    elif v.kind.thresholds and len(names) > 2 and not all(n[:1].isdigit() for n in names):
        columns.blame(
            v.name,
            "alphabetical-order",
            f"the categories of '{v.name}' are taken in alphabetical order",
            warning,
            label=" < ".join(names),
            help="number them, or give a pandas Categorical, which keeps its own order",
        )
    if gaps:
        columns.blame(
            v.name,
            "empty-category",
            f"no row has the category {_listed(tuple(gaps))} of '{v.name}'",
            warning,
            label=f"the categories are {_listed(names)}",
            notes="an empty category is left out",
        )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
