"""The unrestricted and the independence model of one group's gaussian responses given their covariates.

Rows are y = m x + e, e ~ N(0, S), with all of m and S free; in the independence model S is diagonal and covariates
have no effect. With missing responses the maximum is found by the EM algorithm on the moments of the missing patterns
(Little and Rubin 2002, section 11.2); with complete data its first step is the maximum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.moments import LOG_2PI, inverse
from semlang.estimation.gaussian.observations import Observations, multiplicity, observe
from semlang.estimation.gaussian.one_level import OneLevel, cross_products, patterns
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import Cells, ReducedForm
from semlang.sums import sum_by

__all__ = ["Saturated", "saturated", "saturated_form"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 1 << 18
"""Most numbers in the matrices of patterns that are inverted together."""

STEPS = 20_000
"""Most steps of the EM algorithm."""

TOLERANCE = 1e-12
"""Relative change of the moments at which the algorithm ends."""


@dataclass(frozen=True)
class Saturated:
    """Estimates of a model without restrictions.

    Parameters
    ----------
    loglik : float
    n : float
        Number of rows with a response, frequencies counted.
    m : (K, C) floats
        Coefficients of the covariates, the constant first.
    S : (K, K) floats
        Covariance matrix of the responses given the covariates (divided by n).
    xx : (C, C) floats
        Mean products of the covariates over the rows that count.
    n_parameters : int
    """

    loglik: float
    n: float
    m: Floats
    S: Floats
    xx: Floats
    n_parameters: int

    @property
    def mean(self) -> Floats:
        """Means of the responses (K,)."""
        return np.asarray(self.m @ self.xx[0])

    @property
    def covariance(self) -> Floats:
        """Covariance matrix (K + C - 1, K + C - 1) of responses and covariates."""
        spread = (self.xx - np.outer(self.xx[0], self.xx[0]))[1:, 1:]
        with_x = self.m[:, 1:] @ spread
        return np.block([[self.S + with_x @ self.m[:, 1:].T, with_x], [with_x.T, spread]])


def saturated(reduced: ReducedForm, design: Design) -> tuple[Saturated, Saturated]:
    """Return the estimates of the unrestricted and of the independence model.

    The responses of the second are uncorrelated, and covariates have no effect.

    Parameters
    ----------
    reduced : ReducedForm
        Of one level; which responses and covariates there are is all that is used of it.
    design : Design

    Raises
    ------
    Infeasible
        If two responses were never observed together, or the covariance matrix is singular.
    """
    if not OneLevel.supports(reduced, design):
        raise Infeasible("rows are not independent and identically distributed given covariates")
    data = observe(reduced, design)
    rows = Rows(data, multiplicity(design, ["rows", *design.clusters]))
    rows.refuse_never_together()
    K, C, n, sd = len(data.y), len(data.x), float(rows.count.sum()), rows.unit
    xx = np.asarray(data.frame @ (rows.x @ rows.x.T) @ data.frame.T / n)

    def outside(m: Floats, S: Floats, free: int) -> Saturated:
        coefficients = m * sd[:, None]
        coefficients[:, 0] += data.origin
        coefficients = coefficients @ np.linalg.inv(data.frame)
        return Saturated(rows.loglik(m, S), n, coefficients, S * np.outer(sd, sd), xx, free)

    return outside(*rows.em(), K * (K + 1) // 2 + K * C), outside(*rows.independent(), 2 * K)


class Rows:
    """Rows of responses and covariates, sorted by missing pattern, each response in its standard deviation.

    A pattern of many rows is replaced by as many as its second moments have dimensions, which have the same moments.

    Parameters
    ----------
    data : Observations
    weight : (n,) floats or None

    Attributes
    ----------
    y : (K, N) floats
        0 where a response is missing.
    x : (C, N) floats
    unit : (K,) floats
        Standard deviations about the centre of the data.
    seen : (P, K) bools
    count : (P,) floats
        Number of rows of each pattern, frequencies counted.
    pattern : (N,) ints
    """

    def __init__(self, data: Observations, weight: Floats | None) -> None:
        K, C = len(data.y), len(data.x)
        square, number = np.zeros(K), np.zeros(K)
        for k, y in enumerate(data.y):
            there = ~np.isnan(y)
            w = there if weight is None else there * weight
            square[k], number[k] = w @ np.where(there, y, 0.0) ** 2, w.sum()
        variance = square / np.maximum(number, 1.0)
        self.unit = np.sqrt(np.where(variance > 0.0, variance, 1.0))
        self.number = number
        ys, xs, seen, count, of = [], [], [], [], []
        for observed, chosen in patterns(data.y, data.complete):
            y = data.y if chosen is None else data.y[:, chosen]
            x = data.x if chosen is None else data.x[:, chosen]
            w = weight if weight is None or chosen is None else weight[chosen]
            there = np.zeros(K, dtype=bool)
            there[observed] = True
            seen.append(there)
            count.append(float(x.shape[1] if w is None else w.sum()))
            if x.shape[1] > len(observed) + C:
                z = np.zeros((len(observed) + C, K + C))
                short = _of_moments(cross_products(y[observed] / self.unit[observed, None], x, w))
                z[:, observed], z[:, K:] = short[:, : len(observed)], short[:, len(observed) :]
                y, x = z[:, :K].T, z[:, K:].T
            else:
                root = 1.0 if w is None else np.sqrt(w)
                y, x = np.where(there[:, None], y, 0.0) / self.unit[:, None] * root, x * root
            ys.append(y)
            xs.append(x)
            of.append(x.shape[1])
        self.y = np.hstack(ys) if ys else np.zeros((K, 0))
        self.x = np.hstack(xs) if xs else np.zeros((C, 0))
        self.seen = np.array(seen, dtype=bool).reshape(-1, K)
        self.count = np.array(count)
        self.pattern = np.repeat(np.arange(len(of)), of)
        self._missing = [*self._by_missing()]

    def _by_missing(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield patterns of the same number of missing responses: these (P, q), the patterns, their rows."""
        number = (~self.seen).sum(1)
        for q in range(1, self.seen.shape[1] + 1):
            chosen = np.flatnonzero(number == q)
            size = max(1, BLOCK // q**2)
            for first in range(0, len(chosen), size):
                block = chosen[first : first + size]
                where = np.flatnonzero((self.pattern >= block[0]) & (self.pattern <= block[-1]))
                rows = where[np.isin(self.pattern[where], block)]
                yield np.nonzero(~self.seen[block])[1].reshape(len(block), q), block, rows

    def refuse_never_together(self) -> None:
        """Raise where a covariance is not estimable."""
        together = (self.seen * self.count[:, None]).T @ self.seen
        if (np.diag(together) == 0).any():
            raise Infeasible("a response is never observed")
        if (together == 0).any():
            raise Infeasible("two responses are never observed together, so their covariance is not estimable")

    def independent(self) -> tuple[Floats, Floats]:
        """Return means and variances of each response alone."""
        m = np.zeros((len(self.y), len(self.x)))
        m[:, 0] = self.y @ self.x[0] / self.number  # the first column of x is 1
        return m, np.diag((self.y**2).sum(1) / self.number - m[:, 0] ** 2)

    def em(self) -> tuple[Floats, Floats]:
        """Return the maximum over m and S.

        With P = S^-1, missing responses g have given the others the covariance matrix A = P_gg^-1 and the residuals
        -A P_go r_o.
        """
        K, n = len(self.y), float(self.count.sum())
        xx = np.linalg.pinv(self.x @ self.x.T, hermitian=True)
        m, S = np.zeros((K, len(self.x))), np.eye(K)
        for _ in range(STEPS):
            P, residual = np.linalg.inv(S), self._residuals(m)
            Q = P @ residual
            spread = np.zeros(K * K)
            for g, of, rows in self._missing:
                A = np.linalg.inv(P[g[:, :, None], g[:, None, :]])
                own = np.searchsorted(of, self.pattern[rows])
                residual[g[own].T, rows] = -np.einsum("nij,jn->in", A[own], Q[g[own].T, rows])
                cell = g[:, :, None] * K + g[:, None, :]
                spread += sum_by(cell.ravel(), (A * self.count[of, None, None]).ravel(), K * K)
            change = residual @ self.x.T @ xx
            residual -= change @ self.x
            new_S = (residual @ residual.T + spread.reshape(K, K)) / n
            new_S = 0.5 * (new_S + new_S.T)
            sd = np.sqrt(np.maximum(np.diag(new_S), 1e-300))
            moved = float(np.abs((new_S - S) / np.outer(sd, sd)).max(initial=0.0))
            moved = max(moved, float(np.abs(change.T / sd).max(initial=0.0)))
            m, S = m + change, new_S
            if moved < TOLERANCE or not self._missing:
                return m, S
        raise Infeasible("the unrestricted model did not converge")

    def _residuals(self, m: Floats) -> Floats:
        """Return y - m x, 0 where a response is missing."""
        out: Floats = self.y - m @ self.x
        for g, of, rows in self._missing:
            out[g[np.searchsorted(of, self.pattern[rows])].T, rows] = 0.0
        return out

    def loglik(self, m: Floats, S: Floats) -> float:
        """Return the log-likelihood in the units of the data; |S_oo| = |S| |P_gg|, and r'P r - q_g'A q_g the square."""
        P, log_determinant = inverse(S[None])
        residual = self._residuals(m)
        Q = P[0] @ residual
        square, total = float(np.sum(residual * Q)), float(self.count.sum() * log_determinant[0])
        for g, of, rows in self._missing:
            A, logs = inverse(P[0][g[:, :, None], g[:, None, :]])
            own = np.searchsorted(of, self.pattern[rows])
            q = Q[g[own].T, rows]
            square -= float(np.einsum("in,nij,jn->", q, A[own], q))
            total += float(self.count[of] @ logs)
        return -0.5 * (float(self.number @ (LOG_2PI + 2.0 * np.log(self.unit))) + total + square)


def _of_moments(W: Floats) -> Floats:
    """Return rows Z with Z'Z = W."""
    values, vectors = np.linalg.eigh(W)
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def saturated_form(reduced: ReducedForm) -> ReducedForm:
    """Return the reduced form of the unrestricted model: parameters are m (row by row), then the lower half of S."""
    K, C = len(reduced.responses), len(reduced.mean_columns)
    slots = 1 + np.arange(K * C)
    program = np.column_stack([slots, np.zeros(K * C), np.arange(K * C)]).astype(np.int64)
    k, c = np.divmod(np.arange(K * C), C)
    i, j = np.tril_indices(K)
    none = np.zeros(0, dtype=np.int64)
    return ReducedForm(
        responses=reduced.responses,
        disturbances=(),
        mean_columns=reduced.mean_columns,
        random_columns=((),),
        n_parameters=K * C + i.size,
        program=program,
        constants=np.zeros(K * C),
        n_slots=1 + K * C,
        mean_cells=np.column_stack([k, c, slots]).astype(np.int64),
        loading_cells=np.zeros((0, 4), dtype=np.int64),
        psi=Cells((0, 0), none, none, none, np.zeros(0), True),
        theta=Cells((K, K), i.astype(np.int64), j.astype(np.int64), K * C + np.arange(i.size), np.zeros(i.size), True),
        offsets=reduced.offsets,
    )
