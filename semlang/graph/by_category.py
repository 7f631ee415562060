"""Nominal responses as one variable a category, each with the linear predictor of its category."""

from __future__ import annotations

from dataclasses import replace

from semlang.graph.build import build_graph
from semlang.graph.model_graph import ModelGraph
from semlang.model.kinds import Kind
from semlang.model.table import ParameterTable, Row, Variable

__all__ = ["by_category", "graph_by_category"]


def by_category(table: ParameterTable, kind: Kind | None = None) -> ParameterTable:
    """Return the table in which each nominal response is replaced by a variable ``y@category`` for each predictor.

    Where no data tell the categories, rows that hold for all categories stay those of the response.

    Parameters
    ----------
    table : ParameterTable
    kind : Kind, optional
        Of the new variables; default that of the response.
    """
    nominal = {key for key, v in table.variables.items() if v.kind.nominal}
    found: dict[str, list[str]] = {}
    for row in table.rows:
        if row.target in nominal and row.op in ("~", "~1", "=~"):
            named = found.setdefault(row.target, [])
            if row.category not in named:
                named.append(row.category)
    rows: list[Row] = []
    for row in table.rows:
        if row.target not in nominal:
            rows.append(row)
            continue
        named = [c for c in found.get(row.target, ()) if c]
        targets = [row.category] if row.category or not named else named
        rows += [row._replace(target=_key(row.target, c), category="") for c in targets]
    variables: dict[str, Variable] = {}
    for key, v in table.variables.items():
        for c in [c for c in found.get(key, ()) if c] or [""] if key in nominal else ():
            new = replace(v, key=_key(key, c), kind=kind or v.kind)
            variables[new.key] = (
                replace(new, link="logit", arguments={}) if kind else replace(new, name=_key(v.name, c))
            )
        if key not in nominal:
            variables[key] = v
    return replace(table, rows=tuple(rows), variables=variables)


def graph_by_category(graph: ModelGraph) -> ModelGraph:
    """Return the graph of `by_category`; the graph itself where no path belongs to a category."""
    if not any(p.category for p in graph.paths):
        return graph
    return build_graph(by_category(graph.table), graph.group)


def _key(key: str, category: str) -> str:
    return f"{key}@{category}" if category else key
