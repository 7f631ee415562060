"""Cubic curves between nodes: clipping at their outlines, samples, and overlap with boxes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.spec import Node, Point

Floats = NDArray[np.float64]

SAMPLES = np.linspace(0.0, 1.0, 25)


def bend(a: Point, b: Point, height: float, reach: float = 0.25) -> Floats:
    """Return the control points (4, 2) of a curve from a to b whose middle lies `height` to the left of the chord.

    The smaller `reach`, the steeper it leaves its ends.
    """
    p, q = np.array(a), np.array(b)
    d = q - p
    normal = np.array([-d[1], d[0]]) / max(math.hypot(*d), 1e-9)
    lift = normal * height * 4 / 3
    return np.array([p, p + d * reach + lift, q - d * reach + lift, q])


def points(curve: Floats, t: Floats = SAMPLES) -> Floats:
    """Return points (n, 2) of a cubic curve at parameters t."""
    t = np.asarray(t, dtype=float)[:, None]
    u = 1 - t
    out: Floats = u**3 * curve[0] + 3 * u * u * t * curve[1] + 3 * u * t * t * curve[2] + t**3 * curve[3]
    return out


def part(curve: Floats, start: float, end: float) -> Floats:
    """Return the part of a cubic curve between two parameters (de Casteljau)."""
    if end < 1:
        curve = _split(curve, end)[0]
    if start > 0:
        curve = _split(curve, start / end if end else 0.0)[1]
    return curve


def _split(curve: Floats, t: float) -> tuple[Floats, Floats]:
    a, b, c = (curve[k] + (curve[k + 1] - curve[k]) * t for k in range(3))
    d, e = a + (b - a) * t, b + (c - b) * t
    f = d + (e - d) * t
    return np.array([curve[0], a, d, f]), np.array([f, e, c, curve[3]])


def inside(node: Node, place: Floats, margin: float = 0.0) -> NDArray[np.bool_]:
    """Return which points lie in a node."""
    x, y = place[..., 0] - node.x, place[..., 1] - node.y
    w, h = node.width / 2 + margin, node.height / 2 + margin
    if node.shape not in ("ellipse", "point"):
        return np.asarray((np.abs(x) < w) & (np.abs(y) < h))
    return np.asarray((x / w) ** 2 + (y / h) ** 2 < 1)


def clipped(curve: Floats, tail: Node | None, head: Node | None) -> Floats:
    """Return the part of a curve outside of the nodes at its ends."""
    start, end = 0.0, 1.0
    if tail is not None:
        start = _border(curve, tail, 0.0, 1.0)
    if head is not None:
        end = _border(curve, head, 1.0, 0.0)
    return part(curve, start, end) if start < end else curve


def _border(curve: Floats, node: Node, inner: float, outer: float) -> float:
    """Return the parameter at which a curve that starts in a node leaves it."""
    for _ in range(2):
        t = np.linspace(inner, outer, 80)
        k = int(np.argmax(~inside(node, points(curve, t))))
        inner, outer = float(t[max(k - 1, 0)]), float(t[k])
    return outer


def crossings(a: Floats, start: Floats, step: Floats) -> int:
    """Return how often a polyline (n, 2) crosses segments from `start` (m, 2) to `start + step`."""
    p, r = a[:-1, None], np.diff(a, axis=0)[:, None]
    q, s = start[None], step[None]
    cross = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
    d = q - p
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (d[..., 0] * s[..., 1] - d[..., 1] * s[..., 0]) / cross
        u = (d[..., 0] * r[..., 1] - d[..., 1] * r[..., 0]) / cross
        hit = (t > 0.001) & (t < 0.999) & (u > 0.001) & (u < 0.999)
    return int(hit.sum())
