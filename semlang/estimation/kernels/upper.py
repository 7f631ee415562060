"""Tables of the levels above the lowest: nodes downwards, log-likelihoods and their slopes upwards.

Unit u has nodes ``v_u = m_u + T_u z - G_u (v_a - m_a)`` for each combination of its ancestors' nodes, and
``f_u = log|T_u| + log sum_q exp(log w_q + |z_q|^2 / 2 - |v_u|^2 / 2 + sum_c W_c f_c)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import inner, kernel
from semlang.estimation.kernels.groups import Vector
from semlang.estimation.kernels.layout import Fronts, Nest, Rule, Tables
from semlang.estimation.kernels.vector_math import vexp


@inner
def normalise(f: Any, groups: int, n: int, sign: Any, level: int, out: Any) -> None:
    """Turn logs f (groups x n) into conditional probabilities; ``out`` is the log of each group's sum.

    Nodes of a sparse rule have weights of both signs, and so have their probabilities.
    """
    for u in range(groups):
        m = m1 = m2 = m3 = f[u * n]
        for q in range(u * n, u * n + n - 3, 4):
            m = max(m, f[q])
            m1 = max(m1, f[q + 1])
            m2 = max(m2, f[q + 2])
            m3 = max(m3, f[q + 3])
        for q in range(u * n + n - n % 4, u * n + n):
            m = max(m, f[q])
        m = max(max(m, m1), max(m2, m3))
        for q in range(u * n, u * n + n):
            f[q] -= m
        out[u] = m
    for q in range(groups * n):
        f[q] = vexp(f[q])
    for u in range(groups):
        s = 0.0
        for q in range(n):
            f[u * n + q] *= sign[level, q]
        for q in range(u * n, u * n + n):
            s += f[q]
        out[u] += np.log(s)
        s = 1.0 / s
        for q in range(u * n, u * n + n):
            f[q] *= s


@kernel(Nest, Rule, Fronts, Tables)
def upper_nodes(nest: Nest, rule: Rule, fronts: Fronts, tables: Tables) -> None:
    """Fill coordinates of the nodes of all units above the lowest level, and start their sums."""
    K = nest.dims.size
    shift = nest.base[1]
    for level in range(K - 1, 0, -1):
        M = nest.dims[level]
        Da = nest.tail[level + 1]
        n = rule.counts[level]
        for q in range(nest.base[level], nest.base[level + 1]):
            t = q - shift
            p = max(nest.above[q] - shift, 0)
            for x in range(rule.size[level + 1]):
                for k in range(Da):
                    for z in range(x * n, x * n + n):
                        tables.v[t, M + k, z] = tables.v[p, k, x]
                for k in range(M):
                    s = fronts.path[q, k]
                    for d in range(Da):
                        s -= fronts.G[q, k, d] * (tables.v[p, d, x] - fronts.path[q, M + d])
                    for z in range(n):
                        y = s
                        for d in range(k, M):
                            y += fronts.T[q, k, d] * rule.z[level, d, z]
                        tables.v[t, k, x * n + z] = y
                for z in range(n):
                    s = rule.log_weight[level, z]
                    for k in range(M):
                        s -= 0.5 * tables.v[t, k, x * n + z] * tables.v[t, k, x * n + z]
                    tables.f[t, x * n + z] = s
            for k in range(nest.tail[level]):
                for x in range(rule.size[level]):
                    tables.slope[t, k, x] = 0.0


@kernel(Nest, Rule, Fronts, Tables, Vector)
def upper_sums(nest: Nest, rule: Rule, fronts: Fronts, tables: Tables, value: Any) -> None:
    """From the sums over children to conditional probabilities and slopes, upwards; values at the top."""
    K = nest.dims.size
    shift = nest.base[1]
    for level in range(1, K):
        M = nest.dims[level]
        Da = nest.tail[level + 1]
        n = rule.counts[level]
        for q in range(nest.base[level], nest.base[level + 1]):
            t = q - shift
            p = max(nest.above[q] - shift, 0)
            W = nest.weight[q]
            log_det = 0.0
            for k in range(M):
                log_det -= np.log(fronts.L[q, k, k])
                for x in range(rule.size[level]):
                    tables.slope[t, k, x] -= tables.v[t, k, x]
            for x in range(rule.size[level]):
                tables.log_f[x] = tables.f[t, x]
            normalise(tables.log_f, rule.size[level + 1], n, rule.sign, level, tables.message)
            for x in range(rule.size[level]):
                tables.f[t, x] = tables.log_f[x]
            if level == K - 1:
                value[q - nest.base[level]] = W * (tables.message[0] + log_det)
                continue
            for x in range(rule.size[level + 1]):
                tables.f[p, x] += W * (tables.message[x] + log_det)
            for d in range(Da):
                for x in range(rule.size[level + 1]):
                    s = 0.0
                    for z in range(x * n, x * n + n):
                        y = tables.slope[t, M + d, z]
                        for k in range(M):
                            y -= fronts.G[q, k, d] * tables.slope[t, k, z]
                        s += tables.f[t, z] * y
                    tables.slope[p, d, x] += W * s
