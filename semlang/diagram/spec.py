"""A placed diagram as data: what is drawn, where, with which words, and what in the model it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from semlang.diagram.letters import width

Point = tuple[float, float]
"""A place in points (1/72 inch); y grows upwards."""

Span = tuple[int, int]
"""Half-open interval of code points of the text."""

MARGIN = 8.0
NAME, LABEL, LEVEL, TITLE, SMALL = 12.0, 10.0, 11.0, 13.0, 8.0
"""Sizes of letters: names of variables, labels of paths, names of levels, the title, second lines."""


@dataclass(frozen=True, slots=True)
class Node:
    """A variable, or the small dot at which a random slope meets a path or a product is formed.

    Parameters
    ----------
    key : str
    label : str
        Name to be shown; `superscript` is GLLAMM's level number or '', `note` a second line.
    shape : str
        ``ellipse`` (continuous latent), ``octagon`` (discrete latent), ``box`` (observed), ``triangle`` (the constant
        1) or ``point``.
    level : str
        The frame that it stands in: ``rows`` or a cluster.
    x, y, width, height : float
        Centre and size.
    title : str
        What it is, in words.
    rows : tuple of int
        Ids of rows of the parameter table that are about it alone.
    span : (start, end), optional
        Where the text introduces it.
    fill : str
        Its colour, or '' for white.
    """

    key: str
    label: str
    shape: str
    level: str
    superscript: str = ""
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    note: str = ""
    title: str = ""
    rows: tuple[int, ...] = ()
    span: Span | None = None
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A path, a covariance, or the short arrow of a residual.

    Parameters
    ----------
    source, target : str
        Keys of nodes; `source` is '' for a residual.
    label : str
        Parameter label, fixed value or estimate.
    dashed : bool
        Whether the parameter is fixed.
    both, headless : bool
        Whether both ends have heads (a covariance), or none.
    curve : 1 + 3 n points
        Control points of n cubic curves that follow one another, from tail to head.
    place : point, optional
        Centre of the label.
    mark : str
        In the difference of two models: ``added`` (here alone, drawn thick), ``removed`` (there alone, dotted), or ''.
    title, rows, span
        As of a node.
    """

    source: str
    target: str
    label: str = ""
    dashed: bool = False
    both: bool = False
    headless: bool = False
    curve: tuple[Point, ...] = ()
    place: Point | None = None
    mark: str = ""
    title: str = ""
    rows: tuple[int, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The rounded frame of a level: all variables inside vary over its units.

    Parameters
    ----------
    level, label : str
    left, bottom, right, top : float
    """

    level: str
    label: str
    left: float
    bottom: float
    right: float
    top: float

    @property
    def place(self) -> Point:
        """Centre of its name, in the corner below at the right."""
        return self.right - 8 - width(self.label, LEVEL) / 2, self.bottom + 10


@dataclass(frozen=True, slots=True)
class Text:
    """Words that stand beside a node: the variance of an exogenous latent variable.

    Parameters
    ----------
    label : str
    place : point
        Its centre.
    key : str
        The node.
    rows, span
        As of a node.
    """

    label: str
    place: Point
    key: str = ""
    rows: tuple[int, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class DiagramSpec:
    """Everything that a backend needs to draw a path diagram.

    Parameters
    ----------
    nodes, edges, frames, texts : tuple
        Frames are ordered from the outermost to the innermost.
    title : str
    style : str
    description : str
        The diagram in words, for those who do not see it.
    pinned : bool
        Whether places of nodes are those that were given, so that the upper left corner need not be (0, 0).
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...] = ()
    texts: tuple[Text, ...] = ()
    title: str = ""
    style: str = "gllamm"
    description: str = ""
    pinned: bool = False

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of all that is drawn, with a margin."""
        boxes = [(n.x - n.width / 2, n.y - n.height / 2, n.x + n.width / 2, n.y + n.height / 2) for n in self.nodes]
        boxes += [(f.left, f.bottom, f.right, f.top) for f in self.frames]
        boxes += [(x, y, x, y) for e in self.edges for x, y in _samples(e.curve)]
        boxes += [_around(e.label, e.place) for e in self.edges if e.place is not None]
        boxes += [_around(t.label, t.place) for t in self.texts]
        left, bottom = (min((b[k] for b in boxes), default=0.0) - MARGIN for k in (0, 1))
        right, top = (max((b[k] for b in boxes), default=0.0) + MARGIN for k in (2, 3))
        if self.title:
            short = max(width(self.title, TITLE) + 2 * MARGIN - (right - left), 0.0)
            left, right, top = left - short / 2, right + short / 2, top + TITLE + MARGIN
        return left, bottom, right, top

    def to_json(self) -> dict[str, Any]:
        """Return the diagram as plain data: a picture can be drawn from it without anything else.

        Lengths are points from the upper left corner, y grows downwards. A box is ``[x, y, width, height]`` of its
        upper left corner and size; a path is the ``1 + 3 n`` control points of n cubic curves that follow one another.

        Returns
        -------
        dict
            ``schema``, ``style``, ``title``, ``description``, ``width``, ``height``, ``origin`` (what has to be added
            to places here to get those of ``layout: at(name, x, y)``) and

            - ``nodes``: ``key, label, superscript, note, shape, level, box, title, fill, rows, span``
            - ``edges``: ``source`` ('' for a residual), ``target``, ``path``, ``heads`` (at the start, at the end),
              ``dashed``, ``mark``, ``label`` (``{text, box}`` or None), ``title, rows, span``
            - ``frames``: ``level, box, label``
            - ``texts``: ``key`` of the node that they belong to, ``label``, ``rows, span``

            `rows` are ids of rows of the parameter table, `span` is ``[start, end]`` in the text or None.
        """
        left, _, right, top = self.bounds

        def place(p: Point) -> list[float]:
            return [round(p[0] - left, 2), round(top - p[1], 2)]

        def box(x: float, y: float, w: float, h: float) -> list[float]:
            return [*place((x - w / 2, y + h / 2)), round(w, 2), round(h, 2)]

        def words(label: str, at: Point | None, size: float = LABEL) -> dict[str, Any] | None:
            return {"text": label, "box": box(*at, width(label, size), size + 1)} if label and at else None

        def origin(of: Node | Edge | Text) -> dict[str, Any]:
            return {"rows": list(of.rows), "span": list(of.span) if of.span else None}

        return {
            "schema": "semlang.diagram/1",
            "style": self.style,
            "title": self.title,
            "description": self.description,
            "width": round(right - left, 2),
            "height": round(top - self.bounds[1], 2),
            "origin": [round(left, 2), round(-top, 2)] if self.pinned else [0.0, 0.0],
            "nodes": [
                {"key": n.key, "label": n.label, "superscript": n.superscript, "note": n.note, "shape": n.shape}
                | {"level": n.level, "box": box(n.x, n.y, n.width, n.height), "title": n.title, "fill": n.fill}
                | origin(n)
                for n in self.nodes
            ],
            "edges": [
                {"source": e.source, "target": e.target, "path": [place(p) for p in e.curve]}
                | {"heads": [e.both, not e.headless], "dashed": e.dashed, "label": words(e.label, e.place)}
                | {"title": e.title, "mark": e.mark}
                | origin(e)
                for e in self.edges
            ],
            "frames": [
                {"level": f.level, "label": words(f.label, f.place, LEVEL)}
                | {"box": box((f.left + f.right) / 2, (f.bottom + f.top) / 2, f.right - f.left, f.top - f.bottom)}
                for f in self.frames
            ],
            "texts": [{"key": t.key, "label": words(t.label, t.place)} | origin(t) for t in self.texts],
        }


def _around(label: str, place: Point) -> tuple[float, float, float, float]:
    w, h = width(label, LABEL), LABEL + 1
    return place[0] - w / 2, place[1] - h / 2, place[0] + w / 2, place[1] + h / 2


def _samples(curve: tuple[Point, ...]) -> list[Point]:
    """Return points of a sequence of cubic curves, its ends among them."""
    out = []
    for k in range(0, len(curve) - 1, 3):
        a, b, c, d = curve[k : k + 4]
        for i in range(9):
            t = i / 8
            w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            out.append(tuple(sum(w[j] * p[m] for j, p in enumerate((a, b, c, d))) for m in (0, 1)))
    return out  # type: ignore[return-value]
