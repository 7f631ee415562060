"""Signs that the likelihood leaves open: the first free loading of a latent variable is reported positive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.graph.model_graph import Covariance, ModelGraph, Path

__all__ = ["reporting_signs", "turned_over"]

Floats = NDArray[np.float64]


def reporting_signs(graphs: Sequence[ModelGraph], theta: Floats) -> Floats:
    """Return factors +-1 of the parameters that turn negative latent variables over.

    Turning eta over changes the sign of all paths from it and to it and of its covariances, and nothing else where none
    of them is fixed at another value than 0 or shared with a parameter that keeps its sign.
    """
    signs = np.ones(theta.size)
    for graph in graphs:
        for key in graph.latents:
            first = next((p for p in graph.paths if p.source == key and p.kind == "loading" and not p.is_zero), None)
            if first is None or first.parameter < 0 or theta[first.parameter] * signs[first.parameter] >= 0:
                continue
            turned: list[Path | Covariance] = [p for p in graph.paths if (p.source == key) != (p.target == key)]
            turned += [c for c in graph.covariances if (c.a == key) != (c.b == key)]
            if any(e.parameter < 0 and e.value for e in turned):
                continue
            flip = {e.parameter for e in turned if e.parameter >= 0}
            ours = {id(e) for e in turned}
            others = {p.parameter for g in graphs for p in g.paths if id(p) not in ours}
            others |= {c.parameter for g in graphs for c in g.covariances if id(c) not in ours}
            if flip & others or any(r.parameter in flip for g in graphs for r in (*g.thresholds, *g.quantities)):
                continue
            signs[list(flip)] *= -1.0
    return signs


def turned_over(graphs: Sequence[ModelGraph], theta: Floats) -> Iterator[Floats]:
    """Yield parameters with all free loadings of one latent variable turned over.

    Where nothing else follows (shared parameters, constraints) that is another start, often of another maximum.
    """
    done: set[frozenset[int]] = set()
    for graph in graphs:
        for key in graph.latents:
            loadings = [p for p in graph.paths if p.source == key and p.kind == "loading" and not p.is_zero]
            free = frozenset(p.parameter for p in loadings if p.parameter >= 0)
            if not free or free in done or len(free) < len(loadings):
                continue
            done.add(free)
            out = theta.copy()
            out[list(free)] *= -1.0
            yield out
