"""Evaluate the constants before ``*``: a closed list of functions, computed here and never run as code.

Values are vectors as in R, one element per group: numbers, labels, or None for ``NA``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semlang.syntax.cover import Node, text_of
from semlang.syntax.nearest import nearest
from semlang.syntax.reading import Reading, Rejected

MAX_LENGTH = 10_000
MAX_LABEL = 1_000

Value = float | str | None

TRANSFORMS = frozenset(("factor", "as.factor", "I", "log", "poly", "scale", "ns", "bs"))
"""Functions of columns, in R's formulas or here."""

_CONSTANTS: dict[str, float | None] = {"pi": math.pi, "NA": None, "Inf": math.inf}
_NUMERIC: dict[str, Callable[[float], float]] = {"sqrt": math.sqrt, "exp": math.exp, "log": math.log, "abs": abs}
MODIFIERS = ("start", "equal", "label", "fixed", "lower", "upper", "rv", "efa", "prior", "c")
FUNCTIONS = ("sqrt", "exp", "log", "abs", "rep", "c", "as.numeric", "paste0")


@dataclass(frozen=True, slots=True)
class Vector:
    """Values and, where they were written ``c(A=1, B=2)``, their names."""

    values: tuple[Value, ...]
    names: tuple[str, ...] | None = None


def evaluate(reading: Reading, node: Node) -> Vector:
    """Return the value of a constant expression; reject what is none."""
    kind = node.kind
    if kind == "NUMBER":
        return Vector((number(reading, node),))
    if kind in ("STRING", "QUOTED"):
        return Vector((node.name,))
    if kind == "NAME":
        if node.text in _CONSTANTS:
            return Vector((_CONSTANTS[node.text],))
        reading.check_name(node.text, node.span)
        return Vector((node.text,))
    if kind == "paren":
        return evaluate(reading, node.children[1])
    if kind in ("unary", "exponent"):
        operand = evaluate(reading, node.children[1])
        return _combine(reading, node, "*", Vector((-1.0,)), operand)
    if kind in ("sum", "product", "power"):
        return _chain(reading, node)
    if kind == "call":
        return _call(reading, node)
    raise reading.reject(
        "not-a-constant",
        f"'{text_of(node)}' is neither a number nor a label",
        node.span,
        label="not a constant",
        help="what stands before '*' is a number, NA, a label, or c(...) with one of them for each group",
    )


def number(reading: Reading, node: Node) -> float:
    """Return the value of a NUMBER token."""
    value = float(node.text)
    if math.isinf(value):
        raise _undefined(reading, node)
    return value


def _chain(reading: Reading, node: Node) -> Vector:
    """Fold ``a + b - c``, ``a * b / c`` or ``a ^ b`` from the left; stray plus signs are passed over."""
    reading.check_no_stray_plus(node)
    result: Vector | None = None
    operator = "+"
    for child in node.children:
        if child.kind in ("PLUS", "MINUS", "STAR", "SLASH", "HAT"):
            operator = child.text
        elif child.kind == "QUERY":
            raise reading.reject(
                "misplaced-operator",
                "'?' gives a starting value to a term, not to a part of a constant",
                child.span,
                label="not here",
                help="write '0.5?x'",
            )
        else:
            value = evaluate(reading, child)
            result = value if result is None else _combine(reading, node, operator, result, value)
    assert result is not None
    return result


def _combine(reading: Reading, node: Node, operator: str, left: Vector, right: Vector) -> Vector:
    size = max(len(left.values), len(right.values))
    if size % len(left.values) or size % len(right.values):
        raise reading.reject(
            "unequal-lengths",
            f"vectors of {len(left.values)} and {len(right.values)} values do not fit together",
            node.span,
            label="of different lengths",
            help="give both as many values as there are groups, or one a single value",
        )
    values = tuple(
        _apply(reading, node, operator, left.values[i % len(left.values)], right.values[i % len(right.values)])
        for i in range(size)
    )
    return Vector(values, left.names or right.names)


def _apply(reading: Reading, node: Node, operator: str, a: Value, b: Value) -> Value:
    for value in (a, b):
        if isinstance(value, str):
            raise reading.reject(
                "computing-with-label",
                f"'{text_of(node)}' computes with the label '{value}'",
                node.span,
                label="a label has no value here",
                help="define such parameters by ':=' or tie them with '=='",
            )
    if a is None or b is None:
        return None
    assert isinstance(a, float)
    assert isinstance(b, float)
    try:
        if operator == "+":
            result = a + b
        elif operator == "-":
            result = a - b
        elif operator == "*":
            result = a * b
        elif operator == "/":
            result = a / b
        else:
            power = a**b
            if isinstance(power, complex):
                raise ValueError
            result = power
    except (ArithmeticError, ValueError):
        raise _undefined(reading, node) from None
    if math.isnan(result) or (math.isinf(result) and not (math.isinf(a) or math.isinf(b))):
        raise _undefined(reading, node)
    return result


def _undefined(reading: Reading, node: Node) -> Rejected:
    return reading.reject(
        "undefined-number",
        f"'{text_of(node)}' has no finite value",
        node.span,
        label="no number",
        help="write the number",
    )


def arguments(reading: Reading, node: Node) -> list[tuple[Node | None, Node]]:
    """Return the arguments of a call: the node of the name or None, and the value."""
    found: list[tuple[Node | None, Node]] = []
    for child in node.children[2:-1]:
        if child.kind == "argument":
            parts = child.children
            found.append((parts[0], parts[2]) if len(parts) == 3 else (None, parts[0]))
    return found


def concatenate(reading: Reading, node: Node) -> Vector:
    """Return the arguments of ``c(...)`` and its like one after the other, with their names."""
    values: list[Value] = []
    names: list[str] = []
    for name, value in arguments(reading, node):
        vector = evaluate(reading, value)
        values += vector.values
        if name is not None:
            names += [name.name] * len(vector.values)
        elif vector.names:
            names += vector.names
        _check_length(reading, node, len(values))
    if not values:
        raise _bad_call(reading, node, "has no value in its brackets")
    if names and (len(names) != len(values) or len(set(names)) < len(names)):
        raise reading.reject(
            "partly-named",
            "a vector names each of its groups once, or none",
            node.span,
            label="some values have no group of their own",
            help='write c("Grant-White"=a, Pasteur=b), or c(a, b) in the order of the groups',
        )
    return Vector(tuple(values), tuple(names) or None)


def _check_length(reading: Reading, node: Node, length: int) -> None:
    if length > MAX_LENGTH:
        raise reading.reject("too-many-values", f"more than {MAX_LENGTH:,} values", node.span, label="too long")


def _call(reading: Reading, node: Node) -> Vector:
    function = node.children[0].text
    if function == "c":
        return concatenate(reading, node)
    given = arguments(reading, node)
    if function in _NUMERIC or function == "as.numeric":
        if len(given) != 1 or given[0][0] is not None:
            raise _bad_call(reading, node, "takes one argument")
        vector = evaluate(reading, given[0][1])
        return Vector(tuple(_number(reading, node, function, v) for v in vector.values), vector.names)
    if function == "rep":
        return _repeat(reading, node, given)
    if function == "paste0":
        return _paste(reading, node, [evaluate(reading, value) for _, value in given])
    if function in TRANSFORMS:
        raise reading.reject(
            "unknown-modifier",
            f"'{function}()' is no modifier: '*' joins a label or a number to a term",
            node.children[0].span,
            label="a column, not a label",
            help="R's a*b is 'a + b + a:b' here: write the terms and their product with ':'",
        )
    near = nearest(function, (*FUNCTIONS, *MODIFIERS))
    raise reading.reject(
        "unknown-modifier",
        f"'{function}()' is no modifier",
        node.children[0].span,
        label=f"do you mean '{near}'?" if near else "unknown before '*'",
        help=f"write '{near}(...)'" if near else f"the modifiers are {', '.join(MODIFIERS)}, numbers and labels",
    )


def _number(reading: Reading, node: Node, function: str, value: Value) -> Value:
    if value is None:
        return None
    try:
        result = float(value) if isinstance(value, str) and function == "as.numeric" else value
        if isinstance(result, str):
            return _apply(reading, node, "+", result, 0.0)
        result = _NUMERIC[function](result) if function in _NUMERIC else result
    except (ArithmeticError, ValueError):
        raise _undefined(reading, node) from None
    if not math.isfinite(result):
        raise _undefined(reading, node)
    return result


def _repeat(reading: Reading, node: Node, given: Sequence[tuple[Node | None, Node]]) -> Vector:
    """Return ``rep(x, times)``, ``rep(x, times=, each=)``."""
    values: tuple[Value, ...] | None = None
    counts = {"times": 1, "each": 1}
    for name, value in given:
        vector = evaluate(reading, value)
        key = name.name if name is not None else ("x" if values is None else "times")
        if key == "x" and values is None:
            values = vector.values
            continue
        count = vector.values[0]
        if key not in counts or len(vector.values) > 1 or not isinstance(count, float):
            raise _bad_call(reading, node, "reads rep(x, times) or rep(x, each=k)")
        if not 1 <= count <= MAX_LENGTH or count != int(count):
            raise _bad_call(reading, node, "repeats a whole number of times")
        counts[key] = int(count)
    if values is None:
        raise _bad_call(reading, node, "has nothing to repeat")
    _check_length(reading, node, len(values) * counts["each"] * counts["times"])
    return Vector(tuple(v for v in values for _ in range(counts["each"])) * counts["times"])


def _paste(reading: Reading, node: Node, vectors: Sequence[Vector]) -> Vector:
    if not vectors:
        raise _bad_call(reading, node, "has nothing to paste")
    size = max(len(v.values) for v in vectors)
    pasted: list[Value] = []
    for i in range(size):
        parts = [v.values[i % len(v.values)] for v in vectors]
        text = "".join("NA" if p is None else p if isinstance(p, str) else f"{p:.15g}" for p in parts)
        if len(text) > MAX_LABEL:
            raise _bad_call(reading, node, f"makes a label of more than {MAX_LABEL} characters")
        pasted.append(text)
    return Vector(tuple(pasted))


def _bad_call(reading: Reading, node: Node, message: str) -> Rejected:
    function = node.children[0]
    return reading.reject(
        "malformed-call",
        f"'{function.text}()' {message}",
        function.span,
        label="called like this",
        help=f"write what belongs into '{function.text}(...)', or delete it",
    )
