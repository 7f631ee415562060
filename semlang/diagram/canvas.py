"""What is drawn so far, and how much is against one more path: nodes and heads in its way, lines that it would hide."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.labelling import points
from semlang.diagram.nearness import STEP, Grid, along
from semlang.diagram.outline import Body
from semlang.diagram.routing import Link, line
from semlang.diagram.spec import Point
from semlang.diagram.trouble import dense, hits

Floats = NDArray[np.float64]

BOWS = (0.0, 14.0, -14.0, 26.0, -26.0, 42.0, -42.0, 62.0, -62.0, 90.0, -90.0, 130.0, -130.0, 180.0, -180.0)
"""How far the middle of an edge is moved out of the straight line."""
SHIFTS = (0.0, 7.0, -7.0, 14.0, -14.0)
"""How far a straight edge is moved to its side."""
CLEAR = 4.0
"""What a path keeps from nodes that it does not belong to."""
WRONG = 30.0
"""A path against which there is so much can't be read."""


class Canvas:
    """Paths that are drawn, in coordinates u and v.

    Parameters
    ----------
    bodies : mapping from key to Body
    """

    def __init__(self, bodies: Mapping[str, Body]) -> None:
        self.bodies = bodies
        self.solid = [b for b in bodies.values() if b.shape != "point"]
        self.rough: dict[Hashable, Floats] = {}
        self.grid = Grid()
        self.ends: dict[str, dict[Hashable, list[tuple[Point, bool]]]] = {}

    def put(self, name: Hashable, path: Sequence[Point], ends: Sequence[tuple[str, Point, bool]]) -> None:
        """Draw a path.

        Parameters
        ----------
        name : hashable
            What takes it away again.
        path : control points
        ends : sequence of (key of the node, place, whether there is a head)
        """
        rough = points(path, 12)
        self.rough[name] = rough
        self.grid.put(name, dense(rough, STEP))
        for key, place, head in ends:
            self.ends.setdefault(key, {}).setdefault(name, []).append((place, head))

    def take(self, name: Hashable) -> None:
        """Take a path away."""
        self.rough.pop(name, None)
        self.grid.take(name)
        for own in self.ends.values():
            own.pop(name, None)

    def cost(self, link: Link, path: Sequence[Point], enough: float = math.inf) -> float:
        """Return what is against a path.

        Parameters
        ----------
        link : Link
        path : control points
        enough : float
            Where so much is found nothing more is looked for.
        """
        rough = points(path, 12)
        fine = dense(rough, STEP)
        low, high = rough.min(axis=0), rough.max(axis=0)
        cost = 0.0
        for body in self.solid:
            w, h = body.hu + CLEAR, body.hv + CLEAR
            if body.u + w < low[0] or body.u - w > high[0] or body.v + h < low[1] or body.v - h > high[1]:
                continue
            x, y = np.abs(fine[:, 0] - body.u), np.abs(fine[:, 1] - body.v)
            if body.key in (link.source, link.target):
                inside = (x < body.hu - 2.0) & (y < body.hv - 2.0)
                inside &= (body.shape == "box") | ((x / body.hu) ** 2 + (y / body.hv) ** 2 < 0.8)
                cost += 60.0 * bool(inside.any())
            elif body.shape == "ellipse":
                cost += 60.0 * bool(((x / w) ** 2 + (y / h) ** 2 < 1.0).any())
            else:
                cost += 60.0 * bool(((x < w) & (y < h)).any())
        for key, end, head in ends_of(link, path):
            if self.bodies[key].shape != "point":
                for others in self.ends.get(key, {}).values():
                    for other, too in others:
                        far = math.hypot(end[0] - other[0], end[1] - other[1])
                        cost += 40.0 if far < (4.6 if head and too else 1.0) else 0.0
        if cost >= enough:
            return cost
        for name, count in self.grid.near(fine).most_common():
            if cost >= enough:
                break
            p, q = self.rough[name][:-1], self.rough[name][1:]
            cost += 2.0 * bool(hits(rough[:-1], rough[1:], p, q).any())
            if STEP * count > 11.0:
                cost += 40.0 * (STEP * along(fine, p, q, 1.9) > 11.0)
        return cost

    def best(self, link: Link, known: Sequence[tuple[float, list[Point]]] = ()) -> tuple[float, list[Point]]:
        """Return the path of an edge against which least is, and how much that is.

        Parameters
        ----------
        link : Link
        known : sequence of (cost, path)
            Paths to try before straight and bowed ones, and what is against them from the start.
        """
        a, b = self.bodies[link.source], self.bodies[link.target]
        best, least = line((a.u, a.v), (b.u, b.v)), math.inf
        for start, path in (*known, *tries(link, a, b)):
            if start >= least:
                continue
            cost = start + self.cost(link, path, least - start)
            if cost < least:
                best, least = path, cost
        return least, best


def ends_of(link: Link, path: Sequence[Point]) -> list[tuple[str, Point, bool]]:
    """Return where a path ends, and whether in a head."""
    return [(link.source, path[0], link.both), (link.target, path[-1], link.both or link.head)]


def tries(link: Link, a: Body, b: Body, reach: float = math.inf) -> list[tuple[float, list[Point]]]:
    """Return straight and bowed paths of an edge, and how much is against them from the start.

    Parameters
    ----------
    link : Link
    a, b : Body
        Its nodes.
    reach : float
        The deepest bow.
    """
    bows = [x for x in BOWS if abs(x) <= reach]
    if link.both:
        good = min(18.0 + 0.12 * math.hypot(a.u - b.u, a.v - b.v), 90.0)
        bows.sort(key=lambda x: abs(abs(x) - good))
    out = []
    for n, bow in enumerate(bows):
        if bow:
            out.append((0.8 * n, _bowed(a, b, bow)))
            continue
        for k, shift in enumerate(SHIFTS if not link.both else SHIFTS[:1]):
            out.append((0.8 * n + 0.4 * k, line(*straight(a, b, shift))))
    return out


def straight(a: Body, b: Body, shift: float = 0.0) -> tuple[Point, Point]:
    """Return where a straight line between two nodes leaves them, moved to its side."""
    angle = math.atan2(b.v - a.v, b.u - a.u)
    return _moved(a, angle, shift), _moved(b, angle + math.pi, -shift)


def _moved(body: Body, angle: float, shift: float) -> Point:
    """Return where a ray that is turned to a side leaves a node."""
    if body.shape == "point":
        return body.u, body.v
    small = min(body.hu, body.hv)
    return body.leave(angle + math.asin(max(-0.8, min(0.8, shift / small))) * 0.9)


def _bowed(a: Body, b: Body, bow: float) -> list[Point]:
    du, dv = b.u - a.u, b.v - a.v
    size = max(math.hypot(du, dv), 1e-9)
    q = ((a.u + b.u) / 2 - 2 * bow * dv / size, (a.v + b.v) / 2 + 2 * bow * du / size)
    p = a.leave(math.atan2(q[1] - a.v, q[0] - a.u)) if a.shape != "point" else (a.u, a.v)
    r = b.leave(math.atan2(q[1] - b.v, q[0] - b.u)) if b.shape != "point" else (b.u, b.v)
    return [p, _part(p, q, 2 / 3), _part(r, q, 2 / 3), r]


def _part(p: Point, q: Point, t: float) -> Point:
    return p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t
