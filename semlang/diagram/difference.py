"""The difference of two models or two fits in one picture."""

from __future__ import annotations

from dataclasses import replace

from semlang.diagram.content import Content
from semlang.diagram.spec import Edge

BETWEEN = " \u2192 "
"""Between the two words of an edge that both models have."""


def difference(ours: Content, theirs: Content) -> Content:
    """Return what one or both of two models have.

    An edge that ours alone has is marked ``added``, one that theirs alone has ``removed``; where both have it and
    their words differ, theirs stand first: ``0.52 \u2192 0.61``.

    Parameters
    ----------
    ours, theirs : Content
    """
    known = {_ends(e): e for e in theirs.edges}
    own = {_ends(e) for e in ours.edges}
    edges = [_beside(e, known.get(_ends(e))) for e in ours.edges]
    edges += [_removed(e) for key, e in known.items() if key not in own]
    both = {}
    for name in ("residuals", "variances"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        both[name] = {k: _beside(e, other.get(k)) for k, e in mine.items()}
        both[name] |= {k: _removed(e) for k, e in other.items() if k not in mine}
    for key in list(both["variances"]):  # a variance here and a residual there: the residual arrow is drawn
        if key in both["residuals"]:
            del both["variances"][key]
    return Content(
        theirs.nodes | ours.nodes,
        edges,
        both["residuals"],
        both["variances"],
        theirs.dots | ours.dots,
        theirs.products | ours.products,
        ours.measures | theirs.measures,
        ours.thresholds,
    )


def _ends(e: Edge) -> tuple[object, bool]:
    return (frozenset((e.source, e.target)) if e.both else (e.source, e.target)), e.both


def _beside(ours: Edge, theirs: Edge | None) -> Edge:
    if theirs is None:
        return replace(ours, mark="added", title=f"{ours.title} (only here)")
    if ours.label == theirs.label or not (ours.label and theirs.label):
        return replace(ours, label=ours.label or theirs.label)
    return replace(ours, label=f"{theirs.label}{BETWEEN}{ours.label}")


def _removed(edge: Edge) -> Edge:
    return replace(edge, mark="removed", rows=(), span=None, title=f"{edge.title} (only there)")
