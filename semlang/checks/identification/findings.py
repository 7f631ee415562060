"""Findings about identification, for ``semlang check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from semlang.checks.identification.identify import identify
from semlang.checks.identification.report import IDENTIFIED, NOT_IDENTIFIED, SHAPE_ONLY, Identification
from semlang.data.design import Design
from semlang.diagnostics import Diagnostic, error, note, warning
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable
from semlang.source import Span

MOST_NAMES = 6


def check(
    table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design] | None = None
) -> Iterable[Diagnostic]:
    """Report models that are not identified (error), identified by shape only (warning) or undecided (note)."""
    report = identify(table, graphs, designs, explain=False)
    if report.verdict == IDENTIFIED:
        return
    if report.verdict in (NOT_IDENTIFIED, SHAPE_ONLY):
        report = identify(table, graphs, designs, explain=True)
        yield from _deficient(table, report)
        return
    yield note(
        "identification-undetermined",
        "whether the model is identified was not decided",
        table.source,
        label="",
        notes=report.why,
    )


def _deficient(table: ParameterTable, report: Identification) -> Iterator[Diagnostic]:
    names = [_text(t) for t in (report.sets[0] if report.sets else report.unidentified)]
    shown = ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
    notes = [report.why]
    notes += [f"{{{', '.join(_text(t) for t in s)}}} move together too" for s in report.sets[1:4]]
    if len(report.sets) > 4:
        notes.append(f"and {len(report.sets) - 4} further sets")
    help_ = [f"write {r['text']}" if i == 0 else f"or {r['text']}" for i, r in enumerate(report.repairs[:3])]
    if not help_:
        help_ = ["'semlang identify' lists every set of parameters that move together"]
    shape = report.verdict == SHAPE_ONLY
    make = warning if shape else error
    yield make(
        "identified-by-shape" if shape else "not-identified",
        (
            f"only the shape of the distribution tells these apart: {shown}"
            if shape
            else f"the model is not identified: {shown} can't be told apart"
            if len(names) > 1
            else f"the model is not identified: nothing determines {shown}"
        ),
        table.source,
        _place(table, report),
        label="with large samples still unstable" if shape else "other values give the same distribution of the data",
        notes=notes,
        help=help_,
    )


def _place(table: ParameterTable, report: Identification) -> Span | None:
    """Return the first written row of the first set, preferring loadings and paths."""
    first = set(report.sets[0]) if report.sets else set(report.unidentified)
    rows = [r for r in table.rows if (r.lhs, r.op, r.rhs) in first and r.span is not None]
    rows.sort(key=lambda r: (r.op not in ("=~", "~"), r.rule != "written"))
    return rows[0].span if rows else None


def _text(t: tuple[str, str, str]) -> str:
    return f"{t[0]} ~ 1" if t[1] == "~1" else f"{t[0]} {t[1]} {t[2]}"
