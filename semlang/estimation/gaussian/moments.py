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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri

from semlang.data.design import Design
from semlang.estimation.gaussian.chain import Point
from semlang.estimation.gaussian.engine import Engine
from semlang.estimation.gaussian.observations import Observations
from semlang.estimation.member import Infeasible
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


class _Term(NamedTuple):
    """One term at a parameter vector, embedded in all K responses: S^-1, Q, (C W)_x, x-moments, n_t and s_t."""

    inverse: Floats
    Q: Floats
    cross: Floats
    xx: Floats
    size: float
    scale: float


@dataclass(frozen=True)
class _Evaluation:
    """One evaluation: the log-likelihood, its adjoints, and S^-1, Q, (C W)_x of each collection of terms."""

    theta: Floats
    point: Point
    value: float
    within_bar: Floats
    between_bar: Floats
    mean_bar: Floats
    parts: list[tuple[Terms, Floats, Floats, Floats]]

    def terms(self) -> Iterator[_Term]:
        """Yield the terms one by one."""
        K = len(self.within_bar)
        for block, Si, Q, cross in self.parts:
            p = len(block.observed)
            for t, (n, s) in enumerate(zip(block.count.tolist(), block.scale.tolist(), strict=True)):
                term = _Term(Si[t], Q[t], cross[t], block.moments[t][p:, p:], n, s)
                yield term if p == K else _embed(term, block.observed, K)


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
        self._all_within = bool(self.within.all())
        K, J = len(reduced.responses), len(self.within)
        (k, _, j), (pi, pj), (ri, rj) = ch.loading.T, ch.psi.T, ch.residual.T
        self._u = np.concatenate([k, K + pi, ri])
        self._v = np.concatenate([K + J + j, K + pj, rj])
        self._half = np.concatenate([np.ones(len(k)), np.where(pi == pj, 0.5, 1.0), np.where(ri == rj, 0.5, 1.0)])
        self._halves: Floats | None = None
        self._last: _Evaluation | None = None
        self._cells = np.empty((ch.n_cells, ch.n_cells))  # used again: fresh memory costs more than filling it

    def vectors(self, block: int, term: int) -> Vectors:
        """Return the vectors of a term."""
        raise NotImplementedError

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        e = self._evaluate(theta)
        return e.value, self.chain.gradient(e.point, *self._adjoints(e))

    def expected_information(self, theta: Floats) -> Floats:
        """Return the expected information (P, P) given covariates and missing patterns."""
        e = self._evaluate(theta)
        frame = self._frame(e.point)
        X = self._mean_factors()
        k = self.chain.mean[:, 0]
        n_mean = len(k)
        cells = self._cells
        cells.fill(0.0)
        for Si, _, _, xx, n, s in e.terms():
            UU, UV, VV = self._products(frame.T @ (Si @ frame))
            VV *= UU
            VV += UV * UV.T
            VV *= n * self._weights(s)
            cells[n_mean:, n_mean:] += VV
            cells[:n_mean, :n_mean] += Si[np.ix_(k, k)] * (X @ xx @ X.T)
        return self.chain.sandwich(e.point, cells)

    def exact_hessian(self, theta: Floats) -> Floats:
        """Return the exact second derivatives (P, P)."""
        e = self._evaluate(theta)
        frame = self._frame(e.point)
        X = self._mean_factors()
        k = self.chain.mean[:, 0]
        n_mean = len(k)
        cells = self._cells
        cells.fill(0.0)
        for Si, Q, cross, xx, n, s in e.terms():
            SF = Si @ frame
            UU, UV, VV = self._products(frame.T @ SF)
            WUU, WUV, WVV = self._products(frame.T @ (Q @ frame - 0.5 * n * SF))
            WUV *= UV.T
            VV *= WUU
            WVV *= UU
            VV += WVV
            VV += WUV
            VV += WUV.T
            VV *= self._weights(s)
            cells[n_mean:, n_mean:] -= VV
            cells[:n_mean, :n_mean] -= Si[np.ix_(k, k)] * (X @ xx @ X.T)
            a, b = SF[k], (X @ cross.T) @ SF
            mixed = a[:, self._u] * b[:, self._v] + a[:, self._v] * b[:, self._u]
            cells[:n_mean, n_mean:] -= mixed * self._sizes(s)
        cells[n_mean:, :n_mean] = cells[:n_mean, n_mean:].T
        self._second_order(e, cells[n_mean:, n_mean:])
        m, L, _, _ = self._adjoints(e)
        out = self.chain.sandwich(e.point, cells)
        return out if self.chain.is_affine else out + self.chain.curvature(e.point, m, L)

    def values(self, theta: Floats) -> Floats:
        """Return the log-likelihood of each unit."""
        e = self._evaluate(theta)
        m = self.data.mean(e.point.m)
        out = np.zeros(self.n_units)
        for b, (block, inverses, _, _) in enumerate(e.parts):
            o = block.observed
            for t, S in enumerate(inverses):
                v = self.vectors(b, t)
                r = v.y - m[o] @ v.x
                constant = len(o) * LOG_2PI - np.linalg.slogdet(S)[1]
                square = np.einsum("kv,kv->v", r, S @ r)
                np.add.at(out, v.unit, -0.5 * (v.count * constant + v.weight * square))
        return out

    def scores(self, theta: Floats) -> Floats:
        """Return the gradient of each unit: (units, P)."""
        e = self._evaluate(theta)
        W = self._frame(e.point)
        U, V = W[:, self._u], W[:, self._v] * self._half
        m = self.data.mean(e.point.m)
        mean = self.chain.mean
        frame = self.data.frame
        out = np.zeros((self.n_units, self.chain.n_cells))
        places = ((b, t) for b, block in enumerate(self.terms) for t in range(len(block.count)))
        for (b, t), term in zip(places, e.terms(), strict=True):
            o = self.terms[b].observed
            v = self.vectors(b, t)
            Si = term.inverse
            factor = np.where(self._cell_within, 1.0, term.scale)
            s = np.zeros((len(m), v.y.shape[1]))
            s[o] = Si[np.ix_(o, o)] @ (v.y - m[o] @ v.x)
            cells = np.empty((v.y.shape[1], self.chain.n_cells))
            cells[:, : len(mean)] = (s[mean[:, 0]] * (frame @ v.x)[mean[:, 1]] * v.weight).T
            cells[:, len(mean) :] = (s.T @ U) * (s.T @ V) * v.weight[:, None] * factor
            cells[:, len(mean) :] -= v.count[:, None] * (np.einsum("kc,kc->c", U, Si @ V) * factor)
            np.add.at(out, v.unit, cells)
        return np.asarray(out @ self.chain.jacobian(e.point))

    def _evaluate(self, theta: Floats) -> _Evaluation:
        """Return the log-likelihood, the adjoints of Sigma_w, Sigma_b and m, and the terms.

        The last evaluation is kept: value, information and second derivatives are asked for at the same parameters.
        """
        if self._last is not None and np.array_equal(self._last.theta, theta):
            return self._last
        point = self.chain.at(theta)
        K, n_x = point.m.shape
        m = self.data.mean(point.m)
        Sw, Sb = self._covariances(point)
        value = 0.0
        within_bar, between_bar, mean_bar = np.zeros((K, K)), np.zeros((K, K)), np.zeros((K, n_x))
        parts = []
        for block in self.terms:
            o = block.observed
            p = len(o)
            oo = np.ix_(o, o)
            S = Sw[None, oo[0], oo[1]]
            if Sb is not None:
                S = S + block.scale[:, None, None] * Sb[oo]
            Si, log_determinant = inverse(S)
            C = np.hstack([np.eye(p), -m[o]])
            CW = C @ block.moments
            Q = Si @ (CW @ C.T)
            trace = np.einsum("tii->t", Q)
            value -= 0.5 * float(np.sum(block.count * (p * LOG_2PI + log_determinant) + trace))
            Q = Q @ Si
            G = -0.5 * (block.count[:, None, None] * Si - Q)
            cross = CW[:, :, p:]
            within_bar[oo] += G.sum(0)
            if Sb is not None:
                between_bar[oo] += np.tensordot(block.scale, G, 1)
            mean_bar[o] += (Si @ cross).sum(0)
            parts.append((block, Si, Q, cross))
        if not np.isfinite(value):
            raise Infeasible("the log-likelihood is not finite")
        self._last = _Evaluation(theta.copy(), point, value, within_bar, between_bar, mean_bar, parts)
        return self._last

    def _covariances(self, point: Point) -> tuple[Floats, Floats | None]:
        """Return Sigma_w, and Sigma_b where there are disturbances between."""
        L, w = point.L[:, 0], self.within
        if self._all_within:
            return L @ point.psi @ L.T + point.residual, None
        Sw: Floats = L[:, w] @ point.psi[np.ix_(w, w)] @ L[:, w].T + point.residual
        return Sw, np.asarray(L[:, ~w] @ point.psi[np.ix_(~w, ~w)] @ L[:, ~w].T)

    def _adjoints(self, e: _Evaluation) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the adjoints of m, L, Psi and Theta."""
        point = e.point
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

    def _frame(self, point: Point) -> Floats:
        """Return F = [I, L, L Psi] (K, K + 2 J): dSigma = u v' + v u' for every covariance cell, u and v columns of F.

        u are columns `_u`, v columns `_v` times `_half`: with e_k the columns of I and l_j those of L,

            L[k, j]: e_k, (L Psi)_j;   Psi[i, j]: l_i, l_j;   Theta[i, j]: e_i, e_j,

        v halved on the diagonals.
        """
        L = point.L[:, 0]
        return np.hstack([np.eye(len(L)), L, L @ point.psi])

    def _sizes(self, scale: float) -> Floats:
        """Return what the columns v are multiplied by in a term of a scale."""
        return self._half if self._all_within else self._half * np.where(self._cell_within, 1.0, scale)

    def _weights(self, scale: float) -> Floats:
        """Return the products of two sizes, which every product of u, u, v and v is multiplied by."""
        if not self._all_within:
            size = self._sizes(scale)
            return np.outer(size, size)
        if self._halves is None:
            self._halves = np.outer(self._half, self._half)
        return self._halves

    def _products(self, G: Floats) -> tuple[Floats, Floats, Floats]:
        """Return U'MU, U'MV and V'MV (cells, cells) from G = F'MF, columns v without their sizes."""
        u = G[self._u]
        return u[:, self._u], u[:, self._v], G[self._v][:, self._v]

    def _mean_factors(self) -> Floats:
        """Return x of dm = e_k x' for the mean cells, as rows (cells, C), in the standardised columns."""
        return np.asarray(self.data.frame[self.chain.mean[:, 1]])

    def _second_order(self, e: _Evaluation, cells: Floats) -> None:
        """Add tr(dl/dSigma d2Sigma) for pairs of loadings, and of a loading and a cell of Psi."""
        ch, point = self.chain, e.point
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
    if len(S) == 1:
        root, failed = dpotrf(S[0], lower=1)
        if failed or not np.isfinite(np.diagonal(root)).all():
            raise Infeasible("a covariance matrix is not positive definite")
        half, _ = dpotri(root, lower=1)
        Si = half + half.T
        np.fill_diagonal(Si, np.diagonal(half))
        return Si[None], np.array([2 * np.log(np.diagonal(root)).sum()])
    try:
        root = np.linalg.cholesky(S)
    except np.linalg.LinAlgError as error:
        raise Infeasible("a covariance matrix is not positive definite") from error
    diagonal = np.diagonal(root, axis1=-2, axis2=-1)
    if not np.all(np.isfinite(diagonal)):
        raise Infeasible("a covariance matrix is not finite")
    Si = np.linalg.inv(S)
    return np.asarray(0.5 * (Si + np.swapaxes(Si, -1, -2)), dtype=float), 2 * np.log(diagonal).sum(-1)


def _embed(term: _Term, o: Ints, K: int) -> _Term:
    """Put the matrices of some responses into those of all."""
    inverse, Q, cross = np.zeros((K, K)), np.zeros((K, K)), np.zeros((K, term.cross.shape[1]))
    oo = np.ix_(o, o)
    inverse[oo], Q[oo], cross[o] = term.inverse, term.Q, term.cross
    return term._replace(inverse=inverse, Q=Q, cross=cross)
