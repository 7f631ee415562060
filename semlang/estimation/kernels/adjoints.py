"""Downwards: posterior weights of the nodes, and adjoints of the fronts and of the modes."""

from __future__ import annotations

from semlang.estimation.kernels.declaring import compact, inner
from semlang.estimation.kernels.fronts import adjoint_of_elimination
from semlang.estimation.kernels.layout import Fronts, Nest, Rule, Tables


@inner
def adjoints_of_top_units(one: bool, nest: Nest, fronts: Fronts, tables: Tables) -> None:
    """Do what `front_adjoints` does where there is one level of one dimension."""
    for q in range(nest.base[1]):
        s = t = 0.0
        if not one:
            s = nest.weight[q] * tables.tau[q, 0, 0]
            t = nest.weight[q] * tables.tau_z[q, 0, 0]
        t += nest.total[q] * fronts.L[q, 0, 0]
        fronts.b[q, 0] = s
        fronts.F_bar[q, 0, 0] = -0.5 * t * fronts.T[q, 0, 0] * fronts.inverse[q, 0, 0]


@inner
def front_adjoints(nest: Nest, rule: Rule, fronts: Fronts, tables: Tables) -> None:
    """Fill ``F_bar`` and start ``b`` with the part of the modes that acts through the nodes.

    ``T_bar = sum_x pi(x) tau_z(x) + Om diag(L)``, ``G_bar = -sum_x pi(x) tau(x) (v_a(x) - m_a)'``,
    ``m_bar = sum_x pi(x) tau(x)`` and ``G' m_bar`` for the ancestors. At one point tau is zero.
    """
    compact()
    K = nest.dims.size
    one = rule.size[0] == 1
    if nest.tail[0] == 1:
        adjoints_of_top_units(one, nest, fronts, tables)
        return
    T_bar, G_bar, x_, u_ = fronts.T_bar, fronts.G_bar, fronts.product1, fronts.product2
    tau = tables.message
    for level in range(K - 1, -1, -1):
        M = nest.dims[level]
        Da = nest.tail[level + 1]
        n = rule.counts[level]
        groups = 0 if one else rule.size[level + 1]
        for q in range(nest.base[level], nest.base[level + 1]):
            W = nest.weight[q]
            t = q - nest.base[1]
            up = nest.above[q]
            p = max(up - nest.base[1], 0)
            for d in range(nest.tail[level]):
                fronts.b[q, d] = 0.0
            for k in range(M):
                for d in range(M):
                    T_bar[k, d] = 0.0
                for d in range(Da):
                    G_bar[k, d] = 0.0
                for x in range(groups):
                    weight = W if level == K - 1 else W * tables.pi[p, x]
                    if level == 0:
                        s = weight * tables.tau[q, k, x]
                        for d in range(k, M):
                            T_bar[k, d] += weight * tables.tau_z[q, k * M + d, x]
                    else:
                        s = 0.0
                        for z in range(n):
                            j = x * n + z
                            tables.pi[t, j] = weight * tables.f[t, j]
                            y = tables.pi[t, j] * tables.slope[t, k, j]
                            s += y
                            for d in range(k, M):
                                T_bar[k, d] += y * rule.z[level, d, z]
                    tau[x] = s
                T_bar[k, k] += nest.total[q] * fronts.L[q, k, k]
                s = 0.0
                for x in range(groups):
                    s += tau[x]
                fronts.b[q, k] = s
                for d in range(Da):
                    s = 0.0
                    for x in range(groups):
                        s -= tau[x] * (tables.v[p, d, x] - fronts.path[q, M + d])
                    G_bar[k, d] = s
            for d in range(Da):
                s = 0.0
                for k in range(M):
                    s += fronts.G[q, k, d] * fronts.b[q, k]
                fronts.b[q, M + d] = s
            adjoint_of_elimination(q, up, M, Da, fronts.L, fronts.T, fronts.inverse, fronts.G, T_bar, G_bar,
                                   one, nest.total[q], W, fronts.F_bar, x_, u_)  # fmt: skip
