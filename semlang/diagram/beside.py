"""Diagrams side by side: the groups of a model in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semlang.diagram.letters import width
from semlang.diagram.spec import LEVEL, DiagramSpec, Edge, Frame, Node, Point, Text

PAD = 12.0
"""Room between a diagram and the frame around it, and half of that between frames."""


def beside(specs: Sequence[DiagramSpec], names: Sequence[str]) -> DiagramSpec:
    """Return one diagram that holds several, each in a frame with its name.

    Keys of nodes end with `` | name``, so that they stay unique.

    Parameters
    ----------
    specs : sequence of DiagramSpec
    names : sequence of str
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    frames: list[Frame] = []
    texts: list[Text] = []
    at = 0.0
    height = max((s.bounds[3] - s.bounds[1] for s in specs), default=0.0)
    for spec, name in zip(specs, names, strict=True):
        bare = replace(spec, title="")
        left, _, right, top = bare.bounds
        wide = max(right - left, width(name, LEVEL) + 24.0)
        x, y = at - left + PAD + (wide - right + left) / 2, -top - PAD

        def move(p: Point, x: float = x, y: float = y) -> Point:
            return p[0] + x, p[1] + y

        def key(k: str, name: str = name) -> str:
            return f"{k} | {name}" if k else ""

        frames.append(Frame(name, name, at, -height - 2 * PAD - 14.0, at + wide + 2 * PAD, 0.0))
        frames += [
            replace(f, left=f.left + x, right=f.right + x, bottom=f.bottom + y, top=f.top + y) for f in bare.frames
        ]
        nodes += [replace(n, key=key(n.key), x=n.x + x, y=n.y + y) for n in bare.nodes]
        for e in bare.edges:
            place = None if e.place is None else move(e.place)
            curve = tuple(move(p) for p in e.curve)
            edges.append(replace(e, source=key(e.source), target=key(e.target), curve=curve, place=place))
        texts += [replace(t, key=key(t.key), place=move(t.place)) for t in bare.texts]
        at += wide + 3 * PAD
    said = " ".join(f"{name}: {s.description}" for s, name in zip(specs, names, strict=True))
    style = specs[0].style if specs else "gllamm"
    return DiagramSpec(tuple(nodes), tuple(edges), tuple(frames), tuple(texts), "", style, said)
