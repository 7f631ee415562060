"""Bow-free recursive models and instrumental variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx


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
    without = full.copy()
    without.remove_edge(cause, effect)
    for z in nodes:
        if z in (cause, effect) or nx.has_path(full, effect, z):
            continue
        if nx.is_d_separator(without, {z}, {effect}, set()) and not nx.is_d_separator(full, {z}, {cause}, set()):
            return z
    return None


def _canonical(
    nodes: Sequence[str], edges: Sequence[tuple[str, str]], joint: Sequence[frozenset[str]]
) -> nx.DiGraph[str]:
    """Return the directed graph in which a correlation is a hidden common cause."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    for i, pair in enumerate(joint):
        for end in pair:
            graph.add_edge(f"<{i}>", end)
    return graph
