"""The scale of each variable: it says what a variance of nearly zero is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import Product

__all__ = ["sizes", "sizes_of_covariates", "units_of_covariances", "units_of_parameters"]

Floats = NDArray[np.float64]


def sizes(graph: ModelGraph, design: Design, theta: Floats) -> dict[str, float]:
    """Return the standard deviation that each variable has, or that would make up a variable that it acts on.

    A gaussian response has its own standard deviation, the linear predictor of another response has 1. For a latent
    variable with paths of coefficient lambda by covariates x,

        size = min over paths of size(target) / (|lambda| rms(x)),

    so that (variance / size^2) depends on no unit of measurement. Variables that act on nothing have size 1.

    Parameters
    ----------
    graph : ModelGraph
    design : Design
    theta : (P,) floats
    """
    found: dict[str, float] = {}
    for key in graph.responses:
        variable = graph.table.variables[key]
        gaussian = variable.is_gaussian
        found[key] = design.spread(key) if gaussian else 1.0

    def size(key: str, above: frozenset[str]) -> float:
        if key not in found:
            reached = []
            for p in graph.out_of(key):
                coefficient = theta[p.parameter] if p.parameter >= 0 else p.value
                strength = abs(coefficient) * _root_mean_square(design, p.via)
                if p.source == key and p.target not in above and strength > 0.0:
                    reached.append(size(p.target, above | {key}) / strength)
            found[key] = min(reached, default=1.0)
        return found[key]

    for key in graph.latents:
        size(key, frozenset((key,)))
    return found


def _root_mean_square(design: Design, via: Product) -> float:
    if not via:
        return 1.0
    column = design.columns[via]
    return float(np.sqrt(np.mean(column[~np.isnan(column)] ** 2))) if not np.isnan(column).all() else 1.0


def units_of_covariances(graphs: Sequence[ModelGraph], designs: Sequence[Design], theta: Floats) -> dict[int, float]:
    """Return size(a) size(b) for the parameter of each variance or covariance of a and b, the smallest where several.

    Parameters
    ----------
    graphs, designs : sequences, one a group
    theta : (P,) floats
    """
    out: dict[int, float] = {}
    for graph, design in zip(graphs, designs, strict=True):
        size = sizes(graph, design, theta)
        for c in graph.covariances:
            if c.parameter >= 0:
                unit = size.get(c.a, 1.0) * size.get(c.b, 1.0)
                out[c.parameter] = min(out.get(c.parameter, np.inf), unit)
    return out


def sizes_of_covariates(graphs: Sequence[ModelGraph], designs: Sequence[Design], n: int) -> Floats:
    """Return the root mean square of the covariate that each of n parameters multiplies, 1 where it multiplies none.

    Parameters
    ----------
    graphs, designs : sequences, one a group
    n : int
    """
    out = np.ones(n)
    for graph, design in zip(graphs, designs, strict=True):
        placed = [(p.parameter, p.via) for p in graph.paths]
        placed += [(row.parameter, row.via) for row in (*graph.thresholds, *graph.quantities)]
        for parameter, via in placed:
            if parameter >= 0:
                out[parameter] = _root_mean_square(design, via)
    return out


def units_of_parameters(
    graphs: Sequence[ModelGraph], designs: Sequence[Design], theta: Floats, covariances: Mapping[int, float]
) -> Floats:
    """Return what one is worth in each of the parameters (P,): a change that makes up a variable.

    A coefficient from a to b counts in size(b) / (size(a) rms(x)), an intercept in size(b), a (co)variance as in
    `units_of_covariances`, anything else in 1.

    Parameters
    ----------
    graphs, designs : sequences, one a group
    theta : (P,) floats
    covariances : mapping
        What `units_of_covariances` returns.
    """
    out: dict[int, float] = dict(covariances)
    for graph, design in zip(graphs, designs, strict=True):
        size = sizes(graph, design, theta)
        for p in graph.paths:
            by = size.get(p.source, 1.0) * _root_mean_square(design, p.via)
            if p.parameter >= 0 and by > 0.0:
                unit = size.get(p.target, 1.0) / by
                out[p.parameter] = min(out.get(p.parameter, np.inf), unit)
    return np.array([out.get(p, 1.0) for p in range(theta.size)])
