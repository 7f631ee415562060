"""Where rows begin and end: room for short arrows, arcs, fans of edges and frames between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from semlang.diagram.content import Content
from semlang.diagram.framing import PAD
from semlang.diagram.letters import width
from semlang.diagram.plan import Plan
from semlang.diagram.routing import Link
from semlang.diagram.spec import LABEL, Node

BETWEEN = 10.0
"""Between indicators that hang on a node."""


@dataclass
class Across:
    """Everything that decides how far rows are apart.

    Parameters
    ----------
    parts : Content
    plan : Plan
    nodes : mapping from key to Node, sized
    links : sequence of Link
        Without those to what hangs on nodes.
    stubs : mapping from key to side
        Short arrows.
    loops : keys of those that are loops
    hung : keys of what hangs on nodes
    place : mapping from key, lanes among them, to place along its row
    row : function from key to its row
    half : function from key to half of its size along and across the rows
    tail : function from key to the length of its short arrow
    room : float
        Multiple of the usual distances.
    """

    parts: Content
    plan: Plan
    nodes: Mapping[str, Node]
    links: Sequence[Link]
    stubs: Mapping[str, str]
    loops: set[str]
    hung: Mapping[str, str]
    place: Mapping[str, float]
    row: Callable[[str], int]
    half: Callable[[str], tuple[float, float]]
    tail: Callable[[str], float]
    room: float

    def clear(self) -> dict[tuple[int, str], float]:
        """Return the room that short arrows take on the sides of rows."""
        out: dict[tuple[int, str], float] = {}
        for key, side in self.stubs.items():
            if key not in self.hung and side in ("up", "down"):
                label = self.parts.residuals[key].label
                across = (width(label, LABEL) / 2 if key in self.loops else 0.0) if self.plan.turned else 16.0
                across = across if label else 0.0
                row = self.row(key)
                out[row, side] = max(out.get((row, side), 0.0), self.tail(key) + across)
        return out

    def rows(self, clear: Mapping[tuple[int, str], float]) -> tuple[list[float], list[float]]:
        """Return where rows begin and end."""
        need = self._need(clear)
        fan, many = self._fans()
        tops, bottoms, v = [], [], 0.0
        count = len(self.plan.rows)
        for r in range(count):
            tall = self._tall(r)
            tops.append(v)
            bottoms.append(v + tall)
            v += tall
            if r + 1 < count:
                gap = 18.0
                if r in fan:
                    words = 0.0
                    if many[r]:
                        words = max(34.0, many[r] + 8.0) if self.plan.turned else 16.0
                    gap = self.room * (40.0 + words + min(0.22 * fan[r], 90.0 if self.plan.turned else 130.0))
                gap += need[r, "down"] + need[r + 1, "up"]
                if self._level(r) != self._level(r + 1):
                    gap += 2 * PAD + 6.0
                v += gap
        return tops, bottoms

    def _need(self, clear: Mapping[tuple[int, str], float]) -> dict[tuple[int, str], float]:
        """Return the room that short arrows and arcs take beside rows."""
        need = {(r, s): clear.get((r, s), 0.0) for r in range(len(self.plan.rows)) for s in ("up", "down")}
        for link in self.links:
            if link.side in ("up", "down"):
                at = self.row(link.source), link.side
                need[at] = max(need[at], link.depth + 8.0)
        for key, side in self.stubs.items():
            if not side and key not in self.hung:
                for s in ("up", "down"):
                    need[self.row(key), s] = max(need[self.row(key), s], 14.0)
        return need

    def _fans(self) -> tuple[dict[int, float], dict[int, float]]:
        """Return how far edges between a row and the next lean, and how long the longest of their labels is."""
        fan: dict[int, float] = {}
        many: dict[int, float] = {}
        for link in self.links:
            for a, b in zip(link.chain, link.chain[1:], strict=False):
                ra, rb = self.row(a), self.row(b)
                if ra != rb:
                    g = min(ra, rb)
                    fan[g] = max(fan.get(g, 0.0), abs(self.place[a] - self.place[b]))
                    words = width(self.parts.edges[link.edge].label, LABEL) if link.label else 0.0
                    many[g] = max(many.get(g, 0.0), words)
        return fan, many

    def _tall(self, r: int) -> float:
        """Return how far a row reaches across, with what hangs on its nodes."""
        row = self.plan.rows[r]
        tall = max((2 * self.half(k)[1] for k in row), default=0.0)
        for k in row:
            keys = self.plan.hanging.get(k, ())
            if keys:
                tall = max(tall, sum(2 * self.half(c)[1] for c in keys) + BETWEEN * (len(keys) - 1))
        return tall

    def _level(self, r: int) -> str:
        return self.nodes[self.plan.rows[r][0]].level if self.plan.rows[r] else ""
