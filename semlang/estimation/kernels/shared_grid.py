"""Units whose latent variables are integrated over nodes that all of them share.

The density of a row depends on its type (response, category, covariates) and the node alone: a table. A unit is a
list of entries of a table, its log-likelihood a sum over nodes of sums of lines of that table, and units with equal
lists are one. The same holds a layer up, where the lines are the log-likelihoods of lower units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semlang.estimation.kernels.declaring import compact, inner, kernel
from semlang.estimation.kernels.densities import TILE, VALUE, call_rows
from semlang.estimation.kernels.groups import Cube, Group, Integers, Matrix, Vector
from semlang.estimation.kernels.layout import Rows
from semlang.estimation.kernels.vector_math import fmax, vexp

__all__ = ["Lists", "RowTables", "equal_lists", "fill_tables", "lower_messages", "lower_weights", "sum_lines",
           "top_units"]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lists(Group):
    """Units as lists: unit u has entries ``first[u]`` to ``first[u + 1]``, numbers of lines of a table."""

    first: Integers
    entry: Integers


@dataclass(frozen=True, eq=False)
class RowTables(Group):
    """What densities are at the nodes, by row type: l, l', dl/df1 and dl/df2; and where the nodes are."""

    nodes: Matrix  # (D, n)
    table: Cube  # (4, T, n)
    buffer: Matrix  # (4, TILE) inputs of a loop over rows
    tile: Vector  # (5 TILE,) output


@kernel(Lists, Integers, Integers, Integers)
def equal_lists(lists: Lists, slot: Any, representative: Any, number: Any) -> int:
    """Number the distinct lists in order of appearance; return how many there are.

    `slot` is a table of 2^k >= 2 units places, -1 on entry; `representative[p]` becomes the first unit with list p and
    `number[u]` the list of unit u. Lists are compared, so that equal hashes of different lists do no harm.
    """
    compact()
    count = 0
    mask = slot.size - 1
    for u in range(lists.first.size - 1):
        a, b = lists.first[u], lists.first[u + 1]
        h = np.int64(1469598103934665603) ^ (b - a)
        for i in range(a, b):
            h = (h ^ lists.entry[i]) * np.int64(-7046029254386353131)
            h ^= (h >> 29) & np.int64(0x7FFFFFFFF)
        place = h & mask
        while True:
            p = slot[place]
            if p < 0:
                slot[place] = count
                representative[count] = u
                number[u] = count
                count += 1
                break
            r = representative[p]
            start = lists.first[r]
            same = lists.first[r + 1] - start == b - a
            i = 0
            while same and i < b - a:
                same = lists.entry[start + i] == lists.entry[a + i]
                i += 1
            if same:
                number[u] = p
                break
            place = (place + 1) & mask
    return count


@kernel(Rows, RowTables)
def fill_tables(rows: Rows, out: RowTables) -> None:
    """Fill the table of densities: rows are row types, with linear predictors o + A' v."""
    dims, n = out.nodes.shape[0], out.nodes.shape[1]
    y, tile = out.buffer.ctypes.data, out.tile.ctypes.data
    f1, f2, nu = y + 8 * TILE, y + 16 * TILE, y + 24 * TILE
    for t in range(rows.code.size):
        address = rows.address[rows.code[t]]
        for k in range(TILE):
            out.buffer[0, k] = rows.y[t]
            out.buffer[1, k] = rows.f1[t]
            out.buffer[2, k] = rows.f2[t]
        for begin in range(0, n, TILE):
            m = min(TILE, n - begin)
            for k in range(m):
                out.buffer[3, k] = rows.o[t]
            for d in range(dims):
                a = rows.A[d, t]
                for k in range(m):
                    out.buffer[3, k] += a * out.nodes[d, begin + k]
            call_rows(address, VALUE, m, y, f1, f2, nu, tile)
            for e in range(4):
                for k in range(m):
                    out.table[e, t, begin + k] = out.tile[e * TILE + k]


@inner
def _add_lines(lists: Lists, u: int, table: Any, p: Any) -> None:
    """Add to p the lines of the table that unit u lists, four at a time."""
    i, b = lists.first[u], lists.first[u + 1]
    n = p.size
    while i + 3 < b:
        r, s, t, w = lists.entry[i], lists.entry[i + 1], lists.entry[i + 2], lists.entry[i + 3]
        for q in range(n):
            p[q] += (table[r, q] + table[s, q]) + (table[t, q] + table[w, q])
        i += 4
    while i < b:
        r = lists.entry[i]
        for q in range(n):
            p[q] += table[r, q]
        i += 1


@inner
def _spread(lists: Lists, u: int, p: Any, out: Any) -> None:
    """Add p to the lines of `out` that unit u lists."""
    n = p.size
    for i in range(lists.first[u], lists.first[u + 1]):
        r = lists.entry[i]
        for q in range(n):
            out[r, q] += p[q]


@kernel(Lists, Matrix, Matrix, int)
def sum_lines(lists: Lists, table: Any, sums: Any, back: int) -> None:
    """Fill the sums of the lines that units list; with `back`, add the units' sums to the lines instead."""
    for u in range(lists.first.size - 1):
        if back != 0:
            _spread(lists, u, sums[u], table)
        else:
            for q in range(sums.shape[1]):
                sums[u, q] = 0.0
            _add_lines(lists, u, table, sums[u])


@kernel(
    Lists, Matrix, Vector, Vector, int, int,
    Vector, Vector, Matrix, Matrix, Vector,
)  # fmt: skip
def top_units(
    lists: Lists, table: Any, prior: Any, weight: Any, begin: int, end: int, p: Any, value: Any, counts: Any,
    posterior: Any, mass: Any,
) -> None:  # fmt: skip
    """Integrate units begin to end, whose lines are independent given the node.

    Fills ``value`` = log sum_q exp(prior_q + lines), adds weight x posterior probability to `counts` by line and node
    and to `mass` by node, and fills `posterior` where it has lines.
    """
    n = prior.size
    for u in range(begin, end):
        for q in range(n):
            p[q] = prior[q]
        _add_lines(lists, u, table, p)
        largest = p[0]
        for q in range(n):
            largest = fmax(largest, p[q])
        for q in range(n):
            p[q] = vexp(p[q] - largest)
        total = 0.0
        for q in range(n):
            total += p[q]
        value[u] = largest + np.log(total)
        r = 1.0 / total
        if posterior.shape[0] > 0:
            for q in range(n):
                posterior[u, q] = p[q] * r
        r *= weight[u]
        for q in range(n):
            p[q] *= r
            mass[q] += p[q]
        _spread(lists, u, p, counts)


@inner
def _conditional(lists: Lists, u: int, table: Any, prior: Any, upper: int, p: Any, message: Any) -> None:
    """Fill p with the probabilities of the own nodes (fastest) given each upper node, message with the integrals."""
    own = prior.size
    for g in range(upper):
        for s in range(own):
            p[g * own + s] = prior[s]
    _add_lines(lists, u, table, p)
    for g in range(upper):
        largest = p[g * own]
        for s in range(own):
            largest = fmax(largest, p[g * own + s])
        message[g] = largest
        for s in range(own):
            p[g * own + s] -= largest
    for q in range(p.size):
        p[q] = vexp(p[q])
    for g in range(upper):
        total = 0.0
        for s in range(own):
            total += p[g * own + s]
        message[g] += np.log(total)
        r = 1.0 / total
        for s in range(own):
            p[g * own + s] *= r


@kernel(
    Lists, Matrix, Vector, int, int, Vector,
    Matrix, Matrix,
)  # fmt: skip
def lower_messages(
    lists: Lists, table: Any, prior: Any, begin: int, end: int, p: Any, messages: Any, kept: Any
) -> None:  # fmt: skip
    """Integrate lower units begin to end over their own nodes, given each node of the unit above.

    Fills `kept` with the probabilities of their nodes where it has lines.
    """
    for u in range(begin, end):
        if kept.shape[0] > 0:
            _conditional(lists, u, table, prior, messages.shape[1], kept[u], messages[u])
        else:
            _conditional(lists, u, table, prior, messages.shape[1], p, messages[u])


@kernel(
    Lists, Matrix, Vector, int, int, Vector,
    Vector, Matrix, Matrix, Matrix, Matrix,
)  # fmt: skip
def lower_weights(
    lists: Lists, table: Any, prior: Any, begin: int, end: int, p: Any, message: Any, weights: Any, counts: Any,
    mass: Any, kept: Any,
) -> None:  # fmt: skip
    """Add to `counts` the posterior weights of lower units' rows: `weights` by unit and upper node times own ones.

    ``mass`` (upper x own nodes) gets the sums over units. Probabilities that `lower_messages` kept are used up.
    """
    own, upper = prior.size, message.size
    for u in range(begin, end):
        if kept.shape[0] > 0:
            q = kept[u]
        else:
            q = p
            _conditional(lists, u, table, prior, upper, p, message)
        for g in range(upper):
            x = weights[u, g]
            for s in range(own):
                q[g * own + s] *= x
                mass[g, s] += q[g * own + s]
        _spread(lists, u, q, counts)
