"""Responses that depend on some of the discrete variables alone are evaluated in the states of these, not of all.

Given all states the responses are independent: their log densities add up. With two waves of a latent transition model
a response of the first wave is in as many states as the first class variable has, whatever the second is in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod

import numpy as np

from semlang.estimation.conditioning.conditions import Conditions
from semlang.graph.condition import discrete_variables
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable, Row

__all__ = ["Piece", "pieces_of"]

WHOLE = 2000
"""What an evaluation costs beside its rows, in rows."""


@dataclass(frozen=True)
class Piece:
    """Some responses in one configuration of what they depend on.

    Parameters
    ----------
    index : tuple of int
        State, from 0, of each discrete variable; -1 for those that the responses do not depend on.
    configuration : int
        Number of a configuration in which they are so.
    responses : frozenset of str or None
        Keys; None for all.
    """

    index: tuple[int, ...]
    configuration: int
    responses: frozenset[str] | None = None

    @property
    def place(self) -> tuple[slice | int, ...]:
        """Where it stands in an array over all states."""
        return tuple(slice(None) if i < 0 else i for i in self.index)


def pieces_of(
    table: ParameterTable, group: int, conditions: Conditions, forms: Sequence[ReducedForm], rows: dict[str, int]
) -> tuple[Piece, ...]:
    """Cut the responses into pieces, where that costs less than all of them in every configuration.

    Where latent variables or residual covariances are left that responses share, or nodes and filled-in responses make
    copies of the data, there is one piece a configuration.

    Parameters
    ----------
    table : ParameterTable
    group : int
    conditions : Conditions
    forms : sequence of ReducedForm
        What is left in each configuration.
    rows : dict from key to int
        Number of observed values of each response.
    """
    own = [Piece(c.index, n) for n, c in enumerate(conditions.configurations)]
    joined = any(r.op == "~~" and r.target != r.source for c in conditions.configurations for r in c.table.rows)
    if len(conditions.sizes) < 2 or conditions.nodes or conditions.fills or joined:
        return tuple(own)
    if any(form.disturbances for form in forms):
        return tuple(own)
    parts: dict[frozenset[int], set[str]] = {}
    for key in forms[0].responses:
        parts.setdefault(_axes(table, group, conditions, key), set()).add(key)

    def cost(axes: frozenset[int], keys: Collection[str]) -> int:
        return prod(conditions.sizes[a] for a in axes) * (WHOLE + sum(rows[k] for k in keys))

    while len(parts) > 1:
        pairs = list(combinations(parts, 2))
        saved = [cost(a, parts[a]) + cost(b, parts[b]) - cost(a | b, parts[a] | parts[b]) for a, b in pairs]
        best = int(np.argmax(saved))
        if saved[best] <= 0:
            break
        a, b = pairs[best]
        keys = parts.pop(a) | parts.pop(b)
        parts.setdefault(a | b, set()).update(keys)
    if set(parts) == {frozenset(range(len(conditions.sizes)))}:
        return tuple(own)
    number = {p.index: p.configuration for p in own}
    out = []
    for axes, keys in parts.items():
        for chosen in product(*(range(n) if a in axes else (-1,) for a, n in enumerate(conditions.sizes))):
            out.append(Piece(chosen, number[tuple(max(i, 0) for i in chosen)], frozenset(keys)))
    return tuple(out)


def _axes(table: ParameterTable, group: int, conditions: Conditions, key: str) -> frozenset[int]:
    """Return the discrete variables that the distribution of a response depends on, also by way of latent variables."""
    shared = discrete_variables(table)
    axis = {k: a for a, first in enumerate(conditions.discrete) for k in shared[first]}
    into: dict[str, list[Row]] = {}
    for row in table.rows:
        if row.group == group:
            into.setdefault(row.target, []).append(row)
    found: set[int] = set()
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        k = waiting.pop()
        if k in seen:
            continue
        seen.add(k)
        for row in into.get(k, ()):
            named = (row.class_variable, row.source, *row.moderators, *(x for x, _ in row.also))
            found |= {axis[x] for x in named if x in axis}
            waiting += [x for x in named if x in table.variables and x not in axis]
    return frozenset(found)
