"""Posterior covariances of complete-data scores, which are quadratic functions of gaussian disturbances."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from semlang.estimation.kernels.compiling import kernel

__all__ = ["score_covariance"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_I = types.int64[::1]
_F = types.float64[::1]
_FF = types.float64[:, ::1]
_FFF = types.float64[:, :, ::1]


@kernel(_FFF, _FF, _I, _I, _F, _I, types.boolean[:, ::1], _FF, _FF, _F, _FF, allocates=True)
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
    """
    n, R, _ = S.shape
    w = W.shape[0]
    cells = left.shape[0]
    T = np.empty((w, w))
    WS = np.empty((w, R))
    # Columns of T for the u and v of every cell, so that the inner loops are contiguous.
    TU, TV = np.empty((w, cells)), np.empty((w, cells))
    P, Q, G = np.empty(cells), np.empty(cells), np.empty(cells)
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
            uu, uv, vu, vv = TU[left[c]], TV[left[c]], TU[right[c]], TV[right[c]]
            row = out[c]
            if gc != 0.0:
                for d in range(c + 1):
                    row[d] += (
                        P[d] * (pc * uu[d] + qc * vu[d])
                        + Q[d] * (pc * uv[d] + qc * vv[d])
                        + gc * G[d] * (uu[d] * vv[d] + uv[d] * vu[d])
                    )
            elif qc != 0.0:
                for d in range(c + 1):
                    row[d] += P[d] * (pc * uu[d] + qc * vu[d]) + Q[d] * (pc * uv[d] + qc * vv[d])
            else:
                for d in range(c + 1):
                    row[d] += pc * (P[d] * uu[d] + Q[d] * uv[d])
