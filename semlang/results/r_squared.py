"""Explained variance of responses and latent variables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from semlang.results.implied import Implied, refuse_conditional
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["r_squared"]


def r_squared(fit: Fit) -> Table:
    """Return the share of each endogenous variable's variance that is explained.

    `r2` counts all predictors, latent variables and random effects among them: 1 less the variance of its own
    disturbance over its total variance. `r2.covariates` counts observed covariates alone (the marginal R-squared of
    Nakagawa and Schielzeth 2013). Variances are averaged over the covariates of the data; responses that are not
    gaussian stand for their latent response. Inside lavaan's level blocks a response stands for its part of that level.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``variable level group r2 r2.covariates``.
    """
    refuse_conditional(fit.table)
    theta = fit.estimate.theta
    records: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for graph, design in zip(fit.graphs, fit.designs, strict=True):
        implied = Implied(graph, design)
        blocks = any(row.level > 0 for row in fit.table.rows)
        totals = {flag: implied.variances(theta, above=flag) for flag in (True, False)}
        own = implied.disturbance_variances(theta)
        graph = implied.graph
        for key, k in implied.place.items():
            variable = graph.table.variables[key]
            if variable.role == "component" and not blocks:
                continue
            predicted = [p for p in graph.into(key) if p.causes or p.via]
            if not [p for p in predicted if p.kind != "component" or not blocks]:
                continue
            if key in implied.undefined:
                notes[f"{key} is left out: {implied.undefined[key]}"] = None
                continue
            whole = not blocks or variable.role != "response"
            total = float(totals[whole][k])
            explained = float(implied.explained(theta, variable.level, whole)[k, k])
            if total > 0 and math.isfinite(total):
                records.append(
                    {"variable": variable.key, "level": variable.level, "group": design.group,
                     "r2": 1.0 - float(own[key]) / total, "r2.covariates": explained / total}
                )  # fmt: skip
    return Table.of(("variable", "level", "group", "r2", "r2.covariates"), records, tuple(notes), "Explained variance")
