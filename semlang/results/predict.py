"""Predicted responses: means and probabilities of categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.distributions import has_distribution
from semlang.estimation.mixed_predictors import mixed_expectations
from semlang.estimation.predictors import Predictors, RowExpectations
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first
from semlang.model.nearest import did_you_mean
from semlang.results.scores import data_of, predictors_of

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["KINDS", "linear_predictors", "predict"]

Floats = NDArray[np.float64]

KINDS = ("marginal", "conditional", "at", "linear")


def predict(fit: Fit, data: Any = None, kind: str = "marginal", at: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return the expected responses of every row, whether observed or not.

    Parameters
    ----------
    fit : Fit
    data : optional
        New data, by default those of the fit. Only ``conditional`` and ``linear`` need responses and clusters in them;
        their units are independent of those of the fit.
    kind : {'marginal', 'conditional', 'at', 'linear'}
        Integrated over the latent variables: a new unit. Given all responses of the unit: integrated over its
        posterior (at the mode, where the fit has one point). At given values of latent variables, the others at what
        these and the covariates say. The posterior mean of the linear predictor.
    at : mapping from latent variable to value
        For ``at``; default none, so that all disturbances are 0.

    Returns
    -------
    DataFrame
        One row a row of the data; a column ``y`` with the mean of each response (of a binomial one the probability of a
        success), or ``y=category`` with the probability of each category; ``y@category`` with the linear predictor of
        each category of a nominal response.

    Raises
    ------
    FitError, DataError
    """
    import pandas as pd

    _check(fit, kind, at if kind == "at" else None)
    designs, frame = data_of(fit, data, optional_columns(fit, kind))
    parts = []
    if is_conditional(fit.table):
        mixed = mixed_expectations(
            fit.table, fit.graphs, designs, fit.estimate.theta, fit.estimate.points, kind == "conditional"
        )
        if mixed is None:
            raise FitError([error("not-predicted", "predictions of this combination of classes are not computed yet")])
        parts = [_frame(fit, p, found, False) for p, found in mixed]
    for p in () if parts else predictors_of(fit, designs):
        match kind:
            case "marginal":
                found = p.marginal()
            case "conditional":
                found = p.conditional()
            case "linear":
                found = p.linear()
            case _:
                nu = linear_predictors(fit, p.graph, p.design, at or {})
                found = p.at({k: nu[key] for k, key in enumerate(p.form.responses)})
        parts.append(_frame(fit, p, found, kind == "linear"))
    out = pd.concat(parts).sort_index() if len(parts) > 1 else parts[0].sort_index()
    out.index = frame.index[out.index.to_numpy()]
    return out


def optional_columns(fit: Fit, kind: str = "marginal") -> tuple[str, ...]:
    """Return the columns that new data need not have."""
    weights = (*fit.table.frequency.values(), *fit.table.weights.values())
    if kind in ("conditional", "linear"):
        return weights
    predictors = {c.column for row in fit.table.rows for c in row.via if c.response}
    responses = tuple(v.name for v in fit.table.responses if v.name not in predictors)
    arguments = (v.arguments.get(name) for v in fit.table.responses for name in ("trials", "event", "entry"))
    beside = tuple(str(a) for a in arguments if a is not None)
    return (*responses, *fit.table.clusters, *weights, *beside)


def _check(fit: Fit, kind: str, at: Mapping[str, float] | None) -> None:
    if is_conditional(fit.table) and kind in ("at", "linear"):
        raise FitError(
            [error("not-predicted", f"predictions of kind '{kind}' of models with classes are not computed yet",
                   help="kind='marginal' or 'conditional'")]
        )  # fmt: skip
    for v in fit.table.responses:
        if not has_distribution(v):
            raise FitError(
                [error("not-predicted", f"expected values of a {v.kind.name} response are not computed yet",
                       fit.table.source, v.span)]
            )  # fmt: skip
    latent = {v.key for v in fit.table.latents} | {v.name for v in fit.table.latents}
    for name in at or {}:
        if name not in latent:
            raise FitError(
                [error("not-a-latent", f"'{name}' is no latent variable of the model",
                       help=did_you_mean(name, sorted(latent)) or f"it has {', '.join(sorted(latent))}")]
            )  # fmt: skip


def linear_predictors(fit: Fit, graph: ModelGraph, design: Design, at: Mapping[str, float]) -> dict[str, Floats]:
    """Return the values of all variables by record (n_rows,), some latent variables given, disturbances 0.

    Those of a nominal response are (K, n_rows), one row a category.

    Parameters
    ----------
    fit : Fit
    graph : ModelGraph
    design : Design
    at : mapping from name or key of a latent variable to its value
    """
    theta = fit.estimate.theta
    values: dict[str, Floats] = {}
    for key in causes_first(graph.causes):
        variable = fit.table.variables[key]
        given = at.get(key, at.get(variable.name)) if variable.role != "response" else None
        if given is not None:
            values[key] = np.full(design.n_rows, float(given))
            continue
        names = design.categories.get(key, ())
        nominal = variable.kind.alternatives and not variable.kind.thresholds
        out = np.zeros((len(names), design.n_rows) if nominal else design.n_rows)
        for p in graph.into(key):
            if p.is_zero:
                continue
            coefficient = theta[p.parameter] if p.parameter >= 0 else p.value
            column = design.columns[p.via] if p.via else 1.0
            addend = coefficient * column * (values[p.source] if p.source else 1.0)
            if nominal:
                out[[not p.category or p.category == c for c in names]] += addend
            else:
                out = out + addend
        if key in design.exposure:
            out = out + np.log(design.exposure[key])
        values[key] = out
    return values


def _frame(fit: Fit, p: Predictors, found: RowExpectations, linear: bool) -> pd.DataFrame:
    """Spread expectations over columns; rows are those of the file."""
    import pandas as pd

    columns: dict[str, Floats] = {}
    for k, key in enumerate(p.form.responses):
        here = found.response == k
        name = fit.table.variables[key].name
        kind = fit.table.variables[key].kind
        categories: tuple[str, ...] = ("",)
        if kind.thresholds or kind.alternatives:
            categories = fit.designs[0].categories.get(key, ())
        if linear and kind.thresholds:
            categories = ("",)
        for c, category in enumerate(categories):
            values = np.full(p.design.n_rows, np.nan)
            values[found.record[here]] = found.values[here, c]
            columns[f"{name}{'@' if linear else '='}{category}" if category else name] = values
    return pd.DataFrame(columns, index=p.design.row)
