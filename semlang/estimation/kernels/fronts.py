"""Blocked Cholesky elimination of one unit, and its adjoint.

Formulas with o the unit's own and a its ancestors' coordinates: ``F_oo = L L'``, ``T = L^-T``, ``G = F_oo^-1 F_oa``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semlang.estimation.kernels.compiling import splice

SMALLEST_PIVOT = 1e-8


@splice
def eliminate(q: int, M: int, Da: int, F: Any, L: Any, T: Any, inverse: Any, G: Any) -> bool:
    """Factor the front of unit q; return False where F_oo is not positive definite."""
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
    for i in range(M):
        for d in range(Da):
            t = 0.0
            for k in range(M):
                t += inverse[q, i, k] * F[q, k, M + d]
            G[q, i, d] = t
    return True


@splice
def multiply(M: int, a: Any, transpose_a: bool, b: Any, out: Any) -> None:
    """out = a b, or a' b, of M x M matrices."""
    for i in range(M):
        for j in range(M):
            t = 0.0
            for k in range(M):
                t += (a[k, i] if transpose_a else a[i, k]) * b[k, j]
            out[i, j] = t


@splice
def adjoint_of_elimination(
    q: int, above: int, M: int, Da: int, L: Any, T: Any, inverse: Any, G: Any, T_bar: Any, G_bar: Any,
    W: float, F_bar: Any, x: Any, u: Any,
) -> None:  # fmt: skip
    """Fill F_bar of unit q from the adjoints of T (log-determinant included) and G and F_bar of its parent.

    ``S = W F_bar(parent)``, ``A = sym(T Phi(L' L_bar) T')`` with ``L_bar = -tril(T T_bar' T)``:
    ``F_bar_oo = A + G S G' - sym(F_oo^-1 G_bar G')``, ``F_bar_oa = F_oo^-1 G_bar / 2 - G S``, ``F_bar_aa = S``.
    """
    for d in range(Da):
        for e in range(Da):
            F_bar[q, M + d, M + e] = W * F_bar[above, d, e]
    if M == 1:
        F_bar[q, 0, 0] = -0.5 * T_bar[0, 0] * T[q, 0, 0] * inverse[q, 0, 0]
    else:
        multiply(M, T_bar, True, T[q], x)
        multiply(M, T[q], False, x, u)
        for i in range(M):
            for j in range(M):
                t = 0.0
                if j <= i:
                    for k in range(i, M):
                        t -= L[q, k, i] * u[k, j]
                    if i == j:
                        t *= 0.5
                x[i, j] = t
        multiply(M, T[q], False, x, u)
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
