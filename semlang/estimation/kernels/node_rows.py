"""Rows at the nodes of their unit: log densities, and derivatives of these in the linear predictor."""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.declaring import Kernel, inline, inner, intrinsic
from semlang.estimation.kernels.densities import TILE, VALUE, call_rows
from semlang.estimation.kernels.families import CODES, SETS
from semlang.estimation.kernels.layout import Rows, Scratch, Tables
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
                         factor: Any, density: Any) -> None:  # fmt: skip
    """Fill the same where each run of nodes is the first one, moved: ``run + n / run`` exponentials a row.

    ``factor[0]`` is scratch for those of the middle of each run, ``factor[1]`` for those within a run.
    """
    runs = n // run
    whole = runs + -runs % 8  # vector code has no remainder
    middle = (run - 1) // 2
    for j in range(m):
        s = 1.0 - 2.0 * y[i + j]
        x = s * o[i + j]
        first = j * whole
        second = j * run
        for u in range(first, first + whole):
            factor[0, u] = x
        for r in range(second, second + run):
            factor[1, r] = 0.0
        for d in range(D):
            a = s * A[d, i + j]
            for u in range(runs):
                factor[0, first + u] += a * node[d, u * run + middle]
            z = node[d, middle]
            for r in range(run):
                factor[1, second + r] += a * (node[d, r] - z)
    for u in range(m * whole):
        factor[0, u] = vexp(factor[0, u])
    for r in range(m * run):
        factor[1, r] = vexp(factor[1, r])
    for j in range(m):
        for u in range(runs):
            x = factor[0, j * whole + u]
            at = u * run
            for r in range(run):
                density[0, k + j, at + r] = x * factor[1, j * run + r]


@inner
def same_slopes(i: int, j: int, D: int, A: Any) -> bool:
    """Do rows i and j have the same loadings?"""
    same = True
    for d in range(D):
        same = same and A[d, i] == A[d, j]
    return same


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
def four_of_factors(n: int, i: int, m: int, k: int, o: Any, y: Any, factor: Any, e: Any, product: Any,
                    density: Any) -> None:  # fmt: skip
    """The same for rows that share loadings: ``exp(-s nu)`` is a product, of one exponential a row and `factors`."""
    for j in range(4):
        t = i + min(j, m - 1)
        e[0, j] = o[t] * (1.0 - 2.0 * y[t])
    for j in range(4):
        e[0, j] = vexp(e[0, j])
    e0 = e[0, 0]
    e1 = e[0, 1] if m > 1 else 0.0
    e2 = e[0, 2] if m > 2 else 0.0
    e3 = e[0, 3] if m > 3 else 0.0
    y0 = y[i]
    y1 = y[i + min(1, m - 1)]
    y2 = y[i + min(2, m - 1)]
    y3 = y[i + min(3, m - 1)]
    f0 = 1 if y0 > 0.0 else 0
    f1 = 1 if y1 > 0.0 else 0
    f2 = 1 if y2 > 0.0 else 0
    f3 = 1 if y3 > 0.0 else 0
    s0 = 2.0 * y0 - 1.0
    s1 = 2.0 * y1 - 1.0
    s2 = 2.0 * y2 - 1.0
    s3 = 2.0 * y3 - 1.0
    for q in range(n):
        p, d0, d1, d2, d3 = four_logits(e0 * factor[f0, q], e1 * factor[f1, q], e2 * factor[f2, q], e3 * factor[f3, q])
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


def _rows_at_nodes(a: int, b: int, base: int, n: int, run: int, rows: Rows, tables: Tables, scratch: Scratch) -> None:
    """Rows a to b at n nodes: add to ``log_f``, fill ``density[:, i - base]`` (up to three further rows are scratch).

    Nodes come in runs that differ by a shift; ``run`` is their length.
    """
    D = rows.A.shape[0]
    node, log_f, product, density = tables.node, tables.log_f, tables.product, tables.density
    factor, bound, buffer, tile = tables.factor, tables.bound, tables.buffer, scratch.tile
    waiting = 0
    held = -1  # row whose loadings ``factor`` has
    few = n // run + run <= n // 2 and n >= 16
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
                four_of_factors(n, i, j - i, i - base, rows.o, rows.y, factor, buffer, product, density)
            else:
                if few:
                    exponentials_of_runs(D, n, run, i, j - i, i - base, rows.o, rows.A, rows.y, node, factor, density)
                    held = -1
                else:
                    exponentials(D, n, i, j - i, i - base, rows.o, rows.A, rows.y, node, density)
                four_bernoulli_logits(n, i, j - i, i - base, rows.y, product, density)
            waiting += 1
            i = j
        elif rows.code[i] >= SETS:
            set_at_nodes(D, n, i, i - base, rows, node, log_f, density)
            i = end_of_set(i, rows)
        else:
            j = i + 1
            while (j < min(b, i + TILE // n) and rows.code[j] == rows.code[i]
                    and not plain(j, D, rows.code, rows.f1, rows.weight, rows.y, rows.o, rows.A, bound)):  # fmt: skip
                j += 1
            any_density(D, n, i, j, i - base, rows, node, log_f, density, buffer, tile)
            i = j
        if waiting == 4 or (waiting > 0 and i == b):
            add_logarithms(n, product, log_f)
            waiting = 0


rows_at_nodes = Kernel(
    _rows_at_nodes, (int, int, int, int, int, Rows, Tables, Scratch), name="rows_at_nodes", by_address=True
)
"""One for all kernels that go through nodes: they call it by its address, which is in `Rule.calls`."""


@intrinsic
def call_at_nodes(
    context: Any, address: Any, a: Any, b: Any, base: Any, n: Any, run: Any, rows: Any, tables: Any, scratch: Any
) -> Any:
    """Call `rows_at_nodes`."""
    from llvmlite import ir
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in arguments[1:]])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, *[types.int64] * 5, rows, tables, scratch), build
