"""Constraints: linear equalities by substitution; nonlinear ones and inequalities as functions with gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import Diagnostic, error
from semlang.errors import FitError
from semlang.estimation.expressions import Dual, evaluate, evaluate_defined, names_in
from semlang.model.table import ParameterTable, Relation

__all__ = ["Constraints", "Nonlinear", "labels_at"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Nonlinear:
    """g(theta) = 0 (`equality`) or g(theta) >= 0: value and gradient (P,); a `bound` is one of a single parameter."""

    equality: bool
    function: Callable[[Floats], tuple[float, Floats]]
    text: str
    bound: bool = False


def labels_at(table: ParameterTable, theta: Floats) -> dict[str, Dual]:
    """Return labels, plabels and defined parameters with their gradients in theta."""
    n = theta.size
    found: dict[str, Dual] = {}
    for row in table.rows:
        if row.parameter >= 0:
            unit = np.zeros(n)
            unit[row.parameter] = 1.0
            dual = Dual(float(theta[row.parameter]), unit)
        elif row.ustart is not None and row.op not in ("==", "<", ">", ":="):
            dual = Dual(float(row.ustart), np.zeros(n))
        else:
            continue
        for name in (row.label, row.plabel):
            if name:
                found.setdefault(name, dual)
    found.update(evaluate_defined(table.defined, found, n))
    return found


class Constraints:
    """The set of admissible parameters of a table.

    Linear equalities ``A theta = b`` are solved for as many parameters as they have rank (reduced row echelon form):
    ``theta = base + basis z`` with z the parameters that are left. The rest stays as functions.

    Parameters
    ----------
    table : ParameterTable

    Attributes
    ----------
    pinned : frozenset of int
        Parameters in constraints or with bounds.
    substituted : frozenset of int
        Those in linear equalities.

    Raises
    ------
    FitError
        If equalities contradict each other.
    """

    def __init__(self, table: ParameterTable) -> None:
        self.table = table
        self._last: tuple[bytes, dict[str, Dual]] | None = None
        n = table.n_parameters
        rng = np.random.default_rng(1)
        probes = rng.uniform(0.3, 1.7, (3, n))
        rows: list[Floats] = []
        sides: list[float] = []
        nonlinear: list[Nonlinear] = []
        touched: set[int] = set()
        substituted: set[int] = set()
        for relation in table.relations:
            function = self._function(relation)
            at = [function(p) for p in probes]
            same = 1e-12 * float(np.abs(at[0][1]).max(initial=0.0))  # but for rounding
            linear = all((np.abs(g - at[0][1]) <= same).all() for _, g in at)
            moved = np.flatnonzero(np.any([g != 0 for _, g in at], axis=0)).tolist()
            touched.update(moved)
            if relation.op == "==" and linear:
                substituted.update(moved)
                rows.append(at[0][1])
                sides.append(float(at[0][1] @ probes[0] - at[0][0]))
            else:
                nonlinear.append(Nonlinear(relation.op == "==", function, relation.text))
        lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
        for row in table.rows:
            if row.parameter >= 0:
                if row.lower is not None:
                    lower[row.parameter] = max(lower[row.parameter], row.lower)
                if row.upper is not None:
                    upper[row.parameter] = min(upper[row.parameter], row.upper)
        for p in np.flatnonzero(np.isfinite(lower) | np.isfinite(upper)):
            touched.add(int(p))
            nonlinear += _bounds(int(p), float(lower[p]), float(upper[p]), self._name(int(p)))
        self.nonlinear = tuple(nonlinear)
        self.pinned, self.substituted = frozenset(touched), frozenset(substituted)
        self.base, self.basis = self._solve(np.array(rows).reshape(-1, n), np.array(sides))

    @property
    def n_free(self) -> int:
        """Number of parameters after all equalities."""
        return int(self.basis.shape[1]) - sum(c.equality for c in self.nonlinear)

    def _function(self, relation: Relation) -> Callable[[Floats], tuple[float, Floats]]:
        sign = -1.0 if relation.op in ("<", "<=") else 1.0

        def function(theta: Floats) -> tuple[float, Floats]:
            names = self._labels_at(theta)
            left = evaluate(relation.left, names, theta.size)
            right = evaluate(relation.right, names, theta.size)
            return sign * (left.value - right.value), sign * (left.gradient - right.gradient)

        return function

    def _labels_at(self, theta: Floats) -> dict[str, Dual]:
        """Return the labels at a point; all constraints are asked for at the same points, one after the other."""
        key = theta.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, labels_at(self.table, theta)
        return self._last[1]

    def at_least(self, p: int, low: float) -> Nonlinear:
        """Return a bound of a parameter that is not the user's."""
        return _bounds(p, low, np.inf, self._name(p))[0]

    def _name(self, p: int) -> str:
        """Return a parameter's label, or its row as in the text."""
        row = next(r for r in self.table.rows if r.parameter == p)
        return row.label or f"{row.lhs} {row.op} {row.rhs}"

    def _solve(self, A: Floats, b: Floats) -> tuple[Floats, Floats]:
        n = self.table.n_parameters
        size = np.abs(A).max(axis=1, initial=0.0)
        M = np.column_stack([A, b]) / np.where(size > 0.0, size, 1.0)[:, None]
        largest = float(np.abs(M[:, n]).max(initial=0.0))
        pivots: list[int] = []
        for column in range(n - 1, -1, -1):
            r = len(pivots)
            if r == M.shape[0]:
                break
            best = r + int(np.abs(M[r:, column]).argmax())
            if abs(M[best, column]) < 1e-10:
                continue
            M[[r, best]] = M[[best, r]]
            M[r] /= M[r, column]
            others = np.arange(M.shape[0]) != r
            M[others] -= np.outer(M[others, column], M[r])
            pivots.append(column)
        r = len(pivots)
        if np.abs(M[r:, n]).max(initial=0.0) > 1e-9 * largest:
            raise FitError([self._contradiction()])
        free = [p for p in range(n) if p not in pivots]
        base = np.zeros(n)
        basis = np.zeros((n, len(free)))
        basis[free, np.arange(len(free))] = 1.0
        for k, p in enumerate(pivots):
            base[p] = M[k, n]
            basis[p] = -M[k, free]
        return base, basis

    def _contradiction(self) -> Diagnostic:
        span = next((r.span for r in self.table.relations if r.op == "=="), None)
        return error(
            "contradictory-constraints", "the equality constraints contradict each other", self.table.source, span
        )

    def names(self) -> set[str]:
        """Names that the relations use."""
        return {name for r in self.table.relations for side in (r.left, r.right) for name in names_in(side)}


def _bounds(p: int, low: float, high: float, name: str) -> list[Nonlinear]:
    """Return the bounds of a parameter as inequalities."""

    def side(sign: float, bound: float) -> Callable[[Floats], tuple[float, Floats]]:
        def function(theta: Floats) -> tuple[float, Floats]:
            unit = np.zeros(theta.size)
            unit[p] = sign
            return sign * (float(theta[p]) - bound), unit

        return function

    out = []
    if np.isfinite(low):
        out.append(Nonlinear(False, side(1.0, low), f"{name} > {low:g}", bound=True))
    if np.isfinite(high):
        out.append(Nonlinear(False, side(-1.0, high), f"{name} < {high:g}", bound=True))
    return out
