"""Any number of nested levels, random slopes, missing responses: recursion in canonical form.

The disturbances of each level are eliminated exactly, the lowest level first (the formulas are in
`semlang.estimation.kernels.gaussian_sweep`); going back from the root gives their posterior moments, from
which the gradient follows by Fisher's identity. The leaves are the units of the lowest level that has
disturbances, and enter by sufficient statistics (`Leaves`).

Residual covariances are disturbances of the rows: for responses whose Theta is not diagonal,
Theta = (Theta - T) + T with T diagonal and small, and Theta - T is the covariance matrix of disturbances with
unit loadings. This is exact for every T, which is therefore treated as constant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.chain import Point
from semlang.estimation.gaussian.engine import Engine
from semlang.estimation.gaussian.leaves import Leaves
from semlang.estimation.gaussian.observations import observe
from semlang.estimation.gaussian.pairwise import pairwise_start
from semlang.estimation.gaussian.residuals import Residuals
from semlang.estimation.gaussian.sweep import Posterior, Sweep, is_singular, signed_factor
from semlang.estimation.gaussian.tree import Tree
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import Cells, ReducedForm
from semlang.sums import sum_by

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class State:
    """The arguments of the recursion at one point, in the standardised columns.

    Parameters
    ----------
    L : (K, A, R), m : (K, C), t : (K,)
        Loadings (times F where `folded`), mean coefficients, residual variances.
    V, F : list of (r, r)
        Covariances of the disturbances of each level, lowest first, and their factors.
    folded : bool
        The recursion runs on spherical disturbances, zeta = F v.
    """

    L: Floats
    m: Floats
    t: Floats
    V: list[Floats]
    F: list[Floats]
    folded: bool


class Nested(Engine):
    """Closed form for nested levels; any covariance matrices of disturbances, residual variances positive.

    One evaluation costs a matrix product of leaves x responses x R^2/2, R the number of disturbances that a
    leaf sees, and units x R^3.
    """

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        self.design = design
        self.data = observe(reduced, design)
        self.residuals = Residuals(reduced, design, self.data.y)
        self.data = replace(self.data, y=self.residuals.y)
        self.coupled = self.as_disturbances(reduced)
        level_of = [z.level for z in reduced.disturbances] + ["rows"] * len(self.coupled)
        levels = [level for level in ("rows", *design.clusters) if level in level_of]
        self.tree = Tree.of(design, levels)
        # The recursion has the highest level first.
        self.blocks: list[slice] = []
        order: list[int] = []
        sizes: list[int] = []
        for level in reversed(levels):
            of = [j for j, name in enumerate(level_of) if name == level]
            self.blocks.insert(0, slice(len(order), len(order) + len(of)))
            sizes.insert(0, len(of))
            order += of
        self.order = np.array(order, dtype=np.int64)
        self.leaves = Leaves(self.data, self.tree, len(order))
        self.sweep = Sweep(self.tree, sizes)
        self.J = len(reduced.disturbances)

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether each response has a residual variance of its own, and there are disturbances."""
        theta = reduced.theta
        diagonal = theta.i == theta.j
        own = set(theta.i[diagonal & ((theta.parameter >= 0) | (theta.value > 0))].tolist())
        levels = {z.level for z in reduced.disturbances}
        return (
            own | {k for k, _ in reduced.quantities} == set(range(len(reduced.responses)))
            and (bool(levels) or len(coupled(theta)) > 0)
            and levels <= {"rows", *design.clusters}
            and design.n_rows > 0
            and not {k for k, _ in reduced.quantities} & {*own, *coupled(theta).tolist()}
            and Residuals.supports(reduced, design)
        )

    def as_disturbances(self, reduced: ReducedForm) -> Ints:
        """Return the responses whose residuals are disturbances of the rows."""
        return coupled(reduced.theta)

    def kept(self, block: Floats, t: Floats) -> Floats:
        """Return what remains of the variances `t` of residuals that are disturbances with covariances `block`.

        Raises
        ------
        Infeasible
            If the block is not positive definite.
        """
        if not (t > 0).all():
            raise Infeasible("a residual variance is not positive")
        scale = np.sqrt(t)
        smallest = float(np.linalg.eigvalsh(block / np.outer(scale, scale))[0])
        if not smallest > 0:
            raise Infeasible("the residual covariance matrix is not positive definite")
        return 0.5 * smallest * t

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        point = self.chain.at(theta)
        state = self.state(point)
        value = self._up(state)
        posterior = self.sweep.down()
        psi = [self.sweep.prior_moments(i, p) for i, p in enumerate(posterior)]
        L, m, t = self.leaves.adjoint(state.L, state.m, state.t, posterior[0])
        gradient = self.chain.gradient(point, *self._adjoints(state, L, m, t, psi))
        self.residuals.gradient(state.t, t, gradient)
        return value, gradient

    def value(self, theta: Floats) -> float:
        """Return the log-likelihood."""
        return self._up(self.state(self.chain.at(theta)))

    def exact_hessian(self, theta: Floats) -> Floats | None:
        """Return the second derivatives where the rows are the leaves and Psi is not singular."""
        from semlang.estimation.gaussian.louis import Louis

        return Louis(self).hessian(theta) if Louis.supports(self) else None

    def values(self, theta: Floats) -> Floats:
        """Return the log-likelihood of each unit of the highest level."""
        state = self.state(self.chain.at(theta))
        self._up(state)
        out = self.leaves.unit_constants(self.data, state.m, state.t)
        weights = self.tree.total or (None,) * len(self.tree.top)
        for part, weight, top in zip(self.sweep.parts, weights, self.tree.top, strict=True):
            out += sum_by(top, part if weight is None else part * weight, self.tree.n_top)
        return out

    def scores(self, theta: Floats) -> Floats:
        """Return the gradient of each unit of the highest level: (units, P)."""
        from semlang.estimation.gaussian.unit_scores import unit_scores

        return unit_scores(self, theta)

    def start(self, theta: Floats) -> tuple[Floats, Floats | None]:
        """Return the fit to pairwise moments and its information, for one level without random slopes."""
        if self.tree.levels != ("rows",) or self.leaves.A > 1:
            return theta, None
        return pairwise_start(self.chain.reduced, self.design, self.data, theta)

    def state(self, point: Point) -> State:
        """Return the arguments of the recursion."""
        response, c = self.residuals.response, self.coupled
        kind = np.searchsorted(response, c)
        t = self.residuals.variances(point.theta, np.diag(point.residual))
        L = np.zeros((len(response), point.L.shape[1], self.J + len(c)))
        L[:, :, : self.J] = np.einsum("ab,kaj->kbj", self.data.random_frame, point.L)[response]
        L[kind, 0, self.J + np.arange(len(c))] = 1.0
        psi = np.zeros((L.shape[2],) * 2)
        psi[: self.J, : self.J] = point.psi
        if len(c):
            block = point.residual[np.ix_(c, c)]
            t[kind] = self.kept(block, t[kind])
            psi[self.J :, self.J :] = block - np.diag(t[kind])
        if not np.all(t > 0):
            raise Infeasible("a residual variance is not positive")
        L = L[:, :, self.order]
        psi = psi[np.ix_(self.order, self.order)]
        V = [psi[b, b] for b in self.blocks]
        signed = [signed_factor(v) for v in V]
        F = [f for f, _ in signed]
        folded = not any(is_singular(f, v) or (s < 0).any() for (f, s), v in zip(signed, V, strict=True))
        if folded:
            V = [np.eye(len(f)) for f in F]
            for b, f in zip(self.blocks, F, strict=True):
                L[:, :, b] = L[:, :, b] @ f
        return State(L, self.data.mean(point.m)[response], t, V, F, folded)

    def _up(self, state: State) -> float:
        K, h, constant = self.leaves.potentials(state.L, state.m, state.t)
        return constant + self.sweep.up(K, h, state.V)

    def _adjoints(
        self, state: State, L: Floats, m: Floats, t: Floats, psi: list[Floats]
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the adjoints of m, L, Psi and Theta from those of the recursion's arguments."""
        J, c = self.J, self.coupled
        n = len(self.order)
        bar, psi_bar = np.empty_like(L), np.zeros((n, n))
        for b, F, own in zip(self.blocks, state.F, psi, strict=True):
            place = self.order[b]
            if state.folded:
                inverse = np.linalg.inv(F)
                bar[:, :, place] = L[:, :, b] @ F.T
                psi_bar[np.ix_(place, place)] = inverse.T @ own @ inverse
            else:
                bar[:, :, place] = L[:, :, b]
                psi_bar[np.ix_(place, place)] = own
        sums = self.residuals.sums
        residual = np.diag(sums @ (t * self.residuals.plain))
        if len(c):
            residual[np.ix_(c, c)] = psi_bar[J:, J:]
        L_bar = np.einsum("ab,kbj->kaj", self.data.random_frame, np.tensordot(sums, bar[:, :, :J], 1))
        return sums @ m @ self.data.frame.T, L_bar, psi_bar[:J, :J], residual

    def posterior(self, state: State) -> list[Posterior]:
        """Return the posterior moments of the disturbances at each level, lowest first."""
        self._up(state)
        return self.sweep.down()


def coupled(theta: Cells) -> Ints:
    """Return the responses that have a residual covariance."""
    off = (theta.i != theta.j) & ((theta.parameter >= 0) | (theta.value != 0))
    return np.unique(np.concatenate([theta.i[off], theta.j[off]])).astype(np.int64)
