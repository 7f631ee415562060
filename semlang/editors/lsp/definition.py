"""Go to definition: of labels, variables and files."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from semlang.editors.lsp.analysis import Analysis
from semlang.editors.lsp.names import labels, terms, variables
from semlang.editors.lsp.positions import Positions, normalised
from semlang.source import Span
from semlang.syntax import ast
from semlang.syntax.scan import Token


def definition(analysis: Analysis, at: Positions, uri: str, offset: int) -> types.Location | None:
    """Return where the name under the cursor is introduced.

    A defined parameter is introduced by ``:=``, a label by its first use, a latent variable by ``=~``, else by its
    declaration, any other variable by its first mention; a file is the file.
    """
    token = analysis.token_at(offset)
    if token is None:
        return None
    statement = analysis.statement_at(offset)
    if token.kind == "string" and isinstance(statement, ast.Directive) and statement.key in ("data", "include"):
        path = Path(analysis.source.name).parent / token.text[1:-1]
        return types.Location(path.resolve().as_uri(), _range(0, 0)) if path.is_file() else None
    name = token.text.strip("`") if token.kind in ("name", "quoted") else ""
    span = first(analysis, name, label=_is_label(analysis, token, statement))
    if span is None:
        return None
    file, start = analysis.whole.source.origin(span.start)
    end = start + span.end - span.start
    if file.name == analysis.source.name:
        return types.Location(uri, at.range(Span(start, end)))
    there = Positions(normalised(file.text), at.encoding)
    return types.Location(Path(file.name).resolve().as_uri(), there.range(Span(start, end)))


def first(analysis: Analysis, name: str, *, label: bool) -> Span | None:
    """Return the place that introduces a label or variable; where it is both, the `label` if that is asked for."""
    tables = [labels(analysis.whole), variables(analysis.whole)]
    for table in tables if label else reversed(tables):
        if name in table:
            return min(table[name], key=lambda place: (place[0], place[1].start))[1]
    return None


def _is_label(analysis: Analysis, token: Token, statement: ast.Statement | None) -> bool:
    """Whether a name stands where a label does: in a constraint, in a definition, before ``*`` or ``?``."""
    if isinstance(statement, ast.Constraint | ast.Definition):
        return True
    rest = analysis.source.text[token.end :].lstrip(" \t")
    return rest[:1] in ("*", "?") or any(
        m.span.start <= token.start < m.span.end
        for s in ([statement] if statement else [])
        for t in terms(s)
        for m in t.modifiers
    )


def _range(line: int, character: int) -> types.Range:
    here = types.Position(line, character)
    return types.Range(here, here)
