"""Write a placed diagram as a LaTeX document with a TikZ picture, to be compiled or edited by hand.

Nodes have names and places, straight arrows run from node to node by these places, curves by their control points.
"""

from __future__ import annotations

from semlang.diagram.spec import LABEL, LEVEL, NAME, SMALL, DiagramSpec, Edge, Frame, Node, Point

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "\u2212": "$-$",
    "ζ": r"$\zeta$",
    "ε": r"$\varepsilon$",
    "τ": r"$\tau$",
    "²": "$^2$",
    "³": "$^3$",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    "*": r"\textasteriskcentered{}",
}
_HEAD = r"""\documentclass[tikz, border=4pt]{standalone}
\usepackage[utf8]{inputenc}
\renewcommand{\familydefault}{\sfdefault}
\usetikzlibrary{arrows.meta, shapes.geometric}
\begin{document}
\begin{tikzpicture}[x=1pt, y=1pt, >={Stealth[length=5pt]},
  every node/.style={inner sep=0pt, align=center},
  observed/.style={draw, rectangle}, latent/.style={draw, ellipse},
  discrete/.style={draw, regular polygon, regular polygon sides=8, shape aspect=1},
  constant/.style={draw, isosceles triangle, shape border rotate=90, isosceles triangle stretches},
  dot/.style={fill, circle}, level/.style={draw=gray, rounded corners=10pt},
  lab/.style={fill=white, inner sep=1pt}, fixed/.style={dashed}]
"""


def tikz(spec: DiagramSpec) -> str:
    """Return a LaTeX document; pdflatex compiles it.

    Parameters
    ----------
    spec : DiagramSpec
    """
    names = {n.key: f"n{k}" for k, n in enumerate(spec.nodes, 1)}
    lines = [*map(_frame, spec.frames)]
    lines += [_node(n, names[n.key]) for n in spec.nodes]
    lines += [_edge(e) for e in spec.edges]
    lines += [
        rf"\node[font={_font(LABEL)}] at {_place(t.place)} {{{escaped(t.label)}}};  % {_comment(t.key)}"
        for t in spec.texts
    ]
    if spec.title:
        left, _, right, top = spec.bounds
        place = _place(((left + right) / 2, top - 12.0))
        lines.append(rf"\node[font={_font(NAME + 1)}] at {place} {{{escaped(spec.title)}}};")
    return _HEAD + "\n".join(f"  {x}" for x in lines) + "\n\\end{tikzpicture}\n\\end{document}\n"


MARKS = {"added": "very thick", "removed": "densely dotted"}
"""How edges are drawn that one of two models alone has."""


def escaped(text: str) -> str:
    """Return words as LaTeX prints them.

    Examples
    --------
    >>> escaped("x_1 & 50%")
    'x\\\\_1 \\\\& 50\\\\%'
    """
    return "".join(_SPECIAL.get(c, c) for c in text)


def _font(size: float) -> str:
    return rf"\fontsize{{{0.85 * size:.1f}}}{{{size:.1f}}}\selectfont"


def _place(p: Point) -> str:
    return f"({p[0]:.1f},{p[1]:.1f})"


def _comment(text: str) -> str:
    return text.replace("\n", " ")


def _frame(f: Frame) -> str:
    corners = f"{_place((f.left, f.bottom))} rectangle {_place((f.right, f.top))}"
    return rf"\draw[level] {corners}; \node[gray, font={_font(LEVEL)}] at {_place(f.place)} {{{escaped(f.label)}}};"


def _node(n: Node, name: str) -> str:
    style = {"box": "observed", "octagon": "discrete", "triangle": "constant", "point": "dot"}.get(n.shape, "latent")
    words = r"\\".join(escaped(part) for part in n.label.split("\n"))
    if n.superscript:
        words += rf"\textsuperscript{{{escaped(n.superscript)}}}"
    if n.note:
        words += rf"\\{{{_font(SMALL)} {escaped(n.note)}}}"
    size = f"minimum width={n.width:.1f}pt, minimum height={n.height:.1f}pt"
    colour = ""
    if n.fill:
        red, green, blue = (int(n.fill[k : k + 2], 16) for k in (1, 3, 5))
        colour = f", fill={{rgb,255:red,{red};green,{green};blue,{blue}}}"
    if n.shape == "octagon":  # a regular polygon is as high as wide
        size = f"minimum size={max(n.width, n.height):.1f}pt"
    font = f", font={_font(NAME)}"
    return rf"\node[{style}, {size}{font}{colour}] ({name}) at {_place((n.x, n.y))} {{{words}}};  % {_comment(n.key)}"


def _edge(e: Edge) -> str:
    heads = "" if e.headless else "<->" if e.both else "->"
    style = ", ".join(s for s in (heads, MARKS.get(e.mark, "fixed" if e.dashed else "")) if s)
    path = _place(e.curve[0])
    for k in range(0, len(e.curve) - 1, 3):
        a, b, c, d = e.curve[k : k + 4]
        path += (
            f" -- {_place(d)}" if _straight(a, b, c, d) else f" .. controls {_place(b)} and {_place(c)} .. {_place(d)}"
        )
    label = ""
    if e.label and e.place is not None:
        label = rf" \node[lab, font={_font(LABEL)}] at {_place(e.place)} {{{escaped(e.label)}}};"
    return rf"\draw[{style}] {path};{label}  % {_comment(e.title)}"


def _straight(a: Point, b: Point, c: Point, d: Point) -> bool:
    return all(abs(p[i] - (a[i] + (d[i] - a[i]) * part)) < 0.05 for p, part in ((b, 1 / 3), (c, 2 / 3)) for i in (0, 1))
