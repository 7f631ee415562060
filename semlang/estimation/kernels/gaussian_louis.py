"""Posterior covariances of complete-data scores, which are quadratic functions of gaussian disturbances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.declaring import kernel
from semlang.estimation.kernels.groups import Cube, Group, Integers, Matrix, TruthMatrix, Vector

__all__ = ["Work", "score_covariance"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Work(Group):
    """Scratch of a row; TU and TV are columns of T for the u and v of all cells, so that inner loops are contiguous."""

    T: Matrix
    WS: Matrix
    TU: Matrix
    TV: Matrix
    P: Vector
    Q: Vector
    G: Vector

    @classmethod
    def of(cls, w: int, R: int, cells: int) -> Work:
        """Allocate for numbers of rows and columns of W, and of cells."""
        return cls(*[np.empty(n) for n in ((w, w), (w, R), (w, cells), (w, cells), cells, cells, cells)])


@kernel(Cube, Matrix, Integers, Integers, Vector, Integers, TruthMatrix, Matrix, Matrix, Vector, Matrix, Work)
def score_covariance(
    S: Floats,
    W: Floats,
    left: Ints,
    right: Ints,
    gamma: Floats,
    item: Ints,
    seen: NDArray[np.bool_],
    p: Floats,
    q: Floats,
    weight: Floats,
    out: Floats,
    work: Work,
) -> None:
    """Add the covariance matrix of the scores, summed over rows, to the lower triangle of `out`.

    The score of cell c has the gradient g_c = p u + q v at the posterior mean and the second derivative gamma
    (u v' + v u'), u and v rows of `W`. With T = W S W',

        Cov(s_c, s_d) = g_c'S g_d + gamma_c gamma_d (T_uu T_vv + T_uv T_vu).

    Parameters
    ----------
    S : (n, R, R)
        Posterior covariances.
    W : (w, R)
    left, right, gamma, item : (cells,)
        Rows of W; the response that a cell belongs to, or -1.
    seen : (n, K)
        Whether the response is observed.
    p, q : (n, cells)
    weight : (n,)
    out : (cells, cells)
    work : Work
    """
    n, R, _ = S.shape
    w = W.shape[0]
    cells = left.shape[0]
    T, WS, TU, TV, P, Q, G = work.T, work.WS, work.TU, work.TV, work.P, work.Q, work.G
    for i in range(n):
        for a in range(w):
            for r in range(R):
                WS[a, r] = 0.0
            for s in range(R):
                f = W[a, s]
                if f != 0.0:
                    for r in range(R):
                        WS[a, r] += f * S[i, s, r]
        for a in range(w):
            for b in range(a + 1):
                acc = 0.0
                for r in range(R):
                    acc += WS[a, r] * W[b, r]
                T[a, b] = acc
                T[b, a] = acc
        for a in range(w):
            for d in range(cells):
                TU[a, d] = T[a, left[d]]
                TV[a, d] = T[a, right[d]]
        for c in range(cells):
            there = item[c] < 0 or seen[i, item[c]]
            P[c] = p[i, c] if there else 0.0
            Q[c] = q[i, c] if there else 0.0
            G[c] = gamma[c] if there else 0.0
        for c in range(cells):
            if item[c] >= 0 and not seen[i, item[c]]:
                continue
            pc, qc, gc = P[c] * weight[i], Q[c] * weight[i], G[c] * weight[i]
            u, v = left[c], right[c]
            row = out[c]
            if gc != 0.0:
                for d in range(c + 1):
                    row[d] += (
                        P[d] * (pc * TU[u, d] + qc * TU[v, d])
                        + Q[d] * (pc * TV[u, d] + qc * TV[v, d])
                        + gc * G[d] * (TU[u, d] * TV[v, d] + TV[u, d] * TU[v, d])
                    )
            elif qc != 0.0:
                for d in range(c + 1):
                    row[d] += P[d] * (pc * TU[u, d] + qc * TU[v, d]) + Q[d] * (pc * TV[u, d] + qc * TV[v, d])
            else:
                for d in range(c + 1):
                    row[d] += pc * (P[d] * TU[u, d] + Q[d] * TV[u, d])
