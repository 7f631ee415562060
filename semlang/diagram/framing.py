"""Frames of levels: each holds what varies over its units, and the frames of lower levels."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagram.labelling import points
from semlang.diagram.letters import width
from semlang.diagram.spec import LABEL, LEVEL, Edge, Frame, Node, Text
from semlang.model.table import ROWS, ParameterTable

PAD = 14.0
"""Room between a frame and what is in it."""
NAME = 14.0
"""Room for the name of a level, at the lower edge."""


def frames_of(
    table: ParameterTable, nodes: Sequence[Node], edges: Sequence[Edge], texts: Sequence[Text] = ()
) -> list[Frame]:
    """Return the frames, from the outermost to the innermost; there are none without clusters.

    Parameters
    ----------
    table : ParameterTable
    nodes, edges, texts : placed
    """
    if not table.clusters:
        return []
    place = {level: k for k, level in enumerate(table.levels)}
    level_of = {n.key: place[n.level] for n in nodes}
    out: list[Frame] = []
    for k, level in enumerate(table.levels):
        inside = [n for n in nodes if place[n.level] <= k]
        if not any(place[n.level] == k for n in nodes):
            continue
        boxes = [(n.x - n.width / 2, n.y - n.height / 2, n.x + n.width / 2, n.y + n.height / 2) for n in inside]
        for e in edges:
            if max(level_of.get(e.source, 0), level_of[e.target]) <= k:
                path = points(e.curve)
                boxes.append((*path.min(axis=0), *path.max(axis=0)))
                if e.place is not None:
                    boxes.append(_around(e.label, e.place))
        boxes += [_around(t.label, t.place) for t in texts if level_of[t.key] <= k]
        left, low = (float(min(b[i] for b in boxes)) - PAD for i in (0, 1))
        right, high = (float(max(b[i] for b in boxes)) + PAD for i in (2, 3))
        if out:
            left, low = min(left, out[0].left - PAD), min(low, out[0].bottom - PAD)
            right, high = max(right, out[0].right + PAD), max(high, out[0].top + PAD)
        short = max(width(level, LEVEL) + 24.0 - (right - left), 0.0)
        out.insert(0, Frame(level, level, left - short / 2, low - NAME, right + short / 2, high))
    return out if len(out) > 1 or (out and out[0].level != ROWS) else []


def _around(label: str, place: tuple[float, float]) -> tuple[float, float, float, float]:
    w = width(label, LABEL)
    return place[0] - w / 2, place[1] - 6, place[0] + w / 2, place[1] + 6
