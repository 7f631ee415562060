"""The data that a text names: where they lie, and what is said where they can't be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from semlang.data.reading import FILE_SLUGS
from semlang.diagnostics import Diagnostic, Severity, warning
from semlang.syntax import ast


def data_line(model: ast.Model) -> ast.Directive | None:
    """Return the last ``data:`` line of a text, which is the one that holds."""
    lines = [s for s in model.statements if isinstance(s, ast.Directive) and s.key == "data"]
    return lines[-1] if lines else None


def named_path(model: ast.Model) -> Path | None:
    """Return the path of the data that a text names, relative to the file that names them."""
    line = data_line(model)
    if line is None:
        return None
    file, _ = model.source.origin(line.span.start)
    return Path(file.name).parent / str(line.arguments[0].value)


def placed(findings: Iterable[Diagnostic], model: ast.Model) -> tuple[Diagnostic, ...]:
    """Return what was found on reading, at the line that names the data."""
    line = data_line(model)
    if line is None:
        return tuple(findings)
    spot = line.arguments[0].span
    return tuple(d if d.span else replace(d, source=model.source, span=spot) for d in findings)


def as_warnings(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings with those about a file that can't be read as warnings: the model is checked without it."""
    return tuple(
        replace(d, severity=Severity.WARNING) if d.slug in FILE_SLUGS and d.span is not None else d for d in findings
    )


def not_read(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings with those about the file as one that says what a view of the model lacks."""
    return tuple(
        warning(
            "data-not-read",
            f"the data are not read: {d.message}",
            d.source,
            d.span,
            label="levels of factors, categories and groups are not known",
            help="mend the path, or give the data with --data FILE",
        )
        if d.slug in FILE_SLUGS
        else d
        for d in findings
    )
