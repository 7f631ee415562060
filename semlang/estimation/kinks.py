"""Thresholds that latent variables let cross: the log-likelihood at given nodes has kinks.

Where cumulative thresholds cross, the category between them is empty. At a node the log-likelihood is smooth on either
side of the crossing, and as parameters move the nodes cross one after another. What is climbed is smooth but for small
steps of its slope: Newton's and BFGS's steps end at one of them, as near to the maximum as the nodes can tell.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semlang.checks.identification.curvature import Curvature
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Optimum, negative_hessian
from semlang.graph.condition import moves_distribution
from semlang.model.table import ParameterTable

__all__ = ["GAIN", "NEAR", "PASSES", "POINTS", "measured_across", "thresholds_may_cross"]

GAIN = 1e-4
"""Iterations that gain less of the log-likelihood have come to a kink."""

NEAR = 1e-2
"""Decrement at a kink that is near enough to the maximum: a tenth of a standard error in all directions together."""

PASSES = 3
"""Passes after which nodes stay: at a kink they move for ever, and the log-likelihood with them a little."""

POINTS = 31
"""Most points a dimension: the error of a sum over nodes falls with their square alone, and its sign is chance."""

WIDE = 0.2
"""Standard errors to either side over which the slope is differenced, so that kinks average out."""


def thresholds_may_cross(table: ParameterTable) -> bool:
    """Return whether latent variables move cumulative thresholds of a response with more than one."""
    moved = {r.target for r in table.rows if r.threshold and moves_distribution(table, r)}
    own = {(r.target, r.threshold) for r in table.rows if r.threshold}
    return any(
        not (kind := table.variables[key].kind).sequence
        and not kind.alternatives
        and sum(target == key for target, _ in own) > 1
        for key in moved
    )


def measured_across(objective: Objective, best: Optimum) -> Optimum:
    """Return the optimum with the observed information from differences of the slope that are wider than the kinks."""
    steps = WIDE * np.sqrt(np.maximum(best.variances_for_steps, 0.0))
    steps = np.where(np.isfinite(steps) & (steps > 0.0), steps, 1e-3)
    return replace(best, curvature=Curvature(negative_hessian(objective, best.z, steps)))
