"""The way up by sparse rules: coarse ones at modes, finer ones at posterior means and covariances.

A rule of few points errs several times less where nodes are at posterior means and covariances than at modes and
curvatures. They stand still while the parameters climb and move in between; a coarse rule says where to, since the map
of the nodes needs less than the integral.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Begun, Optimum, begin, definite, maximise
from semlang.estimation.placing import STILL, Placeable
from semlang.estimation.progress import Narrator
from semlang.estimation.sparse import LADDER

__all__ = ["SparseClimb"]

Floats = NDArray[np.float64]

SETTLED = 0.01
"""Error of the log-likelihood that is small enough."""
ROUGHLY = 1e-3
"""Decrement that is enough with a rule that is not the last one."""
NEARLY = 1e-4
"""The same where Newton steps follow: second derivatives are taken there, and hold where those lead."""
END, STALL = 1e-6, 1e-5
"""Decrement, a thousandth of a standard error, that is enough at the end, and the gain of five steps below which there
are no more."""
FALLS = 0.5
"""Ratio of the last two changes below which the next ones are taken to fall as fast."""
LEAST = 2.0 / 3.0
"""Least share of the last difference that counts as the error: differences change their sign, and are small there."""
FOR_METRIC = 4
"""Points for second derivatives that only steps are taken with."""
SMALL = 0.1
"""Share of the rule's error by which moving the nodes may still change the log-likelihood."""
MOVES = 4
"""How often nodes move at the end before it is said that they have not settled."""


class SparseClimb:
    """Climbs from one rule to the next until the log-likelihood has settled.

    With V_p the log-likelihood by p points at nodes as they are and d_p = V_p - V_(p - 1), the error of V_(p - 1) is
    taken to be |d_p|, and that of V_p ``|d_p| r / (1 - r)``, r = |d_p / d_(p - 1)|, or two thirds of |d_p| where that
    is more, if r is below one half: errors fall by nearly the same factor from rule to rule. Else it is |d_p|, too.

    Parameters
    ----------
    objective : Objective
        All members have nodes that can stand still.
    affordable : callable
        Whether a number of points is.
    second : bool
        Whether second derivatives and Newton steps follow: the last climb then ends roughly.
    narrator : Narrator

    Attributes
    ----------
    history : list of (int, float)
        Log-likelihood by points.
    points : int
        Those of the last rule.
    error : float
        What its log-likelihood is taken to be off by.
    """

    def __init__(
        self, objective: Objective, affordable: Callable[[int], bool], second: bool, narrator: Narrator
    ) -> None:
        self.objective, self.affordable, self.second, self.narrator = objective, affordable, second, narrator
        self.members: Sequence[Placeable] = [m for m in objective.members if isinstance(m, Placeable)]
        self.history: list[tuple[int, float]] = []
        self.points, self.error = LADDER[0], np.inf

    @property
    def settled(self) -> bool:
        """Whether the error is small enough."""
        return self.error < SETTLED

    def run(self, z: Floats, inverse: Floats | None, begun: Begun | None) -> Optimum:
        """Climb from `z`; nodes stand where they were placed last."""
        best = maximise(
            self.objective, z, tolerance=ROUGHLY, inverse=inverse, begun=begun, report=self.narrator.iteration
        )
        self.history.append((self.points, best.value))
        last = np.nan
        for points in LADDER[1:]:
            if not self.affordable(points):
                break
            try:
                self.place(best.z, points)
                self._set(points - 1)
                before = self.objective.value(best.z)
                self._set(points)
                value = self.objective.value(best.z)
            except (Infeasible, np.linalg.LinAlgError):
                self._set(self.points)
                break
            moved = value - before
            self.narrator.say(f"{points} points: log-likelihood moves by {moved:+.6f}")
            self.history.append((points, value))
            self.error = abs(moved)
            if self.settled and self.points > LADDER[0]:
                self._set(self.points)
                break
            ratio = abs(moved / last) if last else np.nan
            self.error *= max(ratio / (1.0 - ratio), LEAST) if ratio < FALLS else 1.0
            self.points, last = points, moved
            best = self._climb(best, ROUGHLY)
            self.history[-1] = points, best.value
            if self.settled:
                break
        return self._moved(best, NEARLY) if self.second else self.end(best)

    def place(self, z: Floats, points: int) -> None:
        """Move the nodes of a rule to posterior means and covariances."""
        x = self.objective.x(z)
        self._set(points)
        for member in self.members:
            member.place(x)

    def difference(self, best: Optimum) -> float:
        """Return by how much the log-likelihood differs from that with nodes at modes; they stand as before after."""
        for member in self.members:
            member.release()
        self._set(self.points)
        try:
            value = self.objective.value(best.z)
        except (Infeasible, np.linalg.LinAlgError):
            value = np.inf
        self.place(best.z, self.points)
        return abs(value - best.value)

    def end(self, best: Optimum) -> Optimum:
        """Climb to the end with the nodes of the last rule."""
        return self._moved(self._climb(best, 1e-8, self._metric(best)), 1e-8)

    def _moved(self, best: Optimum, tolerance: float) -> Optimum:
        """Move the nodes and climb until that changes nothing."""
        for _ in range(MOVES):
            before = best.value
            self.place(best.z, self.points)
            begun = begin(self.objective, best.z, best.inverse)
            best = self._climb(best, tolerance, begun=begun)
            if abs(begun.value - before) < max(STILL, SMALL * self.error):
                break
        return best

    def _metric(self, best: Optimum) -> Floats:
        """Return the inverse of the information by few points: steps with it need no finer one."""
        self._set(min(FOR_METRIC, self.points))
        hessian = self.objective.hessian(best.z)
        self._set(self.points)
        inverse = None if hessian is None else definite(-hessian).inverse(0.0)
        return best.inverse if inverse is None else inverse

    def _climb(
        self, best: Optimum, tolerance: float, inverse: Floats | None = None, begun: Begun | None = None
    ) -> Optimum:
        found = maximise(
            self.objective, best.z, tolerance=tolerance, inverse=best.inverse if inverse is None else inverse,
            begun=begun, report=self.narrator.iteration, stall=STALL,
        )  # fmt: skip
        return replace(found, converged=found.decrement < max(tolerance, END))

    def _set(self, points: int) -> None:
        for member in self.members:
            member.points, member.spread = points, 0.0
