"""The latent-factor half-trek criterion: direct effects between observed variables beside hidden common causes.

Barber, Drton, Sturma and Weihs (2022), Half-trek criterion for identifiability of latent variable models, Annals of
Statistics 50, 3174-3196, definition 3.2 and theorem 3.7.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from semlang.checks.identification.flow import unit_flow

LARGEST = 8
MOST_LATENT = 2


def latent_factor_half_trek(
    observed: Sequence[str], latent: Sequence[str], edges: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """Return observed nodes whose incoming coefficients from observed nodes are identified at generic points.

    Latent variables must be independent sources. The search over sets (Y, Z, H) has a cap: nothing is claimed for
    graphs with more than 8 observed variables; at most 2 latent variables are used at a time.
    """
    if len(observed) > LARGEST:
        return ()
    causes: dict[str, list[str]] = {v: [] for v in observed}
    hidden: dict[str, set[str]] = {v: set() for v in observed}
    children: dict[str, list[str]] = {v: [] for v in (*observed, *latent)}
    known = set(observed)
    for a, b in edges:
        if b not in known:
            return ()
        children[a].append(b)
        if a in known:
            causes[b].append(a)
        else:
            hidden[b].add(a)
    solved = {v for v in observed if not causes[v]}
    changed = True
    while changed:
        changed = False
        for v in observed:
            if v not in solved and _solvable(v, observed, latent, causes, hidden, children, solved):
                solved.add(v)
                changed = True
    return tuple(v for v in observed if v in solved)


def _reachable(
    starts: Iterable[str],
    excluded: frozenset[str],
    hidden: Mapping[str, set[str]],
    children: Mapping[str, Sequence[str]],
) -> set[str]:
    """Return nodes reached by latent-factor half-treks that do not use the latent variables in `excluded`."""
    found: set[str] = set()
    stack: list[str] = []
    for v in starts:
        stack += children[v]
        for h in hidden[v] - excluded:
            stack += children[h]
    while stack:
        w = stack.pop()
        if w not in found:
            found.add(w)
            stack += children[w]
    return found


def _solvable(
    v: str,
    observed: Sequence[str],
    latent: Sequence[str],
    causes: Mapping[str, Sequence[str]],
    hidden: Mapping[str, set[str]],
    children: Mapping[str, Sequence[str]],
    solved: set[str],
) -> bool:
    for size in range(min(MOST_LATENT, len(latent)) + 1):
        for factors in itertools.combinations(latent, size):
            used = frozenset(factors)
            pool = [z for z in observed if z != v and z in solved and z not in causes[v]]
            for third in itertools.combinations(pool, size):
                reached = _reachable((*third, v), used, hidden, children)
                shared = set().union(*(hidden[z] for z in (*third, v)))
                allowed = [
                    y
                    for y in observed
                    if y != v and y not in third and hidden[y] & shared <= used and (y in solved or y not in reached)
                ]
                if len(allowed) >= len(causes[v]) + size and _system(
                    allowed, third, used, causes[v], causes, hidden, children
                ):
                    return True
    return False


def _system(
    allowed: Sequence[str],
    third: Sequence[str],
    used: frozenset[str],
    targets: Sequence[str],
    causes: Mapping[str, Sequence[str]],
    hidden: Mapping[str, set[str]],
    children: Mapping[str, Sequence[str]],
) -> bool:
    """Return whether half-treks without sided intersection join allowed nodes to `third` and `targets`.

    Those that end in `third` have the form y <- h -> z with h used. The left side of y <- h -> w is {y, h}, its right
    side {w, ...}: a latent variable is used once.
    """
    for pairing in itertools.permutations(sorted(used), len(third)):
        if any(h not in hidden[z] for h, z in zip(pairing, third, strict=True)):
            continue
        arcs: list[tuple[str, str]] = []
        for y in allowed:
            arcs += (("source", f"L{y}"), (f"L{y}", f"R<{y}"))
            arcs += ((f"L{y}", f"H<{h}") for h in hidden[y])
        for h in {h for s in hidden.values() for h in s}:
            arcs.append((f"H<{h}", f"H>{h}"))
            if h in pairing:
                arcs.append((f"H>{h}", "sink"))
            else:
                arcs += ((f"H>{h}", f"R<{w}") for w in children[h])
        for w in causes:
            if w in third:
                continue
            arcs.append((f"R<{w}", f"R>{w}"))
            arcs += ((f"R>{p}", f"R<{w}") for p in causes[w] if p not in third)
        arcs += ((f"R>{p}", "sink") for p in targets)
        if unit_flow(arcs, "source", "sink") == len(third) + len(targets):
            return True
    return False
