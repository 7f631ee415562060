"""Normal log-likelihood of rows with missing responses: one Cholesky factor for each missing pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.declaring import kernel
from semlang.estimation.kernels.groups import Group, IntegerMatrix, Integers, Matrix, Vector

__all__ = ["Work", "patterns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOG_2PI = 1.8378770664093453


@dataclass(frozen=True, eq=False)
class Work(Group):
    """Scratch of a pattern."""

    L: Matrix
    W: Matrix
    Si: Matrix
    G: Matrix
    full: Matrix
    e: Vector
    s: Vector

    @classmethod
    def of(cls, K: int) -> Work:
        """Allocate for a number of responses."""
        return cls(*[np.empty(n) for n in (*[(K, K)] * 5, K, K)])


@kernel(
    Matrix, IntegerMatrix, Integers, Integers, Matrix, Matrix, Vector, Matrix, Matrix, Matrix, Matrix, IntegerMatrix,
    Work,
)  # fmt: skip
def patterns(
    S: Floats,
    observed: Ints,
    n_observed: Ints,
    begin: Ints,
    residual: Floats,
    x: Floats,
    weight: Floats,
    S_bar: Floats,
    m_bar: Floats,
    solved: Floats,
    diagonal: Floats,
    cells: Ints,
    work: Work,
) -> float:
    """Return the log-likelihood; add its adjoints to `S_bar` (symmetric) and `m_bar`.

    Parameters
    ----------
    S : (K, K)
    observed : (patterns, K), n_observed : (patterns,)
        Observed responses of a pattern come first in its row.
    begin : (patterns + 1,)
        Rows are sorted by pattern.
    residual : (n, K), x : (n, C), weight : (n,)
        y - m x; unused where missing.
    solved : (n, K) or (0, K)
        Where there are rows: filled with S_oo^-1 r, zero where missing.
    diagonal, cells : (patterns, pairs), (pairs, 2)
        Where there are pairs: filled with (S_oo^-1)_ij for each pair (i, j), zero where one is missing.
    work : Work
    """
    value = 0.0
    K, C = m_bar.shape
    L, W, Si, G, full, e, s = work.L, work.W, work.Si, work.G, work.full, work.e, work.s
    for k in range(len(n_observed)):
        o = n_observed[k]
        if o == 0:
            continue
        for a in range(o):  # Cholesky factor of S_oo, row by row
            for b in range(a + 1):
                L[a, b] = S[observed[k, a], observed[k, b]]
        log_determinant = 0.0
        for a in range(o):
            for b in range(a):
                acc = L[a, b]
                for c in range(b):
                    acc -= L[a, c] * L[b, c]
                L[a, b] = acc / L[b, b]
            acc = L[a, a]
            for c in range(a):
                acc -= L[a, c] * L[a, c]
            if not acc > 1e-14 * S[observed[k, a], observed[k, a]]:
                return np.nan
            L[a, a] = np.sqrt(acc)
            log_determinant += 2 * np.log(L[a, a])
        for a in range(o):  # its inverse W, of which the rows are contiguous
            for b in range(a):
                W[a, b] = 0.0
            W[a, a] = 1.0
            for b in range(a):
                acc = L[a, b]
                for c in range(b + 1):
                    W[a, c] -= acc * W[b, c]
            acc = 1.0 / L[a, a]
            for c in range(a + 1):
                W[a, c] *= acc
        for a in range(o):  # S_oo^-1 = W'W
            for b in range(a + 1):
                Si[a, b] = 0.0
        for c in range(o):
            for a in range(c + 1):
                acc = W[c, a]
                for b in range(a + 1):
                    Si[a, b] += acc * W[c, b]
        for a in range(o):
            for b in range(a):
                Si[b, a] = Si[a, b]
        n = 0.0
        for i in range(begin[k], begin[k + 1]):
            n += weight[i]
        value -= 0.5 * n * (o * LOG_2PI + log_determinant)
        for a in range(o):
            for b in range(o):
                G[a, b] = -0.5 * n * Si[a, b]
        for i in range(begin[k], begin[k + 1]):
            for a in range(o):
                e[a] = residual[i, observed[k, a]]
            for a in range(o):
                acc = 0.0
                for b in range(o):
                    acc += Si[a, b] * e[b]
                s[a] = acc
            for a in range(o):
                f = weight[i] * s[a]
                value -= 0.5 * e[a] * f
                for b in range(o):
                    G[a, b] += 0.5 * f * s[b]
                for c in range(C):
                    m_bar[observed[k, a], c] += f * x[i, c]
                if len(solved):
                    solved[i, observed[k, a]] = s[a]
        for a in range(o):
            for b in range(o):
                S_bar[observed[k, a], observed[k, b]] += G[a, b]
        if len(cells):
            for a in range(K):
                for b in range(K):
                    full[a, b] = 0.0
            for a in range(o):
                for b in range(o):
                    full[observed[k, a], observed[k, b]] = Si[a, b]
            for c in range(len(cells)):
                diagonal[k, c] = full[cells[c, 0], cells[c, 1]]
    return value
