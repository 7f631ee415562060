"""A plan: which engine computes the likelihood of a group, over which latent variables, with how many points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from semlang.estimation.sparse import node_count
from semlang.shown import Shown

__all__ = [
    "GRIDS",
    "MAX_DENSITIES",
    "MAX_NODES",
    "NODES",
    "SPARSE",
    "STATES",
    "Alternative",
    "Condition",
    "GroupPlan",
    "LevelPlan",
    "Partitioning",
    "Plan",
]

NODES = "nodes at the posterior mean and SD"

STATES = {"class": "classes", "masspoints": "mass points"}

GRIDS = ("shared grid", "variable elimination")
"""Engines whose nodes all units share."""

MAX_NODES = 60_000
"""Most nodes of the whole grid (product over levels and dimensions) before the number of points is lowered."""

MAX_DENSITIES = 500_000_000
"""Most row densities of one evaluation before points are no longer raised."""

SPARSE = "sparse quadrature"
"""Adaptive nodes of Smolyak's rule, for many dimensions at once."""


@dataclass(frozen=True)
class LevelPlan:
    """What is integrated over at one level.

    Parameters
    ----------
    level : str
    disturbances : tuple of str
        Keys of the latent variables of each dimension, joined by "or" where several take turns in one (given the
        others they are independent).
    points : int
        Points per dimension (0: exactly, without quadrature).
    units : int or None
        Number of units, where there are data.
    exact : bool
        Whether one point is exact whatever the others take.
    sparse : bool
        Whether the nodes are those of Smolyak's rule, exact for polynomials of total degree 2 points - 1.
    """

    level: str
    disturbances: tuple[str, ...]
    points: int
    units: int | None = None
    exact: bool = False
    sparse: bool = False

    @property
    def dims(self) -> int:
        """Number of dimensions."""
        return len(self.disturbances)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self.nodes_of(self.points)

    def nodes_of(self, points: int) -> int:
        """Return the number of nodes with so many points a dimension."""
        return node_count(self.dims, points) if self.sparse else max(points, 1) ** self.dims


@dataclass(frozen=True)
class Condition:
    """A latent variable that is conditioned on.

    Parameters
    ----------
    key, level : str
    states : int
        Number of classes, mass points or nodes.
    how : str
        ``classes``, ``mass points`` or ``nodes at posterior mean and SD``.
    why : str
    units : int or None
        Number of units, where there are data.
    sought : bool
        Whether the fit seeks the number of states, and `states` is what it begins with.
    """

    key: str
    level: str
    states: int
    how: str
    why: str
    units: int | None = None
    sought: bool = False

    def __str__(self) -> str:
        units = f", {self.units} units" if self.units is not None else ""
        number = f"{self.states} or more" if self.sought else f"{self.states}"
        how = f"{self.how} (how many is sought)" if self.sought else self.how
        return f"given {self.key} ({self.level}{units}): {number} {how}, since {self.why}"


@dataclass(frozen=True)
class Alternative:
    """A way to integrate that was not taken.

    Parameters
    ----------
    engine : str
    seconds : float or None
        Of one evaluation with its gradient, about; None where it is not possible.
    why : str
    """

    engine: str
    seconds: float | None
    why: str

    def __str__(self) -> str:
        cost = "" if self.seconds is None else f", about {self.seconds:.2g} s an evaluation"
        return f"{self.engine}{cost}: {self.why}"


@dataclass(frozen=True)
class GroupPlan:
    """The engine of one group.

    Parameters
    ----------
    group : str
    engine : str
        ``closed form``, ``shared grid``, ``variable elimination``, ``sparse quadrature``, ``nested quadrature``,
        ``independent responses``, ``conditioning`` or ``none``.
    name : str
        The closed form that was chosen, where there are data.
    why : str
    levels : tuple of LevelPlan
        Lowest first.
    rows : int or None
        Number of observed responses.
    conditions : tuple of Condition
        What is conditioned on, highest level first; `levels` is what is left to integrate over.
    steps : tuple of str
        Where latent variables are eliminated one after the other: which, and given which others.
    cliques : tuple of int
        Variables of each of these steps.
    seconds : float or None
        Of one evaluation with its gradient, about, where there are data and a choice.
    rejected : tuple of Alternative
        The other ways to integrate.
    """

    group: str
    engine: str
    name: str
    why: str
    levels: tuple[LevelPlan, ...]
    rows: int | None = None
    conditions: tuple[Condition, ...] = ()
    steps: tuple[str, ...] = ()
    cliques: tuple[int, ...] = ()
    seconds: float | None = None
    rejected: tuple[Alternative, ...] = ()

    @property
    def nodes(self) -> int:
        """Nodes of the grid for one row: product over levels of points^dims, times what is conditioned on.

        Where latent variables are eliminated one after the other, the nodes of all steps together.
        """
        if self.steps:
            q = max(level.points for level in self.levels)
            return sum(q**n for n in self.cliques)
        states = int(np.prod([c.states for c in self.conditions], dtype=object))
        return states * int(np.prod([level.nodes for level in self.levels], dtype=object))

    def nodes_of(self, points: int) -> int:
        """Return the nodes for one row with so many points in each dimension that has them."""
        known = sum(c.how == NODES for c in self.conditions)
        return int(points**known) * math.prod(v.nodes_of(points) for v in self.levels if v.points and not v.exact)

    @property
    def full(self) -> int:
        """Nodes of the product of all rules."""
        return int(np.prod([max(level.points, 1) ** level.dims for level in self.levels], dtype=object))

    @property
    def dims(self) -> int:
        """Number of dimensions that have points."""
        nodes = sum(c.how == NODES for c in self.conditions)
        return nodes + sum(v.dims for v in self.levels if v.points and not v.exact)


@dataclass(frozen=True)
class Partitioning:
    """How data in partitions are gone through.

    Parameters
    ----------
    partitions, rows : int
    kept : int
        So many partitions stay in the memory of this process, the others are read at every evaluation.
    workers : int
        Number of worker processes, which keep all of them; 0 where all is computed in this one.
    """

    partitions: int
    rows: int
    kept: int
    workers: int

    def __str__(self) -> str:
        head = f"{self.partitions} partitions, {self.rows:,} rows: "
        if self.workers:
            return head + f"on {self.workers} workers, sums added in the order of the partitions"
        if self.kept >= self.partitions:
            return head + "gone through one after the other, all kept in memory"
        return head + f"{self.kept} kept in memory, {self.partitions - self.kept} read at every evaluation"


WHERE = {
    "adaptive": "adaptive Gauss-Hermite at the mode",
    "gllamm": "adaptive Gauss-Hermite at posterior means and SDs",
    "ordinary": "Gauss-Hermite at the prior",
    "sparse": "adaptive Gauss-Hermite at the mode",
}
"""What the option ``rule`` says of the nodes of nested quadrature."""


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """How each group's likelihood is computed.

    Parameters
    ----------
    groups : tuple of GroupPlan
    placed : {'adaptive', 'gllamm', 'ordinary', 'sparse'}
        The option ``rule``.
    """

    groups: tuple[GroupPlan, ...]
    placed: str = "adaptive"

    @property
    def rule(self) -> str:
        """Where the nodes of nested quadrature stand, in words."""
        return WHERE[self.placed]

    @property
    def standing(self) -> bool:
        """Whether the text asks for nodes that do not follow the modes."""
        return self.placed in ("gllamm", "ordinary")

    partitioning: Partitioning | None = None

    @property
    def points(self) -> int | None:
        """Points per dimension, None without quadrature."""
        used = [level.points for g in self.groups for level in g.levels if level.points]
        used += [c.states for g in self.groups for c in g.conditions if c.how == NODES]
        return max(used) if used else None

    @property
    def method(self) -> str:
        """One line for reports."""
        engines = dict.fromkeys(g.engine for g in self.groups)
        if "conditioning" in engines:
            on = dict.fromkeys(c.how for g in self.groups for c in g.conditions)
            return "maximum likelihood, sums over " + ", ".join(on)
        if "nested quadrature" in engines:
            if all(v.exact for g in self.groups for v in g.levels if v.points):
                return "maximum likelihood, one node at the mode (exact)"
            return "maximum likelihood, " + ("Laplace" if self.points == 1 else self.rule)
        if SPARSE in engines:
            return "maximum likelihood, adaptive sparse grid (Smolyak) at the mode"
        if "variable elimination" in engines:
            return f"maximum likelihood, latent variables eliminated in turn, {self.points} shared nodes each"
        if "shared grid" in engines:
            return "maximum likelihood, shared grid of nodes"
        if "closed form" in engines:
            names = dict.fromkeys(g.name for g in self.groups if g.name)
            return "maximum likelihood, closed form" + (f" ({', '.join(names)})" if names else "")
        return "maximum likelihood"

    def named(self, names: Sequence[str]) -> Plan:
        """Return the plan with the names of the closed forms that were used, one a group; as it is where none were."""
        if len(names) != len(self.groups):
            return self
        return replace(self, groups=tuple(replace(g, name=n) for g, n in zip(self.groups, names, strict=True)))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as in ``semlang plan --json``."""
        groups = [
            asdict(g) | {"nodes": g.nodes, "levels": [asdict(v) | {"dims": v.dims} for v in g.levels]}
            for g in self.groups
        ]
        out = {"method": self.method, "rule": self.rule, "points": self.points, "groups": groups}
        return out if self.partitioning is None else out | {"partitions": asdict(self.partitioning)}

    def __str__(self) -> str:
        lines = []
        for g in self.groups:
            title = f"Group {g.group}: " if g.group else ""
            engine = g.engine + (f" ({g.name})" if g.name else "")
            lines.append(f"{title}{engine}: {g.why}")
            lines += [f"  {c}" for c in g.conditions]
            for level in reversed(g.levels):
                units = f", {level.units} units" if level.units is not None else ""
                how = f"{level.points} points a dimension" if level.points else "exactly"
                how = f"{level.nodes} nodes, exact to degree {2 * level.points - 1}" if level.sparse else how
                names = ", ".join(level.disturbances)
                lines.append(f"  {level.level}: {names} ({level.dims} dim., {how}{units})")
            lines += [f"  {n}. {step}" for n, step in enumerate(g.steps, 1)]
            if g.steps:
                lines.append(f"  cost: {g.nodes} nodes a unit, in place of {g.full} of the whole grid")
            elif g.engine in ("nested quadrature", "shared grid", SPARSE):
                cost = f"  cost: {g.nodes} nodes a response"
                lines.append(cost + (f", {g.nodes * g.rows:.3g} densities an evaluation" if g.rows else ""))
            if g.seconds is not None:
                lines.append(f"  about {g.seconds:.2g} s an evaluation")
            lines += [f"  rejected: {a}" for a in g.rejected]
        if self.partitioning is not None:
            lines.append(str(self.partitioning))
        return "\n".join(lines)
