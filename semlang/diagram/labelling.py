"""Place labels on their own edges, where nothing else is: a label with a halo can be read only as its edge's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.letters import width
from semlang.diagram.spec import LABEL, Edge, Frame, Node, Point, Text

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

HEIGHT = 12.0
PLACES = (0.5, 0.56, 0.44, 0.62, 0.38, 0.68, 0.32, 0.74, 0.26, 0.8, 0.2, 0.85, 0.9, 0.15, 0.93, 0.1)
"""Parts of the length at which a label is tried."""
FINER = tuple(0.5 + 0.02 * (n // 2) * (-1) ** n for n in range(2, 44))
"""Parts that are tried where none of these is free."""
_ANGLES = (90, 50, 130, 25, 155, 0, 180, 270, 310, 230, 335, 205)


@dataclass
class Labels:
    """Knows what is drawn, and finds free places.

    Parameters
    ----------
    nodes : sequence of Node, placed
    edges : sequence of Edge with curves
    frames : sequence of Frame
    """

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    frames: Sequence[Frame]

    def __post_init__(self) -> None:
        self.lines = [points(e.curve) for e in self.edges]
        self.owner = np.concatenate([np.full(len(x) - 1, k) for k, x in enumerate(self.lines)] or [np.empty(0)])
        self.start = np.concatenate([x[:-1] for x in self.lines] or [np.empty((0, 2))])
        self.end = np.concatenate([x[1:] for x in self.lines] or [np.empty((0, 2))])
        self.boxes = np.array(
            [(n.x - n.width / 2, n.y - n.height / 2, n.x + n.width / 2, n.y + n.height / 2) for n in self.nodes]
        ).reshape(-1, 4)
        self.taken: list[Box] = []
        for f in self.frames:
            w = width(f.label, 11.0) / 2 + 2
            self.taken.append((f.place[0] - w, f.place[1] - 7, f.place[0] + w, f.place[1] + 7))
        self.failures = 0
        self.failed: list[int] = []
        self.boxes_of: dict[int, Box] = {}

    def placed(self) -> list[Edge]:
        """Return the edges with the places of their labels; `failures` counts those without a good one."""
        order = sorted(
            range(len(self.edges)),
            key=lambda k: (self.edges[k].source not in ("", self.edges[k].target), _length(self.lines[k])),
        )
        out = list(self.edges)
        for k in order:
            if self.edges[k].label:
                out[k] = replace(self.edges[k], place=self._best(k))
        return out

    def beside(self, node: Node, text: Text) -> Text:
        """Return words with a free place beside a node."""
        w, h = width(text.label, LABEL), HEIGHT
        tried: list[tuple[float, Point]] = []
        for away in (0.0, 7.0, 15.0):
            for n, angle in enumerate(_ANGLES if not away else range(0, 360, 10)):
                c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
                grow = max(abs(c), abs(s)) if node.shape == "box" else 1.0
                u, v = node.width / 2 + w / 2 + 4 + away, node.height / 2 + h / 2 + 3 + away
                p = (node.x + c / grow * u, node.y + s / grow * v)
                base = 0.1 * n if not away else 2.0 + 0.3 * away
                tried.append((base + self.trouble(around(p, w, h), -1), p))
            if min(tried)[0] < 10.0:
                break
        cost, best = min(tried)
        self._take(best, w, h, cost)
        return replace(text, place=best)

    def _take(self, place: Point, w: float, h: float, cost: float, edge: int = -1) -> None:
        self.taken.append(around(place, w, h))
        self.failures += cost >= 10.0
        if edge >= 0:
            self.boxes_of[edge] = self.taken[-1]
            if cost >= 10.0:
                self.failed.append(edge)

    def _best(self, k: int) -> Point:
        edge, path = self.edges[k], self.lines[k]
        w, h = width(edge.label, LABEL) + 2, HEIGHT
        if edge.source == edge.target:
            tip, base = np.array(at(path, 0.5)), (path[0] + path[-1]) / 2
            tried = [(-0.5, at(path, 0.5)), *self.at_tail(np.array([tip, base]), w + 12.0, h)]
        elif not edge.source or _length(path) < w + 16:
            tried = list(self.at_tail(path, w, h)) if not edge.source else list(self._near(path, w, h))
        else:
            tried = [(0.2 * n, at(path, t)) for n, t in enumerate(PLACES)]
        best, least = tried[0][1], math.inf
        on_line = edge.source not in ("", edge.target) and _length(path) >= w + 16
        for n, (base, p) in enumerate(chain(tried, self._rest(path, w, h) if on_line else ())):
            if n >= len(tried) and least < 10.0:
                break
            doubt = 0.0 if (on_line and n < len(tried) + len(FINER)) or base < 0 else self._doubt(p, k)
            cost = base + self.trouble(around(p, w, h), k) + doubt
            if cost < least:
                best, least = p, cost
            if cost < 0.15:
                break
        self._take(best, w, h, least, k)
        return best

    def _rest(self, path: Floats, w: float, h: float) -> Iterator[tuple[float, Point]]:
        """Return places for where the usual ones are taken: many on the line, then beside it."""
        for t in FINER:
            yield 3.0, at(path, t)
        for t in FINER[::2]:
            (x, y), (x0, y0), (x1, y1) = at(path, t), at(path, t - 0.02), at(path, t + 0.02)
            size = max(math.hypot(x1 - x0, y1 - y0), 1e-9)
            c, s = (x1 - x0) / size, (y1 - y0) / size
            side = abs(s) * w / 2 + abs(c) * h / 2 + 1.5
            for way in (1.0, -1.0):
                yield 5.0, (x + way * s * side, y - way * c * side)

    def at_tail(self, path: Floats, w: float, h: float) -> list[tuple[float, Point]]:
        """Return places at the tail of a short arrow, and beside it."""
        dx, dy = path[0] - path[-1]
        size = max(math.hypot(dx, dy), 1e-9)
        c, s = dx / size, dy / size
        reach = min(w / 2 / max(abs(c), 1e-9), h / 2 / max(abs(s), 1e-9)) + 2.0
        tail = path[0]
        out = [(0.0, (float(tail[0] + c * reach), float(tail[1] + s * reach)))]
        if size > w + 14.0:
            out.insert(0, (-0.5, at(path, 0.42)))
        for n, t in enumerate((0.1, 0.3, 0.5)):
            x, y = at(path, t)
            side = abs(s) * w / 2 + abs(c) * h / 2 + 3.0
            out += [(0.6 + 0.2 * n, (x + way * s * side, y - way * c * side)) for way in (1, -1)]
        for turn in (35.0, -35.0, 70.0, -70.0):  # around the tail, where neither its end nor its sides are free
            a, b = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            u, v = c * a - s * b, c * b + s * a
            reach = min(w / 2 / max(abs(u), 1e-9), h / 2 / max(abs(v), 1e-9)) + 1.5
            out.append((2.0, (float(tail[0] + u * reach), float(tail[1] + v * reach))))
        return out

    def _near(self, path: Floats, w: float, h: float) -> list[tuple[float, Point]]:
        """Return places on and beside a line that is too short for its label."""
        dx, dy = path[-1] - path[0]
        size = max(math.hypot(dx, dy), 1e-9)
        c, s = dx / size, dy / size
        x, y = at(path, 0.5)
        side = abs(s) * w / 2 + abs(c) * h / 2 + 3.0
        beside = [(0.3, (x + way * s * side, y - way * c * side)) for way in (-1, 1)]
        return [*beside, (1.0, (x, y))]

    def trouble(self, box: Box, own: int, own_label: bool = True) -> float:
        """Return what is against words in a box.

        Parameters
        ----------
        box : (left, low, right, high)
        own : int
            Number of the edge that they belong to, -1 for none.
        own_label : bool
            Whether the label that this edge already has is in the way.
        """
        left, low, right, high = box
        b = self.boxes
        hit = (b[:, 0] < right) & (b[:, 2] > left) & (b[:, 1] < high) & (b[:, 3] > low)
        cost = 60.0 * float(hit.sum())
        mine = None if own_label else self.boxes_of.get(own)
        for x0, y0, x1, y1 in self.taken:
            if (x0, y0, x1, y1) == mine:
                continue
            if left < x1 and x0 < right and low < y1 and y0 < high:
                cost += 60.0
        foreign = self._crossed((left - 1.5, low - 1.0, right + 1.5, high + 1.0), own)
        cost += 20.0 * foreign
        for f in self.frames:
            for x in (f.left, f.right):
                cost += 3.0 if left < x < right and f.bottom < high and low < f.top else 0.0
            for y in (f.bottom, f.top):
                cost += 3.0 if low < y < high and f.left < right and left < f.right else 0.0
        return cost

    def _crossed(self, box: Box, own: int) -> int:
        """Return how many other edges meet a box."""
        p, q = self.start, self.end
        left, low, right, high = box
        near = (np.minimum(p[:, 0], q[:, 0]) < right) & (np.maximum(p[:, 0], q[:, 0]) > left)
        near &= (np.minimum(p[:, 1], q[:, 1]) < high) & (np.maximum(p[:, 1], q[:, 1]) > low) & (self.owner != own)
        if not near.any():
            return 0
        p, d = p[near], q[near] - p[near]
        lo, hi = np.zeros(len(p)), np.ones(len(p))
        for axis, (a, b) in enumerate(((left, right), (low, high))):
            flat = np.abs(d[:, axis]) < 1e-9
            with np.errstate(divide="ignore", invalid="ignore"):
                t0, t1 = (a - p[:, axis]) / d[:, axis], (b - p[:, axis]) / d[:, axis]
            lo = np.where(flat, lo, np.maximum(lo, np.minimum(t0, t1)))
            hi = np.where(flat, hi, np.minimum(hi, np.maximum(t0, t1)))
        return len(set(self.owner[near][lo <= hi]))

    def _doubt(self, place: Point, own: int) -> float:
        """Return a cost where a label that stands beside its edge is as near to another."""
        if len(self.lines) == 1:
            return 0.0
        p, d = self.start, self.end - self.start
        t = np.clip(((np.array(place) - p) * d).sum(axis=1) / np.maximum((d**2).sum(axis=1), 1e-12), 0, 1)
        away = np.sqrt(((p + d * t[:, None] - place) ** 2).sum(axis=1))
        mine = float(away[self.owner == own].min())
        other = float(away[self.owner != own].min())
        return 20.0 if other < mine + 1.0 else max(0.0, 1.0 - (other - mine) / 10.0)


def points(curve: Sequence[Point], n: int = 16) -> Floats:
    """Return points (m, 2) of cubic curves that follow one another; straight ones have two."""
    c = np.array(curve, dtype=float)
    out = [c[:1]]
    for k in range(0, len(c) - 1, 3):
        a, b, d, e = c[k : k + 4]
        if np.abs(b - (a + (e - a) / 3)).max() < 1e-6 and np.abs(d - (e - (e - a) / 3)).max() < 1e-6:
            out.append(e[None])
            continue
        t = np.linspace(0, 1, n + 1)[1:, None]
        u = 1 - t
        out.append(u**3 * a + 3 * u * u * t * b + 3 * u * t * t * d + t**3 * e)
    return np.concatenate(out)


def at(path: Floats, part: float) -> Point:
    """Return the point at a part of the length of a polyline."""
    steps = np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1))
    want = part * float(steps.sum())
    for k, s in enumerate(steps):
        if want <= s or k == len(steps) - 1:
            t = want / s if s > 0 else 0.0
            p = path[k] + (path[k + 1] - path[k]) * t
            return float(p[0]), float(p[1])
        want -= float(s)
    return float(path[-1, 0]), float(path[-1, 1])


def _length(path: Floats) -> float:
    return float(np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1)).sum())


def around(place: Point, w: float, h: float) -> Box:
    """Return the box of a width and height around a place."""
    return place[0] - w / 2, place[1] - h / 2, place[0] + w / 2, place[1] + h / 2
