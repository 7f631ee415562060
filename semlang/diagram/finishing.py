"""The last steps of placing, whatever came before: labels, words beside nodes, frames, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from semlang.diagram.bending import bent
from semlang.diagram.content import Content
from semlang.diagram.framing import frames_of
from semlang.diagram.labelling import Labels
from semlang.diagram.spec import DiagramSpec, Edge, Node, Text
from semlang.diagram.trouble import spots, tangled, through
from semlang.model.table import ParameterTable


@dataclass(frozen=True)
class Placed:
    """A placed diagram and how well it reads.

    Parameters
    ----------
    spec : DiagramSpec
    faults : int
        Edges through nodes, labels without a place of their own.
    crossings : int
        Pairs of edges that cross.
    """

    spec: DiagramSpec
    faults: int
    crossings: int


def finish(
    table: ParameterTable, parts: Content, nodes: Sequence[Node], edges: Sequence[Edge], reach: float = math.inf
) -> Placed:
    """Return the diagram of placed nodes and edges, with its labels and frames.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    nodes, edges : placed
        Residuals are among the edges.
    reach : float
        The deepest bow that an edge is given for the sake of its label.
    """
    labels = Labels(nodes, edges, frames_of(table, nodes, edges))
    named = labels.placed()
    if labels.failed:
        others = bent(nodes, edges, labels, reach)
        again = Labels(nodes, others, frames_of(table, nodes, others))
        renamed = again.placed()
        if len(again.failed) < len(labels.failed):
            labels, named = again, renamed
    edges = named
    at = {n.key: n for n in nodes}
    shown = {k: e for k, e in parts.variances.items() if e.label}
    texts = tuple(labels.beside(at[k], Text(e.label, (0, 0), k, e.rows, e.span)) for k, e in shown.items())
    texts += tuple(labels.beside(at[k], Text(", ".join(w), (0, 0), k)) for k, w in parts.thresholds.items())
    frames = frames_of(table, nodes, edges, texts)
    crossed, alike = tangled(labels.lines)
    heads = [e.curve[-1] for e in edges if not e.headless] + [e.curve[0] for e in edges if e.both]
    wrong = labels.failures + through(nodes, edges) + alike + spots(heads)
    spec = DiagramSpec(tuple(nodes), tuple(edges), tuple(frames), texts)
    return Placed(spec, wrong, crossed)
