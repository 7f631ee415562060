"""Route arrows around nodes and find free places for labels: every choice is the cheapest of a short list."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from semlang.diagram.curves import Floats, bend, clipped, crossings, points
from semlang.diagram.spec import Edge, Frame, Node, Point

BENDS = (0.0, 0.1, -0.1, 0.18, -0.18, 0.28, -0.28, 0.4, -0.4)
"""Heights of curves that are tried, as parts of the distance."""
RESIDUAL = 26.0
LETTER = 6.2
"""Width of a letter of a label."""
HEIGHT = 12.0
_PLACES = (0.5, 0.58, 0.42, 0.66, 0.34, 0.74, 0.26, 0.82, 0.18)

_NEAR_HEAD = (0.82, 0.88, 0.75, 0.68, 0.6, 0.5)
"""Where lines fan out, labels stand near the heads."""


class Router:
    """Knows what is drawn already.

    Parameters
    ----------
    nodes : mapping from key to Node, placed
    frames : sequence of Frame
        Labels avoid their borders.
    """

    def __init__(self, nodes: Mapping[str, Node], frames: Sequence[Frame]) -> None:
        self.nodes = nodes
        self.lines: list[Floats] = []
        self._start, self._step = np.empty((0, 2)), np.empty((0, 2))
        self._keys = [k for k, n in nodes.items() if n.shape != "point"]
        shown = [nodes[k] for k in self._keys]
        self._centre = np.array([(n.x, n.y) for n in shown]).reshape(-1, 2)
        self._half = np.array([(n.width / 2, n.height / 2) for n in shown]).reshape(-1, 2)
        self.borders = [_border(f) for f in frames]
        self.labels: list[tuple[float, float, float, float]] = []
        for f in frames:
            width = 6.6 * len(f.label) + 12
            self.labels.append((f.right - width, f.bottom, f.right, f.bottom + 18))

    def paths(self, edges: Sequence[Edge], residuals: Mapping[str, Edge], side: Mapping[str, float]) -> list[Edge]:
        """Return all edges with their curves and the places of their labels.

        Parameters
        ----------
        residuals : mapping from key of a node to its short arrow
        side : mapping from key to the angle at which the short arrow would like to come
        """
        tails = {
            k: self._tail(k, side[k])
            for k in residuals
            if self.nodes[k].shape == "box" and not self._busy(k, side[k], edges)
        }
        routed: dict[int, Floats] = {}
        straight_first = sorted(range(len(edges)), key=lambda i: (edges[i].both, self._length(edges[i])))
        for i in straight_first:
            routed[i] = self._route(edges[i], tails, side)
            self._remember(points(routed[i]))
        short: dict[str, Floats] = {}
        for key in residuals:
            tail = tails.get(key) or self._free_tail(key, side[key])
            node = self.nodes[key]
            short[key] = clipped(bend(tail, (node.x, node.y), 0.0), None, node)
            self._remember(points(short[key]))
        out = [
            replace(e, curve=_tuples(routed[i]), headless=e.target in self.nodes and self._is_dotted(e))
            for i, e in enumerate(edges)
        ]
        out = [replace(e, headless=False) if not e.headless else e for e in out]
        out += [replace(e, curve=_tuples(short[k])) for k, e in residuals.items()]
        return [self._labelled(e) for e in out]

    def beside(self, key: str, label: str) -> Point:
        """Return a free place for words beside a node."""
        node = self.nodes[key]
        w, h = LETTER * len(label), HEIGHT
        tried = []
        for angle in (90, 50, 130, 20, 160, 0, 180, 270, 310, 230):
            c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            tried.append((node.x + c * (node.width + w + 6) / 2, node.y + s * (node.height + h + 6) / 2))
        place = min(tried, key=lambda p: self._cost_of_box(_box(p, w, h)))
        self.labels.append(_box(place, w, h))
        return place

    # ------------------------------------------------------------------ arrows

    def _remember(self, line: Floats) -> None:
        self.lines.append(line)
        coarse = line[::2]
        self._start = np.concatenate([self._start, coarse[:-1]])
        self._step = np.concatenate([self._step, np.diff(coarse, axis=0)])

    def _busy(self, key: str, angle: float, edges: Sequence[Edge]) -> bool:
        """Whether arrows come to a node from the side of an angle."""
        up = math.sin(math.radians(angle))
        other = [e.source for e in edges if e.target == key and not e.both]
        return any((self.nodes[k].y - self.nodes[key].y) * up > 1 for k in other)

    def _is_dotted(self, edge: Edge) -> bool:
        return self.nodes[edge.target].shape == "point"

    def _length(self, edge: Edge) -> float:
        a, b = self.nodes[edge.source], self.nodes[edge.target]
        return math.hypot(a.x - b.x, a.y - b.y)

    def _tail(self, key: str, angle: float) -> Point:
        node = self.nodes[key]
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        reach = RESIDUAL + (node.height if abs(s) > abs(c) else node.width) / 2
        return node.x + c * reach, node.y + s * reach

    def _free_tail(self, key: str, angle: float) -> Point:
        """Return where the short arrow of a latent variable starts: at the side where there is most room."""
        node = self.nodes[key]
        best, least = (node.x, node.y), math.inf
        for k, turn in enumerate((angle, 45, 135, 20, 160, 0, 180, 90, 315, 225, 270)):
            c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            grow = max(abs(c), abs(s)) if node.shape == "box" else 1.0
            tail = (
                node.x + c / grow * (node.width / 2 + (RESIDUAL - 4) * grow),
                node.y + s / grow * (node.height / 2 + (RESIDUAL - 4) * grow),
            )
            line = points(bend(tail, (node.x, node.y), 0.0), np.linspace(0, 1, 12))
            cost = 0.1 * k + 10.0 * self._hits(line[:6], 4.0, (key,)) + 3.0 * self._crossings(line)
            for other in self.lines:
                near = np.hypot(other[:, 0] - tail[0], other[:, 1] - tail[1]).min()
                cost += 2.0 if near < 10 else 0.5 if near < 18 else 0.0
            for border in self.borders:
                near = np.hypot(border[:, 0] - tail[0], border[:, 1] - tail[1]).min()
                cost += 1.0 if near < 8 else 0.0
            if cost < least:
                best, least = tail, cost
        return best

    def _route(self, edge: Edge, tails: Mapping[str, Point], side: Mapping[str, float]) -> Floats:
        a, b = self.nodes[edge.source], self.nodes[edge.target]
        if edge.both and edge.source in tails and edge.target in tails and side[edge.source] == side[edge.target]:
            return self._below(tails[edge.source], tails[edge.target], side[edge.source])
        candidates = list(self._candidates(edge, a, b))
        costs = [self._cost(c, bent, (a.key, b.key)) for c, bent in candidates]
        return candidates[int(np.argmin(costs))][0]

    def _candidates(self, edge: Edge, a: Node, b: Node) -> Iterator[tuple[Floats, float]]:
        length = math.hypot(a.x - b.x, a.y - b.y)
        for k in BENDS:
            if edge.both and k == 0:
                continue
            if edge.both and abs(a.y - b.y) < 1:
                yield _over(a, b, math.copysign(20.0 + abs(k) * length, k)), abs(k)
            else:
                yield clipped(bend((a.x, a.y), (b.x, b.y), k * length), a, b), abs(k)
        if not edge.both and abs(a.x - b.x) > abs(a.y - b.y) > b.height and b.shape == "box":
            top = b.y + math.copysign(b.height / 2, a.y - b.y)
            yield clipped(bend((a.x, a.y), (b.x, top), 0.0), a, None), 0.05

    def _below(self, a: Point, b: Point, angle: float) -> Floats:
        """Join the tails of two short arrows by an arc on their far side."""
        (left, right) = (a, b) if a[0] <= b[0] else (b, a)
        length = max(right[0] - left[0], 1.0)
        height = arc(length)
        curve = bend(left, right, height if angle < 180 else -height)
        return curve if (a[0] <= b[0]) else curve[::-1].copy()

    def _cost(self, curve: Floats, bent: float, ends: tuple[str, str]) -> float:
        line = points(curve)
        cost = 10.0 * bent + 12.0 * self._hits(line, 5.0, ends) + self._crossings(line[::2])
        for other in self.lines:
            if len(other) == len(line) and np.abs(other - line).max() < 6:
                cost += 50.0
        return cost

    def _hits(self, line: Floats, margin: float, but: tuple[str, ...]) -> int:
        """Return how many points of a line lie in nodes."""
        away = np.abs(line[:, None] - self._centre)
        hit = (away < self._half + margin).all(axis=2).sum(axis=0)
        return int(sum(n for k, n in zip(self._keys, hit, strict=True) if k not in but))

    def _crossings(self, line: Floats) -> int:
        return crossings(line, self._start, self._step) if len(self._start) else 0

    # ------------------------------------------------------------------ labels

    def _labelled(self, edge: Edge) -> Edge:
        """Place the label beside the line, where there is most room."""
        if not edge.label:
            return edge
        curve = np.array(edge.curve)
        w, h = LETTER * len(edge.label) + 2, HEIGHT
        best, least = (0.0, 0.0), math.inf
        if not edge.source:
            places: tuple[float, ...] = (0.1, 0.35, -0.25)
        elif abs(curve[-1][0] - curve[0][0]) > 1.2 * abs(curve[-1][1] - curve[0][1]) > 60.0:
            places = _NEAR_HEAD
        else:
            places = _PLACES
        for k, t in enumerate(places):
            here = points(curve, np.array([max(t, 0.0)]))[0]
            ahead = points(curve, np.array([max(t, 0.0) + 0.02]))[0] - here
            normal = np.array([-ahead[1], ahead[0]]) / max(math.hypot(*ahead), 1e-9)
            out = 4.5 + abs(normal[0]) * w / 2 + abs(normal[1]) * h / 2
            for sign in (1, -1):
                place = here + sign * normal * out
                if t < 0:
                    place = here - ahead / max(math.hypot(*ahead), 1e-9) * (
                        h if abs(ahead[1]) > abs(ahead[0]) else w / 2 + 5
                    )
                outer = (place[0] - here[0]) * (curve[-1][0] - curve[0][0]) if abs(ahead[1]) > abs(ahead[0]) else 0.0
                left = place[1] < here[1] - 0.1 or (abs(place[1] - here[1]) < 0.1 and place[0] < here[0])
                inner = 0.3 if outer < 0 or (outer == 0 and left) else 0.0
                cost = 0.6 * k + inner + self._cost_of_box(_box(place, w, h)) + self._doubt(place, here)
                if cost < least:
                    best, least = (float(place[0]), float(place[1])), cost
        if places is _NEAR_HEAD and edge.target in self.nodes and self.nodes[edge.target].shape == "box":
            node = self.nodes[edge.target]
            way = math.copysign(1.0, curve[-1][0] - curve[0][0])
            up = math.copysign(1.0, curve[0][1] - curve[-1][1])
            corner = (node.x + way * (w / 2 + 2), node.y + up * (node.height / 2 + h / 2 + 2))
            if self._cost_of_box(_box(corner, w, h)) < least:
                best = corner
        self.labels.append(_box(best, w, h))
        return replace(edge, place=best)

    def _doubt(self, place: Floats, here: Floats) -> float:
        """Return a cost where a label stands as near to another line as to its own."""
        own = math.hypot(*(place - here))
        away = np.array(self.lines) - place
        near = np.sort(np.sqrt((away**2).sum(axis=2).min(axis=1)))
        return 3.0 * max(0.0, 1.0 - (float(near[1]) - own) / 8.0) if len(near) > 1 else 0.0

    def _cost_of_box(self, box: tuple[float, float, float, float]) -> float:
        left, bottom, right, top = box
        cost = 0.0
        for n in self.nodes.values():
            x, y = (left + right) / 2 - n.x, (bottom + top) / 2 - n.y
            if abs(x) < (right - left + n.width) / 2 and abs(y) < (top - bottom + n.height) / 2:
                cost += 60.0
        for a, b, c, d in self.labels:
            if left < c and a < right and bottom < d and b < top:
                cost += 80.0
        for lines in (np.array(self.lines), np.array(self.borders)):
            if len(lines):
                hit = (lines[..., 0] > left) & (lines[..., 0] < right)
                hit &= (lines[..., 1] > bottom - 1) & (lines[..., 1] < top + 1)
                cost += 8.0 * float(np.minimum(hit.sum(axis=1), 3).sum())
        return cost


def _over(a: Node, b: Node, height: float) -> Floats:
    """Join two nodes of a row by an arc that rises by `height`; the longer it is, the steeper it starts."""
    length = abs(b.x - a.x)
    angle = math.radians(48.0 + 30.0 * min(1.0, max(0.0, (length - 150.0) / 500.0)))
    up, right = math.copysign(1.0, height), math.copysign(1.0, b.x - a.x)
    reach = max(abs(height) - 0.3 * a.height, 12.0) / 0.75
    ends = []
    for node, way in ((a, right), (b, -right)):
        c, s = way * math.cos(angle), up * math.sin(angle)
        grow = max(abs(c), abs(s)) if node.shape == "box" else 1.0
        x, y = node.x + c / grow * node.width / 2, node.y + s / grow * node.height / 2
        ends.append(((x, y), (x + way * reach / math.tan(angle), y + up * reach)))
    (p, p1), (q, q1) = ends
    return np.array([p, p1, q1, q])


def arc(length: float) -> float:
    """Return the depth of the arc that joins two short arrows."""
    return 12.0 + 0.16 * min(length, 260.0) + 0.05 * max(length - 260.0, 0.0)


def _box(place: Sequence[float] | Floats, width: float, height: float) -> tuple[float, float, float, float]:
    x, y = float(place[0]), float(place[1])
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _border(f: Frame) -> Floats:
    """Return points along the border of a frame."""
    x, y = np.linspace(f.left, f.right, 120), np.linspace(f.bottom, f.top, 120)
    sides = [
        (x, np.full(120, f.bottom)),
        (x, np.full(120, f.top)),
        (np.full(120, f.left), y),
        (np.full(120, f.right), y),
    ]
    return np.concatenate([np.column_stack(s) for s in sides])


def _tuples(curve: Floats) -> tuple[Point, ...]:
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in curve)
