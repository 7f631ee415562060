"""Predicted responses: means and probabilities of categories."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.distributions import has_distribution
from semlang.estimation.linear_predictors import linear_predictors
from semlang.estimation.mixed_predictors import MixedPredictors
from semlang.estimation.predictors import Predictors, RowExpectations
from semlang.graph.condition import n_states
from semlang.matrices.build import whole_form
from semlang.model.nearest import did_you_mean
from semlang.results.filled_predictions import filled_predictions
from semlang.results.scores import any_predictors_of, check_some_response, data_of, posterior_needed

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["KINDS", "predict"]

Floats = NDArray[np.float64]

KINDS = ("marginal", "conditional", "at", "linear")


def predict(fit: Fit, data: Any = None, kind: str = "marginal", at: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return the expected responses of every row, whether observed or not.

    With the reciprocal link a response that depends on latent variables has no marginal mean (``undefined-measure``).

    Parameters
    ----------
    fit : Fit
    data : optional
        New data, by default those of the fit. Only ``conditional`` and ``linear`` need responses and clusters in them;
        their units are independent of those of the fit.
    kind : {'marginal', 'conditional', 'at', 'linear'}
        Integrated over the latent variables: a new unit. Given all responses of the unit: integrated over its
        posterior (at the mode, where the fit has one point). At given values of latent variables, the others at what
        these and the covariates say; classes that are not given are averaged over. The posterior mean of the linear
        predictor.
    at : mapping from latent variable to value
        For ``at``; default none, so that all disturbances are 0. Of a class variable the number of a class.

    Returns
    -------
    DataFrame
        One row a row of the data; a column ``y`` with the mean of each response (of a binomial one the probability of a
        success), or ``y=category`` with the probability of each category; ``y@category`` with
        the linear predictor of each category of a nominal response.

    Raises
    ------
    FitError, DataError
    """
    _check(fit, kind, at if kind == "at" else None)
    if kind == "marginal":
        _check_means(fit)
    designs, frame = data_of(fit, data, optional_columns(fit, kind))
    if kind in ("conditional", "linear") and is_conditional(fit.table):
        check_some_response(designs)
    out = _predicted(fit, designs, frame, kind, at or {})
    if kind != "at":
        plain = partial(_predicted, fit, at={})
        index = out.index
        out = filled_predictions(fit, kind, out.reset_index(drop=True), frame, designs, plain).set_index(index)
    return out


def _predicted(
    fit: Fit, designs: tuple[Design, ...], frame: pd.DataFrame, kind: str, at: Mapping[str, float]
) -> pd.DataFrame:
    """Return predictions of the rows that have all predictors."""
    import pandas as pd

    parts = []
    for p in any_predictors_of(fit, designs):
        with posterior_needed():
            match kind:
                case "marginal":
                    found = p.marginal()
                case "conditional":
                    found = p.conditional()
                case "linear":
                    found = p.linear()
                case _ if isinstance(p, MixedPredictors):
                    found = p.at(at)
                case _:
                    nu = linear_predictors(p.graph, p.design, fit.estimate.theta, at)
                    found = p.at({k: nu[key] for k, key in enumerate(p.form.responses)})
        parts.append(_frame(fit, p, found, kind == "linear"))
    out = pd.concat(parts).sort_index() if len(parts) > 1 else parts[0].sort_index()
    out = out.reindex(np.arange(len(frame)))
    out.index = frame.index
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
    ends = (c for v in fit.table.responses if "interval" in v.arguments for c in v.limit_columns)
    return (*responses, *fit.table.clusters, *weights, *beside, *ends)


def _check(fit: Fit, kind: str, at: Mapping[str, float] | None) -> None:
    for v in fit.table.responses:
        if not has_distribution(v):
            raise FitError(
                [error("not-predicted", f"expected values of {v.kind.described} response are not computed yet",
                       fit.table.source, v.span)]
            )  # fmt: skip
    latent = {name: v for v in fit.table.latents for name in (v.key, v.name)}
    for name, value in (at or {}).items():
        if name not in latent:
            raise FitError(
                [error("not-a-latent", f"'{name}' is no latent variable of the model",
                       help=did_you_mean(name, sorted(latent)) or f"it has {', '.join(sorted(latent))}")]
            )  # fmt: skip
        v = latent[name]
        if v.kind.name == "class" and value not in range(1, n_states(v) + 1):
            raise FitError(
                [error("unknown-class", f"{value} is no class of '{v.name}'",
                       help=f"at={{'{v.name}': 1}}; its classes are 1 to {n_states(v)}")]
            )  # fmt: skip


def _check_means(fit: Fit) -> None:
    """Raise where a response has no marginal mean: 1 / nu has none where nu is normal, for nu comes near 0.

    Raises
    ------
    FitError
        ``undefined-measure``.
    """
    for graph in fit.graphs:
        form = whole_form(graph)
        random = {form.responses[k] for k in form.loading_cells[:, 0].tolist() if k < len(form.responses)}
        moved = {r.target for r in graph.others if r.moderators}
        for v in fit.table.responses:
            if v.link == "reciprocal" and v.key in random | moved:
                raise FitError(
                    [error("undefined-measure", f"the marginal mean of '{v.name}' does not exist",
                           label="the reciprocal of a normal linear predictor has no mean, for the predictor may be 0",
                           help='predict(kind="conditional") and predict(kind="at") have values')]
                )  # fmt: skip


def _frame(fit: Fit, p: Predictors | MixedPredictors, found: RowExpectations, linear: bool) -> pd.DataFrame:
    """Spread expectations over columns; rows are those of the file."""
    import pandas as pd

    columns: dict[str, Floats] = {}
    for k, key in enumerate(p.form.responses):
        here = found.response == k
        name = fit.table.variables[key].name
        kind = fit.table.variables[key].kind
        many = kind.nominal or (k in p.form.thresholds and not linear)
        categories = fit.designs[0].categories.get(key, ()) if many else ("",)
        for c, category in enumerate(categories):
            values = np.full(p.design.n_rows, np.nan)
            if here.any():
                values[found.record[here]] = found.values[here, c]
            columns[f"{name}{'@' if linear else '='}{category}" if category else name] = values
    return pd.DataFrame(columns, index=p.design.row)
