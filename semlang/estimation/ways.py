"""Ways to integrate over the latent variables of a group, and what they cost: adaptive nodes, shared ones, in turn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from semlang.data.design import Design
from semlang.estimation.elimination.outline import Outline, outline_of
from semlang.estimation.grid import suits as sharing
from semlang.estimation.grid.suits import COUNTS, can_share, few_types, types_of_rows
from semlang.estimation.layers import layers_of
from semlang.estimation.planned import MAX_DENSITIES, MAX_NODES, SPARSE, Alternative, GroupPlan, LevelPlan
from semlang.estimation.sparse import ENOUGH, LADDER, WIDE, node_count
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable

__all__ = ["Ways", "ways"]

DENSITY = 5e-8
"""Seconds of a row density at an adaptive node with its derivatives, modes and more points later included."""

SPARSE_DENSITY = 2.5e-8
"""The same at a node of the sparse rule that is often enough, with coarser and finer ones."""

SHARED = 2e-9
"""Seconds of adding a line of a table, there and back."""

CLIMB = 30.0
"""Evaluations of a climb."""
COARSE = 0.2
"""Cost of a gradient at the nodes that second derivatives are taken at, of one at those of the climb."""

GAIN = 1.5
"""Shared nodes of many variables are taken where they are so many times faster: adaptive ones need no check."""

ROWS_A_TYPE = 10

LARGE_CLIQUE = 4
"""Variables of a clique whose first number of nodes hardly ever settles."""


@dataclass(frozen=True)
class Ways:
    """Ways to integrate, and the one that was chosen.

    Parameters
    ----------
    engine : str
    nodes : int or None
        A dimension, of shared nodes or a sparse rule.
    seconds : float
    rejected : tuple of Alternative
    outline : Outline or None
        Where latent variables are eliminated one after the other.
    """

    engine: str
    nodes: int | None
    seconds: float
    rejected: tuple[Alternative, ...]
    outline: Outline | None = None

    def shown(self, planned: GroupPlan) -> GroupPlan:
        """Return a plan of the group with costs, steps and what was rejected."""
        planned = replace(planned, seconds=self.seconds, rejected=self.rejected)
        found = self.outline
        if found is None or planned.engine != "variable elimination":
            return planned
        before = {level.level: level for level in planned.levels}
        levels = tuple(
            LevelPlan(
                level, tuple(k for k, h in zip(found.keys, found.heights, strict=True) if h == n), found.counts[0],
                before[level].units,
            )
            for n, level in enumerate(found.levels)
        )  # fmt: skip
        steps = tuple(found.clique_names(s) for s in found.steps)
        return replace(planned, levels=levels, steps=steps, cliques=tuple(len(s.clique) for s in found.steps))


def ways(table: ParameterTable, graph: ModelGraph, form: ReducedForm, design: Design, rows: int) -> Ways:
    """Return the ways to integrate over latent variables with responses that are not all gaussian.

    Parameters
    ----------
    table : ParameterTable
    graph : ModelGraph
    form : ReducedForm
    design : Design
    rows : int
        Number of observed responses.
    """
    layers = layers_of(form, (), table.levels)
    dims = sum(layer.dims for layer in layers if not layer.exact)
    adaptive = Alternative(
        "nested quadrature", rows * float(sharing.ADAPTIVE) ** dims * DENSITY, f"{dims} dimensions at once"
    )
    shared = _shared(table, form, design, rows)
    sparse, points = _sparse(form, table, rows)
    eliminated, found = _eliminated(table, graph, form, design, rows, sparse if not sparse.why else adaptive)
    possible = [a for a in (shared, eliminated, sparse) if a.seconds is not None and not a.why]
    best = min(possible, key=lambda a: (a.seconds or 0.0) * (_whole(table) if a is sparse else 1.0), default=adaptive)
    nodes = None
    if best is shared:
        nodes = COUNTS[len(layers)][0]
    elif found is not None and best is eliminated:
        nodes = found.counts[0]
    elif best is sparse:
        nodes = points
    why = {True: "it is dearer", False: "its second derivatives take a gradient for each parameter"}
    others = [
        a if a.why else replace(a, why=why[a is not sparse or (a.seconds or 0.0) >= (best.seconds or 0.0)])
        for a in (adaptive, shared, eliminated, sparse) if a is not best
    ]  # fmt: skip
    return Ways(best.engine, nodes, best.seconds or 0.0, tuple(others), found)


def _whole(table: ParameterTable) -> float:
    """Return what second derivatives by differences at coarser nodes make of the cost of a climb by a sparse rule."""
    return 1.0 + COARSE * table.n_parameters / CLIMB


def _shared(table: ParameterTable, form: ReducedForm, design: Design, rows: int) -> Alternative:
    layers = layers_of(form, (), table.levels)
    name = "shared grid"
    if any(layer.dims != 1 or layer.exact for layer in layers):
        return Alternative(name, None, "a layer has more than one dimension")
    if len(layers) > max(COUNTS):
        return Alternative(name, None, f"{len(layers)} layers")
    if not can_share(form, design, table.variables, table.levels):
        return Alternative(name, None, "responses are not discrete, or weights differ inside top units")
    if len(layers) > 1 and rows * sharing.ADAPTIVE ** len(layers) < sharing.LARGE:
        return Alternative(name, None, "few rows: adaptive nodes take milliseconds")
    if not few_types(form, design, len(layers), rows):
        return Alternative(name, None, "rows of too many types, covariates of many values")
    return Alternative(name, rows * float(sharing.ENOUGH[len(layers)]) ** len(layers) * SHARED, "")


def _sparse(form: ReducedForm, table: ParameterTable, rows: int) -> tuple[Alternative, int | None]:
    dims = [layer.dims for layer in layers_of(form, (), table.levels) if not layer.exact]
    if max(dims, default=0) < WIDE:
        return Alternative(SPARSE, None, f"fewer than {WIDE} dimensions at once"), None

    def nodes(points: int) -> int:
        return math.prod(node_count(m, points) if m >= WIDE else points**m for m in dims)

    if nodes(LADDER[0]) > MAX_NODES or rows * nodes(LADDER[0]) > MAX_DENSITIES:
        return Alternative(SPARSE, None, "too many nodes"), None
    return Alternative(SPARSE, rows * float(nodes(ENOUGH)) * SPARSE_DENSITY, ""), LADDER[0]


def _eliminated(
    table: ParameterTable, graph: ModelGraph, form: ReducedForm, design: Design, rows: int, adaptive: Alternative
) -> tuple[Alternative, Outline | None]:
    name = "variable elimination"
    if len(form.disturbances) < 2:
        return Alternative(name, None, "one latent variable"), None
    if not can_share(form, design, table.variables, table.levels):
        return Alternative(name, None, "responses are not discrete, or weights differ inside top units"), None
    if rows * float(sharing.ADAPTIVE) ** len(form.disturbances) < sharing.LARGE:
        return Alternative(name, None, "few rows: adaptive nodes take milliseconds"), None
    if types_of_rows(form, design) * ROWS_A_TYPE > rows:
        return Alternative(name, None, "rows of too many types, covariates of many values"), None
    found = outline_of(table, graph, design)
    if found is None:
        return Alternative(name, None, "a clique of more than five variables, or covariates multiply their paths"), None
    assert adaptive.seconds is not None
    settled = (found.counts[1] / found.counts[0]) ** found.width if found.width >= LARGE_CLIQUE else 1.0
    seconds = found.seconds * settled
    dear = seconds * GAIN > adaptive.seconds * (_whole(table) if adaptive.engine == SPARSE else 1.0)
    return Alternative(name, seconds, "it is dearer" if dear else ""), found
