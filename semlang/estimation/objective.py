"""The function that is maximised: the log-likelihoods of all groups in the coordinates that constraints leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.border import lacking
from semlang.estimation.constraints import Constraints
from semlang.estimation.frame import Framed
from semlang.estimation.member import Apart, Infeasible, Member, Summed
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.scaling import Scaled

__all__ = ["Objective"]

Floats = NDArray[np.float64]


class Objective:
    """Sum of the groups' log-likelihoods at ``x = base + basis z``.

    Parameters
    ----------
    members : sequence of Member
    parametrisation : Parametrisation, Scaled or Framed
    constraints : Constraints

    Attributes
    ----------
    admits : callable or None
        Says of coordinates of all parameters whether they are looked at; the others have no likelihood.
    watch : callable or None
        Is shown every evaluation with a gradient: this function, coordinates, value.
    """

    def __init__(
        self,
        members: Sequence[Member],
        parametrisation: Parametrisation | Scaled | Framed,
        constraints: Constraints,
    ) -> None:
        self.members = tuple(members)
        self.parametrisation = parametrisation
        self.base, self.basis = constraints.base, constraints.basis
        self._plain: bool = self.basis.shape[0] == self.basis.shape[1]
        self.multiplicity: Floats = np.concatenate([m.multiplicity for m in members])
        self.evaluations = 0
        self.admits: Callable[[Floats], bool] | None = None
        self.watch: Callable[[Objective, Floats, float], None] | None = None

    def hold(self, values: Mapping[int, float]) -> Objective:
        """Return the same function with some coordinates held at values: it has these no more."""
        out, held = copy(self), list(values)
        out.base = self.base + self.basis[:, held] @ np.array(list(values.values()))
        out.basis = np.delete(self.basis, held, axis=1)
        out._plain = False
        return out

    @property
    def plain(self) -> bool:
        """Whether the coordinates are those of all parameters."""
        return self._plain

    @property
    def n(self) -> int:
        """Number of coordinates."""
        return int(self.basis.shape[1])

    def x(self, z: Floats) -> Floats:
        """Return the optimiser's coordinates of all parameters."""
        return z.copy() if self._plain else self.base + self.basis @ z

    def z(self, x: Floats) -> Floats:
        """Return the coordinates nearest to `x` (the free parameters' own values)."""
        if self._plain:
            return x.copy()
        free = [int(np.flatnonzero(column == 1.0)[0]) for column in self._unit_rows()]
        return x[free]

    def _unit_rows(self) -> list[Floats]:
        """For each coordinate, an indicator of the parameter that it is."""
        rows = np.abs(self.basis).sum(axis=1) == 1.0
        return [np.where(rows & (self.basis[:, k] == 1.0), 1.0, 0.0) for k in range(self.n)]

    def _admitted(self, z: Floats) -> Floats:
        """Return x; raise where `admits` refuses it."""
        self.evaluations += 1
        x = self.x(z)
        if self.admits is not None and not self.admits(x):
            raise Infeasible("outside of what is looked at")
        return x

    def theta(self, z: Floats) -> Floats:
        """Return the table's parameters."""
        return self.parametrisation.theta(self.x(z))

    def jacobian(self, z: Floats) -> Floats:
        """Return dtheta/dz (P, n)."""
        return self._carried(self.parametrisation, z)

    @property
    def within(self) -> Parametrisation | Scaled:
        """The parametrisation without the frame of centred and scaled covariates."""
        return self.parametrisation.inner if isinstance(self.parametrisation, Framed) else self.parametrisation

    def inside(self, z: Floats) -> Floats:
        """Return the parameters in the frame of centred and scaled covariates, see `semlang.estimation.frame`."""
        return self.within.theta(self.x(z))

    def jacobian_inside(self, z: Floats) -> Floats:
        """Return the derivatives (P, n) of the parameters in that frame."""
        return self._carried(self.within, z)

    def _carried(self, parametrisation: Parametrisation | Scaled | Framed, z: Floats) -> Floats:
        out = parametrisation.jacobian(self.x(z))
        return out if self._plain else out @ self.basis

    def standard_errors(self, vcov: Floats) -> Floats:
        """Return the standard errors of x (P,) from the covariance matrix of z."""
        variances = np.diagonal(vcov) if self._plain else ((self.basis @ vcov) * self.basis).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(variances, 0.0)))

    def value(self, z: Floats) -> float:
        """Return the log-likelihood."""
        x = self._admitted(z)
        return sum(m.value(x) for m in self.members)

    def value_and_gradient(self, z: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (n,)."""
        x = self._admitted(z)
        parts = [m.value_and_gradient(x) for m in self.members]
        gradient: Floats = np.sum([g for _, g in parts], axis=0)
        value = sum(f for f, _ in parts)
        if self.watch is not None:
            self.watch(self, z, value)
        return value, gradient if self._plain else gradient @ self.basis

    def value_and_scores(self, z: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and the scores of all top-level units (C, n)."""
        x = self._admitted(z)
        parts = [m.values_and_scores(x) for m in self.members]
        scores: Floats = np.concatenate([s for _, s in parts])
        value = float(sum(f.sum() for f, _ in parts))
        if self.watch is not None:
            self.watch(self, z, value)
        return value, scores if self._plain else scores @ self.basis

    @property
    def by_unit(self) -> bool:
        """Whether scores of top-level units can be had, and not their sums alone."""
        return not any(isinstance(m, Summed) for m in self.members)

    def scored(self, z: Floats) -> tuple[float, Floats, Callable[[], Floats]]:
        """Return the log-likelihood, its gradient, and a function that returns the outer product of the scores."""
        apart = [m for m in self.members if isinstance(m, Apart)]
        if len(apart) == len(self.members):
            return *self.value_and_gradient(z), lambda: self.outer_product(self._scores(apart, self.x(z)))
        if self.by_unit:
            value, scores = self.value_and_scores(z)
            return value, scores.sum(axis=0), lambda: self.outer_product(scores)
        x = self._admitted(z)
        parts = [m.scored(x) for m in self.members if isinstance(m, Summed)]
        value = float(sum(f for f, _, _ in parts))
        gradient: Floats = np.sum([slope for _, slope, _ in parts], axis=0)
        outer: Floats = np.sum([square for _, _, square in parts], axis=0)
        if self.watch is not None:
            self.watch(self, z, value)
        if self._plain:
            return value, gradient, lambda: outer
        return value, gradient @ self.basis, lambda: np.asarray(self.basis.T @ outer @ self.basis)

    def with_borders(self, z: Floats, gradient: Floats, information: Floats) -> Floats:
        """Return an outer product of scores (n, n) with what it lacks at borders, see `border.lacking`."""
        x, out = self.x(z), information
        for block in self.within.blocks:
            rows = self.basis[block.own]
            at = np.flatnonzero(rows.any(axis=0))
            if at.size < block.own.size or not (rows.sum(axis=1) == 1.0).all():
                continue
            at = rows.argmax(axis=1)
            here = np.ix_(at, at)
            more = lacking(block, x, gradient[at], information[here])
            if more is not None:
                out = out.copy() if out is information else out
                out[here] += more
        return out

    def _scores(self, apart: Sequence[Apart], x: Floats) -> Floats:
        """Return the scores of all units in the optimiser's coordinates."""
        scores: Floats = np.concatenate([m.scores_alone(x) for m in apart])
        return scores if self._plain else scores @ self.basis

    def meat(self, z: Floats) -> tuple[Floats, float]:
        """Return the middle of the sandwich (n, n), and the number of units that it sums over."""
        parts = [m.meat(self.x(z)) for m in self.members if isinstance(m, Summed)]
        total: Floats = np.sum([part for part, _ in parts], axis=0)
        return total if self._plain else self.basis.T @ total @ self.basis, sum(n for _, n in parts)

    def information(self, z: Floats) -> Floats | None:
        """Return the expected information (n, n), where every member has one."""
        x = self.x(z)
        total: Floats = np.zeros((x.size, x.size))
        for member in self.members:
            part = member.information(x)
            if part is None:
                return None
            total += part
        return total if self._plain else self.basis.T @ total @ self.basis

    @property
    def exact(self) -> bool:
        """Whether second derivatives cost no more than the expected information."""
        return all(m.exact for m in self.members)

    @property
    def standing(self) -> bool:
        """Whether nodes of some member stand still while the optimiser climbs."""
        return any(m.standing for m in self.members)

    def hessian(self, z: Floats) -> Floats | None:
        """Return the second derivatives (n, n), where every member has them in closed form."""
        x = self.x(z)
        total: Floats = np.zeros((x.size, x.size))
        for member in self.members:
            part = member.hessian(x)
            if part is None or not np.isfinite(part).all():
                return None
            total += part
        return total if self._plain else self.basis.T @ total @ self.basis

    def start(self, z: Floats) -> tuple[Floats, Floats | None]:
        """Return a start that is at least as good, and an approximate inverse information there or None.

        A member may move the start only where it is alone and without constraints.
        """
        x, total = self.x(z), np.zeros((self.basis.shape[0],) * 2)
        alone = len(self.members) == 1 and self._plain
        better = x
        try:
            for member in self.members:
                moved, information = member.start(x)
                if information is None or (moved is not x and not (alone and member.value(moved) >= member.value(x))):
                    return z, None
                better = moved
                total += information
            if not self._plain:
                total = self.basis.T @ total @ self.basis
            return z if better is x else better, np.asarray(np.linalg.inv(total), dtype=np.float64)
        except (Infeasible, np.linalg.LinAlgError):
            return z, None

    def move(self, z: Floats) -> bool:
        """Move what stands still while the optimiser climbs; return whether the log-likelihood has changed."""
        x = self.x(z)
        moved = [m.move(x) for m in self.members]
        return any(moved)

    def outer_product(self, scores: Floats) -> Floats:
        """Return the sum over units of s s', each counted as often as it occurred."""
        weight = np.where(self.multiplicity > 0, 1.0 / np.maximum(self.multiplicity, 1e-300), 0.0)
        return (scores * weight[:, None]).T @ scores
