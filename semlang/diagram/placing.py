"""Place a diagram by a plan: along the rows, across them, paths, short arrows, labels, frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from semlang.diagram.across import BETWEEN, Across
from semlang.diagram.canvas import WRONG, Canvas, ends_of
from semlang.diagram.content import Content
from semlang.diagram.finishing import Placed, finish
from semlang.diagram.letters import width
from semlang.diagram.ordering import Lanes, ordered
from semlang.diagram.outline import Body
from semlang.diagram.plan import Plan
from semlang.diagram.routing import STUB, TRACK, Router, depths, joined, line, linked, loop, sides
from semlang.diagram.sizes import sized
from semlang.diagram.spacing import along
from semlang.diagram.spec import LABEL, Node, Point
from semlang.diagram.stubs import free_stub, polylines
from semlang.model.table import ParameterTable

MANY = 16
"""From so many boxes in one column on they are slim."""
GENTLE, AMPLE = 42.0, 1.7
"""Edges bow no deeper than this for the sake of their labels, before so much room has been tried."""
FAN = 44.0
"""Between a node and the indicators that hang on it."""


def place(table: ParameterTable, parts: Content, plan: Plan, room: float) -> Placed:
    """Return the diagram that a plan gives.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    plan : Plan
    room : float
        Multiple of the usual distances.
    """
    return _Placing(table, parts, plan, room).run()


class _Placing:
    def __init__(self, table: ParameterTable, parts: Content, plan: Plan, room: float) -> None:
        self.table, self.parts, self.plan, self.room = table, parts, plan, room
        slim = plan.turned and max((len(r) for r in plan.rows), default=0) > MANY
        self.slim = slim
        self.nodes = {k: sized(n, slim) for k, n in parts.nodes.items()}
        self.row_of = plan.row_of
        self.hung = {k: latent for latent, keys in plan.hanging.items() for k in keys}
        self.links = linked(parts)
        self.loops = {k for k, e in parts.residuals.items() if e.source}
        self.free = [x for x in self.links if x.target not in self.hung]
        self.lanes: Lanes = ordered(plan, [(x.source, x.target) for x in self.free])
        for link, chain in zip(self.free, self.lanes.chains, strict=True):
            link.chain = chain
        self.real = set(self.row_of)
        sides(self.free, self.lanes.rows, self.real)
        self.stubs = self._stub_sides()
        self.owners = {t: frozenset(s for s, u in parts.measures if u == t) for _, t in parts.measures}
        self.next_to = {
            frozenset((x.source, x.target)): max(
                self._length(parts.edges[y.edge].label)
                for y in self.free
                if {y.source, y.target} == {x.source, x.target}
            )
            for x in self.free
            if x.side == "along"
        }
        for x in self.free:
            if x.side == "along" and x.label:
                x.wide = width(parts.edges[x.edge].label, LABEL) if plan.turned else 12.0
        self.arched = {
            frozenset((x.source, x.target)): self._length(parts.edges[x.edge].label)
            for x in self.free
            if x.side in ("up", "down")
        }
        self._widen()

    def _widen(self) -> None:
        """Enlarge nodes at which more edges end than their sides have room for."""
        ends: dict[tuple[str, str], float] = {}
        for x in self.free:
            for key, other, head in ((x.source, x.chain[1], x.both), (x.target, x.chain[-2], x.head or x.both)):
                if x.side == "along":
                    continue
                side = x.side if x.side != "between" else "down" if self._row(other) > self.row_of[key] else "up"
                ends[key, side] = ends.get((key, side), 0.0) + (9.0 if head else 6.0)
        for key, side in self.stubs.items():
            if side in ("up", "down"):
                ends[key, side] = ends.get((key, side), 0.0) + (18.0 if key in self.loops else 9.0)
        for (key, _), need in ends.items():
            n = self.nodes[key]
            if n.shape == "point":
                continue
            if n.shape == "box":
                size = need + 4.0
                wide, high = (n.width, max(n.height, size)) if self.plan.turned else (max(n.width, size), n.height)
                self.nodes[key] = replace(n, width=wide, height=high)
            else:
                more = max(0.0, (need - 9.0) / 2.6 - (n.width + n.height) / 4)
                self.nodes[key] = replace(n, width=n.width + 2 * more, height=n.height + 2 * more)

    def _length(self, label: str) -> float:
        """Return how much of a row a label takes."""
        return 0.0 if not label else 12.0 if self.plan.turned else width(label, LABEL)

    def _half(self, key: str) -> tuple[float, float]:
        """Return half of a node's size along and across the rows."""
        n = self.nodes[key]
        return (n.height / 2, n.width / 2) if self.plan.turned else (n.width / 2, n.height / 2)

    # ------------------------------------------------------------------ before anything is placed

    def _stub_sides(self) -> dict[str, str]:
        """Return where short arrows come from: ``up``, ``down``, ``before``, ``after``, or '' for any angle."""
        ups: set[int] = set()
        downs: set[int] = set()
        busy: dict[str, set[str]] = {}
        place = {k: i for row in self.lanes.rows for i, k in enumerate(row)}
        for link in self.free:
            for key, other in ((link.source, link.chain[1]), (link.target, link.chain[-2])):
                r = self.row_of[key]
                if link.side == "between":
                    o = self.row_of.get(other)
                    o = int(other.rsplit(" ", 1)[1]) if o is None else o
                    (downs if o > r else ups).add(r)
                    busy.setdefault(key, set()).add("down" if o > r else "up")
                elif link.side == "along":
                    far = link.target if key == link.source else link.source
                    busy.setdefault(key, set()).add("after" if place[far] > place[key] else "before")
                else:
                    busy.setdefault(key, set()).add(link.side)
        out = {}
        for key in self.parts.residuals:
            if key in self.hung:
                out[key] = "after"
                continue
            r = self.row_of[key]
            if self.nodes[key].shape != "box" or key in self.plan.hanging:
                out[key] = ""
            elif r not in downs:
                out[key] = "down"
            elif r not in ups:
                out[key] = "up"
            else:
                taken = busy.get(key, set())
                free = [s for s in ("after", "before") if s not in taken]
                out[key] = free[0] if free else ""
        return out

    def _extent(self, key: str) -> tuple[float, float]:
        if key not in self.real:
            return 0.0, 0.0
        half = self._half(key)[0]
        before = after = half
        if self.stubs.get(key) in ("before", "after"):
            more = self._tail(key) + (4.0 if self.slim or not self.plan.turned else 18.0)
            before, after = (before + more, after) if self.stubs[key] == "before" else (before, after + more)
        keys = self.plan.hanging.get(key)
        if keys:
            tall = max(2 * self._half(k)[0] for k in keys)
            tail = max((self._tail(k) + 16.0 for k in keys if k in self.parts.residuals), default=0.0)
            after += self.room * FAN + tall + tail
        return before, after

    def _tail(self, key: str) -> float:
        """Return the length of a short arrow: one that lies carries its label, one that stands has it at its tail."""
        if self.slim and self.stubs[key] in ("before", "after"):
            return STUB / 2
        lies = self.plan.turned == (self.stubs[key] in ("up", "down"))
        label = self.parts.residuals[key].label
        if not lies or not label:
            return STUB
        return STUB - 4.0 + width(label, LABEL) / 2 if key in self.loops else width(label, LABEL) + 22.0

    def _gap(self, a: str, b: str) -> float:
        lane_a, lane_b = a not in self.real, b not in self.real
        wave = self.plan.name == "waves"
        more = 1.0 + (self.room - 1.0) * 0.6
        if lane_a or lane_b:
            return (12.0 if lane_a and lane_b else 14.0) * (more if wave else 1.0)
        if frozenset((a, b)) in self.next_to:
            return (44.0 + self.next_to[frozenset((a, b))]) * (more if wave else 1.0)
        if frozenset((a, b)) in self.arched:
            return max(
                30.0, 14.0 + max(self._length(e.label) for e in self.parts.edges if {e.source, e.target} == {a, b})
            )
        boxes = self.nodes[a].shape == self.nodes[b].shape == "box"
        gap = (5.0 if self.slim else 10.0 if self.plan.turned else 14.0) if boxes else 26.0
        if boxes and self.owners.get(a) != self.owners.get(b):
            gap += 12.0
        return (max(gap, 40.0) if wave else gap) * more

    # ------------------------------------------------------------------ placing

    def run(self) -> Placed:
        parts, plan = self.parts, self.plan
        rows = self.lanes.rows
        extent = {k: self._extent(k) for row in rows for k in row}
        place = along(self.lanes, extent, self._gap, plan.columns, self._weight)
        self._centre_dots(place)
        self.place = place
        across = Across(
            parts, plan, self.nodes, self.free, self.stubs, self.loops, self.hung, place, self._row, self._half,
            self._tail, self.room,
        )  # fmt: skip
        clear = across.clear()
        depths(self.free, place, self.row_of, clear, self._track())
        tops, bottoms = across.rows(clear)
        bodies = {}
        for key, r in self.row_of.items():
            hu, hv = self._half(key)
            bodies[key] = Body(
                key, self.nodes[key].shape, place[key], (tops[r] + bottoms[r]) / 2, hu, hv, r, plan.turned
            )
        blocks = self._hang(bodies)
        for body in bodies.values():
            if body.key in self.hung:
                place[body.key] = body.u
        router = Router(bodies, place, self.row_of, tops, bottoms, blocks, self._bounds(extent))
        shorts = router.route(
            self.free, {k: (s, self._tail(k)) for k, s in self.stubs.items() if s and k not in self.hung}, self.loops
        )
        self._route_hung(bodies, shorts, router)
        self._mend(bodies, shorts, router)
        paths: dict[int, list[Point]] = {}
        for link in self.links:
            known = paths.get(link.edge)
            paths[link.edge] = link.path if known is None else joined(known, link.path)
        lines = polylines(list(paths.values())) + polylines(list(shorts.values()), 4)
        for key, side in self.stubs.items():
            if not side:
                words = width(parts.residuals[key].label, LABEL)
                ends = router.used.get(key, ())
                shorts[key] = free_stub(bodies[key], bodies, lines, ends, self.loops, words)
                lines += polylines([shorts[key]], 4)
        edges = [replace(e, curve=self._real(paths[n])) for n, e in enumerate(parts.edges)]
        edges += [replace(e, curve=self._real(shorts[k])) for k, e in parts.residuals.items()]
        reach = GENTLE if self.room < AMPLE else math.inf
        return finish(self.table, parts, [self._node(b) for b in bodies.values()], edges, reach)

    def _mend(self, bodies: dict[str, Body], shorts: dict[str, list[Point]], router: Router) -> None:
        """Bend edges that can't be read where they are: on another's line or head, or through a node."""
        canvas = Canvas(bodies)
        for link in self.links:
            canvas.put(id(link), link.path, ends_of(link, link.path))
        for key, path in shorts.items():
            ends = [(key, path[-1], True)] + ([(key, path[0], True)] if key in self.loops else [])
            canvas.put(key, path, ends)
        for link in sorted(self.links, key=lambda x: (not x.both, x.edge)):
            canvas.take(id(link))
            now = canvas.cost(link, link.path)
            if now >= WRONG:
                cost, path = canvas.best(link)
                if cost < now - WRONG / 2:
                    for end in (link.path[0], link.path[-1]):
                        for own in router.used.values():
                            if end in own:
                                own.remove(end)
                    link.path = path
                    for key, end, _ in ends_of(link, path):
                        router.used.setdefault(key, []).append(end)
            canvas.put(id(link), link.path, ends_of(link, link.path))

    def _bounds(self, extent: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Return between which places a lane can be moved without touching its neighbours."""
        out = {}
        for row in self.lanes.rows:
            for i, key in enumerate(row):
                if key not in self.real:
                    a, b = (row[i - 1] if i else None), (row[i + 1] if i + 1 < len(row) else None)
                    low = -math.inf if a is None else self.place[a] + extent[a][1] + 6.0
                    high = math.inf if b is None else self.place[b] - extent[b][0] - 6.0
                    out[key] = low, high
        return out

    def _centre_dots(self, place: dict[str, float]) -> None:
        """Put dots of paths within a row into the middle of what is seen of the path."""
        for dot, ends in self.parts.dots.items():
            if len({self.row_of[k] for k in (dot, *ends)}) == 1:
                a, b = sorted(ends, key=place.__getitem__)
                place[dot] = (place[a] + self._half(a)[0] + place[b] - self._half(b)[0]) / 2

    def _weight(self, key: str, other: str) -> float:
        if key not in self.real and other not in self.real:
            return 8.0
        if (key, other) in self.parts.measures:
            return 3.0
        return 0.05 if any(s == key for s, _ in self.parts.measures) else 1.0

    def _track(self) -> float:
        labels = [self.parts.edges[x.edge].label for x in self.free if x.side in ("up", "down")]
        words = max((width(w, LABEL) / 2 + 8.0 if self.plan.turned else 15.0 for w in labels if w), default=0.0)
        return max(TRACK, words) * self.room

    def _row(self, key: str) -> int:
        return self.row_of[key] if key in self.row_of else int(key.rsplit(" ", 1)[1])

    # ------------------------------------------------------------------ what hangs on nodes

    def _hang(self, bodies: dict[str, Body]) -> dict[str, float]:
        """Place the indicators that hang on nodes; return how far each block reaches across the rows."""
        out = {}
        for latent, keys in self.plan.hanging.items():
            b = bodies[latent]
            total = sum(2 * self._half(k)[1] for k in keys) + BETWEEN * (len(keys) - 1)
            v = b.v - total / 2
            tall = max(self._half(k)[0] for k in keys)
            for k in keys:
                hu, hv = self._half(k)
                u = b.u + b.hu + self.room * FAN + tall
                bodies[k] = Body(k, self.nodes[k].shape, u, v + hv, hu, hv, b.row, self.plan.turned)
                v += 2 * hv + BETWEEN
            out[latent] = total / 2
        return out

    def _route_hung(self, bodies: dict[str, Body], shorts: dict[str, list[Point]], router: Router) -> None:
        for link in self.links:
            if link.target not in self.hung:
                continue
            a, b = bodies[link.source], bodies[link.target]
            start = a.leave(math.atan2(b.u - b.hu - a.u, b.v - a.v) * -1 + math.pi / 2)
            link.path = line(start, (b.u - b.hu, b.v))
            router.used.setdefault(a.key, []).append(start)
        for key in self.hung:
            if key in self.parts.residuals:
                b = bodies[key]
                rim, length = b.u + b.hu, self._tail(key)
                shorts[key] = line((rim + length, b.v), (rim, b.v))
                if key in self.loops:
                    shorts[key] = loop((rim, b.v - 5.0), (rim, b.v + 5.0), (length, 0.0))

    # ------------------------------------------------------------------ back to the page

    def _real(self, path: Sequence[Point]) -> tuple[Point, ...]:
        if self.plan.turned:
            return tuple((round(v, 2), round(-u, 2)) for u, v in path)
        return tuple((round(u, 2), round(-v, 2)) for u, v in path)

    def _node(self, b: Body) -> Node:
        ((x, y),) = self._real([(b.u, b.v)])
        node = replace(self.nodes[b.key], x=x, y=y)
        return replace(node, width=2 * b.hu, height=2 * b.hv) if b.shape == "point" else node
