"""A member whose rows lie in partitions: sums over these, added in their order, wherever they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.errors import FitError
from semlang.estimation.continuous import Continuous
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Infeasible, Member, Posterior
from semlang.estimation.partitions.parts import Parts
from semlang.estimation.partitions.standing import (
    Blueprint,
    Meat,
    Refusal,
    Scored,
    Sloped,
    added,
    all_of,
    answer,
    standing,
)
from semlang.estimation.tally import Tally

__all__ = ["Partitioned"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
        if any(isinstance(m, QuadratureLikelihood) for m in self._like):
            return None
        return all_of(self._ask("information", x))

    def hessian(self, x: Floats) -> Floats | None:
        """Return the second derivatives, where they have a form."""
        if any(isinstance(m, QuadratureLikelihood) for m in self._like):
            return None
        return all_of(self._ask("hessian", x))

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
