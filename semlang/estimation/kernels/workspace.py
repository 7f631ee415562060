"""Rules of nodes, and the scratch arrays of one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from semlang.estimation.kernels.batches import Batch
from semlang.estimation.kernels.densities import TILE
from semlang.estimation.kernels.lanes import LONGEST, WIDTH
from semlang.estimation.kernels.layout import Fronts, Lanes, Rule, Scratch, Tables
from semlang.estimation.kernels.node_rows import rows_at_nodes
from semlang.estimation.kernels.turns import Turns
from semlang.estimation.memory import aligned
from semlang.estimation.sparse import WIDE, sparse_rule

__all__ = ["Workspace", "rule_of_levels", "spacing"]

Floats = NDArray[np.float64]

LARGEST_TABLE = 1 << 21
"""Numbers in the table of densities of a unit's rows at its nodes; longer units are gone through twice."""
VECTOR = 4
"""Runs of nodes of the lowest level are filled up to a multiple of this, so that no loop has a remainder."""
FILLED = 0.15
"""Part of the nodes that may be added to that end, where there is more than one run."""
NO_WEIGHT = -1e5
"""Logarithm of the weight of a node that fills up."""


def _one_dimension(points: int, spread: float) -> tuple[Floats, Floats]:
    """Return nodes and the logarithms of their weights: Gauss-Hermite, or equispaced over +-spread."""
    if spread <= 0.0 or points == 1:
        x, w = hermegauss(points)
        return x, np.log(w / w.sum())
    x = np.linspace(-spread, spread, points)
    return x, np.log((x[1] - x[0]) / np.sqrt(2.0 * np.pi)) - 0.5 * x**2


def spacing(points: int, spread: float) -> float:
    """Return the distance of the nodes of one dimension, in the middle."""
    x = _one_dimension(points, spread)[0]
    return float(np.diff(x)[(points - 1) // 2]) if points > 1 else 1.0


def _product(dims: int, points: int, spread: float) -> tuple[Floats, Floats, Floats]:
    """Return nodes (dims, N) of the product rule, ``log w + |z|^2 / 2``, and ones."""
    x, log_w = _one_dimension(points, spread)
    nodes, logs = np.zeros((dims, points**dims)), np.zeros(points**dims)
    for k, (z, log) in enumerate(
        zip(np.meshgrid(*[x] * dims, indexing="ij"), np.meshgrid(*[log_w] * dims, indexing="ij"), strict=True)
    ):
        nodes[k] = z.ravel()
        logs += log.ravel() + 0.5 * z.ravel() ** 2
    return nodes, logs, np.ones(logs.size)


def _sparse(dims: int, points: int) -> tuple[Floats, Floats, Floats]:
    """Return nodes (dims, N) of Smolyak's rule, ``log |w| + |z|^2 / 2``, and the signs of the weights."""
    nodes, weights = sparse_rule(dims, points)
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log(np.abs(weights)) + 0.5 * (nodes**2).sum(axis=1), NO_WEIGHT)
    return nodes.T, logs, np.where(weights < 0.0, -1.0, 1.0)


def _parents(nodes: Floats, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return `within` and `parent` of `Rule` for nodes (dims, N), `count` with those that fill up."""
    dims, n = nodes.shape
    place = {node: k for k, node in enumerate(map(tuple, nodes.T.tolist()))}
    first = np.where(nodes.any(axis=0), (nodes != 0.0).argmax(axis=0), dims)
    within = np.array([np.count_nonzero(first >= s) for s in range(dims)], dtype=np.int64)
    within[0] = count
    parent = np.zeros(count, dtype=np.int64)
    for k in range(n):
        node = nodes[:, k].copy()
        node[: int(first[k]) + 1] = 0.0
        parent[k] = place[tuple(node.tolist())]
    return within, parent


def rule_of_levels(dims: Sequence[int], points: Sequence[int], spread: float = 0.0, sparse: bool = False) -> Rule:
    """Return the rule of each level: nodes and weights for the standard normal density.

    Nodes that fill up the lowest level have no weight.

    Parameters
    ----------
    dims, points : sequence of int
        Of each level.
    spread : float
        Zero: Gauss-Hermite; else nodes are equispaced from -spread to spread.
    sparse : bool
        Levels of `WIDE` dimensions and more have Smolyak's rule, the others the product rule.
    """
    rules = [
        _sparse(m, q) if sparse and m >= WIDE else _product(m, q, spread) for q, m in zip(points, dims, strict=True)
    ]
    counts = np.array([logs.size for _, logs, _ in rules], dtype=np.int64)
    whole = sparse and dims[0] >= WIDE  # nodes of a sparse rule do not come in runs
    own = int(counts[0]) if whole or not dims[0] else points[0]
    run, runs = own, int(counts[0]) // own
    if counts.prod() > 1 and ((len(dims) == 1 and runs == 1) or -run % VECTOR <= FILLED * run):
        run += -run % VECTOR
    counts[0] = runs * run
    z = np.zeros((len(dims), max(dims), counts.max()))
    log_weight = np.full((len(dims), counts.max()), NO_WEIGHT)
    sign = np.ones((len(dims), counts.max()))
    for level, (nodes, logs, signs) in enumerate(rules):
        at = np.arange(logs.size)
        if level == 0:
            at += at // own * (run - own)
        z[level, : len(nodes), at] = nodes.T
        log_weight[level, at] = logs
        sign[level, at] = signs
    size = np.append(np.cumprod(counts[::-1])[::-1], 1).astype(np.int64)
    length = size[0] if whole else run
    run_of_nodes = np.array([length], dtype=np.int64)
    calls = np.array([rows_at_nodes.address() if size[0] > 1 else 0], dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    within, parent = _parents(rules[0][0], int(counts[0])) if whole and len(dims) == 1 else (none, none)
    largest = np.abs(z).max(axis=(1, 2))
    return Rule(counts, size, z, log_weight, sign, largest, run_of_nodes, within, parent, calls)


@dataclass(frozen=True)
class Workspace:
    """Scratch arrays that are large enough for any batch; nothing in them is read before it is written."""

    fronts: Fronts
    scratch: Scratch
    tables: Tables
    lanes: Lanes
    turns: dict[tuple[bool, ...], Turns] = field(default_factory=dict)
    """Calls that were filled with these arrays, by what they are for."""

    @classmethod
    def for_batches(cls, batches: Sequence[Batch], rule: Rule, together: int = 1) -> Workspace:
        """Allocate for batches and a rule; where the rule has one point there are no tables.

        Parameters
        ----------
        batches : sequence of Batch
        rule : Rule
        together : int
            Most rows that have a density together.
        """
        dims, tail = batches[0].nest.dims, batches[0].nest.tail
        units = max(int(b.nest.base[-1]) for b in batches)
        lowest = max(int(b.nest.base[1]) for b in batches)
        upper = max(int(b.nest.base[-1] - b.nest.base[1]) for b in batches)
        rows = max(b.rows.stop - b.rows.start for b in batches)
        longest = max(int((b.nest.last - b.nest.first)[: b.nest.base[1]].max()) for b in batches)
        clusters = max(b.top.stop - b.top.start for b in batches)
        m, d, m0 = int(dims.max()), int(tail[0]), int(dims[0])
        n0, n1, run = int(rule.size[0]), int(rule.size[1]), int(rule.run[0])
        factors = max(n0, 4 * (n0 // run + 8), 4 * run)
        if n0 == 1:
            lowest = upper = rows_in_table = rows_of_upper = 1
        else:
            rows_in_table, rows_of_upper = max(16, together, min(longest, LARGEST_TABLE // n0)), rows
        e = aligned
        upper = max(upper, 1)
        square, by_unit = (units, m, m), (units, d)
        return cls(
            Fronts(
                e((units, d, d)), e(by_unit), e(square), e(square), e(square), e((units, m, d)), e(by_unit),
                e((units, m)), e(by_unit), e((units, d, d)), e(by_unit), e(by_unit), e(units),
                e((m, m)), e((m, d)), e((d, d)), e((d, d)),
            ),
            Scratch(
                e(rows), e(rows), e(rows), e(rows), e(rows), e((3, rows)), e((4, rows)), e(5 * TILE),
                np.empty(dims.size, dtype=np.int64), np.empty(dims.size, dtype=np.int64),
                np.empty(clusters, dtype=np.int64), e(clusters), e(clusters),
            ),
            Tables(
                e((upper, d, n1)), e((upper, n1)), e((upper, d, n1)),
                e((upper, n1)),
                e((lowest, m0, n1)), e((lowest, m0 * m0, n1)), e((3 + m0, n1, rows_of_upper)),
                e((d, n0)), e((m0, n1)), e(d), e(n0), e(n0), e((2, factors)), e((1 + m0, n0)),
                e((3, rows_in_table + 3, n0)), e((4, TILE)), e(n1),
            ),
            _lanes(longest, int(rule.counts[0]), n1, d, WIDTH if m0 == 1 and n0 > 1 else 0),
        )  # fmt: skip


def _lanes(longest: int, n: int, n1: int, d: int, width: int) -> Lanes:
    """Allocate lanes of units of at most ``longest`` rows, unless the table of their rows at all nodes is too large."""
    rows = max(LONGEST, -(-longest // max(width, 1)))
    if n * n1 * rows * width > LARGEST_TABLE:
        rows = LONGEST
    if n * n1 * rows * width > LARGEST_TABLE or not width:
        n = n1 = rows = width = 0
    e, i = aligned, np.int64
    by_row, lane, by_x, by_z = (rows, width), width, (n1, width), (n, width)
    return Lanes(
        e(lane, i), e(lane, i), e(lane, i), e(1, i),
        e(by_row), e(by_row), e(by_row), e((d - 1 if width else 0, rows, width)), e(by_row), e((n, rows, width)),
        e((n * n1, rows, width)), e((2, rows, width)), e((d, width)), e(lane), e(lane), e(by_z), e(by_z),
        e(lane), e(lane), e(lane), e(lane), e(by_x), e(lane), e(lane), e((d, width)), e((n * n1, width)), e(lane),
        e(by_x), e(by_x), e(by_x),
    )  # fmt: skip
