"""The outline of a text: one entry a statement."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from semlang.editors.lsp.analysis import Analysis
from semlang.editors.lsp.positions import Positions
from semlang.source import Span
from semlang.syntax import ast
from semlang.words import in_words
from semlang.words.lists import joined, product, variable


def symbols(analysis: Analysis, at: Positions) -> Iterator[types.DocumentSymbol]:
    """Yield what each statement introduces, with the statement in words."""
    for s in analysis.model.statements:
        name, kind, spot = _entry(s)
        yield types.DocumentSymbol(
            name=name or "?",
            detail=in_words(s, analysis.table),
            kind=kind,
            range=at.range(s.span),
            selection_range=at.range(spot),
        )


def _entry(s: ast.Statement) -> tuple[str, types.SymbolKind, Span]:
    match s:
        case ast.Formula():
            kinds = {"=~": types.SymbolKind.Class, "<~": types.SymbolKind.Class, "~": types.SymbolKind.Function}
            shown = joined([product(t.factors) for t in s.lhs])
            name = shown if s.op in kinds else f"{shown} {s.op}"
            return name, kinds.get(s.op, types.SymbolKind.Field), s.lhs[0].span
        case ast.Thresholds():
            return f"{joined([product(t.factors) for t in s.lhs])} |", types.SymbolKind.Field, s.lhs[0].span
        case ast.Declaration():
            shown = joined([variable(v) for v in s.variables])
            return f"{shown} :: {s.kind}", types.SymbolKind.TypeParameter, s.variables[0].span
        case ast.Definition():
            return s.name, types.SymbolKind.Constant, s.name_span
        case ast.Constraint():
            return s.texts[0].strip(), types.SymbolKind.Boolean, s.span
        case ast.Directive():
            return f"{s.key}:", types.SymbolKind.Property, s.key_span
        case ast.Header():
            of = f" {s.variable}" if s.variable else ""
            return f"{s.kind}{of}: {s.label}", types.SymbolKind.Namespace, s.span
