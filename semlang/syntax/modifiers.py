"""Read what stands before ``*`` and ``?``: lavaan's modifiers, chained, per group, and ``prior()``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from semlang.syntax.arithmetic import Value, Vector, concatenate, evaluate
from semlang.syntax.ast import Modifier
from semlang.syntax.cover import Node, text_of
from semlang.syntax.reading import Reading

_NUMBERS = frozenset({"start", "lower", "upper", "fixed"})
_TEXTS = frozenset({"equal", "label", "rv", "efa", "prior"})
_SINGLE = frozenset({"rv", "efa", "prior"})
_SLOT = {"free": "fixed", "equal": "label"}


def read_modifiers(reading: Reading, written: Sequence[tuple[Node, bool]]) -> tuple[Modifier, ...]:
    """Return the modifiers of a term in order; of two of one kind the last holds, as in lavaan.

    Parameters
    ----------
    written : sequence of (Node, bool)
        What stands before each ``*`` (False) or ``?`` (True).
    """
    kept: dict[str, tuple[Modifier, Node]] = {}
    for node, is_start in written:
        modifier = read_modifier(reading, node, is_start)
        slot = _SLOT.get(modifier.kind, modifier.kind)
        if slot in kept:
            old = text_of(kept.pop(slot)[1])
            reading.warn(
                "overwritten-modifier",
                f"'{text_of(node)}' replaces '{old}': a term has one modifier of a kind",
                modifier.span,
                label=f"replaces '{old}'",
                help=f"delete one of them; a product of numbers is written ({old}*{text_of(node)})*x"
                if modifier.kind == "fixed"
                else "delete one of them",
            )
        kept[slot] = (modifier, node)
    return tuple(modifier for modifier, _ in kept.values())


def read_modifier(reading: Reading, node: Node, is_start: bool) -> Modifier:
    """Return one modifier or reject it."""
    function = node.children[0].text if node.kind == "call" else ""
    if is_start:
        return _typed(reading, node, "start", evaluate(reading, node))
    if function in _NUMBERS or function in _TEXTS:
        return _typed(reading, node, function, concatenate(reading, node))
    return _plain(reading, node, evaluate(reading, node))


def _typed(reading: Reading, node: Node, kind: str, vector: Vector) -> Modifier:
    """Return a modifier whose function says what its values are."""
    for value in vector.values:
        if kind in _NUMBERS and isinstance(value, str):
            raise reading.reject(
                "modifier-not-a-number",
                f"the {_NAMES.get(kind, kind)} '{value}' is no number",
                node.span,
                label="a number is needed",
                help=f"write '0.5?x' or '{kind}(0.5)*x'" if kind == "start" else f"write '{kind}(0.5)*x'",
            )
        if kind in _TEXTS and not isinstance(value, str):
            raise reading.reject(
                "modifier-not-a-name",
                f"'{text_of(node)}' needs a name",
                node.span,
                label="a name is needed",
                help=f'write {kind}("name")*x',
            )
    if kind in _SINGLE and len(vector.values) > 1:
        raise reading.reject(
            "modifier-with-groups",
            f"'{kind}()' takes one name for all groups",
            node.span,
            label="more than one",
            help=f'write {kind}("name")*x',
        )
    if kind == "fixed":
        return _plain(reading, node, vector)
    if kind == "prior":
        reading.note(
            "prior-ignored",
            "maximum likelihood does not use the prior",
            node.span,
            label="kept, and ignored",
        )
    return Modifier(kind, vector.values, node.span, vector.names)


_NAMES = {"start": "starting value", "lower": "lower bound", "upper": "upper bound", "fixed": "fixed value"}


def _plain(reading: Reading, node: Node, vector: Vector) -> Modifier:
    """Return a modifier whose values say what it does: numbers fix, ``NA`` frees, names label."""
    several = len(vector.values) > 1
    for value in vector.values:
        if (value == "" and not several) or (isinstance(value, float) and math.isinf(value)):
            raise reading.reject(
                "empty-label" if value == "" else "undefined-number",
                "a label has no letters" if value == "" else "a parameter can not be fixed at infinity",
                node.span,
                label="empty" if value == "" else "not finite",
                help="write a*x to label, 1*x to fix, or nothing",
            )
    kinds = tuple(_kind(value) for value in vector.values)
    distinct = set(kinds)
    main = next(k for k in ("label", "fixed", "free", "none") if k in distinct)
    return Modifier(main, vector.values, node.span, vector.names, kinds if len(distinct) > 1 else None)


def _kind(value: Value) -> str:
    if value is None:
        return "free"
    if value == "":
        return "none"  # nothing is said of this group, as in lavaan
    return "label" if isinstance(value, str) else "fixed"
