"""Posterior means and covariances of the latent variables of each unit and its ancestors."""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.declaring import compact, kernel
from semlang.estimation.kernels.groups import Cube, Matrix
from semlang.estimation.kernels.layout import Fronts, Nest, Rows, Rule, Scratch, Tables
from semlang.estimation.kernels.lowest import place_nodes
from semlang.estimation.kernels.node_rows import call_at_nodes, end_of_table
from semlang.estimation.kernels.upper import normalise

_MOMENTS = (Matrix, Cube)
_NODES = _MOMENTS


@kernel(Nest, Fronts, *_MOMENTS)
def laplace_moments(nest: Nest, fronts: Fronts, mean: Any, covariance: Any) -> None:
    """Modes and blocks of the inverse Hessian: ``C_oo = F_oo^-1 + G C_aa G'``, ``C_oa = -G C_aa``."""
    K = nest.dims.size
    for level in range(K - 1, -1, -1):
        M = nest.dims[level]
        Da = nest.tail[level + 1]
        for q in range(nest.base[level], nest.base[level + 1]):
            up = nest.above[q]
            for d in range(M + Da):
                mean[q, d] = fronts.path[q, d]
            for i in range(Da):
                for j in range(Da):
                    covariance[q, M + i, M + j] = covariance[up, i, j]
            for k in range(M):
                for j in range(Da):
                    s = 0.0
                    for d in range(Da):
                        s -= fronts.G[q, k, d] * covariance[up, d, j]
                    covariance[q, k, M + j] = s
                    covariance[q, M + j, k] = s
            for k in range(M):
                for j in range(M):
                    s = fronts.inverse[q, k, j]
                    for d in range(Da):
                        s -= covariance[q, k, M + d] * fronts.G[q, j, d]
                    covariance[q, k, j] = s


@kernel(Nest, Rule, Fronts, Tables, *_MOMENTS)
def node_moments(nest: Nest, rule: Rule, fronts: Fronts, tables: Tables, mean: Any, covariance: Any) -> None:
    """Moments at the nodes, of each unit's own and its ancestors' coordinates, after the sums of values alone.

    Sums are of distances to the modes: a unit of many rows has a posterior far narrower than it is from zero.
    """
    compact()
    K = nest.dims.size
    for level in range(K - 1, -1, -1):
        n = rule.counts[level]
        M = nest.dims[level]
        Da = nest.tail[level + 1]
        groups = rule.size[level + 1]
        for q in range(nest.base[level], nest.base[level + 1]):
            t = q - nest.base[1]
            up = max(nest.above[q] - nest.base[1], 0)
            for d in range(Da):
                mean[q, M + d] = mean[nest.above[q], d]
                for j in range(Da):
                    covariance[q, M + d, M + j] = covariance[nest.above[q], d, j]
            for k in range(M):
                mean[q, k] = 0.0
                for j in range(M + Da):
                    covariance[q, k, j] = 0.0
            for x in range(groups):
                weight = 1.0 if level == K - 1 else tables.pi[up, x]
                if level == 0:
                    for k in range(M):
                        s = weight * tables.tau[q, k, x]
                        mean[q, k] += s
                        for j in range(k + 1):
                            covariance[q, k, j] += weight * tables.tau_z[q, k * M + j, x]
                        for d in range(Da):
                            covariance[q, k, M + d] += s * (tables.v[up, d, x] - fronts.path[q, M + d])
                    continue
                for z in range(x * n, x * n + n):
                    p = weight * tables.f[t, z]
                    tables.pi[t, z] = p
                    for k in range(M):
                        s = p * (tables.v[t, k, z] - fronts.path[q, k])
                        mean[q, k] += s
                        for j in range(k + 1):
                            covariance[q, k, j] += s * (tables.v[t, j, z] - fronts.path[q, j])
                        for d in range(Da):
                            covariance[q, k, M + d] += s * (tables.v[up, d, x] - fronts.path[q, M + d])
            for k in range(M):
                for j in range(k + 1):
                    covariance[q, k, j] -= mean[q, k] * mean[q, j]
                    covariance[q, j, k] = covariance[q, k, j]
                for d in range(Da):
                    covariance[q, k, M + d] -= mean[q, k] * (mean[q, M + d] - fronts.path[q, M + d])
                    covariance[q, M + d, k] = covariance[q, k, M + d]
            for k in range(M):
                mean[q, k] += fronts.path[q, k]


@kernel(Nest, Rule, Rows, Fronts, Scratch, Tables, *_NODES)
def posterior_nodes(nest: Nest, rule: Rule, rows: Rows, fronts: Fronts, scratch: Scratch, tables: Tables,
                    weight: Any, node: Any) -> None:  # fmt: skip
    """Posterior probabilities (U0, n0) of the nodes of the lowest units, and all their coordinates (U0, D, n0).

    To be called after the sums were formed. The own index of a node is the fastest, those of the ancestors follow.
    """
    compact()
    K = nest.dims.size
    D = nest.tail[0]
    n0 = rule.size[0]
    capacity = tables.density.shape[1] - 3
    for level in range(K - 1, 0, -1):
        n = rule.counts[level]
        for q in range(nest.base[level], nest.base[level + 1]):
            t = q - nest.base[1]
            up = max(nest.above[q] - nest.base[1], 0)
            for x in range(rule.size[level + 1]):
                for z in range(x * n, x * n + n):
                    p = tables.f[t, z]
                    if level < K - 1:
                        p *= tables.pi[up, x]
                    tables.pi[t, z] = p
    n = rule.counts[0]
    for q in range(nest.base[1]):
        up = max(nest.above[q] - nest.base[1], 0)
        place_nodes(q, up, False, nest.dims[0], nest.tail[1], rule.size[1], n, rule.z, rule.log_weight,
                    rule.largest[0], tables.v, fronts, tables.node, tables.log_f, tables.centre,
                    tables.bound)  # fmt: skip
        a = nest.first[q]
        while a < nest.last[q]:
            b = end_of_table(a, nest.last[q], capacity, rows)
            call_at_nodes(rule.calls[0], a, b, a, n0, rule.run[0], rows, tables, scratch)
            a = b
        normalise(tables.log_f, rule.size[1], n, rule.sign, 0, tables.message)
        for x in range(rule.size[1]):
            for z in range(x * n, x * n + n):
                p = tables.log_f[z]
                if K > 1:
                    p *= tables.pi[up, x]
                weight[q, z] = p
                for k in range(D):
                    node[q, k, z] = tables.node[k, z]
