"""The lowest units at all nodes: log-likelihoods, slopes, and expectations of each row given the upper nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from semlang.estimation.kernels.codes import CODES
from semlang.estimation.kernels.compiling import inner, kernel
from semlang.estimation.kernels.densities import TILE, VALUE, call_rows
from semlang.estimation.kernels.layout import Fronts, Nest, Rows, Rule, Scratch, Tables, numba_type
from semlang.estimation.kernels.upper import normalise
from semlang.estimation.kernels.vector_math import vexp, vlog

LOGIT = CODES["binomial", "logit"]
SAFE = 40.0
"""Probabilities of 16 rows can be multiplied where no |nu| is above this."""


@inner
def four_bernoulli_logits(D: int, n: int, i: int, k: int, o: Any, A: Any, y: Any, node: Any, product: Any,
                          density: Any, slope: Any) -> None:  # fmt: skip
    """Rows i to i + 3 of at most two coordinates at n nodes: four at a time share what it costs to set up the loop.

    Multiply their probabilities into ``product``, fill l' and add ``l' a`` to the slope.
    """
    s0 = 2.0 * y[i] - 1.0
    s1 = 2.0 * y[i + 1] - 1.0
    s2 = 2.0 * y[i + 2] - 1.0
    s3 = 2.0 * y[i + 3] - 1.0
    o0 = s0 * o[i]
    o1 = s1 * o[i + 1]
    o2 = s2 * o[i + 2]
    o3 = s3 * o[i + 3]
    x0 = s0 * A[0, i]
    x1 = s1 * A[0, i + 1]
    x2 = s2 * A[0, i + 2]
    x3 = s3 * A[0, i + 3]
    z0 = z1 = z2 = z3 = 0.0
    if D == 2:
        z0 = s0 * A[1, i]
        z1 = s1 * A[1, i + 1]
        z2 = s2 * A[1, i + 2]
        z3 = s3 * A[1, i + 3]
    for q in range(n):
        u = node[0, q]
        v = node[1, q]
        e0 = vexp(-(o0 + x0 * u + z0 * v))
        e1 = vexp(-(o1 + x1 * u + z1 * v))
        e2 = vexp(-(o2 + x2 * u + z2 * v))
        e3 = vexp(-(o3 + x3 * u + z3 * v))
        p0 = 1.0 / (1.0 + e0)
        p1 = 1.0 / (1.0 + e1)
        p2 = 1.0 / (1.0 + e2)
        p3 = 1.0 / (1.0 + e3)
        product[q] *= (p0 * p1) * (p2 * p3)
        p0 = 1.0 - p0
        p1 = 1.0 - p1
        p2 = 1.0 - p2
        p3 = 1.0 - p3
        density[0, k, q] = s0 * p0
        density[0, k + 1, q] = s1 * p1
        density[0, k + 2, q] = s2 * p2
        density[0, k + 3, q] = s3 * p3
        slope[0, q] += (p0 * x0 + p1 * x1) + (p2 * x2 + p3 * x3)
        slope[1, q] += (p0 * z0 + p1 * z1) + (p2 * z2 + p3 * z3)


@inner
def one_bernoulli_logit(D: int, M: int, n: int, i: int, k: int, o: Any, A: Any, y: Any, node: Any, product: Any,
                        density: Any, slope: Any) -> None:  # fmt: skip
    """Row i at n nodes, for any number of coordinates."""
    sign = 2.0 * y[i] - 1.0
    a = sign * o[i]
    x = sign * A[0, i]
    for q in range(n):
        density[0, k, q] = a + x * node[0, q]
    for d in range(1, D):
        x = sign * A[d, i]
        for q in range(n):
            density[0, k, q] += x * node[d, q]
    for q in range(n):
        p = 1.0 / (1.0 + vexp(-density[0, k, q]))
        product[q] *= p
        density[0, k, q] = sign * (1.0 - p)
    for d in range(M):
        x = A[d, i]
        for q in range(n):
            slope[d, q] += density[0, k, q] * x


@inner
def any_density(D: int, M: int, n: int, i: int, k: int, rows: Any, node: Any, log_f: Any, density: Any, slope: Any,
                buffer: Any, tile: Any) -> None:  # fmt: skip
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
        for d in range(M):
            a = weight * rows.A[d, i]
            for t in range(m):
                slope[d, start + t] += a * tile[TILE + t]
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
def rows_at_nodes(a: int, b: int, D: int, M: int, n: int, rows: Any, node: Any, log_f: Any, product: Any, slope: Any,
                  density: Any, bound: Any, buffer: Any, tile: Any) -> None:  # fmt: skip
    """Rows a to b at n nodes: add to ``log_f`` and ``slope``, fill ``density[:, i - a]``."""
    waiting = 0
    for q in range(n):
        product[q] = 1.0
    checked = a  # rows before this one were found plain
    i = a
    while i < b:
        wanted = i + 4 if D <= 2 and i + 4 <= b else i + 1
        while checked < wanted and plain(checked, D, rows.code, rows.f1, rows.weight, rows.y, rows.o, rows.A, bound):
            checked += 1
        if checked >= i + 4 and wanted == i + 4:
            four_bernoulli_logits(D, n, i, i - a, rows.o, rows.A, rows.y, node, product, density, slope)
            i += 4
            waiting += 4
        elif checked > i:
            one_bernoulli_logit(D, M, n, i, i - a, rows.o, rows.A, rows.y, node, product, density, slope)
            i += 1
            waiting += 1
        else:
            any_density(D, M, n, i, i - a, rows, node, log_f, density, slope, buffer, tile)
            i += 1
            checked = i
        if waiting > 12 or (waiting > 0 and i == b):
            for q in range(n):
                log_f[q] += vlog(product[q])
                product[q] = 1.0
            waiting = 0


@inner
def contract(density: Any, what: int, m: int, weights: Any, which: int, groups: int, n: int, at: int, k: int,
             out: Any) -> None:  # fmt: skip
    """``out[k, x, at + i] = sum_q weights[which, q] density[what, i, q]`` over the nodes q of group x, rows i < m.

    Four rows at a time, to hide the latency of the sums.
    """
    for x in range(groups):
        i = 0
        while i + 4 <= m:
            s0 = s1 = s2 = s3 = 0.0
            for q in range(x * n, x * n + n):
                p = weights[which, q]
                s0 += p * density[what, i, q]
                s1 += p * density[what, i + 1, q]
                s2 += p * density[what, i + 2, q]
                s3 += p * density[what, i + 3, q]
            out[k, x, at + i] = s0
            out[k, x, at + i + 1] = s1
            out[k, x, at + i + 2] = s2
            out[k, x, at + i + 3] = s3
            i += 4
        while i < m:
            s0 = 0.0
            for q in range(x * n, x * n + n):
                s0 += weights[which, q] * density[what, i, q]
            out[k, x, at + i] = s0
            i += 1


@inner
def contract_two(density: Any, m: int, weights: Any, groups: int, n: int, at: int, out: Any) -> None:
    """`contract` of l' with p into ``out[0]`` and with p v of the first own coordinate into ``out[3]``."""
    for x in range(groups):
        i = 0
        while i + 4 <= m:
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = 0.0
            for q in range(x * n, x * n + n):
                p = weights[0, q]
                v = weights[1, q]
                y0 = density[0, i, q]
                y1 = density[0, i + 1, q]
                y2 = density[0, i + 2, q]
                y3 = density[0, i + 3, q]
                s0 += p * y0
                t0 += v * y0
                s1 += p * y1
                t1 += v * y1
                s2 += p * y2
                t2 += v * y2
                s3 += p * y3
                t3 += v * y3
            out[0, x, at + i] = s0
            out[0, x, at + i + 1] = s1
            out[0, x, at + i + 2] = s2
            out[0, x, at + i + 3] = s3
            out[3, x, at + i] = t0
            out[3, x, at + i + 1] = t1
            out[3, x, at + i + 2] = t2
            out[3, x, at + i + 3] = t3
            i += 4
        while i < m:
            s0 = t0 = 0.0
            for q in range(x * n, x * n + n):
                y0 = density[0, i, q]
                s0 += weights[0, q] * y0
                t0 += weights[1, q] * y0
            out[0, x, at + i] = s0
            out[3, x, at + i] = t0
            i += 1


@inner
def place_nodes(q: int, up: int, M: int, Da: int, groups: int, n: int, z: Any, log_weight: Any, v: Any, fronts: Any,
                node: Any, log_f: Any, slope: Any, bound: Any) -> None:  # fmt: skip
    """Coordinates of the nodes of lowest unit q, the logs of their weights, and the largest |v| of each coordinate."""
    for x in range(groups):
        for k in range(Da):
            for j in range(x * n, x * n + n):
                node[M + k, j] = v[up, k, x]
        for k in range(M):
            s = fronts.path[q, k]
            for d in range(Da):
                s -= fronts.G[q, k, d] * (v[up, d, x] - fronts.path[q, M + d])
            for j in range(n):
                node[k, x * n + j] = s
            for d in range(k, M):
                t = fronts.T[q, k, d]
                for j in range(n):
                    node[k, x * n + j] += t * z[0, d, j]
        for j in range(n):
            log_f[x * n + j] = log_weight[0, j]
    for k in range(M):
        for j in range(groups * n):
            log_f[j] -= 0.5 * node[k, j] * node[k, j]
            slope[k, j] = 0.0
    for k in range(M + Da):
        s = 0.0
        for j in range(groups * n):
            s = max(s, abs(node[k, j]))
        bound[k] = s
    for k in range(M + Da, 2):  # `four_bernoulli_logits` reads two coordinates
        for j in range(groups * n):
            node[k, j] = 0.0
    for k in range(M, 2):
        for j in range(groups * n):
            slope[k, j] = 0.0


@kernel(
    *[numba_type(g) for g in (Nest, Rule, Rows, Fronts, Scratch, Tables)], types.boolean, types.float64[::1]
)
def lowest_units(nest: Nest, rule: Rule, rows: Rows, fronts: Fronts, scratch: Scratch, tables: Tables,
                 has_parameters: bool, value: Any) -> None:  # fmt: skip
    """Integrate the lowest units at each node of the units above; add to those units' sums and slopes.

    A unit that is longer than the scratch for rows is gone through twice: for its probabilities, then for
    the expectations of its rows.
    """
    K = nest.dims.size
    D = nest.tail[0]
    M = nest.dims[0]
    Da = nest.tail[1]
    n = rule.counts[0]
    groups = rule.size[1]
    n0 = rule.size[0]
    r0 = nest.first[0]
    capacity = tables.density.shape[1]
    bound = np.empty(D)
    buffer = np.empty((4, TILE))
    for q in range(nest.base[0], nest.base[1]):
        up = max(nest.above[q] - nest.base[1], 0)
        a = nest.first[q]
        b = nest.last[q]
        W = nest.weight[q]
        place_nodes(q, up, M, Da, groups, n, rule.z, rule.log_weight, tables.v, fronts, tables.node, tables.log_f,
                    tables.slope0, bound)  # fmt: skip
        for start in range(a, b, capacity):
            rows_at_nodes(start, min(b, start + capacity), D, M, n0, rows, tables.node, tables.log_f, tables.product,
                          tables.slope0, tables.density, bound, buffer, scratch.tile)  # fmt: skip
        normalise(tables.log_f, groups, n, tables.message)
        for j in range(n0):
            tables.weights[0, j] = tables.log_f[j]
        for k in range(M):
            for j in range(n0):
                tables.weights[1 + k, j] = tables.weights[0, j] * tables.node[k, j]
                tables.slope0[k, j] = tables.weights[0, j] * (tables.slope0[k, j] - tables.node[k, j])
            for x in range(groups):
                s = 0.0
                for j in range(x * n, x * n + n):
                    s += tables.slope0[k, j]
                tables.tau[q, k, x] = s
                for d in range(k, M):
                    s = 0.0
                    for j in range(n):
                        s += tables.slope0[k, x * n + j] * rule.z[0, d, j]
                    tables.tau_z[q, k * M + d, x] = s
        for start in range(a, b, capacity):
            stop = min(b, start + capacity)
            if b - a > capacity:
                rows_at_nodes(start, stop, D, M, n0, rows, tables.node, tables.log_f, tables.product, tables.slope0,
                              tables.density, bound, buffer, scratch.tile)  # fmt: skip
            contract_two(tables.density, stop - start, tables.weights, groups, n, start - r0, tables.row)
            for k in range(1, M):
                contract(tables.density, 0, stop - start, tables.weights, 1 + k, groups, n, start - r0, 3 + k,
                         tables.row)  # fmt: skip
            if has_parameters:
                for k in range(1, 3):
                    contract(tables.density, k, stop - start, tables.weights, 0, groups, n, start - r0, k,
                             tables.row)  # fmt: skip
        log_det = 0.0
        for k in range(M):
            log_det -= np.log(fronts.L[q, k, k])
        if K == 1:
            value[q] = W * (tables.message[0] + log_det)
            continue
        for x in range(groups):
            tables.f[up, x] += W * (tables.message[x] + log_det)
        for d in range(Da):
            for x in range(groups):
                s = 0.0
                for i in range(a, b):
                    s += rows.A[M + d, i] * tables.row[0, x, i - r0]
                for k in range(M):
                    s -= fronts.G[q, k, d] * tables.tau[q, k, x]
                tables.slope[up, d, x] += W * s
