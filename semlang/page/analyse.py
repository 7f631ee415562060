"""Everything that can be shown of a model text, as plain data: what the page, its server and a notebook exchange."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from semlang.analysis import analyse as analyse_text
from semlang.api import Model
from semlang.diagnostics import Diagnostic, in_file
from semlang.errors import SemlangError
from semlang.source import Source, Span

if TYPE_CHECKING:
    from semlang.checks.identification import Identification
    from semlang.data.sheet import Sheet
    from semlang.matrices.matrix import Matrix
    from semlang.model.table import ParameterTable

LOG = logging.getLogger(__name__)
SCHEMA = "semlang.page/1"
"""Name and version of the answer; ``schema.json`` beside this module describes it."""
DRAWN = 400
"""Rows of the table up to which a diagram is drawn: beyond that nobody can read it, and placing it takes seconds."""

VIEWS = ("table", "diagram", "matrices", "equations", "marked_equations", "words", "identification")

Json = dict[str, Any]
T = TypeVar("T")


def analyse(text: str | Source, data: Sheet | None = None, *, drawn: bool = True) -> Json:
    """Return findings, table, diagram, matrices, equations, words and the verdict on identification of a text.

    Whatever the text, there is an answer. A view that the text does not have is None, and a finding says why; a view
    that fails by a mistake of the program is None, too, and is named in ``failed``.

    Parameters
    ----------
    text : str or Source
        The model. Offsets in the answer count its code points from 0 (with ``\\n`` as the only line ending).
    data : Sheet, optional
        Data: then names are checked against its columns, and factors and thresholds are spelt out.
    drawn : bool
        Whether the diagram is placed, which takes as long as everything else; else ``diagram`` is None.

    Returns
    -------
    dict
        As ``schema.json`` describes it: ``schema, ok, findings, table, diagram, matrices, equations,
        marked_equations, words, identification, failed``. What is there equals what the command line prints with
        ``--json``.

    Examples
    --------
    >>> answer = analyse("f =~ x1 + x2 + x3")
    >>> answer["ok"], answer["identification"]["verdict"], answer["matrices"][0]["matrices"][2]["symbol"]
    (True, 'identified', 'Z1(2)')
    >>> [f["slug"] for f in analyse("f =- x1")["findings"]]
    ['unknown-operator']
    """
    source = text if isinstance(text, Source) else Source(text.replace("\r\n", "\n"))
    return _Analysis(source).answer(data, drawn)


_last: tuple[Source, Sheet | None, tuple[Model | None, Sequence[Diagnostic]]] | None = None
"""What was found on the last text: its diagram is asked for next."""


class _Analysis:
    """One analysis: the text, and what failed so far."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.failed: list[Json] = []

    def answer(self, data: Sheet | None, drawn: bool) -> Json:
        model, findings = self._found(data)
        views: Json = dict.fromkeys(VIEWS)
        if model is not None:
            m = model
            groups = range(len(m.parameter_table.groups))
            views["table"] = self._view("table", lambda: self._table(m))
            views["diagram"] = self._view("diagram", lambda: diagrams(m.parameter_table)) if drawn else None
            views["matrices"] = self._view("matrices", lambda: [_matrices(m, g) for g in groups])
            views["equations"] = self._view("equations", lambda: [m.group_matrices(g).equations() for g in groups])
            views["marked_equations"] = self._view("marked_equations", lambda: [_marked(m, g) for g in groups])
            views["words"] = self._view("words", lambda: self._words(m))
            views["identification"] = self._view("identification", lambda: _identification(m))
        ok = model is not None and not self.failed and not any(d.is_error for d in findings)
        return {
            "schema": SCHEMA,
            "ok": ok,
            "findings": [self._finding(d) for d in findings],
            **views,
            "failed": self.failed,
        }

    def drawing(self, data: Sheet | None) -> list[Json] | None:
        model, _ = self._found(data)
        return None if model is None else self._view("diagram", lambda: diagrams(model.parameter_table))

    def _found(self, data: Sheet | None) -> tuple[Model | None, Sequence[Diagnostic]]:
        """Return the model and all findings; those of the text before are still known."""
        global _last
        if _last is not None and _last[0] == self.source and _last[1] is data:
            return _last[2]
        try:
            found = analyse_text(self.source, facts=_facts(data), reader=_unread)
        except Exception as problem:
            self._failed("findings", problem)
            return None, ()
        answer = found.model, found.findings
        _last = self.source, data, answer
        return answer

    def _view(self, name: str, make: Callable[[], T]) -> T | None:
        """Return a view; None where the model has none, or making it fails."""
        try:
            return make()
        except SemlangError:  # cyclic paths, say: there are no matrices, and the findings say why
            return None
        except Exception as problem:
            self._failed(name, problem)
            return None

    def _failed(self, view: str, problem: Exception) -> None:
        LOG.exception("semlang: %s failed", view)
        self.failed.append({"view": view, "problem": f"{type(problem).__name__}: {problem}"})

    # ------------------------------------------------------------------ places

    def _spot(self, source: Source | None, span: Span | None) -> Json:
        """Return where a span lies in this very text; None where it lies in a file that the text includes."""
        file, here = in_file(source, span)
        own = file is not None and here is not None and file.text == self.source.text and file.name == self.source.name
        return {"from": here.start if own and here else None, "to": here.end if own and here else None}

    def _finding(self, d: Diagnostic) -> Json:
        edits = [{**self._spot(d.source, e.span), "text": e.text} for e in d.fix]
        return {
            **d.to_json(),
            **self._spot(d.source, d.span),
            "fix": edits if edits and all(e["from"] is not None for e in edits) else None,
        }

    # ------------------------------------------------------------------ views

    def _table(self, model: Model) -> Json:
        from semlang.model.listing import table_rows

        table = model.parameter_table
        rows = [
            {**shown, "parameter": row.parameter, **self._spot(table.source, row.span)}
            for shown, row in zip(table_rows(table), table.rows, strict=True)
        ]
        return {
            "rows": rows,
            "n_parameters": table.n_parameters,
            "groups": list(table.groups),
            "levels": list(table.levels),
            "columns": list(table.columns()),
            "data": table.data,
            "defined": [{"name": d.name, "text": d.text.strip()} for d in table.defined],
        }

    def _words(self, model: Model) -> list[Json]:
        """Return the sentences of `Model.explain`, those about a statement with its place."""
        from semlang.words.overview import overview

        sentences = overview(model.ast, model.parameter_table)
        places = [self._spot(model.ast.source, s.span) for s in model.ast.statements]
        nowhere = {"from": None, "to": None}
        spots = [nowhere, *places, *[nowhere] * (len(sentences) - 1 - len(places))]
        return [{"text": s, **spot} for s, spot in zip(sentences, spots, strict=True)]


def _facts(data: Sheet | None) -> Callable[[Model], Model] | None:
    """Return what gives a model the levels of a sheet."""
    if data is None:
        return None
    from semlang.data.sheet import SheetFacts

    return lambda model: (
        model
        if model.parameter_table.reshape
        else model.with_facts(SheetFacts(data, model.parameter_table.group_column))
    )


def _unread(path: Path) -> tuple[None, tuple[Diagnostic, ...]]:
    """Read no file: the page opens the data that a text names by itself."""
    return None, ()


def drawing(source: Source, data: Sheet | None = None) -> list[Json] | None:
    """Return the diagram alone, as `analyse` has it."""
    return _Analysis(source).drawing(data)


def diagrams(table: ParameterTable, estimates: Mapping[int, float] | None = None) -> list[Json] | None:
    """Return the placed diagram of each group; None where the model is too large to be looked at.

    Parameters
    ----------
    table : ParameterTable
    estimates : mapping from row id to float, optional
        Shown in place of labels.
    """
    from semlang.diagram.layout import diagram

    if len(table.rows) > DRAWN * len(table.groups):
        return None
    return [diagram(table, estimates, "gllamm", g + 1).to_json() for g in range(len(table.groups))]


def _matrices(model: Model, group: int) -> Json:
    matrices = model.group_matrices(group)
    return {"heading": list(matrices.heading), "matrices": [_matrix(m) for m in matrices.all]}


def _marked(model: Model, group: int) -> str:
    r"""Return the equations with matrices written out, ``\htmlData{ids=ROW}{...}`` around what stands for a row."""
    from semlang.matrices.latex import latex

    return latex(model.group_matrices(group), lambda row, term: rf"\htmlData{{ids={row.id}}}{{{term}}}")


def _matrix(matrix: Matrix) -> Json:
    """Return a matrix as ``semlang matrices --json`` does, and the ids of the table's rows behind each cell."""
    ids = [
        [[a.row.id for a in matrix.cells.get((i, j), ()) if a.row is not None] for j in range(len(matrix.columns))]
        for i in range(len(matrix.rows))
    ]
    return {**matrix.to_json(), "ids": ids}


def _identification(model: Model) -> Json:
    """Return the report as ``semlang identify --json`` does, as text, and the table's rows of each set."""
    found: Identification = model.identify(simulate=False)
    rows = model.parameter_table.rows
    ids: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        ids.setdefault((row.lhs, row.op, row.rhs), []).append(row.id)
    return {
        **found.to_json(),
        "text": str(found),
        "set_ids": [[i for triple in s for i in ids.get(triple, ())] for s in found.sets],
    }
