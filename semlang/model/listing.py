"""A parameter table as records, with lavaan's columns."""

from __future__ import annotations

from typing import Any

from semlang.model.table import ParameterTable


def table_rows(table: ParameterTable) -> list[dict[str, Any]]:
    """Return the rows of a table with lavaan's columns, and the rule that made each."""
    names = (
        "id", "lhs", "op", "rhs", "user", "block", "group", "level", "free", "ustart", "exo", "label", "lower", "upper",
        "plabel", "rule",
    )  # fmt: skip
    return [{n: getattr(row, n) for n in names} | ({"class": row.klass} if row.klass else {}) for row in table.rows]
