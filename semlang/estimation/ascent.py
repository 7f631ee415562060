"""The way up: Laplace first, more points until the log-likelihood settles, Newton steps at the end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.constrained import maximise_constrained
from semlang.estimation.constraints import Constraints
from semlang.estimation.findings import FindingsOfFit
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Optimum, maximise, polish
from semlang.estimation.plan import MAX_DENSITIES, MAX_NODES, Plan
from semlang.estimation.progress import Narrator

__all__ = ["Ascent"]

Floats = NDArray[np.float64]

LADDER = (7, 11, 15, 21, 31, 51, 81, 121)
"""Numbers of points that are tried in turn."""

SETTLED_NODES = 2e-4
"""The same where a dimension of classes or products is known at nodes: four more points cost little there."""

SETTLED = 1e-3
"""The log-likelihood has settled when more points move it by less."""


MOST_PASSES = 25
"""Passes after which nodes that still move are given up."""


class Ascent:
    """Climbs to the maximum of one objective.

    Parameters
    ----------
    objective : Objective
    plan : Plan
    constraints : Constraints
    asked : int or None
        The user's number of points; None raises them until the log-likelihood settles.
    curvature : bool
        Whether the observed information is wanted at the maximum (else only where a variance is near zero).
    narrator : Narrator
    findings : FindingsOfFit
    """

    def __init__(
        self,
        objective: Objective,
        plan: Plan,
        constraints: Constraints,
        asked: int | None,
        curvature: bool,
        narrator: Narrator,
        findings: FindingsOfFit,
    ) -> None:
        self.objective, self.plan, self.constraints = objective, plan, constraints
        self.asked, self.curvature = asked, curvature
        self.narrator, self.findings = narrator, findings
        self.quadrature = any(m.points is not None for m in objective.members)
        self.history: list[tuple[int, float]] = []

    def climb_still(self, z: Floats, tolerance: float, limit: int) -> Optimum:
        """Climb from `z` with all nodes where they are."""
        return maximise(self.objective, z, tolerance=tolerance, report=self.narrator.iteration, limit=limit)

    def climb(self, z: Floats, tolerance: float = 1e-8, inverse: Floats | None = None, limit: int = 200) -> Optimum:
        """Climb from `z` with the points as they are; nodes move between passes until they stay."""
        for _ in range(MOST_PASSES):
            self.objective.move(z)
            best = maximise(
                self.objective, z, tolerance=tolerance, report=self.narrator.iteration, inverse=inverse, limit=limit
            )
            if not self.objective.move(best.z):
                return best
            self.narrator.say("nodes move")
            z, inverse = best.z, best.inverse
        return replace(best, converged=False)

    def run(self, z: Floats) -> Optimum:
        """Laplace first, then the points that were asked for, or more and more until the log-likelihood settles."""
        q, constrained = self.points, bool(self.constraints.nonlinear)
        if self.quadrature and q > 1 and not constrained and not any(g.conditions for g in self.plan.groups):
            z = self._by_laplace(z, q)
        inverse = None
        if not self.quadrature and not constrained:
            z, inverse = self.objective.start(z)
        # Newton steps on the observed information finish what scoring begins, where that costs no more than scoring
        tolerance = 1e-3 if self.curvature and inverse is None and self.objective.exact else 1e-8
        best = self._constrained(z) if constrained else self.climb(z, tolerance=tolerance, inverse=inverse)
        if self.quadrature and q > 1:
            best = self._raise(best, q, constrained)
        if constrained:
            if not best.converged:
                self.findings.stopped(self.objective.theta(best.z), best.decrement)
            return best
        if not self.curvature and best.converged and not self._near_border(best.z):
            return best
        count = len(best.log)
        best = polish(self.objective, best)
        for line in best.log[count:]:
            self.narrator.iteration(line)
        if not best.converged:
            self.findings.stopped(self.objective.theta(best.z), best.decrement)
        return best

    def _constrained(self, z: Floats) -> Optimum:
        return maximise_constrained(self.objective, z, self.constraints.nonlinear, self.narrator.iteration)

    def _by_laplace(self, z: Floats, q: int) -> Floats:
        """A few steps with one point, if they help."""
        self.narrator.say("Laplace")
        try:
            before = self.objective.value(z)
        except Infeasible:
            before = -math.inf
        self._set_points(1)
        try:
            found = self.climb(z, tolerance=1e-2, limit=12).z
        except (Infeasible, np.linalg.LinAlgError):
            found = z
        self._set_points(q)
        try:
            return found if self.objective.value(found) > before else z
        except Infeasible:
            return z

    def _raise(self, best: Optimum, q: int, constrained: bool) -> Optimum:
        dims = max(g.dims for g in self.plan.groups)
        rows = sum(g.rows or 0 for g in self.plan.groups)
        self.history.append((q, best.value))
        more = [q + 4] if self.asked is not None else [p for p in LADDER if p > q]
        for p in more:
            if p**dims > MAX_NODES or rows * p**dims > MAX_DENSITIES:
                if self.asked is None:
                    self.findings.warn(
                        "points-not-settled",
                        f"with {q} points a dimension the log-likelihood may not have settled; more are too costly",
                        help="set points yourself to try",
                    )
                break
            self._set_points(p)
            try:
                value = self.objective.value(best.z)
            except Infeasible:
                self._set_points(q)
                break
            moved = abs(value - best.value)
            self.history.append((p, value))
            self.narrator.say(f"{p} points: log-likelihood moves by {value - best.value:+.6f}")
            if self.asked is not None:
                self._set_points(q)
                if moved > 0.01:
                    self.findings.warn(
                        "points-not-settled",
                        f"4 more points than {q} move the log-likelihood by {value - best.value:.4f}",
                        help=f"take points = {q + 4} or more",
                    )
                break
            if moved < (SETTLED_NODES if any(g.conditions for g in self.plan.groups) else SETTLED):
                self._set_points(q)
                break
            q = p
            best = self._constrained(best.z) if constrained else self.climb(best.z, inverse=best.inverse)
            self.history[-1] = (p, best.value)
        return best

    def _set_points(self, q: int) -> None:
        for member in self.objective.members:
            if member.points is not None:
                member.points = q

    @property
    def points(self) -> int:
        """Points per dimension now."""
        return next((m.points for m in self.objective.members if m.points is not None), 1)

    def _near_border(self, z: Floats) -> bool:
        x = self.objective.x(z)
        return any(abs(x[b.parameter[i, i]]) < 1e-2 for b in self.objective.parametrisation.blocks
                   for i in range(len(b.members)))  # fmt: skip
