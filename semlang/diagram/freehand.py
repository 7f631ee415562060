"""Draw a diagram whose nodes have their places: edges are straight, or as little bent as keeps them readable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.diagram.canvas import Canvas, ends_of, straight
from semlang.diagram.content import Content
from semlang.diagram.finishing import Placed, finish
from semlang.diagram.letters import width
from semlang.diagram.outline import Body
from semlang.diagram.routing import Link, joined, linked
from semlang.diagram.sizes import sized
from semlang.diagram.spec import LABEL, Node, Point
from semlang.diagram.stubs import free_stub, polylines
from semlang.model.table import ParameterTable

Floats = NDArray[np.float64]

ROUNDS = 60
APART = 8.0
"""What nodes that give way keep from others."""


def freehand(
    table: ParameterTable, parts: Content, at: Mapping[str, Point], start: Mapping[str, Point] | None = None
) -> Placed:
    """Return the diagram with its nodes where they are put.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    at : mapping from key to (x, y)
        Centres that are kept, y growing downwards.
    start : mapping from key to (x, y), optional
        Centres of the other nodes; those that would lie on another node give way. Dots need none.
    """
    return _Freehand(table, parts, at, start or {}).run()


class _Freehand:
    def __init__(
        self, table: ParameterTable, parts: Content, at: Mapping[str, Point], start: Mapping[str, Point]
    ) -> None:
        self.table, self.parts = table, parts
        self.nodes = {k: sized(n) for k, n in parts.nodes.items()}
        self.bodies: dict[str, Body] = {}
        for key, n in self.nodes.items():
            if key in at or key in start:
                self._body(n, at[key] if key in at else start[key])
        self._give_way([k for k in self.bodies if k not in at])
        self._dots()
        self.canvas = Canvas(self.bodies)

    def _body(self, n: Node, place: Point) -> None:
        self.bodies[n.key] = Body(n.key, n.shape, place[0], place[1], n.width / 2, n.height / 2, 0)

    def _give_way(self, loose: Sequence[str]) -> None:
        """Move nodes whose place is not given off others, by as little as possible."""
        for _ in range(ROUNDS):
            moved = False
            for key in loose:
                b = self.bodies[key]
                for other in self.bodies.values():
                    u = b.hu + other.hu + APART - abs(b.u - other.u)
                    v = b.hv + other.hv + APART - abs(b.v - other.v)
                    if other is b or u <= 0.01 or v <= 0.01 or "point" in (b.shape, other.shape):
                        continue
                    moved = True
                    if u < v:
                        b.u += math.copysign(u, b.u - other.u)
                    else:
                        b.v += math.copysign(v, b.v - other.v)
            if not moved:
                return

    def _dots(self) -> None:
        """Put dots of paths into the middle of what is seen of them, and those of products between their ends."""
        for dot, (cause, effect) in self.parts.dots.items():
            if dot not in self.bodies:
                a, b = straight(self.bodies[cause], self.bodies[effect])
                self._body(self.nodes[dot], ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
        for dot, factors in self.parts.products.items():
            if dot not in self.bodies:
                ends = [*factors, *(e.target for e in self.parts.edges if e.source == dot and e.target in self.bodies)]
                u, v = (sum(getattr(self.bodies[k], c) for k in ends) / len(ends) for c in "uv")
                self._body(self.nodes[dot], (u, v))

    def run(self) -> Placed:
        links = linked(self.parts)
        for link in sorted(links, key=lambda x: (x.both, self._far(x), x.edge)):
            _, link.path = self.canvas.best(link)
            self.canvas.put(id(link), link.path, ends_of(link, link.path))
        paths: dict[int, list[Point]] = {}
        for link in links:
            known = paths.get(link.edge)
            paths[link.edge] = link.path if known is None else joined(known, link.path)
        loops = {k for k, e in self.parts.residuals.items() if e.source}
        shorts = {}
        lines = list(self.canvas.rough.values())
        for key in self.parts.residuals:
            ends = [p for own in self.canvas.ends.get(key, {}).values() for p, _ in own]
            shorts[key] = free_stub(
                self.bodies[key], self.bodies, lines, ends, loops, width(self.parts.residuals[key].label, LABEL)
            )
            lines += polylines([shorts[key]])
        edges = [replace(e, curve=_page(paths[n])) for n, e in enumerate(self.parts.edges)]
        edges += [replace(e, curve=_page(shorts[k])) for k, e in self.parts.residuals.items()]
        nodes = [replace(self.nodes[k], x=b.u, y=-b.v) for k, b in self.bodies.items()]
        return finish(self.table, self.parts, nodes, edges)

    def _far(self, link: Link) -> float:
        a, b = self.bodies[link.source], self.bodies[link.target]
        return math.hypot(a.u - b.u, a.v - b.v)


def _page(path: Sequence[Point]) -> tuple[Point, ...]:
    return tuple((round(u, 2), round(-v, 2)) for u, v in path)
