"""Places by Graphviz: its layouts beside semlang's own."""

from __future__ import annotations

import re
import subprocess

from semlang.diagnostics import error
from semlang.diagram.content import Content
from semlang.diagram.sizes import sized
from semlang.diagram.spec import Point
from semlang.errors import SemlangError


def engine_places(parts: Content, engine: str, way: str) -> dict[str, Point]:
    """Return where a program of Graphviz puts the nodes: centres in points, y growing downwards.

    Parameters
    ----------
    parts : Content
    engine : str
        A program of Graphviz.
    way : {'auto', 'down', 'right'}

    Raises
    ------
    SemlangError
        ``no-graphviz`` where it is not installed.
    """
    keys = [k for k, n in parts.nodes.items() if n.shape != "point"]
    number = {k: f"n{i}" for i, k in enumerate(keys)}
    lines = [
        f"digraph model {{ graph [rankdir={'LR' if way == 'right' else 'TB'}, ranksep=0.8, nodesep=0.4, overlap=false,",
        'sep=0.3, splines=false, start=1]; node [shape=box, fixedsize=true, label=""];',
    ]
    for k in keys:
        n = sized(parts.nodes[k])
        lines.append(f"{number[k]} [width={n.width / 72 + 0.2:.3f}, height={n.height / 72 + 0.2:.3f}];")
    for e in parts.edges:
        for source, target in _between(parts, e.source, e.target):
            lines.append(f"{number[source]} -> {number[target]}{' [constraint=false]' if e.both else ''};")
    text = _run("\n".join([*lines, "}"]), engine)
    found = dict(re.findall(r"^node (n\d+) (\S+ \S+)", text, re.MULTILINE))
    out = {}
    for k in keys:
        x, y = (float(v) * 72.0 for v in found[number[k]].split())
        out[k] = (x, -y)
    top, left = min(v for _, v in out.values()), min(u for u, _ in out.values())
    return {k: (u - left, v - top) for k, (u, v) in out.items()}


def _between(parts: Content, source: str, target: str) -> list[tuple[str, str]]:
    """Return an edge between nodes that are no dots: those of a product stand for it, and an arrow onto a path ends."""
    sources = parts.products.get(source, (source,))
    target = parts.dots[target][1] if target in parts.dots else target
    return [] if target in parts.products else [(s, target) for s in dict.fromkeys(sources) if s != target]


def _run(text: str, engine: str) -> str:
    try:
        import pygraphviz

        graph = pygraphviz.AGraph(string=text)
        return bytes(graph.draw(format="plain", prog=engine)).decode()
    except (ImportError, OSError, ValueError):
        pass
    try:
        run = [engine, "-Tplain"]
        return subprocess.run(run, input=text, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        raise SemlangError(
            [
                error(
                    "no-graphviz",
                    f"neither pygraphviz nor an installed Graphviz could place the diagram by {engine}",
                    notes=(str(problem).split("\n")[0],),
                    help=("pip install pygraphviz", "or leave out 'layout', which needs neither"),
                )
            ]
        ) from None
