"""Reliability of sums of indicators, and of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.results.implied import Implied, refuse_conditional
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["reliability"]

COLUMNS = ("variable", "level", "group", "omega", "composite", "ave")


def reliability(fit: Fit) -> Table:
    """Return the reliability of the sum of each latent variable's indicators.

    With loadings l, variance v of the latent variable, Theta the residual covariance matrix of its indicators and
    Sigma their implied covariance matrix,

        composite = (sum l)^2 v / ((sum l)^2 v + sum Theta_ii),   omega = (sum l)^2 v / (1' Sigma 1),
        ave = sum l^2 v / sum (l^2 v + Theta_ii).

    omega counts what else the indicators share as error of the sum; the two agree for one factor with uncorrelated
    residuals. Responses that are not gaussian stand for their latent response, so that the sum is one of these.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``variable level group omega composite ave``, one line a latent variable with two indicators or more.

    References
    ----------
    Joreskog (1971), Psychometrika 36, 109-133. McDonald (1999), Test Theory. Fornell and Larcker (1981).
    """
    refuse_conditional(fit.table)
    theta = fit.estimate.theta
    records: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for graph, design in zip(fit.graphs, fit.designs, strict=True):
        implied = Implied(graph, design)
        total = implied.covariance(theta)
        own = implied.disturbance_variances(theta)
        for factor in fit.table.latents:
            if not factor.measured or factor.kind.name != "normal":
                continue
            paths = [p for p in graph.out_of(factor.key) if p.kind == "loading" and not p.via]
            keys = [p.target for p in paths if fit.table.variables[p.target].role != "latent"]
            if len(keys) < 2 or len(keys) != len(paths):
                continue
            lost = [k for k in keys if k in implied.undefined]
            if lost:
                notes[f"{factor.key} is left out: {implied.undefined[lost[0]]}"] = None
                continue
            loadings = np.array([theta[p.parameter] if p.parameter >= 0 else p.value for p in paths])
            v = float(total[implied.place[factor.key], implied.place[factor.key]])
            at = [implied.place[k] for k in keys]
            errors = np.array([float(own[k]) for k in keys])
            common, squares = float(loadings.sum()) ** 2 * v, loadings**2 * v
            within = implied.covariance(theta, above=False) if factor.level == "rows" else total
            records.append(
                {"variable": factor.key, "level": factor.level, "group": design.group,
                 "omega": common / float(within[np.ix_(at, at)].sum()), "composite": common / (common + errors.sum()),
                 "ave": float(squares.sum() / (squares + errors).sum())}
            )  # fmt: skip
    return Table.of(COLUMNS, records, tuple(notes), "Reliability")
