"""From a model and its data to the function that is maximised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.closed_form import ClosedForm
from semlang.estimation.conditioning.assemble import conditional_members
from semlang.estimation.conditioning.conditions import conditions, is_conditional
from semlang.estimation.conditioning.filled import are_missing, integrates
from semlang.estimation.constraints import Constraints
from semlang.estimation.elimination.eliminated_grid import EliminatedGrid
from semlang.estimation.elimination.outline import outline_of
from semlang.estimation.factors import Block, blocks_of
from semlang.estimation.grid.shared_grid import SharedGrid
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Member
from semlang.estimation.moderation import is_moderated
from semlang.estimation.objective import Objective
from semlang.estimation.parameters import Parametrisation, keys_of
from semlang.estimation.planned import GRIDS, SPARSE
from semlang.estimation.scaling import Scaled, rescale
from semlang.estimation.space import never_negative
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable

__all__ = ["assemble", "multiplicity", "start_parts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def assemble(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design],
    constraints: Constraints,
    quadrature: bool,
    points: int | None,
    threads: int,
    scaled: bool = True,
    factored: bool = False,
    own: bool = False,
    engines: Sequence[str] = (),
    any_residual: bool = False,
) -> Objective:
    """Return the sum of the groups' log-likelihoods.

    Parameters
    ----------
    table, graphs, designs, constraints
    quadrature : bool
        By nested quadrature, else by closed forms.
    points : int or None
    threads : int
    scaled : bool
        Whether latent variables with a marker are optimised with unit variance, see `Scaled`.
    factored : bool
        Whether closed forms take all covariance matrices by their factors, not only those of `never_negative`.
    own : bool
        Whether the coordinates are the table's own parameters in every engine.
    engines : sequence of str
        Engine of each group that integrates; empty: adaptive quadrature.
    any_residual : bool
        Closed forms for residual variances of zero and below, see `choose`.
    """
    pinned = frozenset(range(table.n_parameters)) if own else constraints.pinned
    scaled = scaled and not own
    if is_conditional(table) or (
        quadrature and any(are_missing(table, g, d, lift=False) for g, d in zip(graphs, designs, strict=True))
    ):
        mixtures, parametrisation = conditional_members(
            table, designs, pinned, points or 1, threads, [g.group for g in graphs]
        )
        return Objective(mixtures, parametrisation, constraints)
    bounded = frozenset() if own else never_negative(table)
    by_factor = frozenset(v.key for v in table.latents) if quadrature or factored else bounded
    change = rescale(graphs, pinned, by_factor) if scaled else None
    used = change[0] if change is not None else tuple(graphs)
    members: list[Member]
    if quadrature:
        forms = [reduced_form(g, lift=False) for g in used]
        inner = Parametrisation(forms, pinned)
        members = [
            _grid(table, engine, graph, form, design, factored, threads)
            if engine in GRIDS
            else QuadratureLikelihood(
                form, design, table.variables, table.levels, factored, points or 1, threads, sparse=engine == SPARSE
            )
            for engine, graph, form, design, factored in zip(
                engines or [""] * len(forms), used, forms, designs, inner.factored, strict=True
            )
        ]
    else:
        forms = [reduced_form(g, lift=False) for g in used]
        inner = Parametrisation(forms, pinned, None if factored else bounded)
        members = [
            _closed_form(
                table, graph, design, inner if inner.blocks else None, _left(form, flags, bounded), any_residual
            )
            for graph, form, flags, design in zip(used, forms, inner.factored, designs, strict=True)
        ]
    return Objective(members, inner if change is None else Scaled(inner, change[1], change[2]), constraints)


def _grid(
    table: ParameterTable,
    engine: str,
    graph: ModelGraph,
    form: ReducedForm,
    design: Design,
    factored: Sequence[bool],
    threads: int,
) -> Member:
    found = outline_of(table, graph, design) if engine == "variable elimination" else None
    if found is not None:
        return EliminatedGrid(found, design, table.variables, table.levels, factored)
    return SharedGrid(form, design, table.variables, table.levels, factored, threads)


def start_parts(
    table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design]
) -> tuple[list[ModelGraph], list[ReducedForm], list[Design]]:
    """Return graphs, reduced forms and designs whose parameters start values are made for: a part for each group.

    Where the model is conditioned on discrete latent variables, a part for each combination of their states.
    """
    if not is_conditional(table):
        return list(graphs), [reduced_form(g, lift=False) for g in graphs], list(designs)
    parts = [
        (c.graph, c.form, distinct)
        for g, design in enumerate(designs, 1)
        for distinct in (design.distinct[0],)
        for c in conditions(table, g).configurations
    ]
    return [p[0] for p in parts], [p[1] for p in parts], [p[2] for p in parts]


def _closed_form(
    table: ParameterTable,
    graph: ModelGraph,
    design: Design,
    factors: Parametrisation | None,
    semidefinite: Sequence[Block],
    any_residual: bool,
) -> ClosedForm:
    from semlang.estimation.gaussian import choose

    for lift in (True, False):
        form = reduced_form(graph, lift=lift)
        engine = choose(form, design, any_residual)
        if engine is not None and integrates(table, graph, design, lift):
            return ClosedForm(
                engine(form, design), design, factors, semidefinite, lambda: _by_quadrature(table, graph, design)
            )
    raise FitError([error("not-estimable", "no closed form fits the model and the data")])


def _left(form: ReducedForm, factored: Sequence[bool], bounded: frozenset[str]) -> list[Block]:
    """Return the blocks of Psi without negative eigenvalues that are not factored and have a parameter."""
    return [
        b
        for b, flag in zip(blocks_of(form.psi), factored, strict=True)
        if not flag
        and not bounded.isdisjoint(keys_of(form, b))
        and (b.parameter >= 0).any()
        and not is_moderated(form, b)
    ]


def _by_quadrature(table: ParameterTable, graph: ModelGraph, design: Design) -> tuple[Member, Parametrisation]:
    form = reduced_form(graph, lift=False)
    parametrisation = Parametrisation([form])
    member = QuadratureLikelihood(form, design, table.variables, table.levels, parametrisation.factored[0], 1)
    return member, parametrisation


def multiplicity(level: str, design: Design) -> Floats:
    """Return how often each unit of a cluster occurred, by the frequencies of its level and of those above."""
    first = design.first_records(level)
    clusters = list(design.clusters)
    out = np.ones(first.size)
    for above in clusters[clusters.index(level) :]:
        if above in design.frequency:
            out = out * design.frequency[above][first]
    return out
