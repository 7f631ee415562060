"""Kinds: parameters that a response of its kind does not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semlang.diagnostics import Diagnostic, error
from semlang.graph.model_graph import Covariance, ModelGraph
from semlang.model.table import ParameterTable


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find residual (co)variances of responses that have none, thresholds of the wrong kind, and gaps in them."""
    for graph in graphs:
        yield from _residuals(table, graph)
        yield from _thresholds(table, graph)


def _residuals(table: ParameterTable, graph: ModelGraph) -> Iterable[Diagnostic]:
    for c in graph.covariances:
        ends = [table.variables[k] for k in dict.fromkeys((c.a, c.b)) if k in table.variables]
        wrong = next((v for v in ends if v.role == "response" and not v.kind.residual), None)
        if wrong is None or (c.parameter < 0 and (c.a == c.b or c.is_zero)):
            continue
        if c.a == c.b:
            yield error(
                "residual-not-gaussian",
                f"'{c.a}' is {wrong.kind.name}: it has no residual variance to estimate",
                table.source,
                c.row.span,
                label="its distribution and link settle it",
                help=f"leave this row out, or declare {c.a} :: gaussian",
            )
        else:
            yield _covariance(table, c, wrong.key, wrong.kind.name)


def _covariance(table: ParameterTable, c: Covariance, key: str, kind: str) -> Diagnostic:
    return error(
        "residual-not-gaussian",
        f"'{key}' is {kind}: it has no residual that could covary with '{c.b if key == c.a else c.a}'",
        table.source,
        c.row.span,
        label="only gaussian responses have residual covariances",
        help=f"let a latent variable join them: u :: normal; {c.a} ~ u; {c.b} ~ u",
    )


def _thresholds(table: ParameterTable, graph: ModelGraph) -> Iterable[Diagnostic]:
    numbers: dict[str, set[int]] = {}
    for row in graph.thresholds:
        v = table.variables[row.target]
        if not v.kind.thresholds:
            if row.op == "|" and row.target not in numbers:
                yield error(
                    "threshold-not-ordinal",
                    f"'{row.target}' is {v.kind.name}: it has no thresholds",
                    table.source,
                    row.span,
                    help=f"declare it: {row.target} :: ordinal(probit)",
                )
            numbers.setdefault(row.target, set())
        elif row.op == "|":
            numbers.setdefault(row.target, set()).add(row.threshold)
    for key, found in numbers.items():
        missing = sorted(set(range(1, max(found, default=0))) - found)
        if missing:
            first = next(row for row in graph.thresholds if row.target == key and row.threshold > missing[0])
            yield error(
                "threshold-gap",
                f"'{key}' has threshold t{first.threshold} but no t{missing[0]}",
                table.source,
                first.span,
                label="thresholds are numbered without gaps",
                help=f"write {key} | " + " + ".join(f"t{s}" for s in range(1, max(found) + 1)),
            )
