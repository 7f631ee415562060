"""Place a path diagram: try the plans that suit the graph, and keep the one that reads best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from semlang.diagram.content import Content, content
from semlang.diagram.difference import difference
from semlang.diagram.engines import engine_places
from semlang.diagram.finishing import Placed
from semlang.diagram.freehand import freehand
from semlang.diagram.hints import hinted, keys_of, places_of
from semlang.diagram.options import ENGINES, Options
from semlang.diagram.placing import place
from semlang.diagram.roles import plans
from semlang.diagram.spec import DiagramSpec, Point
from semlang.diagram.titles import describe
from semlang.model.table import ParameterTable

ROOMS = (1.0, 1.3, 1.7, 2.3, 3.0)
"""Distances that are tried, as multiples, until every label has a place of its own."""
LARGE = 20
"""Diagrams of more nodes are not tried with more room after room has not helped; of twice as many, the first plan
without faults is taken."""
SPREAD = 42.0
"""A picture that is more times as large as its boxes is mostly empty."""
PAGE = (720.0, 960.0)
"""Width and height that a picture may have without becoming worse."""


def diagram(
    table: ParameterTable,
    estimates: Mapping[int, float] | None = None,
    style: str | Options = "gllamm",
    group: int = 1,
    stars: Mapping[int, str] | None = None,
    notes: Mapping[str, str] | None = None,
    against: Content | None = None,
) -> DiagramSpec:
    """Return the path diagram of one group, placed.

    Parameters
    ----------
    table : ParameterTable
    estimates : mapping from row id to float, optional
        Shown in place of the labels of parameters.
    style : str or Options
        ``gllamm``, ``ram``, ``lisrel``, or everything that can be chosen.
    group : int
        Number of the group, from 1.
    stars : mapping from row id to str, optional
        What stands after an estimate.
    notes : mapping from key of a variable to str, optional
        What stands in the second line of its node.
    against : Content, optional
        The other model of a difference.
    """
    chosen = style if isinstance(style, Options) else Options(style)
    parts = content(table, estimates, group, chosen, stars)
    for key, said in (notes or {}).items():
        if key in parts.nodes:
            node = parts.nodes[key]
            parts.nodes[key] = replace(node, note=", ".join(x for x in (node.note, said) if x))
    if against is not None:
        parts = difference(parts, against)
    title = group_title(table, group) if len(table.groups) > 1 else ""
    if not parts.nodes:
        return DiagramSpec((), (), title=title, style=chosen.style)
    spec = arranged(table, parts, chosen).spec
    said = describe(table, spec.nodes, spec.edges)
    return replace(spec, title=title, style=chosen.style, description=said)


def group_title(table: ParameterTable, group: int) -> str:
    """Return what a group is called in a picture: its column and its label."""
    return f"{table.group_column or 'group'}: {table.groups[group - 1]}"


def arranged(table: ParameterTable, parts: Content, chosen: Options) -> Placed:
    """Return the diagram placed as is asked for: by roles, as the text says, or where Graphviz puts the nodes.

    Where the text gives the places of some nodes, the others stay where they are without it.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    chosen : Options
    """
    way = chosen.direction if chosen.direction != "auto" else table.layout.direction or chosen.way
    at = places_of(parts, table.layout) | {k: p for n, p in chosen.at.items() for k in keys_of(parts, [n])}
    if chosen.layout in ENGINES:
        start = engine_places(parts, chosen.layout, way)
    elif at:
        start = (
            {}
            if all(k in at for k, n in parts.nodes.items() if n.shape != "point")
            else _centres(best(table, parts, way).spec)
        )
    else:
        return best(table, parts, way)
    placed = freehand(table, parts, at, start)
    return replace(placed, spec=replace(placed.spec, pinned=True))


def _centres(spec: DiagramSpec) -> dict[str, Point]:
    """Return the centres of nodes in points from the upper left corner; dots follow their paths."""
    left, _, _, top = spec.bounds
    return {n.key: (n.x - left, top - n.y) for n in spec.nodes if n.shape != "point"}


def best(table: ParameterTable, parts: Content, way: str = "auto") -> Placed:
    """Return the diagram placed by the plan that reads best.

    Plans come in the order of preference: one without faults wins unless a later one has clearly fewer crossings or
    is much smaller.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    way : {'auto', 'down', 'right'}
        Direction in which rows follow one another.
    """
    chosen: Placed | None = None
    least = float("inf")
    tried = hinted(plans(table, parts), parts, table.layout)
    asked = [p for p in tried if way == "auto" or p.turned == (way == "right")]
    for n, plan in enumerate(asked or [replace(p, turned=not p.turned) for p in tried]):
        fine = chosen is not None and not chosen.faults and len(parts.nodes) > 2 * LARGE
        if least <= 12.0 * n or fine:
            break
        for room in ROOMS:
            placed = place(table, parts, plan, room)
            cost = 12.0 * n + _cost(placed)
            better = cost < least
            if better:
                chosen, least = placed, cost
            if not placed.faults or cost - 100.0 * placed.faults >= least:
                break
            if not better and len(parts.nodes) > LARGE:
                break
    assert chosen is not None
    return chosen


def _cost(placed: Placed) -> float:
    left, bottom, right, top = placed.spec.bounds
    size = max(
        (right - left) / PAGE[0], (top - bottom) / PAGE[1], (right - left) * (top - bottom) / (PAGE[0] * 500), 1.0
    )
    boxes = sum(n.width * n.height for n in placed.spec.nodes)
    spread = (right - left) * (top - bottom) / max(boxes, 1.0)
    return 100.0 * (placed.faults + (spread > SPREAD)) + 2.0 * placed.crossings + 30.0 * (size - 1.0)
