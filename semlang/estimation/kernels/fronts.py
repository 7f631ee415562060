"""Blocked Cholesky elimination of one unit, and its adjoint.

Formulas with o the unit's own and a its ancestors' coordinates: ``F_oo = L L'``, ``T = L^-T``, ``G = F_oo^-1 F_oa``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import compact, inner

SMALLEST_PIVOT = 1e-8


@inner
def eliminate(q: int, M: int, Da: int, F: Any, L: Any, T: Any, inverse: Any, G: Any) -> bool:
    """Factor the front of unit q; return False where F_oo is not positive definite."""
    compact()
    if M == 1:  # as `factor`, in half the time
        if not F[q, 0, 0] > SMALLEST_PIVOT:
            return False
        x = np.sqrt(F[q, 0, 0])
        u = 1.0 / x
        L[q, 0, 0] = x
        T[q, 0, 0] = u
        inverse[q, 0, 0] = u * u
    elif M == 2:
        s = F[q, 0, 0]
        if not s > SMALLEST_PIVOT:
            return False
        x = np.sqrt(s)
        u = 1.0 / x
        y = F[q, 1, 0] * u
        s = F[q, 1, 1] - y * y
        if not s > SMALLEST_PIVOT:
            return False
        z = np.sqrt(s)
        w = 1.0 / z
        v = -y * u * w
        L[q, 0, 0] = x
        L[q, 0, 1] = 0.0
        L[q, 1, 0] = y
        L[q, 1, 1] = z
        T[q, 0, 0] = u
        T[q, 0, 1] = v
        T[q, 1, 0] = 0.0
        T[q, 1, 1] = w
        inverse[q, 0, 0] = u * u + v * v
        inverse[q, 0, 1] = v * w
        inverse[q, 1, 0] = v * w
        inverse[q, 1, 1] = w * w
    elif not factor(q, M, F, L, T, inverse):
        return False
    for i in range(M):
        for d in range(Da):
            t = 0.0
            for k in range(M):
                t += inverse[q, i, k] * F[q, k, M + d]
            G[q, i, d] = t
    return True


@inner
def factor(q: int, M: int, F: Any, L: Any, T: Any, inverse: Any) -> bool:
    """Fill L, T and the inverse of F_oo of unit q; return False where it is not positive definite."""
    for j in range(M):
        s = F[q, j, j]
        for k in range(j):
            s -= L[q, j, k] * L[q, j, k]
        if not s > SMALLEST_PIVOT:
            return False
        s = np.sqrt(s)
        L[q, j, j] = s
        for i in range(j + 1, M):
            t = F[q, i, j]
            for k in range(j):
                t -= L[q, i, k] * L[q, j, k]
            L[q, i, j] = t / s
            L[q, j, i] = 0.0
    for j in range(M):
        for i in range(j):
            T[q, j, i] = 0.0
        T[q, j, j] = 1.0 / L[q, j, j]
        for i in range(j + 1, M):
            t = 0.0
            for k in range(j, i):
                t -= L[q, i, k] * T[q, j, k]
            T[q, j, i] = t / L[q, i, i]
    for i in range(M):
        for j in range(M):
            t = 0.0
            for k in range(M):
                t += T[q, i, k] * T[q, j, k]
            inverse[q, i, j] = t
    return True


@inner
def multiply(M: int, T: Any, q: int, x: Any, out: Any) -> None:
    """out = T_q x, of M x M matrices."""
    for i in range(M):
        for j in range(M):
            t = 0.0
            for k in range(M):
                t += T[q, i, k] * x[k, j]
            out[i, j] = t


@inner
def adjoint_of_elimination(
    q: int, above: int, M: int, Da: int, L: Any, T: Any, inverse: Any, G: Any, T_bar: Any, G_bar: Any,
    one: bool, om: float, W: float, F_bar: Any, x: Any, u: Any,
) -> None:  # fmt: skip
    """Fill F_bar of unit q from the adjoints of T (log-determinant included) and G and F_bar of its parent.

    ``S = W F_bar(parent)``, ``A = sym(T Phi(L' L_bar) T')`` with ``L_bar = -tril(T T_bar' T)``:
    ``F_bar_oo = A + G S G' - sym(F_oo^-1 G_bar G')``, ``F_bar_oa = F_oo^-1 G_bar / 2 - G S``, ``F_bar_aa = S``. At
    one point T acts through the log-determinant alone: ``A = -Om F_oo^-1 / 2``.
    """
    compact()
    for d in range(Da):
        for e in range(Da):
            F_bar[q, M + d, M + e] = W * F_bar[above, d, e]
    if M == 1:
        F_bar[q, 0, 0] = -0.5 * T_bar[0, 0] * T[q, 0, 0] * inverse[q, 0, 0]
    elif one:
        for i in range(M):
            for j in range(M):
                F_bar[q, i, j] = -0.5 * om * inverse[q, i, j]
    else:
        for i in range(M):
            for j in range(M):
                t = 0.0
                for k in range(M):
                    t += T_bar[k, i] * T[q, k, j]
                x[i, j] = t
        multiply(M, T, q, x, u)
        for i in range(M):
            for j in range(M):
                t = 0.0
                if j <= i:
                    for k in range(i, M):
                        t -= L[q, k, i] * u[k, j]
                    if i == j:
                        t *= 0.5
                x[i, j] = t
        multiply(M, T, q, x, u)
        for i in range(M):
            for j in range(i + 1):
                t = 0.0
                for k in range(M):
                    t += u[i, k] * T[q, j, k] + u[j, k] * T[q, i, k]
                F_bar[q, i, j] = 0.5 * t
                F_bar[q, j, i] = 0.5 * t
    if Da == 0:
        return
    for i in range(M):
        for d in range(Da):
            t = 0.0
            for k in range(M):
                t += inverse[q, i, k] * G_bar[k, d]
            s = 0.0
            for e in range(Da):
                s += G[q, i, e] * F_bar[q, M + e, M + d]
            x[i, d] = t  # F_oo^-1 G_bar
            u[i, d] = s  # G S
            F_bar[q, i, M + d] = 0.5 * t - s
            F_bar[q, M + d, i] = 0.5 * t - s
    for i in range(M):
        for j in range(M):
            t = 0.0
            for d in range(Da):
                t += u[i, d] * G[q, j, d] - 0.5 * (x[i, d] * G[q, j, d] + x[j, d] * G[q, i, d])
            F_bar[q, i, j] += t
