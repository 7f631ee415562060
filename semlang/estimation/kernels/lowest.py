"""The lowest units at all nodes: log-likelihoods, slopes, and expectations of each row given the upper nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import compact, inner, kernel
from semlang.estimation.kernels.groups import Vector
from semlang.estimation.kernels.lanes import units_side_by_side
from semlang.estimation.kernels.layout import Fronts, Lanes, Nest, Rows, Rule, Scratch, Tables
from semlang.estimation.kernels.node_rows import call_at_nodes, end_of_table
from semlang.estimation.kernels.upper import normalise


@inner
def contract(density: Any, what: int, first: int, m: int, weights: Any, last: int, groups: int, n: int, at: int, k: int,
             out: Any) -> None:  # fmt: skip
    """``out[k + w, x, at + i] = sum_q weights[w, q] density[what, i, q]``, q in group x, first <= i < m, w < last.

    Four rows (the last ones perhaps again) and two weights at a time, to hide the latency of the sums.
    """
    for x in range(groups):
        for i0 in range(first, m, 4):
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
def place_nodes(q: int, up: int, sister: bool, M: int, Da: int, groups: int, n: int, z: Any, log_weight: Any,
                largest: float, v: Any, fronts: Any, node: Any, log_f: Any, centre: Any,
                bound: Any) -> None:  # fmt: skip
    """Coordinates of the nodes of lowest unit q, the logs of their weights, and bounds of |v|.

    ``centre`` is where a unit's own coordinates are at z = 0, by node of the units above; coordinates of these are left
    as they are where the unit before had the same parent (``sister``).
    """
    for k in range(M):
        bound[k] = 0.0
    for k in range(0 if sister else Da):
        s = 0.0
        for x in range(groups):
            y = v[up, k, x]
            s = max(s, abs(y))
            for j in range(x * n, x * n + n):
                node[M + k, j] = y
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
    if M == 1:
        t = T[q, 0, 0]
        for x in range(groups):
            c = centre[0, x]
            s = s_z = 0.0
            for j in range(x * n, x * n + n):
                s -= weights[0, j] * node[0, j]
                s_z -= weights[1, j] * node[0, j]
            for i in range(a, b):
                y = row[0, x, i - r0]
                y_z = row[1, x, i - r0]
                s += A[0, i] * y
                s_z += A[0, i] * y_z
                row[1, x, i - r0] = c * y + t * y_z
            tau[q, 0, x] = s
            tau_z[q, 0, x] = s_z
        return
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


@inner
def moments_at(q: int, M: int, groups: int, n: int, path: Any, node: Any, p: Any, tau: Any, tau_z: Any) -> None:
    """First and second moments of the own coordinates of unit q about its modes, given the nodes of the units above."""
    for k in range(M):
        m = path[q, k]
        for x in range(groups):
            s = t = 0.0
            for j in range(x * n, x * n + n):
                y = node[k, j] - m
                s += p[j] * y
                t += p[j] * y * y
            tau[q, k, x] = s
            tau_z[q, k * M + k, x] = t
        for d in range(k):
            m_d = path[q, d]
            for x in range(groups):
                t = 0.0
                for j in range(x * n, x * n + n):
                    t += p[j] * (node[k, j] - m) * (node[d, j] - m_d)
                tau_z[q, k * M + d, x] = t


@inner
def pass_on(q: int, K: int, groups: int, log_det: float, alone: bool, nest: Nest, rows: Rows, fronts: Fronts,
            tables: Tables, value: Any) -> None:  # fmt: skip
    """Make ``message`` the value of unit q, or add it and the slopes of unit q to those of its parent."""
    W = nest.weight[q]
    if K == 1:
        value[q] = W * (tables.message[0] - log_det)
        return
    M = nest.dims[0]
    r0 = nest.first[0]
    up = nest.above[q] - nest.base[1]
    for x in range(groups):
        tables.f[up, x] += W * (tables.message[x] - log_det)
    for d in range(0 if alone else nest.tail[1]):
        for x in range(groups):
            s = 0.0
            for i in range(nest.first[q], nest.last[q]):
                s += rows.A[M + d, i] * tables.row[0, x, i - r0]
            for k in range(M):
                s -= fronts.G[q, k, d] * tables.tau[q, k, x]
            tables.slope[up, d, x] += W * s


@inner
def first_coordinate(i: int, M: int, A: Any) -> int:
    """Return the first coordinate that row i depends on; the last one where there is none."""
    s = 0
    while s < M - 1 and A[s, i] == 0.0:
        s += 1
    return s


@inner
def at_few_nodes(a: int, b: int, n: int, M: int, rule: Rule, rows: Rows, tables: Tables, scratch: Scratch) -> None:
    """Rows a to b at the nodes of a sparse rule, each where its linear predictor differs: add to ``log_f``.

    Coordinates of nodes are ``c + T z`` with T upper triangular. A row that has no loadings before coordinate s sees
    of z what follows s, which the first ``within[s]`` nodes have once each; others have the sum of their parents.
    """
    for q in range(n):
        tables.weights[0, q] = tables.log_f[q]
        tables.log_f[q] = 0.0
    known = 0
    for s in range(M - 1, -1, -1):
        m = rule.within[s]
        for q in range(known, m):
            tables.log_f[q] = tables.log_f[rule.parent[q]]
        known = m
        i = a
        while i < b:
            j = i
            while j < b and first_coordinate(j, M, rows.A) == s:
                j += 1
            if j > i:
                call_at_nodes(rule.calls[0], i, j, a, m, m, rows, tables, scratch)
            i = max(j, i + 1)
    for q in range(n):
        tables.log_f[q] += tables.weights[0, q]


@inner
def expect_few(a: int, b: int, r0: int, n: int, M: int, has_parameters: bool, rule: Rule, rows: Rows,
               tables: Tables) -> None:  # fmt: skip
    """Expectations of rows a to b after `at_few_nodes`: weights of nodes are added to those of their parents."""
    for s in range(M):
        m = rule.within[s]
        i = a
        while i < b:
            j = i
            while j < b and first_coordinate(j, M, rows.A) == s:
                j += 1
            for what in range((3 if has_parameters else 1) if j > i else 0):
                contract(tables.density, what, i - a, j - a, tables.weights, 1 if what else 1 + M, 1, m, a - r0,
                         M + what if what else 0, tables.row)  # fmt: skip
            i = max(j, i + 1)
        for w in range(1 + M if s < M - 1 else 0):
            for q in range(rule.within[s + 1], m):
                tables.weights[w, rule.parent[q]] += tables.weights[w, q]
    weigh(M, 1, n, rule.z, tables.log_f, tables.weights)


@inner
def one_unit(q: int, sister: bool, has_parameters: bool, alone: bool, nest: Nest, rule: Rule, rows: Rows,
             fronts: Fronts, scratch: Scratch, tables: Tables) -> float:  # fmt: skip
    """Integrate unit q at each node of the units above: fill ``message``, and slopes or moments; return log|L|.

    A unit that is longer than the scratch for rows is gone through twice: for its probabilities, then for
    the expectations of its rows.
    """
    compact()
    M = nest.dims[0]
    n = rule.counts[0]
    groups = rule.size[1]
    r0 = nest.first[0]
    capacity = tables.density.shape[1] - 3
    up = max(nest.above[q] - nest.base[1], 0)
    a = nest.first[q]
    b = nest.last[q]
    place_nodes(q, up, sister, M, nest.tail[1], groups, n, rule.z, rule.log_weight, rule.largest[0], tables.v, fronts,
                tables.node, tables.log_f, tables.centre, tables.bound)  # fmt: skip
    few = rule.parent.size > 0 and groups == 1 and b - a <= capacity
    if few:
        at_few_nodes(a, b, n, M, rule, rows, tables, scratch)
    for turn in range(1 if alone else 2):
        start = b if few else a
        while start < b:
            stop = end_of_table(start, b, capacity, rows)
            if turn == 0 or b - a > capacity:
                call_at_nodes(rule.calls[0], start, stop, start, rule.size[0], rule.run[0], rows, tables, scratch)
            for what in range((3 if has_parameters else 1) if turn else 0):
                contract(tables.density, what, 0, stop - start, tables.weights, 1 if what else 1 + M, groups, n,
                         start - r0, M + what if what else 0, tables.row)  # fmt: skip
            start = stop
        if turn == 0:
            normalise(tables.log_f, groups, n, rule.sign, 0, tables.message)
            weigh(M, groups, n, rule.z, tables.log_f, tables.weights)
    if few and not alone:
        expect_few(a, b, r0, n, M, has_parameters, rule, rows, tables)
    if alone:
        moments_at(q, M, groups, n, fronts.path, tables.node, tables.log_f, tables.tau, tables.tau_z)
    else:
        slopes(q, a, b, r0, M, groups, n, rows.A, fronts.T, tables.node, tables.weights, tables.centre,
               tables.row, tables.tau, tables.tau_z)  # fmt: skip
    det = 1.0
    for k in range(M):
        det *= fronts.L[q, k, k]
    return float(np.log(det))


@kernel(Nest, Rule, Rows, Fronts, Scratch, Tables, Lanes, bool, bool, Vector)
def lowest_units(nest: Nest, rule: Rule, rows: Rows, fronts: Fronts, scratch: Scratch, tables: Tables, lanes: Lanes,
                 has_parameters: bool, alone: bool, value: Any) -> None:  # fmt: skip
    """Integrate the lowest units at each node of the units above; add to those units' sums and slopes.

    Where the value is asked for `alone`, conditional moments (`moments_at`) stand in the place of slopes, and there are
    no expectations of rows. Units of one dimension are side by side where they can be.
    """
    compact()
    K = nest.dims.size
    groups = rule.size[1]
    before = -1
    alone_until = 0  # units up to here are too large to be side by side
    q = 0
    while q < nest.base[1]:
        end = units_side_by_side(q, nest, rule, rows, fronts, tables, lanes, alone) if q >= alone_until else q
        for u in range(end - q):
            for x in range(groups):
                tables.message[x] = lanes.message[x, u]
            pass_on(q + u, K, groups, lanes.log_det[u], alone, nest, rows, fronts, tables, value)
        if end > q:
            q = end
            before = -1
            continue
        alone_until = max(alone_until, -end)
        log_det = one_unit(q, nest.above[q] == before, has_parameters, alone, nest, rule, rows, fronts, scratch, tables)
        before = nest.above[q]
        pass_on(q, K, groups, log_det, alone, nest, rows, fronts, tables, value)
        q += 1
