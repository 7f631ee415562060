"""Write a placed diagram as SVG: every node and edge is an element that says what it stands for.

``<g class="node" data-key="KEY">`` holds one shape and its text, ``<g class="edge" data-source data-target data-rows
data-span>`` one path and the text of its label, ``<g class="frame" data-level>`` a frame. Places are absolute. Every
group has a title, the picture a title and a description.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from semlang.diagram.spec import LABEL, LEVEL, NAME, SMALL, TITLE, DiagramSpec, Edge, Frame, Node, Point, Text

HEAD = 7.0
"""Length of a head."""
THICK = 2.2
"""Width of edges that one of two models alone has."""

_STYLE = (
    "text{font-family:Helvetica,Arial,'Liberation Sans',sans-serif;text-anchor:middle;stroke:none;fill:#000}"
    "path{fill:none}.edge text,.text text{paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}"
)
_CORNERS = ((0.4, 1), (1, 0.4), (1, -0.4), (0.4, -1), (-0.4, -1), (-1, -0.4), (-1, 0.4), (-0.4, 1))


class _Writer:
    """Turns places round: y grows downwards in SVG."""

    def __init__(self, spec: DiagramSpec) -> None:
        self.left, self.bottom, self.right, self.top = spec.bounds

    def point(self, p: Point) -> str:
        return f"{p[0] - self.left:.1f} {self.top - p[1]:.1f}"

    def words(self, place: Point, text: str, size: float, more: str = "", fill: str = "") -> str:
        """Return a text whose middle is at a place: capitals are 0.7 of the size tall."""
        x, y = place[0] - self.left, self.top - place[1] + 0.35 * size
        colour = f' fill="{fill}"' if fill else ""
        return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{colour}>{escape(text)}{more}</text>'

    def frame(self, f: Frame) -> str:
        x, y = self.point((f.left, f.top)).split()
        return (
            f'<g class="frame" data-level="{escape(f.level)}"><title>level: {escape(f.label)}</title>'
            f'<rect x="{x}" y="{y}" width="{f.right - f.left:.1f}" height="{f.top - f.bottom:.1f}" rx="12" fill="none" '
            f'stroke="#737373"/>{self.words(f.place, f.label, LEVEL, fill="#404040")}</g>'
        )

    def node(self, n: Node) -> str:
        words = ""
        if n.label:
            up = (
                "" if not n.superscript else f'<tspan dy="-0.5em" font-size="{SMALL:g}">{escape(n.superscript)}</tspan>'
            )
            parts = n.label.split("\n")
            top = n.y + (SMALL / 2 + 1 if n.note else 0) + 1.15 * NAME * (len(parts) - 1) / 2
            for k, part in enumerate(parts):
                last = up if k == len(parts) - 1 else ""
                words += self.words((n.x, top - 1.15 * NAME * k), part, NAME, last)
        if n.note:
            words += self.words((n.x, n.y - NAME / 2 - 1 - 1.15 * NAME * n.label.count("\n") / 2), n.note, SMALL)
        return (
            f'<g class="node {n.shape}" data-key="{escape(n.key)}"{_origin(n)}>'
            f"<title>{escape(n.title or n.label)}</title>{self.shape(n)}{words}</g>"
        )

    def shape(self, n: Node) -> str:
        fill = "#000" if n.shape == "point" else n.fill or "#fff"
        x, y = self.point((n.x, n.y)).split()
        w, h = n.width / 2, n.height / 2
        match n.shape:
            case "box":
                corner = self.point((n.x - w, n.y + h)).split()
                place = f'x="{corner[0]}" y="{corner[1]}" width="{n.width:.1f}" height="{n.height:.1f}"'
                return f'<rect {place} fill="{fill}" stroke="#000"/>'
            case "octagon" | "triangle":
                corners: Sequence[Point] = _CORNERS if n.shape == "octagon" else ((0, 1), (1, -1), (-1, -1))
                points = " ".join(self.point((n.x + a * w, n.y + b * h)).replace(" ", ",") for a, b in corners)
                return f'<polygon points="{points}" fill="{fill}" stroke="#000"/>'
        return f'<ellipse cx="{x}" cy="{y}" rx="{w:.1f}" ry="{h:.1f}" fill="{fill}" stroke="#000"/>'

    def edge(self, e: Edge) -> str:
        first, *rest = [self.point(p) for p in e.curve]
        path = f"M{first}" + "".join("C" + " ".join(rest[k : k + 3]) for k in range(0, len(rest), 3))
        dashes = "1.5 2.5" if e.mark == "removed" else "4 3" if e.dashed else ""
        more = f' stroke-dasharray="{dashes}"' if dashes else ""
        thick = THICK if e.mark == "added" else 0.9
        more += ' marker-start="url(#head)"' if e.both else ""
        more += "" if e.headless else ' marker-end="url(#head)"'
        label = self.words(e.place, e.label, LABEL) if e.label and e.place is not None else ""
        drawn = f'<path d="{path}" stroke="#000" stroke-width="{thick:g}"{more}/>'
        return (
            f'<g class="edge" data-source="{escape(e.source)}" data-target="{escape(e.target)}"{_origin(e)}>'
            f"<title>{escape(e.title)}</title>{drawn}{label}</g>"
        )

    def text(self, t: Text) -> str:
        return f'<g class="text" data-key="{escape(t.key)}"{_origin(t)}>{self.words(t.place, t.label, LABEL)}</g>'


def svg(spec: DiagramSpec) -> str:
    """Return the diagram as the text of an SVG file.

    Lengths are points; the file needs no font but Helvetica or one that is as wide (Arial, Liberation Sans).
    """
    w = _Writer(spec)
    width, height = w.right - w.left, w.top - w.bottom
    title = spec.title or "Path diagram"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}pt" height="{height:.1f}pt" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(spec.description)}</desc>",
        f"<style>{_STYLE}</style>",
        f'<defs><marker id="head" viewBox="0 0 7 6" refX="7" refY="3" markerWidth="{HEAD:g}" markerHeight="6" '
        'orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path d="M0 0.6L7 3L0 5.4z" style="fill:#000"/>'
        "</marker></defs>",
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#fff"/>',
    ]
    lines += [w.frame(f) for f in spec.frames]
    lines += [w.node(n) for n in spec.nodes]
    lines += [w.edge(e) for e in spec.edges]
    lines += [w.text(t) for t in spec.texts]
    if spec.title:
        lines.append(w.words(((w.left + w.right) / 2, w.top - 8 - TITLE / 2), spec.title, TITLE))
    return "\n".join([*lines, "</svg>", ""])


def _origin(of: Node | Edge | Text) -> str:
    rows = f' data-rows="{" ".join(map(str, of.rows))}"' if of.rows else ""
    return rows + (f' data-span="{of.span[0]}-{of.span[1]}"' if of.span else "")
