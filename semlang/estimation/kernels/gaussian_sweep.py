"""Elimination of the disturbances of one level at all its units, and posterior moments on the way back.

A unit's log-likelihood given its variables u is -u'K u/2 + h'u + constant. Symmetric matrices are packed by
rows of the lower triangle, (s, t) at s(s+1)/2 + t; units are in the last index and in the inner loops,
`BLOCK` at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.declaring import kernel
from semlang.estimation.kernels.groups import Cube, Group, Integers, Matrix, Vector

__all__ = ["Work", "down", "posterior_adjoint", "up"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK = 32


@dataclass(frozen=True, eq=False)
class Work(Group):
    """Scratch of a level."""

    KF: Cube
    M: Cube
    Y: Cube
    Q: Cube
    T: Cube
    z: Matrix
    acc: Vector

    @classmethod
    def of(cls, own: int, above: int) -> Work:
        """Allocate for numbers of variables: those that are eliminated, and those that remain."""
        square, oblong = (own, own, BLOCK), (own, max(above, 1), BLOCK)
        return cls(*[np.empty(n) for n in (square, square, square, oblong, oblong, (own, BLOCK), BLOCK)])


@kernel(Matrix, Matrix, Matrix, Vector, int, Matrix, Cube, Matrix, Vector, Vector, Work)
def up(
    K: Floats, h: Floats, F: Floats, sign: Floats, above: int, C: Floats, G: Floats, a: Floats, ld: Floats, q: Floats,
    work: Work,
) -> None:  # fmt: skip
    """Eliminate the last variables of every unit, whose prior covariance is V = F S F', S = diag(sign).

    With 1 the r1 eliminated and 2 the `above` remaining variables (which come first), M = S + F'K11 F = R S R',
    Y = R^-1 F', Q = Y K12, z = Y h1:

        message  K22 - Q'S Q,  h2 - Q'S z    log-likelihood  z'S z/2 - log|R|
        C = Y'S Y = (V^-1 + K11)^-1          G = C K12           a = C h1.

    Positive signs stand first: the pivots of R have these signs where the covariance matrix of what the unit holds is
    positive definite, and only there (elsewhere the results are NaN).

    Parameters
    ----------
    K : (R(R+1)/2, U), h : (R, U)
        Overwritten in their first rows by the message.
    F : (r1, r1)
        Zero columns are allowed.
    sign : (r1,)
        1 or -1.
    C : (r1(r1+1)/2, U), G : (r1, above, U), a : (r1, U)
        Filled.
    ld, q : (U,)
        log|R| and z'z are added.
    work : Work
    """
    r1 = F.shape[0]
    U = h.shape[1]
    KF, M, Y, Q, z, acc = work.KF, work.M, work.Y, work.Q, work.z, work.acc
    for first in range(0, U, BLOCK):
        w = min(BLOCK, U - first)
        for i in range(r1):  # KF = K11 F
            for j in range(r1):
                for x in range(w):
                    acc[x] = 0.0
                for k in range(r1):
                    f = F[k, j]
                    if f != 0.0:
                        s, t = above + max(i, k), above + min(i, k)
                        row = K[s * (s + 1) // 2 + t]
                        for x in range(w):
                            acc[x] += row[first + x] * f
                for x in range(w):
                    KF[i, j, x] = acc[x]
        for i in range(r1):  # M = S + F'KF and its factor
            for j in range(i + 1):
                for x in range(w):
                    acc[x] = sign[i] if i == j else 0.0
                for k in range(r1):
                    f = F[k, i]
                    if f != 0.0:
                        for x in range(w):
                            acc[x] += f * KF[k, j, x]
                for k in range(j):
                    for x in range(w):
                        acc[x] -= sign[k] * M[i, k, x] * M[j, k, x]
                if i == j:
                    for x in range(w):
                        M[i, i, x] = np.sqrt(sign[i] * acc[x])
                        ld[first + x] += np.log(M[i, i, x])
                else:
                    for x in range(w):
                        M[i, j, x] = acc[x] / (sign[j] * M[j, j, x])
        for i in range(r1):  # Y = R^-1 F'
            for x in range(w):
                acc[x] = 1.0 / M[i, i, x]
            for j in range(r1):
                f = F[j, i]
                for x in range(w):
                    Y[i, j, x] = f
                for k in range(i):
                    for x in range(w):
                        Y[i, j, x] -= M[i, k, x] * Y[k, j, x]
                for x in range(w):
                    Y[i, j, x] *= acc[x]
        for i in range(r1):  # Q = Y K12, z = Y h1
            for x in range(w):
                z[i, x] = 0.0
            for k in range(r1):
                row = h[above + k]
                for x in range(w):
                    z[i, x] += Y[i, k, x] * row[first + x]
            for x in range(w):
                q[first + x] += sign[i] * z[i, x] * z[i, x]
            for j in range(above):
                for x in range(w):
                    Q[i, j, x] = 0.0
                for k in range(r1):
                    s = above + k
                    row = K[s * (s + 1) // 2 + j]
                    for x in range(w):
                        Q[i, j, x] += Y[i, k, x] * row[first + x]
        for i in range(r1):  # C = Y'S Y, a = Y'S z, G = Y'S Q
            for j in range(i + 1):
                row = C[i * (i + 1) // 2 + j]
                for x in range(w):
                    acc[x] = 0.0
                for k in range(r1):
                    for x in range(w):
                        acc[x] += sign[k] * Y[k, i, x] * Y[k, j, x]
                for x in range(w):
                    row[first + x] = acc[x]
            row = a[i]
            for x in range(w):
                acc[x] = 0.0
            for k in range(r1):
                for x in range(w):
                    acc[x] += sign[k] * Y[k, i, x] * z[k, x]
            for x in range(w):
                row[first + x] = acc[x]
            for j in range(above):
                row = G[i, j]
                for x in range(w):
                    acc[x] = 0.0
                for k in range(r1):
                    for x in range(w):
                        acc[x] += sign[k] * Y[k, i, x] * Q[k, j, x]
                for x in range(w):
                    row[first + x] = acc[x]
        for i in range(above):  # message
            row = h[i]
            for k in range(r1):
                for x in range(w):
                    row[first + x] -= sign[k] * Q[k, i, x] * z[k, x]
            for j in range(i + 1):
                row = K[i * (i + 1) // 2 + j]
                for k in range(r1):
                    for x in range(w):
                        row[first + x] -= sign[k] * Q[k, i, x] * Q[k, j, x]


@kernel(Matrix, Cube, Matrix, Matrix, Matrix, Integers, Matrix, Matrix, Work)
def down(
    C: Floats, G: Floats, a: Floats, b2: Floats, S2: Floats, parent: Ints, b: Floats, S: Floats, work: Work
) -> None:
    """Fill posterior means `b` (R, U) and covariances `S` (packed, U) of (remaining, eliminated) variables.

    b1 = a - G b2,  S12' = -G S2,  S11 = C + G S2 G', with b2, S2 of the parent unit.
    """
    r1, above, U = G.shape
    T = work.T
    for first in range(0, U, BLOCK):
        w = min(BLOCK, U - first)
        for i in range(above):
            for x in range(w):
                b[i, first + x] = b2[i, parent[first + x]]
            for j in range(i + 1):
                s = i * (i + 1) // 2 + j
                for x in range(w):
                    S[s, first + x] = S2[s, parent[first + x]]
        for i in range(r1):
            row = b[above + i]
            for x in range(w):
                row[first + x] = a[i, first + x]
            for j in range(above):
                for x in range(w):
                    row[first + x] -= G[i, j, first + x] * b[j, first + x]
            for j in range(above):  # T = G S2
                for x in range(w):
                    T[i, j, x] = 0.0
                for k in range(above):
                    s = max(j, k) * (max(j, k) + 1) // 2 + min(j, k)
                    for x in range(w):
                        T[i, j, x] += G[i, k, first + x] * S[s, first + x]
                s = (above + i) * (above + i + 1) // 2 + j
                for x in range(w):
                    S[s, first + x] = -T[i, j, x]
            for j in range(i + 1):
                row = S[(above + i) * (above + i + 1) // 2 + above + j]
                c = C[i * (i + 1) // 2 + j]
                for x in range(w):
                    row[first + x] = c[first + x]
                for k in range(above):
                    for x in range(w):
                        row[first + x] += T[i, k, x] * G[j, k, first + x]


@kernel(Matrix, Matrix)
def posterior_adjoint(b: Floats, S: Floats) -> None:
    """Overwrite packed `S` by dl/dK = -(S + b b')/2 of the packed K: off the diagonal twice that."""
    R, U = b.shape
    for i in range(R):
        for j in range(i + 1):
            f = 0.5 if i == j else 1.0
            row = S[i * (i + 1) // 2 + j]
            for x in range(U):
                row[x] = -f * (row[x] + b[i, x] * b[j, x])
