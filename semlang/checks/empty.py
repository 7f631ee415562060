"""Findings about models in which nothing is said, or nothing is free."""

from __future__ import annotations

from semlang.diagnostics import Diagnostic, error
from semlang.model.table import ParameterTable
from semlang.source import Source, Span


def empty(source: Source, declared: bool) -> Diagnostic:
    """Return the finding about a text without any formula."""
    what = "the model declares variables but has no formula" if declared else "the model is empty"
    return error("empty-model", what, source, Span(0, 0), help="write for example  f =~ x1 + x2 + x3")


def nothing_free(table: ParameterTable) -> Diagnostic:
    """Return the finding about a fit of a model without free parameters."""
    first = next((row.span for row in table.rows if row.user == 1 and row.span is not None), None)
    return error(
        "nothing-free",
        "every parameter is fixed: there is nothing to estimate",
        table.source,
        first,
        help="free a parameter: leave its number out, or write NA* before it",
    )
