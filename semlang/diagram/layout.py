"""Place a path diagram: levels from top to bottom, factors in rows, indicators beside them, frames around levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from semlang.diagram.content import Content, content
from semlang.diagram.letters import width
from semlang.diagram.routing import Router, arc
from semlang.diagram.rows import Band, bands
from semlang.diagram.spec import LEVEL, NAME, SMALL, DiagramSpec, Edge, Frame, Node, Text
from semlang.diagram.titles import describe
from semlang.model.table import ROWS, ParameterTable

GAP = 20.0
CLEAR = 58.0
"""Room between the rows of a level."""
PAD = 20.0
"""Room between a frame and what is in it."""
RESIDUAL = 26.0
"""Length of a short arrow."""

Place = dict[str, tuple[float, float]]


def diagram(
    table: ParameterTable, estimates: Mapping[int, float] | None = None, style: str = "gllamm", group: int = 1
) -> DiagramSpec:
    """Return the path diagram of one group, placed.

    Parameters
    ----------
    table : ParameterTable
    estimates : mapping from row id to float, optional
        Shown in place of the labels of parameters.
    style : {'gllamm'}
        Frames for clusters, circles for latent variables, boxes for observed ones, short arrows for residuals.
    group : int
        Number of the group, from 1.
    """
    parts = content(table, estimates, group)
    sized = {k: _sized(n) for k, n in parts.nodes.items()}
    stack = bands(table, parts)
    x = _across(parts, sized, stack)
    place, frames = _down(table, parts, sized, stack, x)
    for dot, (cause, target) in parts.dots.items():
        (xa, ya), (xb, yb) = place[cause], place[target]
        place[dot] = (xa + xb) / 2, (ya + yb) / 2
    nodes = {k: replace(n, x=place[k][0], y=place[k][1]) for k, n in sized.items()}
    router = Router(nodes, frames)
    edges: list[Edge] = router.paths(parts.edges, parts.residuals, _down_side(stack))
    shown = {
        k: e for k, e in parts.variances.items() if e.label and (estimates is not None or e.label != "1" or e.dashed)
    }
    texts = tuple(Text(e.label, router.beside(k, e.label), k, e.rows, e.span) for k, e in shown.items())
    title = f"{table.group_column or 'group'}: {table.groups[group - 1]}" if len(table.groups) > 1 else ""
    said = describe(table, tuple(nodes.values()), tuple(edges))
    return DiagramSpec(tuple(nodes.values()), tuple(edges), tuple(frames), texts, title, style, said)


def _sized(node: Node) -> Node:
    if node.shape == "point":
        return replace(node, width=5.0, height=5.0)
    if node.shape == "triangle":
        return replace(node, width=30.0, height=28.0)
    words = max(width(node.label, NAME) + width(node.superscript, SMALL), width(node.note, SMALL))
    if node.shape == "box":
        return replace(node, width=max(40.0, words + 12), height=28.0)
    return replace(node, width=max(46.0, words + 24), height=46.0 if words < 60 else 42.0)


# ------------------------------------------------------------------ across


def _across(parts: Content, nodes: Mapping[str, Node], stack: Sequence[Band]) -> dict[str, float]:
    """Return the horizontal place of every variable; levels from the lowest up, the anchor row of each first."""
    x: dict[str, float] = {}
    for band in reversed(stack):
        order = [band.anchor, *range(band.anchor - 1, -1, -1), *range(band.anchor + 1, len(band.rows))]
        for k in order:
            row = band.rows[k]
            wanted = {key: _mean(parts, key, x) for key in row}
            if k == band.anchor and all(w is None for w in wanted.values()):
                x |= _slots(parts, nodes, row, 40.0 if band.turned else 0.0)
                continue
            known = [w for w in wanted.values() if w is not None]
            middle = sum(known) / len(known) if known else _middle(x)
            desired = {key: middle if w is None else w for key, w in wanted.items()}
            ordered = row if _linked(parts, row) else sorted(row, key=desired.__getitem__)
            x |= _spread(parts, ordered, desired, nodes)
        if band.column:
            row = band.rows[band.beside] if band.rows[0] else []
            left = min((x[key] - nodes[key].width / 2 for key in row), default=0.0)
            right = left - (86.0 if len(row) > 1 or len(band.rows) > 1 else 110.0)
            x |= {key: right - nodes[key].width / 2 for key in band.column}
    return x


def _mean(parts: Content, key: str, x: Mapping[str, float]) -> float | None:
    """Return the mean place of the neighbours that have one; indicators count before others."""
    ends = [(e.source, e.target) for e in parts.edges if not e.both]
    x = dict(x)
    for dot, (cause, target) in parts.dots.items():
        if target in x:
            x[dot] = (x.get(cause, x[target]) + x[target]) / 2
    own = [x[t] for s, t in parts.measures if s == key and t in x]
    near = own or [x[t] for s, t in ends if s == key and t in x] or [x[s] for s, t in ends if t == key and s in x]
    return sum(near) / len(near) if near else None


def _linked(parts: Content, row: Sequence[str]) -> bool:
    """Whether variables of a row explain one another: then their order is kept."""
    return any(e.source in row and e.target in row and not e.both for e in parts.edges)


def _middle(x: Mapping[str, float]) -> float:
    return (min(x.values()) + max(x.values())) / 2 if x else 0.0


def _slots(parts: Content, nodes: Mapping[str, Node], row: Sequence[str], more: float = 0.0) -> dict[str, float]:
    """Place a row from the left to the right, with more room between the indicators of different factors."""
    out: dict[str, float] = {}
    at = 0.0
    before: frozenset[str] | None = None
    linked = _linked(parts, row)
    for key in row:
        owner = frozenset(s for s, t in parts.measures if t == key)
        if before is not None:
            at += (60.0 if linked else GAP + more) + (16.0 if owner != before else 0.0)
        out[key] = at + nodes[key].width / 2
        at += nodes[key].width
        before = owner
    return out


def _spread(
    parts: Content, row: Sequence[str], desired: Mapping[str, float], nodes: Mapping[str, Node]
) -> dict[str, float]:
    """Move variables as little as possible (least squares) so that none overlap; their order is kept."""
    gap = GAP + (16.0 if row and nodes[row[0]].shape == "ellipse" else 0.0)
    if any(e.source in row and e.target in row for e in parts.edges):
        gap = 58.0
    offset = [0.0]
    for a, b in pairwise(row):
        offset.append(offset[-1] + (nodes[a].width + nodes[b].width) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for key, o in zip(row, offset, strict=True):
        pools.append((desired[key] - o, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (v, m), (w, n) = pools.pop(), pools.pop()
            pools.append(((v * m + w * n) / (m + n), m + n))
    flat = [v for v, n in pools for _ in range(n)]
    return {key: v + o for key, v, o in zip(row, flat, offset, strict=True)}


# ------------------------------------------------------------------ down


def _down(
    table: ParameterTable, parts: Content, nodes: Mapping[str, Node], stack: Sequence[Band], x: Mapping[str, float]
) -> tuple[Place, list[Frame]]:
    """Return the places and the frames, from the bottom up; frames are nested and drawn where there are clusters."""
    place: Place = {}
    frames: list[Frame] = []
    bottom = 0.0
    for band in reversed(stack):
        tails = _tails(parts, band)
        at = bottom
        for k in range(len(band.rows) - 1, -1, -1):
            row = band.rows[k]
            column = band.column if k == band.beside else []
            tall = max((nodes[key].height for key in row), default=0.0)
            high = max(tall, sum(nodes[key].height + 10.0 for key in column) - 10.0)
            if k == len(band.rows) - 1 and tails:
                at += RESIDUAL + _depth(parts, row, x)
            for key in row:
                place[key] = (x[key], at + high / 2)
            y = at + high / 2 + (sum(nodes[key].height + 10.0 for key in column) - 10.0) / 2
            for key in column:
                place[key] = (x[key], y - nodes[key].height / 2)
                y -= nodes[key].height + 10.0
            at += high + CLEAR + (min(7.0 * len(row), 170.0) if k and _fan(parts, row, band.rows[k - 1]) else 0.0)
        at -= CLEAR
        at += 4.0 + _rise(parts, band.rows[0], x) + (RESIDUAL if _top_tails(parts, band) else 0.0)
        if table.clusters:
            frames.insert(0, _frame(band, nodes, place, frames, bottom, at))
            bottom = frames[0].top + CLEAR - 22.0
        else:
            bottom = at + CLEAR
    return place, _inside_out(frames)


def _frame(
    band: Band, nodes: Mapping[str, Node], place: Place, inner: Sequence[Frame], bottom: float, top: float
) -> Frame:
    keys = [k for row in band.rows for k in row] + band.column
    label = band.level
    left = min(place[k][0] - nodes[k].width / 2 for k in keys) - PAD
    right = max(place[k][0] + nodes[k].width / 2 for k in keys) + PAD
    if inner:
        left, right = min(left, inner[0].left - PAD), max(right, inner[0].right + PAD)
    low = inner[0].bottom - PAD - 14.0 if inner else bottom - PAD - 8.0
    short = width(label, LEVEL) + 24.0 - (right - left)
    return Frame(band.level, label, left - max(short, 0) / 2, low, right + max(short, 0) / 2, top + PAD - 6.0)


def _inside_out(frames: list[Frame]) -> list[Frame]:
    """Return frames from the outermost to the innermost; one alone that holds everything is not drawn."""
    return frames if len(frames) > 1 or (frames and frames[0].level != ROWS) else []


def _fan(parts: Content, row: Sequence[str], above: Sequence[str]) -> bool:
    """Whether the row above measures many variables of this row: they need room for their labels."""
    return len(row) > 6 and any(s in above and t in row for s, t in parts.measures)


def _widest(parts: Content, row: Sequence[str], x: Mapping[str, float]) -> float:
    """Return the widest reach of a covariance inside a row."""
    both = [abs(x[e.source] - x[e.target]) for e in parts.edges if e.both and e.source in row and e.target in row]
    return max(both, default=0.0)


def _depth(parts: Content, row: Sequence[str], x: Mapping[str, float]) -> float:
    """Return the room for covariances below the short arrows of a row."""
    wide = _widest(parts, row, x)
    return arc(wide) + 8.0 if wide else 2.0


def _rise(parts: Content, row: Sequence[str], x: Mapping[str, float]) -> float:
    """Return the room for covariances above a row."""
    wide = _widest(parts, row, x)
    return 22.0 + 0.1 * wide if wide else 0.0


def _tails(parts: Content, band: Band) -> bool:
    row = band.rows[-1]
    return any(k in parts.residuals and parts.nodes[k].shape == "box" for k in row)


def _top_tails(parts: Content, band: Band) -> bool:
    row = band.rows[0]
    return len(band.rows) > 1 and any(k in parts.residuals and parts.nodes[k].shape == "box" for k in row)


def _down_side(stack: Sequence[Band]) -> dict[str, float]:
    """Return where the short arrow of a residual would like to come from: an angle in degrees."""
    out: dict[str, float] = {}
    for band in stack:
        for k, row in enumerate(band.rows):
            for key in row:
                last, first = k == len(band.rows) - 1, k == 0
                out[key] = 270.0 if last else 90.0 if first else 45.0
    return out
