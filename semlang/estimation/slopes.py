"""Random slopes as the estimation has them: where the mean of their covariate is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semlang.checks.identification.empirical import Slope
from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph

__all__ = ["slopes_of"]


def slopes_of(graphs: Sequence[ModelGraph], designs: Sequence[Design]) -> tuple[Slope, ...]:
    """Return the random intercepts and slopes of all groups, with the means of what multiplies them.

    Parameters
    ----------
    graphs, designs : sequences, one a group
    """
    out = []
    for graph, design in zip(graphs, designs, strict=True):
        for path in graph.paths:
            if not path.source or path.parameter >= 0 or path.value != 1.0 or path.observed:
                continue
            mean = 1.0
            if path.via:
                x = design.columns[path.via]
                known = x[np.isfinite(x)]
                mean = float(known.mean()) if known.size else 0.0
            out.append(Slope(graph.group, path.source, path.target, ":".join(c.name for c in path.via), mean))
    return tuple(out)
