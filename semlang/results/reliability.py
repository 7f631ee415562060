"""Reliability of sums of indicators, and of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.errors import FitError
from semlang.estimation.latent_moments import LatentMoments, latent_moments
from semlang.graph.model_graph import ModelGraph
from semlang.results.implied import Implied, refuse_conditional
from semlang.results.scores import predictors_of
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["reliability"]

Floats = NDArray[np.float64]

COLUMNS = ("variable", "level", "group", "omega", "composite", "ave", "marginal", "empirical")


def reliability(fit: Fit) -> Table:
    """Return the reliability of the sum of each latent variable's indicators, and of its scores.

    With loadings l, variance v of the latent variable, Theta the residual covariance matrix of its indicators and
    Sigma their implied covariance matrix,

        composite = (sum l)^2 v / ((sum l)^2 v + sum Theta_ii),   omega = (sum l)^2 v / (1' Sigma 1),
        ave = sum l^2 v / sum (l^2 v + Theta_ii).

    omega counts what else the indicators share as error of the sum; the two agree for one factor with uncorrelated
    residuals. Responses that are not gaussian stand for their latent response, so that the sum is one of these. Of the
    scores m with posterior variances s^2, by unit,

        marginal = 1 - mean(s^2) / v,   empirical = var(m) / (var(m) + mean(s^2)).

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``variable level group omega composite ave marginal empirical``, one line a measured latent variable.

    References
    ----------
    Joreskog (1971), Psychometrika 36, 109-133. McDonald (1999), Test Theory. Fornell and Larcker (1981).
    """
    refuse_conditional(fit.table)
    theta = fit.estimate.theta
    records: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    try:
        moments = [latent_moments(p) for p in predictors_of(fit, fit.designs)]
    except FitError as problem:
        moments = [{} for _ in fit.designs]
        notes[problem.diagnostics[0].message] = None
    for number, (graph, design) in enumerate(zip(fit.graphs, fit.designs, strict=True)):
        implied = Implied(graph, design)
        total = implied.covariance(theta)
        own = implied.disturbance_variances(theta)
        for factor in fit.table.latents:
            if not factor.measured or not factor.kind.continuous:
                continue
            v = float(total[implied.place[factor.key], implied.place[factor.key]])
            record: dict[str, Any] = {"variable": factor.key, "level": factor.level, "group": design.group}
            record |= _of_sum(implied, graph, factor.key, theta, total, own, notes)
            record |= _of_scores(moments[number].get(factor.level), factor.key, v)
            if len(record) > 3:
                records.append(record)
    return Table.of(COLUMNS, records, tuple(notes), "Reliability")


def _of_sum(
    implied: Implied, graph: ModelGraph, key: str, theta: Floats, total: Floats, own: dict[str, Any],
    notes: dict[str, None],
) -> dict[str, float]:  # fmt: skip
    """Return the reliabilities of the sum of the indicators of a latent variable, where there are two or more."""
    variables = graph.table.variables
    paths = [p for p in graph.out_of(key) if p.kind == "loading" and not p.via]
    keys = [p.target for p in paths if variables[p.target].role != "latent"]
    if len(keys) < 2 or len(keys) != len(paths):
        return {}
    if any(variables[k].kind.nominal for k in keys):
        notes[f"{key} has no omega: a nominal response is no number that could be part of a sum"] = None
        return {}
    lost = [k for k in keys if k in implied.undefined]
    if lost:
        notes[f"{key} has no omega: {implied.undefined[lost[0]]}"] = None
        return {}
    loadings = np.array([theta[p.parameter] if p.parameter >= 0 else p.value for p in paths])
    v = float(total[implied.place[key], implied.place[key]])
    at = [implied.place[k] for k in keys]
    errors = np.array([float(own[k]) for k in keys])
    common, squares = float(loadings.sum()) ** 2 * v, loadings**2 * v
    within = implied.covariance(theta, above=False) if variables[key].level == "rows" else total
    return {
        "omega": common / float(within[np.ix_(at, at)].sum()), "composite": common / (common + float(errors.sum())),
        "ave": float(squares.sum() / (squares + errors).sum()),
    }  # fmt: skip


def _of_scores(moments: LatentMoments | None, key: str, v: float) -> dict[str, float]:
    """Return the marginal and the empirical reliability of the scores of a latent variable."""
    if moments is None or key not in moments.keys or not v > 0:
        return {}
    k = moments.keys.index(key)
    known = ~np.isnan(moments.means[:, k])
    error = float(moments.covariances[known, k, k].mean())
    spread = float(moments.means[known, k].var())
    return {"marginal": 1.0 - error / v, "empirical": spread / (spread + error)}
