"""Draw a diagram whose nodes have their places: edges are straight, or as little bent as keeps them readable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.content import Content
from semlang.diagram.finishing import Placed, finish
from semlang.diagram.labelling import points
from semlang.diagram.outline import Body
from semlang.diagram.routing import Link, joined, line, linked
from semlang.diagram.sizes import sized
from semlang.diagram.spec import Node, Point
from semlang.diagram.stubs import free_stub, polylines
from semlang.diagram.trouble import crosses, dense
from semlang.model.table import ParameterTable

Floats = NDArray[np.float64]

BOWS = (0.0, 14.0, -14.0, 26.0, -26.0, 42.0, -42.0, 62.0, -62.0, 90.0, -90.0, 130.0, -130.0, 180.0, -180.0)
"""How far the middle of an edge is moved out of the straight line."""
ROUNDS = 60
APART = 8.0
"""What nodes that give way keep from others."""
SHIFTS = (0.0, 7.0, -7.0, 14.0, -14.0)
"""How far a straight edge is moved to its side."""


def freehand(
    table: ParameterTable, parts: Content, at: Mapping[str, Point], start: Mapping[str, Point] | None = None
) -> Placed:
    """Return the diagram with its nodes where they are put.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    at : mapping from key to (x, y)
        Centres that are kept, y growing downwards.
    start : mapping from key to (x, y), optional
        Centres of the other nodes; those that would lie on another node give way. Dots need none.
    """
    return _Freehand(table, parts, at, start or {}).run()


class _Freehand:
    def __init__(
        self, table: ParameterTable, parts: Content, at: Mapping[str, Point], start: Mapping[str, Point]
    ) -> None:
        self.table, self.parts = table, parts
        self.nodes = {k: sized(n) for k, n in parts.nodes.items()}
        self.bodies: dict[str, Body] = {}
        for key, n in self.nodes.items():
            if key in at or key in start:
                self._body(n, at[key] if key in at else start[key])
        self._give_way([k for k in self.bodies if k not in at])
        self._dots()
        self.lines: list[Floats] = []
        self.used: dict[str, list[tuple[Point, bool]]] = {}

    def _body(self, n: Node, place: Point) -> None:
        self.bodies[n.key] = Body(n.key, n.shape, place[0], place[1], n.width / 2, n.height / 2, 0)

    def _give_way(self, loose: Sequence[str]) -> None:
        """Move nodes whose place is not given off others, by as little as possible."""
        for _ in range(ROUNDS):
            moved = False
            for key in loose:
                b = self.bodies[key]
                for other in self.bodies.values():
                    u = b.hu + other.hu + APART - abs(b.u - other.u)
                    v = b.hv + other.hv + APART - abs(b.v - other.v)
                    if other is b or u <= 0.01 or v <= 0.01 or "point" in (b.shape, other.shape):
                        continue
                    moved = True
                    if u < v:
                        b.u += math.copysign(u, b.u - other.u)
                    else:
                        b.v += math.copysign(v, b.v - other.v)
            if not moved:
                return

    def _dots(self) -> None:
        """Put dots of paths into the middle of what is seen of them, and those of products between their ends."""
        for dot, (cause, effect) in self.parts.dots.items():
            if dot not in self.bodies:
                a, b = self._straight(self.bodies[cause], self.bodies[effect], 0.0)
                self._body(self.nodes[dot], ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
        for dot, factors in self.parts.products.items():
            if dot not in self.bodies:
                ends = [*factors, *(e.target for e in self.parts.edges if e.source == dot and e.target in self.bodies)]
                u, v = (sum(getattr(self.bodies[k], c) for k in ends) / len(ends) for c in "uv")
                self._body(self.nodes[dot], (u, v))

    def run(self) -> Placed:
        links = linked(self.parts)
        for link in sorted(links, key=lambda x: (x.both, self._far(x), x.edge)):
            link.path = self._best(link)
            self.lines.append(points(link.path, 12))
            for key, end, head in (
                (link.source, link.path[0], link.both),
                (link.target, link.path[-1], link.both or link.head),
            ):
                self.used.setdefault(key, []).append((end, head))
        paths: dict[int, list[Point]] = {}
        for link in links:
            known = paths.get(link.edge)
            paths[link.edge] = link.path if known is None else joined(known, link.path)
        loops = {k for k, e in self.parts.residuals.items() if e.source}
        shorts = {}
        for key in self.parts.residuals:
            ends = [p for p, _ in self.used.get(key, ())]
            shorts[key] = free_stub(self.bodies[key], self.bodies, self.lines, ends, loops)
            self.lines += polylines([shorts[key]])
        edges = [replace(e, curve=_page(paths[n])) for n, e in enumerate(self.parts.edges)]
        edges += [replace(e, curve=_page(shorts[k])) for k, e in self.parts.residuals.items()]
        nodes = [replace(self.nodes[k], x=b.u, y=-b.v) for k, b in self.bodies.items()]
        return finish(self.table, self.parts, nodes, edges)

    def _far(self, link: Link) -> float:
        a, b = self.bodies[link.source], self.bodies[link.target]
        return math.hypot(a.u - b.u, a.v - b.v)

    def _straight(self, a: Body, b: Body, shift: float) -> tuple[Point, Point]:
        """Return where a straight line between two nodes leaves them, moved to its side."""
        angle = math.atan2(b.v - a.v, b.u - a.u)
        return _moved(a, angle, shift), _moved(b, angle + math.pi, -shift)

    def _best(self, link: Link) -> list[Point]:
        a, b = self.bodies[link.source], self.bodies[link.target]
        best, least = line((a.u, a.v), (b.u, b.v)), math.inf
        for cost, path in self._tries(link, a, b):
            cost += self._cost(link, path) if cost < least else 0.0
            if cost < least:
                best, least = path, cost
        return best

    def _tries(self, link: Link, a: Body, b: Body) -> list[tuple[float, list[Point]]]:
        """Return paths and how much is against them from the start."""
        if link.both:
            size = self._far(link)
            bows = sorted(BOWS, key=lambda x: abs(abs(x) - min(18.0 + 0.12 * size, 90.0)))
        else:
            bows = list(BOWS)
        out = []
        for n, bow in enumerate(bows):
            if bow:
                out.append((0.8 * n, self._bowed(a, b, bow)))
                continue
            for k, shift in enumerate(SHIFTS if not link.both else SHIFTS[:1]):
                out.append((0.8 * n + 0.4 * k, line(*self._straight(a, b, shift))))
        return out

    def _bowed(self, a: Body, b: Body, bow: float) -> list[Point]:
        du, dv = b.u - a.u, b.v - a.v
        size = max(math.hypot(du, dv), 1e-9)
        q = ((a.u + b.u) / 2 - 2 * bow * dv / size, (a.v + b.v) / 2 + 2 * bow * du / size)
        p = a.leave(math.atan2(q[1] - a.v, q[0] - a.u)) if a.shape != "point" else (a.u, a.v)
        r = b.leave(math.atan2(q[1] - b.v, q[0] - b.u)) if b.shape != "point" else (b.u, b.v)
        return [p, _part(p, q, 2 / 3), _part(r, q, 2 / 3), r]

    def _cost(self, link: Link, path: Sequence[Point]) -> float:
        rough = points(path, 12)
        fine = dense(rough)
        cost = 0.0
        for body in self.bodies.values():
            if body.key in (link.source, link.target) or body.shape == "point":
                continue
            near = (abs(fine[:, 0] - body.u) < body.hu + 4.0) & (abs(fine[:, 1] - body.v) < body.hv + 4.0)
            if near.any() and any(body.holds((float(u), float(v)), 4.0) for u, v in fine[near]):
                cost += 60.0
        for key, end, head in ((link.source, path[0], link.both), (link.target, path[-1], link.both or link.head)):
            if self.bodies[key].shape == "point":
                continue
            for other, too in self.used.get(key, ()):
                far = math.hypot(end[0] - other[0], end[1] - other[1])
                cost += 40.0 if far < (7.0 if head and too else 2.0) else 0.0
        low, high = rough.min(axis=0) - 3.0, rough.max(axis=0) + 3.0
        for other_line in self.lines:
            if (other_line.min(axis=0) > high).any() or (other_line.max(axis=0) < low).any():
                continue
            cost += 2.0 * any(crosses(rough[k : k + 2], other_line) for k in range(len(rough) - 1))
            away = np.hypot(*(fine[:, None] - dense(other_line)[None]).transpose(2, 0, 1)).min(axis=1)
            cost += 40.0 * (5.0 * float((away < 3.0).sum()) > 14.0)
        return cost


def _moved(body: Body, angle: float, shift: float) -> Point:
    """Return where a ray that starts beside the centre leaves a node."""
    if body.shape == "point":
        return body.u, body.v
    if not shift:
        return body.leave(angle)
    small = min(body.hu, body.hv)
    return body.leave(angle + math.asin(max(-0.8, min(0.8, shift / small))) * 0.9)


def _part(p: Point, q: Point, t: float) -> Point:
    return p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t


def _page(path: Sequence[Point]) -> tuple[Point, ...]:
    return tuple((round(u, 2), round(-v, 2)) for u, v in path)
