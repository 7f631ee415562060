"""Paths of edges: straight where nothing is in the way, through their lanes else, arcs within a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semlang.diagram.outline import Body, End, spread
from semlang.diagram.spec import Point

STUB = 24.0
"""Length of a short arrow."""
TRACK = 15.0
"""Distance of arcs that lie around one another."""


@dataclass
class Link:
    """An edge, or one half of an edge that has a dot in its middle.

    Parameters
    ----------
    edge : int
        Number of the edge that it belongs to.
    source, target : str
    both, heads : bool
        Whether it is a covariance; whether it ends in a head.
    chain : list of str
        Keys from source to target, lanes between them.
    side : str
        ``between`` (from row to row), ``along`` (straight to the neighbour in the row), ``up`` or ``down`` (an arc).
    depth : float
        Of an arc.
    path : control points
    """

    edge: int
    source: str
    target: str
    both: bool = False
    head: bool = True
    label: bool = False
    chain: list[str] = field(default_factory=list)
    side: str = "between"
    depth: float = 0.0
    path: list[Point] = field(default_factory=list)


def sides(links: Sequence[Link], rows: Sequence[Sequence[str]], real: set[str]) -> None:
    """Decide on which side edges within a row run.

    Parameters
    ----------
    links : sequence of Link
        `side` is written.
    rows : rows in their order, lanes among them
    real : set of keys that are nodes, not lanes
    """
    where = {k: (r, i) for r, row in enumerate(rows) for i, k in enumerate([k for k in row if k in real])}
    up: dict[str, int] = {}
    down: dict[str, int] = {}
    for link in links:
        for key, other in ((link.source, link.chain[1]), (link.target, link.chain[-2])):
            r, o = where[key][0], _row(other, where)
            if o > r:
                down[key] = down.get(key, 0) + 1
            elif o < r:
                up[key] = up.get(key, 0) + 1
    for link in links:
        (r, i), (s, j) = where[link.source], where[link.target]
        if r != s:
            link.side = "between"
            continue
        lo, hi = min(i, j), max(i, j)
        if hi - lo == 1 and not link.both:
            link.side = "along"
            continue
        keys = [k for k in rows[r] if k in real]
        above = (sum(up.get(k, 0) for k in keys), sum(up.get(k, 0) for k in keys[lo : hi + 1]))
        below = (sum(down.get(k, 0) for k in keys), sum(down.get(k, 0) for k in keys[lo : hi + 1]))
        if not above[0] or not below[0]:
            free_up = not above[0] and (below[0] > 0 or not link.both or r == 0)
            link.side = "up" if free_up else "down"
        else:
            link.side = "up" if above[1] <= below[1] else "down"


def _row(key: str, where: Mapping[str, tuple[int, int]]) -> int:
    return int(key.rsplit(" ", 1)[1]) if key not in where else where[key][0]


def depths(
    links: Sequence[Link], place: Mapping[str, float], row_of: Mapping[str, int], clear: Mapping[tuple[int, str], float]
) -> None:
    """Give arcs their depth: those that lie around others are deeper, and no arc is deeper than it needs.

    Parameters
    ----------
    links : sequence of Link
        `depth` is written.
    place : mapping from key to its place along the row
    row_of : mapping from key to row
    clear : mapping from (row, side) to float
        Room that short arrows take there.
    """
    groups: dict[tuple[int, str], list[Link]] = {}
    for link in links:
        if link.side in ("up", "down"):
            groups.setdefault((row_of[link.source], link.side), []).append(link)
    for where, group in groups.items():
        done: list[tuple[float, float, float]] = []
        for link in sorted(group, key=lambda k: abs(place[k.source] - place[k.target])):
            a, b = sorted((place[link.source], place[link.target]))
            depth = clear.get(where, 0.0) + 12.0 + 0.07 * min(b - a, 600.0)
            within = [d for lo, hi, d in done if lo >= a - 1 and hi <= b + 1]
            depth = max([depth, *(d + TRACK for d in within)])
            across = sorted(d for lo, hi, d in done if lo < b - 1 and hi > a + 1)
            for d in across:
                if abs(d - depth) < 0.6 * TRACK:
                    depth = d + 0.6 * TRACK
            link.depth = depth
            done.append((a, b, depth))


class Router:
    """Places ends and draws paths, in coordinates u along the rows and v across them.

    Parameters
    ----------
    bodies : mapping from key to Body
    place : mapping from key (lanes among them) to place along the row
    tops, bottoms : v of the edges of every row
    reach : mapping from key to (before, after)
        What hangs on a node across its row, if anything: half of its width.
    """

    def __init__(
        self,
        bodies: Mapping[str, Body],
        place: Mapping[str, float],
        row_of: Mapping[str, int],
        tops: Sequence[float],
        bottoms: Sequence[float],
        blocks: Mapping[str, float],
    ) -> None:
        self.bodies, self.place, self.row_of = bodies, place, row_of
        self.tops, self.bottoms, self.blocks = tops, bottoms, blocks
        self.solid = [b for b in bodies.values() if b.shape != "point"]
        self.used: dict[str, list[Point]] = {}

    def route(self, links: Sequence[Link], stubs: Mapping[str, str]) -> dict[str, list[Point]]:
        """Write the paths of all links; return the short arrows whose side is given, from tail to head."""
        ends: dict[tuple[str, bool], list[End]] = {}
        of: dict[tuple[int, int], End] = {}
        beside: dict[tuple[str, str], int] = {}
        for n, link in enumerate(links):
            if link.side == "along":
                pair = tuple(sorted((link.source, link.target)))
                beside[pair] = beside.get(pair, 0) + 1  # type: ignore[index]
                continue
            for which, key, other, head in (
                (0, link.source, link.chain[1], link.both),
                (1, link.target, link.chain[-2], link.both or link.head),
            ):
                down, lean = self._lean(link, key, other)
                of[n, which] = End(lean, n, head)
                ends.setdefault((key, down), []).append(of[n, which])
        shorts = {k: End(0.0, -1, True) for k, side in stubs.items() if side in ("up", "down")}
        for key, e in shorts.items():
            ends.setdefault((key, stubs[key] == "down"), []).append(e)
        flat = {k for x in links if x.side == "along" for k in (x.source, x.target)}
        for key in {key for key, _ in ends if self.bodies[key].shape == "point"}:
            self._at_dot(key, [e for k in (False, True) for e in ends.pop((key, k), ())], key in flat)
        for (key, down), at in ends.items():
            spread(self.bodies[key], down, at)
            self.used.setdefault(key, []).extend(e.place for e in at)
        taken: dict[tuple[str, str], int] = {}
        for n, link in enumerate(links):
            if link.side == "along":
                pair = tuple(sorted((link.source, link.target)))
                k = taken.get(pair, 0)  # type: ignore[arg-type]
                taken[pair] = k + 1  # type: ignore[index]
                link.path = self._along(link, k, beside[pair])  # type: ignore[index]
            elif link.side == "between":
                link.path = self._between(link, of[n, 0].place, of[n, 1].place)
            else:
                link.path = self._arc(link, of[n, 0].place, of[n, 1].place)
        out = {}
        for key, e in shorts.items():
            x, y = e.place
            tail = (x, y + (STUB if stubs[key] == "down" else -STUB))
            out[key] = line(tail, (x, y))
        for key, side in stubs.items():
            if side in ("before", "after"):
                b, way = self.bodies[key], 1.0 if side == "after" else -1.0
                out[key] = line((b.u + way * (b.hu + STUB), b.v), (b.u + way * b.hu, b.v))
                self.used.setdefault(key, []).append((b.u + way * b.hu, b.v))
        return out

    def _at_dot(self, key: str, ends: Sequence[End], flat: bool) -> None:
        """Let arrows meet the path through a dot one beside the other."""
        b = self.bodies[key]
        heads = sorted((e for e in ends if e.head), key=lambda e: e.lean)
        for e in ends:
            e.place = (b.u, b.v)
        for n, e in enumerate(heads):
            shift = (n - (len(heads) - 1) / 2) * 9.0
            e.place = (b.u + shift, b.v) if flat else (b.u, b.v + shift)

    def _lean(self, link: Link, key: str, other: str) -> tuple[bool, float]:
        """Return the side at which an edge leaves a node, and its direction there."""
        b = self.bodies[key]
        if link.side in ("up", "down"):
            far = link.target if key == link.source else link.source
            du = self.place[far] - b.u
            lean = 62.0 - 30.0 * min(1.0, abs(du) / 700.0)
            return link.side == "down", math.copysign(lean, du)
        row = self._row(other)
        down = row > b.row
        edge = self.tops[row] if down else self.bottoms[row]
        v = self.bodies[other].v if other in self.bodies else edge
        u = self.place[other]
        return down, math.degrees(math.atan2(u - b.u, abs(v - b.v)))

    def _row(self, key: str) -> int:
        return self.row_of[key] if key in self.row_of else int(key.rsplit(" ", 1)[1])

    # ------------------------------------------------------------------ paths

    def _along(self, link: Link, k: int, n: int) -> list[Point]:
        a, b = self.bodies[link.source], self.bodies[link.target]
        way = 1.0 if b.u > a.u else -1.0
        shift = 0.0 if n == 1 else (k - (n - 1) / 2) * 12.0
        ends = []
        for body, sign in ((a, way), (b, -way)):
            if body.shape == "point":
                ends.append((body.u, body.v))
            elif body.shape == "box":
                ends.append((body.u + sign * body.hu, body.v + shift))
            else:
                ends.append(body.leave(math.atan2(shift * body.hv / body.hu, sign * body.hu)))
        for body, p in zip((a, b), ends, strict=True):
            self.used.setdefault(body.key, []).append(p)
        return line(ends[0], ends[1])

    def _arc(self, link: Link, a: Point, b: Point) -> list[Point]:
        """Return an arc whose middle lies as deep as the row's nodes reach, and `depth` more."""
        down = link.side == "down"
        row = self._row(link.source)
        edge = self.bottoms[row] if down else self.tops[row]
        deep = edge + (link.depth if down else -link.depth)
        inner = min(14.0, abs(b[0] - a[0]) * 0.12) * (1.0 if b[0] > a[0] else -1.0)
        return [a, (a[0] + inner, a[1] + (deep - a[1]) * 4 / 3), (b[0] - inner, b[1] + (deep - b[1]) * 4 / 3), b]

    def _between(self, link: Link, a: Point, b: Point) -> list[Point]:
        lanes = link.chain[1:-1]
        straight = line(a, b)
        if not link.both and self._free(straight, link):
            return straight
        if link.both and not lanes:
            return self._bowed(a, b)
        stops = [a]
        down = self._row(link.target) > self._row(link.source)
        if link.source in self.blocks:
            stops.append((a[0], self._rim(link.source, down)))
        for lane in lanes:
            r, u = self._row(lane), self.place[lane]
            first, last = (self.tops[r], self.bottoms[r]) if down else (self.bottoms[r], self.tops[r])
            stops += [(u, first), (u, last)]
        if link.target in self.blocks:
            stops.append((b[0], self._rim(link.target, not down)))
        return _smooth([*stops, b])

    def _rim(self, key: str, down: bool) -> float:
        """Return the v at which an edge has passed what hangs on a node."""
        row = self._row(key)
        return self.bottoms[row] if down else self.tops[row]

    def _bowed(self, a: Point, b: Point) -> list[Point]:
        """Return a bent line between two rows, for a covariance."""
        dv = b[1] - a[1]
        if abs(b[0] - a[0]) < 12.0:
            bow = -min(26.0, 0.25 * abs(dv))
            return [a, (a[0] + bow, a[1] + dv / 3), (b[0] + bow, b[1] - dv / 3), b]
        return [a, (a[0], a[1] + dv * 0.45), (b[0], b[1] - dv * 0.45), b]

    def _free(self, path: Sequence[Point], link: Link) -> bool:
        (x0, y0), (x1, y1) = path[0], path[-1]
        n = max(int(math.hypot(x1 - x0, y1 - y0) / 6), 4)
        for b in self.solid:
            if b.key in (link.source, link.target):
                continue
            if b.v - b.hv - 5 > max(y0, y1) or b.v + b.hv + 5 < min(y0, y1):
                continue
            if any(b.holds((x0 + (x1 - x0) * k / n, y0 + (y1 - y0) * k / n), 5.0) for k in range(n + 1)):
                return False
        return True


def line(a: Point, b: Point) -> list[Point]:
    """Return a straight line as a cubic curve."""
    d = ((b[0] - a[0]) / 3, (b[1] - a[1]) / 3)
    return [a, (a[0] + d[0], a[1] + d[1]), (b[0] - d[0], b[1] - d[1]), b]


def joined(first: Sequence[Point], second: Sequence[Point]) -> list[Point]:
    """Return two paths as one; the second begins where the first ends."""
    return [*first, *second[1:]]


def _smooth(stops: Sequence[Point]) -> list[Point]:
    """Return curves through points that pass rows straight across them."""
    out = [stops[0]]
    for k, (a, b) in enumerate(zip(stops, stops[1:], strict=False)):
        dv = b[1] - a[1]
        if abs(b[0] - a[0]) < 0.5:
            out += line(a, b)[1:]
            continue
        first = (a[0], a[1] + 0.45 * dv) if k else (a[0] + 0.3 * (b[0] - a[0]), a[1] + 0.4 * dv)
        last = (b[0], b[1] - 0.45 * dv) if k < len(stops) - 2 else (b[0] - 0.3 * (b[0] - a[0]), b[1] - 0.4 * dv)
        out += [first, last, b]
    return out
