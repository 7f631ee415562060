"""Joint modes of the latent variables of each top-level cluster, by Newton steps with blocked elimination."""

from __future__ import annotations

from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import compact, inner, kernel
from semlang.estimation.kernels.densities import CURVATURE, TILE, call_rows, end_of_run
from semlang.estimation.kernels.families import SETS
from semlang.estimation.kernels.fronts import eliminate
from semlang.estimation.kernels.groups import Integers
from semlang.estimation.kernels.layout import Fronts, Nest, Rows, Scratch
from semlang.estimation.kernels.prefetch import ask_for_rows
from semlang.estimation.kernels.softmax import set_curvature

LONGEST_STEP = 3.0

BLOCK = 512
"""Rows of the clusters that are searched side by side: what is read of them stays in the fastest cache."""

SEARCHED, CLAMPED, FOUND, LOST = 0, 1, 2, 3
"""State of the search of a cluster; `CLAMPED` where the next step has no negative curvatures of rows."""


@inner
def curvature(a: int, b: int, r0: int, D: int, nest: Nest, rows: Rows, scratch: Scratch) -> None:
    """Fill r = l', w = -l'' and, without estimated parameters, w1 = -l''' of rows a to b, times the row's weight."""
    y, f1, f2 = rows.y.ctypes.data, rows.f1.ctypes.data, rows.f2.ctypes.data
    nu, tile = scratch.nu.ctypes.data, scratch.tile.ctypes.data
    i = a
    while i < b:
        c = rows.code[i]
        if c >= SETS:
            i = set_curvature(i, r0, D, rows, scratch)
            continue
        j = min(b, i + TILE)
        if nest.uniform[0] == 0:
            j = end_of_run(i, j, rows.code)
        ask_for_rows(i, j, D, nest, rows)
        same = i if nest.uniform[2] == 0 else r0
        call_rows(rows.address[c], CURVATURE, j - i, y + 8 * i, f1 + 8 * same, f2 + 8 * i, nu + 8 * (i - r0), tile)
        for t in range(j - i):
            scratch.r[i - r0 + t] = scratch.tile[t]
            scratch.w[i - r0 + t] = scratch.tile[TILE + t]
        if rows.parameters[c] == 0:
            for t in range(j - i):
                scratch.w1[i - r0 + t] = scratch.tile[2 * TILE + t]
        if nest.uniform[1] == 0:
            for t in range(j - i):
                scratch.r[i - r0 + t] *= rows.weight[i + t]
                scratch.w[i - r0 + t] *= rows.weight[i + t]
                scratch.w1[i - r0 + t] *= rows.weight[i + t]
        i = j


@inner
def sum_of_predictors(a: int, b: int, r0: int, nu: Any) -> float:
    """Sum of the linear predictors of rows a to b: not finite where one of them is not."""
    s = 0.0
    for i in range(a, b):
        s += nu[i - r0]
    return s


@inner
def without_negative_curvature(a: int, b: int, r0: int, rows: Any, w: Any) -> None:
    """Replace negative w of rows a to b by zero, except of rows of a set."""
    for i in range(a, b):
        if rows.code[i] < SETS:
            w[i - r0] = max(w[i - r0], 0.0)


@inner
def gather(q: int, a: int, b: int, r0: int, D: int, A: Any, r: Any, w: Any, F: Any, g: Any) -> None:
    """Front and gradient of a lowest unit: F = sum w a a', g = sum r a over rows a to b.

    Of rows of a set ``a`` is centred: ``sum p a a' - (sum p a)(sum p a)'``, and r sums to zero.
    """
    if D == 1:
        g0 = f00 = 0.0
        for i in range(a, b):
            x = A[0, i]
            g0 += r[i - r0] * x
            f00 += w[i - r0] * x * x
        g[q, 0] = g0
        F[q, 0, 0] = f00
        return
    if D == 2:
        g0 = g1 = f00 = f01 = f11 = 0.0
        for i in range(a, b):
            x = A[0, i]
            z = A[1, i]
            s = r[i - r0]
            t = w[i - r0]
            g0 += s * x
            g1 += s * z
            f00 += t * x * x
            f01 += t * x * z
            f11 += t * z * z
        g[q, 0] = g0
        g[q, 1] = g1
        F[q, 0, 0] = f00
        F[q, 0, 1] = f01
        F[q, 1, 0] = f01
        F[q, 1, 1] = f11
        return
    for d in range(D):
        s = 0.0
        for i in range(a, b):
            s += r[i - r0] * A[d, i]
        g[q, d] = s
        for k in range(d + 1):
            t = 0.0
            for i in range(a, b):
                t += w[i - r0] * A[d, i] * A[k, i]
            F[q, d, k] = t
            F[q, k, d] = t


@inner
def predict(q: int, a: int, b: int, r0: int, D: int, rows: Any, path: Any, nu: Any) -> None:
    """Linear predictors of rows a to b, of lowest unit q, at its modes and its ancestors'."""
    x = path[q, 0]
    if D == 2:
        z = path[q, 1]
        for i in range(a, b):
            nu[i - r0] = rows.o[i] + rows.A[0, i] * x + rows.A[1, i] * z
        return
    for i in range(a, b):
        nu[i - r0] = rows.o[i] + rows.A[0, i] * x
    for d in range(1, D):
        x = path[q, d]
        for i in range(a, b):
            nu[i - r0] += rows.A[d, i] * x


@inner
def start_at_modes(K: int, nest: Nest, fronts: Fronts, low: Any, high: Any) -> None:
    """Fill the modes of each unit's ancestors; set fronts and gradients of the upper units to zero."""
    compact()
    for level in range(K - 1, -1, -1):
        for q in range(low[level], high[level]):
            for d in range(nest.dims[level]):
                fronts.path[q, d] = nest.mode[q, d]
            for d in range(nest.dims[level], nest.tail[level]):
                fronts.path[q, d] = fronts.path[nest.above[q], d - nest.dims[level]]
            if level > 0:
                for i in range(nest.tail[level]):
                    fronts.g[q, i] = 0.0
                    for j in range(nest.tail[level]):
                        fronts.F[q, i, j] = 0.0


@inner
def reduce_unit(q: int, M: int, Da: int, nest: Nest, fronts: Fronts) -> float:
    """Eliminate unit q, add to its parent's front and gradient; return ``g' F_oo^-1 g``.

    It is -1 where F_oo is not positive definite.
    """
    compact()
    for d in range(M):
        fronts.F[q, d, d] += 1.0
        fronts.g[q, d] -= fronts.path[q, d]
    if not eliminate(q, M, Da, fronts.F, fronts.L, fronts.T, fronts.inverse, fronts.G):
        return -1.0
    decrement = 0.0
    for d in range(M):
        s = 0.0
        for k in range(M):
            s += fronts.inverse[q, d, k] * fronts.g[q, k]
        fronts.newton[q, d] = s
        decrement += s * fronts.g[q, d]
    up = nest.above[q]
    W = nest.weight[q]
    for d in range(Da):
        s = fronts.g[q, M + d]
        for k in range(M):
            s -= fronts.G[q, k, d] * fronts.g[q, k]
        fronts.g[up, d] += W * s
        for j in range(Da):
            s = fronts.F[q, M + d, M + j]
            for k in range(M):
                s -= fronts.F[q, M + d, k] * fronts.G[q, k, j]
            fronts.F[up, d, j] += W * s
    return 0.0 if decrement < 0.0 else decrement


@inner
def reduce_top_unit(q: int, M: int, nest: Nest, fronts: Fronts) -> float:
    """Do what `reduce_unit` does where there is no unit above and M is 1 or 2: in half the time."""
    fronts.g[q, 0] -= fronts.path[q, 0]
    fronts.F[q, 0, 0] += 1.0
    if M == 2:
        fronts.g[q, 1] -= fronts.path[q, 1]
        fronts.F[q, 1, 1] += 1.0
    if not eliminate(q, M, 0, fronts.F, fronts.L, fronts.T, fronts.inverse, fronts.G):
        return -1.0
    g = fronts.g[q, 0]
    x = fronts.inverse[q, 0, 0] * g
    decrement = x * g
    if M == 2:
        h = fronts.g[q, 1]
        x += fronts.inverse[q, 0, 1] * h
        z = fronts.inverse[q, 1, 0] * g + fronts.inverse[q, 1, 1] * h
        fronts.newton[q, 1] = z
        decrement = x * g + z * h
    fronts.newton[q, 0] = x
    return float(max(decrement, 0.0))


@inner
def slope_along_step(K: int, nest: Nest, fronts: Fronts, low: Any, high: Any) -> float:
    """Derivative along the last step, from the reduced gradients."""
    compact()
    slope = 0.0
    for level in range(K):
        for q in range(low[level], high[level]):
            for d in range(nest.dims[level]):
                s = fronts.step[q, d]
                for k in range(nest.tail[level + 1]):
                    s += fronts.G[q, d, k] * fronts.step[q, nest.dims[level] + k]
                slope += nest.total[q] * fronts.g[q, d] * s
    return slope


@inner
def newton_step(K: int, nest: Nest, fronts: Fronts, low: Any, high: Any) -> float:
    """Fill the Newton step of all units, downwards; return its largest coordinate."""
    compact()
    longest = 0.0
    for level in range(K - 1, -1, -1):
        M = nest.dims[level]
        for q in range(low[level], high[level]):
            for d in range(M, nest.tail[level]):
                fronts.step[q, d] = fronts.step[nest.above[q], d - M]
            for d in range(M):
                s = fronts.newton[q, d]
                for k in range(nest.tail[level + 1]):
                    s -= fronts.G[q, d, k] * fronts.step[q, M + k]
                fronts.step[q, d] = s
                longest = max(longest, abs(s))
    return longest


@inner
def move(K: int, x: float, before: float, nest: Nest, fronts: Fronts, low: Any, high: Any) -> None:
    """Take x times the step, of which the modes have gone ``before`` times by now; x times the step is the new one."""
    compact()
    for level in range(K):
        for q in range(low[level], high[level]):
            for d in range(nest.dims[level]):
                nest.mode[q, d] += (x - before) * fronts.step[q, d]
            for d in range(nest.tail[level]):
                fronts.step[q, d] *= x


@inner
def units_of_cluster(top: int, K: int, nest: Nest, scratch: Scratch) -> None:
    """Fill ``low`` and ``high``, the units of each level, of a top-level cluster."""
    compact()
    scratch.low[K - 1] = top
    scratch.high[K - 1] = top + 1
    for level in range(K - 1, 0, -1):
        scratch.low[level - 1] = nest.first[scratch.low[level]]
        scratch.high[level - 1] = nest.last[scratch.high[level] - 1]


@inner
def rows_at_modes(begin: int, end: int, K: int, D: int, nest: Nest, rows: Rows, fronts: Fronts,
                  scratch: Scratch) -> None:  # fmt: skip
    """Fill r, w and w1 of the clusters begin to end whose modes are searched for, runs of such clusters at once.

    A cluster with a predictor that is not finite is lost.
    """
    r0 = nest.first[0]
    a = b = 0  # rows that wait
    for top in range(begin, end):
        state = scratch.state[top - nest.base[K - 1]]
        if state >= FOUND:
            continue
        units_of_cluster(top, K, nest, scratch)
        low, high = scratch.low, scratch.high
        start_at_modes(K, nest, fronts, low, high)
        if nest.first[low[0]] != b:
            curvature(a, b, r0, D, nest, rows, scratch)
            a = nest.first[low[0]]
        for q in range(low[0], high[0]):
            predict(q, nest.first[q], nest.last[q], r0, D, rows, fronts.path, scratch.nu)
        b = nest.last[high[0] - 1]
        if not np.isfinite(sum_of_predictors(nest.first[low[0]], b, r0, scratch.nu)):
            scratch.state[top - nest.base[K - 1]] = LOST
    curvature(a, b, r0, D, nest, rows, scratch)


@inner
def reduce_cluster(K: int, D: int, nest: Nest, rows: Rows, fronts: Fronts, scratch: Scratch) -> float:
    """Eliminate the units ``low`` to ``high``, upwards; return ``g' H^-1 g``, -1 where H is not positive definite."""
    r0 = nest.first[0]
    decrement = 0.0
    if K == 1 and D <= 2:
        q = scratch.low[0]
        gather(q, nest.first[q], nest.last[q], r0, D, rows.centred, scratch.r, scratch.w, fronts.F, fronts.g)
        here = reduce_top_unit(q, D, nest, fronts)
        return here if here < 0.0 else nest.total[q] * here
    for level in range(K):
        M = nest.dims[level]
        Da = nest.tail[level + 1]
        for q in range(scratch.low[level], scratch.high[level]):
            if level == 0:
                gather(q, nest.first[q], nest.last[q], r0, D, rows.centred, scratch.r, scratch.w, fronts.F, fronts.g)
            here = reduce_unit(q, M, Da, nest, fronts)
            if here < 0.0:
                return -1.0
            decrement += nest.total[q] * here
    return decrement


@inner
def advance(c: int, K: int, now: float, iteration: int, tolerance: float, nest: Nest, fronts: Fronts,
            scratch: Scratch, taken: int) -> int:  # fmt: skip
    """Take the next step of cluster c of the batch, or say that none is needed; return 1 where a step was taken.

    ``now`` is ``g' H^-1 g``, or -1 where H is not positive definite.
    """
    compact()
    low, high = scratch.low, scratch.high
    clamped = scratch.state[c] == CLAMPED
    if now < 0.0:
        scratch.state[c] = LOST if clamped else CLAMPED
        return 0
    if iteration > 0 and now > 1e-8:  # gone too far? slope along the last step, from the reduced gradients
        slope = scratch.slope[c]
        here = slope_along_step(K, nest, fronts, low, high)
        if taken > 0 and here < -0.5 * slope:
            x = min(max(slope / (slope - here), 0.1), 0.67)
            scratch.slope[c] = slope * x
            move(K, x, 1.0, nest, fronts, low, high)
            scratch.state[c] = SEARCHED
            return 1
    before = scratch.decrement[c]
    if now < tolerance or (now > 0.25 * before and (now < 1e-14 or (now < 1e-10 and iteration > 30))):
        scratch.state[c] = LOST if clamped else FOUND  # a stationary point with indefinite curvature is no mode
        return 0
    scratch.decrement[c] = now
    scratch.state[c] = SEARCHED
    longest = newton_step(K, nest, fronts, low, high)
    x = 1.0 if longest <= LONGEST_STEP else LONGEST_STEP / longest
    scratch.slope[c] = x * now
    move(K, x, 0.0, nest, fronts, low, high)
    return 1


@inner
def end_of_block(begin: int, K: int, nest: Nest) -> int:
    """Return the end of the top-level clusters from ``begin`` on that have about `BLOCK` rows together."""
    compact()
    first = begin
    for _ in range(K - 1):
        first = nest.first[first]
    rows = nest.first[first]
    end = begin
    last = rows
    while end < nest.base[K] and last - rows < BLOCK:
        last = end
        for level in range(K - 1, -1, -1):
            last = nest.last[last] - (1 if level > 0 else 0)
        end += 1
    return end


@inner
def search_block(begin: int, end: int, K: int, D: int, nest: Nest, rows: Rows, fronts: Fronts, scratch: Scratch,
                 tolerance: float, limit: int, steps: Any) -> None:  # fmt: skip
    """Search for the modes of those top-level clusters begin to end that are not found."""
    compact()
    top0 = nest.base[K - 1]
    r0 = nest.first[0]
    searching = 0
    for c in range(begin - top0, end - top0):
        if scratch.state[c] != FOUND:
            scratch.decrement[c] = 1e300
            scratch.slope[c] = 0.0
            steps[c] = 0
            searching += 1
    iteration = 0
    while searching > 0 and iteration < limit:
        searching = 0
        rows_at_modes(begin, end, K, D, nest, rows, fronts, scratch)
        for top in range(begin, end):
            c = top - top0
            if scratch.state[c] < FOUND:
                units_of_cluster(top, K, nest, scratch)
                if scratch.state[c] == CLAMPED:
                    a, b = nest.first[scratch.low[0]], nest.last[scratch.high[0] - 1]
                    without_negative_curvature(a, b, r0, rows, scratch.w)
                now = reduce_cluster(K, D, nest, rows, fronts, scratch)
                if 0.0 <= now < tolerance and scratch.state[c] == SEARCHED:
                    scratch.state[c] = FOUND
                    continue
                steps[c] += advance(c, K, now, iteration, tolerance, nest, fronts, scratch, steps[c])
                searching += 1 if scratch.state[c] < FOUND else 0
        iteration += 1


@inner
def forget_lost(begin: int, end: int, K: int, nest: Nest, scratch: Scratch) -> int:
    """Set the modes of top-level clusters that were not found to zero, to be searched for; return their number."""
    compact()
    lost = 0
    for top in range(begin, end):
        if scratch.state[top - nest.base[K - 1]] != FOUND:
            lost += 1
            scratch.state[top - nest.base[K - 1]] = SEARCHED
            units_of_cluster(top, K, nest, scratch)
            for level in range(K):
                for q in range(scratch.low[level], scratch.high[level]):
                    for d in range(nest.dims[level]):
                        nest.mode[q, d] = 0.0
    return lost


@kernel(Nest, Rows, Fronts, Scratch, float, int, Integers)
def find_modes(nest: Nest, rows: Rows, fronts: Fronts, scratch: Scratch, tolerance: float, limit: int,
               steps: Any) -> None:  # fmt: skip
    """Move ``nest.mode`` to the joint modes and leave r, w and the factor of the Hessian at them.

    A step that is not taken, because ``g' H^-1 g`` is below the tolerance, leaves all quantities at one point. A
    step is scaled as a whole and shortened by the secant of the slope. Where the Hessian is not positive definite,
    negative curvatures of rows are replaced by zero for that step. Clusters are searched side by side, a block of them
    at a time; where no mode was found once more from zero. ``steps[c]`` is the number of steps of top-level cluster c,
    or -1 where there is none: the next search begins at zero.
    """
    compact()
    K = nest.dims.size
    D = nest.tail[0]
    top0 = nest.base[K - 1]
    begin = top0
    while begin < nest.base[K]:
        end = end_of_block(begin, K, nest)
        for c in range(begin - top0, end - top0):
            scratch.state[c] = SEARCHED
        search_block(begin, end, K, D, nest, rows, fronts, scratch, tolerance, limit, steps)
        if forget_lost(begin, end, K, nest, scratch) > 0:
            search_block(begin, end, K, D, nest, rows, fronts, scratch, tolerance, limit, steps)
            forget_lost(begin, end, K, nest, scratch)
        for c in range(begin - top0, end - top0):
            if scratch.state[c] != FOUND:
                steps[c] = -1
        begin = end
