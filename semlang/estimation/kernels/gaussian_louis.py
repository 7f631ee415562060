"""Posterior covariances of complete-data scores, which are quadratic functions of gaussian disturbances."""
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["score_covariance"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
kernel = numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})


@kernel
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

    The score of cell c has the gradient g_c = p u + q v at the posterior mean and the second derivative gamma (u v' + v u'),
    u and v rows of `W`. With T = W S W',

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
    active = np.empty(cells, np.int64)
    P, Q, G = np.empty(cells), np.empty(cells), np.empty(cells)
    u, v = np.empty(cells, np.int64), np.empty(cells, np.int64)
    row_u, row_v, line = np.empty(w), np.empty(w), np.empty(cells)
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
        m = 0
        for c in range(cells):
            if item[c] < 0 or seen[i, item[c]]:
                active[m] = c
                u[m], v[m] = left[c], right[c]
                P[m], Q[m], G[m] = p[i, c], q[i, c], gamma[c]
                m += 1
        for c in range(m):
            # g_c'S W' and the two rows of T, so that the loop over d gathers only.
            pc, qc, gc = P[c] * weight[i], Q[c] * weight[i], G[c] * weight[i]
            for a in range(w):
                row_u[a], row_v[a] = T[u[c], a], T[v[c], a]
            if gc != 0.0:
                for d in range(c + 1):
                    uu, uv, vu, vv = row_u[u[d]], row_u[v[d]], row_v[u[d]], row_v[v[d]]
                    line[d] = (
                        P[d] * (pc * uu + qc * vu) + Q[d] * (pc * uv + qc * vv) + gc * G[d] * (uu * vv + uv * vu)
                    )
            else:
                for a in range(w):
                    row_u[a] = pc * row_u[a] + qc * row_v[a]
                for d in range(c + 1):
                    line[d] = P[d] * row_u[u[d]] + Q[d] * row_u[v[d]]
            row = out[active[c]]
            for d in range(c + 1):
                row[active[d]] += line[d]
