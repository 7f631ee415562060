"""One level, many missing patterns, any covariance matrix: a Cholesky factor for each pattern."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.chain import Point
from semlang.estimation.gaussian.engine import Engine
from semlang.estimation.gaussian.observations import multiplicity, observe
from semlang.estimation.gaussian.one_level import OneLevel, sorted_patterns
from semlang.estimation.gaussian.pairwise import pairwise_start
from semlang.estimation.kernels.gaussian_patterns import Work, patterns
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import ReducedForm
from semlang.sums import sum_by

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ByRow(Engine):
    """Rows are independent with covariance matrix Sigma, each with its own missing pattern.

    For what the recursion can not do: residual variances of zero or below, and residual covariances between
    many responses. One evaluation costs patterns x p^3 + rows x p^2.
    """

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        self.design = design
        self.data = data = observe(reduced, design)
        seen, order, start = sorted_patterns(~np.isnan(data.y))
        self._begin = np.r_[start, design.n_rows].astype(np.int64)
        self._n_observed = seen.sum(0).astype(np.int64)
        self._observed = np.ascontiguousarray(np.argsort(~seen, axis=0, kind="stable").T).astype(np.int64)
        self._y = np.ascontiguousarray(data.y[:, order].T)
        self._x = np.ascontiguousarray(data.x[:, order].T)
        weight = multiplicity(design, ["rows", *design.clusters])
        self._weight = np.ones(design.n_rows) if weight is None else weight[order]
        top = list(design.clusters)[-1:]
        self.n_units = design.n_units(top[0] if top else "rows")
        self._unit = (design.clusters[top[0]] if top else np.arange(design.n_rows))[order]

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether all disturbances vary over rows, without random slopes."""
        return OneLevel.supports(reduced, design) and design.n_rows > 0

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        point = self.chain.at(theta)
        none = np.zeros((0, len(point.m)))
        value, S, m = self._run(point, none, np.zeros((0, 2), dtype=np.int64), np.zeros((0, 0)))
        L = point.L[:, 0]
        SL = S @ L
        return value, self.chain.gradient(point, m @ self.data.frame.T, (2 * SL @ point.psi)[:, None], L.T @ SL, S)

    def values(self, theta: Floats) -> Floats:
        """Return the log-likelihood of each unit."""
        point = self.chain.at(theta)
        solved = np.zeros_like(self._y)
        self._run(point, solved, np.zeros((0, 2), dtype=np.int64), np.zeros((0, 0)))
        L = point.L[:, 0]
        S = L @ point.psi @ L.T + point.residual
        residual = np.nan_to_num(self._y - self._x @ self.data.mean(point.m).T)
        constants = np.empty(len(self._n_observed))
        for k, n in enumerate(self._n_observed.tolist()):
            o = self._observed[k, :n]
            constants[k] = n * np.log(2 * np.pi) + np.linalg.slogdet(S[np.ix_(o, o)])[1]
        each = np.repeat(constants, np.diff(self._begin)) + np.einsum("ik,ik->i", residual, solved)
        return sum_by(self._unit, -0.5 * self._weight * each, self.n_units)

    def scores(self, theta: Floats) -> Floats:
        """Return the gradient of each unit: (units, P).

        For a cell with dSigma = D and s = S_oo^-1 r it is (s'D s - tr S_oo^-1 D)/2, of which the sum over
        cells of Sigma is taken to the parameters.
        """
        point = self.chain.at(theta)
        K = len(point.m)
        i, j = np.tril_indices(K)
        pairs = np.column_stack([i, j]).astype(np.int64)
        solved = np.zeros_like(self._y)
        inverse = np.zeros((len(self._n_observed), len(pairs)))
        self._run(point, solved, pairs, inverse)
        jacobian = self.chain.jacobian(point)
        mean, loading, psi, residual = self.chain.slices
        k, c = self.chain.mean.T
        J_mean = jacobian[mean]
        out = np.asarray((solved[:, k] * (self._x @ self.data.frame.T)[:, c]) @ J_mean)
        # Derivatives (pairs, P) of the lower triangle of Sigma, twice off the diagonal.
        L = point.L[:, 0]
        LP = L @ point.psi
        sigma = np.zeros((self.chain.n_parameters, K, K))
        for (row, _, column), d in zip(self.chain.loading.tolist(), jacobian[loading], strict=True):
            at = np.flatnonzero(d)
            sigma[at, row] += d[at, None] * LP[:, column]
            sigma[at, :, row] += d[at, None] * LP[:, column]
        for (a, b), d in zip(self.chain.psi.tolist(), jacobian[psi], strict=True):
            at = np.flatnonzero(d)
            product = np.outer(L[:, a], L[:, b])
            sigma[at] += d[at, None, None] * (product if a == b else product + product.T)
        for (a, b), d in zip(self.chain.residual.tolist(), jacobian[residual], strict=True):
            at = np.flatnonzero(d)
            sigma[at, a, b] += d[at]
            if a != b:
                sigma[at, b, a] += d[at]
        packed = sigma[:, i, j].T * np.where(i == j, 0.5, 1.0)[:, None]
        out -= np.repeat(inverse @ packed, np.diff(self._begin), axis=0)
        for first in range(0, len(solved), 1024):
            s = solved[first : first + 1024]
            out[first : first + 1024] += (s[:, i] * s[:, j]) @ packed
        units = np.zeros((self.n_units, self.chain.n_parameters))
        np.add.at(units, self._unit, out * self._weight[:, None])
        return units

    def start(self, theta: Floats) -> tuple[Floats, Floats | None]:
        """Return the fit to pairwise moments and its information."""
        return pairwise_start(self.chain.reduced, self.design, self.data, theta)

    def _run(self, point: Point, solved: Floats, pairs: Ints, inverse: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood and the adjoints of Sigma and m."""
        L = point.L[:, 0]
        S = np.ascontiguousarray(L @ point.psi @ L.T + point.residual)
        m = self.data.mean(point.m)
        S_bar, m_bar = np.zeros_like(S), np.zeros_like(m)
        value = patterns(
            S,
            self._observed,
            self._n_observed,
            self._begin,
            self._y - self._x @ m.T,
            self._x,
            self._weight,
            S_bar,
            m_bar,
            solved,
            inverse,
            pairs,
            Work.of(len(S)),
        )
        if not np.isfinite(value):
            raise Infeasible("a covariance matrix is not positive definite")
        return float(value), S_bar, m_bar
