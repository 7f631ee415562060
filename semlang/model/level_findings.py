"""Findings about level blocks: where a name means its observed value, and lavaan would split it."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.diagnostics import Diagnostic, warning
from semlang.model.table import ParameterTable, Row


def level_findings(table: ParameterTable) -> list[Diagnostic]:
    """Return warnings of covariates at two levels, and of responses with components that predict inside clusters."""
    if not any(r.level for r in table.rows):
        return []
    return [*_covariates(table), *_responses(table)]


def _covariates(table: ParameterTable) -> Iterator[Diagnostic]:
    at: dict[str, dict[int, Row]] = {}
    for r in table.rows:
        if r.op == "~" and r.group == 1:
            for c in r.via:
                if not c.response:
                    at.setdefault(c.column, {}).setdefault(r.level, r)
    for column, levels in at.items():
        if 1 in levels and len(levels) > 1:
            yield warning(
                "covariate-at-two-levels",
                f"'{column}' is its observed value at both levels",
                table.source,
                levels[max(levels)].span,
                notes="lavaan would split it into a part within and a part between clusters",
                help=f"use a column with the cluster means of '{column}' at the higher level",
            )


def _responses(table: ParameterTable) -> Iterator[Diagnostic]:
    split = {v.response for v in table.variables.values() if v.role == "component"}
    seen: set[str] = set()
    for r in table.rows:
        for c in r.via if r.level == 1 and r.op == "~" else ():
            if c.response and c.column in split and c.column not in seen:
                seen.add(c.column)
                yield warning(
                    "observed-response-within",
                    f"'{c.column}' predicts with its observed value, not with its part within clusters",
                    table.source,
                    r.span,
                    notes="lavaan would take the part within clusters",
                    help=f"add its part between clusters at the higher level: '{r.lhs} ~ {c.column}'",
                )
