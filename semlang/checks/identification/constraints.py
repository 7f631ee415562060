"""Constraints between parameters over the field: points that obey them and their differentials."""

from __future__ import annotations

import hashlib

import numpy as np

from semlang.checks.identification.dual import Dual
from semlang.checks.identification.field import Ints, P, echelon, inverse, residue
from semlang.model.table import ParameterTable
from semlang.syntax import ast


class NotAlgebraic(ValueError):
    """A constraint that is no rational function of the parameters, or can't be solved for one of them."""


class Constraints:
    """The equality constraints of a table.

    Parameters
    ----------
    table : ParameterTable
    extra : sequence of (int, int)
        Pairs of parameters that are set equal besides.
    """

    def __init__(self, table: ParameterTable, extra: tuple[tuple[int, int], ...] = ()) -> None:
        self._labels: dict[str, int | float] = {}
        for row in table.rows:
            for name in (row.label, row.plabel):
                if name:
                    self._labels.setdefault(name, row.parameter if row.parameter >= 0 else float(row.ustart or 0.0))
                    if row.parameter < 0:
                        self._labels[name] = float(row.ustart or 0.0)
        self._defined = {d.name: d.expression for d in table.defined}
        self._relations = [(r.left, r.right) for r in table.relations if r.op == "=="]
        self._extra = extra
        self.inequalities = tuple(r.text for r in table.relations if r.op != "==")

    def __len__(self) -> int:
        return len(self._relations) + len(self._extra)

    def values(self, theta: Ints) -> list[Dual]:
        """Return left minus right of each constraint."""
        return [self._value(i, theta) for i in range(len(self))]

    def _value(self, i: int, theta: Ints) -> Dual:
        """Return left minus right of constraint i."""
        if i < len(self._relations):
            left, right = (self._evaluate(side, theta) for side in self._relations[i])
        else:
            left, right = (Dual.parameter(p, theta) for p in self._extra[i - len(self._relations)])
        return left + right.times(P - 1)

    def rows(self, theta: Ints) -> Ints:
        """Return the differentials of the constraints (number of constraints, P)."""
        return np.array([dual.slope for dual in self.values(theta)], dtype=np.int64).reshape(-1, theta.size)

    def solve(self, theta: Ints, fixed: frozenset[int] = frozenset()) -> Ints:
        """Return a point near `theta` in which few parameters are changed so that all constraints hold.

        Each constraint is solved for a parameter in which it is affine; Gaussian elimination over those that are
        linear, substitution for the others; one that is affine in none for a root where it is quadratic.

        Raises
        ------
        NotAlgebraic
            If no such order is found.
        """
        if not len(self):
            return theta
        theta = theta.copy()
        done: set[int] = set(fixed)
        for _ in range(len(self) + 2):
            i = next((i for i in range(len(self)) if self._value(i, theta).value), None)
            if i is None:
                return theta
            wrong = self._value(i, theta)
            for p in sorted(np.flatnonzero(wrong.slope).tolist(), key=lambda p: (p in done, p)):
                moved = theta.copy()
                moved[p] = (int(theta[p]) - wrong.value * inverse(int(wrong.slope[p]))) % P
                if all(self._value(j, moved).value == 0 for j in range(i, -1, -1)):
                    theta = moved
                    done.add(p)
                    break
            else:
                root = self._root(i, theta, done)
                if root is None:
                    return self._newton(theta, fixed)
                theta = root
        return self._newton(theta, fixed)

    def _root(self, i: int, theta: Ints, done: set[int]) -> Ints | None:
        """Solve constraint i for a parameter in which it is quadratic, where that has a root in the field.

        P is 3 modulo 4: a root of d is d^((P + 1) / 4), if there is one. Half of the numbers have none: then the other
        parameters of the constraint are moved. The parameter joins `done`.
        """
        free = [p for p in np.flatnonzero(self._value(i, theta).slope).tolist() if p not in done]
        for p, attempt in ((p, attempt) for attempt in range(1, 11) for p in free):
            moved = theta.copy()
            moved[free] = moved[free] * attempt % P
            values = []
            for k in range(4):
                moved[p] = k
                values.append(int(self._value(i, moved).value))
            v0, v1, v2, v3 = values
            a = (v2 - 2 * v1 + v0) * inverse(2) % P
            if (v3 - 3 * v2 + 3 * v1 - v0) % P or not a:
                continue
            b = (v1 - v0 - a) % P
            d = (b * b - 4 * a * v0) % P
            root = pow(d, (P + 1) // 4, P)
            if root * root % P != d:
                continue
            for sign in (1, -1):
                moved[p] = (sign * root - b) * inverse(2 * a % P) % P
                if all(self._value(j, moved).value == 0 for j in range(i + 1)):
                    done.add(p)
                    return moved
        return None

    def _newton(self, theta: Ints, fixed: frozenset[int]) -> Ints:
        """Solve all constraints at once where they are linear."""
        rows = self.rows(theta)
        rows[:, sorted(fixed)] = 0
        right = np.array([[(P - d.value) % P] for d in self.values(theta)], dtype=np.int64)
        reduced, pivots = echelon(np.concatenate([rows, right], axis=1))
        n = theta.size
        if n in pivots:
            raise NotAlgebraic("the constraints contradict each other")
        step = [0] * n
        for r in range(len(pivots) - 1, -1, -1):
            c = pivots[r]
            rest = sum(int(reduced[r, j]) * step[j] for j in pivots[r + 1 :])
            step[c] = (int(reduced[r, n]) - rest) % P
        moved = (theta + np.array(step, dtype=np.int64)) % P
        if any(d.value for d in self.values(moved)):
            raise NotAlgebraic("the constraints can not be solved exactly for one parameter each")
        return moved

    def _evaluate(self, node: ast.Expression, theta: Ints) -> Dual:
        match node:
            case ast.Number(value=v):
                return Dual.constant(residue(v), theta.size)
            case ast.Name(text=name):
                if name in self._defined:
                    return self._evaluate(self._defined[name], theta)
                if name not in self._labels:
                    raise NotAlgebraic(f"'{name}' is no label")
                p = self._labels[name]
                return Dual.parameter(p, theta) if isinstance(p, int) else Dual.constant(residue(p), theta.size)
            case ast.Unary(op=op, operand=x):
                inner = self._evaluate(x, theta)
                return inner.times(P - 1) if op == "-" else inner
            case ast.Binary(op=op, left=a, right=b):
                return self._binary(op, self._evaluate(a, theta), self._evaluate(b, theta), b)
            case ast.Call(function=f, arguments=arguments):
                return _transcendental(f, [self._evaluate(x, theta) for x in arguments])
            case _:
                raise NotAlgebraic("a text in a constraint")

    def _binary(self, op: str, a: Dual, b: Dual, right: ast.Expression) -> Dual:
        match op:
            case "+":
                return a + b
            case "-":
                return a + b.times(P - 1)
            case "*":
                return a * b
            case "/":
                try:
                    return a * b.reciprocal()
                except ZeroDivisionError:
                    raise NotAlgebraic("a division by 0 in a constraint") from None
            case "^" if isinstance(right, ast.Number) and float(right.value) == int(right.value) >= 0:
                out = Dual.constant(1, a.slope.size)
                for _ in range(int(right.value)):
                    out = out * a
                return out
            case "^" if not a.slope.any() and not b.slope.any():
                raise NotAlgebraic("a power in a constraint")
            case _:
                raise NotAlgebraic(f"'{op}' in a constraint")


def _transcendental(function: str, arguments: list[Dual]) -> Dual:
    """Return exp, log, sqrt of an argument as new independent numbers that depend on it alone.

    The value is a number drawn from the argument's; the derivative is exact for exp and sqrt and log up to that value.
    """
    if len(arguments) != 1 or function not in ("exp", "log", "sqrt"):
        raise NotAlgebraic(f"'{function}' in a constraint")
    (a,) = arguments
    if function == "sqrt":
        root = pow(a.value, (P + 1) // 4, P)  # p = 3 modulo 4
        if root * root % P != a.value:
            raise NotAlgebraic("a square root in a constraint")
        return Dual(root, a.slope * (inverse(2 * root) if root else 0) % P)
    if function == "log" and a.value == 0:
        raise NotAlgebraic("a logarithm of 0 in a constraint")
    seed = hashlib.sha256(f"{function}:{a.value}".encode()).digest()
    value = int.from_bytes(seed[:8], "big") % P
    factor = value if function == "exp" else inverse(a.value)
    return Dual(value, a.slope * factor % P)


__all__ = ["Constraints", "NotAlgebraic"]
