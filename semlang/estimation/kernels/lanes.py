"""Lowest units of one dimension side by side: each has lanes of vectors to itself, its rows follow each other in these.

For rows that are Bernoulli logits, or counts with a log link, without weights. With ``g = exp(nu)`` the log-likelihood
of a unit is ``sum y nu - sum log(1 + g)``, and l' is ``y - 1 + 1 / (1 + g)``; of counts they are ``sum y nu - sum g``
and ``y - g``. At node z, below node x of the units above,
``g = exp(nu_x) exp(a T z)``: one exponential of a row at x, and one at z; the latter is one of the unit where all of
its rows have the same a. No loop is shorter than the lanes, whatever the size of units and the number of nodes.
"""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.declaring import compact, inner
from semlang.estimation.kernels.layout import Fronts, Lanes, Nest, Rows, Rule, Tables
from semlang.estimation.kernels.vector_math import vexp, vlog

LONGEST = 24
"""Rows of a unit that follow each other in one lane; a unit that has more has several lanes, if there are so many."""
FACTORS = 16
"""Factors ``1 + g`` that can be multiplied: none is above exp(40), see `SAFE`."""
SAFE = 40.0
"""Largest |nu| at any node."""
FILLS_UP = -1e4
"""Logarithms of weights below this are of nodes that fill up, see `rule_of_levels`."""
NOTHING = -80.0
"""Offset of a row that is not there: ``1 + g`` is 1."""
WIDTH = 64
"""Lanes: eight vectors of eight numbers."""


LOGITS, COUNTS = 1, 2
"""Kinds of units, see `Nest.plain`; those side by side are of one kind."""


@inner
def assign_lanes(begin: int, nest: Nest, lanes: Lanes) -> int:
    """Give lanes to as many units from ``begin`` on as have place; return the end of these."""
    compact()
    width = lanes.o.shape[1]
    capacity = lanes.o.shape[0]
    used = 0
    q = begin
    kind = nest.plain[begin]
    while kind > 0 and q < nest.base[1] and used < width and nest.plain[q] == kind:
        rows = nest.last[q] - nest.first[q]
        count = min(width, (rows + LONGEST - 1) // LONGEST)
        size = (rows + count - 1) // count
        if used + count > width or size > capacity:
            break
        for c in range(count):
            lanes.unit[used + c] = q - begin
            lanes.first[used + c] = nest.first[q] + c * size
            lanes.count[used + c] = max(0, min(size, rows - c * size))
        used += count
        q += 1
    for lane in range(used, width):
        lanes.unit[lane] = 0
        lanes.first[lane] = 0
        lanes.count[lane] = 0
    return q


@inner
def load_rows(Da: int, nest: Nest, rows: Rows, lanes: Lanes) -> bool:
    """Fill o, a, y and the loadings on units above; return whether all rows of each lane have the same a."""
    longest = 0
    others = 0
    for lane in range(lanes.o.shape[1]):
        longest = max(longest, lanes.count[lane])
        begin = lanes.first[lane]
        for i in range(begin, begin + lanes.count[lane]):
            others += 1 if rows.A[0, i] != rows.A[0, begin] else 0
    lanes.longest[0] = longest
    for j in range(longest):
        for lane in range(lanes.o.shape[1]):
            there = j < lanes.count[lane]
            i = lanes.first[lane] + (j if there else 0)  # read in either case: no branch
            o = rows.o[i]
            y = rows.y[i]
            a = rows.A[0, i]
            lanes.o[j, lane] = o if there else NOTHING
            lanes.y[j, lane] = y if there else 0.0
            lanes.a[j, lane] = a if there else 0.0
        for d in range(Da):
            for lane in range(lanes.o.shape[1]):
                there = j < lanes.count[lane]
                a = rows.A[1 + d, lanes.first[lane] + (j if there else 0)]
                lanes.above[d, j, lane] = a if there else 0.0
    return others == 0


@inner
def place_units(begin: int, end: int, Da: int, groups: int, largest: float, nest: Nest, fronts: Fronts, tables: Tables,
                lanes: Lanes) -> None:  # fmt: skip
    """Fill, by unit, T, log|L| and the own coordinate of z = 0 at each node of the units above, see `place_nodes`."""
    compact()
    for u in range(lanes.o.shape[1]):
        q = begin + (u if begin + u < end else 0)
        up = max(nest.above[q] - nest.base[1], 0)
        lanes.scale[u] = fronts.T[q, 0, 0]
        lanes.log_det[u] = fronts.L[q, 0, 0]
        furthest = 0.0
        for x in range(groups):
            s = fronts.path[q, 0]
            for d in range(Da):
                s -= fronts.G[q, 0, d] * (tables.v[up, d, x] - fronts.path[q, 1 + d])
            lanes.centre[x, u] = s
            furthest = max(furthest, abs(s))
        lanes.furthest[0, u] = furthest + abs(lanes.scale[u]) * largest
        for d in range(Da):
            furthest = 0.0
            for x in range(groups):
                furthest = max(furthest, abs(tables.v[up, d, x]))
            lanes.furthest[1 + d, u] = furthest


@inner
def logarithms_of_determinants(lanes: Lanes) -> None:
    """Replace L by its logarithm."""
    for u in range(lanes.o.shape[1]):
        lanes.log_det[u] = vlog(lanes.log_det[u])


@inner
def within_reach(Da: int, lanes: Lanes) -> bool:
    """Is no |nu| above `SAFE`, at any node?"""
    width = lanes.o.shape[1]
    for lane in range(width):
        lanes.sum[lane] = 0.0
        for d in range(1 + Da):
            lanes.of_lane[d, lane] = lanes.furthest[d, lanes.unit[lane]]
    for j in range(lanes.longest[0]):
        for lane in range(width):
            lanes.e[j, lane] = abs(lanes.o[j, lane]) + abs(lanes.a[j, lane]) * lanes.of_lane[0, lane]
        for d in range(Da):
            for lane in range(width):
                lanes.e[j, lane] += abs(lanes.above[d, j, lane]) * lanes.of_lane[1 + d, lane]
        for lane in range(width):
            size = lanes.e[j, lane] if j < lanes.count[lane] else 0.0
            lanes.sum[lane] = max(lanes.sum[lane], size)
    worst = 0.0
    for lane in range(width):
        worst = max(worst, lanes.sum[lane])
    return bool(worst < SAFE)


@inner
def moves_of_rows(n: int, same: bool, z: Any, lanes: Lanes) -> None:
    """Fill ``exp(a T z)`` of all rows, or of the first of each lane, and ``sum y a T``."""
    width = lanes.o.shape[1]
    for lane in range(width):
        lanes.of_lane[0, lane] = lanes.scale[lanes.unit[lane]]
        lanes.by_z[lane] = 0.0
    for j in range(lanes.longest[0]):
        for lane in range(width):
            lanes.by_z[lane] += lanes.y[j, lane] * lanes.a[j, lane] * lanes.of_lane[0, lane]
    for k in range(n):
        for j in range(1 if same else lanes.longest[0]):
            for lane in range(width):
                lanes.move[k, j, lane] = vexp(lanes.a[j, lane] * lanes.of_lane[0, lane] * z[0, 0, k])


@inner
def rows_in_the_middle(x: int, Da: int, nest: Nest, begin: int, tables: Tables, lanes: Lanes) -> None:
    """Fill ``exp(nu)`` of all rows at node x of the units above and z = 0, and ``sum y nu``."""
    width = lanes.o.shape[1]
    for lane in range(width):
        lanes.of_lane[0, lane] = lanes.centre[x, lanes.unit[lane]]
        lanes.at_0[lane] = 0.0
        for d in range(Da):
            up = nest.above[begin + lanes.unit[lane]] - nest.base[1]
            lanes.of_lane[1 + d, lane] = tables.v[up, d, x]
    for j in range(lanes.longest[0]):
        for lane in range(width):
            lanes.e[j, lane] = lanes.o[j, lane] + lanes.a[j, lane] * lanes.of_lane[0, lane]
        for d in range(Da):
            for lane in range(width):
                lanes.e[j, lane] += lanes.above[d, j, lane] * lanes.of_lane[1 + d, lane]
        for lane in range(width):
            lanes.at_0[lane] += lanes.y[j, lane] * lanes.e[j, lane]
        for lane in range(width):
            lanes.e[j, lane] = vexp(lanes.e[j, lane])


@inner
def rows_at_own_nodes(x: int, n: int, same: bool, lanes: Lanes) -> None:
    """Fill ``1 + g`` of all rows at the n nodes below node x, and the sum of its logarithms of each lane."""
    width = lanes.o.shape[1]
    for k in range(n):
        for lane in range(width):
            lanes.log_one[k, lane] = 0.0
            lanes.product[k, lane] = 1.0
    for j in range(lanes.longest[0]):
        i = 0 if same else j
        for k in range(n):
            for lane in range(width):
                s = 1.0 + lanes.e[j, lane] * lanes.move[k, i, lane]
                lanes.one[x * n + k, j, lane] = s
                lanes.product[k, lane] *= s
        if j % FACTORS == FACTORS - 1 or j == lanes.longest[0] - 1:
            for k in range(n):
                for lane in range(width):
                    lanes.log_one[k, lane] += vlog(lanes.product[k, lane])
                    lanes.product[k, lane] = 1.0


@inner
def counts_at_own_nodes(x: int, n: int, same: bool, lanes: Lanes) -> None:
    """Do what `rows_at_own_nodes` does for counts: fill g, and its sum."""
    width = lanes.o.shape[1]
    for k in range(n):
        for lane in range(width):
            lanes.log_one[k, lane] = 0.0
    for j in range(lanes.longest[0]):
        i = 0 if same else j
        for k in range(n):
            for lane in range(width):
                g = lanes.e[j, lane] * lanes.move[k, i, lane]
                lanes.one[x * n + k, j, lane] = g
                lanes.log_one[k, lane] += g


@inner
def sums_of_units(x: int, n: int, rule: Rule, lanes: Lanes) -> None:
    """Fill the logarithms of the integrands of the units at the n nodes below node x."""
    width = lanes.o.shape[1]
    for k in range(n):
        z = rule.z[0, 0, k]
        for u in range(width):
            v = lanes.centre[x, u] + lanes.scale[u] * z
            lanes.f[x * n + k, u] = rule.log_weight[0, k] - 0.5 * v * v
        for lane in range(width):
            lanes.log_one[k, lane] = lanes.at_0[lane] + lanes.by_z[lane] * z - lanes.log_one[k, lane]
    for lane in range(width):
        if lanes.count[lane] > 0:
            u = lanes.unit[lane]
            for k in range(n):
                lanes.f[x * n + k, u] += lanes.log_one[k, lane]


@inner
def probabilities_of_nodes(x: int, n: int, z: Any, lanes: Lanes) -> None:
    """Turn these logarithms into probabilities of the nodes; fill the log of their sum, and the mean of z and z**2."""
    width = lanes.o.shape[1]
    for u in range(width):
        lanes.message[x, u] = lanes.f[x * n, u]
        lanes.sum[u] = 0.0
        lanes.z_mean[x, u] = 0.0
        lanes.z_square[x, u] = 0.0
    for k in range(1, n):
        for u in range(width):
            lanes.message[x, u] = max(lanes.message[x, u], lanes.f[x * n + k, u])
    for k in range(n):
        for u in range(width):
            p = vexp(lanes.f[x * n + k, u] - lanes.message[x, u])
            lanes.f[x * n + k, u] = p
            lanes.sum[u] += p
            lanes.z_mean[x, u] += p * z[0, 0, k]
            lanes.z_square[x, u] += p * z[0, 0, k] * z[0, 0, k]
    for u in range(width):
        s = 1.0 / lanes.sum[u]
        lanes.message[x, u] += vlog(lanes.sum[u])
        lanes.z_mean[x, u] *= s
        lanes.z_square[x, u] *= s
        lanes.sum[u] = s
    for k in range(n):
        for u in range(width):
            lanes.f[x * n + k, u] *= lanes.sum[u]


@inner
def numbers_of_lanes(x: int, n: int, lanes: Lanes) -> None:
    """Fill, by lane, what `expectations_of_rows` needs of its unit; its sums are zero."""
    for lane in range(lanes.o.shape[1]):
        u = lanes.unit[lane]
        lanes.of_lane[0, lane] = lanes.z_mean[x, u]
        lanes.row_centre[lane] = lanes.centre[x, u]
        lanes.row_scale[lane] = lanes.scale[u]
        lanes.slope[lane] = 0.0
        lanes.slope_z[lane] = 0.0
        for k in range(n):
            lanes.product[k, lane] = lanes.f[x * n + k, u]


@inner
def expectations_of_logits(x: int, n: int, j: int, z: Any, lanes: Lanes) -> None:
    """Fill the expectations of l' and l' z of row j of all lanes; two nodes at a time share a division."""
    width = lanes.o.shape[1]
    for lane in range(width):
        lanes.expected[0, j, lane] = lanes.y[j, lane] - 1.0
        lanes.expected[1, j, lane] = (lanes.y[j, lane] - 1.0) * lanes.of_lane[0, lane]
    for k in range(0, n - 1, 2):
        z0 = z[0, 0, k]
        z1 = z[0, 0, k + 1]
        for lane in range(width):
            s = lanes.one[x * n + k, j, lane]
            t = lanes.one[x * n + k + 1, j, lane]
            r = 1.0 / (s * t)
            p = lanes.product[k, lane] * (t * r)
            q = lanes.product[k + 1, lane] * (s * r)
            lanes.expected[0, j, lane] += p + q
            lanes.expected[1, j, lane] += p * z0 + q * z1
    if n % 2 == 1:
        z0 = z[0, 0, n - 1]
        for lane in range(width):
            p = lanes.product[n - 1, lane] / lanes.one[x * n + n - 1, j, lane]
            lanes.expected[0, j, lane] += p
            lanes.expected[1, j, lane] += p * z0


@inner
def expectations_of_counts(x: int, n: int, j: int, z: Any, lanes: Lanes) -> None:
    """Do the same for counts."""
    width = lanes.o.shape[1]
    for lane in range(width):
        lanes.expected[0, j, lane] = lanes.y[j, lane]
        lanes.expected[1, j, lane] = lanes.y[j, lane] * lanes.of_lane[0, lane]
    for k in range(n):
        z0 = z[0, 0, k]
        for lane in range(width):
            p = lanes.product[k, lane] * lanes.one[x * n + k, j, lane]
            lanes.expected[0, j, lane] -= p
            lanes.expected[1, j, lane] -= p * z0


@inner
def expectations_of_rows(x: int, n: int, kind: int, r0: int, z: Any, tables: Tables, lanes: Lanes) -> None:
    """Fill the expectations of l' and l' v of all rows given node x, and by lane ``sum a E[l']``, ``sum a E[l' z]``."""
    width = lanes.o.shape[1]
    numbers_of_lanes(x, n, lanes)
    for j in range(lanes.longest[0]):
        if kind == COUNTS:
            expectations_of_counts(x, n, j, z, lanes)
        else:
            expectations_of_logits(x, n, j, z, lanes)
        for lane in range(width):
            r = lanes.expected[0, j, lane]
            s = lanes.expected[1, j, lane]
            lanes.slope[lane] += lanes.a[j, lane] * r
            lanes.slope_z[lane] += lanes.a[j, lane] * s
            lanes.expected[1, j, lane] = lanes.row_centre[lane] * r + lanes.row_scale[lane] * s
    for lane in range(width):
        first = lanes.first[lane] - r0
        for j in range(lanes.count[lane]):
            tables.row[0, x, first + j] = lanes.expected[0, j, lane]
            tables.row[1, x, first + j] = lanes.expected[1, j, lane]


@inner
def slopes_of_units(x: int, begin: int, end: int, tables: Tables, lanes: Lanes) -> None:
    """Derivatives of the units in their own nodes, see `slopes`."""
    compact()
    for q in range(begin, end):
        u = q - begin
        c = lanes.centre[x, u]
        t = lanes.scale[u]
        tables.tau[q, 0, x] = -(c + t * lanes.z_mean[x, u])
        tables.tau_z[q, 0, x] = -(c * lanes.z_mean[x, u] + t * lanes.z_square[x, u])
    for lane in range(lanes.o.shape[1]):
        if lanes.count[lane] > 0:
            q = begin + lanes.unit[lane]
            tables.tau[q, 0, x] += lanes.slope[lane]
            tables.tau_z[q, 0, x] += lanes.slope_z[lane]


@inner
def moments_of_units(x: int, begin: int, end: int, path: Any, tables: Tables, lanes: Lanes) -> None:
    """First and second moments of the units' own coordinates about their modes, see `moments_at`."""
    compact()
    for q in range(begin, end):
        u = q - begin
        c = lanes.centre[x, u] - path[q, 0]
        t = lanes.scale[u]
        tables.tau[q, 0, x] = c + t * lanes.z_mean[x, u]
        tables.tau_z[q, 0, x] = c * c + t * (2.0 * c * lanes.z_mean[x, u] + t * lanes.z_square[x, u])


@inner
def nodes_with_weight(n: int, log_weight: Any) -> int:
    """Return how many nodes there are without those that fill up, which are the last ones."""
    compact()
    while n > 1 and log_weight[0, n - 1] < FILLS_UP:
        n -= 1
    return n


@inner
def units_side_by_side(begin: int, nest: Nest, rule: Rule, rows: Rows, fronts: Fronts, tables: Tables, lanes: Lanes,
                       alone: bool) -> int:  # fmt: skip
    """Integrate units from ``begin`` on; return the end of these.

    It is ``begin`` where they can not be side by side, and minus the end of the units that have predictors too large.
    Fills ``message`` and ``log_det`` by unit and node of the units above; expectations of rows and slopes of units;
    where values are asked for `alone`, moments of units instead.
    """
    if lanes.o.shape[1] == 0:
        return begin
    end = assign_lanes(begin, nest, lanes)
    if end == begin:
        return begin
    kind = nest.plain[begin]
    Da = nest.tail[1]
    groups = rule.size[1]
    n = nodes_with_weight(rule.counts[0], rule.log_weight)
    same = load_rows(Da, nest, rows, lanes)
    place_units(begin, end, Da, groups, rule.largest[0], nest, fronts, tables, lanes)
    if not within_reach(Da, lanes):
        return -end
    logarithms_of_determinants(lanes)
    moves_of_rows(n, same, rule.z, lanes)
    for x in range(groups):
        rows_in_the_middle(x, Da, nest, begin, tables, lanes)
        if kind == COUNTS:
            counts_at_own_nodes(x, n, same, lanes)
        else:
            rows_at_own_nodes(x, n, same, lanes)
        sums_of_units(x, n, rule, lanes)
        probabilities_of_nodes(x, n, rule.z, lanes)
        if alone:
            moments_of_units(x, begin, end, fronts.path, tables, lanes)
        else:
            expectations_of_rows(x, n, kind, nest.first[0], rule.z, tables, lanes)
            slopes_of_units(x, begin, end, tables, lanes)
    return end
