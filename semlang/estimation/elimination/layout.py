"""What all runs of units have in common: the tables of densities, and which distributions each step multiplies by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.elimination.order import Step, last_first
from semlang.estimation.elimination.outline import Outline

__all__ = ["Layout", "absorptions", "lay_out"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """What all runs have in common.

    Parameters
    ----------
    steps : sequence of Step
    heights : sequence of int
        Number of the level of each step's variable among those that are integrated over, lowest first.
    scopes : sequence of tuple of int
        Variables of each table of densities, in the order of its axes.
    scope_of_type, line_of_type : (T,) ints
        Table of each row type, and its line there.
    """

    steps: tuple[Step, ...]
    heights: tuple[int, ...]
    scopes: tuple[tuple[int, ...], ...]
    scope_of_type: Ints
    line_of_type: Ints


def lay_out(found: Outline, types: int, scopes_of_types: Sequence[frozenset[int]]) -> tuple[Layout, list[Ints]]:
    """Return the layout, and the row types of each table.

    Parameters
    ----------
    found : Outline
    types : int
        Number of row types.
    scopes_of_types : sequence of sets of int
        Variables that the linear predictor of each type depends on.
    """
    steps = found.steps
    turn = {s.variable: n for n, s in enumerate(steps)}
    scopes: dict[tuple[int, ...], int] = {}
    number, line = np.zeros(types, dtype=np.int64), np.zeros(types, dtype=np.int64)
    for t, scope in enumerate(scopes_of_types):
        number[t] = scopes.setdefault(last_first(scope, turn), len(scopes))
    types_of = [np.flatnonzero(number == s).astype(np.int64) for s in range(len(scopes))]
    for here in types_of:
        line[here] = np.arange(here.size)
    heights = tuple(found.heights[s.variable] for s in steps)
    return Layout(steps, heights, tuple(scopes), number, line), types_of


def absorptions(layout: Layout) -> list[list[int]]:
    """Return which distributions each step multiplies by: its own, and later ones where that makes no new axes."""
    steps, heights = layout.steps, layout.heights
    free = set(range(len(steps)))
    out: list[list[int]] = []
    for n, step in enumerate(steps):
        taken = [n] if n in free else []
        if len(step.given) == len(step.rest):
            clique = set(step.clique)
            taken += [
                m for m in sorted(free - {n})
                if heights[m] == heights[n] and {steps[m].variable, *steps[m].given} <= clique
            ]  # fmt: skip
        free -= set(taken)
        out.append(taken)
    return out
