"""Paths of edges: straight where nothing is in the way, through their lanes else, arcs within a row."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from semlang.diagram.content import Content
from semlang.diagram.outline import Body, End, spread
from semlang.diagram.spec import Point

STUB = 24.0
"""Length of a short arrow."""
TRACK = 15.0
"""Distance of arcs that lie around one another, where they have no labels."""


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
    wide : float
        How much room its label takes across the row.
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
    wide: float = 0.0
    path: list[Point] = field(default_factory=list)


def linked(parts: Content) -> list[Link]:
    """Return the links of all edges: two where a dot stands in the middle of one.

    Parameters
    ----------
    parts : Content
    """
    out = []
    dots = {pair: dot for dot, pair in parts.dots.items()}
    for n, e in enumerate(parts.edges):
        dot = dots.get((e.source, e.target)) if not e.both else None
        if dot is not None:
            out.append(Link(n, e.source, dot, head=False))
            out.append(Link(n, dot, e.target, label=bool(e.label)))
        else:
            out.append(Link(n, e.source, e.target, e.both, not e.headless, bool(e.label)))
    return out


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
    links: Sequence[Link],
    place: Mapping[str, float],
    row_of: Mapping[str, int],
    clear: Mapping[tuple[int, str], float],
    track: float,
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
    track : float
        Distance of arcs that lie around one another.
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
            depth = max([depth, *(d + track for d in within)])
            across = sorted(d for lo, hi, d in done if lo < b - 1 and hi > a + 1)
            for d in across:
                if abs(d - depth) < 0.6 * track:
                    depth = d + 0.6 * track
            link.depth = depth
            done.append((a, b, depth))


class Router:
    """Places ends and draws paths, in coordinates u along the rows and v across them.

    Parameters
    ----------
    bodies : mapping from key to Body
    place : mapping from key (lanes among them) to place along the row
    tops, bottoms : v of the edges of every row
    blocks : mapping from key to float
        How far what hangs on a node reaches across its row.
    bounds : mapping from lane to (low, high)
        Between which places it can be moved.
    """

    def __init__(
        self,
        bodies: Mapping[str, Body],
        place: Mapping[str, float],
        row_of: Mapping[str, int],
        tops: Sequence[float],
        bottoms: Sequence[float],
        blocks: Mapping[str, float],
        bounds: Mapping[str, tuple[float, float]],
    ) -> None:
        self.bodies, self.place, self.row_of = bodies, place, row_of
        self.tops, self.bottoms, self.blocks, self.bounds = tops, bottoms, blocks, bounds
        self.solid = [b for b in bodies.values() if b.shape != "point"]
        self.used: dict[str, list[Point]] = {}

    def route(
        self, links: Sequence[Link], stubs: Mapping[str, tuple[str, float]], loops: Collection[str] = ()
    ) -> dict[str, list[Point]]:
        """Write the paths of all links; return short arrows, from tail to head, and loops.

        Parameters
        ----------
        links : sequence of Link
        stubs : mapping from key to (side, length)
        loops : keys of those that are loops
        """
        ends: dict[tuple[str, bool], list[End]] = {}
        of: dict[tuple[int, int], End] = {}
        beside: dict[frozenset[str], int] = {}
        for n, link in enumerate(links):
            if link.side == "along":
                pair = frozenset((link.source, link.target))
                beside[pair] = beside.get(pair, 0) + 1
                continue
            for which, key, other, head in (
                (0, link.source, link.chain[1], link.both),
                (1, link.target, link.chain[-2], link.both or link.head),
            ):
                down, lean = self._lean(link, key, other)
                of[n, which] = End(lean, n, head)
                ends.setdefault((key, down), []).append(of[n, which])
        shorts = {
            k: [End(-4.0, -2, True), End(4.0, -1, True)] if k in loops else [End(0.0, -1, True)]
            for k, (side, _) in stubs.items()
            if side in ("up", "down")
        }
        for key, own in shorts.items():
            ends.setdefault((key, stubs[key][0] == "down"), []).extend(own)
        for key in {key for key, _ in ends if self.bodies[key].shape == "point"}:
            self._at_dot(key, [e for k in (False, True) for e in ends.pop((key, k), ())])
        for (key, down), at in ends.items():
            spread(self.bodies[key], down, at)
            self.used.setdefault(key, []).extend(e.place for e in at)
        taken: dict[frozenset[str], int] = {}
        for n, link in enumerate(links):
            if link.side == "along":
                pair = frozenset((link.source, link.target))
                k = taken.get(pair, 0)
                taken[pair] = k + 1
                link.path = self._along(link, k, beside[pair])
            elif link.side == "between":
                link.path = self._between(link, of[n, 0].place, of[n, 1].place)
            else:
                link.path = self._arc(link, of[n, 0].place, of[n, 1].place)
        out = {}
        for key, own in shorts.items():
            side, length = stubs[key]
            way = length if side == "down" else -length
            x, y = own[-1].place
            out[key] = loop(own[0].place, (x, y), (0.0, way)) if key in loops else line((x, y + way), (x, y))
        for key, (side, length) in stubs.items():
            if side in ("before", "after"):
                b, way = self.bodies[key], 1.0 if side == "after" else -1.0
                rim = b.u + way * b.hu
                v = b.v - 0.5 * b.hv if length < STUB / 2 + 1.0 else b.v  # words stand beside arrows that are so short
                out[key] = line((rim + way * length, v), (rim, v))
                if key in loops:
                    out[key] = loop((rim, v - 5.0), (rim, v + 5.0), (way * length, 0.0))
                self.used.setdefault(key, []).append((rim, v))
        return out

    def _at_dot(self, key: str, ends: Sequence[End]) -> None:
        """Let arrows meet the path through a dot one beside the other."""
        b = self.bodies[key]
        heads = sorted((e for e in ends if e.head), key=lambda e: e.lean)
        for e in ends:
            e.place = (b.u, b.v)
        for n, e in enumerate(heads):
            e.place = (b.u + (n - (len(heads) - 1) / 2) * 9.0, b.v)
        if len(heads) > 1:
            b.hu = b.hv = 4.0

    def _lean(self, link: Link, key: str, other: str) -> tuple[bool, float]:
        """Return the side at which an edge leaves a node, and its direction there."""
        b = self.bodies[key]
        if link.side in ("up", "down"):
            far = link.target if key == link.source else link.source
            du = self.place[far] - b.u
            lean = (62.0 if b.shape == "box" else 46.0) - 26.0 * min(1.0, abs(du) / 700.0)
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
        shift = 0.0 if n == 1 else (k - (n - 1) / 2) * max(16.0, link.wide + 6.0)
        shift = max(-0.8 * min(a.hv, b.hv), min(0.8 * min(a.hv, b.hv), shift))
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
        way = 1.0 if b[0] > a[0] else -1.0
        wide = min(abs(b[0] - a[0]) / 2, 30.0 + 0.35 * abs(deep - edge))
        p, q = (a[0] + way * wide, deep), (b[0] - way * wide, deep)
        out = [a, (a[0], a[1] + 0.6 * (deep - a[1])), (p[0] - 0.6 * way * wide, deep), p]
        if abs(q[0] - p[0]) > 1.0:
            out = joined(out, line(p, q))
        return [*out, (q[0] + 0.6 * way * wide, deep), (b[0], b[1] + 0.6 * (deep - b[1])), b]

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
        """Whether a straight line keeps away from all other nodes, and between the neighbours of its lanes."""
        (x0, y0), (x1, y1) = path[0], path[-1]
        for lane in link.chain[1:-1]:
            r, (low, high) = self._row(lane), self.bounds[lane]
            for v in (self.tops[r], self.bottoms[r]):
                if not low <= x0 + (x1 - x0) * (v - y0) / (y1 - y0) <= high:
                    return False
        for b in self.solid:
            w, h = b.hu + 5.0, b.hv + 5.0
            if b.v - h > max(y0, y1) or b.v + h < min(y0, y1) or b.u - w > max(x0, x1) or b.u + w < min(x0, x1):
                continue
            if b.key not in (link.source, link.target) and _meets(b, (x0, y0), (x1, y1), w, h):
                return False
        return True


def line(a: Point, b: Point) -> list[Point]:
    """Return a straight line as a cubic curve."""
    d = ((b[0] - a[0]) / 3, (b[1] - a[1]) / 3)
    return [a, (a[0] + d[0], a[1] + d[1]), (b[0] - d[0], b[1] - d[1]), b]


def _meets(b: Body, p: Point, q: Point, w: float, h: float) -> bool:
    """Whether a segment meets a node that is made w and h large (halves)."""
    x, y, dx, dy = (p[0] - b.u) / w, (p[1] - b.v) / h, (q[0] - p[0]) / w, (q[1] - p[1]) / h
    if b.shape == "box":
        low, high = 0.0, 1.0
        for start, step in ((x, dx), (y, dy)):
            if abs(step) < 1e-9:
                if abs(start) >= 1:
                    return False
                continue
            one, two = sorted(((-1 - start) / step, (1 - start) / step))
            low, high = max(low, one), min(high, two)
        return low < high
    length = dx * dx + dy * dy
    t = min(1.0, max(0.0, -(x * dx + y * dy) / length)) if length else 0.0
    return (x + t * dx) ** 2 + (y + t * dy) ** 2 < 1


def loop(a: Point, b: Point, out: Point) -> list[Point]:
    """Return a loop from a to b that reaches as far out as `out` says."""
    x, y = out[0] * 4 / 3, out[1] * 4 / 3
    size = max(math.hypot(b[0] - a[0], b[1] - a[1]), 1e-9)
    tx, ty = (b[0] - a[0]) / size * 6.0, (b[1] - a[1]) / size * 6.0
    return [a, (a[0] + x - tx, a[1] + y - ty), (b[0] + x + tx, b[1] + y + ty), b]


def joined(first: Sequence[Point], second: Sequence[Point]) -> list[Point]:
    """Return two paths as one; the second begins where the first ends."""
    return [*first, *second[1:]]


def _smooth(stops: Sequence[Point]) -> list[Point]:
    """Return curves through points that pass rows straight across them."""
    out = [stops[0]]
    for k, (a, b) in enumerate(pairwise(stops)):
        dv = b[1] - a[1]
        if abs(b[0] - a[0]) < 0.5:
            out += line(a, b)[1:]
            continue
        first = (a[0], a[1] + 0.45 * dv) if k else (a[0] + 0.3 * (b[0] - a[0]), a[1] + 0.4 * dv)
        last = (b[0], b[1] - 0.45 * dv) if k < len(stops) - 2 else (b[0] - 0.3 * (b[0] - a[0]), b[1] - 0.4 * dv)
        out += [first, last, b]
    return out
