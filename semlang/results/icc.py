"""Intraclass correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.model.table import ROWS
from semlang.results.implied import Implied, refuse_conditional
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["icc"]


def icc(fit: Fit) -> Table:
    """Return the intraclass correlations of the responses of rows, given the covariates.

    Two rows of one unit of level l share the disturbances of l and of all levels above it, so

        icc_l = sum_{k >= l} v_k / (sum_k v_k + residual variance),

    v_k the variance that the disturbances of level k give the response, averaged over the covariates of random slopes.
    `share` is v_l alone over the same total. Responses that are not gaussian stand for their latent response.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``variable level group icc share``; empty for models of one level.
    """
    refuse_conditional(fit.table)
    theta = fit.estimate.theta
    records: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for graph, design in zip(fit.graphs, fit.designs, strict=True):
        implied = Implied(graph, design)
        parts = {level: np.diag(implied.disturbed(theta, level)) for level in fit.table.levels}
        residual = implied.residual_variances(theta)
        for v in implied.graph.table.responses:
            k = implied.place[v.key]
            above = [level for level in fit.table.levels if level != ROWS and parts[level][k] > 0]
            if v.level != ROWS or not above:
                continue
            if v.key in implied.undefined:
                notes[f"{v.key} is left out: {implied.undefined[v.key]}"] = None
                continue
            total = float(sum(p[k] for p in parts.values()) + residual[k])
            for n, level in enumerate(above):
                shared = sum(float(parts[other][k]) for other in above[n:])
                records.append(
                    {"variable": v.key, "level": level, "group": design.group, "icc": shared / total,
                     "share": float(parts[level][k]) / total}
                )  # fmt: skip
    return Table.of(("variable", "level", "group", "icc", "share"), records, tuple(notes), "Intraclass correlations")
