"""Write a diagram as a Mermaid flowchart: what is drawn, but not where."""

from __future__ import annotations

from semlang.diagram.spec import DiagramSpec, Edge, Node

_SHAPES = {
    "box": ("[", "]"),
    "ellipse": ("((", "))"),
    "octagon": ("{{", "}}"),
    "triangle": ("[/", "\\]"),
    "point": ("((", "))"),
}


def mermaid(spec: DiagramSpec) -> str:
    """Return a flowchart. Residuals, which it has no arrows for, are left out; levels are subgraphs.

    Parameters
    ----------
    spec : DiagramSpec
    """
    names = {n.key: f"n{k}" for k, n in enumerate(spec.nodes, 1)}
    lines = ["flowchart TB", f"  accTitle: {_line(spec.title or 'Path diagram')}"]
    if spec.description:
        lines.append(f"  accDescr: {_line(spec.description)}")
    depth = 0
    levels = [f.level for f in spec.frames]
    shown: set[str] = set()
    for level in levels:  # from the outermost to the innermost
        depth += 1
        lines.append(f'{"  " * depth}subgraph g{depth}["{_words(level)}"]')
        for n in spec.nodes:
            if n.level == level:
                lines.append(f"{'  ' * depth}  {_node(n, names[n.key])}")
                shown.add(n.key)
    for k in range(depth, 0, -1):
        lines.append(f"{'  ' * k}end")
    lines += [f"  {_node(n, names[n.key])}" for n in spec.nodes if n.key not in shown]
    lines += [f"  {_edge(e, names)}" for e in spec.edges if e.source and e.source != e.target]
    return "\n".join([*lines, ""])


def _node(n: Node, name: str) -> str:
    first, last = _SHAPES[n.shape]
    words = _words(n.label.replace("\n", "") + n.superscript + (f" {n.note}" if n.note else ""))
    return f'{name}{first}"{words or " "}"{last}'


def _edge(e: Edge, names: dict[str, str]) -> str:
    if e.dashed:
        arrow = "<-.->" if e.both else "-.-" if e.headless else "-.->"
    else:
        arrow = "<-->" if e.both else "---" if e.headless else "-->"
    label = f'|"{_words(e.label)}"|' if e.label else ""
    return f"{names[e.source]} {arrow}{label} {names[e.target]}"


def _words(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


def _line(text: str) -> str:
    return text.replace("\n", " ").replace(";", ",")
