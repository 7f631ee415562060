"""What elimination does to one model: scopes of responses, cliques of the latent variables, order, costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semlang.data.design import Design
from semlang.estimation.elimination.order import Step, cliques_of_prior, elimination_order, steps_of_order, widest
from semlang.estimation.factors import blocks_of
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.structural import StructuralForm, structural_form
from semlang.model.table import ParameterTable

__all__ = ["Outline", "outline", "outline_of"]

NODES = {1: (64, 96, 144), 2: (36, 54, 80), 3: (30, 44, 60), 4: (17, 23), 5: (9, 13, 15)}
"""Nodes a dimension by the size of the largest clique: more are taken where the rule's error is not small."""

PRODUCT, CELL, SUM = 6e-10, 1.2e-8, 6e-10
"""Seconds of a multiplication and addition inside a product of matrices, there and back; of a cell of a product of
factors; of adding a line of a table."""

TERMS = 12
"""Rows of a unit in a table, where there are no data."""


@dataclass(frozen=True)
class Outline:
    """How the latent variables of one group are eliminated.

    Parameters
    ----------
    structure : StructuralForm
    keys : tuple of str
        Of the variables.
    levels : tuple of str
        Levels that are integrated over, lowest first.
    heights : tuple of int
        Number of the level of each variable.
    steps : tuple of Step
    seconds : float
        Of one evaluation with its gradient, about.
    """

    structure: StructuralForm
    keys: tuple[str, ...]
    levels: tuple[str, ...]
    heights: tuple[int, ...]
    steps: tuple[Step, ...]
    seconds: float

    @property
    def width(self) -> int:
        """Variables of the largest clique."""
        return widest(self.steps)

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of nodes a dimension, in the order in which they are tried."""
        return NODES[max(self.width, 1)]

    def clique_names(self, step: Step) -> str:
        """Return a step in words."""
        rest = ", ".join(self.keys[j] for j in step.rest)
        return f"{self.keys[step.variable]}" + (f" given {rest}" if rest else "")


def scopes_of(structure: StructuralForm) -> list[frozenset[int]]:
    """Return the variables that each linear predictor depends on."""
    out: list[set[int]] = [set() for _ in structure.form.owners]
    for k, _, j, _ in structure.form.loading_cells.tolist():
        out[k].add(j)
    return [frozenset(s) for s in out]


def outline(
    graph: ModelGraph, order: Sequence[str], units: Sequence[int] | None = None, rows: int = 0
) -> Outline | None:
    """Return the cheapest order of elimination; None where there is none or a clique is too large.

    Parameters
    ----------
    graph : ModelGraph
    order : sequence of str
        All levels, lowest first.
    units : sequence of int, optional
        Number of units of each level.
    rows : int
        Number of observed responses.
    """
    structure = structural_form(graph)
    if structure is None or not structure.form.disturbances:
        return None
    form = structure.form
    blocks = blocks_of(form.psi)
    if len([j for b in blocks for j in b.members]) < len(form.disturbances):
        return None
    levels = tuple(level for level in order if any(d.level == level for d in form.disturbances))
    heights = tuple(levels.index(d.level) for d in form.disturbances)
    scopes = scopes_of(structure)
    prior = cliques_of_prior(structure.parents, (b.members for b in blocks))
    count = [units[order.index(level)] if units is not None else 1 for level in levels]

    for nodes in NODES:
        q = NODES[nodes][0]

        def cost(j: int, rest: frozenset[int], factors: frozenset[frozenset[int]], q: int = q) -> float:
            wide = [f for f in factors if len(f) > 1]
            own = [f for f in scopes if j in f]
            per_cell = PRODUCT if _is_product(j, wide, prior) else CELL
            lines = SUM * TERMS * sum(q ** len(f) for f in set(own))
            return float(count[heights[j]] * (per_cell * q ** (1 + len(rest)) + lines))

        turn = elimination_order([*scopes, *prior], heights, cost)
        steps = steps_of_order(turn, scopes, prior)
        if widest(steps) <= nodes:
            sets = frozenset(s for s in scopes if s) | frozenset(prior)
            seconds = rows * SUM * max((q ** len(s) for s in scopes), default=1)
            for step in steps:
                used = frozenset(s for s in sets if step.variable in s)
                seconds += cost(step.variable, frozenset(step.rest), used)
                sets = frozenset(s for s in sets if step.variable not in s) | {frozenset(step.rest)}
            keys = tuple(d.key for d in form.disturbances)
            return Outline(structure, keys, levels, heights, steps, seconds)
    return None


def outline_of(table: ParameterTable, graph: ModelGraph, design: Design) -> Outline | None:
    """Return the outline of a group with its data."""
    rows = sum(y.size - int(np.count_nonzero(np.isnan(y))) for y in design.responses.values())
    return outline(graph, table.levels, [design.n_units(level) for level in table.levels], rows)


def _is_product(j: int, wide: Sequence[frozenset[int]], prior: Sequence[frozenset[int]]) -> bool:
    """Whether a step is a product of matrices: only its distribution is wide, or two factors that share it."""
    of_data = [f for f in wide if f not in prior]
    if not of_data:
        return True
    return len(of_data) == len(wide) == 2 and of_data[0] & of_data[1] == {j}
