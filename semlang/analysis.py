"""One analysis of a text, for the command line, editors and the page: all that is wrong with it and with its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semlang.api import Model
from semlang.checks.run import run_checks, structural_errors
from semlang.data.bound import Reader
from semlang.data.named import as_warnings, named_path, placed
from semlang.diagnostics import Diagnostic, ordered
from semlang.errors import ModelError
from semlang.model.unbroken import unbroken
from semlang.shown import Shown
from semlang.source import Source
from semlang.syntax import ast

if TYPE_CHECKING:
    import pandas as pd

    from semlang.data.design import Design
    from semlang.model.table import ParameterTable


@dataclass(frozen=True, slots=True, repr=False)
class Analysis(Shown):
    """What is known of a text.

    Parameters
    ----------
    ast : ast.Model
        The statements that could be read, those of included files in their places.
    model : Model or None
        The model, with what its data say of it; None where the text has no table.
    table : ParameterTable or None
        Of the model, or of the statements that could be read; None where these have none.
    findings : tuple of Diagnostic
        Errors first. Beside errors of the text only those that do not follow from them.
    frame : DataFrame or None
        The data, where they could be read.
    designs : tuple of Design or None
        What the model and the data make; None where the data are not there or do not fit.
    """

    ast: ast.Model
    model: Model | None
    table: ParameterTable | None
    findings: tuple[Diagnostic, ...]
    frame: pd.DataFrame | None = None
    designs: tuple[Design, ...] | None = None

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "no findings"


def analyse(
    source: Source,
    data: Any = None,
    *,
    facts: Callable[[Model], Model] | None = None,
    reader: Reader | None = None,
    thorough: bool = True,
    **arguments: Any,
) -> Analysis:
    """Read and check a text and the data that it names.

    Parameters
    ----------
    source : Source
    data : DataFrame, path or anything that converts, optional
        In place of the data that the text names.
    facts : callable, optional
        Gives a model names and levels of columns, in place of data.
    reader : callable, optional
        Reads the file that the text names; default `semlang.data.reading.read_data`.
    thorough : bool
        Check the values of the data too, not the names of columns and levels alone.
    **arguments
        ``options``, ``cluster`` and ``n_groups`` of the model.

    Examples
    --------
    >>> [d.slug for d in analyse(Source("f =~ x1 x2\\ny ~ y")).findings]
    ['missing-plus', 'self-regression']
    """
    model, stands = Model.readable(source, **arguments)
    if not stands:
        return _beside(model, data, reader, thorough)
    if facts is not None:
        try:
            informed = facts(model)
        except ModelError as problem:
            return Analysis(model.ast, model, model.parameter_table, problem.diagnostics)
        informed.__dict__["known"] = informed  # its views read nothing
        return Analysis(model.ast, informed, informed.parameter_table, tuple(informed.check(read=False)))
    known, frame, designs, found = model._attempt(data, reader, thorough=thorough)
    known.__dict__["known"] = known  # its views read nothing again
    checks = run_checks(known.parameter_table, known.graphs, designs)
    findings = ordered((*known.findings, *checks, *as_warnings(found)))
    return Analysis(model.ast, known, known.parameter_table, tuple(findings), frame, designs)


def _read_alone(model: Model, reader: Reader | None) -> tuple[pd.DataFrame | None, tuple[Diagnostic, ...]]:
    """Return the data that a text without formulas names: their columns are offered while it is typed."""
    path = named_path(model.ast)
    if path is None:
        return None, ()
    from semlang.data.reading import read_data

    frame, found = (reader or read_data)(path)
    return frame, as_warnings(placed(found, model.ast))


def _beside(model: Model, data: Any, reader: Reader | None, thorough: bool) -> Analysis:
    """Return the analysis of a text with errors: what else is wrong, as far as it does not follow from them."""
    errors = tuple(d for d in model.findings if d.is_error)
    table: ParameterTable | None = getattr(model, "parameter_table", None)
    if table is None:
        frame, found = _read_alone(model, reader) if data is None else (None, ())
        return Analysis(model.ast, None, None, tuple(ordered((*model.findings, *found))), frame)
    sound = model._elaboration.answer[0] is not None
    frame, more = None, list(structural_errors(table, model.graphs) if sound else ())
    if data is not None or named_path(model.ast) is not None:
        _, frame, _, found = model._attempt(data, reader, thorough=thorough and sound)
        more += as_warnings(found)
    findings = ordered((*model.findings, *unbroken(model.ast, errors, more)))
    return Analysis(model.ast, None, table, tuple(findings), frame)
