"""Adjoints of the rows' inputs: through the curvature, the modes, and directly at the nodes."""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.adjoints import front_adjoints
from semlang.estimation.kernels.declaring import compact, inner, kernel
from semlang.estimation.kernels.groups import Vector
from semlang.estimation.kernels.layout import Adjoints, Fronts, Nest, Rows, Rule, Scratch, Tables
from semlang.estimation.kernels.prefetch import ask_for_adjoints
from semlang.estimation.kernels.softmax import centre_sets


@inner
def through_curvature(q: int, a: int, b: int, r0: int, D: int, A: Any, F_bar: Any, w1: Any, form: Any, e: Any,
                      adjoint: Any) -> None:  # fmt: skip
    """Fill ``form = a' F_bar a`` and e of rows a to b, of lowest unit q; add ``sum e a`` to the modes' adjoint."""
    if D == 1:
        f00 = F_bar[q, 0, 0]
        s = 0.0
        for i in range(a, b):
            x = A[0, i]
            y = f00 * x * x
            form[i - r0] = y
            y *= w1[i - r0]
            e[i - r0] = y
            s += y * x
        adjoint[q, 0] += s
        return
    if D == 2:
        f00 = F_bar[q, 0, 0]
        f01 = 2.0 * F_bar[q, 0, 1]
        f11 = F_bar[q, 1, 1]
        s = t = 0.0
        for i in range(a, b):
            x = A[0, i]
            z = A[1, i]
            y = f00 * x * x + f01 * x * z + f11 * z * z
            form[i - r0] = y
            y *= w1[i - r0]
            e[i - r0] = y
            s += y * x
            t += y * z
        adjoint[q, 0] += s
        adjoint[q, 1] += t
        return
    for i in range(a - r0, b - r0):
        form[i] = 0.0
    for d in range(D):
        for k in range(d + 1):
            x = F_bar[q, d, k] if k == d else 2.0 * F_bar[q, d, k]
            for i in range(a, b):
                form[i - r0] += x * A[d, i] * A[k, i]
    for i in range(a - r0, b - r0):
        e[i] = form[i] * w1[i]
    for d in range(D):
        s = 0.0
        for i in range(a, b):
            s += e[i - r0] * A[d, i]
        adjoint[q, d] += s


@inner
def mode_adjoints(nest: Nest, rows: Rows, fronts: Fronts, scratch: Scratch, value: Any) -> None:
    """Fill e and ``k = H^-1 b``, and add ``g' k`` to the values: the effect of the Newton step not taken.

    ``e_i = w1_i a_i' F_bar a_i`` is the adjoint of nu_i through the curvature; ``b += sum e_i a_i``.
    """
    compact()
    K = nest.dims.size
    D = nest.tail[0]
    r0 = nest.first[0]
    for q in range(nest.base[0], nest.base[1]):
        through_curvature(q, nest.first[q], nest.last[q], r0, D, rows.centred, fronts.F_bar, scratch.w1, scratch.nu,
                          scratch.e, fronts.b)  # fmt: skip
        centre_sets(nest.first[q], nest.last[q], r0, rows, scratch)
    for level in range(K - 1):
        M = nest.dims[level]
        for q in range(nest.base[level], nest.base[level + 1]):
            for d in range(nest.tail[level + 1]):
                s = fronts.b[q, M + d]
                for k in range(M):
                    s -= fronts.G[q, k, d] * fronts.b[q, k]
                fronts.b[nest.above[q], d] += s
    correction = fronts.sum
    for q in range(nest.base[K]):
        correction[q] = 0.0
    for level in range(K - 1, -1, -1):
        M = nest.dims[level]
        for q in range(nest.base[level], nest.base[level + 1]):
            for d in range(nest.tail[level + 1]):
                fronts.k[q, M + d] = fronts.k[nest.above[q], d]
            for k in range(M):
                correction[q] += fronts.newton[q, k] * fronts.b[q, k]
                s = 0.0
                for d in range(M):
                    s += fronts.inverse[q, k, d] * fronts.b[q, d]
                s /= nest.total[q]
                for d in range(nest.tail[level + 1]):
                    s -= fronts.G[q, k, d] * fronts.k[q, M + d]
                fronts.k[q, k] = s
    for level in range(K - 1):
        for q in range(nest.base[level], nest.base[level + 1]):
            correction[nest.above[q]] += correction[q]
    for q in range(nest.base[K - 1], nest.base[K]):
        value[q - nest.base[K - 1]] += correction[q]


@inner
def nothing_through_modes(nest: Nest, fronts: Fronts, scratch: Scratch) -> None:
    """Set to zero what acts through modes: nodes are frozen."""
    D = nest.tail[0]
    for q in range(nest.base[nest.dims.size]):
        for d in range(D):
            fronts.k[q, d] = 0.0
            for j in range(D):
                fronts.F_bar[q, d, j] = 0.0
    for i in range(nest.last[nest.base[1] - 1] - nest.first[0]):
        scratch.nu[i] = 0.0
        scratch.e[i] = 0.0
        scratch.r[i] = 0.0
        scratch.w[i] = 0.0
        for side in range(4):
            scratch.mixed[side, i] = 0.0


@kernel(Nest, Rule, Rows, Fronts, Scratch, Tables, bool, bool, Vector, Adjoints)
def row_adjoints(nest: Nest, rule: Rule, rows: Rows, fronts: Fronts, scratch: Scratch, tables: Tables,
                 has_parameters: bool, frozen: bool, value: Any, adjoints: Adjoints) -> None:  # fmt: skip
    """Fill the adjoints of the rows, and correct the values for the Newton step not taken.

    Where nodes are `frozen`, nothing acts through a mode.
    With ``c_i = e_i - Om w_i a_i' k``: ``o_bar = c``, ``A_bar = c m + Om r k + 2 w F_bar a``,
    ``f_bar = (a' F_bar a) dw/df + Om (a' k) dl'/df``, and to these the posterior expectations of l', l' v, dl/df.
    Of rows of a set ``a`` is centred.
    """
    if not frozen or nest.dims.size > 1:
        front_adjoints(nest, rule, fronts, tables)
    if frozen:
        nothing_through_modes(nest, fronts, scratch)
    else:
        mode_adjoints(nest, rows, fronts, scratch, value)
    K = nest.dims.size
    D = nest.tail[0]
    M = nest.dims[0]
    r0 = nest.first[0]
    one = rule.size[0] == 1
    groups = rule.size[1]
    for q in range(nest.base[0], nest.base[1]):
        a = nest.first[q]
        b = nest.last[q]
        om = nest.total[q]
        up = max(nest.above[q] - nest.base[1], 0)
        if has_parameters:
            for i in range(a, b):
                adjoints.f1[i] = 0.0
                adjoints.f2[i] = 0.0
                if rows.parameters[rows.code[i]] > 0:
                    s = 0.0
                    for d in range(D):
                        s += rows.centred[d, i] * fronts.k[q, d]
                    s *= om
                    t = scratch.nu[i - r0]
                    adjoints.f1[i] = t * scratch.mixed[1, i - r0] + s * scratch.mixed[0, i - r0]
                    adjoints.f2[i] = t * scratch.mixed[3, i - r0] + s * scratch.mixed[2, i - r0]
        ask_for_adjoints(a, b, D, adjoints)
        direct = om if one else 0.0  # at one point the expectation of l' is l' at the mode
        if D <= 2:
            k0 = fronts.k[q, 0]
            m0 = fronts.path[q, 0]
            f00 = 2.0 * fronts.F_bar[q, 0, 0]
        if D == 1:
            for i in range(a, b):
                w = scratch.w[i - r0] * rows.centred[0, i]
                r = scratch.r[i - r0]
                s = scratch.e[i - r0] - om * w * k0 + direct * r
                adjoints.o[i] = s
                adjoints.A[0, i] = s * m0 + om * r * k0 + w * f00
        elif D == 2:
            k1 = fronts.k[q, 1]
            m1 = fronts.path[q, 1]
            f01 = 2.0 * fronts.F_bar[q, 0, 1]
            f11 = 2.0 * fronts.F_bar[q, 1, 1]
            for i in range(a, b):
                x = rows.centred[0, i]
                z = rows.centred[1, i]
                w = scratch.w[i - r0]
                r = scratch.r[i - r0]
                s = scratch.e[i - r0] - om * w * (x * k0 + z * k1) + direct * r
                t = om * r
                adjoints.o[i] = s
                adjoints.A[0, i] = s * m0 + t * k0 + w * (f00 * x + f01 * z)
                adjoints.A[1, i] = s * m1 + t * k1 + w * (f01 * x + f11 * z)
        else:
            for i in range(a, b):
                adjoints.o[i] = scratch.e[i - r0] + direct * scratch.r[i - r0]
            for d in range(D):
                z = om * fronts.k[q, d]
                for i in range(a, b):
                    adjoints.o[i] -= z * scratch.w[i - r0] * rows.centred[d, i]
            for d in range(D):
                x = fronts.path[q, d]
                z = om * fronts.k[q, d]
                for i in range(a, b):
                    adjoints.A[d, i] = adjoints.o[i] * x + z * scratch.r[i - r0]
                for k in range(D):
                    t = 2.0 * fronts.F_bar[q, d, k]
                    for i in range(a, b):
                        adjoints.A[d, i] += t * scratch.w[i - r0] * rows.centred[k, i]
        if one:
            if has_parameters:
                for i in range(a, b):
                    if rows.parameters[rows.code[i]] > 0:
                        adjoints.f1[i] += om * scratch.value[1, i - r0]
                        adjoints.f2[i] += om * scratch.value[2, i - r0]
            continue
        for x in range(groups):
            p = nest.weight[q] * (1.0 if K == 1 else tables.pi[up, x])
            for i in range(a, b):
                adjoints.o[i] += p * tables.row[0, x, i - r0]
            for d in range(M):
                for i in range(a, b):
                    adjoints.A[d, i] += p * tables.row[1 + d, x, i - r0]
            for d in range(M, D):
                s = p * tables.v[up, d - M, x]
                for i in range(a, b):
                    adjoints.A[d, i] += s * tables.row[0, x, i - r0]
            if has_parameters:
                for i in range(a, b):
                    if rows.parameters[rows.code[i]] > 0:
                        adjoints.f1[i] += p * tables.row[1 + M, x, i - r0]
                        adjoints.f2[i] += p * tables.row[2 + M, x, i - r0]
