"""Rows at the nodes of their unit: log densities, and derivatives of these in the linear predictor."""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.compiling import inline, inner
from semlang.estimation.kernels.densities import TILE, VALUE, call_rows
from semlang.estimation.kernels.families import CODES, SETS
from semlang.estimation.kernels.softmax import end_of_set, set_at_nodes
from semlang.estimation.kernels.vector_math import vexp, vlog

LOGIT = CODES["binomial", "logit"]
SAFE = 40.0
"""Probabilities of 16 rows can be multiplied where no |nu| is above this."""


@inline
def four_logits(x0: float, x1: float, x2: float, x3: float) -> tuple[float, float, float, float, float]:
    """Return the product of ``1 / (1 + e^x)`` of four x, and each ``e^x / (1 + e^x)``, by one division."""
    e0 = vexp(x0)
    e1 = vexp(x1)
    e2 = vexp(x2)
    e3 = vexp(x3)
    a = 1.0 + e0
    b = 1.0 + e1
    c = 1.0 + e2
    d = 1.0 + e3
    ab = a * b
    cd = c * d
    p = 1.0 / (ab * cd)
    ab *= p  # 1 / (cd)
    cd *= p  # 1 / (ab)
    return p, e0 * (b * cd), e1 * (a * cd), e2 * (d * ab), e3 * (c * ab)


@inner
def four_bernoulli_logits(D: int, n: int, i: int, m: int, k: int, o: Any, A: Any, y: Any, node: Any, product: Any,
                          density: Any) -> None:  # fmt: skip
    """Rows i to i + m - 1 (m <= 4) at n nodes: multiply their probabilities into ``product``, fill l'.

    Four at a time share what it costs to set up the loop. A row that is not there has nu = 0 and probability 1/2,
    exactly.
    """
    j1 = i + min(1, m - 1)
    j2 = i + min(2, m - 1)
    j3 = i + min(3, m - 1)
    s0 = 2.0 * y[i] - 1.0
    s1 = 2.0 * y[j1] - 1.0 if m > 1 else 0.0
    s2 = 2.0 * y[j2] - 1.0 if m > 2 else 0.0
    s3 = 2.0 * y[j3] - 1.0 if m > 3 else 0.0
    scale = 1.0
    for _ in range(m, 4):
        scale *= 2.0
    o0 = -s0 * o[i]
    o1 = -s1 * o[j1]
    o2 = -s2 * o[j2]
    o3 = -s3 * o[j3]
    x0 = -s0 * A[0, i]
    x1 = -s1 * A[0, j1]
    x2 = -s2 * A[0, j2]
    x3 = -s3 * A[0, j3]
    z0 = z1 = z2 = z3 = 0.0
    if D > 1:
        z0 = -s0 * A[1, i]
        z1 = -s1 * A[1, j1]
        z2 = -s2 * A[1, j2]
        z3 = -s3 * A[1, j3]
    for q in range(n):
        density[0, k, q] = o0
        density[0, k + 1, q] = o1
        density[0, k + 2, q] = o2
        density[0, k + 3, q] = o3
    for d in range(2, D):
        y0 = -s0 * A[d, i]
        y1 = -s1 * A[d, j1]
        y2 = -s2 * A[d, j2]
        y3 = -s3 * A[d, j3]
        for q in range(n):
            u = node[d, q]
            density[0, k, q] += y0 * u
            density[0, k + 1, q] += y1 * u
            density[0, k + 2, q] += y2 * u
            density[0, k + 3, q] += y3 * u
    for q in range(n):
        u = node[0, q]
        v = node[1, q]
        p, d0, d1, d2, d3 = four_logits(
            density[0, k, q] + x0 * u + z0 * v, density[0, k + 1, q] + x1 * u + z1 * v,
            density[0, k + 2, q] + x2 * u + z2 * v, density[0, k + 3, q] + x3 * u + z3 * v,
        )  # fmt: skip
        product[q] *= scale * p
        density[0, k, q] = s0 * d0
        density[0, k + 1, q] = s1 * d1
        density[0, k + 2, q] = s2 * d2
        density[0, k + 3, q] = s3 * d3


@inner
def any_density(D: int, n: int, i: int, k: int, rows: Any, node: Any, log_f: Any, density: Any, buffer: Any,
                tile: Any) -> None:  # fmt: skip
    """One row of any density at n nodes, `TILE` at a time."""
    c = rows.code[i]
    weight = rows.weight[i]
    for t in range(min(n, TILE)):
        buffer[0, t] = rows.y[i]
        buffer[1, t] = rows.f1[i]
        buffer[2, t] = rows.f2[i]
    at = buffer.ctypes.data
    for start in range(0, n, TILE):
        m = min(TILE, n - start)
        a = rows.A[0, i]
        for t in range(m):
            buffer[3, t] = rows.o[i] + a * node[0, start + t]
        for d in range(1, D):
            a = rows.A[d, i]
            for t in range(m):
                buffer[3, t] += a * node[d, start + t]
        step = 8 * TILE
        call_rows(rows.address[c], VALUE, m, at, at + step, at + 2 * step, at + 3 * step, tile.ctypes.data)
        for t in range(m):
            log_f[start + t] += weight * tile[t]
        for t in range(m):
            density[0, k, start + t] = weight * tile[TILE + t]
        if rows.parameters[c] > 0:
            for t in range(m):
                density[1, k, start + t] = weight * tile[2 * TILE + t]
            for t in range(m):
                density[2, k, start + t] = weight * tile[3 * TILE + t]


@inner
def plain(i: int, D: int, code: Any, f1: Any, weight: Any, y: Any, o: Any, A: Any, bound: Any) -> bool:
    """Is row i a Bernoulli logit without a weight, with no extreme predictor at any node?"""
    if code[i] != LOGIT or f1[i] != 1.0 or weight[i] != 1.0 or (y[i] != 0.0 and y[i] != 1.0):
        return False
    size = abs(o[i])
    for d in range(D):
        size += abs(A[d, i]) * bound[d]
    return bool(size < SAFE)


@inner
def set_to_one(n: int, product: Any) -> None:
    """Start the products of probabilities at n nodes."""
    for q in range(n):
        product[q] = 1.0


@inner
def add_logarithms(n: int, product: Any, log_f: Any) -> None:
    """Add the logarithms of the products of probabilities at n nodes."""
    for q in range(n):
        log_f[q] += vlog(product[q])


@inner
def end_of_table(a: int, b: int, capacity: int, rows: Any) -> int:
    """Return how far from row a on the rows up to b have place in a table, without a set that is cut."""
    if b - a <= capacity:
        return b
    stop = a + capacity
    while rows.code[stop - 1] >= SETS and rows.f1[stop - 1] > 1.0:
        stop -= 1
    return stop


@inner
def rows_at_nodes(a: int, b: int, D: int, n: int, rows: Any, node: Any, log_f: Any, product: Any, density: Any,
                  bound: Any, buffer: Any, tile: Any) -> None:  # fmt: skip
    """Rows a to b at n nodes: add to ``log_f``, fill ``density[:, i - a]`` (up to three further rows are scratch)."""
    waiting = 0
    i = a
    while i < b:
        j = i
        while j < min(b, i + 4) and plain(j, D, rows.code, rows.f1, rows.weight, rows.y, rows.o, rows.A, bound):
            j += 1
        if j > i:
            if waiting == 0:
                set_to_one(n, product)
            four_bernoulli_logits(D, n, i, j - i, i - a, rows.o, rows.A, rows.y, node, product, density)
            waiting += 1
            i = j
        elif rows.code[i] >= SETS:
            set_at_nodes(D, n, i, i - a, rows, node, log_f, density)
            i = end_of_set(i, rows)
        else:
            any_density(D, n, i, i - a, rows, node, log_f, density, buffer, tile)
            i += 1
        if waiting == 4 or (waiting > 0 and i == b):
            add_logarithms(n, product, log_f)
            waiting = 0
