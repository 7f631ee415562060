"""The unrestricted and the independence model of one group's gaussian responses given their covariates.

Rows are y = m x + e, e ~ N(0, S), with all of m and S free; in the independence model S is diagonal and covariates
have no effect. With missing responses the maximum is found by the EM algorithm on the moments of the missing patterns
(Little and Rubin 2002, section 11.2); with complete data its first step is the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.moments import LOG_2PI, Terms, inverse
from semlang.estimation.gaussian.one_level import OneLevel
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import Cells, ReducedForm

__all__ = ["Saturated", "saturated", "saturated_form"]

Floats = NDArray[np.float64]

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


def saturated(reduced: ReducedForm, design: Design, independent: bool = False) -> Saturated:
    """Return the estimates of the unrestricted model, or of the independence model.

    Parameters
    ----------
    reduced : ReducedForm
        Of one level; which responses and covariates there are is all that is used of it.
    design : Design
    independent : bool
        Uncorrelated responses, no effect of covariates.

    Raises
    ------
    Infeasible
        If two responses were never observed together, or the covariance matrix is singular.
    """
    if not OneLevel.supports(reduced, design):
        raise Infeasible("rows are not independent and identically distributed given covariates")
    engine = OneLevel(reduced, design)
    K, C = len(reduced.responses), len(reduced.mean_columns)
    _refuse_never_together(engine.terms, K, independent)
    n = float(sum(t.count.sum() for t in engine.terms))
    m, S = np.zeros((K, C)), np.diag(_variances(engine.terms, K, n))
    if independent:
        m, S = _independent(engine.terms, K, C)
    else:
        m, S = _em(engine.terms, m, S)
    value = _loglik(engine.terms, m, S)
    data = engine.data
    products = np.sum([t.moments[0][len(t.observed) :, len(t.observed) :] for t in engine.terms], axis=0)
    xx = data.frame @ products @ data.frame.T / n
    coefficients = m.copy()
    coefficients[:, 0] += data.origin
    coefficients = coefficients @ np.linalg.inv(data.frame)
    free = 2 * K if independent else K * (K + 1) // 2 + K * C
    return Saturated(value, n, coefficients, S, np.asarray(xx), free)


def _refuse_never_together(terms: Sequence[Terms], K: int, independent: bool) -> None:
    together = np.zeros((K, K))
    for t in terms:
        together[np.ix_(t.observed, t.observed)] += t.count.sum()
    if (np.diag(together) == 0).any():
        raise Infeasible("a response is never observed")
    if not independent and (together == 0).any():
        raise Infeasible("two responses are never observed together, so their covariance is not estimable")


def _variances(terms: Sequence[Terms], K: int, n: float) -> Floats:
    total, count = np.zeros(K), np.zeros(K)
    for t in terms:
        p = len(t.observed)
        total[t.observed] += np.diagonal(t.moments[0])[:p]
        count[t.observed] += t.count[0]
    found = total / np.maximum(count, 1.0)
    return np.asarray(np.where(found > 0.0, found, 1.0))


def _independent(terms: Sequence[Terms], K: int, C: int) -> tuple[Floats, Floats]:
    """Return means and variances of each response alone."""
    total, square, count = np.zeros(K), np.zeros(K), np.zeros(K)
    for t in terms:
        p = len(t.observed)
        total[t.observed] += t.moments[0][:p, p]  # the first column of x is 1
        square[t.observed] += np.diagonal(t.moments[0])[:p]
        count[t.observed] += t.count[0]
    m = np.zeros((K, C))
    m[:, 0] = total / count
    return m, np.diag(square / count - m[:, 0] ** 2)


def _em(terms: Sequence[Terms], m: Floats, S: Floats) -> tuple[Floats, Floats]:
    """Maximise over m and S."""
    K, C = m.shape
    n = sum(float(t.count[0]) for t in terms)
    for _ in range(STEPS):
        yy, yx, xx = np.zeros((K, K)), np.zeros((K, C)), np.zeros((C, C))
        for t in terms:
            o = t.observed
            p = len(o)
            W, count = t.moments[0], float(t.count[0])
            if p == K:
                yy += W[:K, :K]
                yx += W[:K, K:]
                xx += W[K:, K:]
                continue
            g = np.setdiff1d(np.arange(K), o)
            B = np.linalg.solve(S[np.ix_(o, o)], S[np.ix_(o, g)]).T
            T = np.zeros((K + C, p + C))
            T[o, np.arange(p)] = 1.0
            T[K:, p:] = np.eye(C)
            T[g, :p] = B
            T[np.ix_(g, p + np.arange(C))] = m[g] - B @ m[o]
            full = T @ W @ T.T
            full[np.ix_(g, g)] += count * (S[np.ix_(g, g)] - B @ S[np.ix_(o, g)])
            yy += full[:K, :K]
            yx += full[:K, K:]
            xx += full[K:, K:]
        new_m = yx @ np.linalg.pinv(xx, hermitian=True)
        new_S = (yy - new_m @ yx.T) / n
        new_S = 0.5 * (new_S + new_S.T)
        sd = np.sqrt(np.maximum(np.diag(new_S), 1e-300))
        moved = float(np.abs((new_S - S) / np.outer(sd, sd)).max(initial=0.0))
        moved = max(moved, float(np.abs((new_m - m).T / sd).max(initial=0.0)))
        m, S = new_m, new_S
        if moved < TOLERANCE or all(len(t.observed) == K for t in terms):
            return m, S
    raise Infeasible("the unrestricted model did not converge")


def _loglik(terms: Sequence[Terms], m: Floats, S: Floats) -> float:
    value = 0.0
    for t in terms:
        o = t.observed
        p = len(o)
        Si, log_determinant = inverse(S[None, o[:, None], o])
        R = np.hstack([np.eye(p), -m[o]])
        trace = float(np.sum(Si[0] * (R @ t.moments[0] @ R.T)))
        value -= 0.5 * (float(t.count[0]) * (p * LOG_2PI + float(log_determinant[0])) + trace)
    return value


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
