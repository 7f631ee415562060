"""Read hints for the drawing: ``layout: direction = right, rows = [g, f1 + f2], at(f1, 100, 40)``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from semlang.diagnostics import Edit
from semlang.source import Span
from semlang.syntax.arithmetic import arguments, evaluate
from semlang.syntax.ast import Hint, Variable
from semlang.syntax.cover import Node, first_token, text_of
from semlang.syntax.nearest import nearest
from semlang.syntax.reading import Reading, Rejected
from semlang.syntax.terms import addends
from semlang.syntax.variables import read_variables

DIRECTIONS = ("down", "right")
SIDES = ("above", "below", "left", "right")
LISTS = ("rows", "columns", "order")
HINTS = ("direction", *LISTS, *SIDES, "at")

_EXAMPLES = {
    "direction": "layout: direction = right",
    "rows": "layout: rows = [g, f1 + f2]",
    "columns": "layout: columns = [x1 + y1, x2 + y2]",
    "order": "layout: order = [f2, f1]",
    "at": "layout: at(f1, 100, 40)",
} | {side: f"layout: {side} = [m1, m2]" for side in SIDES}


def read_hints(reading: Reading, nodes: Sequence[Node]) -> tuple[Hint, ...]:
    """Return the hints of a ``layout:`` line.

    ``rows`` and ``columns`` are lists of what stands together, its names joined by ``+``; ``order`` and the sides are
    lists of names; ``at(name, x, y)`` is the place of a centre, in points from the upper left corner.
    """
    return tuple(_hint(reading, node) for node in nodes)


def _hint(reading: Reading, node: Node) -> Hint:
    value = node.children[-1]
    if len(node.children) == 1:
        if value.kind == "call" and value.children[0].text == "at":
            return _at(reading, node, value)
        raise _unknown(reading, text_of(value), first_token(node))
    word = node.children[0].name
    if word not in HINTS or word == "at":
        raise _unknown(reading, word, node.children[0].span)
    if word == "direction":
        if value.kind != "NAME" or value.text not in DIRECTIONS:
            near = nearest(text_of(value), DIRECTIONS)
            raise reading.reject(
                "malformed-layout-hint",
                f"'{text_of(value)}' is no direction",
                first_token(value),
                label=f"do you mean '{near}'?" if near else "down or right",
                help=f"write 'layout: direction = {near or 'right'}'",
                fix=[Edit(value.span, near)] if near else [],
            )
        return Hint(word, word=value.text, span=node.span)
    parts = [c for c in value.children[1:-1] if c.kind != "COMMA"] if value.kind == "list" else [value]
    return Hint(word, tuple(_together(reading, word, part) for part in parts), span=node.span)


def _together(reading: Reading, word: str, node: Node) -> tuple[Variable, ...]:
    found: list[Variable] = []
    for minus, part in addends(node):
        if minus is not None or part.kind not in ("NAME", "QUOTED", "STRING", "RANGE", "level"):
            raise _malformed(reading, word, part)
        names = [Variable(part.name, part.span)] if part.kind == "STRING" else read_variables(reading, part)
        found += names
    return tuple(found)


def _at(reading: Reading, node: Node, call: Node) -> Hint:
    given = arguments(reading, call)
    if len(given) != 3 or any(name is not None for name, _ in given):
        raise _malformed(reading, "at", call)
    names = _together(reading, "at", given[0][1])
    if len(names) != 1:
        raise _malformed(reading, "at", call)
    place: list[float] = []
    for _, part in given[1:]:
        values = evaluate(reading, part).values
        if len(values) != 1 or not isinstance(values[0], float) or not math.isfinite(values[0]):
            raise _malformed(reading, "at", part)
        place.append(values[0])
    return Hint("at", (names,), place=(place[0], place[1]), span=node.span)


def _malformed(reading: Reading, word: str, node: Node) -> Rejected:
    what = "takes a name and two numbers" if word == "at" else "takes names"
    return reading.reject(
        "malformed-layout-hint",
        f"'{word}' {what}, not '{text_of(node)}'",
        first_token(node),
        label="not this",
        help=f"write '{_EXAMPLES[word]}'",
    )


def _unknown(reading: Reading, word: str, spot: Span) -> Rejected:
    near = nearest(word, HINTS)
    return reading.reject(
        "unknown-layout-hint",
        f"no hint for the drawing is called '{word}'",
        spot,
        label=f"do you mean '{near}'?" if near else "unknown",
        help=f"write '{_EXAMPLES[near]}'" if near else f"hints are {', '.join(HINTS)}: '{_EXAMPLES['rows']}'",
    )
