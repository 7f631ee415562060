"""Write a placed diagram to a file: DOT text, PNG and PDF by Graphviz; SVG, LaTeX, Mermaid and JSON without it."""

from __future__ import annotations

import json
from pathlib import Path

from semlang.diagnostics import Diagnostic, error
from semlang.diagram.mermaid import mermaid
from semlang.diagram.spec import DiagramSpec, Edge, Frame, Node
from semlang.diagram.svg import svg
from semlang.diagram.tikz import tikz
from semlang.writing import write_file

FORMATS = ("svg", "png", "pdf", "tex", "mmd", "dot", "json")
FONT = "Helvetica"


def dot_text(spec: DiagramSpec, dpi: int | None = None) -> str:
    """Return the diagram as DOT text, with places: ``dot -Knop2`` draws it."""
    lines = [
        "digraph model {",
        f'  graph [splines=true, outputorder=nodesfirst, pad=0.15, fontname="{FONT}", bgcolor=white];',
        f'  node [fixedsize=true, fontname="{FONT}", fontsize=12, penwidth=1, margin=0];',
        f'  edge [fontname="{FONT}", fontsize=10, arrowsize=0.6, penwidth=0.9];',
    ]
    if dpi is not None:
        lines.append(f"  graph [dpi={dpi}];")
    if spec.title:
        lines.append(f"  graph [label={_quoted(spec.title)}, labelloc=t, fontsize=13];")
    for f in spec.frames:
        lines += _frame(f)
    lines += [_node(n) for n in spec.nodes]
    for k, e in enumerate(spec.edges):
        lines += _edge(e, k)
    for k, t in enumerate(spec.texts):
        lines.append(_words(f"text {k}", t.label, t.place, 10))
    return "\n".join([*lines, "}", ""])


def drawn(spec: DiagramSpec, form: str, dpi: int = 200) -> tuple[bytes | None, Diagnostic | None]:
    """Return the picture as bytes: PNG and PDF by the engine of pygraphviz or else by an installed ``dot``."""
    if form == "svg":
        return svg(spec).encode(), None
    if form == "tex":
        return tikz(spec).encode(), None
    if form == "mmd":
        return mermaid(spec).encode(), None
    if form == "json":
        return (json.dumps(spec.to_json(), ensure_ascii=False, indent=1) + "\n").encode(), None
    text = dot_text(spec, dpi if form == "png" else None)
    if form == "dot":
        return text.encode(), None
    if form not in FORMATS:
        return None, error(
            "unknown-format", f"'{form}' is not a format of pictures", help=f"one of {', '.join(FORMATS)}"
        )
    try:
        import pygraphviz

        graph = pygraphviz.AGraph(string=text)
        return bytes(graph.draw(format=form, prog="nop2")), None
    except (ImportError, OSError, ValueError) as problem:
        first = str(problem)
    try:
        import graphviz

        source = graphviz.Source(text)
        return bytes(source.pipe(format=form, engine="neato", neato_no_op=2)), None
    except Exception as problem:  # graphviz has errors of its own, which need it to be imported
        return None, error(
            "no-graphviz",
            "neither pygraphviz nor an installed Graphviz could draw the diagram",
            notes=(first.split("\n")[0], str(problem).split("\n")[0]),
            help=(
                "pip install pygraphviz",
                "or install Graphviz, so that 'dot' is found",
                "or write .svg",
            ),
        )


def write(spec: DiagramSpec, path: str | Path, dpi: int = 200) -> Diagnostic | None:
    """Write the diagram to a file, whose ending says the format; what can't be written leaves nothing behind."""
    path = Path(path)
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        ending = f"'.{form}' is not the ending of a picture" if form else f"'{path.name}' has no ending"
        return error("unknown-format", ending, help="write " + ", ".join(f".{f}" for f in FORMATS))
    picture, wrong = drawn(spec, form, dpi)
    if picture is None:
        return wrong
    return write_file(path, picture)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _frame(f: Frame) -> list[str]:
    x, y, w, h = (f.left + f.right) / 2, (f.bottom + f.top) / 2, f.right - f.left, f.top - f.bottom
    name = _quoted(f"frame {f.level}")
    return [
        f'  {name} [shape=box, style=rounded, color=gray45, label="", pos="{x:.1f},{y:.1f}", '
        f"width={w / 72:.3f}, height={h / 72:.3f}];",
        _words(f"name of {f.level}", f.label, f.place, 11, "gray25"),
    ]


def _words(name: str, label: str, place: tuple[float, float], size: int, colour: str = "black") -> str:
    return (
        f'  {_quoted(name)} [shape=plaintext, label={_quoted(label)}, pos="{place[0]:.1f},{place[1]:.1f}", '
        f"fontsize={size}, fontcolor={colour}, width={0.12 * len(label) + 0.1:.2f}, height=0.3];"
    )


def _node(n: Node) -> str:
    label = _quoted(n.label)
    if n.superscript:
        label = f'<{_html(n.label)}<SUP><FONT POINT-SIZE="8">{_html(n.superscript)}</FONT></SUP>>'
    if n.note:
        label = f'<{label[1:-1] if n.superscript else _html(n.label)}<BR/><FONT POINT-SIZE="8">{_html(n.note)}</FONT>>'
    style = ", style=filled, fillcolor=black" if n.shape == "point" else ""
    style = f', style=filled, fillcolor="{n.fill}"' if n.fill else style
    return (
        f'  {_quoted(n.key)} [shape={n.shape}, label={label}, pos="{n.x:.1f},{n.y:.1f}", '
        f"width={n.width / 72:.3f}, height={n.height / 72:.3f}{style}];"
    )


def _edge(e: Edge, k: int) -> list[str]:
    """An edge; where it has no source its tail is an invisible point."""
    tail = _quoted(e.source)
    lines = []
    (ax, ay), *_, (bx, by) = e.curve
    if not e.source:
        tail = _quoted(f"residual {e.target}")
        lines.append(f'  {tail} [shape=point, style=invis, pos="{ax:.1f},{ay:.1f}", width=0.01, height=0.01];')
    head = "" if e.headless else f"e,{bx:.1f},{by:.1f}"
    inner = " ".join(f"{x:.1f},{y:.1f}" for x, y in _short(e))
    ends = f"s,{ax:.1f},{ay:.1f} {head}" if e.both else head
    attributes = [f'pos="{ends} {inner}"']
    if e.both:
        attributes.append("dir=both")
    if e.headless:
        attributes.append("dir=none")
    if e.mark == "removed":
        attributes.append("style=dotted")
    elif e.dashed:
        attributes.append("style=dashed")
    if e.mark == "added":
        attributes.append("penwidth=2.2")
    if e.label and e.place:
        attributes.append(f'label={_quoted(e.label)}, lp="{e.place[0]:.1f},{e.place[1]:.1f}"')
    lines.append(f"  {tail} -> {_quoted(e.target)} [{', '.join(attributes)}];")
    return lines


def _short(e: Edge) -> list[tuple[float, float]]:
    """Shorten the curve by the length of its heads."""
    import math

    length = 6.0
    p = [list(c) for c in e.curve]
    ends = ([] if e.headless else [(-1, -2, -4)]) + ([(0, 1, 3)] if e.both else [])
    for end, near, far in ends:
        dx, dy = p[end][0] - p[near][0], p[end][1] - p[near][1]
        size = math.hypot(dx, dy)
        if size < 1e-6:
            dx, dy = p[end][0] - p[far][0], p[end][1] - p[far][1]
            size = max(math.hypot(dx, dy), 1e-6)
        p[end] = [p[end][0] - dx / size * length, p[end][1] - dy / size * length]
    return [(x, y) for x, y in p]
