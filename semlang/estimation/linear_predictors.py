"""Linear predictors of all variables by record at given values of latent variables, all disturbances zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first
from semlang.model.table import Row, Variable

__all__ = [
    "addend_of",
    "all_causes",
    "distribution_rows",
    "linear_predictors",
    "no_predictor",
    "products_of",
    "with_addend",
]

Floats = NDArray[np.float64]


def no_predictor(variable: Variable, design: Design) -> Floats:
    """Return zeros (n_rows,), of a nominal response (K, n_rows), one row a category."""
    if not variable.kind.nominal:
        return np.zeros(design.n_rows)
    return np.zeros((len(design.categories.get(variable.key, ())), design.n_rows))


def with_addend(nu: Floats, addend: Floats | float, category: str, variable: Variable, design: Design) -> Floats:
    """Return a linear predictor with the addend of one path, which belongs to a category of a nominal response.

    Without a category it belongs to all of them.
    """
    if not variable.kind.nominal:
        return nu + addend
    names = design.categories.get(variable.key, ())
    return nu + np.outer([category in ("", name) for name in names], np.broadcast_to(addend, nu.shape[1:]))


def products_of(graph: ModelGraph) -> list[Row]:
    """Return the rows that add a product of latent variables to a linear predictor."""
    variables = graph.table.variables
    return [r for r in graph.others if r.moderators and r.target in variables and not r.quantity and not r.threshold]


def all_causes(graph: ModelGraph) -> dict[str, tuple[str, ...]]:
    """Return the direct causes of each variable, factors of products among them."""
    variables = graph.table.variables
    causes = dict(graph.causes)
    for r in graph.others:
        if r.moderators and r.target in variables:
            more = (*causes[r.target], *(k for k in (r.source, *r.moderators) if k in variables))
            causes[r.target] = tuple(dict.fromkeys(more))
    return causes


def distribution_rows(graph: ModelGraph, key: str) -> tuple[dict[str, list[Row]], list[list[Row]]]:
    """Return the rows of each quantity of a response, and those of each of its thresholds."""
    own = [r for r in graph.others if r.moderators]
    quantities: dict[str, list[Row]] = {}
    thresholds: dict[int, list[Row]] = {}
    for r in (*graph.quantities, *graph.thresholds, *own, *graph.scales):
        if r.target == key and r in graph.scales:
            quantities.setdefault("sigma", []).append(r)
        elif r.target == key and r.quantity:
            quantities.setdefault(r.quantity, []).append(r)
        elif r.target == key and r.threshold:
            thresholds.setdefault(r.threshold, []).append(r)
    return quantities, [thresholds[t] for t in sorted(thresholds)]


def addend_of(row: Row, values: Mapping[str, Floats], column: Any, theta: Floats) -> Any:
    """Return coefficient x covariates x values of the latent variables of a row."""
    coefficient = theta[row.parameter] if row.parameter >= 0 else row.ustart or 0.0
    if row.op in ("~*~", "~~"):  # the log residual SD that a scale stands for
        return (-1.0 if row.op == "~*~" else 0.5) * np.log(coefficient)
    return coefficient * column * np.prod([values[k] for k in (row.source, *row.moderators) if k in values], axis=0)


def linear_predictors(graph: ModelGraph, design: Design, theta: Floats, at: Mapping[str, float]) -> dict[str, Floats]:
    """Return the values of all variables by record (n_rows,), some latent variables given, disturbances 0.

    Those of a nominal response are (K, n_rows), one row a category.

    Parameters
    ----------
    graph : ModelGraph
        Products of latent variables among its `others` multiply their values.
    design : Design
    theta : (P,) floats
    at : mapping from name or key of a latent variable to its value
    """
    variables = graph.table.variables
    products = products_of(graph)
    causes = all_causes(graph)
    values: dict[str, Floats] = {}
    for key in causes_first(causes):
        variable = variables[key]
        given = at.get(key, at.get(variable.name)) if variable.role != "response" else None
        if given is not None:
            values[key] = np.full(design.n_rows, float(given))
            continue
        out = no_predictor(variable, design)
        for p in graph.into(key):
            if not p.is_zero:
                coefficient = theta[p.parameter] if p.parameter >= 0 else p.value
                column = design.columns[p.via] if p.via else 1.0
                addend = coefficient * column * (values[p.source] if p.source else 1.0)
                out = with_addend(out, addend, p.category, variable, design)
        for r in products:
            if r.target == key:
                addend = addend_of(r, values, design.columns[r.via] if r.via else 1.0, theta)
                out = with_addend(out, addend, r.category, variable, design)
        if key in design.exposure:
            out = out + np.log(design.exposure[key])
        values[key] = out
    return values
