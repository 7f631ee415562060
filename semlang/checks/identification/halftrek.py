"""The half-trek criterion, by maximum flow.

Foygel, Draisma and Drton (2012), Half-trek criterion for generic identifiability of linear structural equation models,
Annals of Statistics 40, 1682-1713, theorem 1 and section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from semlang.checks.identification.flow import unit_flow


def half_trek(
    nodes: Sequence[str], edges: Iterable[tuple[str, str]], joint: Iterable[frozenset[str]]
) -> tuple[str, ...]:
    """Return the nodes whose incoming coefficients are identified at generic points.

    Parameters
    ----------
    nodes : sequence of str
        Observed variables.
    edges : iterable of (cause, effect)
    joint : iterable of {a, b}
        Correlated disturbances.

    Examples
    --------
    An instrument: z -> x -> y with correlated disturbances of x and y.

    >>> half_trek("zxy", [("z", "x"), ("x", "y")], [frozenset("xy")])
    ('z', 'x', 'y')
    >>> half_trek("xy", [("x", "y")], [frozenset("xy")])
    ('x',)
    """
    parents: dict[str, list[str]] = {v: [] for v in nodes}
    children: dict[str, list[str]] = {v: [] for v in nodes}
    siblings: dict[str, set[str]] = {v: set() for v in nodes}
    for a, b in edges:
        parents[b].append(a)
        children[a].append(b)
    for pair in joint:
        a, b = tuple(pair)
        siblings[a].add(b)
        siblings[b].add(a)
    reached = {v: half_trek_reachable(v, children, siblings) for v in nodes}
    solved = {v for v in nodes if not parents[v]}
    changed = True
    while changed:
        changed = False
        for v in nodes:
            if v in solved:
                continue
            allowed = {w for w in nodes if w != v and w not in siblings[v] and (w in solved or w not in reached[v])}
            if _flow(v, allowed, parents, siblings) == len(parents[v]):
                solved.add(v)
                changed = True
    return tuple(v for v in nodes if v in solved)


def half_trek_reachable(
    v: str, children: Mapping[str, Sequence[str]], siblings: Mapping[str, set[str]]
) -> frozenset[str]:
    """Return the nodes reached from v by a half-trek: down, or over one correlation and then down."""
    found: set[str] = set()
    stack = [*children[v], *siblings[v]]
    while stack:
        w = stack.pop()
        if w not in found:
            found.add(w)
            stack += children[w]
    return frozenset(found)


def _flow(v: str, allowed: set[str], parents: Mapping[str, Sequence[str]], siblings: Mapping[str, set[str]]) -> int:
    """Return the largest number of half-treks without sided intersection from allowed nodes to the parents of v.

    Section 6: source -> L(a) for allowed a; L(a) -> R(b) for b = a or a correlated b; R(a) -> R(b) for a -> b;
    R(p) -> sink for the parents p of v; every node has capacity 1.
    """
    arcs: list[tuple[str, str]] = []
    for w in parents:
        arcs.append((f"R<{w}", f"R>{w}"))
        arcs += ((f"R>{p}", f"R<{w}") for p in parents[w])
    for a in allowed:
        arcs.append(("source", f"L<{a}"))
        arcs += ((f"L<{a}", f"R<{b}") for b in (a, *siblings[a]))
    arcs += ((f"R>{p}", "sink") for p in parents[v])
    return unit_flow(arcs, "source", "sink")
