"""Findings as the protocol's diagnostics, and their edits as quick fixes."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from semlang.data.named import data_line
from semlang.diagnostics import Diagnostic, Severity
from semlang.editors.lsp.analysis import Analysis
from semlang.editors.lsp.positions import Positions
from semlang.source import Span
from semlang.syntax.ast import Directive

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}


def diagnostics(analysis: Analysis, at: Positions) -> list[types.Diagnostic]:
    """Return the findings of a text."""
    return [_diagnostic(d, _spot(d, analysis), analysis, at) for d in analysis.findings]


def _diagnostic(finding: Diagnostic, spot: Span, analysis: Analysis, at: Positions) -> types.Diagnostic:
    file, here = finding.located()
    message = finding.message
    if file is not None and here is not None and file.name != analysis.source.name:
        line, _ = file.position(here.start)
        message = f"{file.name}, line {line}: {message}"
    lines = [f"{message} ({finding.label})" if finding.label else message, *finding.notes]
    lines += [f"help: {h}" for h in finding.help]
    return types.Diagnostic(
        range=at.range(spot),
        message="\n".join(lines),
        severity=_SEVERITIES[finding.severity],
        code=finding.slug,
        source="semlang",
    )


def _spot(finding: Diagnostic, analysis: Analysis) -> Span:
    """Return where a finding is shown: its place, the line that includes its file, the data, or the first line."""
    file, here = finding.located()
    if file is not None and here is not None and file.name == analysis.source.name:
        return here
    lines = [s for s in analysis.model.statements if isinstance(s, Directive) and s.key == "include"]
    if here is not None and lines:
        return lines[0].span
    data = data_line(analysis.model)
    if data is not None:
        return data.span
    return Span(0, max(analysis.source.text.find("\n"), 0))


def fixes(analysis: Analysis, at: Positions, uri: str, wanted: types.Range) -> Iterator[types.CodeAction]:
    """Yield the edits that mend the findings in a range."""
    start, end = at.offset(wanted.start), at.offset(wanted.end)
    for finding in analysis.findings:
        file, _ = finding.located()
        spot = _spot(finding, analysis)
        if not finding.fix or spot.start > end or spot.end < start or finding.source is None:
            continue
        places = [finding.source.origin(e.span.start) for e in finding.fix]
        if file is None or any(f.name != analysis.source.name for f, _ in places):
            continue
        edits = [
            types.TextEdit(at.range(Span(offset, offset + e.span.end - e.span.start)), e.text)
            for e, (_, offset) in zip(finding.fix, places)
        ]
        yield types.CodeAction(
            title=finding.help[0] if finding.help else f"mend: {finding.message}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[_diagnostic(finding, spot, analysis, at)],
            edit=types.WorkspaceEdit(changes={uri: edits}),
            is_preferred=True,
        )
