"""The members of one partition, where its rows are, and what they can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.partitions.opening import in_partitions
from semlang.data.partitions.part import BoundPart
from semlang.diagnostics import Diagnostic
from semlang.errors import FitError
from semlang.estimation.assemble import assemble, multiplicity
from semlang.estimation.conditioning.conditions import conditions, is_conditional
from semlang.estimation.conditioning.filled import are_missing
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.conditioning.partition import Partition
from semlang.estimation.constraints import Constraints
from semlang.estimation.covariance import meat_of
from semlang.estimation.frame import Frame
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Infeasible, Member, Refinable
from semlang.estimation.reach import reach
from semlang.estimation.tally import Tally, tally
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ParameterTable

__all__ = [
    "FILLED",
    "Blueprint",
    "Meat",
    "Placement",
    "Refusal",
    "Scored",
    "Shared",
    "Sloped",
    "added",
    "all_of",
    "answer",
    "standing",
]

Floats = NDArray[np.float64]
Sloped = tuple[float, Floats]
Scored = tuple[float, Floats, Floats]
Meat = tuple[Floats, float]
T = TypeVar("T", bound=tuple[Any, ...])

FILLED = "responses that are missing where they predict are integrated out, which is not done by partition"


@dataclass(frozen=True)
class Blueprint:
    """What makes the members of a partition from its designs: as those of the whole are made.

    Parameters
    ----------
    table : ParameterTable
    graphs : tuple of ModelGraph
        One a group, in the frame.
    outside : tuple of ModelGraph
        The same as the table has them.
    frame : Frame or None
        Without designs.
    quadrature : bool
    points : int or None
    threads : int
    engines : tuple of str
        Of each group, where nodes are shared; else empty.
    road : mapping
        Further arguments of `assemble`.
    """

    table: ParameterTable
    graphs: tuple[ModelGraph, ...]
    outside: tuple[ModelGraph, ...]
    frame: Frame | None
    quadrature: bool
    points: int | None
    threads: int
    engines: tuple[str, ...]
    road: Mapping[str, Any]


class Standing:
    """The members of one partition; they are made when they are first needed, and again where they have travelled.

    Equal rows are tallied and then counted, so that what stays in memory is what differs.
    """

    def __init__(self, part: BoundPart, blueprint: Blueprint) -> None:
        self.part, self.blueprint = part, blueprint
        self._made: tuple[Member, ...] | None = None
        self._refined = 0
        self._placed: tuple[int, ...] = ()
        self._tallied: Tally | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_made": None, "_refined": 0, "_placed": ()}

    @property
    def groups(self) -> tuple[int, ...]:
        """Groups, counted from 0, that have rows here."""
        return tuple(g for g, design in enumerate(self.part.designs) if design.n_rows)

    @property
    def designs(self) -> tuple[Design, ...]:
        """The designs of these groups in the frame."""
        frame, designs = self.blueprint.frame, self.part.designs
        return tuple(designs[g] if frame is None else frame.design(g, designs[g]) for g in self.groups)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members of these groups."""
        if self._made is None:
            designs = tuple(d if self._tallied else d.distinct[0] for d in self.part.designs)
            if any(d is not given for d, given in zip(designs, self.part.designs, strict=True)):
                self._tallied = self._counted(self._assembled())
                self.part = replace(self.part, designs=designs)
            self._made, self._refined, self._placed = self._assembled(), 0, ()
        return self._made

    @property
    def tally(self) -> Tally:
        """What counts of the rows as they were read."""
        members = self.members
        return self._tallied or self._counted(members)

    def _counted(self, members: Sequence[Member]) -> Tally:
        table, given = self.blueprint.table, [self.part.designs[g] for g in self.groups]
        if is_conditional(table):
            forms = [conditions(table, g + 1).configurations[0].form for g in self.groups]
        else:
            forms = [reduced_form(self.blueprint.outside[g], lift=False) for g in self.groups]
        return tally(table, forms, given, given, members)

    def _assembled(self) -> tuple[Member, ...]:
        b, groups, designs = self.blueprint, self.groups, self.designs
        graphs = [b.graphs[g] for g in groups]
        pairs = zip(graphs, designs, strict=True)
        if b.quadrature and any(are_missing(b.table, graph, design, lift=False) for graph, design in pairs):
            raise FitError([in_partitions(FILLED)])
        engines = [b.engines[g] for g in groups] if b.engines else ()
        return assemble(
            b.table, graphs, designs, Constraints(b.table), b.quadrature, b.points, b.threads, engines=engines, **b.road
        ).members

    def at(self, nodes: Shared) -> tuple[Member, ...]:
        """Return the members with nodes as they are meant to be, whatever they were asked before.

        Modes are searched from zero each time, which costs no more than from those of another point, so that the bits
        of an answer depend on its question alone.
        """
        if self._refined > nodes.refined:
            self._made = None
        adaptive = [m for m in self.members if isinstance(m, QuadratureLikelihood | Mixture | Partition)]
        numbers = tuple(p.number for p in nodes.placed)
        if numbers[: len(self._placed)] != self._placed or not numbers:
            for m in adaptive if self._placed else ():
                m.release()
            self._placed = ()
        try:
            for m in adaptive:
                self._moved(m, nodes)
        except (Infeasible, np.linalg.LinAlgError):  # nodes are neither here nor there
            self._made = None
            raise
        self._placed = numbers
        for _ in range(nodes.refined - self._refined):
            for grid in self.members:
                if isinstance(grid, Refinable):
                    grid.refine()
        self._refined = nodes.refined
        return self.members

    def _moved(self, m: QuadratureLikelihood | Mixture | Partition, nodes: Shared) -> None:
        """Move nodes to where those that have been asked last were not yet."""
        m.reset()
        for p in nodes.placed[len(self._placed) :]:
            m.points = p.points
            if isinstance(m, Mixture | Partition):
                m.move_once(p.x)
                m.reset()
            else:
                m.spread = p.spread
                m.place(p.x)
        m.points = nodes.points


class Placement(NamedTuple):
    """Nodes that stand still: their number in the fit, points a dimension, spread, and where they were placed."""

    number: int
    points: int | None
    spread: float
    x: Floats


class Shared(NamedTuple):
    """Where all partitions have their nodes.

    Points a dimension of adaptive nodes; how often shared ones were refined; how adaptive ones came to stand where they
    are, one placement after the other.
    """

    points: int | None
    refined: int = 0
    placed: tuple[Placement, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why a partition has no members; findings travel where exceptions that hold them do not."""

    findings: tuple[Diagnostic, ...]


def standing(part: BoundPart, blueprint: Blueprint) -> Standing:
    """Return the members of a partition."""
    return Standing(part, blueprint)


def answer(of: Standing, question: str, nodes: Shared, x: Floats) -> Any:
    """Return what the members of one partition say at `x`; where they have no density, or there are none, why."""
    try:
        with np.errstate(all="ignore"):
            of.at(nodes)
            return ANSWERS[question](of, x)
    except (Infeasible, np.linalg.LinAlgError) as problem:
        return Infeasible(str(problem))
    except FitError as problem:
        return Refusal(problem.diagnostics)


def _value_and_gradient(of: Standing, x: Floats) -> tuple[float, Floats]:
    return added([m.value_and_gradient(x) for m in of.members])


def _scored(of: Standing, x: Floats) -> Scored:
    return added([scored(m, x) for m in of.members])


def scored(member: Member, x: Floats) -> Scored:
    """Return log-likelihood, gradient and the sum of s s' / f over top-level units, f how often each occurred."""
    values, scores = member.values_and_scores(x)
    f = member.multiplicity
    weight = np.where(f > 0, 1.0 / np.maximum(f, 1e-300), 0.0)
    return float(values.sum()), scores.sum(axis=0), (scores * weight[:, None]).T @ scores


def _meat(of: Standing, x: Floats) -> tuple[Floats, float]:
    clusters = of.blueprint.table.clusters
    parts: list[Meat] = []
    for member, g in zip(of.members, of.groups, strict=True):
        scores, design = member.values_and_scores(x)[1], of.part.designs[g]
        codes, copies = np.arange(len(scores)), member.multiplicity
        if clusters:
            codes, copies = design.clusters[clusters[-1]][member.records], multiplicity(clusters[-1], design)
        parts.append(meat_of(scores, codes, copies))
    return added(parts)


def _given_states(of: Standing, x: Floats) -> Floats | None:
    """Return the information were all states known, see `Mixture.information`, however many units there are."""
    for m in of.members:
        if isinstance(m, Mixture | Partition):
            m.cautious = True
    return all_of([m.information(x) for m in of.members])


def _state_sizes(of: Standing, x: Floats) -> dict[str, Floats]:
    """Return the numbers of units in each state."""
    found: dict[str, Floats] = {}
    for m in of.members:
        for key, (size, total) in m.state_sizes(x).items():
            found[key] = found.get(key, 0.0) + size * total
    return found


ANSWERS: Mapping[str, Any] = {
    "value": lambda of, x: sum(m.value(x) for m in of.members),
    "value and gradient": _value_and_gradient,
    "scored": _scored,
    "meat": _meat,
    "information": lambda of, x: all_of([m.information(x) for m in of.members]),
    "information given states": _given_states,
    "state sizes": _state_sizes,
    "hessian": lambda of, x: all_of([m.hessian(x) for m in of.members]),
    "start": lambda of, x: all_of([m.start(x)[1] for m in of.members]),
    "difference": lambda of, x: added([m.difference(x) for m in of.members]),
    "steepness": lambda of, x: max(m.steepness(x) for m in of.members),
    "multiplicity": lambda of, x: np.concatenate([m.multiplicity for m in of.members]),
    "reach": lambda of, x: reach(of.members, x),
    "tally": lambda of, x: of.tally,
}
"""What a partition can be asked."""


def all_of(matrices: Sequence[Floats | None]) -> Floats | None:
    """Return the sum, None where one is missing."""
    there = [m for m in matrices if m is not None]
    return np.asarray(added([(m,) for m in there])[0]) if len(there) == len(matrices) else None


def added(answers: Sequence[T]) -> T:
    """Add answers, tuples of numbers and arrays, one after the other."""
    total: list[Any] = list(answers[0])
    for more in answers[1:]:
        total = [a + b for a, b in zip(total, more, strict=True)]
    return cast("T", tuple(total))
