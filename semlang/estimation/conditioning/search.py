"""The search for the best of many maxima, and probabilities that are held at 0 or 1 on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.data.design import Design
from semlang.estimation.ascent import Ascent
from semlang.estimation.conditioning.batch import batch_em
from semlang.estimation.conditioning.limits import Limits, at_limit
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.conditioning.starts import Starts, apart, best_of, degenerate, different
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Optimum
from semlang.model.table import ParameterTable

__all__ = ["limits_at", "many_starts", "pulled_in", "run_at_limits"]

Floats = NDArray[np.float64]

SHORT = 8
"""Iterations of a short climb."""

HELD = 18.0
"""Where a logit without bound is held: the probability is within 2e-8 of 0 or 1."""

INSIDE = 5.0
"""Where such a logit begins for further rows: the probability is 0.007."""

LOSS = 1e-2
"""Nothing is held where that would take more from the log-likelihood."""

FINALISTS = 3
"""Starts of EM that Newton steps finish."""


def many_starts(
    table: ParameterTable,
    designs: Sequence[Design],
    ascent: Ascent,
    coordinates: Callable[[Floats], Floats],
    theta: Floats,
    user: Sequence[int],
    starts: int,
    seed: int,
) -> Starts:
    """Return where the best of many starts of a model with discrete latent variables leads.

    Parameters
    ----------
    coordinates : callable
        From the table's parameters to the optimiser's coordinates.
    theta : (P,) floats
        Start values without classes.
    user : sequence of int
        Parameters with start values of the user.
    """
    rng = np.random.default_rng(seed)
    found = None if user else batch_em(table, designs, theta, starts, rng)
    if found is not None:
        covariates = any(r.via and r.class_variable == r.target for r in table.rows)
        best = [coordinates(s.theta) for s in found[: FINALISTS if not covariates else max(FINALISTS, starts // 4)]]
        end = best_of(best, lambda z: ascent.climb_still(z, 1e-4, 200))
        if covariates:
            return Starts(end.z, end.values, starts, end.others)
        values = tuple(s.value for s in found)
        others = tuple(coordinates(found[k].theta) for k in different(values))
        return Starts(end.z, (end.values[0], *values[1:]), starts, others)
    points = [coordinates(apart(table, theta, designs, user, rng if k else None)) for k in range(starts)]
    if starts == 1:
        return Starts(points[0], (0.0,), 1)

    def short(z: Floats) -> Optimum:
        cautious[0] = not cautious[0]
        for m in mixtures:
            m.cautious = cautious[0]
        try:
            return ascent.climb_still(z, 0.1, SHORT)
        finally:
            for m in mixtures:
                m.cautious = False

    cautious = [False]  # in turns: short steps do not lose a class, long ones get further
    mixtures = [m for p in ascent.objective.members for m in getattr(p, "members", (p,)) if isinstance(m, Mixture)]

    def sound(z: Floats) -> bool:
        return not degenerate(table, theta, ascent.objective.theta(z))

    return best_of(points, short, lambda z: ascent.climb(z, tolerance=1e-4), sound)


def run_at_limits(
    table: ParameterTable, objective: Objective, z: Floats, make: Callable[[Objective], Ascent]
) -> tuple[Optimum, Ascent]:
    """Climb to the maximum with logits that run off held where they are nearly infinite.

    Parameters
    ----------
    make : callable
        Returns an ascent of an objective.

    Returns
    -------
    Optimum
        In the coordinates of `objective`; its curvature is 0 along what is held.
    Ascent
    """
    limits = limits_at(table, objective, z)
    if not limits:
        ascent = make(objective)
        return ascent.run(z), ascent
    x = limits.at(objective.x(z), HELD)
    if not _value(objective, x) > objective.value(z) - LOSS:
        ascent = make(objective)
        return ascent.run(z), ascent
    inner = objective.hold({p: float(x[p]) for p in sorted(limits.directions)})
    ascent = make(inner)
    best = ascent.run(inner.z(x))
    full = inner.x(best.z)
    inside, carry = limits.carried(full)
    gradient, metric = np.zeros(full.size), np.zeros((full.size, full.size))
    gradient[inside], metric[np.ix_(inside, inside)] = best.gradient, best.inverse
    curvature = None
    if best.curvature is not None:
        curvature = Curvature(carry.T @ best.curvature.information @ carry)
    return replace(best, z=full, gradient=gradient, metric=metric, curvature=curvature), ascent


def limits_at(table: ParameterTable, objective: Objective, z: Floats) -> Limits:
    """Return what is at the limit of its scale and loses nothing by going further."""
    if not objective.plain:
        return Limits()
    information = objective.scored(z)[2]()
    return _kept(objective, z, at_limit(table, objective.x(z), information, objective.within.scales))


def pulled_in(table: ParameterTable, objective: Objective, z: Floats) -> Floats:
    """Return coordinates with what is without bound in these rows where others still have a slope that says more."""
    if not objective.plain:
        return z
    limits = at_limit(table, objective.x(z), objective.scored(z)[2](), objective.within.scales)
    return objective.z(limits.at(objective.x(z), INSIDE)) if limits else z


def _value(objective: Objective, z: Floats) -> float:
    """Return the log-likelihood, -inf where there is none."""
    try:
        return objective.value(z)
    except (Infeasible, np.linalg.LinAlgError):
        return -np.inf


def _kept(objective: Objective, z: Floats, limits: Limits) -> Limits:
    """Return the limits that lose nothing: the log-likelihood is no higher where the logit is finite."""
    found = []
    for p in limits.directions:
        one = limits.only([p])
        if _value(objective, one.at(z, HELD)) >= _value(objective, one.at(z, 6.0)) - 1e-9:
            found.append(p)
    return limits.only(found)
