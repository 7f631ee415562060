"""What a fit counts: rows and units, sizes of classes; and the parameters that the text defines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.assemble import multiplicity
from semlang.estimation.conditioning.filled import counted
from semlang.estimation.constraints import labels_at
from semlang.estimation.expressions import evaluate_defined
from semlang.estimation.objective import Objective
from semlang.estimation.outcome import DefinedEstimate
from semlang.estimation.setting import Setting
from semlang.model.table import ROWS, ParameterTable

__all__ = ["class_sizes", "defined_estimates", "rows_and_units"]

Floats = NDArray[np.float64]


def rows_and_units(setting: Setting, objective: Objective) -> tuple[list[float], float]:
    """Return the numbers of rows of each group, and of top-level units, that count."""
    rows: list[float] = []
    top = 0.0
    for member, form, design, fitted in zip(
        objective.members, setting.forms, setting.given, setting.designs, strict=True
    ):
        counts = counted(setting.table, form, design)
        rows.append(member.used)
        if fitted is not design:
            weight = np.prod([np.ones(design.n_rows), *design.frequency.values()], axis=0)
            rows[-1] += float(weight[counts].sum() - weight[counted(setting.table, form, fitted)].sum())
        if setting.table.clusters:
            code = design.clusters[setting.table.clusters[-1]][counts]
            top += float(multiplicity(setting.table.clusters[-1], design)[np.unique(code)].sum())
        else:
            if design.terms:  # a set is one observation
                counts = counts & np.logical_or.reduce([design.holds(key) for key in form.responses])
            top += float(design.frequency.get(ROWS, np.ones(design.n_rows))[counts].sum())
    return rows, top


def class_sizes(objective: Objective, z: Floats) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    """Return the proportions of the states of discrete latent variables, over all groups; and their units' weight."""
    x = objective.x(z)
    found: dict[str, Floats] = {}
    weights: dict[str, float] = {}
    for member in objective.members:
        for key, (size, total) in member.state_sizes(x).items():
            found[key] = found.get(key, 0.0) + size * total
            weights[key] = weights.get(key, 0.0) + total
    return {key: tuple((size / weights[key]).tolist()) for key, size in found.items()}, weights


def defined_estimates(table: ParameterTable, theta: Floats, vcov: Floats | None) -> tuple[DefinedEstimate, ...]:
    """Return the estimates of defined parameters, with standard errors by the delta method."""
    if not table.defined:
        return ()
    values = evaluate_defined(table.defined, labels_at(table, theta), theta.size)
    out = []
    for d in table.defined:
        dual = values[d.name]
        variance = math.nan if vcov is None else float(dual.gradient @ np.nan_to_num(vcov) @ dual.gradient)
        out.append(DefinedEstimate(d.name, d.text, dual.value, math.sqrt(variance) if variance >= 0 else math.nan))
    return tuple(out)
