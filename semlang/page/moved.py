"""The edit that a dragged node makes in the text: its place as a hint for the drawing."""

from __future__ import annotations

from typing import Any

from semlang.api import Model
from semlang.diagnostics import in_file
from semlang.diagram.draw import spelt
from semlang.source import Source, Span
from semlang.syntax import ast


def moved(source: Source, key: str, x: float, y: float) -> dict[str, Any]:
    """Return the edits that put a node of the diagram somewhere.

    An ``at(name, x, y)`` of the node is written anew; else it joins the last ``layout:`` line, or is one at the end.

    Parameters
    ----------
    source : Source
        The text.
    key : str
        The node's key in the diagram.
    x, y : float
        Its centre in points from the upper left corner.

    Returns
    -------
    dict
        ``edits``, each with ``from``, ``to`` and ``text``.

    Examples
    --------
    >>> moved(Source("f =~ x1 + x2 + x3"), "f", 100, 40.2)
    {'edits': [{'from': 17, 'to': 17, 'text': '\\nlayout: at(f, 100, 40)\\n'}]}
    >>> moved(Source("f =~ x1 + x2\\nlayout: at(f, 1, 2)"), "f", 100, 40)
    {'edits': [{'from': 21, 'to': 32, 'text': 'at(f, 100, 40)'}]}
    """
    place = f"at({spelt(key)}, {x:.0f}, {y:.0f})"
    model = Model(source).ast
    hints: list[tuple[ast.Hint, Span]] = []
    for s in model.statements:
        for hint in s.hints if isinstance(s, ast.Directive) else ():
            file, span = in_file(model.source, hint.span)
            if file is not None and span is not None and (file.name, file.text) == (source.name, source.text):
                hints.append((hint, span))
    same = [span for hint, span in hints if hint.key == "at" and key.removeprefix("covariate ") in _names(hint)]
    if same:
        return {"edits": [{"from": same[-1].start, "to": same[-1].end, "text": place}]}
    if hints:
        _, last = hints[-1]
        return {"edits": [{"from": last.end, "to": last.end, "text": f", {place}"}]}
    end = len(source.text)
    before = "\n" if source.text and not source.text.endswith("\n") else ""
    return {"edits": [{"from": end, "to": end, "text": f"{before}layout: {place}\n"}]}


def _names(hint: ast.Hint) -> set[str]:
    """Return the names by which a hint may mean a node."""
    v = hint.names[0][0]
    return {v.name, f"{v.name}[{v.level}]"} if v.level else {v.name}
