"""How many mass points: one more as long as some place for it would raise the likelihood.

With f_j(u) the density of unit j at location u and f_j that of the fit, the directional derivative of the
log-likelihood towards a mass at u,

    D(u) = sum_j ( f_j(u) / f_j - 1 ),

is nowhere positive at the maximum over all distributions, and its largest value bounds how much more likelihood any
distribution could have (Lindsay 1983; the Gateaux derivative of Rabe-Hesketh, Pickles and Skrondal 2003).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semlang.errors import FitError
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.results.fit import Fit

__all__ = ["directional_derivative", "with_enough_mass_points"]

Floats = NDArray[np.float64]

ENOUGH = 0.1
"""No distribution has a log-likelihood that is higher by more."""

MOST = 12
"""Most mass points that are tried."""

PLACES = 201
"""Places on the line where a further mass is tried."""


def with_enough_mass_points(fit_with: Callable[[int], Fit]) -> Fit:
    """Return the fit with the least number of mass points that leaves nothing to gain.

    Parameters
    ----------
    fit_with : callable
        Fits the model with a given number of mass points.
    """
    best = fit_with(2)
    for n in range(3, MOST + 1):
        if best.estimate.interrupted or directional_derivative(best) < ENOUGH:
            break
        try:
            more = fit_with(n)
        except FitError as problem:
            if {d.slug for d in problem.diagnostics} & {"unusable-checkpoint", "unwritable-file"}:
                raise
            break  # a mass point without units: the data do not support it
        if more.estimate.interrupted:
            return more
        if more.loglik < best.loglik + 1e-4:
            break
        best = more
    return best


def directional_derivative(fit: Fit) -> float:
    """Return the largest directional derivative of the log-likelihood towards a further mass point.

    Places are sought from a range of the locations' width beyond the outermost ones to the other side.
    """
    table, theta = fit.table, fit.estimate.theta
    points = fit.estimate.points or 1
    objective = assemble(table, fit.graphs, fit.designs, Constraints(table), True, points, 1)
    x = objective.parametrisation.coordinates(theta)
    rows = [r for r in table.rows if r.op == "~1" and r.klass and table.variables[r.target].kind.name == "masspoints"]
    locations = sorted({r.parameter for r in rows if not r.quantity and r.parameter >= 0 and r.klass == 1})
    values = np.array([x[r.parameter] for r in rows if not r.quantity and r.parameter >= 0])
    width = max(float(np.ptp(values)), float(np.abs(values).max(initial=0.0)), 0.5)
    grid = np.linspace(-2.0 * width, 2.0 * width, PLACES)
    largest = -np.inf
    if len(locations) != 1:
        return 0.0
    for member in objective.members:
        now = member.values(x)
        weight = member.multiplicity
        for place in grid:
            moved = x.copy()
            moved[locations[0]] = place
            own = member.first_state_values(moved)
            if own is None:
                return 0.0
            ratio = np.exp(np.minimum((own - now) / weight, 500.0))
            largest = max(largest, float(weight @ (ratio - 1.0)))
    return largest
