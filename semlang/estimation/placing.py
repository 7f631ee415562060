"""The way up where nodes at modes do not settle: they stand still at posterior means, and move between passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.workspace import spacing
from semlang.estimation.member import Infeasible, Member
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Iteration, Optimum, maximise
from semlang.estimation.progress import Narrator

__all__ = ["RULES", "STILL", "Nodes", "Ordinary", "Placeable", "Placing", "settle"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """A rule for one dimension.

    Parameters
    ----------
    points : int
    spread : float
        Zero: Gauss-Hermite; else equispaced over so many standard deviations to both sides.
    """

    points: int
    spread: float = 0.0

    def __str__(self) -> str:
        return f"{self.points}" + (f" equispaced to +-{self.spread:g} SD" if self.spread else "")


RULES = (
    Nodes(7), Nodes(15), Nodes(31, 5.0), Nodes(61, 7.0), Nodes(121, 8.5), Nodes(241, 10.0), Nodes(481, 11.0),
    Nodes(961, 12.0),
)  # fmt: skip
"""Rules that are tried in turn: both the reach and the density of the nodes grow, so that no two have nodes in common.

A posterior with logistic tails has 2e-4 of its mass beyond 5 standard deviations and 3e-8 beyond 10.
"""

CHEAP = 1_000
"""Nodes of the grid that the first passes, and profiles of a parameter that runs away, take at most."""
FIRST = 61
"""Points a dimension that the first passes take at most."""
STILL = 1e-4
"""The nodes have settled when moving them changes the log-likelihood by less."""
SETTLED = 1e-3
"""The rule has settled when the next one changes the log-likelihood by less."""
MOST_PASSES = 60
IDLE = 2
"""Passes that gain less than `STILL`, after which there are no more: an edge of what is looked at stops the climb."""
STEPS = 3
"""Iterations of a pass before the nodes have settled: they suit the parameters near those of their placing alone."""
SHARPEST = 4.0
"""A step of a linear predictor from node to node that still shows a logistic curve's shape."""
NEARER = 0.2
"""Part of a coordinate that runs away at which the log-likelihood is looked at, too."""
NEARLY = 0.6
FAR = 60.0
"""SD of a linear predictor from which on a parameter is said to run away, unless the likelihood falls beyond."""


@runtime_checkable
class Placeable(Protocol):
    """A member whose nodes can stand still."""

    points: int | None
    spread: float

    def place(self, x: Floats, /) -> None:
        """Move the nodes to posterior means and standard deviations at `x`, taken at the nodes as they are."""

    def release(self) -> None:
        """Let the nodes follow the modes again."""

    def steepness(self, x: Floats, /) -> float:
        """Return the largest SD that latent variables give the linear predictor of a response."""


@runtime_checkable
class Ordinary(Protocol):
    """A member whose nodes can be those of the prior."""

    def place_at_prior(self) -> None:
        """Let the nodes stand where the prior has its mass."""


@dataclass(frozen=True)
class Placed:
    """Where the passes ended.

    Parameters
    ----------
    best : Optimum
    nodes : Nodes
    settled : bool
        Whether neither moving the nodes nor the next rule changes the log-likelihood.
    moved : float
        What the last of these changed.
    history : tuple of (int, float)
        Log-likelihood by the number of points.
    runaway : int or None
        Coordinate that grows without end, or beyond what the nodes can show.
    shown : bool
        Whether the nodes showed that the log-likelihood does not fall further out.
    """

    best: Optimum
    nodes: Nodes
    settled: bool
    moved: float
    history: tuple[tuple[int, float], ...]
    runaway: int | None = None
    shown: bool = False


def settle(
    members: Sequence[Member], x: Floats, nodes: Nodes, most: int = 12, known: float = np.inf, near: float = 0.0
) -> float:
    """Move the nodes of members to posterior means and SDs until the log-likelihood settles; return it.

    Parameters
    ----------
    members : sequence of Member
    x : (P,) floats
    nodes : Nodes
    most : int
        How often the nodes are moved at most.
    known, near : float
        A log-likelihood by other nodes: one that differs from it by less than `near` is taken at once.

    Raises
    ------
    Infeasible
        If there is no likelihood.
    """
    last = np.inf
    placeable = [m for m in members if isinstance(m, Placeable) and m.points is not None]
    for member in placeable:
        member.points, member.spread = nodes.points, nodes.spread
    for _ in range(most):
        for member in placeable:
            member.place(x)
        value = sum(m.value(x) for m in members)
        if not np.isfinite(value):
            raise Infeasible("the log-likelihood is not finite at the nodes")
        if abs(value - last) < 0.1 * STILL or abs(value - known) < near:
            return value
        last = value
    return last


class Placing:
    """Quadrature with nodes at posterior means and standard deviations (gllamm's adaptation).

    Parameters
    ----------
    objective : Objective
        All members that need points are `Placeable`.
    affordable : callable
        Whether a number of points a dimension is.
    grid : callable
        Nodes of the whole grid by points a dimension.
    narrator : Narrator
    """

    def __init__(
        self,
        objective: Objective,
        affordable: Callable[[int], bool],
        grid: Callable[[int], int],
        narrator: Narrator,
    ) -> None:
        self.narrator, self.far = narrator, FAR
        self.objective = copy(objective)
        self.objective.admits = lambda x: self._steepness(x) <= self.far
        self.members = [m for m in objective.members if isinstance(m, Placeable) and m.points is not None]
        self.rules = [r for r in RULES if affordable(r.points)]
        self.affordable, self.grid = affordable, grid

    @property
    def possible(self) -> bool:
        """Whether there is a rule that can be afforded, for every member."""
        needing = [m for m in self.objective.members if m.points is not None]
        return len(needing) == len(self.members) and bool(self.rules)

    def release(self, points: int) -> None:
        """Let the nodes follow the modes again."""
        for member in self.members:
            member.release()
            member.points = points

    def steepness(self, z: Floats) -> float:
        """Return the largest SD that latent variables give the linear predictor of a response that is not gaussian."""
        return self._steepness(self.objective.x(z))

    def _steepness(self, x: Floats) -> float:
        return max((m.steepness(x) for m in self.members), default=0.0)

    def shows(self, z: Floats, nodes: Nodes, times: float = 1.0) -> bool:
        """Return whether nodes still show the shape of the steepest linear predictor, made so many times as steep."""
        return times * self.steepness(z) * spacing(nodes.points, nodes.spread) <= SHARPEST

    def runs_away(self, z: Floats) -> bool:
        """Return whether a linear predictor is nearly as steep as any that is looked at."""
        return self.steepness(z) > NEARLY * self.far

    def steepest(self, z: Floats) -> int:
        """Return the coordinate that the largest steepness is due to."""
        now = self.steepness(z)
        gains = []
        for k in range(z.size):
            moved = z.copy()
            moved[k] *= 1.01
            gains.append(self.steepness(moved) - now)
        return int(np.argmax(gains))

    def value(self, z: Floats, nodes: Nodes, most: int = 12, known: float = np.inf, near: float = 0.0) -> float:
        """Return the log-likelihood at nodes that were moved until it settles, or is near a known one, see `settle`.

        Raises
        ------
        Infeasible
            If there is no likelihood.
        """
        return settle(self.objective.members, self.objective.x(z), nodes, most, known, near)

    def climb(self, z: Floats, nodes: Nodes, free: bool = False) -> tuple[Optimum, float]:
        """Climb with one rule; return where to, and what moving the nodes last changed there.

        A pass climbs with nodes that stand still; it counts where the log-likelihood is higher after they have moved,
        else the way is shortened. Unless it is `free` it ends where a linear
        predictor is too steep for the nodes, too.
        """
        value = self.value(z, nodes)
        inverse: Floats | None = None
        log: list[Iteration] = []
        steps, moved, idle = STEPS, np.inf, 0
        for _ in range(MOST_PASSES):
            found = maximise(
                self.objective, z, limit=steps, inverse=inverse, report=self.narrator.iteration, stall=0.1 * STILL
            )
            log += found.log
            inverse = found.inverse
            t, now = 1.0, -np.inf
            while t > 0.01:
                at = z + t * (found.z - z)
                try:
                    now = self.value(at, nodes)
                except (Infeasible, np.linalg.LinAlgError):
                    now = -np.inf
                if now > value - STILL:
                    break
                t *= 0.4
            moved = abs(now - found.value) if t == 1.0 else np.inf
            if now <= value - STILL:  # no way up that the nodes show
                at, now = z, self.value(z, nodes)
            z, gained, value = at, now - value, now
            steps = STEPS if moved > 10.0 * STILL else 50
            idle = idle + 1 if gained < STILL and steps > STEPS else 0
            if (found.converged and moved < STILL) or not found.log or (t < 1.0 and gained < STILL) or idle == IDLE:
                break
            if not free and (not self.shows(z, nodes) or self.runs_away(z)):
                moved = np.inf
                break
        gradient = self.objective.value_and_gradient(z)[1]
        return Optimum(z, value, gradient, found.metric, found.decrement, found.converged, tuple(log)), moved

    def along(self, best: Optimum, k: int, factor: float, nodes: Nodes) -> tuple[float, Floats]:
        """Return the highest log-likelihood with coordinate k held at `factor` times its value, and where that is."""
        held = factor * best.z[k]
        profile = Placing(self.objective.hold({k: held}), self.affordable, self.grid, self.narrator)
        profile.far = 1.2 * max(self.steepness(best.z) * max(factor, 1.0), FAR)
        try:
            found = profile.climb(np.delete(best.z, k), nodes, free=True)[0]
        except (Infeasible, np.linalg.LinAlgError):
            return -np.inf, best.z
        return found.value, np.insert(found.z, k, held)

    def falls(self, best: Optimum) -> Floats | None:
        """Return where the steepest coordinate is doubled, if the log-likelihood is lower there."""
        nodes, k = self.rules[-1], self.steepest(best.z)
        beyond, z = self.along(best, k, 2.0, nodes)
        return z if beyond < self.value(best.z, nodes) - STILL else None

    def run(self, starts: Sequence[Floats]) -> Placed | None:
        """Climb from each start, from the best one with finer rules until the log-likelihood settles.

        None where no start has a likelihood.
        """
        self.far = max(FAR, 2.0 * min(self.steepness(z) for z in starts))
        cheap = [r for r in self.rules if r.points <= FIRST and self.grid(r.points) <= CHEAP]
        first = max(len(cheap) - 1, 0)
        nodes, judge = self.rules[first], self.rules[min(first + 1, len(self.rules) - 1)]
        self.narrator.say(f"nodes at posterior means and standard deviations, {nodes} points")
        found: list[tuple[float, float, Optimum]] = []
        for z in starts:
            try:
                best, moved = self.climb(z, nodes)
                found.append((self.value(best.z, judge) if len(starts) > 1 else 0.0, moved, best))
            except (Infeasible, np.linalg.LinAlgError):
                continue
        if not found:
            return None
        _, still, best = max(found, key=lambda f: f[0])
        history, moved = [(nodes.points, best.value)], np.inf
        for finer in [*self.rules[first + 1 :], None]:
            if self.runs_away(best.z):
                k, nodes = self.steepest(best.z), self.rules[-1]
                if self.grid(nodes.points) > CHEAP:  # profiles would take minutes: it is named, and that is all
                    return Placed(best, nodes, False, still, tuple(history), k)
                here, z = self.along(best, k, self.far / self.steepness(best.z), nodes)
                best = replace(best, z=z, value=here)
                inside, nearer = self.along(best, k, NEARER, nodes)
                if here >= inside and self.along(best, k, 2.0, nodes)[0] > here - STILL:
                    return Placed(best, nodes, False, still, tuple(history), k, self.shows(z, nodes, 2.0))
                self.far *= 2.0  # the maximum is nearer, or about here
                best, still = self.climb(z if here >= inside else nearer, nodes, free=True)
                history.append((nodes.points, best.value))
                moved = abs(self.value(best.z, self.rules[-2]) - best.value) if len(self.rules) > 1 else np.inf
                break
            if finer is None:
                break
            value = self.value(best.z, finer)
            moved = abs(value - best.value)
            history.append((finer.points, value))
            self.narrator.say(f"{finer} points: log-likelihood moves by {value - best.value:+.6f}")
            nodes = finer
            if still < STILL and moved < SETTLED:
                break
            best, still = self.climb(best.z, finer)
            history[-1] = (finer.points, best.value)
        value = self.value(best.z, nodes)
        gradient = self.objective.value_and_gradient(best.z)[1]
        best = replace(best, value=value, gradient=gradient)
        settled = still < STILL and moved < SETTLED
        return Placed(
            best, nodes, settled, max(still if np.isfinite(still) else 0.0, moved), tuple(history),
            None if settled or self.shows(best.z, nodes) else self.steepest(best.z),
        )  # fmt: skip
