"""Outlines of nodes: where a ray from the centre leaves, and where edges may end on a side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from semlang.diagram.spec import Point

CORNERS = {
    "octagon": ((0.4, 1.0), (1.0, 0.4), (1.0, -0.4), (0.4, -1.0), (-0.4, -1.0), (-1.0, -0.4), (-1.0, 0.4), (-0.4, 1.0)),
    "triangle": ((0.0, 1.0), (1.0, -1.0), (-1.0, -1.0)),
}
"""Corners of polygons in halves of width and height; the second coordinate grows upwards."""


@dataclass
class Body:
    """A node while it is placed: centre (u, v) and half of its size; v grows from row to row.

    Parameters
    ----------
    key, shape : str
    u, v, hu, hv : float
    row : int
    turned : bool
        Whether v is drawn to the right (only triangles need to know).
    """

    key: str
    shape: str
    u: float
    v: float
    hu: float
    hv: float
    row: int
    turned: bool = False

    def leave(self, angle: float) -> Point:
        """Return where a ray from the centre crosses the outline; the angle goes from +u to +v."""
        c, s = math.cos(angle), math.sin(angle)
        if self.shape in ("ellipse", "point"):
            r = 1.0 / math.hypot(c / self.hu, s / self.hv)
        elif self.shape == "box":
            r = min(self.hu / max(abs(c), 1e-9), self.hv / max(abs(s), 1e-9))
        else:
            r = _ray(self._polygon(), c, s)
        return self.u + r * c, self.v + r * s

    def _polygon(self) -> list[Point]:
        flat = CORNERS[self.shape]
        if self.turned:  # u runs downwards, v to the right
            return [(-b * self.hu, a * self.hv) for a, b in flat]
        return [(a * self.hu, -b * self.hv) for a, b in flat]

    def meets(self, other: Body, u: float, v: float) -> bool:
        """Whether its box meets the one around another's centre that reaches u and v far."""
        return abs(self.u - other.u) < self.hu + u and abs(self.v - other.v) < self.hv + v

    def holds(self, p: Point, margin: float = 0.0) -> bool:
        """Whether a point lies in the node or nearer to it than `margin`."""
        x, y = abs(p[0] - self.u), abs(p[1] - self.v)
        if x >= self.hu + margin or y >= self.hv + margin:
            return False
        if self.shape in ("ellipse", "point"):
            return (x / (self.hu + margin)) ** 2 + (y / (self.hv + margin)) ** 2 < 1
        return True


def _ray(polygon: Sequence[Point], c: float, s: float) -> float:
    """Return how far from the centre a ray leaves a convex polygon around it."""
    best = math.inf
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        dx, dy = x1 - x0, y1 - y0
        cross = c * dy - s * dx
        if abs(cross) > 1e-12:
            r = (x0 * dy - y0 * dx) / cross
            t = (x0 * s - y0 * c) / cross
            if r > 0 and -1e-9 <= t <= 1 + 1e-9:
                best = min(best, r)
    return best if best < math.inf else 0.0


@dataclass
class End:
    """One end of an edge at a side of a node.

    Parameters
    ----------
    lean : float
        Direction in which the edge leaves, in degrees from the normal of the side towards +u.
    edge : int
        Number of the edge, which settles the order of parallel ones.
    head : bool
    """

    lean: float
    edge: int
    head: bool = False
    place: Point = (0.0, 0.0)


def spread(body: Body, down: bool, ends: Sequence[End], apart: float = 9.0) -> None:
    """Give every end at a side a place of its own on the outline, in the order of their directions.

    Parameters
    ----------
    body : Body
    down : bool
        The side towards the next row, else that towards the row before.
    ends : sequence of End
        `place` is written.
    apart : float
        Distance that two ends keep, where there is room.
    """
    order = sorted(ends, key=lambda e: (e.lean, e.edge))
    box = body.shape == "box"
    radius = (body.hu + body.hv) / 2
    reach = body.hu - 5.0 if box else math.radians(78) * radius
    if box:
        want = [body.hv * math.tan(math.radians(max(-75.0, min(75.0, e.lean)))) for e in order]
    else:
        want = [math.radians(max(-78.0, min(78.0, e.lean))) * radius for e in order]
    steps = [apart if a.head and b.head else 0.7 * apart for a, b in pairwise(order)]
    room = 2 * reach
    if sum(steps) > room:
        steps = [s * room / sum(steps) for s in steps]
    offset = [0.0]
    for s in steps:
        offset.append(offset[-1] + s)
    pools: list[tuple[float, int]] = []
    for w, o in zip(want, offset, strict=True):
        pools.append((max(-reach, min(reach, w)) - o, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (v, m), (x, n) = pools.pop(), pools.pop()
            pools.append(((v * m + x * n) / (m + n), m + n))
    flat = [v for v, n in pools for _ in range(n)]
    sign = 1.0 if down else -1.0
    for e, v, o in zip(order, flat, offset, strict=True):
        at = max(-reach, min(reach - offset[-1], v)) + o
        if box:
            e.place = (body.u + at, body.v + sign * body.hv)
        else:
            turn = at / radius
            e.place = body.leave(math.atan2(sign * math.cos(turn), math.sin(turn)))
