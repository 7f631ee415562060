"""All that is known of an open text."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from time import perf_counter

from semlang.analysis import analyse as analysis_of
from semlang.diagnostics import Diagnostic
from semlang.editors.lsp.datasets import Datasets
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax import ast
from semlang.syntax.file import MAX_BYTES
from semlang.syntax.parser import parse
from semlang.syntax.scan import Token, scan

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
        answer = analysis_of(source, reader=datasets.read, thorough=thorough)
    except Exception:  # a bug in a check must not take the editor's findings of syntax away
        LOG.exception("semlang: a check failed on %s", source.name)
    else:
        columns = () if answer.frame is None else tuple(str(c) for c in answer.frame.columns)
        analysis = Analysis(source, tokens, model, answer.ast, answer.findings, answer.table, columns)
    return replace(analysis, seconds=perf_counter() - begun)
