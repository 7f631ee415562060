"""What a text says of the drawing, put into plans: rows, columns, order, sides and direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from semlang.diagram.content import Content
from semlang.diagram.plan import Plan
from semlang.model.table import Layout


def keys_of(parts: Content, names: Sequence[str]) -> list[str]:
    """Return the keys of the nodes that names of a ``layout:`` line mean, those that are drawn.

    Parameters
    ----------
    parts : Content
    names : sequence of str
    """
    out: list[str] = []
    for name in names:
        if name in parts.nodes:
            out.append(name)
            continue
        covariate = [k for k in parts.nodes if k == f"covariate {name}"]
        out += covariate or [k for k in parts.nodes if k.split("[")[0] == name]
    return list(dict.fromkeys(out))


def places_of(parts: Content, layout: Layout) -> dict[str, tuple[float, float]]:
    """Return the places that the text gives, by keys of nodes."""
    return {key: place for name, place in layout.at.items() for key in keys_of(parts, [name])}


def hinted(plans: Iterable[Plan], parts: Content, layout: Layout) -> list[Plan]:
    """Return plans that follow what the text says; what it leaves open is as it was.

    Rows or columns that are given make one plan of the first. ``above``, ``below``, ``left`` and ``right`` put
    variables into rows of their own before or after all others, or, along the rows, at an end of theirs.

    Parameters
    ----------
    plans : iterable of Plan
    parts : Content
    layout : Layout
    """
    if not (layout.rows or layout.columns or layout.order or layout.sides):
        return list(plans)
    first = list(plans)
    if layout.rows or layout.columns:
        first = [_given(first[0], parts, layout)]
    order = keys_of(parts, layout.order)
    sides = {k: side for name, side in layout.sides.items() for k in keys_of(parts, [name])}
    return [_sided(_in_order(p, order), sides) for p in first]


def _given(plan: Plan, parts: Content, layout: Layout) -> Plan:
    """Return a plan with the rows, or columns, that are given; the others go before or after what they belong to."""
    rows = [keys_of(parts, names) for names in layout.rows]
    columns = [keys_of(parts, names) for names in layout.columns]
    grid = {k: c for c, keys in enumerate(columns) for k in keys}
    if not rows:
        given, turned = columns, True
    else:
        given, turned = rows, layout.direction == "right"
    seen: set[str] = set()
    stated = []
    for row in given:
        stated.append([k for k in row if k not in seen and k in parts.nodes])
        seen |= set(row)
    where = {k: float(r) for r, row in enumerate(stated) for k in row}
    before = plan.row_of | {k: plan.row_of[b] for b, keys in plan.hanging.items() for k in keys}
    left = [[k for k in _with_hanging(row, plan) if k not in where] for row in plan.rows]
    out = [(float(r), row) for r, row in enumerate(stated)]
    for r, row in enumerate(left):
        if row:
            out.append((_spot(row, r, where, before, parts), row))
    out.sort(key=lambda item: item[0])
    final = [row for _, row in out if row]
    if grid and rows:
        place = {k: n for row in final for n, k in enumerate(row)}
        final = [sorted(row, key=lambda k: (grid.get(k, _middle(grid)), place[k])) for row in final]
    held = {k for row in given for k in row}
    return Plan("given", final, turned, columns=grid if rows else {}, held=held)


def _middle(grid: Mapping[str, int]) -> float:
    """Return the middle of the columns."""
    return (max(grid.values()) + min(grid.values())) / 2


def _with_hanging(row: Sequence[str], plan: Plan) -> list[str]:
    return [*row, *(c for k in row for c in plan.hanging.get(k, ()))]


def _spot(row: Sequence[str], r: int, where: Mapping[str, float], before: Mapping[str, int], parts: Content) -> float:
    """Return the place of a row that is not given among those that are: beside what it is connected with."""
    own = set(row)
    spots = []
    for e in parts.edges:
        for a, b in ((e.source, e.target), (e.target, e.source)):
            if a in own and b in where:
                spots.append(where[b] + (0.5 if before[a] > before[b] else -0.5))
    if not spots:
        return 1e6 + r
    return sum(spots) / len(spots) + 0.001 * r


def _in_order(plan: Plan, order: Sequence[str]) -> Plan:
    """Return a plan whose rows keep a given order of some of their nodes."""
    if not order:
        return plan
    rank = {k: n for n, k in enumerate(order)}

    def sort(row: Sequence[str]) -> list[str]:
        queue = iter(sorted((k for k in row if k in rank), key=rank.__getitem__))
        return [next(queue) if k in rank else k for k in row]

    hanging = {k: sort(keys) for k, keys in plan.hanging.items()}
    return replace(plan, rows=[sort(r) for r in plan.rows], hanging=hanging, held=plan.held | set(order))


def _sided(plan: Plan, sides: Mapping[str, str]) -> Plan:
    if not sides:
        return plan
    first, last = ("left", "right") if plan.turned else ("above", "below")
    start, end = ("above", "below") if plan.turned else ("left", "right")
    hanging = {k: [c for c in keys if c not in sides] for k, keys in plan.hanging.items() if k not in sides}
    freed = [c for k, keys in plan.hanging.items() if k in sides for c in keys if c not in sides]
    rows = [[k for k in row if sides.get(k) not in (first, last)] for row in plan.rows]
    rows = [
        [
            *(k for k in row if sides.get(k) == start),
            *(k for k in row if sides.get(k) not in (start, end)),
            *(k for k in row if sides.get(k) == end),
        ]
        for row in rows
    ]
    ahead = [k for k, side in sides.items() if side == first]
    behind = [k for k, side in sides.items() if side == last]
    rows = [r for r in (ahead, *rows, freed, behind) if r]
    return replace(plan, rows=rows, hanging={k: v for k, v in hanging.items() if v}, held=plan.held | set(sides))
