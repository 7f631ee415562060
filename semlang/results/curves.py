"""Response curves: means or category probabilities at values of a latent variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.distributions import expected, variance
from semlang.estimation.linear_predictors import linear_predictors
from semlang.results.implied import Implied
from semlang.results.items import (
    group_named,
    item_named,
    latent_of,
    mean_design,
    probabilities_at,
    quantities_of,
    refuse,
    thresholds_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from semlang.model.table import Variable
    from semlang.results.fit import Fit

__all__ = ["curves", "default_values", "information"]

Floats = NDArray[np.float64]

MEAN_IS_ENOUGH = ("binomial", "gaussian", "poisson", "negbinomial", "gamma")
"""Kinds whose information about the linear predictor is ``mu'**2 / Var(y)``."""


def default_values(fit: Fit, latent: Variable, group: int = 0) -> Floats:
    """Return 61 values of a latent variable, three standard deviations around its mean."""
    implied = Implied(fit.graphs[group], fit.designs[group])
    k = implied.place[latent.key]
    mean = float(implied.mean(fit.estimate.theta)[k])
    sd = float(np.sqrt(max(implied.covariance(fit.estimate.theta)[k, k], 0.0)))
    return np.linspace(mean - 3.0 * sd, mean + 3.0 * sd, 61)


def curves(
    fit: Fit, item: str, at: Sequence[float] | None = None, latent: str | None = None, group: str | None = None
) -> pd.DataFrame:
    """Return the mean of a response, or the probabilities of its categories, at values of a latent variable.

    Covariates are at their means, disturbances of other latent variables 0. Where the linear predictor is one that the
    response can't have (a negative mean of a gamma response with the reciprocal or identity link) there is no value.

    Parameters
    ----------
    fit : Fit
    item : str
    at : sequence of float, optional
        Default: 61 values, three standard deviations around the mean.
    latent : str, optional
        Default: the first that the item measures.
    group : str, optional
        Default: the first.

    Returns
    -------
    DataFrame
        Indexed by ``at``; columns are the categories (of a binary item ``0`` and ``1``), or the item's name.
    """
    import pandas as pd

    v = item_named(fit, item)
    f = latent_of(fit, v, latent)
    g = group_named(fit, group)
    x = default_values(fit, f, g) if at is None else np.asarray(at, dtype=np.float64).ravel()
    p = probabilities_at(fit, v, f, x, g)
    if v.kind.binary:
        names: tuple[str, ...] = fit.designs[g].categories.get(v.key) or ("0", "1")
        p = np.column_stack([1.0 - p[:, 0], p[:, 0]])
    else:
        names = fit.designs[g].categories.get(v.key) or (v.name,)
        p = np.where(_possible(v, p), p, np.nan)
    return pd.DataFrame(p, index=pd.Index(x, name="at"), columns=list(names))


def _possible(item: Variable, mean: Floats) -> NDArray[np.bool_]:
    """Return which means a response can have."""
    return np.asarray((mean > 0.0) | (item.kind.name != "gamma"))


def information(
    fit: Fit,
    items: Sequence[str] | None = None,
    at: Sequence[float] | None = None,
    latent: str | None = None,
    group: str | None = None,
) -> pd.DataFrame:
    """Return the Fisher information of items about a latent variable.

        I(f) = sum_c P_c'(f)^2 / P_c(f),   of responses whose mean is enough mu'(f)^2 / Var(y | f).

    That of a response with several trials is that of all of them, at their mean number.

    Parameters
    ----------
    fit : Fit
    items : sequence of str, optional
        Default: all that the latent variable is measured by.
    at, latent, group
        As for `curves`.

    Returns
    -------
    DataFrame
        Indexed by ``at``; a column an item, ``test`` (their sum) and ``se`` (1 / sqrt of it).
    """
    import pandas as pd

    first = item_named(fit, items[0]) if items else fit.table.responses[0]
    f = latent_of(fit, first, latent)
    g = group_named(fit, group)
    measured = [p.target for p in fit.graphs[g].out_of(f.key) if not p.is_zero]
    chosen = [item_named(fit, i) for i in items] if items else [v for v in fit.table.responses if v.key in measured]
    if not chosen:
        raise refuse("information", f"'{f.name}' is measured by no response directly")
    x = default_values(fit, f, g) if at is None else np.asarray(at, dtype=np.float64).ravel()
    out = pd.DataFrame({v.name: _of_item(fit, v, f, x, g) for v in chosen}, index=pd.Index(x, name="at"))
    out["test"] = out.sum(axis=1)
    with np.errstate(divide="ignore"):
        out["se"] = 1.0 / np.sqrt(out["test"])
    return out


def _of_item(fit: Fit, item: Variable, latent: Variable, x: Floats, group: int) -> Floats:
    graph, design = fit.graphs[group], mean_design(fit.designs[group])
    theta = fit.estimate.theta
    start, end = (
        linear_predictors(graph, design, theta, {latent.key: v})[item.key].reshape(-1, 1) for v in (0.0, 1.0)
    )  # one line a category of a nominal response, else one
    slope = end - start
    at = start + slope * x
    if len(at) == 1:
        at, slope = at[0], slope[0]
    cuts, q = thresholds_of(fit, graph, design, item), quantities_of(fit, graph, design, item)
    repeated = None if cuts is None else np.repeat(cuts, x.size, axis=1)
    h = 1e-5
    p = np.stack(expected(item, at, q, repeated))
    if at.ndim > 1:
        up, down = (np.stack(expected(item, at + s * h * slope, q)) for s in (1.0, -1.0))
        return np.asarray((((up - down) / (2.0 * h)) ** 2 / np.maximum(p, 1e-300)).sum(axis=0))
    d = (np.stack(expected(item, at + h, q, repeated)) - np.stack(expected(item, at - h, q, repeated))) / (2.0 * h)
    if item.kind.thresholds:
        return np.asarray(((slope * d) ** 2 / np.maximum(p, 1e-300)).sum(axis=0))
    if item.kind.name in MEAN_IS_ENOUGH and not {"zero", "censored"} & {*q, *item.arguments}:
        trials = float(np.nanmean(fit.designs[group].trials.get(item.key, np.ones(1))))
        found = trials * (slope * d[0]) ** 2 / np.maximum(variance(item, at, q), 1e-300)
        return np.where(_possible(item, p[0]), found, np.nan)
    raise refuse("information", f"of '{item.name}' it is not in its mean alone ({item.kind.name})")
