"""A member whose rows lie in partitions: sums over these, added in their order, wherever they are computed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.partitions.binding import BoundPartitions
from semlang.data.partitions.held import Held
from semlang.data.partitions.part import BoundPart, Sizes
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.assemble import assemble, multiplicity
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.conditioning.filled import are_missing
from semlang.estimation.constraints import Constraints
from semlang.estimation.continuous import Continuous
from semlang.estimation.covariance import meat_of
from semlang.estimation.frame import Frame
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Infeasible, Member, Posterior
from semlang.estimation.planned import Partitioning, Plan
from semlang.estimation.reach import reach
from semlang.estimation.tally import Tally, tally
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ParameterTable

__all__ = ["Blueprint", "Partitioned", "Parts", "of_all", "parts_of", "refused"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Sloped = tuple[float, Floats]
Scored = tuple[float, Floats, Floats]
Meat = tuple[Floats, float]
T = TypeVar("T", bound=tuple[Any, ...])

ROW = 200.0
"""Bytes that an observed response takes in a member, about (24 numbers of 8 bytes were counted for a logit)."""


@dataclass(frozen=True)
class Parts:
    """The data of a fit in partitions.

    Parameters
    ----------
    bound : Held
        A `BoundPart` a partition.
    sizes : tuple of Sizes
    keep : int
        So many of the first partitions may stay in the memory of this process.
    workers : int
        Number of worker processes, 0 where all is computed in this one.
    whole : bool
        Whether the designs of the fit are all of the data, and not the first rows of each partition.
    """

    bound: Held
    sizes: tuple[Sizes, ...]
    keep: int
    workers: int
    whole: bool

    def rows(self, group: int) -> int:
        """Number of rows of a group."""
        return sum(s.rows[group] for s in self.sizes)

    def responses(self, group: int) -> int:
        """Number of observed responses of a group."""
        return sum(s.responses[group] for s in self.sizes)

    def units(self, group: int, level: str) -> int:
        """Number of units of a level in a group."""
        return self.rows(group) if level == "rows" else sum(s.units[group].get(level, 0) for s in self.sizes)


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
    road: Mapping[str, Any]


def parts_of(bound: BoundPartitions[Any], workers: int) -> Parts:
    """Return the data of a fit; as many partitions stay in this process as its budget allows.

    The budget is `SEMLANG_MEMORY`, in megabytes, or a quarter of the memory of the machine.
    """
    budget, keep = _budget(), 0
    for one in bound.sizes:
        budget -= ROW * sum(one.responses)
        if budget < 0:
            break
        keep += 1
    return Parts(bound.parts, bound.sizes, keep, workers, bound.whole)


def _budget() -> float:
    """Return the bytes that partitions may take together.

    Raises
    ------
    FitError
        Where the variable is no number.
    """
    asked = os.environ.get("SEMLANG_MEMORY", "").strip()
    if asked:
        if asked.isascii() and asked.isdigit():
            return 1e6 * int(asked)
        raise FitError(
            [error("bad-option-value", f"SEMLANG_MEMORY is '{asked}', and not a number of megabytes",
                   help="set it to 2000, say, or leave it out: then it is a quarter of the machine's memory")]
        )  # fmt: skip
    try:
        return 0.25 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on every system
        return 1e9


def of_all(found: Plan, parts: Parts) -> Plan:
    """Return a plan for the first rows with the sizes of all."""
    groups = tuple(
        replace(
            group, rows=parts.responses(g),
            levels=tuple(replace(v, units=parts.units(g, v.level)) for v in group.levels),
        )
        for g, group in enumerate(found.groups)
    )  # fmt: skip
    partitioning = Partitioning(
        len(parts.sizes), sum(parts.rows(g) for g in range(len(groups))), parts.keep, parts.workers
    )
    return replace(found, groups=groups, partitioning=partitioning)


def refused(table: ParameterTable) -> str:
    """Return why a model is not fitted to data in partitions, '' where it is."""
    if is_conditional(table):
        return "classes, mass points and products of latent variables need all units at once"
    if table.reshape:
        return "rows are laid out anew (reshape:)"
    if any(v.kind.sets for v in table.responses) and not table.clusters:
        return "sets of alternatives may lie in two partitions: a cluster above them would keep them together"
    return ""


class Standing:
    """The members of one partition; they are made when they are first needed, and again where they have travelled."""

    def __init__(self, part: BoundPart, blueprint: Blueprint) -> None:
        self.part, self.blueprint = part, blueprint
        self._made: tuple[tuple[int, ...], tuple[Member, ...]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"part": self.part, "blueprint": self.blueprint, "_made": None}

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
            b, groups = self.blueprint, self.groups
            graphs, designs = [b.graphs[g] for g in groups], self.designs
            if b.quadrature and any(
                are_missing(b.table, graph, d, lift=False) for graph, d in zip(graphs, designs, strict=True)
            ):
                raise Infeasible("responses that are missing where they predict are not filled in by partition")
            made = assemble(
                b.table, graphs, designs, Constraints(b.table), b.quadrature, b.points, b.threads, **b.road
            ).members
            self._made = groups, made
        return self._made[1]


def standing(part: BoundPart, blueprint: Blueprint) -> Standing:
    """Return the members of a partition."""
    return Standing(part, blueprint)


def answer(of: Standing, question: str, points: int | None, x: Floats) -> Any:
    """Return what the members of one partition say at `x`; an `Infeasible` where they have no density.

    Modes are searched from zero each time, which costs no more than from those of another point, so that the bits of
    an answer do not depend on what was asked before.
    """
    try:
        with np.errstate(all="ignore"):
            for m in of.members:
                m.points = points if m.points is not None else None
                if isinstance(m, QuadratureLikelihood):
                    m.engine.reset()
            return ANSWERS[question](of, x)
    except (Infeasible, np.linalg.LinAlgError) as problem:
        return Infeasible(str(problem))


def _value_and_gradient(of: Standing, x: Floats) -> tuple[float, Floats]:
    return _added([m.value_and_gradient(x) for m in of.members])


def _scored(of: Standing, x: Floats) -> Scored:
    return _added([scored(m, x) for m in of.members])


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
    return _added(parts)


def _tally(of: Standing, x: Floats) -> Tally:
    b, given = of.blueprint, [of.part.designs[g] for g in of.groups]
    forms = [reduced_form(b.outside[g], lift=False) for g in of.groups]
    return tally(b.table, forms, given, given, of.members)


ANSWERS: Mapping[str, Any] = {
    "value": lambda of, x: sum(m.value(x) for m in of.members),
    "value and gradient": _value_and_gradient,
    "scored": _scored,
    "meat": _meat,
    "information": lambda of, x: _all([m.information(x) for m in of.members]),
    "hessian": lambda of, x: _all([m.hessian(x) for m in of.members]),
    "multiplicity": lambda of, x: np.concatenate([m.multiplicity for m in of.members]),
    "reach": lambda of, x: reach(of.members, x),
    "tally": _tally,
}
"""What a partition can be asked."""


def _all(matrices: Sequence[Floats | None]) -> Floats | None:
    """Return the sum, None where one is missing."""
    there = [m for m in matrices if m is not None]
    return np.asarray(_added([(m,) for m in there])[0]) if len(there) == len(matrices) else None


def _added(answers: Sequence[T]) -> T:
    """Add answers, tuples of numbers and arrays, one after the other."""
    total: list[Any] = list(answers[0])
    for more in answers[1:]:
        total = [a + b for a, b in zip(total, more, strict=True)]
    return cast("T", tuple(total))


class Partitioned(Continuous):
    """The log-likelihood of all groups as a sum over partitions of the data.

    Parameters
    ----------
    parts : Parts
    blueprint : Blueprint
    like : sequence of Member
        The members of the first rows, which tell what kind the others are of.
    """

    def __init__(self, parts: Parts, blueprint: Blueprint, like: Sequence[Member]) -> None:
        self._held = parts.bound.map(standing, blueprint, keep=parts.keep)
        self.points: int | None = next((m.points for m in like if m.points is not None), None)
        self._like = tuple(like)

    def _ask(self, question: str, x: Floats) -> list[Any]:
        found = self._held.ask(answer, question, self.points, x)
        for one in found:
            if isinstance(one, Infeasible):
                raise one
        return found

    @cached_property
    def multiplicity(self) -> Floats:
        """How often each top-level unit occurred."""
        return np.concatenate(self._ask("multiplicity", np.zeros(0)))

    @property
    def exact(self) -> bool:
        """Whether second derivatives have a form."""
        return all(m.exact for m in self._like)

    @property
    def records(self) -> Ints:
        """Nothing: records have no number among those of all partitions."""
        return np.zeros(0, dtype=np.int64)

    @property
    def used(self) -> float:
        """Number of records with a response, frequencies counted."""
        return self.tally(np.zeros(0)).rows

    @property
    def dropped(self) -> Mapping[str, int]:
        """Numbers of responses that are left out, by reason."""
        return self.tally(np.zeros(0)).dropped

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        return float(sum(self._ask("value", x)))

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        found: list[Sloped] = self._ask("value and gradient", x)
        return _added(found)

    def scored(self, x: Floats) -> Scored:
        """Return the log-likelihood, its gradient and the outer product of the scores of top-level units."""
        found: list[Scored] = self._ask("scored", x)
        return _added(found)

    def meat(self, x: Floats) -> tuple[Floats, float]:
        """Return the outer product of the scores of units of the highest cluster, and the number of these."""
        found: list[Meat] = self._ask("meat", x)
        return _added(found)

    def values(self, x: Floats) -> Floats:
        """Refuse: log-likelihoods of units stay where their rows are."""
        raise NotImplementedError("partitions answer with sums")

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Refuse: scores of units stay where their rows are."""
        raise NotImplementedError("partitions answer with sums")

    def information(self, x: Floats) -> Floats | None:
        """Return the expected information, where it has a form."""
        if any(isinstance(m, QuadratureLikelihood) for m in self._like):
            return None
        return _all(self._ask("information", x))

    def hessian(self, x: Floats) -> Floats | None:
        """Return the second derivatives, where they have a form."""
        if any(isinstance(m, QuadratureLikelihood) for m in self._like):
            return None
        return _all(self._ask("hessian", x))

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are."""
        return x, None

    def posterior(self, x: Floats) -> Posterior:
        """Refuse: posterior moments of units stay where their rows are."""
        raise NotImplementedError("partitions answer with sums")

    def reach(self, x: Floats) -> float:
        """Return how far out linear predictors are, see `semlang.estimation.reach`."""
        return float(max(self._ask("reach", x)))

    def tally(self, x: Floats) -> Tally:
        """Return what all partitions count."""
        return Tally.of_parts(self._ask("tally", x))
