"""Short arrows: from which side of a node they come, and where there is room for one at any angle."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.labelling import points
from semlang.diagram.outline import Body
from semlang.diagram.routing import STUB, line, loop
from semlang.diagram.spec import Point
from semlang.diagram.trouble import crosses

_ANGLES = (-45, -135, 45, 135, -60, -120, -30, -150, 60, 120, 30, 150, -90, 90, 0, 180, -75, -105, 75, 105, 15, 165)
"""Directions of short arrows, in degrees, the preferred first."""


def free_stub(
    body: Body,
    bodies: Mapping[str, Body],
    lines: Sequence[NDArray[np.float64]],
    used: Sequence[Point],
    loops: Collection[str],
) -> list[Point]:
    """Return a short arrow, or a loop, at the side of a node where there is most room.

    Parameters
    ----------
    body : Body
    bodies : mapping from key to Body
    lines : sequence of (m, 2) floats
        What is drawn, in u and v.
    used : sequence of points
        Where other edges end at the node.
    loops : keys of nodes that have a loop
    """
    best: list[Point] = []
    least = math.inf
    for n, degrees in enumerate(_ANGLES):
        angle = math.radians(degrees)
        head = body.leave(angle)
        tail = (head[0] + STUB * math.cos(angle), head[1] + STUB * math.sin(angle))
        cost = 0.05 * n
        for other in bodies.values():
            if other.key != body.key and any(
                other.holds((head[0] + (tail[0] - head[0]) * t, head[1] + (tail[1] - head[1]) * t), 4.0)
                for t in (0.5, 1.0)
            ):
                cost += 50.0
        near = min((math.hypot(p[0] - head[0], p[1] - head[1]) for p in used), default=99.0)
        cost += 30.0 if near < 6.0 else max(0.0, 12.0 - near) * 0.3
        segment = np.array([tail, head])
        for other_line in lines:
            cost += 3.0 * crosses(segment, other_line)
            away = np.sqrt(((other_line - segment[0]) ** 2).sum(axis=1).min())
            cost += max(0.0, 12.0 - float(away)) * 0.15
        if cost < least:
            best, least = line(tail, head), cost
            if body.key in loops:
                turn = 5.0 / math.hypot(head[0] - body.u, head[1] - body.v)
                reach = (STUB * math.cos(angle), STUB * math.sin(angle))
                best = loop(body.leave(angle - turn), body.leave(angle + turn), reach)
    return best


def polylines(curves: Sequence[Sequence[Point]], n: int = 8) -> list[NDArray[np.float64]]:
    """Return curves as polylines."""
    return [points(c, n) for c in curves]
