"""The lowest units at all nodes: log-likelihoods, slopes, and expectations of each row given the upper nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from semlang.estimation.kernels.codes import CODES
from semlang.estimation.kernels.compiling import compact, inline, inner, kernel
from semlang.estimation.kernels.densities import TILE, VALUE, call_rows
from semlang.estimation.kernels.group_types import GroupType
from semlang.estimation.kernels.layout import Fronts, Nest, Rows, Rule, Scratch, Tables
from semlang.estimation.kernels.upper import normalise
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
        else:
            any_density(D, n, i, i - a, rows, node, log_f, density, buffer, tile)
            i += 1
        if waiting == 4 or (waiting > 0 and i == b):
            add_logarithms(n, product, log_f)
            waiting = 0


@inner
def contract(density: Any, what: int, m: int, weights: Any, last: int, groups: int, n: int, at: int, k: int,
             out: Any) -> None:  # fmt: skip
    """``out[k + w, x, at + i] = sum_q weights[w, q] density[what, i, q]``, q in group x, rows i < m, weights w < last.

    Four rows (the last ones perhaps again) and two weights at a time, to hide the latency of the sums.
    """
    for x in range(groups):
        for i0 in range(0, m, 4):
            i1 = min(i0 + 1, m - 1)
            i2 = min(i0 + 2, m - 1)
            i3 = min(i0 + 3, m - 1)
            for w in range(0, last, 2):
                to = k + w
                s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = 0.0
                if w + 1 < last:
                    for q in range(x * n, x * n + n):
                        p = weights[w, q]
                        z = weights[w + 1, q]
                        y0 = density[what, i0, q]
                        y1 = density[what, i1, q]
                        y2 = density[what, i2, q]
                        y3 = density[what, i3, q]
                        s0 += p * y0
                        t0 += z * y0
                        s1 += p * y1
                        t1 += z * y1
                        s2 += p * y2
                        t2 += z * y2
                        s3 += p * y3
                        t3 += z * y3
                    out[to + 1, x, at + i0] = t0
                    out[to + 1, x, at + i1] = t1
                    out[to + 1, x, at + i2] = t2
                    out[to + 1, x, at + i3] = t3
                else:
                    for q in range(x * n, x * n + n):
                        p = weights[w, q]
                        s0 += p * density[what, i0, q]
                        s1 += p * density[what, i1, q]
                        s2 += p * density[what, i2, q]
                        s3 += p * density[what, i3, q]
                out[to, x, at + i0] = s0
                out[to, x, at + i1] = s1
                out[to, x, at + i2] = s2
                out[to, x, at + i3] = s3


@inner
def place_nodes(q: int, up: int, M: int, Da: int, groups: int, n: int, z: Any, log_weight: Any, largest: float,
                v: Any, fronts: Any, node: Any, log_f: Any, centre: Any, bound: Any) -> None:  # fmt: skip
    """Coordinates of the nodes of lowest unit q, the logs of their weights, and bounds of |v|.

    ``centre`` is where a unit's own coordinates are at z = 0, by node of the units above.
    """
    for k in range(M):
        bound[k] = 0.0
    for k in range(Da):
        s = 0.0
        for x in range(groups):
            s = max(s, abs(v[up, k, x]))
        bound[M + k] = s
    for x in range(groups):
        for k in range(M):
            s = fronts.path[q, k]
            for d in range(Da):
                s -= fronts.G[q, k, d] * (v[up, d, x] - fronts.path[q, M + d])
            centre[k, x] = s
            t = fronts.T[q, k, k]
            size = abs(s) + abs(t) * largest
            for j in range(n):
                node[k, x * n + j] = s + t * z[0, k, j]
            for d in range(k + 1, M):
                t = fronts.T[q, k, d]
                size += abs(t) * largest
                for j in range(n):
                    node[k, x * n + j] += t * z[0, d, j]
            bound[k] = max(bound[k], size)
        for j in range(n):
            log_f[x * n + j] = log_weight[0, j] - 0.5 * node[0, x * n + j] * node[0, x * n + j]
        for k in range(1, M):
            for j in range(n):
                log_f[x * n + j] -= 0.5 * node[k, x * n + j] * node[k, x * n + j]
        for k in range(Da):
            for j in range(x * n, x * n + n):
                node[M + k, j] = v[up, k, x]
        if M + Da == 1:  # `four_bernoulli_logits` reads two coordinates
            for j in range(x * n, x * n + n):
                node[1, j] = 0.0


@inner
def weigh(M: int, groups: int, n: int, z: Any, p: Any, weights: Any) -> None:
    """Fill the weights of `contract`: the probabilities of the nodes, and these times the coordinates."""
    for x in range(groups):
        for j in range(n):
            weights[0, x * n + j] = p[x * n + j]
        for k in range(M):
            for j in range(n):
                weights[1 + k, x * n + j] = p[x * n + j] * z[0, k, j]


@inner
def slopes(q: int, a: int, b: int, r0: int, M: int, groups: int, n: int, A: Any, T: Any, node: Any, weights: Any,
           centre: Any, row: Any, tau: Any, tau_z: Any) -> None:  # fmt: skip
    """Derivatives of unit q in its nodes, from the expectations of its rows; those of ``l' z`` become ``l' v``.

    ``tau = sum_i a_i E[l'_i] - E[v]``, ``tau_z = sum_i a_i E[l'_i z] - E[v z]``.
    """
    for x in range(groups):
        for k in range(M):
            for d in range(k, M + 1):  # the last is tau
                w = 0 if d == M else d + 1
                s = 0.0
                for j in range(x * n, x * n + n):
                    s -= weights[w, j] * node[k, j]
                for i in range(a, b):
                    s += A[k, i] * row[w, x, i - r0]
                if d == M:
                    tau[q, k, x] = s
                else:
                    tau_z[q, k * M + d, x] = s
        for k in range(M):
            s = centre[k, x]
            t = T[q, k, k]
            for i in range(a - r0, b - r0):
                row[1 + k, x, i] = s * row[0, x, i] + t * row[1 + k, x, i]
            for d in range(k + 1, M):
                t = T[q, k, d]
                for i in range(a - r0, b - r0):
                    row[1 + k, x, i] += t * row[1 + d, x, i]


@kernel(*[GroupType(g) for g in (Nest, Rule, Rows, Fronts, Scratch, Tables)], types.boolean, types.float64[::1])
def lowest_units(nest: Nest, rule: Rule, rows: Rows, fronts: Fronts, scratch: Scratch, tables: Tables,
                 has_parameters: bool, value: Any) -> None:  # fmt: skip
    """Integrate the lowest units at each node of the units above; add to those units' sums and slopes.

    A unit that is longer than the scratch for rows is gone through twice: for its probabilities, then for
    the expectations of its rows.
    """
    compact()
    K = nest.dims.size
    D = nest.tail[0]
    M = nest.dims[0]
    Da = nest.tail[1]
    n = rule.counts[0]
    groups = rule.size[1]
    n0 = rule.size[0]
    r0 = nest.first[0]
    capacity = tables.density.shape[1] - 3
    for q in range(nest.base[0], nest.base[1]):
        up = max(nest.above[q] - nest.base[1], 0)
        a = nest.first[q]
        b = nest.last[q]
        W = nest.weight[q]
        place_nodes(q, up, M, Da, groups, n, rule.z, rule.log_weight, rule.largest[0], tables.v, fronts, tables.node,
                    tables.log_f, tables.centre, tables.bound)  # fmt: skip
        for turn in range(2):
            for start in range(a, b, capacity):
                stop = min(b, start + capacity)
                if turn == 0 or b - a > capacity:
                    rows_at_nodes(start, stop, D, n0, rows, tables.node, tables.log_f, tables.product,
                                  tables.density, tables.bound, tables.buffer, scratch.tile)  # fmt: skip
                if turn == 0:
                    continue
                for what in range(3 if has_parameters else 1):
                    contract(tables.density, what, stop - start, tables.weights, 1 if what else 1 + M, groups, n,
                             start - r0, M + what if what else 0, tables.row)  # fmt: skip
            if turn == 0:
                normalise(tables.log_f, groups, n, tables.message)
                weigh(M, groups, n, rule.z, tables.log_f, tables.weights)
        slopes(q, a, b, r0, M, groups, n, rows.A, fronts.T, tables.node, tables.weights, tables.centre, tables.row,
               tables.tau, tables.tau_z)  # fmt: skip
        det = 1.0
        for k in range(M):
            det *= fronts.L[q, k, k]
        log_det = np.log(det)
        if K == 1:
            value[q] = W * (tables.message[0] - log_det)
            continue
        for x in range(groups):
            tables.f[up, x] += W * (tables.message[x] - log_det)
        for d in range(Da):
            for x in range(groups):
                s = 0.0
                for i in range(a, b):
                    s += rows.A[M + d, i] * tables.row[0, x, i - r0]
                for k in range(M):
                    s -= fronts.G[q, k, d] * tables.tau[q, k, x]
                tables.slope[up, d, x] += W * s
