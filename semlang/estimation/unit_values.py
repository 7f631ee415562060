"""Log-likelihoods of the independent units at given parameter values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.member import Infeasible
from semlang.estimation.placing import STILL, Nodes, settle
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable

__all__ = ["unit_values"]

Floats = NDArray[np.float64]


def unit_values(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design],
    theta: Floats,
    points: int | None,
    loglik: float,
    spread: float | None = None,
    engines: Sequence[str] = (),
) -> Floats | None:
    """Return the log-likelihood of every top-level unit, group after group.

    Nested quadrature gives them for every model; for gaussian responses one point is exact.

    Parameters
    ----------
    theta : (P,) floats
    points : int or None
        Of the fit; None for one by a closed form.
    loglik : float
        That of the fit, for comparison.
    spread : float or None
        Where the fit's nodes were, see `Estimate`.
    engines : sequence of str
        Engine of each group, where nodes are shared or of a sparse rule.

    Returns
    -------
    (C,) floats or None
        None where quadrature does not give the fit's log-likelihood (negative variances, predictors that are missing).
    """
    objective = assemble(
        table, graphs, designs, Constraints(table), True, points or 1, 1, scaled=False, engines=engines
    )
    x = objective.parametrisation.coordinates(theta)
    try:
        if spread is not None:
            settle(objective.members, x, Nodes(points or 1, spread))
        values: Floats = np.concatenate([member.values(x) for member in objective.members])
    except (Infeasible, np.linalg.LinAlgError):
        return None
    # A closed form and quadrature agree to rounding, nodes at posterior means to what moving them changes; a different
    # likelihood differs by far more.
    near = 1e-6 * (1.0 + abs(loglik)) + (0.0 if spread is None else STILL)
    return values if abs(float(values.sum()) - loglik) < near else None
