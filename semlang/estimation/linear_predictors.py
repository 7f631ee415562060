"""Linear predictors of all variables by record at given values of latent variables, all disturbances zero."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first

__all__ = ["linear_predictors"]

Floats = NDArray[np.float64]


def linear_predictors(graph: ModelGraph, design: Design, theta: Floats, at: Mapping[str, float]) -> dict[str, Floats]:
    """Return the values of all variables by record (n_rows,), some latent variables given, disturbances 0.

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
        out = np.zeros(design.n_rows)
        for p in graph.into(key):
            if not p.is_zero:
                coefficient = theta[p.parameter] if p.parameter >= 0 else p.value
                column = design.columns[p.via] if p.via else 1.0
                out = out + coefficient * column * (values[p.source] if p.source else 1.0)
        for r in products:
            if r.target == key:
                coefficient = theta[r.parameter] if r.parameter >= 0 else r.ustart or 0.0
                factors = [values[k] for k in (r.source, *r.moderators) if k in variables]
                column = design.columns[r.via] if r.via else 1.0
                out = out + coefficient * column * np.prod(factors, axis=0)
        if key in design.exposure:
            out = out + np.log(design.exposure[key])
        values[key] = out
    return values
