"""Ordinal and nominal responses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns
from semlang.data.levels import level_text, listed
from semlang.diagnostics import error, warning
from semlang.model.nearest import did_you_mean
from semlang.model.scales import declared_categories, sharing, used_range
from semlang.model.table import Variable

Floats = NDArray[np.float64]

MANY = 20
"""More categories than this are taken for a mistake."""


def category_values(columns: Columns, v: Variable) -> tuple[Floats, tuple[str, ...]] | None:
    """Return the category number from 0 of every row, NaN where missing, and the categories.

    None where a finding says what is wrong.
    """
    names, codes = columns.levels(v.name)
    shared = sharing(columns.table, v)
    scale = declared_categories(v) or (listed(columns.frame[v.name]) if shared else ())
    if scale:
        new = [n for n in names if n not in scale]
        if new:
            _unlisted(columns, v, new[0], scale)
            return None
        low, high = used_range(scale, names)
        kept = scale[low : high + 1] if shared else tuple(c for c in scale if c in names)
        place = np.array([kept.index(n) for n in names] + [-1], dtype=np.int64)
        names, codes = kept, place[codes]
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
    if not scale:
        _order(columns, v, names)
    out = codes.astype(np.float64)
    out[codes < 0] = np.nan
    return out, names


def check_shared_scales(columns: Columns, categories: Mapping[str, tuple[str, ...]]) -> None:
    """Find responses that share thresholds but not categories: a threshold is the boundary between two of them."""

    def whole(v: Variable) -> tuple[str, ...]:
        return declared_categories(v) or listed(columns.frame[v.name]) or categories.get(v.key, ())

    seen: set[str] = set()
    for v in columns.table.responses:
        seen.add(v.key)
        if not v.kind.thresholds:
            continue
        for other in (o for o in sharing(columns.table, v) if o.key not in seen):
            own, its = whole(v), whole(other)
            if not own or not its or own == its:
                continue
            both = _joined(own, its)
            shown = ", ".join(both) if _numbers(both) else ", ".join(f'"{c}"' for c in both)
            columns.blame(
                v.name,
                "different-categories",
                f"'{v.name}' and '{other.name}' share thresholds, but not their categories",
                label=f"{v.name} has {_listed(own)}, {other.name} has {_listed(its)}",
                notes="a threshold is the boundary between two categories: the same number would mean another boundary",
                help=(
                    f"declare them: {v.name} + {other.name} :: {v.kind.name}({v.link}, categories=[{shown}])",
                    "or give pandas Categoricals with the same categories",
                ),
            )


def _joined(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    both = tuple(dict.fromkeys((*a, *b)))
    return tuple(sorted(both, key=float)) if _numbers(both) else both


def _numbers(names: tuple[str, ...]) -> bool:
    return all(n.lstrip("-").replace(".", "", 1).isdigit() for n in names)


def _unlisted(columns: Columns, v: Variable, new: str, scale: tuple[str, ...]) -> None:
    columns.blame(
        v.name,
        "unknown-category",
        f"'{v.name}' has the value '{new}', which is not among its categories",
        label=f"its categories are {_listed(scale)}",
        help=did_you_mean(new, scale),
    )


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
