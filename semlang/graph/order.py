"""The order in which B is strictly upper triangular, or the cycle for which there is none."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from semlang.graph.model_graph import ModelGraph


def triangular_order(graph: ModelGraph, keys: Collection[str] | None = None) -> tuple[str, ...]:
    """Return variables lowest level first and, within a level, effects before causes.

    Ties are settled by first appearance: the order is the lexicographically smallest one. Indirect effects
    through variables that are not among `keys` count too.

    Parameters
    ----------
    graph : ModelGraph
    keys : collection of str, optional
        The variables to order; the latent variables and components by default.

    Raises
    ------
    ValueError
        If there is a cycle.
    """
    wanted = frozenset(graph.latents if keys is None else keys)
    if wanted not in graph.orders:
        graph.orders[wanted] = _triangular(graph, wanted)
    return graph.orders[wanted]


def _triangular(graph: ModelGraph, wanted: frozenset[str]) -> tuple[str, ...]:
    cycle = find_cycle(graph.causes)
    if cycle is not None:
        raise ValueError("the paths are cyclic: " + " -> ".join(cycle))
    order: list[str] = []
    rank = {key: i for i, key in enumerate(graph.table.variables)}
    above = _ancestors(graph.causes)
    for level in graph.table.levels:
        members = [k for k in rank if k in wanted and graph.table.variables[k].level == level]
        inside = set(members)
        waiting = dict.fromkeys(members, 0)
        for k in members:
            for cause in above[k] & inside:
                waiting[cause] += 1
        ready = [rank[k] for k in members if waiting[k] == 0]
        heapq.heapify(ready)
        names = list(rank)
        while ready:
            key = names[heapq.heappop(ready)]
            order.append(key)
            for cause in above[key] & inside:
                waiting[cause] -= 1
                if waiting[cause] == 0:
                    heapq.heappush(ready, rank[cause])
    return tuple(order)


def find_cycle(causes: Mapping[str, Collection[str]]) -> tuple[str, ...] | None:
    """Return a cycle from cause to effect, its first variable repeated at the end, or None.

    The cycle is a shortest one through the variable that appears first among all that lie on a cycle.

    Examples
    --------
    >>> find_cycle({"a": ["c"], "b": ["a"], "c": ["b"]})
    ('a', 'b', 'c', 'a')
    >>> find_cycle({"a": [], "b": ["a"]})
    """
    left = _core(causes)
    for start in causes:
        if start not in left:
            continue
        # breadth first from effect to cause, back to the start
        effect: dict[str, str] = {}
        queue = [start]
        for key in queue:
            for cause in causes.get(key, ()):
                if cause == start:
                    path = [start, key]
                    while path[-1] != start:
                        path.append(effect[path[-1]])
                    return tuple(path)
                if cause in left and cause not in effect:
                    effect[cause] = key
                    queue.append(cause)
    return None


def cyclic_parts(causes: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], ...]:
    """Return one cycle for each set of variables that are joined by cycles.

    Examples
    --------
    >>> cyclic_parts({"a": ["b"], "b": ["a"], "c": ["c"], "d": ["a"]})
    (('a', 'b', 'a'), ('c', 'c'))
    """
    found = []
    remaining = {k: tuple(v) for k, v in causes.items()}
    while (cycle := find_cycle(remaining)) is not None:
        found.append(cycle)
        above, below = _reach(remaining, cycle[0]), _reach(_reverse(remaining), cycle[0])
        gone = above & below | {cycle[0]}
        remaining = {k: tuple(c for c in v if c not in gone) for k, v in remaining.items() if k not in gone}
    return tuple(found)


def _core(causes: Mapping[str, Collection[str]]) -> set[str]:
    """Return what is left after variables without causes have been taken away, again and again."""
    effects = _reverse(causes)
    count = {k: len(set(v)) for k, v in causes.items()}
    free = [k for k in count if count[k] == 0]
    for key in free:
        for effect in effects.get(key, ()):
            count[effect] -= 1
            if count[effect] == 0:
                free.append(effect)
    return set(count) - set(free)


def _reverse(causes: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    out: dict[str, list[str]] = {k: [] for k in causes}
    for key, above in causes.items():
        for cause in dict.fromkeys(above):
            out.setdefault(cause, []).append(key)
    return {k: tuple(v) for k, v in out.items()}


def _reach(step: Mapping[str, Collection[str]], start: str) -> set[str]:
    seen: set[str] = set()
    queue = [start]
    while queue:
        for nxt in step.get(queue.pop(), ()):
            if nxt not in seen:
                seen.add(nxt)
                queue.append(nxt)
    return seen


def _ancestors(causes: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Return all causes, direct and indirect (the graph has no cycle)."""
    found: dict[str, set[str]] = {}
    for start in causes:
        stack = [start]
        while stack:
            key = stack[-1]
            todo = [c for c in causes[key] if c not in found]
            if key in found or not todo:
                stack.pop()
                found[key] = set(causes[key]).union(*(found[c] for c in causes[key]))
            else:
                stack += todo
    return found


def causes_first(causes: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return all variables with causes before effects, ties by first appearance; raise ValueError on a cycle.

    Examples
    --------
    >>> causes_first({"y": ["f"], "f": ["x"], "x": [], "z": []})
    ('x', 'f', 'y', 'z')
    """
    rank = {key: i for i, key in enumerate(causes)}
    names = list(causes)
    effects = _reverse(causes)
    count = {k: len(set(v)) for k, v in causes.items()}
    ready = [i for k, i in rank.items() if count[k] == 0]
    order: list[str] = []
    while ready:
        key = names[heapq.heappop(ready)]
        order.append(key)
        for effect in effects[key]:
            count[effect] -= 1
            if count[effect] == 0:
                heapq.heappush(ready, rank[effect])
    if len(order) < len(names):
        cycle = find_cycle(causes)
        raise ValueError("the paths are cyclic: " + " -> ".join(cycle or ()))
    return tuple(order)
