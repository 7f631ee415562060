"""Values and gradients of expressions of parameters, straight from the syntax tree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import Defined
from semlang.syntax import ast
from semlang.syntax.functions import FUNCTIONS

__all__ = ["Dual", "evaluate", "evaluate_defined", "names_in"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dual:
    """A number and its gradient."""

    value: float
    gradient: Floats


def names_in(expression: ast.Expression) -> Iterator[str]:
    """Yield the names that an expression uses."""
    match expression:
        case ast.Name(text):
            yield text
        case ast.Unary(_, operand):
            yield from names_in(operand)
        case ast.Binary(_, left, right):
            yield from names_in(left)
            yield from names_in(right)
        case ast.Call(_, arguments):
            for a in arguments:
                yield from names_in(a)


def evaluate(expression: ast.Expression, names: Mapping[str, Dual], n: int) -> Dual:
    """Return the value and the gradient (n,) of an expression.

    A point outside the domain (log of a negative number) gives NaN.

    Raises
    ------
    KeyError
        If a name or a function is not known.
    """

    def power(a: Dual, b: Dual) -> Dual:
        value = a.value**b.value
        if isinstance(value, complex):
            return Dual(math.nan, np.full(n, math.nan))
        gradient = b.value * a.value ** (b.value - 1.0) * a.gradient if b.value else np.zeros(n)
        if b.gradient.any():
            gradient = gradient + value * math.log(a.value) * b.gradient
        return Dual(value, gradient)

    def walk(e: ast.Expression) -> Dual:
        match e:
            case ast.Number(value):
                return Dual(value, np.zeros(n))
            case ast.Name("pi") if "pi" not in names:
                return Dual(math.pi, np.zeros(n))
            case ast.Name(text):
                return names[text]
            case ast.Unary(op, operand):
                a = walk(operand)
                return Dual(-a.value, -a.gradient) if op == "-" else a
            case ast.Binary(op, left, right):
                a, b = walk(left), walk(right)
                match op:
                    case "+":
                        return Dual(a.value + b.value, a.gradient + b.gradient)
                    case "-":
                        return Dual(a.value - b.value, a.gradient - b.gradient)
                    case "*":
                        return Dual(a.value * b.value, a.gradient * b.value + a.value * b.gradient)
                    case "/":
                        v = a.value / b.value
                        return Dual(v, (a.gradient - v * b.gradient) / b.value)
                    case "^" | "**":
                        return power(a, b)
                raise KeyError(op)
            case ast.Call(function, arguments) if function in FUNCTIONS:
                at = [walk(x) for x in arguments]
                values = [x.value for x in at]
                gradient = np.zeros(n)
                if any(x.gradient.any() for x in at):
                    slopes = FUNCTIONS[function].slopes(*values)
                    for slope, x in zip(slopes, at, strict=True):
                        gradient = gradient + slope * x.gradient
                return Dual(float(FUNCTIONS[function].value(*values)), gradient)
        raise KeyError(getattr(e, "function", getattr(e, "text", "?")))

    try:
        return walk(expression)
    except (ValueError, ZeroDivisionError, OverflowError):
        return Dual(math.nan, np.full(n, math.nan))


def evaluate_defined(defined: Sequence[Defined], labels: Mapping[str, Dual], n: int) -> dict[str, Dual]:
    """Return values and gradients of defined parameters, which may use each other in any order."""
    known = dict(labels)
    waiting = list(defined)
    while waiting:
        ready = [d for d in waiting if all(name in known or name == "pi" for name in names_in(d.expression))]
        if not ready:
            raise KeyError(waiting[0].name)
        for d in ready:
            known[d.name] = evaluate(d.expression, known, n)
        waiting = [d for d in waiting if d not in ready]
    return {d.name: known[d.name] for d in defined}
