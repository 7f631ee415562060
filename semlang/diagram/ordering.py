"""Order nodes within rows so that few edges cross: layers with lanes for long edges, medians and exchanges.

Sugiyama, Tagawa and Toda (1981); Gansner, Koutsofios, North and Vo (1993), section 3.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from semlang.diagram.plan import Plan

SWEEPS = 12

Ends = tuple[str, str]


@dataclass
class Lanes:
    """Rows in which long edges have a lane in every row that they pass.

    Parameters
    ----------
    rows : list of rows of keys, lanes among them
    chains : for every edge the keys from source to target; two keys of one row where it stays in a row
    above, below : dict from key to the neighbours in the next row up and down
    outer : set of lanes that run around everything at the left
    """

    rows: list[list[str]]
    chains: list[list[str]]
    above: dict[str, list[str]] = field(default_factory=dict)
    below: dict[str, list[str]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)

    @property
    def lanes(self) -> set[str]:
        """Keys of lanes."""
        return {k for chain in self.chains for k in chain[1:-1]}


def ordered(plan: Plan, edges: Sequence[Ends]) -> Lanes:
    """Return the rows of a plan with lanes, in an order with few crossings.

    Parameters
    ----------
    plan : Plan
    edges : sequence of (source, target)
    """
    lanes = _lanes(plan, edges)
    fixed = plan.held | lanes.outer
    best, least = [list(r) for r in lanes.rows], _cost(lanes, lanes.rows)
    rows = [list(r) for r in lanes.rows]
    for sweep in range(SWEEPS):
        if not least:
            break
        down = sweep % 2 == 0
        for r in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            near, other = (lanes.above, rows[r - 1]) if down else (lanes.below, rows[r + 1])
            rows[r] = _by_median(rows[r], near, {k: i for i, k in enumerate(other)}, fixed)
        _exchange(lanes, rows, fixed)
        now = _cost(lanes, rows)
        if now < least:
            best, least = [list(r) for r in rows], now
    lanes.rows = best
    return lanes


def crossings(lanes: Lanes) -> int:
    """Return how many pairs of edges cross between rows."""
    return sum(_between(lanes, a, b) for a, b in zip(lanes.rows, lanes.rows[1:], strict=False))


def _lanes(plan: Plan, edges: Sequence[Ends]) -> Lanes:
    row_of, rows = plan.row_of, [list(r) for r in plan.rows]
    place = {k: (i + 0.5) / len(row) for row in rows for i, k in enumerate(row)}
    chains = []
    outer: set[str] = set()
    for n, (a, b) in enumerate(edges):
        ra, rb = row_of[a], row_of[b]
        chain = [a]
        step = 1 if rb > ra else -1
        for r in range(ra + step, rb, step):
            key = f"lane {n} {r}"
            rows[r].append(key)
            place[key] = place[a] + (place[b] - place[a]) * abs(r - ra) / abs(rb - ra)
            if plan.columns and a not in plan.columns and b not in plan.columns:
                outer.add(key)
                place[key] = -1.0
            chain.append(key)
        chains.append([*chain, b])
    out = Lanes([_merged(row, plan.rows[r], place) for r, row in enumerate(rows)], chains, outer=outer)
    where = {k: r for r, row in enumerate(rows) for k in row}
    for chain in chains:
        for a, b in pairwise(chain):
            if where[a] != where[b]:
                top, low = (a, b) if where[a] < where[b] else (b, a)
                out.below.setdefault(top, []).append(low)
                out.above.setdefault(low, []).append(top)
    return out


def _merged(row: Sequence[str], given: Sequence[str], place: dict[str, float]) -> list[str]:
    """Put lanes between the given nodes, whose order stays."""
    out = list(given)
    for key in row[len(given) :]:
        at = bisect_right([place[k] for k in out], place[key])
        out.insert(at, key)
    return out


def _by_median(row: Sequence[str], near: dict[str, list[str]], place: dict[str, int], fixed: set[str]) -> list[str]:
    """Order a row by the medians of its neighbours; what has none, and what is fixed, keeps its place in the order."""
    want: dict[str, float] = {}
    for key in row:
        at = sorted(place[k] for k in near.get(key, ()))
        if at:
            half = len(at) // 2
            want[key] = at[half] if len(at) % 2 else (at[half - 1] + at[half]) / 2
    if not fixed.intersection(row):
        moving = sorted((k for k in row if k in want), key=lambda k: (want[k], row.index(k)))
        queue = iter(moving)
        return [next(queue) if k in want else k for k in row]
    out = [k for k in row if k in fixed]
    for key in sorted((k for k in row if k not in fixed), key=lambda k: (want.get(k, 0.0), k)):
        costs = []
        own = want.get(key, 0.0)
        for spot in range(len(out) + 1):
            left = sum(1 for k in out[:spot] if want.get(k, own) > own)
            right = sum(1 for k in out[spot:] if want.get(k, own) < own)
            costs.append((left + right, abs(spot - len(out) / 2), spot))
        out.insert(min(costs)[2], key)
    return out


def _exchange(lanes: Lanes, rows: list[list[str]], fixed: set[str]) -> None:
    """Exchange neighbours as long as that removes crossings."""
    place = {k: i for row in rows for i, k in enumerate(row)}
    for _ in range(6):
        moved = False
        for row in rows:
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                if a in fixed and b in fixed:
                    continue
                gain = 0
                for near in (lanes.above, lanes.below):
                    pa = sorted(place[k] for k in near.get(a, ()))
                    pb = sorted(place[k] for k in near.get(b, ()))
                    gain += _inversions(pa, pb) - _inversions(pb, pa)
                if gain > 0:
                    row[i], row[i + 1] = b, a
                    place[a], place[b] = i + 1, i
                    moved = True
        if not moved:
            return


def _inversions(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how often an end of the left node lies right of one of the right node."""
    return sum(1 for p in first for q in second if p > q)


def _cost(lanes: Lanes, rows: Sequence[Sequence[str]]) -> float:
    count = sum(_between(lanes, a, b) for a, b in pairwise(rows))
    place = {k: i for row in rows for i, k in enumerate(row)}
    within = [(place[c[0]], place[c[1]]) for c in lanes.chains if len(c) == 2 and _together(lanes, c)]
    return count + 0.3 * sum(abs(a - b) - 1 for a, b in within)


def _together(lanes: Lanes, chain: Sequence[str]) -> bool:
    return chain[1] not in lanes.below.get(chain[0], ()) and chain[1] not in lanes.above.get(chain[0], ())


def _between(lanes: Lanes, upper: Sequence[str], lower: Sequence[str]) -> int:
    place = {k: i for i, k in enumerate(lower)}
    ends = [p for key in upper for p in sorted(place[k] for k in lanes.below.get(key, ()))]
    seen: list[int] = []
    count = 0
    for p in ends:
        count += len(seen) - bisect_right(seen, p)
        insort(seen, p)
    return count
