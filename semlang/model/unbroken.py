"""What can be said of a text beside its errors: findings that no broken statement may undo."""

from __future__ import annotations

import re
from collections.abc import Iterable

from semlang.diagnostics import Diagnostic
from semlang.source import Source
from semlang.syntax import ast
from semlang.syntax.cut import KEYS
from semlang.syntax.nearest import nearest
from semlang.syntax.scan import scan

_OF_THE_WHOLE = frozenset(
    {
        "declared-unused", "near-miss-name", "lone-block", "single-level-block", "level-without-cluster",
        "unused-group", "option-without-effect", "empty-model", "identification-undetermined",
        "uncorrelated-random-effects",
    }
)  # fmt: skip
"""Findings that say that something is missing, which may stand in what could not be read."""

_QUOTED = re.compile(r"'([^']+)'")
_NAME = re.compile(r"[^\W\d]?[\w.]+")


def unbroken(model: ast.Model, errors: Iterable[Diagnostic], findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings about the readable statements of a text that hold whatever the other ones say.

    A finding that mentions a name which also stands in a broken statement may follow from it and is left out; where a
    header of a block or an included file is broken, all are.

    Parameters
    ----------
    model : ast.Model
        With the places of statements that could not be read.
    errors : iterable of Diagnostic
        What is wrong with the text; statements in which they lie are broken, too.
    findings : iterable of Diagnostic
        About the statements that could be read.
    """
    names: set[str] = set()
    ranges: list[str] = []
    spots = [
        d.span
        for d in errors
        if d.is_error and d.span is not None and d.source is not None and d.source.text == model.source.text
    ]
    lines = [s.span for s in model.statements if any(s.span.start <= e.start < s.span.end for e in spots)]
    for span in (*model.broken, *lines):
        words = [t for t in scan(model.source.text[span.start : span.end]) if t.kind not in ("space", "newline")]
        first = words[0].text.lower() if words else ""
        whole = span in model.broken
        header = first in KEYS - {"data", "options", "layout"} or (len(words) > 1 and _is_key(first, words[1].text))
        if whole and header:
            return ()
        names |= {t.text.strip("`\"'") for t in words if t.kind in ("name", "quoted", "badname", "string")}
        ranges += [t.text.partition("{")[0] for t in words if t.kind == "range"]
    if any(isinstance(s, ast.Directive) and s.key == "include" for s in model.statements):
        return ()

    def may_follow(d: Diagnostic) -> bool:
        said = {*_QUOTED.findall(d.message), *(_spot(model.source, d))}
        said |= {word for text in set(said) for word in _NAME.findall(text)}
        return bool(said & names) or any(s.startswith(r) for s in said for r in ranges)

    return tuple(d for d in findings if d.slug not in _OF_THE_WHOLE and not may_follow(d))


def _is_key(first: str, second: str) -> bool:
    return second == ":" and nearest(first, KEYS) is not None


def _spot(source: Source, d: Diagnostic) -> list[str]:
    if d.span is None or d.source is None or d.source.text != source.text:
        return []
    return _NAME.findall(source.text[d.span.start : d.span.end])
