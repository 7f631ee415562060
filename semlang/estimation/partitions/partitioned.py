"""A member whose rows lie in partitions: sums over these, added in their order, wherever they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.errors import FitError
from semlang.estimation.closed_form import ClosedForm
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.conditioning.partition import Partition
from semlang.estimation.conditioning.summed import MOVES, STILL, are_few
from semlang.estimation.continuous import Continuous
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Infeasible, Member, Posterior, Refinable
from semlang.estimation.partitions.parts import Parts
from semlang.estimation.partitions.standing import (
    Blueprint,
    Meat,
    Placement,
    Refusal,
    Scored,
    Shared,
    Sloped,
    added,
    all_of,
    answer,
    standing,
)
from semlang.estimation.tally import Tally

__all__ = ["Partitioned", "PartitionedGrid", "PartitionedMixture", "PartitionedQuadrature", "partitioned"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


NUMBERS = count()
"""Of placements: no two of a process are alike."""


class Partitioned(Continuous):
    """The log-likelihood of all groups as a sum over partitions of the data.

    Parameters
    ----------
    parts : Parts
    blueprint : Blueprint
    like : sequence of Member
        The members of the first rows, which tell what kind the others are of.

    Attributes
    ----------
    like : tuple of Member
    """

    def __init__(self, parts: Parts, blueprint: Blueprint, like: Sequence[Member]) -> None:
        self._held = parts.bound.map(standing, blueprint, keep=parts.keep)
        self.points: int | None = next((m.points for m in like if m.points is not None), None)
        self.like = tuple(like)
        self._refined = 0
        self._placed: tuple[Placement, ...] = ()

    def _ask(self, question: str, x: Floats) -> list[Any]:
        found = self._held.ask(answer, question, Shared(self.points, self._refined, self._placed), x)
        for one in found:
            if isinstance(one, Infeasible):
                raise one
            if isinstance(one, Refusal):
                raise FitError(one.findings)
        return found

    @cached_property
    def multiplicity(self) -> Floats:
        """How often each top-level unit occurred."""
        return np.concatenate(self._ask("multiplicity", np.zeros(0)))

    @property
    def exact(self) -> bool:
        """Whether second derivatives have a form."""
        return all(m.exact for m in self.like)

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
        return added(found)

    def scored(self, x: Floats) -> Scored:
        """Return the log-likelihood, its gradient and the outer product of the scores of top-level units."""
        found: list[Scored] = self._ask("scored", x)
        return added(found)

    def meat(self, x: Floats) -> tuple[Floats, float]:
        """Return the outer product of the scores of units of the highest cluster, and the number of these."""
        found: list[Meat] = self._ask("meat", x)
        return added(found)

    def values(self, x: Floats) -> Floats:
        """Refuse: log-likelihoods of units stay where their rows are."""
        raise NotImplementedError("partitions answer with sums")

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Refuse: scores of units stay where their rows are."""
        raise NotImplementedError("partitions answer with sums")

    def information(self, x: Floats) -> Floats | None:
        """Return the expected information, where it has a form."""
        return all_of(self._ask("information", x)) if all(isinstance(m, ClosedForm) for m in self.like) else None

    def hessian(self, x: Floats) -> Floats | None:
        """Return the second derivatives, where they have a form."""
        if any(isinstance(m, QuadratureLikelihood) for m in self.like):
            return None
        return all_of(self._ask("hessian", x))

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are, and for shared nodes the complete-data information there."""
        return x, all_of(self._ask("start", x)) if all(isinstance(m, Refinable) for m in self.like) else None

    def posterior(self, x: Floats) -> Posterior:
        """Refuse: posterior moments of units stay where their rows are."""
        raise NotImplementedError("partitions answer with sums")

    def reach(self, x: Floats) -> float:
        """Return how far out linear predictors are, see `semlang.estimation.reach`."""
        return float(max(self._ask("reach", x)))

    def tally(self, x: Floats) -> Tally:
        """Return what all partitions count."""
        return Tally.of_parts(self._ask("tally", x))


class PartitionedGrid(Partitioned):
    """The same where units share their nodes: those of all partitions are refined together."""

    standing = True

    @property
    def _grids(self) -> list[Refinable]:
        return [m for m in self.like if isinstance(m, Refinable)]

    @property
    def tolerance(self) -> float:
        """Error of the log-likelihood that is small enough."""
        return min(m.tolerance for m in self._grids)

    @property
    def nodes(self) -> Sized:
        """The nodes of a dimension."""
        return max((m.nodes for m in self._grids), key=len)

    def difference(self, x: Floats) -> tuple[float, float]:
        """Return the difference to the log-likelihood of another rule, and what else is wrong."""
        found: list[tuple[float, float]] = self._ask("difference", x)
        return added(found)

    def error(self, x: Floats) -> float:
        """Return the error of the log-likelihood."""
        difference, beyond = self.difference(x)
        return abs(difference) + beyond

    def steepness(self, x: Floats) -> float:
        """Return the largest SD that latent variables give the linear predictor of a response."""
        return float(max(self._ask("steepness", x)))

    def can_settle(self, x: Floats) -> bool:
        """Whether the most nodes that there are may be enough."""
        return all(m.can_settle(x) for m in self._grids)

    def refine(self) -> bool:
        """Take more nodes; False where there are no more to take."""
        more = [m.refine() for m in self._grids]
        self._refined += any(more)
        return any(more)


class PartitionedQuadrature(Partitioned):
    """The same by adaptive nodes, which can stand still; how they came to stand there travels with every question."""

    spread = 0.0

    @property
    def standing(self) -> bool:
        """Whether nodes do not follow the modes."""
        return bool(self._placed)

    def place(self, x: Floats) -> None:
        """Move the nodes to posterior means and standard deviations at `x`, taken at the nodes as they are."""
        self._placed = (*self._placed, Placement(next(NUMBERS), self.points, self.spread, x.copy()))

    def release(self) -> None:
        """Let the nodes follow the modes again."""
        self._placed, self.spread = (), 0.0

    def steepness(self, x: Floats) -> float:
        """Return the largest SD that latent variables give the linear predictor of a response."""
        return float(max(self._ask("steepness", x)))


class PartitionedMixture(Partitioned):
    """The same by sums over states, see `Mixture`; nodes move in all partitions at once."""

    standing = True

    @property
    def _mixtures(self) -> list[Mixture | Partition]:
        return [m for m in self.like if isinstance(m, Mixture | Partition)]

    @property
    def distinct(self) -> Mapping[str, int]:
        """Number of different units that each discrete latent variable can tell apart, in the first rows."""
        counts = [m.distinct for m in self._mixtures]
        return {key: min(c[key] for c in counts if key in c) for key in dict.fromkeys(k for c in counts for k in c)}

    def information(self, x: Floats) -> Floats | None:
        """Return the information there would be were all states known, where there are few units for the parameters."""
        different = sum(m.records.size for m in self._mixtures)
        few = are_few(float(self.multiplicity.sum()), different, x.size)
        return all_of(self._ask("information given states", x)) if few else None

    def hessian(self, x: Floats) -> Floats | None:
        """Return None: second derivatives have no closed form."""
        return None

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are."""
        return x, None

    def move(self, x: Floats) -> bool:
        """Move the nodes to the posterior at `x` until the log-likelihood stays; return whether it had changed."""
        if not any(m.nodes for m in self._mixtures):
            return False
        changed = False
        before = self.value(x)
        for _ in range(MOVES):
            self._placed = (*self._placed, Placement(next(NUMBERS), self.points, 0.0, x.copy()))
            value = self.value(x)
            still = abs(value - before) < STILL
            before = value
            if still:
                break
            changed = True
        return changed

    def state_sizes(self, x: Floats) -> Mapping[str, tuple[Floats, float]]:
        """Return the proportions of the states of discrete latent variables, and the weight of their units."""
        found: dict[str, Floats] = {}
        for part in self._ask("state sizes", x):
            for key, size in part.items():
                found[key] = found.get(key, 0.0) + size
        return {key: (size / size.sum(), float(size.sum())) for key, size in found.items()}


def partitioned(parts: Parts, blueprint: Blueprint, like: Sequence[Member]) -> Partitioned:
    """Return the member that stands for those of all partitions; arguments as of `Partitioned`."""
    if all(isinstance(m, Refinable) for m in like):
        return PartitionedGrid(parts, blueprint, like)
    if all(isinstance(m, QuadratureLikelihood) for m in like):
        return PartitionedQuadrature(parts, blueprint, like)
    if all(isinstance(m, Mixture | Partition) for m in like):
        return PartitionedMixture(parts, blueprint, like)
    return Partitioned(parts, blueprint, like)
