"""Bow-free recursive models and instrumental variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Parents = Mapping[str, frozenset[str]]
"""The causes of each node."""


def is_bow_free(edges: Iterable[tuple[str, str]], joint: Iterable[frozenset[str]]) -> bool:
    """Return whether no pair has both a path and correlated disturbances (B being triangular).

    Brito and Pearl (2002), A new identification condition for recursive models with correlated errors, Structural
    Equation Modeling 9, 459-474: such a model is identified almost everywhere.
    """
    pairs = {frozenset(e) for e in edges}
    return not pairs & set(joint)


def instrument(
    cause: str, effect: str, nodes: Sequence[str], edges: Sequence[tuple[str, str]], joint: Sequence[frozenset[str]]
) -> str | None:
    """Return an instrument for a path: linked to the cause, and to the effect only through this path.

    The coefficient is then cov(z, effect) / cov(z, cause) (Bowden and Turkington 1984; Brito and Pearl 2002).
    """
    full = _canonical(nodes, edges, joint)
    without = {**full, effect: full[effect] - {cause}}
    for z in nodes:
        if z in (cause, effect) or effect in _ancestors(full, z):
            continue
        if _separated(without, z, effect) and not _separated(full, z, cause):
            return z
    return None


def _canonical(nodes: Sequence[str], edges: Sequence[tuple[str, str]], joint: Sequence[frozenset[str]]) -> Parents:
    """Return the directed graph in which a correlation is a hidden common cause."""
    parents: dict[str, set[str]] = {v: set() for v in nodes}
    for a, b in edges:
        parents[b].add(a)
    for i, pair in enumerate(joint):
        parents[f"<{i}>"] = set()
        for end in pair:
            parents[end].add(f"<{i}>")
    return {v: frozenset(found) for v, found in parents.items()}


def _separated(parents: Parents, a: str, b: str) -> bool:
    """Return whether two nodes of a directed graph without cycles are independent: no node is above both."""
    return not _ancestors(parents, a) & _ancestors(parents, b)


def _ancestors(parents: Parents, v: str) -> set[str]:
    """Return a node and all that stands above it."""
    found: set[str] = set()
    stack = [v]
    while stack:
        w = stack.pop()
        if w not in found:
            found.add(w)
            stack += parents[w]
    return found
