"""One level, covariance matrices that depend on covariates: a Cholesky factor for each pattern of these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.chain import Point
from semlang.estimation.gaussian.engine import Engine
from semlang.estimation.gaussian.observations import multiplicity, observe
from semlang.estimation.member import Infeasible
from semlang.estimation.moderation import factor, moderations
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS
from semlang.sums import sum_by

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class _State:
    """What a point of the parameters gives.

    Parameters
    ----------
    point : Point
    L, psi : (G, K, J) and (G, J, J)
        Of each pattern.
    slopes : one array (p, G, b, b) a moderated block
        Derivatives of Psi.
    inverse : (G, K, K)
        Of Sigma of the observed responses, zero elsewhere.
    log_determinant : (G,)
    solved : (n, K)
        Sigma^-1 (y - mu) of each row.
    square : (n,)
        (y - mu)' Sigma^-1 (y - mu).
    """

    point: Point
    L: Floats
    psi: Floats
    slopes: tuple[Floats, ...]
    inverse: Floats
    log_determinant: Floats
    solved: Floats
    square: Floats


class ByCovariates(Engine):
    """Rows are independent with covariance matrix L(d) Psi(x) L(d)' + Theta, each with its own missing pattern.

    For variances and covariances of latent variables that depend on covariates, also beside loadings that do. A pattern
    is what rows have in common: observed responses, d and x. One evaluation costs patterns x K^3 + rows x K^2.
    """

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        self._data = data = observe(reduced, design)
        y = data.y.copy()
        for k, products in enumerate(reduced.needed):
            for product in products:
                y[k, np.isnan(design.columns[product])] = np.nan
        n = design.n_rows
        rows = np.flatnonzero(~np.isnan(y).all(axis=0))
        columns = [np.ones(rows.size)] + [design.columns[p][rows] for p in reduced.random_columns if p]
        D = np.nan_to_num(np.stack(columns))
        moderators = dict.fromkeys(a.via for addends in reduced.moderated.values() for a in addends if a.via)
        x = [np.nan_to_num(design.columns[p][rows]) for p in moderators]
        key = np.vstack([~np.isnan(y[:, rows]), D, *x]).astype(np.float64)
        _, first, group = np.unique(key, axis=1, return_index=True, return_inverse=True)
        self._group: Ints = group.reshape(-1).astype(np.int64)
        self._G = first.size
        self._seen = ~np.isnan(y[:, rows[first]]).T
        self._D = np.ascontiguousarray(D[:, first].T)
        self._y = np.nan_to_num(y[:, rows]).T
        self._mask = ~np.isnan(y[:, rows]).T
        self._x = np.ascontiguousarray(data.x[:, rows].T)
        weight = multiplicity(design, [ROWS, *design.clusters])
        self._weight = np.ones(rows.size) if weight is None else weight[rows]
        self._total = sum_by(self._group, self._weight, self._G)
        top = list(design.clusters)[-1:]
        self.n_units = design.n_units(top[0] if top else ROWS)
        self._unit = (design.clusters[top[0]] if top else np.arange(n))[rows]
        self._moderations = moderations(reduced, design, rows[first])

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether Psi alone depends on covariates and all disturbances vary over rows."""
        one_level = all(z.level == ROWS for z in reduced.disturbances)
        return bool(reduced.moderated) and one_level and not reduced.quantities and design.n_rows > 0

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        state = self._at(theta)
        s, w = state.solved, self._weight
        K = s.shape[1]
        S_bar = np.empty((self._G, K, K))
        for i in range(K):
            for j in range(i + 1):
                S_bar[:, i, j] = S_bar[:, j, i] = sum_by(self._group, w * s[:, i] * s[:, j], self._G)
        S_bar = 0.5 * (S_bar - self._total[:, None, None] * state.inverse)
        m_bar = ((w[:, None] * s).T @ self._x) @ self._data.frame.T
        SL = S_bar @ state.L
        L_bar = np.einsum("ga,gkj->kaj", self._D, 2.0 * SL @ state.psi)
        each = state.L.transpose(0, 2, 1) @ SL
        psi_bar = each.sum(axis=0)
        moved = np.zeros(self.chain.n_parameters)
        for m, slopes in zip(self._moderations, state.slopes, strict=True):
            at = np.array(m.block.members)
            own = each[:, at[:, None], at]
            moved[list(m.parameters)] += np.einsum("gij,pgij->p", own, slopes[:, m.pattern])
            psi_bar[at[:, None], at] = 0.0
        gradient = self.chain.gradient(state.point, m_bar, L_bar, psi_bar, S_bar.sum(axis=0))
        return float(self._by_row(state).sum()), gradient + moved

    def values(self, theta: Floats) -> Floats:
        """Return the log-likelihood of each unit."""
        return sum_by(self._unit, self._by_row(self._at(theta)), self.n_units)

    def scores(self, theta: Floats) -> Floats:
        """Return the gradient of each unit: (units, P).

        For a parameter with dSigma = D and s = Sigma^-1 r it is dmu's + (s'D s - tr Sigma^-1 D) / 2.
        """
        state = self._at(theta)
        chain, g, s = self.chain, self._group, state.solved
        jacobian = chain.jacobian(state.point)
        mean, loading, psi, residual = chain.slices
        k, c = chain.mean.T
        out = np.asarray((s[:, k] * (self._x @ self._data.frame.T)[:, c]) @ jacobian[mean])
        slopes = {p: d for m, all_ in zip(self._moderations, state.slopes, strict=True)
                  for p, d in zip(m.parameters, all_, strict=True)}  # fmt: skip
        within = {p: m for m in self._moderations for p in m.parameters}
        J, K = state.psi.shape[1], s.shape[1]
        for p in range(chain.n_parameters):
            dL = np.zeros(state.point.L.shape)
            np.add.at(dL, tuple(chain.loading.T), jacobian[loading][:, p])
            dPsi = np.zeros((self._G, J, J))
            for (a, b), d in zip(chain.psi.tolist(), jacobian[psi][:, p].tolist(), strict=True):
                if not any(a in m.block.members for m in self._moderations):
                    dPsi[:, a, b] += d
                    dPsi[:, b, a] += d if a != b else 0.0
            if p in within:
                at = np.array(within[p].block.members)
                dPsi[:, at[:, None], at] += slopes[p][within[p].pattern]
            dT = np.zeros((K, K))
            for (a, b), d in zip(chain.residual.tolist(), jacobian[residual][:, p].tolist(), strict=True):
                dT[a, b] += d
                dT[b, a] += d if a != b else 0.0
            if not (dL.any() or dPsi.any() or dT.any()):
                continue
            one = np.einsum("ga,kaj->gkj", self._D, dL) @ state.psi @ state.L.transpose(0, 2, 1)
            dS = one + one.transpose(0, 2, 1) + state.L @ dPsi @ state.L.transpose(0, 2, 1) + dT
            trace = (state.inverse * dS).sum(axis=(1, 2))
            out[:, p] += 0.5 * (np.einsum("ij,ijk,ik->i", s, dS[g], s, optimize=True) - trace[g])
        units = np.zeros((self.n_units, chain.n_parameters))
        np.add.at(units, self._unit, out * self._weight[:, None])
        return units

    def _by_row(self, state: _State) -> Floats:
        constant = self._seen.sum(axis=1) * LOG_2PI + state.log_determinant
        return np.asarray(-0.5 * self._weight * (constant[self._group] + state.square))

    def _at(self, theta: Floats) -> _State:
        point = self.chain.at(theta)
        psi = np.tile(point.psi, (self._G, 1, 1))
        slopes = []
        for m in self._moderations:
            V, dV = m.matrices(theta[list(m.parameters)])
            factor(V)  # it is a covariance matrix
            at = np.array(m.block.members)
            psi[:, at[:, None], at] = V[m.pattern]
            slopes.append(dV)
        L = np.einsum("ga,kaj->gkj", self._D, point.L)
        S = L @ psi @ L.transpose(0, 2, 1) + point.residual
        both = self._seen[:, :, None] & self._seen[:, None, :]
        S = np.where(both, S, np.eye(S.shape[1]))
        try:
            C = np.linalg.cholesky(S)
        except np.linalg.LinAlgError:
            raise Infeasible("a covariance matrix is not positive definite") from None
        half = np.linalg.inv(C)
        inverse = np.where(both, half.transpose(0, 2, 1) @ half, 0.0)
        residual = np.where(self._mask, self._y - self._x @ self._data.mean(point.m).T, 0.0)
        solved = np.einsum("ijk,ik->ij", inverse[self._group], residual, optimize=True)
        log_determinant = 2.0 * np.log(np.diagonal(C, axis1=1, axis2=2)).sum(axis=1)
        square = (residual * solved).sum(axis=1)
        return _State(point, L, psi, tuple(slopes), inverse, log_determinant, solved, square)
