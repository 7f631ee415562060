"""Findings for other programs: one line each, GitHub's annotations, SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from semlang import __version__
from semlang.diagnostics import Diagnostic

Place = tuple[int, int, int, int]


def place(finding: Diagnostic) -> tuple[str | None, Place | None]:
    """Return the file of a finding, and its line, column, end line and end column, all from 1."""
    source, span = finding.located()
    if source is None:
        return None, None
    if span is None:
        return source.name, None
    end = max(min(span.end, len(source.text)), span.start)
    return source.name, (*source.position(span.start), *source.position(end))


def concise(findings: Sequence[Diagnostic]) -> str:
    """Return one line a finding.

    Examples
    --------
    >>> from semlang.diagnostics import error
    >>> from semlang.source import Source, Span
    >>> concise([error("missing-plus", "no '+'", Source("f =~ x y", "m.sem"), Span(7, 8))])
    "m.sem:1:8: error[missing-plus] no '+'"
    """
    lines = []
    for d in findings:
        file, spot = place(d)
        where = "".join(f"{part}:" for part in ((file or "",) if spot is None else (file, spot[0], spot[1])) if part)
        lines.append(f"{where} {d.severity.value}[{d.slug}] {d.message}".strip())
    return "\n".join(lines)


def github(findings: Sequence[Diagnostic]) -> str:
    """Return workflow commands, which GitHub shows beside the lines of a pull request.

    Examples
    --------
    >>> from semlang.diagnostics import warning
    >>> from semlang.source import Source, Span
    >>> github([warning("repeated-term", "x1 stands twice", Source("f =~ x1 + x1", "m.sem"), Span(10, 12))])
    '::warning file=m.sem,line=1,col=11,endLine=1,endColumn=13,title=repeated-term::x1 stands twice'
    """
    commands = {"error": "error", "warning": "warning", "note": "notice"}
    lines = []
    for d in findings:
        file, spot = place(d)
        fields = {"file": file} if file else {}
        if spot is not None:
            fields |= dict(zip(("line", "col", "endLine", "endColumn"), map(str, spot), strict=True))
        fields["title"] = d.slug
        shown = ",".join(f"{k}={_escaped(str(v), ':,')}" for k, v in fields.items())
        text = "\n".join((d.message, *(f"help: {h}" for h in d.help)))
        lines.append(f"::{commands[d.severity.value]} {shown}::{_escaped(text)}")
    return "\n".join(lines)


def _escaped(text: str, more: str = "") -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    for character in more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def sarif(findings: Sequence[Diagnostic]) -> str:
    """Return a log in the Static Analysis Results Interchange Format 2.1.0."""
    slugs = sorted({d.slug for d in findings})
    run = {
        "tool": {"driver": {"name": "semlang", "version": __version__, "rules": [{"id": slug} for slug in slugs]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, slugs.index(d.slug)) for d in findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _result(d: Diagnostic, index: int) -> dict[str, Any]:
    file, spot = place(d)
    text = "\n".join((d.message, *((d.label,) if d.label else ()), *d.notes, *(f"help: {h}" for h in d.help)))
    out: dict[str, Any] = {
        "ruleId": d.slug,
        "ruleIndex": index,
        "level": d.severity.value,
        "message": {"text": text},
    }
    if file is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
        if spot is not None:
            physical["region"] = _region(spot)
        out["locations"] = [{"physicalLocation": physical}]
        if d.fix and d.source is not None:
            out["fixes"] = [_fix(d, file)]
    return out


def _fix(d: Diagnostic, file: str) -> dict[str, Any]:
    replacements = []
    for edit in d.fix:
        _, spot = place(Diagnostic(d.slug, d.severity, "", d.source, edit.span))
        assert spot is not None
        replacements.append({"deletedRegion": _region(spot), "insertedContent": {"text": edit.text}})
    change = {"artifactLocation": {"uri": _uri(file)}, "replacements": replacements}
    return {"description": {"text": d.help[0] if d.help else d.message}, "artifactChanges": [change]}


def _region(spot: Place) -> dict[str, int]:
    return dict(zip(("startLine", "startColumn", "endLine", "endColumn"), spot, strict=True))


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/"))


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {"concise": concise, "github": github, "sarif": sarif}
