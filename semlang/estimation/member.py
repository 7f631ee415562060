"""What the log-likelihood of one group offers, however it is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Apart", "Coarsenable", "Infeasible", "LevelMoments", "Member", "Posterior", "Refinable", "Summed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Infeasible(ValueError):
    """A trial point has no density: a covariance matrix is not positive definite."""


@dataclass(frozen=True)
class LevelMoments:
    """Posterior moments of the disturbances zeta of the units of one level, given all responses.

    Parameters
    ----------
    keys : tuple of str
        Keys of the variables that the M disturbances belong to.
    means : (units, M) floats
        One line a unit of the level in the order of the design; units without a response have prior moments.
    covariances : (units, M, M) floats
        NaN between two disturbances that are integrated one after the other.
    """

    keys: tuple[str, ...]
    means: Floats
    covariances: Floats


@dataclass(frozen=True)
class Posterior:
    """What the responses say about the latent variables.

    Parameters
    ----------
    levels : mapping from level to LevelMoments
        Of the continuous latent variables, lowest level first.
    classes : mapping from key to (units, C) floats
        Probabilities of the states of the discrete latent variables, by unit of their level.
    """

    levels: Mapping[str, LevelMoments]
    classes: Mapping[str, Floats] = field(default_factory=dict)


class Member(Protocol):
    """The log-likelihood of one group in the optimiser's coordinates (P,); C top-level units.

    All functions of the coordinates raise `Infeasible` where there is no density.
    """

    points: int | None
    """Quadrature points a dimension, which may be set; None where none are needed."""

    @property
    def multiplicity(self) -> Floats:
        """How often each top-level unit occurred (C,)."""

    @property
    def records(self) -> Ints:
        """First record of the design of each top-level unit (C,)."""

    @property
    def used(self) -> float:
        """Number of records with a response, frequencies counted."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """Numbers of responses that are left out, by reason."""

    @property
    def exact(self) -> bool:
        """Whether `hessian` has a form that costs no more than the expected information."""

    @property
    def standing(self) -> bool:
        """Whether nodes stand still while the optimiser climbs: its last gradient may be that of other nodes."""

    @property
    def distinct(self) -> Mapping[str, int]:
        """Number of different units that each discrete latent variable can tell apart."""

    def value(self, x: Floats, /) -> float:
        """Return the log-likelihood."""

    def value_and_gradient(self, x: Floats, /) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""

    def values(self, x: Floats, /) -> Floats:
        """Return the log-likelihoods of the top-level units, (C,)."""

    def values_and_scores(self, x: Floats, /) -> tuple[Floats, Floats]:
        """Return the log-likelihoods of the top-level units and their gradients, (C,) and (C, P).

        A unit's frequency and weight multiply both.
        """

    def information(self, x: Floats, /) -> Floats | None:
        """Return the expected information (P, P), where it has a form."""

    def hessian(self, x: Floats, /) -> Floats | None:
        """Return the second derivatives (P, P), where they have a form."""

    def start(self, x: Floats, /) -> tuple[Floats, Floats | None]:
        """Return coordinates at least as good and an approximate information there, where that is cheap."""

    def first_state_values(self, x: Floats, /) -> Floats | None:
        """Return the log-likelihoods (C,) were all units in the first state of the one discrete latent variable.

        None where there is not exactly one, at the level of the top-level units.
        """

    def move(self, x: Floats, /) -> bool:
        """Move what stands still while the optimiser climbs; return whether the log-likelihood has changed."""

    def state_sizes(self, x: Floats, /) -> Mapping[str, tuple[Floats, float]]:
        """Return the proportions of the states of discrete latent variables, and the weight of their units."""

    def posterior(self, x: Floats, /) -> Posterior:
        """Return the posterior of the latent variables."""


@runtime_checkable
class Apart(Protocol):
    """A member whose value and gradient take a part of what its scores do."""

    def scores_alone(self, x: Floats, /) -> Floats:
        """Return the scores of the top-level units (C, P)."""


@runtime_checkable
class Summed(Protocol):
    """A member whose units are not at hand: it answers with sums over them."""

    def scored(self, x: Floats, /) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood, its gradient (P,) and the sum of s s' / f (P, P) over top-level units.

        s are a unit's scores, f how often it occurred.
        """

    def meat(self, x: Floats, /) -> tuple[Floats, float]:
        """Return the same sum over the units of the highest cluster, and how many of them there are."""

    def reach(self, x: Floats, /) -> float:
        """Return how far out linear predictors are, see `semlang.estimation.reach`."""


@runtime_checkable
class Coarsenable(Protocol):
    """A member whose units share nodes, of which few do for the way to a maximum."""

    def coarsen(self, few: bool) -> None:
        """Take few nodes, or as many as at first."""


@runtime_checkable
class Refinable(Protocol):
    """A member whose units share their nodes, of which there can be more."""

    @property
    def tolerance(self) -> float:
        """Error of the log-likelihood that is small enough."""

    @property
    def nodes(self) -> Sized:
        """The nodes of a dimension."""

    def difference(self, x: Floats, /) -> tuple[float, float]:
        """Return the difference to another rule's log-likelihood, which adds over units, and what else is wrong."""

    def error(self, x: Floats, /) -> float:
        """Return the error of the log-likelihood."""

    def steepness(self, x: Floats, /) -> float:
        """Return the largest SD that latent variables give a linear predictor; 0 if that is no trouble."""

    def can_settle(self, x: Floats, /) -> bool:
        """Whether the most nodes that there are may be enough."""

    def refine(self) -> bool:
        """Take more nodes; False where there are no more to take."""
