"""Scores of latent variables, by unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.latent_moments import LatentMoments, latent_moments
from semlang.estimation.member import Infeasible
from semlang.estimation.mixed_predictors import MixedPredictors, mixed_predictors
from semlang.estimation.predictors import Predictors
from semlang.model.table import ROWS

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = [
    "METHODS",
    "any_predictors_of",
    "check_some_response",
    "data_of",
    "posterior_needed",
    "predictors_of",
    "scores",
]

Floats = NDArray[np.float64]

METHODS = ("eb", "mode", "ml")

INFLATION = 1e3
"""Factor of the prior's standard deviations for maximum likelihood scores: the prior's information is a millionth."""

UNBOUNDED = 30.0
"""A maximum likelihood score with a larger standard error, in prior standard deviations, does not exist."""


def scores(fit: Fit, method: str = "eb", data: Any = None, covariance: bool = False) -> dict[str, pd.DataFrame]:
    """Return scores of the latent variables of each level.

    Parameters
    ----------
    fit : Fit
    method : {'eb', 'mode', 'ml'}
        Means and standard deviations of the posterior (empirical Bayes); its joint mode, with the inverse of minus the
        Hessian; the maximum of the likelihood of the unit's responses alone, infinite where it has none.
    data : optional
        New data; their units are independent of those of the fit.
    covariance : bool
        Also columns ``a~~b`` with the posterior covariances of the level's latent variables.

    Returns
    -------
    dict from level to DataFrame
        One row a unit with its identifier (of rows: the index of the data), columns ``name`` and ``name.se``. A latent
        variable that depends on others of higher levels has their uncertainty in its own.

    Raises
    ------
    FitError, DataError
    """
    import pandas as pd

    if is_conditional(fit.table):
        _posterior_means(fit, method)
    designs, frame = data_of(fit, data)
    if is_conditional(fit.table):
        check_some_response(designs)
    if method == "ml":
        _one_level(fit)
    parts: dict[str, list[pd.DataFrame]] = {}
    for p in any_predictors_of(fit, designs, 1 if method != "eb" else None, INFLATION if method == "ml" else 1.0):
        with posterior_needed():
            found = p.moments() if isinstance(p, MixedPredictors) else latent_moments(p)
        for level, moments in found.items():
            table = _table(fit, p.design, moments, frame, level, covariance, method == "ml")
            parts.setdefault(level, []).append(table)
    out = {}
    for level, tables in parts.items():
        joined = pd.concat(tables)
        out[level] = joined.sort_index() if level == ROWS and len(tables) > 1 else joined
        if level == ROWS:
            out[level].index = frame.index[out[level].index.to_numpy()]
    return out


def data_of(fit: Fit, data: Any, optional: Sequence[str] = ()) -> tuple[tuple[Design, ...], pd.DataFrame]:
    """Return the designs of the fit, or of new data, and the frame that their `row` counts."""
    assert fit.origin is not None
    if data is None:
        return fit.designs, fit.origin.recipe.frame
    designs, frame = fit.origin.recipe.designs(data, optional)
    return tuple(_without_unknown_membership(fit, d) for d in designs), frame


def _without_unknown_membership(fit: Fit, design: Design) -> Design:
    """Return the design without responses of units whose classes have no probabilities, for a covariate is missing."""
    discrete = {v.key: v.level for v in fit.table.latents if v.kind.name == "class"}
    out = design
    for row in fit.table.rows:
        if row.target not in discrete or not row.via or row.via not in design.columns:
            continue
        level, lost = discrete[row.target], np.isnan(design.columns[row.via])
        if level != ROWS and lost.any():
            code = design.clusters[level]
            lost = np.isin(code, code[lost])
        if lost.all():
            raise FitError(
                [error("no-posterior", f"no row has a value of {row.rhs}, which the probabilities of "
                       f"'{row.target}' need")]
            )  # fmt: skip
        if lost.any():
            responses = {k: np.where(lost, np.nan, y) for k, y in out.responses.items()}
            observed = {k: np.where(lost, np.nan, y) for k, y in out.observed.items()}
            out = replace(out, responses=responses, observed=observed)
    return out


def any_predictors_of(
    fit: Fit, designs: Sequence[Design], points: int | None = None, inflation: float = 1.0
) -> Sequence[Predictors | MixedPredictors]:
    """Return `predictors_of`, or those of a model with classes or products.

    Raises
    ------
    FitError
        ``no-posterior`` where a variance is negative.
    """
    if not is_conditional(fit.table):
        return predictors_of(fit, designs, points, inflation)
    try:
        return mixed_predictors(fit.table, fit.graphs, designs, fit.estimate.theta, fit.estimate.points)
    except Infeasible as problem:
        raise _no_posterior(problem) from None


def predictors_of(
    fit: Fit, designs: Sequence[Design], points: int | None = None, inflation: float = 1.0
) -> list[Predictors]:
    """Return the linear predictors of each group of a model without classes and products.

    Raises
    ------
    FitError
        ``no-posterior`` where a variance is negative.
    """
    q, sparse = points or fit.estimate.points or 1, fit.estimate.sparse and points is None
    try:
        return [
            Predictors(fit.table, graph, design, fit.estimate.theta, q, inflation, sparse=sparse)
            for graph, design in zip(fit.graphs, designs, strict=True)
            if design.n_rows
        ]
    except Infeasible as problem:
        raise _no_posterior(problem) from None


@contextmanager
def posterior_needed() -> Iterator[None]:
    """Raise the finding ``no-posterior`` where data have no density."""
    try:
        yield
    except Infeasible as problem:
        raise _no_posterior(problem) from None


def check_some_response(designs: Sequence[Design]) -> None:
    """Raise where no response at all is observed: there is nothing that tells classes apart.

    Raises
    ------
    FitError
        ``no-posterior``.
    """
    if not any((~np.isnan(y)).any() for d in designs for y in d.responses.values()):
        raise FitError(
            [error("no-posterior", "no row has a response, so nothing is known of the classes of its unit",
                   help='predict(kind="marginal") and predict(kind="at") need none')]
        )  # fmt: skip


def _no_posterior(problem: Infeasible) -> FitError:
    return FitError(
        [error("no-posterior", f"the latent variables have no distribution at the estimates: {problem}",
               help="a negative variance is often a sign of a wrong model, or of few data")]
    )  # fmt: skip


def _posterior_means(fit: Fit, method: str) -> None:
    """Raise where another score than a posterior mean is asked for, or there is no latent variable but classes."""
    if all(v.kind.name == "class" for v in fit.table.latents):
        raise FitError(
            [error("not-predicted", "the model has no latent variables but classes",
                   help="fit.class_probabilities() gives the probabilities of the classes")]
        )  # fmt: skip
    if method != "eb":
        raise FitError(
            [error("not-predicted",
                   f"scores by method='{method}' are not defined beside classes, products or latent scales",
                   label="a mixture has several modes, and the classes have no density to leave out",
                   help="method='eb' gives posterior means")]
        )  # fmt: skip


def _one_level(fit: Fit) -> None:
    levels = {v.level for v in fit.table.latents if v.kind.continuous}
    if len(levels) > 1:
        raise FitError(
            [error("not-predicted", "maximum likelihood scores need latent variables of one level",
                   label=f"this model has some of {', '.join(sorted(levels))}",
                   help="method='eb' or 'mode' gives scores of all levels")]
        )  # fmt: skip


def _table(
    fit: Fit, design: Design, moments: LatentMoments, frame: pd.DataFrame, level: str, covariance: bool, ml: bool
) -> pd.DataFrame:
    """Return one group's scores of one level."""
    import pandas as pd

    rows = design.row[moments.records]
    columns: dict[str, Any] = {}
    if level != ROWS:
        for name in reversed(fit.table.clusters[fit.table.clusters.index(level) :]):
            columns[name] = frame[name].to_numpy()[rows]
    if fit.table.group_column:
        columns[fit.table.group_column] = frame[fit.table.group_column].to_numpy()[rows]
    names = [fit.table.variables[k].name for k in moments.keys]
    se = np.sqrt(np.maximum(np.diagonal(moments.covariances, axis1=1, axis2=2), 0.0))
    means = moments.means
    se = np.where(np.isnan(means), np.nan, se)
    if ml:
        lost = se > UNBOUNDED * moments.prior
        means = np.where(lost, np.where(se > 0.5 * INFLATION * moments.prior, np.nan, np.sign(means) * np.inf), means)
        se = np.where(lost, np.nan, se)
    for k, name in enumerate(names):
        columns[name], columns[f"{name}.se"] = means[:, k], se[:, k]
    if covariance:
        for k, name in enumerate(names):
            for j in range(k):
                columns[f"{names[j]}~~{name}"] = moments.covariances[:, j, k]
    return pd.DataFrame(columns, index=rows if level == ROWS else None)
