"""Places along a row: as near as possible to what a node belongs to, in the given order, without an overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from semlang.diagram.ordering import Lanes

ROUNDS = 10

Extent = Mapping[str, tuple[float, float]]
"""How far a node reaches before and after its place along the row."""


def along(
    lanes: Lanes,
    extent: Extent,
    gap: Callable[[str, str], float],
    columns: Mapping[str, int],
    weight: Callable[[str, str], float],
) -> dict[str, float]:
    """Return the place of every node and lane along its row.

    Rows are moved in turns, each to the weighted means of the neighbours above or below (least squares under the
    distances that must be kept, by pooling). Nodes of one column share their place.

    Parameters
    ----------
    lanes : Lanes
    extent : mapping from key to (before, after)
    gap : function of two neighbours in a row
    columns : mapping from key to column
    weight : function of a node and its neighbour
    """
    place: dict[str, float] = {}
    if columns:
        place |= _columns(lanes, extent, gap, columns)
    for row in lanes.rows:
        free = {k: 0.0 for k in row if k not in place}
        if len(free) == len(row):
            place |= _spread(row, free, extent, gap)
        else:
            place |= {k: _between(row, k, place) for k in free}
    for turn in range(2 * ROUNDS):
        order = range(len(lanes.rows)) if turn % 2 == 0 else range(len(lanes.rows) - 1, -1, -1)
        for r in order:
            row = lanes.rows[r]
            sides = (lanes.above, lanes.below) if turn >= 2 * ROUNDS - 4 else ((lanes.above, lanes.below)[turn % 2],)
            want = {}
            for key in row:
                near = [(place[k], weight(key, k)) for side in sides for k in side.get(key, ())]
                total = sum(w for _, w in near)
                want[key] = sum(p * w for p, w in near) / total if total else place[key]
            held = {k: place[k] for k in row if k in columns}
            if held:
                place |= _around(row, want, held, extent, gap)
            else:
                place |= _spread(row, want, extent, gap)
    return place


def _spread(
    row: Sequence[str], want: Mapping[str, float], extent: Extent, gap: Callable[[str, str], float]
) -> dict[str, float]:
    """Move nodes as little as possible (least squares) so that none overlap; their order is kept."""
    offset = [0.0]
    for a, b in pairwise(row):
        offset.append(offset[-1] + extent[a][1] + extent[b][0] + gap(a, b))
    pools: list[tuple[float, int]] = []
    for key, o in zip(row, offset, strict=True):
        pools.append((want[key] - o, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (v, m), (w, n) = pools.pop(), pools.pop()
            pools.append(((v * m + w * n) / (m + n), m + n))
    flat = [v for v, n in pools for _ in range(n)]
    return {key: v + o for key, v, o in zip(row, flat, offset, strict=True)}


def _around(
    row: Sequence[str],
    want: Mapping[str, float],
    held: Mapping[str, float],
    extent: Extent,
    gap: Callable[[str, str], float],
) -> dict[str, float]:
    """Place what is between the nodes of columns, which stay."""
    out: dict[str, float] = dict(held)
    run: list[str] = []
    before: str | None = None
    for key in [*row, None]:
        if key is not None and key not in held:
            run.append(key)
            continue
        if run:
            low = held[before] + extent[before][1] + gap(before, run[0]) if before is not None else float("-inf")
            high = held[key] - extent[key][0] - gap(run[-1], key) if key is not None else float("inf")
            placed = _spread(run, want, extent, gap)
            first, last = placed[run[0]] - extent[run[0]][0], placed[run[-1]] + extent[run[-1]][1]
            shift = max(0.0, low - first)
            if last + shift > high:
                shift = high - last if low == float("-inf") else (low - first + high - last) / 2
            out |= {k: p + shift for k, p in placed.items()}
            run = []
        before = key
    return out


def _between(row: Sequence[str], key: str, place: Mapping[str, float]) -> float:
    i = row.index(key)
    left = next((place[k] for k in reversed(row[:i]) if k in place), None)
    right = next((place[k] for k in row[i:] if k in place), None)
    if left is None or right is None:
        return left if left is not None else right if right is not None else 0.0
    return (left + right) / 2


def _room(
    row: Sequence[str], columns: Mapping[str, int], pair: tuple[int, int], gap: Callable[[str, str], float]
) -> float:
    """Return the room that a row needs between two columns: for the gap, and for what runs between them."""
    most, run = 0.0, [row[0]] if row else []
    for key in row[1:]:
        run.append(key)
        if key in columns:
            if (columns.get(run[0]), columns[key]) == pair:
                most = max(most, sum(gap(a, b) for a, b in pairwise(run)))
            run = [key]
    return most


def _columns(
    lanes: Lanes, extent: Extent, gap: Callable[[str, str], float], columns: Mapping[str, int]
) -> dict[str, float]:
    """Return the places of nodes in columns: cells as wide as the widest of their column."""
    cells: dict[tuple[int, int], list[str]] = {}
    for r, row in enumerate(lanes.rows):
        for key in row:
            if key in columns:
                cells.setdefault((r, columns[key]), []).append(key)
    inner = {
        cell: sum(sum(extent[k]) for k in keys) + sum(gap(a, b) for a, b in pairwise(keys))
        for cell, keys in cells.items()
    }
    numbers = sorted(set(columns.values()))
    wide = {c: max(w for (_, d), w in inner.items() if d == c) for c in numbers}
    start, at = {}, 0.0
    for n, c in enumerate(numbers):
        if n:
            at += max((_room(row, columns, (numbers[n - 1], c), gap) for row in lanes.rows), default=30.0)
        start[c] = at
        at += wide[c]
    out = {}
    for (r, c), keys in cells.items():
        left = start[c] + (wide[c] - inner[r, c]) / 2
        for n, key in enumerate(keys):
            left += gap(keys[n - 1], key) if n else 0.0
            out[key] = left + extent[key][0]
            left += sum(extent[key])
    return out
