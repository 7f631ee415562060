"""What is wrong with a picture, measured on its SVG: it is read again, nothing of the layout is used."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

SVG = "{http://www.w3.org/2000/svg}"
NEAR = 4.0
"""Heads that are nearer than this, in points, stand on one spot."""
LINE = 14.0
"""Edges that are nearer than 1.2 points over more than this length are on one line."""
AREA = 45.0


@dataclass
class Node:
    key: str
    shape: str
    box: Box


@dataclass
class Edge:
    source: str
    target: str
    path: Floats
    heads: list[Floats]
    label: Box | None = None
    text: str = ""


@dataclass
class Picture:
    width: float
    height: float
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    words: list[Box] = field(default_factory=list)


def read(svg: str) -> Picture:
    """Return what an SVG shows."""
    root = ET.fromstring(svg)
    width, height = (float(x) for x in root.attrib["viewBox"].split()[2:])
    out = Picture(width, height)
    for g in root.iter(f"{SVG}g"):
        kind = g.attrib.get("class", "").split()
        if "node" in kind:
            out.nodes.append(_node(g))
        elif "edge" in kind:
            out.edges.append(_edge(g))
        elif "text" in kind or "frame" in kind:
            out.words += [_words(t) for t in g.iter(f"{SVG}text")]
    return out


def _node(g: ET.Element) -> Node:
    for child in g:
        a, tag = child.attrib, child.tag.removeprefix(SVG)
        if tag == "rect":
            x, y, w, h = (float(a[k]) for k in ("x", "y", "width", "height"))
            return Node(g.attrib["data-key"], tag, (x, y, x + w, y + h))
        if tag == "ellipse":
            x, y, rx, ry = (float(a[k]) for k in ("cx", "cy", "rx", "ry"))
            return Node(g.attrib["data-key"], tag if rx > 4 else "point", (x - rx, y - ry, x + rx, y + ry))
        if tag == "polygon":
            p = np.array([[float(v) for v in xy.split(",")] for xy in a["points"].split()])
            return Node(g.attrib["data-key"], tag, (*p.min(axis=0), *p.max(axis=0)))
    raise AssertionError("a node without a shape")


def _edge(g: ET.Element) -> Edge:
    (path,) = g.findall(f"{SVG}path")
    numbers = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", path.attrib["d"])]
    assert re.sub(r"[-\d. ]", "", path.attrib["d"])[0] == "M"
    control = np.array(numbers).reshape(-1, 2)
    line = _samples(control)
    heads = [line[-1]] if "marker-end" in path.attrib else []
    heads += [line[0]] if "marker-start" in path.attrib else []
    out = Edge(g.attrib["data-source"], g.attrib["data-target"], line, heads)
    for text in g.findall(f"{SVG}text"):
        out.label, out.text = _words(text), text.text or ""
    return out


def _samples(control: Floats) -> Floats:
    """Return points at most 2 apart."""
    out = [control[:1]]
    for k in range(0, len(control) - 1, 3):
        a, b, c, d = control[k : k + 4]
        n = max(int(np.abs(np.diff(control[k : k + 4], axis=0)).sum() / 2), 8)
        t = np.linspace(0, 1, n + 1)[1:, None]
        out.append((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d)
    return np.concatenate(out)


def _words(t: ET.Element) -> Box:
    x, y, size = float(t.attrib["x"]), float(t.attrib["y"]), float(t.attrib["font-size"])
    w = 0.56 * size * len("".join(t.itertext()))
    return x - w / 2, y - 0.75 * size, x + w / 2, y + 0.05 * size


def faults(svg: str) -> Counter[str]:
    """Count what makes a picture hard to read."""
    p = read(svg)
    out: Counter[str] = Counter()
    solid = [n for n in p.nodes if n.shape != "point"]
    for a, b in combinations(solid, 2):
        out["boxes overlap"] += _meet(a.box, b.box, 0.5)
    labels = [e.label for e in p.edges if e.label is not None] + p.words
    for c, d in combinations(labels, 2):
        out["labels overlap"] += _meet(c, d, 0.2)
    for c in labels:
        out["label on a box"] += sum(_meet(c, n.box, 0.5) and not _corner(n, c) for n in solid)
        out["out of the picture"] += c[0] < 0 or c[1] < 0 or c[2] > p.width or c[3] > p.height
    for e in p.edges:
        for n in solid:
            if n.key not in (e.source, e.target):
                out["edge through a box"] += bool(_inside(n, e.path).any())
        out["out of the picture"] += bool((e.path < 0).any() or (e.path > (p.width, p.height)).any())
        if e.label is not None:
            out["label at a foreign edge"] += _ambiguous(e, p.edges)
    for words in p.words:
        out["words on an edge"] += any(bool(_in(words, e.path).any()) for e in p.edges)
    heads = [h for e in p.edges for h in e.heads]
    for h, i in combinations(heads, 2):
        out["heads on one spot"] += bool(np.hypot(*(h - i)) < NEAR)
    for e, f in combinations(p.edges, 2):
        out["edges on one line"] += _together(e.path, f.path)
    area = sum((n.box[2] - n.box[0]) * (n.box[3] - n.box[1]) for n in p.nodes)
    out["too large"] += p.width * p.height > AREA * area
    return +out


def crossings(svg: str) -> int:
    """Count the pairs of edges that cross."""
    edges = read(svg).edges
    return sum(_cross(e.path, f.path) for e, f in combinations(edges, 2))


def _cross(a: Floats, b: Floats) -> bool:
    if (a.max(axis=0) < b.min(axis=0)).any() or (b.max(axis=0) < a.min(axis=0)).any():
        return False
    p, r = a[:-1, None], np.diff(a, axis=0)[:, None]
    q, s = b[None, :-1], np.diff(b, axis=0)[None]
    cross = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
    d = q - p
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (d[..., 0] * s[..., 1] - d[..., 1] * s[..., 0]) / cross
        u = (d[..., 0] * r[..., 1] - d[..., 1] * r[..., 0]) / cross
        return bool(((t >= 0) & (t < 1) & (u >= 0) & (u < 1)).any())


def _meet(a: Box, b: Box, slack: float) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > slack and min(a[3], b[3]) - max(a[1], b[1]) > slack


def _corner(n: Node, c: Box) -> bool:
    """Whether words stand at the corner of the box around a round node, outside of it."""
    if n.shape == "rect":
        return False
    x, y = (n.box[0] + n.box[2]) / 2, (n.box[1] + n.box[3]) / 2
    near = np.array([[max(c[0], min(x, c[2])), max(c[1], min(y, c[3]))]])
    return not bool(_inside(n, near).any())


def _inside(n: Node, path: Floats) -> NDArray[np.bool_]:
    x, y = (n.box[0] + n.box[2]) / 2, (n.box[1] + n.box[3]) / 2
    dx = np.abs(path[:, 0] - x) / ((n.box[2] - n.box[0]) / 2 - 0.5)
    dy = np.abs(path[:, 1] - y) / ((n.box[3] - n.box[1]) / 2 - 0.5)
    if n.shape == "rect":
        return np.asarray((dx < 1) & (dy < 1))
    return np.asarray(dx**2 + dy**2 < 1)


def _in(box: Box, path: Floats) -> NDArray[np.bool_]:
    return np.asarray((path[:, 0] > box[0]) & (path[:, 0] < box[2]) & (path[:, 1] > box[1]) & (path[:, 1] < box[3]))


def _ambiguous(e: Edge, edges: list[Edge]) -> bool:
    """Whether a label lies on another edge, or as near to one as to its own."""
    assert e.label is not None
    middle = np.array([(e.label[0] + e.label[2]) / 2, (e.label[1] + e.label[3]) / 2])
    own = np.hypot(*(e.path - middle).T).min()
    for f in edges:
        if f is not e and (_in(e.label, f.path).any() or np.hypot(*(f.path - middle).T).min() <= own):
            return True
    return False


def _together(a: Floats, b: Floats) -> bool:
    """Whether two edges run on one line for a while."""
    if (a.max(axis=0) < b.min(axis=0) - 1).any() or (b.max(axis=0) < a.min(axis=0) - 1).any():
        return False
    low, high = b.min(axis=0) - 1.2, b.max(axis=0) + 1.2
    a = a[((a > low) & (a < high)).all(axis=1)]
    if len(a) < 4:
        return False
    near = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)).min(axis=1) < 1.2
    steps = np.hypot(*np.diff(a, axis=0).T)
    return bool(steps[near[1:] & near[:-1] & (steps < 2.5)].sum() > LINE)
