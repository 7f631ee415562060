"""Direction: cycles, for which B can not be made triangular."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from semlang.diagnostics import Diagnostic, error
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import cyclic_parts
from semlang.model.table import ParameterTable, Row
from semlang.source import Span


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find cycles, one for each set of variables that cause each other."""
    for graph in graphs:
        for cycle in cyclic_parts(graph.causes):
            yield _self_loop(table, graph, cycle[0]) if len(cycle) == 2 else _cycle(table, graph, cycle)


def _self_loop(table: ParameterTable, graph: ModelGraph, key: str) -> Diagnostic:
    span, _ = _between(graph, key, key)
    return error(
        "self-loop",
        f"'{key}' causes itself",
        table.source,
        span,
        label="the same variable on both sides",
        help=f"for its variance write {key} ~~ {key}",
    )


def _cycle(table: ParameterTable, graph: ModelGraph, cycle: tuple[str, ...]) -> Diagnostic:
    steps = list(itertools.pairwise(cycle))
    spans = {step: _between(graph, *step)[0] for step in steps}

    def place(step: tuple[str, str]) -> int:
        span = spans[step]
        return -1 if span is None else span.start

    last = max(steps, key=place)
    # start the cycle where the text closes it, so that the caret and the path agree
    start = cycle.index(last[1]) if last[1] in cycle[:-1] else 0
    path = (*cycle[start:-1], *cycle[:start], cycle[start])
    shown = " -> ".join(path)
    roles = {k: graph.table.variables[k].role for k in cycle}
    advice: tuple[str, ...]
    if len(steps) == 2 and len(set(roles.values())) == 1:
        a, b = steps[0]
        advice = (f"keep one of the two directions, or let their residuals covary: {a} ~~ {b}",)
        message = f"'{a}' and '{b}' cause each other"
    elif any(_between(graph, *s)[1] == "=~" for s in steps) and "response" in roles.values():
        measure = next(s for s in steps if _between(graph, *s)[1] == "=~")
        advice = (f"'{measure[1]}' is an effect of '{measure[0]}' by '=~': drop one of the paths",)
        message = f"'{measure[1]}' measures '{measure[0]}' and is among its causes"
    else:
        advice = ("drop one of these paths, or turn one around",)
        message = f"the paths form a cycle of {len(steps)}"
    return error(
        "cyclic-paths",
        f"{message}: {shown}",
        table.source,
        spans[last],
        label="this path closes the cycle",
        notes="effects have to be ordered before causes (B strictly upper triangular); feedback has no such order",
        help=advice,
    )


def _between(graph: ModelGraph, cause: str, effect: str) -> tuple[Span | None, str]:
    """Return the place and the operator of the path between two variables."""
    for p in graph.into(effect):
        if cause in p.causes and not p.is_zero:
            if p.row is None:
                continue
            return p.row.span, p.row.op
    rows: list[Row] = [*graph.thresholds, *graph.quantities]
    for row in rows:
        if row.target == effect and (row.source == cause or any(c.response and c.column == cause for c in row.via)):
            return row.span, row.op
    return None, ""
