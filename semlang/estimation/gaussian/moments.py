"""Log-likelihoods that are functions of second moments: complete data, few missing patterns, two levels.

A *term* is a collection of `count` normal vectors with one covariance matrix and given second moments,

    l_t = -1/2 { n_t [p log 2 pi + log|S_t|] + tr S_t^-1 C W_t C' },   S_t = Sigma_w + s_t Sigma_b,   C = [I,
    -m],

W_t the sum of z z', z = (y, x). With Q = S^-1 (C W C') S^-1 the adjoints are

    dl/dS = -1/2 (n S^-1 - Q),   dl/dm = S^-1 (C W)_x.

Every free cell of L, Psi and Theta has a derivative dS = u v' + v u' of rank two, so that information and
Hessian are products of thin matrices, multiplied elementwise:

    -E d2l  = n/2 tr(S^-1 dS_a S^-1 dS_b) = n [(u_a'S^-1u_b)(v_a'S^-1v_b) + (u_a'S^-1v_b)(v_a'S^-1u_b)]
    d2l     = -tr(dS_a S^-1 dS_b (Q - n/2 S^-1)) + tr(dl/dS d2S_ab).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.chain import Point
from semlang.estimation.gaussian.engine import Engine, Infeasible
from semlang.estimation.gaussian.observations import Observations
from semlang.matrices.reduced import ReducedForm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Terms:
    """T terms over the same observed responses.

    Parameters
    ----------
    observed : (p,) ints
    count, scale : (T,)
        n_t and s_t.
    moments : (T, p + C, p + C)
        W_t.
    """

    observed: Ints
    count: Floats
    scale: Floats
    moments: Floats


@dataclass(frozen=True)
class Vectors:
    """The normal vectors of one term, for scores.

    Parameters
    ----------
    y : (p, v), x : (C, v)
    unit : (v,) ints
        Unit of the highest level.
    count : (v,)
        What each adds to n_t.
    weight : (v,)
        What each adds to W_t, as a multiple of z z'.
    """

    y: Floats
    x: Floats
    unit: Ints
    count: Floats
    weight: Floats


@dataclass(frozen=True)
class _Evaluation:
    """Matrices of one evaluation, embedded in all K responses: per term S^-1, Q, (C W)_x and x-moments."""

    inverse: list[Floats]
    Q: list[Floats]
    cross: list[Floats]
    xx: list[Floats]
    count: list[float]
    scale: list[float]
    within_bar: Floats
    between_bar: Floats
    mean_bar: Floats


class Moments(Engine):
    """Log-likelihood from the moments of a list of terms; subclasses say how the data become terms."""

    data: Observations
    terms: list[Terms]
    n_units: int
    exact = True

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        self.within = np.array([z.level == "rows" for z in reduced.disturbances], dtype=bool)
        ch = self.chain
        # Whether a covariance cell belongs to the within part; L and Psi by the level of their disturbance.
        self._cell_within = np.concatenate(
            [self.within[ch.loading[:, 2]], self.within[ch.psi[:, 0]], np.ones(len(ch.residual), dtype=bool)]
        )

    def vectors(self, block: int, term: int) -> Vectors:
        """Return the vectors of a term."""
        raise NotImplementedError

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        point = self.chain.at(theta)
        value, e = self._evaluate(point, detail=False)
        return value, self.chain.gradient(point, *self._adjoints(point, e))

    def expected_information(self, theta: Floats) -> Floats:
        """Return the expected information (P, P) given covariates and missing patterns."""
        point = self.chain.at(theta)
        _, e = self._evaluate(point, detail=True)
        U, V = self._factors(point)
        X = self._mean_factors()
        k = self.chain.mean[:, 0]
        n_mean = len(k)
        cells = np.zeros((self.chain.n_cells, self.chain.n_cells))
        for Si, xx, n, s in zip(e.inverse, e.xx, e.count, e.scale, strict=True):
            Vs = V if self._cell_within.all() else V * np.where(self._cell_within, 1.0, s)
            SU, SV = Si @ U, Si @ Vs
            UV = U.T @ SV
            cells[n_mean:, n_mean:] += n * ((U.T @ SU) * (Vs.T @ SV) + UV * UV.T)
            cells[:n_mean, :n_mean] += Si[np.ix_(k, k)] * (X @ xx @ X.T)
        J = self.chain.jacobian(point)
        return np.asarray(J.T @ cells @ J)

    def exact_hessian(self, theta: Floats) -> Floats:
        """Return the exact second derivatives (P, P)."""
        return self.hessian(theta)

    def hessian(self, theta: Floats) -> Floats:
        """Return the exact second derivatives (P, P)."""
        point = self.chain.at(theta)
        _, e = self._evaluate(point, detail=True)
        U, V = self._factors(point)
        X = self._mean_factors()
        k = self.chain.mean[:, 0]
        n_mean = len(k)
        cells = np.zeros((self.chain.n_cells, self.chain.n_cells))
        for Si, Q, cross, xx, n, s in zip(e.inverse, e.Q, e.cross, e.xx, e.count, e.scale, strict=True):
            Vs = V if self._cell_within.all() else V * np.where(self._cell_within, 1.0, s)
            W = Q - 0.5 * n * Si
            SU, SV, WU, WV = Si @ U, Si @ Vs, W @ U, W @ Vs
            part = (U.T @ SV).T * (U.T @ WV)
            part += part.T
            part += (Vs.T @ SV) * (U.T @ WU)
            part += (U.T @ SU) * (Vs.T @ WV)
            cells[n_mean:, n_mean:] -= part
            cells[:n_mean, :n_mean] -= Si[np.ix_(k, k)] * (X @ xx @ X.T)
            CX = cross @ X.T
            mixed = SU[k] * (CX.T @ SV) + SV[k] * (CX.T @ SU)
            cells[:n_mean, n_mean:] -= mixed
            cells[n_mean:, :n_mean] -= mixed.T
        self._second_order(point, e, cells[n_mean:, n_mean:])
        m, L, _, _ = self._adjoints(point, e)
        J = self.chain.jacobian(point)
        return np.asarray(J.T @ cells @ J) + self.chain.curvature(point, m, L)

    def scores(self, theta: Floats) -> Floats:
        """Return the gradient of each unit: (units, P)."""
        point = self.chain.at(theta)
        _, e = self._evaluate(point, detail=True)
        U, V = self._factors(point)
        m = self.data.mean(point.m)
        mean = self.chain.mean
        frame = self.data.frame
        out = np.zeros((self.n_units, self.chain.n_cells))
        index = -1
        for b, block in enumerate(self.terms):
            o = block.observed
            for t in range(len(block.count)):
                index += 1
                v = self.vectors(b, t)
                Si = e.inverse[index]
                factor = np.where(self._cell_within, 1.0, e.scale[index])
                s = np.zeros((len(point.m), v.y.shape[1]))
                s[o] = Si[np.ix_(o, o)] @ (v.y - m[o] @ v.x)
                cells = np.empty((v.y.shape[1], self.chain.n_cells))
                cells[:, : len(mean)] = (s[mean[:, 0]] * (frame @ v.x)[mean[:, 1]] * v.weight).T
                cells[:, len(mean) :] = (s.T @ U) * (s.T @ V) * v.weight[:, None] * factor
                cells[:, len(mean) :] -= v.count[:, None] * (np.einsum("kc,kc->c", U, Si @ V) * factor)
                np.add.at(out, v.unit, cells)
        return np.asarray(out @ self.chain.jacobian(point))

    def _evaluate(self, point: Point, detail: bool) -> tuple[float, _Evaluation]:
        """Return the log-likelihood and the adjoints of Sigma_w, Sigma_b and m; on demand details."""
        K, n_x = point.m.shape
        m = self.data.mean(point.m)
        L = point.L[:, 0]
        w, b = self.within, ~self.within
        Sw = L[:, w] @ point.psi[np.ix_(w, w)] @ L[:, w].T + point.residual
        Sb = L[:, b] @ point.psi[np.ix_(b, b)] @ L[:, b].T
        value = 0.0
        e = _Evaluation([], [], [], [], [], [], np.zeros((K, K)), np.zeros((K, K)), np.zeros((K, n_x)))
        for block in self.terms:
            o = block.observed
            p = len(o)
            oo = np.ix_(o, o)
            S = Sw[oo] + block.scale[:, None, None] * Sb[oo]
            Si, log_determinant = inverse(S)
            C = np.hstack([np.eye(p), -m[o]])
            CW = C @ block.moments
            Q = Si @ (CW @ C.T)
            trace = np.trace(Q, axis1=1, axis2=2)
            value -= 0.5 * float(np.sum(block.count * (p * LOG_2PI + log_determinant) + trace))
            Q = Q @ Si
            G = -0.5 * (block.count[:, None, None] * Si - Q)
            cross = CW[:, :, p:]
            e.within_bar[oo] += G.sum(0)
            e.between_bar[oo] += np.tensordot(block.scale, G, 1)
            e.mean_bar[o] += (Si @ cross).sum(0)
            if detail:
                full = p == K
                for t in range(len(block.count)):
                    for store, part in ((e.inverse, Si[t]), (e.Q, Q[t])):
                        store.append(part if full else _embed(part, o, K))
                    row = cross[t]
                    if not full:
                        row = np.zeros((K, n_x))
                        row[o] = cross[t]
                    e.cross.append(row)
                    e.xx.append(block.moments[t][p:, p:])
                    e.count.append(float(block.count[t]))
                    e.scale.append(float(block.scale[t]))
        if not np.isfinite(value):
            raise Infeasible("the log-likelihood is not finite")
        return value, e

    def _adjoints(self, point: Point, e: _Evaluation) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the adjoints of m, L, Psi and Theta."""
        L = point.L[:, 0]
        bar = np.zeros_like(point.L)
        psi = np.zeros_like(point.psi)
        for level, G in ((self.within, e.within_bar), (~self.within, e.between_bar)):
            if level.any():
                GL = G @ L[:, level]
                block = np.ix_(level, level)
                bar[:, 0, level] = 2 * GL @ point.psi[block]
                psi[block] = L[:, level].T @ GL
        return e.mean_bar @ self.data.frame.T, bar, psi, e.within_bar

    def _factors(self, point: Point) -> tuple[Floats, Floats]:
        """Return u and v of dSigma = u v' + v u' for the covariance cells, as columns (K, cells)."""
        ch = self.chain
        L = point.L[:, 0]
        K = len(L)
        unit = np.eye(K)
        (k, _, j), (pi, pj), (ri, rj) = ch.loading.T, ch.psi.T, ch.residual.T
        U = np.hstack([unit[:, k], L[:, pi], unit[:, ri]])
        V = np.hstack(
            [
                (L @ point.psi)[:, j],
                L[:, pj] * np.where(pi == pj, 0.5, 1.0),
                unit[:, rj] * np.where(ri == rj, 0.5, 1.0),
            ]
        )
        return U, V

    def _mean_factors(self) -> Floats:
        """Return x of dm = e_k x' for the mean cells, as rows (cells, C), in the standardised columns."""
        return np.asarray(self.data.frame[self.chain.mean[:, 1]])

    def _second_order(self, point: Point, e: _Evaluation, cells: Floats) -> None:
        """Add tr(dl/dSigma d2Sigma) for pairs of loadings, and of a loading and a cell of Psi."""
        ch = self.chain
        L = point.L[:, 0]
        k, j = ch.loading[:, 0], ch.loading[:, 2]
        pi, pj = ch.psi.T
        n = len(k)
        at = slice(n, n + len(pi))
        half = np.where(pi == pj, 1.0, 2.0)
        for inside, G in ((True, e.within_bar), (False, e.between_bar)):
            rows = np.flatnonzero(self.within[j] == inside)
            if not len(rows):
                continue
            cells[np.ix_(rows, rows)] += 2 * G[np.ix_(k[rows], k[rows])] * point.psi[np.ix_(j[rows], j[rows])]
            GL = (G @ L)[k[rows]]
            mixed = ((j[rows, None] == pi) * GL[:, pj] + (j[rows, None] == pj) * GL[:, pi]) * half
            cells[rows, at] += mixed
            cells[at, rows] += mixed.T


def inverse(S: Floats) -> tuple[Floats, Floats]:
    """Return inverses and log-determinants of a stack of positive definite matrices."""
    try:
        root = np.linalg.cholesky(S)
    except np.linalg.LinAlgError as error:
        raise Infeasible("a covariance matrix is not positive definite") from error
    diagonal = np.diagonal(root, axis1=-2, axis2=-1)
    if not np.all(np.isfinite(diagonal)):
        raise Infeasible("a covariance matrix is not finite")
    Si = np.linalg.inv(S)
    return np.asarray(0.5 * (Si + np.swapaxes(Si, -1, -2)), dtype=float), 2 * np.log(diagonal).sum(-1)


def _embed(part: Floats, o: Ints, K: int) -> Floats:
    out = np.zeros((K, K))
    out[np.ix_(o, o)] = part
    return out
