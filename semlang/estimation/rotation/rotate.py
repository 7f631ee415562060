"""Rotate the exploratory factors of an estimate: rotated parameters with standard errors by the delta method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.outcome import Estimate
from semlang.estimation.rotation.criteria import Criterion, criterion
from semlang.estimation.rotation.solution import Solution, by_differences, solve_rotation
from semlang.estimation.rotation.standard import Loadings
from semlang.estimation.rotation.transform import Turned
from semlang.estimation.tally import defined_estimates
from semlang.model.exploratory import RULE, ExploratorySet, exploratory_sets, leader
from semlang.model.table import ParameterTable, Row

__all__ = ["rotate"]

Floats = NDArray[np.float64]


def rotate(table: ParameterTable, found: Estimate) -> tuple[ParameterTable, Estimate]:
    """Return the table and the estimate with exploratory factors rotated as ``options: rotation`` says.

    The rows that fixed the orientation (loadings above the diagonal, covariances) become estimates; the number of free
    parameters and the log-likelihood stay.

    Parameters
    ----------
    table : ParameterTable
    found : Estimate

    Returns
    -------
    table : ParameterTable
    estimate : Estimate
    """
    sets = exploratory_sets(table)
    name = str(table.options["rotation"] or "none").casefold()
    if not sets or name == "none":
        return table, found
    method = criterion(name, table.options, bool(table.options["orthogonal.efa"]))
    scaled = bool(table.options["rotation.std.ov"])
    solutions: dict[ExploratorySet, Solution] = {}
    for s in sets:
        first = leader(table, s)
        if first is None:
            solutions[s] = solve_rotation(Loadings(table, s, scaled), found.theta, method, _starts(table))
        else:
            solutions[s] = solutions[first]
    new = _Rotated(table, found, method)
    for group in dict.fromkeys(s.group for s in sets):
        members = tuple(s for s in sets if s.group == group)
        new.add(Turned(table, members), {s: solutions[s] for s in members})
    shown = [(s.name, solutions[s].search) for s in sets if s.group == sets[0].group]
    said = ", ".join(f"{set_name} {search.agreed} of {search.starts}" for set_name, search in shown)
    kind = "orthogonal" if method.orthogonal and not method.promax else "oblique"
    return new.finish(f"{name} ({kind}); starts that agreed: {said}")


def _starts(table: ParameterTable) -> int:
    return int(table.options["rotation.starts"])


class _Rotated:
    """Collects the new parameters."""

    def __init__(self, table: ParameterTable, found: Estimate, method: Criterion) -> None:
        self.table, self.found = table, found
        self.oblique = not method.orthogonal or bool(method.promax)
        self.theta = found.theta.tolist()
        n = len(self.theta)
        self.jacobian: list[Floats] = list(np.eye(n))
        self.taken: dict[int, float] = {}
        self.parameter: dict[int, int] = {}

    def add(self, turned: Turned, solutions: dict[ExploratorySet, Solution]) -> None:
        """Take over the rows of a group."""
        theta = self.found.theta
        turns = {s: solution.T for s, solution in solutions.items()}
        before = turned.values(theta)
        after = turned.turned(before, turns)
        used = sorted({r.parameter for r in turned.rows if r.parameter >= 0})
        sizes = np.maximum(np.abs(theta), 1.0)  # what is turned is linear in its parameters: any step will do
        J = by_differences(lambda at: turned.turned(turned.values(at), turns), theta, used, sizes)
        for s, solution in solutions.items():
            q = len(s.factors)

            def other(v: Floats, s: ExploratorySet = s, q: int = q) -> Floats:
                return turned.turned(before, {**turns, s: v.reshape(q, q)})

            by_turn = by_differences(other, solution.T.ravel(), list(range(q * q)), np.ones(q * q))
            J = J + by_turn @ solution.slope.reshape(q * q, -1)
        for row, value, gradient in zip(turned.rows, after, J, strict=True):
            if self._is_free(row, float(value)):
                self.parameter[row.id] = self._place(row, float(value), gradient)

    def _is_free(self, row: Row, value: float) -> bool:
        if row.parameter >= 0:
            return True
        if row.rule == RULE and (row.op == "=~" or (row.op == "~~" and row.target != row.source and self.oblique)):
            return True
        return abs(value - (row.ustart or 0.0)) > 1e-7

    def _place(self, row: Row, value: float, gradient: Floats) -> int:
        """Return a parameter with the value: the row's own if it is free to take, one of its own else."""
        p = row.parameter
        if p >= 0 and abs(self.taken.setdefault(p, value) - value) <= 1e-8 * abs(value):  # but for rounding
            self.theta[p], self.jacobian[p] = value, gradient
            return p
        self.theta.append(value)
        self.jacobian.append(gradient)
        return len(self.theta) - 1

    def finish(self, said: str) -> tuple[ParameterTable, Estimate]:
        """Return the new table and estimate."""
        theta = np.array(self.theta)
        rows = tuple(
            r._replace(parameter=self.parameter[r.id], free=r.free or self.parameter[r.id] + 1, ustart=None)
            if r.id in self.parameter
            else r
            for r in self.table.rows
        )
        table = replace(self.table, rows=rows, n_parameters=theta.size)
        vcov = None if self.found.vcov is None else carried(np.array(self.jacobian), self.found.vcov)
        estimate = replace(
            self.found,
            theta=theta,
            vcov=vcov,
            defined=defined_estimates(table, theta, vcov),
            rotation=said,
            scores=None,
        )
        return table, estimate


def carried(J: Floats, vcov: Floats) -> Floats:
    """Return J V J'; what depends on a parameter without a standard error (NaN) has none either."""
    unknown = np.isnan(np.diag(vcov))
    out: Floats = J @ np.nan_to_num(vcov) @ J.T
    size = np.abs(J[:, unknown])
    lost = np.any(size > 1e-7 * size.max(axis=0, initial=0.0), axis=1)  # less is rounding of the differences
    out[lost], out[:, lost] = np.nan, np.nan
    return out
