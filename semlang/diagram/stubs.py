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
from semlang.diagram.trouble import distances, hits

Floats = NDArray[np.float64]

_ANGLES = (-45, -135, 45, 135, -60, -120, -30, -150, 60, 120, 30, 150, -90, 90, 0, 180, -75, -105, 75, 105, 15, 165)
"""Directions of short arrows, in degrees, the preferred first."""
_FINER = tuple(d for d in range(-180, 180, 5) if d not in _ANGLES)
"""Directions that are tried where none of these is free."""


def free_stub(
    body: Body,
    bodies: Mapping[str, Body],
    lines: Sequence[Floats],
    used: Sequence[Point],
    loops: Collection[str],
    words: float = 0.0,
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
    words : float
        Width of its label.
    """
    reach_u, reach_v = body.hu + STUB + 14.0 + words, body.hv + STUB + 14.0 + words
    wide, high = (6.0, words / 2) if body.turned else (words / 2, 6.0)
    near = [b for b in bodies.values() if b is not body and b.meets(body, reach_u, reach_v)]
    p, q, owner = _segments(lines, body, reach_u, reach_v)
    best: list[Point] = []
    least = math.inf
    for n, degrees in enumerate((*_ANGLES, *_FINER)):
        if n == len(_ANGLES) and least < 15.0:
            break
        angle = math.radians(degrees)
        head = body.leave(angle)
        tail = (head[0] + STUB * math.cos(angle), head[1] + STUB * math.sin(angle))
        cost = 0.05 * n
        for other in near:
            if any(other.holds(_part(head, tail, t), 4.0) for t in (0.5, 1.0)):
                cost += 50.0
        turn = 5.0 / math.hypot(head[0] - body.u, head[1] - body.v)
        feet = [body.leave(angle - turn), body.leave(angle + turn)] if body.key in loops else [head]
        spot = min((math.hypot(e[0] - f[0], e[1] - f[1]) for e in used for f in feet), default=99.0)
        cost += 20.0 + 4.0 * (6.0 - spot) if spot < 6.0 else max(0.0, 12.0 - spot) * 0.3
        out = 0.0 if body.key in loops else 1.0  # words of loops lie on their tips, others behind the tails
        label = (tail[0] + out * wide * math.cos(angle), tail[1] + out * high * math.sin(angle))
        for t in (-0.8, 0.0, 0.8) if words else ():
            spoken = (label[0] + t * (wide - 6.0), label[1] + t * (high - 6.0))
            cost += 8.0 * any(other.holds(spoken, 6.0) for other in near)
            cost += 8.0 * bool(len(p) and (distances(np.array(spoken), p, q) < 7.0).any())
        if len(p):
            crossed = hits(np.array([tail]), np.array([head]), p, q)[0]
            cost += 3.0 * len(set(owner[crossed]))
            away = distances(np.array(tail), p, q)
            for k in set(owner[away < 12.0]):
                cost += (12.0 - float(away[owner == k].min())) * 0.15
        if cost < least:
            best, least = line(tail, head), cost
            if body.key in loops:
                best = loop(feet[0], feet[1], (STUB * math.cos(angle), STUB * math.sin(angle)))
    return best


def _part(p: Point, q: Point, t: float) -> Point:
    return p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t


def _segments(lines: Sequence[Floats], body: Body, u: float, v: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return the segments of lines near a node, and the numbers of their lines."""
    low, high = np.array([body.u - u, body.v - v]), np.array([body.u + u, body.v + v])
    p, q, owner = [np.empty((0, 2))], [np.empty((0, 2))], [np.empty(0, dtype=np.int64)]
    for k, x in enumerate(lines):
        near = (np.minimum(x[:-1], x[1:]) < high).all(axis=1) & (np.maximum(x[:-1], x[1:]) > low).all(axis=1)
        if near.any():
            p.append(x[:-1][near])
            q.append(x[1:][near])
            owner.append(np.full(int(near.sum()), k))
    return np.concatenate(p), np.concatenate(q), np.concatenate(owner)


def polylines(curves: Sequence[Sequence[Point]], n: int = 8) -> list[Floats]:
    """Return curves as polylines."""
    return [points(c, n) for c in curves]
