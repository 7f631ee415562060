"""Expand the braces of a range: ``i{1..5}``, ``item{01..12}``, ``{math,verbal}_{1..3}``."""

from __future__ import annotations

import itertools
import re

from semlang.syntax.cover import Node
from semlang.syntax.reading import Reading, Rejected

MAX_NAMES = 10_000

_PARTS = re.compile(r"\{([^{}]*)\}|([^{}]+)")
_STEPS = re.compile(r"\s*([0-9]+)\s*\.\.\s*([0-9]+)\s*(?:\.\.\s*([0-9]+)\s*)?")
_LETTERS = re.compile(r"\s*([a-zA-Z])\s*\.\.\s*([a-zA-Z])\s*")
_NAME = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*")


def between(first: str, last: str, least: int = 2) -> str | None:
    """Return the range from one name to another as it is written here, None where these are no ends of one.

    Parameters
    ----------
    first, last : str
    least : int
        Names that it has to have.

    Examples
    --------
    >>> between("item01", "item12"), between("x1", "y5"), between("x3", "x3")
    ('item{01..12}', None, None)
    """
    ends = [re.fullmatch(r"([^\W\d][\w.]*?)(\d+)", name) for name in (first, last)]
    if ends[0] is None or ends[1] is None or ends[0][1] != ends[1][1] or int(ends[0][2]) + least > int(ends[1][2]) + 1:
        return None
    return f"{ends[0][1]}{{{ends[0][2]}..{ends[1][2]}}}"


def expand(reading: Reading, node: Node) -> list[str]:
    """Return the names that a RANGE token stands for; as in a shell, the last brace runs fastest."""
    choices: list[list[str]] = []
    total = 1
    for inside, outside in _PARTS.findall(node.text):
        choices.append([outside] if outside else _choices(reading, node, inside))
        total *= len(choices[-1])
        if total > MAX_NAMES:
            raise too_many(reading, node)
    reading.spend(total, node.span)
    names = ["".join(parts) for parts in itertools.product(*choices)]
    for name in names:
        if not _NAME.fullmatch(name):
            raise _malformed(reading, node, f"'{node.text}' would give '{name}', which is no name")
        reading.check_name(name, node.span)
    if len(set(names)) < len(names):
        raise _malformed(reading, node, f"'{node.text}' gives the same name twice")
    return names


def _choices(reading: Reading, node: Node, inside: str) -> list[str]:
    steps, letters = _STEPS.fullmatch(inside), _LETTERS.fullmatch(inside)
    if steps:
        low, high, by = steps.groups()
        if max(len(low), len(high), len(by or "")) > 9:
            raise too_many(reading, node)
        width = max(len(low), len(high)) if (low[0] == "0" and len(low) > 1) or (high[0] == "0" < high) else 0
        first, last, step = int(low), int(high), int(by or 1)
        if step == 0:
            raise _malformed(reading, node, f"the step in '{{{inside}}}' is 0")
        if abs(last - first) // step >= MAX_NAMES:
            raise too_many(reading, node)
        run = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
        return [str(i).zfill(width) for i in run]
    if letters:
        a, b = map(ord, letters.groups())
        return [chr(i) for i in (range(a, b + 1) if a <= b else range(a, b - 1, -1))]
    parts = [part.strip() for part in inside.split(",")]
    if len(parts) == 1 and ".." not in inside:
        raise _malformed(reading, node, f"'{{{inside}}}' holds a single element")
    if ".." in inside:
        raise _malformed(reading, node, f"'{{{inside}}}' does not run from one number to another")
    for part in parts:
        if not re.fullmatch(r"[\w.]+", part):
            what = f"'{part}' is no part of a name" if part else "an element is empty"
            raise _malformed(reading, node, f"{what} in '{{{inside}}}'")
    return parts


def _malformed(reading: Reading, node: Node, message: str) -> Rejected:
    return reading.reject(
        "malformed-range",
        message,
        node.span,
        label="a range",
        help="ranges are written i{1..5}, item{01..12} or {math,verbal}_{1..3}",
    )


def too_many(reading: Reading, node: Node) -> Rejected:
    """Return the finding for a range with more names than a model may hold."""
    return reading.reject(
        "too-many-names",
        f"the range gives more than {MAX_NAMES:,} names",
        node.span,
        label="too long",
        help="are both ends meant?",
    )
