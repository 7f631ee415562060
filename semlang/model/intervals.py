"""What an expression can be, whatever its names are: an interval around its values.

The interval may be too wide, never too narrow, so that a constraint outside of it holds nowhere.

References
----------
Moore, Kearfott and Cloud (2009), Introduction to Interval Analysis, chapter 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from semlang.syntax import ast
from semlang.syntax.functions import FUNCTIONS

__all__ = ["Interval", "apart", "interval"]

Ends = tuple[float, bool]


class Interval(NamedTuple):
    """Values from `low` to `high`; an end that is `open` is not one of them."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = True
    high_open: bool = True

    def shown(self) -> str:
        """Return the interval in words: ``above 0``, ``0 or more``, ``between -1 and 1``."""
        if self.low == -math.inf:
            return f"below {self.high:g}" if self.high_open else f"{self.high:g} or less"
        if self.high == math.inf:
            return f"above {self.low:g}" if self.low_open else f"{self.low:g} or more"
        return f"{self.low:g}" if self.low == self.high else f"between {self.low:g} and {self.high:g}"


ANYTHING = Interval()

_INCREASING = frozenset(
    ("sqrt", "exp", "expm1", "log", "log10", "log2", "log1p", "asin", "atan", "sinh", "tanh", "asinh", "acosh", "atanh",
     "pnorm", "plogis", "floor", "ceiling", "as.numeric")
)  # fmt: skip
_LIMITS: dict[str, Interval] = {
    "sqrt": Interval(0.0, math.inf, False), "exp": Interval(0.0), "expm1": Interval(-1.0),
    "abs": Interval(0.0, math.inf, False), "sign": Interval(-1.0, 1.0, False, False),
    "sin": Interval(-1.0, 1.0, False, False), "cos": Interval(-1.0, 1.0, False, False),
    "asin": Interval(-math.pi / 2, math.pi / 2, False, False), "acos": Interval(0.0, math.pi, False, False),
    "atan": Interval(-math.pi / 2, math.pi / 2), "cosh": Interval(1.0, math.inf, False), "tanh": Interval(-1.0, 1.0),
    "acosh": Interval(0.0, math.inf, False), "pnorm": Interval(0.0, 1.0), "plogis": Interval(0.0, 1.0),
}  # fmt: skip
"""Values that a function has at all; others have any."""


def interval(e: ast.Expression, known: Mapping[str, Interval]) -> Interval:
    """Return an interval that holds all values of an expression.

    Parameters
    ----------
    e : Expression
    known : mapping from a name to Interval
        What is known of names; of others, nothing.

    Examples
    --------
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> def of(text, **known):
    ...     return interval(parse(Source("q := " + text))[0].statements[0].expression, known).shown()
    >>> of("exp(a)"), of("a^2 + 1"), of("1/(1 + exp(0 - a))"), of("2*a", a=Interval(0.0, 1.0))
    ('above 0', '1 or more', 'between 0 and 1', 'between 0 and 2')
    """
    match e:
        case ast.Number():
            return Interval(e.value, e.value, False, False)
        case ast.Name(text="pi"):
            return Interval(math.pi, math.pi, False, False)
        case ast.Name():
            return known.get(e.text, ANYTHING)
        case ast.Unary():
            inner = interval(e.operand, known)
            return _minus(inner) if e.op == "-" else inner
        case ast.Binary():
            a, b = interval(e.left, known), interval(e.right, known)
            match e.op:
                case "+":
                    return _sum(a, b)
                case "-":
                    return _sum(a, _minus(b))
                case "*":
                    return _square(a) if _same(e.left, e.right) else _product(a, b)
                case "/":
                    return _product(a, _inverse(b))
            return _power(a, b)
        case ast.Call(function=name) if name in FUNCTIONS:
            return _call(name, [interval(x, known) for x in e.arguments])
    return ANYTHING


def apart(a: Interval, op: str, b: Interval) -> bool:
    """Return whether ``a op b`` holds for no values; ``<`` and ``<=`` are one, as in a fit."""
    if op in (">", ">="):
        a, b = b, a
    above = a.low > b.high or (a.low == b.high and (a.low_open or b.high_open))
    below = b.low > a.high or (b.low == a.high and (b.low_open or a.high_open))
    return above or (op == "==" and below)


def _same(a: ast.Expression, b: ast.Expression) -> bool:
    return isinstance(a, ast.Name) and isinstance(b, ast.Name) and a.text == b.text


def _minus(a: Interval) -> Interval:
    return Interval(0.0 - a.high, 0.0 - a.low, a.high_open, a.low_open)


def _sum(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high, a.low_open or b.low_open, a.high_open or b.high_open)


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0.0 or y == 0.0 else x * y


def _product(a: Interval, b: Interval) -> Interval:
    corners: list[Ends] = []
    for x, x_open in ((a.low, a.low_open), (a.high, a.high_open)):
        for y, y_open in ((b.low, b.low_open), (b.high, b.high_open)):
            zero = (x == 0.0 and not x_open) or (y == 0.0 and not y_open)
            corners.append((_times(x, y), (x_open or y_open) and not zero))
    low, high = min(corners)[0], max(corners)[0]
    return Interval(low, high, all(o for v, o in corners if v == low), all(o for v, o in corners if v == high))


def _square(a: Interval) -> Interval:
    if a.low >= 0.0 or a.high <= 0.0:
        return _product(a, a)
    top = max(-a.low, a.high)
    return Interval(0.0, _times(top, top), False, a.high_open if top == a.high else a.low_open)


def _inverse(a: Interval) -> Interval:
    if a.low == a.high == 0.0:
        return ANYTHING
    if a.low >= 0.0:  # at 0 there is no value
        return Interval(0.0 if a.high == math.inf else 1.0 / a.high, 1.0 / a.low if a.low else math.inf, a.high_open,
                        a.low_open)  # fmt: skip
    return _minus(_inverse(_minus(a))) if a.high <= 0.0 else ANYTHING


def _power(a: Interval, b: Interval) -> Interval:
    if b.low != b.high:
        return Interval(0.0, math.inf, a.low > 0.0 or a.low_open) if a.low >= 0.0 else ANYTHING
    n = b.low
    if n < 0.0:
        return _inverse(_power(a, Interval(-n, -n, False, False)))
    if n == 0.0:
        return Interval(1.0, 1.0, False, False)
    if n == math.floor(n) and n % 2 == 0:
        size = _square(a)
        return _increasing(lambda x: x ** (n / 2), size)
    if n == math.floor(n):
        return _increasing(lambda x: x**n, a)
    if a.high < 0.0:
        return ANYTHING
    return _increasing(lambda x: x**n, Interval(max(a.low, 0.0), a.high, a.low_open and a.low >= 0.0, a.high_open))


def _increasing(f: Callable[[float], float], a: Interval) -> Interval:
    def at(x: float, limit: float) -> float:
        if math.isinf(x):
            return limit
        try:
            return f(x)
        except (ArithmeticError, ValueError):
            return limit

    return Interval(at(a.low, -math.inf), at(a.high, math.inf), a.low_open, a.high_open)


def _call(name: str, values: list[Interval]) -> Interval:
    limits = _LIMITS.get(name, ANYTHING)
    if name in ("min", "max"):
        choose = min if name == "min" else max
        low, high = choose(v.low for v in values), choose(v.high for v in values)
        return Interval(low, high, all(v.low_open for v in values if v.low == low),
                        all(v.high_open for v in values if v.high == high))  # fmt: skip
    if name not in _INCREASING or len(values) != 1:
        return limits
    found = _increasing(FUNCTIONS[name].value, values[0])
    lower = limits if found.low <= limits.low else found
    upper = limits if found.high >= limits.high else found
    return Interval(lower.low, upper.high, lower.low_open, upper.high_open)
