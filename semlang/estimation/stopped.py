"""Why a climb has stopped: a constraint that is missed, or a ridge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semlang.estimation.constrained import HELD
from semlang.estimation.constraints import Nonlinear
from semlang.estimation.findings import LITTLE
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Optimum
from semlang.estimation.tangent import Tangent

__all__ = ["most_missed", "ridge"]


def most_missed(objective: Objective, constraints: Sequence[Nonlinear], best: Optimum) -> tuple[str, float]:
    """Return the constraint that is missed most, and by how much; '' where all hold."""
    tangent = Tangent(objective, constraints)
    try:
        values, gradients = tangent.at(best.z)
    except Infeasible:
        return "", 0.0
    scale = np.ones(best.z.size) if best.curvature is None else best.curvature.scale
    missed = tangent.missed(values, gradients, scale)
    worst = int(missed.argmax())
    return (constraints[worst].text, abs(float(values[worst]))) if missed[worst] > HELD else ("", 0.0)


def ridge(objective: Objective, best: Optimum) -> list[int]:
    """Return the parameters of the flattest direction, where a step promises hardly anything.

    Moves are in units of what a parameter is known to where all others are.
    """
    if best.curvature is None or not 0.0 <= best.decrement < 2.0 * LITTLE:
        return []
    D = objective.jacobian_inside(best.z) / best.curvature.scale
    units = np.sqrt((D**2).sum(axis=1))
    moves = np.abs(D @ best.curvature.eigen[1][:, 0]) / np.where(units > 0.0, units, 1.0)
    return [int(p) for p in np.argsort(-moves) if moves[p] > 0.1 * moves.max()]
