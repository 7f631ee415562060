"""Linear predictors of all variables by record at given values of latent variables, all disturbances zero."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first
from semlang.model.table import Variable

__all__ = ["linear_predictors", "no_predictor", "with_addend"]

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
    products = [r for r in graph.others if r.moderators and r.target in variables and not r.quantity]
    causes = {key: list(found) for key, found in graph.causes.items()}
    for r in products:
        causes[r.target] += [k for k in (r.source, *r.moderators) if k in variables]
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
                coefficient = theta[r.parameter] if r.parameter >= 0 else r.ustart or 0.0
                factors = [values[k] for k in (r.source, *r.moderators) if k in variables]
                column = design.columns[r.via] if r.via else 1.0
                addend = coefficient * column * np.prod(factors, axis=0)
                out = with_addend(out, addend, r.category, variable, design)
        if key in design.exposure:
            out = out + np.log(design.exposure[key])
        values[key] = out
    return values
