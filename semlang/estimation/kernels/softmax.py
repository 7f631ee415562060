"""Rows that are alternatives of a set, of which one is chosen: adjacent categories, nominal responses, choices, ranks.

    P(y) = exp(nu_y) / sum_j exp(nu_j)

Rows of a set follow each other; y is 1 where the alternative is chosen, else 0, and f1 the number of rows of the set
from the row on. The second derivative of log P is ``pp' - diag(p)``. With p at the modes and ``a`` less its mean
``sum p a``, it acts like one that is diagonal, w = p: ``sum p a a'`` in the front, ``p a' k`` on a direction k; so the
kernels know no matrices of rows, but rows with centred loadings.
"""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.declaring import inner
from semlang.estimation.kernels.families import SETS
from semlang.estimation.kernels.vector_math import vexp, vlog


@inner
def end_of_set(i: int, rows: Any) -> int:
    """Return the end of the set that begins at row i."""
    return i + int(rows.f1[i])


@inner
def probabilities(i: int, at: int, rows: Any, nu: Any, p: Any) -> int:
    """Fill ``p[at:]`` from ``nu[at:]`` for the set that begins at row i; return its end."""
    end = end_of_set(i, rows)
    m = end - i
    top = nu[at]
    for j in range(at, at + m):
        top = max(top, nu[j])
    total = 0.0
    for j in range(at, at + m):
        p[j] = vexp(nu[j] - top)
        total += p[j]
    for j in range(at, at + m):
        p[j] /= total
    return end


@inner
def log_probability(i: int, at: int, rows: Any, nu: Any) -> float:
    """Return the log probability of the choice from the set that begins at row i, times its weight."""
    m = end_of_set(i, rows) - i
    top = nu[at]
    for j in range(m):
        top = max(top, nu[at + j])
    total = chosen = 0.0
    for j in range(m):
        total += vexp(nu[at + j] - top)
        chosen += rows.y[i + j] * (nu[at + j] - top)
    return rows.weight[i] * (chosen - vlog(total))  # type: ignore[no-any-return]


@inner
def set_curvature(i: int, r0: int, D: int, rows: Any, scratch: Any) -> int:
    """Fill ``r = y - p`` and ``w = p``, times the weight, and the centred loadings of a set; return its end."""
    end = probabilities(i, i - r0, rows, scratch.nu, scratch.w)
    for d in range(D):
        mean = 0.0
        for j in range(i, end):
            mean += scratch.w[j - r0] * rows.A[d, j]
        for j in range(i, end):
            rows.centred[d, j] = rows.A[d, j] - mean
    for j in range(i, end):
        p = scratch.w[j - r0]
        scratch.r[j - r0] = rows.weight[j] * (rows.y[j] - p)
        scratch.w[j - r0] = rows.weight[j] * p
    return end


@inner
def centre_sets(a: int, b: int, r0: int, rows: Any, scratch: Any) -> None:
    """Take ``w_i sum_j p_j h_j`` from ``e_i = w_i h_i`` of rows a to b that are in sets, ``h = a' F_bar a``.

    That is the derivative in nu_i of ``sum_j p_j h_j``. What it adds to the modes' adjoint is zero: ``sum w a`` is.
    """
    i = a
    while i < b:
        if rows.code[i] < SETS:
            i += 1
            continue
        end = end_of_set(i, rows)
        e = w = 0.0
        for j in range(i - r0, end - r0):
            e += scratch.e[j]
            w += scratch.w[j]
        mean = e / w if w > 0.0 else 0.0
        for j in range(i - r0, end - r0):
            scratch.e[j] -= mean * scratch.w[j]
        i = end


@inner
def set_at_nodes(D: int, n: int, i: int, k: int, rows: Any, node: Any, log_f: Any, density: Any) -> None:
    """The set that begins at row i at n nodes: add to ``log_f``, fill l' from ``density[0, k]`` on."""
    m = end_of_set(i, rows) - i
    weight = rows.weight[i]
    for q in range(n):
        density[1, k, q] = -1e300
    for q in range(n):
        density[2, k, q] = 0.0
    for j in range(m):
        a = rows.A[0, i + j]
        for q in range(n):
            density[0, k + j, q] = rows.o[i + j] + a * node[0, q]
        for d in range(1, D):
            a = rows.A[d, i + j]
            for q in range(n):
                density[0, k + j, q] += a * node[d, q]
        for q in range(n):
            density[1, k, q] = max(density[1, k, q], density[0, k + j, q])
    for j in range(m):
        y = weight * rows.y[i + j]
        if y != 0.0:
            for q in range(n):
                log_f[q] += y * (density[0, k + j, q] - density[1, k, q])
        for q in range(n):
            density[0, k + j, q] = vexp(density[0, k + j, q] - density[1, k, q])
        for q in range(n):
            density[2, k, q] += density[0, k + j, q]
    for q in range(n):
        log_f[q] -= weight * vlog(density[2, k, q])
    for j in range(m):
        y = rows.y[i + j]
        for q in range(n):
            density[0, k + j, q] = weight * (y - density[0, k + j, q] / density[2, k, q])
