"""Answer the page's questions: a question and its answer are plain data, whoever carries them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from semlang.data.sheet import Sheet, read_sheet
from semlang.diagnostics import Diagnostic
from semlang.errors import SemlangError
from semlang.page.analyse import analyse, drawing
from semlang.page.compared import compared
from semlang.page.exercise import checked
from semlang.page.implied import implied
from semlang.page.moved import moved
from semlang.source import Source

Json = dict[str, Any]
Fitter = Callable[[Source, Sheet, str], Json]
"""Fits a text to a data set (as columns, and as written): ``findings``, ``fit``, ``diagram``."""

KEPT = 8
"""So many data sets are kept; the oldest goes first."""


class Answering:
    """What stays between the questions of a page: its data sets.

    Parameters
    ----------
    fitter : callable
    name : str
        Name of the text; what it includes is looked for beside it.
    """

    def __init__(self, fitter: Fitter, name: str = "<text>") -> None:
        self.fitter = fitter
        self.name = name
        self.sheets: dict[str, tuple[Sheet, str]] = {}

    def answer(self, question: Json) -> Json:
        """Answer a question.

        Parameters
        ----------
        question : dict
            ``what`` is ``analyse``, ``draw`` or ``picture`` (with ``text`` and perhaps ``data``, a key; ``analyse``
            with ``drawn`` false leaves the diagram to ``draw``), ``data`` (with ``name`` and ``csv``), ``fit`` (with
            ``text`` and ``data``), ``implied`` (with ``text``, ``values`` and perhaps ``data``), ``move`` (with
            ``text``, ``key``, ``x`` and ``y``), ``check`` (with ``text`` and a ``task`` of a lesson) or ``compare``
            (with two texts, ``a`` and ``b``).

        Raises
        ------
        ValueError
            Where it is none of these, or its data are not known (any more).
        """
        try:
            match question:
                case {"what": "analyse", "text": str(text)}:
                    sheet, _ = self._known(question.get("data"))
                    return analyse(self._source(text), sheet, drawn=question.get("drawn") is not False)
                case {"what": "draw" | "picture", "text": str(text)}:
                    sheet, _ = self._known(question.get("data"))
                    return {"diagram": drawing(self._source(text), sheet)}
                case {"what": "implied", "text": str(text), "values": dict(values)}:
                    return self._implied(self._source(text), self._known(question.get("data"))[0], values)
                case {
                    "what": "move",
                    "text": str(text),
                    "key": str(key),
                    "x": int() | float() as x,
                    "y": int() | float() as y,
                }:
                    return moved(self._source(text), key, x, y)
                case {"what": "check", "text": str(text), "task": {"kind": "draw" | "identify" | "equivalent"} as task}:
                    return checked(task, self._source(text).text)
                case {"what": "compare", "a": str(a), "b": str(b)}:
                    return compared(self._source(a), self._source(b))
                case {"what": "data", "name": str(name), "csv": str(csv)}:
                    return self._read(name, csv)
                case {"what": "fit", "text": str(text), "data": str(key)}:
                    return self._fit(self._source(text), *self._known(key))
        except UnicodeEncodeError:  # half of a surrogate pair
            raise ValueError("the text is not Unicode") from None
        raise ValueError("there is no such question")

    def _source(self, text: str) -> Source:
        text.encode()
        return Source(text.replace("\r\n", "\n"), self.name)

    def _known(self, key: object) -> tuple[Sheet | None, str]:
        if key is None:
            return None, ""
        if not isinstance(key, str) or key not in self.sheets:
            raise ValueError("these data are not known any more: open them again")
        return self.sheets[key]

    def _read(self, name: str, csv: str) -> Json:
        try:
            sheet = read_sheet(name, csv)
        except SemlangError as problem:
            return {"key": None, "name": name, "columns": [], "n_rows": 0, "findings": shown(problem.diagnostics)}
        key = hashlib.sha256(f"{name}\n{csv}".encode()).hexdigest()
        self.sheets.pop(key, None)
        self.sheets[key] = sheet, csv
        for old in list(self.sheets)[:-KEPT]:
            del self.sheets[old]
        return {"key": key, "name": name, "columns": list(sheet.columns), "n_rows": sheet.n_rows, "findings": []}

    def _implied(self, source: Source, sheet: Sheet | None, values: Json) -> Json:
        try:
            return implied(source, sheet, values)
        except SemlangError as problem:
            why = problem.diagnostics[0].message
            return {"parameters": [], "moments": None, "items": [], "grid": [], "why": why}

    def _fit(self, source: Source, sheet: Sheet | None, csv: str) -> Json:
        if sheet is None:
            raise ValueError("a fit needs data")
        try:
            return self.fitter(source, sheet, csv)
        except SemlangError as problem:
            return {"findings": shown(problem.diagnostics), "fit": None, "diagram": None}


def shown(findings: Sequence[Diagnostic]) -> list[Json]:
    """Return findings as plain data."""
    return [d.to_json() for d in findings]


_here: Answering | None = None


def answer(question: str) -> str:
    """Answer a question in JSON, in a browser's Python: fits are computed by numpy alone."""
    global _here
    if _here is None:
        from semlang.page.fitting import fit_here

        _here = Answering(fit_here)
    return json.dumps(_here.answer(json.loads(question)), allow_nan=False)
