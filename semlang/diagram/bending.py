"""Bend edges whose labels find no place of their own where the edges are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from semlang.diagram.canvas import WRONG, Canvas, ends_of, tries
from semlang.diagram.labelling import HEIGHT, PLACES, Labels, around, at, points
from semlang.diagram.letters import width
from semlang.diagram.outline import Body
from semlang.diagram.routing import STUB, Link, line, loop
from semlang.diagram.spec import LABEL, Edge, Node, Point

FREE = 10.0
"""A place against which there is less is good."""


def bent(nodes: Sequence[Node], edges: Sequence[Edge], labels: Labels, reach: float) -> list[Edge]:
    """Return the edges, those whose labels have no good place on other paths, where there are such.

    Parameters
    ----------
    nodes, edges : placed
    labels : Labels
        Which has placed the labels of these edges.
    reach : float
        The deepest bow of an edge.
    """
    dots = {n.key for n in nodes if n.shape == "point"}
    canvas = Canvas({n.key: Body(n.key, n.shape, n.x, -n.y, n.width / 2, n.height / 2, 0) for n in nodes})
    links = [Link(k, e.source or e.target, e.target, e.both, not e.headless) for k, e in enumerate(edges)]
    paths: list[list[Point]] = [[(x, -y) for x, y in e.curve] for e in edges]
    for k, (link, path) in enumerate(zip(links, paths, strict=True)):
        canvas.put(k, path, ends_of(link, path)[0 if edges[k].source else 1 :])
    out = list(edges)
    for k in labels.failed:
        e, link = edges[k], links[k]
        short = not e.source or e.source == e.target
        if {e.source, e.target} & dots or (not short and len(e.curve) > 7):
            continue
        canvas.take(k)
        a, b = canvas.bodies[link.source], canvas.bodies[link.target]
        best, least = paths[k], WRONG
        for start, path in _around(b, bool(e.source)) if short else tries(link, a, b, reach):
            if start >= least:
                continue
            cost = start + canvas.cost(link, path)
            if cost < least:
                cost += _short(labels, k, e, path) if short else _label(labels, k, e.label, path)
            if cost < least:
                best, least = path, cost
        paths[k] = best
        canvas.put(k, best, ends_of(link, best)[0 if e.source else 1 :])
        out[k] = replace(e, curve=tuple((round(u, 2), round(-v, 2)) for u, v in best))
    return out


def _around(body: Body, loops: bool) -> Iterator[tuple[float, list[Point]]]:
    """Yield short arrows, or loops, at all sides of a node."""
    for n, degrees in enumerate(range(-45, 315, 10)):
        angle = math.radians(degrees)
        head = body.leave(angle)
        out = (STUB * math.cos(angle), STUB * math.sin(angle))
        if loops:
            turn = 5.0 / math.hypot(head[0] - body.u, head[1] - body.v)
            yield 0.05 * n, loop(body.leave(angle - turn), body.leave(angle + turn), out)
        else:
            yield 0.05 * n, line((head[0] + out[0], head[1] + out[1]), head)


def _short(labels: Labels, k: int, edge: Edge, path: Sequence[Point]) -> float:
    """Return what is against the best place of the label of a short arrow or a loop."""
    drawn = points([(u, -v) for u, v in path])
    w = width(edge.label, LABEL) + 2
    places = [at(drawn, 0.5)] if edge.source else [p for _, p in labels.at_tail(drawn, w, HEIGHT)[:1]]
    return min(labels.trouble(around(p, w, HEIGHT), k, own_label=False) for p in places)


def _label(labels: Labels, k: int, label: str, path: Sequence[Point]) -> float:
    """Return what is against the best place of a label on a path, and against the path for the labels that it meets."""
    drawn = points([(u, -v) for u, v in path])
    w = width(label, LABEL) + 2
    best = min(labels.trouble(around(at(drawn, t), w, HEIGHT), k, own_label=False) for t in PLACES)
    fine = np.array([at(drawn, t / 40) for t in range(41)])
    met = sum(
        bool(((fine > (x0, y0)) & (fine < (x1, y1))).all(axis=1).any())
        for n, (x0, y0, x1, y1) in labels.boxes_of.items()
        if n != k
    )
    return best + 20.0 * met
