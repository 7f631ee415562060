"""Expected responses of models with one discrete latent variable: mixtures of those given its states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.assemble import assemble
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.constraints import Constraints
from semlang.estimation.predictors import Predictors, RowExpectations, completed
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ROWS, ParameterTable

__all__ = ["mixed_expectations"]

Floats = NDArray[np.float64]


def mixed_expectations(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design],
    theta: Floats,
    points: int | None,
    conditional: bool,
) -> list[tuple[Predictors, RowExpectations]] | None:
    """Return sum_k P(k) E(y | k) of every response by group, P(k) before the data or given the unit's responses.

    Given the state the model is one without discrete latent variables, and E(y | k) is its expectation.

    Returns
    -------
    list of (Predictors, RowExpectations)
        None where the model has more than one discrete latent variable, or conditions on continuous ones, or where
        units of the discrete one do not hold those of all others.
    """
    complete = [completed(d, table.variables) for d in designs]
    before, after = (
        assemble(table, graphs, used, Constraints(table), True, points, 1, scaled=False) for used in (complete, designs)
    )
    x = before.parametrisation.coordinates(theta)
    out = []
    for member, informed, design in zip(before.members, after.members, designs, strict=True):
        if not isinstance(member, Mixture):
            return None
        c = member.conditions
        if len(c.discrete) != 1 or c.continuous:
            return None
        key, height = c.discrete[0], table.levels.index(c.levels[0])
        if any(table.levels.index(v.level) > height for v in table.latents if v.kind.name == "normal"):
            return None
        prior = member.prior(x).get(key)
        if prior is None:
            return None
        found = informed.posterior(x).classes[key] if conditional else prior
        level = c.levels[0]
        unit = np.arange(design.n_rows) if level == ROWS else design.clusters[level]
        full, _ = member.derived.extend(theta)
        total: RowExpectations | None = None
        given: Predictors | None = None
        for configuration in c.configurations:
            given = Predictors(configuration.table, configuration.graph, design, full, points or 1)
            e = given.conditional() if conditional else given.marginal()
            p = np.where(np.isnan(found), prior, found)[unit[e.record], configuration.index[0]]
            values = e.values * p[:, None]
            total = RowExpectations(e.record, e.response, values if total is None else total.values + values)
        if total is None or given is None:
            return None
        out.append((given, total))
    return out
