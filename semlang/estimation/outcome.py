"""What a fit found, before it is shown: estimates, their covariance matrix, the way there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.empirical import Slope
from semlang.diagnostics import Diagnostic
from semlang.estimation.left_out import LeftOut
from semlang.estimation.optimize import Iteration
from semlang.estimation.planned import GRIDS, SPARSE, Plan

__all__ = ["DefinedEstimate", "Estimate"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DefinedEstimate:
    """Estimate of a defined parameter."""

    name: str
    text: str
    est: float
    se: float


@dataclass(frozen=True)
class Estimate:
    """What the engine found.

    Parameters
    ----------
    theta : (P,) floats
        Estimates of the table's parameters.
    vcov : (P, P) floats or None
        Their covariance matrix; NaN for parameters on the border of the parameter space.
    inside : ((P,) floats, (P, P) floats or None) or None
        The same where covariates are centred and scaled, see `semlang.estimation.frame`; None where none are.
    slopes : tuple of Slope
        Random intercepts and slopes there, with the means of their covariates.
    loglik : float
    converged : bool
    method, se : str
        How the likelihood was computed and the standard errors.
    points : int or None
        Quadrature points per dimension, None without quadrature; where latent variables were eliminated in turn, those
        of the adaptive nodes that stand for the posterior afterwards.
    spread : float or None
        None where nodes follow the modes; else they stand at posterior means and SDs, Gauss-Hermite (0) or equispaced
        over so many SDs to both sides.
    points_history : tuple of (int, float)
        Log-likelihood at the optimum with more points.
    n_free : int
        Number of free parameters, after equality constraints.
    n_rows : int
        Records with a response, frequencies counted.
    n_rows_read : int
        Rows that were read, frequencies counted.
    left_out : tuple of LeftOut
        Rows and responses that do not count, and why.
    n_clusters : mapping from cluster to its number of units
    n_top : float
        Independent units, frequencies counted.
    log : tuple of Iteration
    defined : tuple of DefinedEstimate
    scores : (C, P) floats or None
        Scores of the top-level units in the table's parameters.
    dropped : mapping from reason to number of responses left out
    starts, finished, agreed : int
        Number of starts, how many of them were followed to the end, and how many reached the best log-likelihood.
    interrupted : bool
        The fit was stopped by the user, and this is what was there.
    diagnostics : tuple of Diagnostic
    plan : Plan
    class_sizes : mapping from key to tuple of float
        Proportions of the states of discrete latent variables.
    limits : mapping from parameter to +-inf
        Parameters whose estimates have no bound (probabilities of 0 or 1); `theta` has a value far out.
    border : tuple of int
        Parameters of covariance matrices without full rank; their standard errors are those of that rank.
    compiling : float
        Seconds that went into compiling kernels, which is done once.
    rotation : str
        How exploratory factors were rotated, '' where there are none.
    """

    theta: Floats
    vcov: Floats | None
    loglik: float
    converged: bool
    method: str
    se: str
    points: int | None
    points_history: tuple[tuple[int, float], ...]
    n_free: int
    n_rows: int
    n_clusters: Mapping[str, int]
    n_top: float
    log: tuple[Iteration, ...] = field(default=(), repr=False)
    defined: tuple[DefinedEstimate, ...] = ()
    scores: Floats | None = field(default=None, repr=False)
    dropped: Mapping[str, int] = field(default_factory=dict)
    starts: int = 1
    finished: int = 1
    agreed: int = 1
    interrupted: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()
    spread: float | None = None
    plan: Plan | None = field(default=None, repr=False)
    class_sizes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    limits: Mapping[int, float] = field(default_factory=dict)
    border: tuple[int, ...] = ()
    compiling: float = 0.0
    rotation: str = ""
    n_rows_read: int = 0
    left_out: tuple[LeftOut, ...] = ()
    inside: tuple[Floats, Floats | None] | None = field(default=None, repr=False)
    slopes: tuple[Slope, ...] = field(default=(), repr=False)

    @property
    def engines(self) -> tuple[str, ...]:
        """Engine of each group where all units share their nodes, or these are of a sparse rule; else empty."""
        found = () if self.plan is None else tuple(g.engine for g in self.plan.groups)
        return found if set(found) & {SPARSE, *GRIDS} else ()

    @property
    def sparse(self) -> bool:
        """Whether the nodes are those of a sparse rule."""
        return SPARSE in self.engines

    @property
    def points_again(self) -> int | None:
        """Points to ask for where another fit is to be made in the same way; None where it has the choice."""
        return None if self.engines else self.points
