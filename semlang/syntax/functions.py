"""Functions of parameters in definitions and constraints: the one table of names, arguments, values and derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["FUNCTIONS", "MathFunction"]


class MathFunction(NamedTuple):
    """A function of numbers.

    `least` and `most` are how many arguments it takes; `slopes` returns the derivative by each argument. Both raise
    ValueError, ZeroDivisionError or OverflowError outside the domain.
    """

    value: Callable[..., float]
    slopes: Callable[..., tuple[float, ...]]
    least: int = 1
    most: int = 1

    @property
    def arguments(self) -> str:
        """How many arguments the function takes, in words."""
        if self.most > self.least:
            return f"{self.least} or more arguments" if self.most > 2 else f"{self.least} or {self.most} arguments"
        return "one argument"


def _one(value: Callable[[float], float], slope: Callable[[float], float]) -> MathFunction:
    return MathFunction(value, lambda x: (slope(x),))


def _chosen(choose: Callable[..., float]) -> MathFunction:
    def slopes(*values: float) -> tuple[float, ...]:
        at = values.index(choose(values))
        return tuple(float(k == at) for k in range(len(values)))

    return MathFunction(lambda *values: choose(values), slopes, 1, 1000)


def _log(x: float, base: float = math.e) -> float:
    return math.log(x) / math.log(base)


def _log_slopes(x: float, *base: float) -> tuple[float, ...]:
    if not base:
        return (1.0 / x,)
    b = math.log(base[0])
    return 1.0 / (x * b), -math.log(x) / (b * b * base[0])


def _round(x: float, digits: float = 0.0) -> float:
    return round(x, int(digits))


def _flat(*values: float) -> tuple[float, ...]:
    return tuple(0.0 for _ in values)


def _sign(x: float) -> float:
    return math.copysign(1.0, x) if x else 0.0


FUNCTIONS: dict[str, MathFunction] = {
    "sqrt": _one(math.sqrt, lambda x: 0.5 / math.sqrt(x)),
    "exp": _one(math.exp, math.exp),
    "expm1": _one(math.expm1, math.exp),
    "log": MathFunction(_log, _log_slopes, 1, 2),
    "log10": _one(math.log10, lambda x: 1.0 / (x * math.log(10.0))),
    "log2": _one(math.log2, lambda x: 1.0 / (x * math.log(2.0))),
    "log1p": _one(math.log1p, lambda x: 1.0 / (1.0 + x)),
    "abs": _one(abs, _sign),
    "sign": MathFunction(_sign, _flat),
    "min": _chosen(min),
    "max": _chosen(max),
    "round": MathFunction(_round, _flat, 1, 2),
    "floor": MathFunction(lambda x: float(math.floor(x)), _flat),
    "ceiling": MathFunction(lambda x: float(math.ceil(x)), _flat),
    "sin": _one(math.sin, math.cos),
    "cos": _one(math.cos, lambda x: -math.sin(x)),
    "tan": _one(math.tan, lambda x: 1.0 + math.tan(x) ** 2),
    "asin": _one(math.asin, lambda x: 1.0 / math.sqrt(1.0 - x * x)),
    "acos": _one(math.acos, lambda x: -1.0 / math.sqrt(1.0 - x * x)),
    "atan": _one(math.atan, lambda x: 1.0 / (1.0 + x * x)),
    "sinh": _one(math.sinh, math.cosh),
    "cosh": _one(math.cosh, math.sinh),
    "tanh": _one(math.tanh, lambda x: 1.0 - math.tanh(x) ** 2),
    "asinh": _one(math.asinh, lambda x: 1.0 / math.sqrt(1.0 + x * x)),
    "acosh": _one(math.acosh, lambda x: 1.0 / math.sqrt(x * x - 1.0)),
    "atanh": _one(math.atanh, lambda x: 1.0 / (1.0 - x * x)),
    "pnorm": _one(
        lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)),
        lambda x: math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi),
    ),
    "plogis": _one(lambda x: 0.5 * (1.0 + math.tanh(0.5 * x)), lambda x: 0.25 / math.cosh(0.5 * x) ** 2),
    "as.numeric": _one(float, lambda _: 1.0),
}
"""R's names, as lavaan takes them."""
