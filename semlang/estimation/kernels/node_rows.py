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
def four_logits(e0: float, e1: float, e2: float, e3: float) -> tuple[float, float, float, float, float]:
    """Return the product of ``1 / (1 + e)`` of four e, and each ``e / (1 + e)``, by one division."""
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
def exponentials(D: int, n: int, i: int, m: int, k: int, o: Any, A: Any, y: Any, node: Any, density: Any) -> None:
    """Fill ``density[0, k + j]`` with ``exp(-s nu)`` of rows i + j, j < m <= 4, s = 1 or -1 where y is 1 or 0."""
    for j in range(m):
        s = 1.0 - 2.0 * y[i + j]
        x = s * o[i + j]
        a = s * A[0, i + j]
        if D == 1:
            for q in range(n):
                density[0, k + j, q] = vexp(x + a * node[0, q])
        else:
            b = s * A[1, i + j]
            for q in range(n):
                density[0, k + j, q] = x + a * node[0, q] + b * node[1, q]
            for d in range(2, D):
                a = s * A[d, i + j]
                for q in range(n):
                    density[0, k + j, q] += a * node[d, q]
            for q in range(n):
                density[0, k + j, q] = vexp(density[0, k + j, q])


@inner
def exponentials_of_runs(D: int, n: int, run: int, i: int, m: int, k: int, o: Any, A: Any, y: Any, node: Any,
                         density: Any) -> None:  # fmt: skip
    """Fill the same where each run of nodes is the first one, moved: one product a node, ``run + n / run`` exponentials.

    The first factors, of the middle of each run, are in ``density[1]``, those within a run in ``density[2]``.
    """
    runs = n // run
    middle = (run - 1) // 2
    for j in range(m):
        s = 1.0 - 2.0 * y[i + j]
        x = s * o[i + j]
        for u in range(runs):
            density[1, k + j, u] = x
        for r in range(run):
            density[2, k + j, r] = 0.0
        for d in range(D):
            a = s * A[d, i + j]
            for u in range(runs):
                density[1, k + j, u] += a * node[d, u * run + middle]
            z = node[d, middle]
            for r in range(run):
                density[2, k + j, r] += a * (node[d, r] - z)
        for u in range(runs):
            density[1, k + j, u] = vexp(density[1, k + j, u])
        for r in range(run):
            density[2, k + j, r] = vexp(density[2, k + j, r])
        r = 0
        while r + 4 <= run:
            e0 = density[2, k + j, r]
            e1 = density[2, k + j, r + 1]
            e2 = density[2, k + j, r + 2]
            e3 = density[2, k + j, r + 3]
            for u in range(runs):
                e = density[1, k + j, u]
                at = u * run + r
                density[0, k + j, at] = e * e0
                density[0, k + j, at + 1] = e * e1
                density[0, k + j, at + 2] = e * e2
                density[0, k + j, at + 3] = e * e3
            r += 4
        while r < run:
            for u in range(runs):
                density[0, k + j, u * run + r] = density[1, k + j, u] * density[2, k + j, r]
            r += 1


@inner
def same_slopes(i: int, j: int, D: int, A: Any) -> bool:
    """Do rows i and j have the same loadings?"""
    for d in range(D):
        if A[d, i] != A[d, j]:
            return False
    return True


@inner
def factors(D: int, n: int, i: int, A: Any, node: Any, factor: Any) -> None:
    """Fill ``exp(a' v)`` and ``exp(-a' v)`` of the loadings of row i at n nodes."""
    for q in range(n):
        factor[0, q] = A[0, i] * node[0, q]
    for d in range(1, D):
        a = A[d, i]
        for q in range(n):
            factor[0, q] += a * node[d, q]
    for q in range(n):
        factor[0, q] = vexp(factor[0, q])
    for q in range(n):
        factor[1, q] = 1.0 / factor[0, q]


@inner
def exponentials_of_factors(n: int, i: int, m: int, k: int, o: Any, y: Any, factor: Any, e: Any, density: Any) -> None:
    """Fill the same where the rows share loadings: one product a node, one exponential a row."""
    for j in range(m):
        e[0, j] = o[i + j] * (1.0 - 2.0 * y[i + j])
    for j in range(m):
        e[0, j] = vexp(e[0, j])
    for j in range(m):
        x = e[0, j]
        at = 1 if y[i + j] > 0.0 else 0
        for q in range(n):
            density[0, k + j, q] = x * factor[at, q]


@inner
def four_bernoulli_logits(n: int, i: int, m: int, k: int, y: Any, product: Any, density: Any) -> None:
    """Rows i to i + m - 1 (m <= 4) at n nodes: multiply their probabilities into ``product``, fill l'.

    ``density[0, k]`` holds ``exp(-s nu)``. Four at a time share a division, and what it costs to set up the loop. A
    row that is not there has a probability of 1.
    """
    for j in range(m, 4):
        for q in range(n):
            density[0, k + j, q] = 0.0
    s0 = 2.0 * y[i] - 1.0
    s1 = 2.0 * y[i + min(1, m - 1)] - 1.0
    s2 = 2.0 * y[i + min(2, m - 1)] - 1.0
    s3 = 2.0 * y[i + min(3, m - 1)] - 1.0
    for q in range(n):
        p, d0, d1, d2, d3 = four_logits(
            density[0, k, q], density[0, k + 1, q], density[0, k + 2, q], density[0, k + 3, q]
        )
        product[q] *= p
        density[0, k, q] = s0 * d0
        density[0, k + 1, q] = s1 * d1
        density[0, k + 2, q] = s2 * d2
        density[0, k + 3, q] = s3 * d3


@inner
def any_density(D: int, n: int, i: int, end: int, k: int, rows: Any, node: Any, log_f: Any, density: Any, buffer: Any,
                tile: Any) -> None:  # fmt: skip
    """Rows i to end, of one code, at n nodes: `TILE` nodes of one row at a time, or rows that have as many together."""
    c = rows.code[i]
    at = buffer.ctypes.data
    step = 8 * TILE
    for start in range(0, n, TILE):
        m = min(TILE, n - start)
        for j in range(end - i):
            y = rows.y[i + j]
            f1 = rows.f1[i + j]
            f2 = rows.f2[i + j]
            o = rows.o[i + j]
            a = rows.A[0, i + j]
            for t in range(m):
                buffer[0, j * m + t] = y
                buffer[1, j * m + t] = f1
                buffer[2, j * m + t] = f2
                buffer[3, j * m + t] = o + a * node[0, start + t]
            for d in range(1, D):
                a = rows.A[d, i + j]
                for t in range(m):
                    buffer[3, j * m + t] += a * node[d, start + t]
        call_rows(rows.address[c], VALUE, m * (end - i), at, at + step, at + 2 * step, at + 3 * step, tile.ctypes.data)
        for j in range(end - i):
            weight = rows.weight[i + j]
            for t in range(m):
                log_f[start + t] += weight * tile[j * m + t]
                density[0, k + j, start + t] = weight * tile[TILE + j * m + t]
            if rows.parameters[c] > 0:
                for t in range(m):
                    density[1, k + j, start + t] = weight * tile[2 * TILE + j * m + t]
                    density[2, k + j, start + t] = weight * tile[3 * TILE + j * m + t]


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
def rows_at_nodes(a: int, b: int, D: int, n: int, run: int, rows: Any, node: Any, log_f: Any, product: Any,
                  density: Any, factor: Any, bound: Any, buffer: Any, tile: Any) -> None:  # fmt: skip
    """Rows a to b at n nodes: add to ``log_f``, fill ``density[:, i - a]`` (up to three further rows are scratch).

    Nodes come in runs that differ by a shift; ``run`` is their length.
    """
    waiting = 0
    held = -1  # row whose loadings ``factor`` has
    few = n // run + run <= n // 2
    i = a
    while i < b:
        j = i
        while j < min(b, i + 4) and plain(j, D, rows.code, rows.f1, rows.weight, rows.y, rows.o, rows.A, bound):
            j += 1
        if j > i:
            if waiting == 0:
                set_to_one(n, product)
            shared = True
            for t in range(i + 1, j):
                shared = shared and same_slopes(i, t, D, rows.A)
            if shared and (j - i > 1 or (held >= 0 and same_slopes(i, held, D, rows.A))):
                if held < 0 or not same_slopes(i, held, D, rows.A):
                    factors(D, n, i, rows.A, node, factor)
                    held = i
                exponentials_of_factors(n, i, j - i, i - a, rows.o, rows.y, factor, buffer, density)
            elif few:
                exponentials_of_runs(D, n, run, i, j - i, i - a, rows.o, rows.A, rows.y, node, density)
            else:
                exponentials(D, n, i, j - i, i - a, rows.o, rows.A, rows.y, node, density)
            four_bernoulli_logits(n, i, j - i, i - a, rows.y, product, density)
            waiting += 1
            i = j
        elif rows.code[i] >= SETS:
            set_at_nodes(D, n, i, i - a, rows, node, log_f, density)
            i = end_of_set(i, rows)
        else:
            j = i + 1
            while (j < min(b, i + TILE // n) and rows.code[j] == rows.code[i]
                    and not plain(j, D, rows.code, rows.f1, rows.weight, rows.y, rows.o, rows.A, bound)):  # fmt: skip
                j += 1
            any_density(D, n, i, j, i - a, rows, node, log_f, density, buffer, tile)
            i = j
        if waiting == 4 or (waiting > 0 and i == b):
            add_logarithms(n, product, log_f)
            waiting = 0
