"""Facts of a data set by the standard library alone, as the tests of tables need them."""

from __future__ import annotations

import csv
from pathlib import Path

from semlang.model.facts import DataFacts


def _order(values: set[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(values, key=float))
    except ValueError:
        return tuple(sorted(values))


def facts_of(path: Path, group: str = "") -> DataFacts:
    """Return names of the columns, and levels of those with at most 60 values."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = tuple(rows[0])
    levels: dict[str, tuple[str, ...]] = {}
    for c in columns:
        seen = dict.fromkeys(r[c] for r in rows if r[c] not in ("", "NA", "."))
        if c == group:
            levels[c] = tuple(seen)
        elif len(seen) <= 60:
            levels[c] = _order(set(seen))
    return DataFacts(columns, levels)
