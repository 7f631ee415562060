"""The names of a text: variables and labels, and where each is said for the first time."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.editors.lsp.analysis import Analysis
from semlang.source import Source, Span
from semlang.syntax import ast
from semlang.syntax.cut import cut

Place = tuple[int, Span]
"""Rank, the lowest of which is the definition, and span."""


def terms(statement: ast.Statement) -> Iterator[ast.Term]:
    """Yield the terms of a statement from left to right, those of random-effects bars included."""
    if isinstance(statement, ast.Formula):
        yield from statement.lhs
        for t in statement.rhs:
            yield from t.terms if isinstance(t, ast.RandomEffects) else (t,)
    elif isinstance(statement, ast.Thresholds):
        yield from (*statement.lhs, *statement.thresholds, *(statement.covariates or ()))


def variables(model: ast.Model) -> dict[str, list[Place]]:
    """Return every variable with the places that mention it, in order.

    The place that says what a latent variable is (the left of ``=~``, a declaration) has rank 0 or 1.
    """
    found: dict[str, list[Place]] = {}

    def add(v: ast.Factor, rank: int) -> None:
        v = v.variable if isinstance(v, ast.Transform) else v
        found.setdefault(v.name, []).append((rank, v.span))

    for s in model.statements:
        if isinstance(s, ast.Declaration):
            for v in s.variables:
                add(v, 1)
            continue
        for hint in s.hints if isinstance(s, ast.Directive) else ():
            for v in (v for together in hint.names for v in together):
                add(v, 2)
        lefts = s.lhs if isinstance(s, ast.Formula | ast.Thresholds) else ()
        defines = isinstance(s, ast.Formula) and s.op in ("=~", "<~")
        skipped = s.thresholds if isinstance(s, ast.Thresholds) else ()
        for t in terms(s):
            for f in t.factors if not any(t is k for k in skipped) else ():
                add(f, 0 if defines and any(t is left for left in lefts) else 2)
    return found


def labels(model: ast.Model) -> dict[str, list[Place]]:
    """Return every label and defined parameter with the places that introduce it: ``:=`` before the first use."""
    found: dict[str, list[Place]] = {}
    for s in model.statements:
        if isinstance(s, ast.Definition):
            found.setdefault(s.name, []).append((0, s.name_span))
        for t in terms(s):
            for m in t.modifiers:
                kinds = m.kinds or (m.kind,) * len(m.values)
                for kind, name in zip(kinds, m.values):
                    if kind == "label" and isinstance(name, str):
                        found.setdefault(name, []).append((1, _inside(model.source, m.span, name)))
    return found


def _inside(source: Source, span: Span, name: str) -> Span:
    """Return where a name stands in a modifier: ``a`` in ``c(a, b)``."""
    at = source.text.find(name, span.start, span.end)
    return Span(at, at + len(name)) if at >= 0 else span


def clusters(analysis: Analysis) -> tuple[str, ...]:
    """Return the clusters of a text, the outermost first."""
    if analysis.table is not None and analysis.table.clusters:
        return tuple(reversed(analysis.table.clusters))
    found: list[str] = []
    for s in analysis.model.statements:
        if isinstance(s, ast.Directive) and s.key == "cluster":
            for a in s.arguments:
                found += [str(v) for v in (a.value if isinstance(a.value, tuple) else (a.value,))]
    return tuple(found)


def loose_names(analysis: Analysis, offset: int) -> list[str]:
    """Return names in statements that could not be read, but for the one under the cursor."""
    known = [s.span for s in analysis.model.statements]
    found: dict[str, None] = {}
    for piece in cut(analysis.source)[0]:
        if piece.is_directive or any(s.start <= piece.span.start < s.end for s in known):
            continue
        for token, after in zip(piece.tokens, [*piece.tokens[1:], None]):
            if token.text == "::":
                break
            is_function = after is not None and after.text == "("
            if token.kind in ("name", "quoted") and not is_function and not token.start <= offset <= token.end:
                found[token.text.strip("`")] = None
    return list(found)
