"""What is wrong with placed edges: how often they cross, run through nodes, or look like one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.labelling import points
from semlang.diagram.nearness import STEP, Grid, along
from semlang.diagram.spec import Edge, Node

Floats = NDArray[np.float64]

FLAT = 0.17
"""Sine of the angle below which edges that cross run on one line for a while."""
NEAR, LONG = 1.6, 11.0
"""Edges that are nearer over a greater length are on one line."""


def through(nodes: Sequence[Node], edges: Sequence[Edge]) -> int:
    """Return how many times an edge runs through a node that it does not belong to.

    Parameters
    ----------
    nodes, edges : placed
    """
    count = 0
    solid = [n for n in nodes if n.shape != "point"]
    for e in edges:
        rough = points(e.curve)
        (left, low), (right, high) = rough.min(axis=0), rough.max(axis=0)
        path = None
        for n in solid:
            if n.key in (e.source, e.target) or abs(n.x - (left + right) / 2) >= (n.width + right - left) / 2:
                continue
            if abs(n.y - (low + high) / 2) >= (n.height + high - low) / 2:
                continue
            path = dense(rough) if path is None else path
            x, y = np.abs(path[:, 0] - n.x) / (n.width / 2), np.abs(path[:, 1] - n.y) / (n.height / 2)
            hit = x**2 + y**2 < 0.98 if n.shape == "ellipse" else (x < 0.99) & (y < 0.99)
            count += bool(hit.any())
    return count


def dense(path: Floats, apart: float = 5.0) -> Floats:
    """Return a polyline with points at most so far apart."""
    steps = np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1))
    out = [path[:1]]
    for a, b, s in zip(path, path[1:], steps, strict=False):
        n = max(int(s / apart), 1)
        out.append(a + (b - a) * (np.arange(1, n + 1) / n)[:, None])
    return np.concatenate(out)


def tangled(lines: Sequence[Floats]) -> tuple[int, int]:
    """Return how many pairs of edges cross, and how many look like one for a while.

    Parameters
    ----------
    lines : sequence of (m, 2) floats
    """
    grid = Grid()
    crossed = alike = 0
    for k, x in enumerate(lines):
        fine = dense(x, STEP)
        for j, count in grid.near(fine).items():
            other = lines[j]  # type: ignore[call-overload]
            i, m = np.nonzero(hits(x[:-1], x[1:], other[:-1], other[1:]))
            crossed += bool(len(i))
            flat = False
            if len(i):
                d, e = (x[1:] - x[:-1])[i], (other[1:] - other[:-1])[m]
                sine = np.abs(d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]) / np.hypot(*d.T) / np.hypot(*e.T)
                flat = bool((sine < FLAT).any())
            alike += flat or (STEP * count > LONG and STEP * along(fine, other[:-1], other[1:], NEAR) > LONG)
        grid.put(k, fine)
    return crossed, alike


def distances(place: Floats, p: Floats, q: Floats) -> Floats:
    """Return how far a place is from each of the segments p-q (n)."""
    d = q - p
    t = np.clip(((place - p) * d).sum(axis=1) / np.maximum((d**2).sum(axis=1), 1e-12), 0.0, 1.0)
    return np.asarray(np.sqrt(((p + d * t[:, None] - place) ** 2).sum(axis=1)))


def hits(p: Floats, q: Floats, r: Floats, s: Floats) -> NDArray[np.bool_]:
    """Return which segments p-q (n) properly cross which segments r-s (m)."""

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        return np.asarray(
            (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
        )

    a, b, c, d = p[:, None], q[:, None], r[None], s[None]
    first = side(a, b, c) * side(a, b, d) < -1e-6
    return np.asarray(first & (side(c, d, a) * side(c, d, b) < -1e-6))


def spots(heads: Sequence[tuple[float, float]], near: float = 4.5) -> int:
    """Return how many pairs of heads stand on one spot."""
    p = np.array(heads, dtype=float).reshape(-1, 2)
    away = np.hypot(*(p[:, None] - p[None]).transpose(2, 0, 1))
    return int((np.triu(away < near, 1)).sum())
