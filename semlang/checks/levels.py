"""Levels: causes stand at the level of their effects or above; disturbances covary within a level only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semlang.diagnostics import Diagnostic, error
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ROWS, ParameterTable


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find paths from a lower level to a higher one and covariances across levels."""
    for graph in graphs:
        yield from _downward(table, graph)
        yield from _across(table, graph)


def _downward(table: ParameterTable, graph: ModelGraph) -> Iterable[Diagnostic]:
    for p in graph.paths:
        for cause in p.causes:
            if cause not in table.variables or graph.height(cause) >= graph.height(p.target):
                continue
            low, high = table.variables[cause].level, table.variables[p.target].level
            what = "latent variable" if cause in graph.latents else "response"
            yield error(
                "downward-path",
                f"'{p.target}' varies over {high}, but its cause '{cause}' varies over {low}, a lower level",
                table.source,
                p.row.span if p.row else None,
                label=f"{low} lie inside {high}" if low == ROWS else f"{low} lies inside {high}",
                notes="a variable can only depend on variables of its own or of a higher level",
                help=_advice(cause, p.target, what, high, table),
            )


def _advice(cause: str, target: str, what: str, high: str, table: ParameterTable) -> tuple[str, ...]:
    if what == "response":
        return (f"use its part that varies over {high}: {target} ~ {cause}[{high}]",)
    return (
        f"turn the path around if '{target}' is the cause: {cause} ~ {target}",
        f"or write a latent variable of {high}, as in  {table.variables[cause].name}_b[{high}] =~ ...",
    )


def _across(table: ParameterTable, graph: ModelGraph) -> Iterable[Diagnostic]:
    for c in graph.covariances:
        if c.b not in table.variables or c.is_zero:
            continue
        one, two = table.variables[c.a].level, table.variables[c.b].level
        if one != two:
            low, high = (c.a, c.b) if graph.height(c.a) < graph.height(c.b) else (c.b, c.a)
            yield error(
                "covariance-across-levels",
                f"'{c.a}' varies over {one} and '{c.b}' over {two}: their disturbances can't covary",
                table.source,
                c.row.span,
                label="disturbances of different levels are independent",
                help=f"regress the lower one on the higher one: {low} ~ {high}",
            )
