"""All checks of a model in one place; they report and never raise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from semlang.checks import alternatives, levels, scale, triangularity, verdict
from semlang.checks import estimable as estimable_check
from semlang.diagnostics import Diagnostic, Severity
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable

if TYPE_CHECKING:
    from semlang.data.design import Design

Check = Callable[[ParameterTable, Sequence[ModelGraph]], Iterable[Diagnostic]]

STRUCTURE: tuple[Check, ...] = (triangularity.check, levels.check)
"""Without these there are no matrices."""

MODEL: tuple[Check, ...] = (scale.check, alternatives.check)
"""Checks of a model whose matrices can be written."""


def structural_errors(table: ParameterTable, graphs: Sequence[ModelGraph]) -> tuple[Diagnostic, ...]:
    """Return errors of direction and levels."""
    return tuple(d for d in _collect(STRUCTURE, table, graphs) if d.is_error)


def run_checks(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    facts: Sequence[Design] | None = None,
    *,
    fitting: bool = False,
) -> tuple[Diagnostic, ...]:
    """Return all findings about a model.

    One mistake gives one finding: where direction, levels or scale are wrong, identification is not looked at.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
        One a group.
    facts : sequence of Design, optional
        The data, for what depends on them.
    fitting : bool
        Whether what can't be estimated is an error (else a note).
    """
    found = _collect((*STRUCTURE, *MODEL), table, graphs)
    possible = estimable(table, graphs)
    if facts:  # numpy is not imported for a text alone
        from semlang.checks import collinear, far_origin

        data_checks = (collinear.check, alternatives.check_data, far_origin.check)
        found += tuple(d for check in data_checks for d in check(table, facts))
    if not any(d.is_error for d in found):
        found += tuple(verdict.check(table, graphs, facts, conditions=not fitting))
    found += possible if fitting else tuple(replace(d, severity=Severity.NOTE) for d in possible)
    return tuple(dict.fromkeys(found))


def estimable(table: ParameterTable, graphs: Sequence[ModelGraph]) -> tuple[Diagnostic, ...]:
    """Return errors for what this version can't estimate."""
    return _collect((estimable_check.check,), table, graphs)


def _collect(checks: Sequence[Check], table: ParameterTable, graphs: Sequence[ModelGraph]) -> tuple[Diagnostic, ...]:
    return tuple(dict.fromkeys(d for check in checks for d in check(table, graphs)))
