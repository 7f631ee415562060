"""What is wrong with placed edges: how often they cross, run through nodes, or look like one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.labelling import points
from semlang.diagram.spec import Edge, Node

Floats = NDArray[np.float64]

FLAT = 0.17
"""Sine of the angle below which edges that cross run on one line for a while."""


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


def dense(path: Floats) -> Floats:
    """Return a polyline with points at most 5 apart."""
    steps = np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1))
    out = [path[:1]]
    for a, b, s in zip(path, path[1:], steps, strict=False):
        n = max(int(s / 5.0), 1)
        out.append(a + (b - a) * (np.arange(1, n + 1) / n)[:, None])
    return np.concatenate(out)


def crosses(segment: Floats, path: Floats) -> bool:
    """Return whether a segment crosses a polyline."""
    return bool(hits(segment[:1], segment[1:], path[:-1], path[1:]).any())


def crossings(p: Floats, q: Floats, owner: Floats) -> tuple[int, int]:
    """Return how many pairs of edges cross, and how many do so at so small an angle that they look like one.

    Parameters
    ----------
    p, q : (n, 2) floats
        Starts and ends of the segments of all edges.
    owner : (n,) floats
        Number of the edge of each segment.
    """
    if not len(p):
        return 0, 0
    i, j = np.nonzero(hits(p, q, p, q))
    i, j = i[owner[i] < owner[j]], j[owner[i] < owner[j]]
    d, e = (q - p)[i], (q - p)[j]
    sine = np.abs(d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]) / np.hypot(*d.T) / np.hypot(*e.T)
    flat = {(a, b) for a, b, s in zip(owner[i], owner[j], sine, strict=True) if s < FLAT}
    return len(set(zip(owner[i], owner[j], strict=True))), len(flat)


def hits(p: Floats, q: Floats, r: Floats, s: Floats) -> NDArray[np.bool_]:
    """Return which segments p-q (n) properly cross which segments r-s (m)."""

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        return np.asarray(
            (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
        )

    a, b, c, d = p[:, None], q[:, None], r[None], s[None]
    first = side(a, b, c) * side(a, b, d) < -1e-6
    return np.asarray(first & (side(c, d, a) * side(c, d, b) < -1e-6))
