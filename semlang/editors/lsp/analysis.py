"""All that is known of an open text."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from semlang.api import Model, ordered
from semlang.diagnostics import Diagnostic, Severity
from semlang.editors.lsp.datasets import Datasets, data_directive, data_path
from semlang.errors import SemlangError
from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source, Span
from semlang.syntax import ast
from semlang.syntax.file import MAX_BYTES
from semlang.syntax.parser import parse
from semlang.syntax.scan import Token, scan

if TYPE_CHECKING:
    import pandas as pd

LOG = logging.getLogger(__name__)
SLOW = 0.3
"""Seconds: where checking the data takes longer, only the names of columns are checked while someone types."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of a text.

    Parameters
    ----------
    source : Source
    tokens : list of Token
    model : ast.Model
        The statements that could be read.
    whole : ast.Model
        The same with included files in their places.
    findings : tuple of Diagnostic
    table : ParameterTable or None
        Of the statements that could be read; None where they have no table.
    columns : tuple of str
        Columns of the data that the text names.
    seconds : float
        How long the check took.
    """

    source: Source
    tokens: tuple[Token, ...]
    model: ast.Model
    whole: ast.Model
    findings: tuple[Diagnostic, ...]
    table: ParameterTable | None
    columns: tuple[str, ...] = ()
    seconds: float = 0.0

    def token_at(self, offset: int) -> Token | None:
        """Return the token under the cursor; between two, a name or number rather than a sign or space."""
        near = [t for t in self.tokens if t.start <= offset <= t.end and t.kind not in ("space", "newline")]
        words = [t for t in near if t.kind in ("name", "quoted", "range", "number", "string")]
        inside = [t for t in near if offset < t.end]
        return next(iter((*words, *inside, *near)), None)

    def statement_at(self, offset: int) -> ast.Statement | None:
        """Return the statement under the cursor."""
        return next((s for s in self.model.statements if s.span.start <= offset <= s.span.end), None)


def analyse(source: Source, datasets: Datasets, *, thorough: bool = True) -> Analysis:
    """Read and check a text; whatever happens, there is an answer.

    Parameters
    ----------
    source : Source
    datasets : Datasets
    thorough : bool
        Check the values of the data too, not the names of columns alone.
    """
    begun = perf_counter()
    tokens = tuple(scan(source.text)) if len(source.text) <= MAX_BYTES else ()
    model, found = parse(source)
    analysis = Analysis(source, tokens, model, model, found, None)
    try:
        analysis = _checked(analysis, datasets, thorough)
    except Exception:  # a bug in a check must not take the editor's findings of syntax away
        LOG.exception("semlang: a check failed on %s", source.name)
    return replace(analysis, seconds=perf_counter() - begun)


def _checked(analysis: Analysis, datasets: Datasets, thorough: bool) -> Analysis:
    frame, about_data = _data(analysis.model, datasets)
    if frame is not None:
        analysis = replace(analysis, columns=tuple(str(c) for c in frame.columns))
    try:
        model = Model(analysis.source)
    except SemlangError as problem:
        found = (*problem.diagnostics, *about_data)
        return replace(analysis, findings=found, table=_partial_table(analysis.model))
    analysis = replace(analysis, whole=model.ast, table=model.parameter_table)
    found = tuple(_findings(model, frame, thorough))
    return replace(analysis, findings=(*found, *about_data))


def _findings(model: Model, frame: pd.DataFrame | None, thorough: bool) -> list[Diagnostic]:
    if frame is None:
        return model.check()
    if thorough:
        return model.check(frame)
    from semlang.data.facts import FrameFacts

    try:
        return model.with_facts(FrameFacts(frame)).check()
    except SemlangError as problem:
        return ordered(problem.diagnostics)


def _partial_table(model: ast.Model) -> ParameterTable | None:
    try:
        return elaborate(model).answer[0]
    except Exception:  # what is left of a broken text may be no model at all
        LOG.debug("no table", exc_info=True)
        return None


def _data(model: ast.Model, datasets: Datasets) -> tuple[pd.DataFrame | None, tuple[Diagnostic, ...]]:
    """Return the data that a text names, and what is wrong with the file as warnings at the line that names it."""
    path, line = data_path(model), data_directive(model)
    if path is None or line is None:
        return None, ()
    frame, found = datasets.read(path)
    spot = Span(line.arguments[0].span.start, line.arguments[0].span.end)
    placed = tuple(replace(d, severity=Severity.WARNING, source=model.source, span=spot) for d in found)
    return frame, placed
