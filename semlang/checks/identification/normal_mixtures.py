"""Classes beside continuous latent variables, all responses gaussian: mixtures of multivariate normal distributions.

A finite mixture of multivariate normal distributions determines its components and their proportions, up to labels
(Yakowitz and Spragins 1968). Given the covariates of a unit, a class is such a component: its mean vector and
covariance matrix, and the probability of the class, are known from the distribution of the data. So the parameters are
identified where they follow from these, that is, where the model would be were the classes groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from semlang.checks.identification.constraints import NotAlgebraic
from semlang.checks.identification.names import Names
from semlang.checks.identification.nullsets import null_sets
from semlang.checks.identification.rank import MomentMap
from semlang.checks.identification.report import IDENTIFIED, NOT_IDENTIFIED, Identification, Reason
from semlang.data.design import Design
from semlang.graph.build import build_graph
from semlang.graph.condition import discrete_variables, given_states, moves_distribution, n_states
from semlang.model.table import ParameterTable

__all__ = ["identify_normal_mixture"]


def identify_normal_mixture(
    table: ParameterTable, names: Names, designs: Sequence[Design] | None
) -> Identification | None:
    """Return the verdict; None where the model is no mixture of multivariate normal distributions, or too large."""
    if not _is_normal_mixture(table):
        return None
    axes = discrete_variables(table)
    graphs, data = [], []
    for group in range(1, len(table.groups) + 1):
        for index in product(*(range(n_states(table.variables[k])) for k in axes)):
            states = {key: i + 1 for first, i in zip(axes, index, strict=True) for key in axes[first]}
            graphs.append(build_graph(given_states(table, states), group))
            if designs is not None:
                data.append(designs[group - 1])
    logits = sorted({r.parameter for r in table.rows if r.target in axes and r.parameter >= 0})
    try:
        moments = MomentMap(table, graphs, data if designs is not None else None)
        found = moments.rank(fixed=logits)
    except (NotAlgebraic, ValueError, KeyError):
        return None
    moving = set(found.moving)
    known = [p for p in range(table.n_parameters) if p not in moving and names.rows(p)]
    rule = "means and covariances of the classes, which the mixture determines"
    rules = tuple(Reason(names.triple(p), names.text(p), rule) for p in known)
    identified = tuple(names.triple(p) for p in known)
    free = table.n_parameters - (found.n_constraints - len(logits))
    if found.full:
        why = (
            "A mixture of normal distributions determines its components up to labels (Yakowitz and Spragins 1968), "
            "and the means and covariances of the classes determine all parameters."
        )
        return Identification(IDENTIFIED, why, free, free, identified=identified, rules=rules)
    sets = null_sets(found.null, found.theta)
    why = "Even the means and covariances of all classes, were they known, would leave parameters open."
    return Identification(
        NOT_IDENTIFIED, why, free, free - found.null.shape[1],
        unidentified=tuple(names.triple(p) for p in sorted(moving) if names.rows(p)),
        parameters=tuple(sorted(moving)),
        identified=identified,
        sets=tuple(tuple(names.triple(p) for p in s.parameters) for s in sets),
        directions=tuple(s.words(names) for s in sets),
        rules=rules,
        set_names=tuple(tuple(names.text(p) for p in s.parameters) for s in sets),
        identified_names=tuple(names.text(p) for p in known),
    )  # fmt: skip


def _is_normal_mixture(table: ParameterTable) -> bool:
    """Whether the responses of a unit of the highest level that anything varies over are normal given its classes."""
    discrete = {k for keys in discrete_variables(table).values() for k in keys}
    for v in table.responses:
        plain = v.is_linear
        if not plain or v.arguments.get("interval"):
            return False
    height = {level: n for n, level in enumerate(table.levels)}
    lowest = min(height[table.variables[k].level] for k in discrete)
    for v in table.latents:
        if v.key not in discrete and (height[v.level] > lowest or v.arguments.get("observed")):
            return False
    if len({table.variables[k].level for k in discrete}) > 1:
        return False
    for row in table.rows:
        if moves_distribution(table, row):
            return False
        target = table.variables.get(row.target)
        if target is None or row.exo:
            continue
        if row.moderators or (target.kind.name == "masspoints" and row.parameter < 0 and row.op == "~1" and row.klass):
            return False
        if row.target in discrete and row.source:
            return False
    return bool(np.any([r.parameter >= 0 for r in table.rows]))
