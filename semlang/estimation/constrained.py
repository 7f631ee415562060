"""Maximisation under nonlinear equalities and inequalities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from semlang.checks.identification.curvature import Curvature
from semlang.estimation.constraints import Nonlinear
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Iteration, Optimum, definite, first_steps, negative_hessian, steps_of

__all__ = ["maximise_constrained"]

_minimize: Callable[..., Any] = minimize

Floats = NDArray[np.float64]


def maximise_constrained(
    objective: Objective,
    z: Floats,
    constraints: Sequence[Nonlinear],
    report: Callable[[Iteration], None] | None = None,
) -> Optimum:
    """Climb from `z` by sequential quadratic programming (Kraft 1988), with exact gradients.

    The coordinates are scaled by a factor of the information at the start, ``z = z0 + L^-T u``, so that the problem is
    round.
    """
    value0, gradient0 = objective.value_and_gradient(z)
    information = negative_hessian(objective, z, first_steps(objective, z), gradient0)
    values, vectors = np.linalg.eigh(information)
    size = np.maximum(np.abs(values), 1e-6 * np.abs(values).max(initial=1.0))
    T = vectors / np.sqrt(size)
    scale = max(float(np.abs(T.T @ gradient0).max(initial=0.0)), 1.0)
    last: dict[str, float] = {"f": value0, "n": 0}

    def minus(u: Floats) -> tuple[float, Floats]:
        try:
            value, gradient = objective.value_and_gradient(z + T @ u)
        except (Infeasible, np.linalg.LinAlgError):
            return 1e10, np.zeros_like(u)
        last["f"] = value
        return -value / scale, -(T.T @ gradient) / scale

    def bound(c: Nonlinear) -> Any:
        def function(u: Floats) -> float:
            return c.function(objective.theta(z + T @ u))[0]

        def slope(u: Floats) -> Floats:
            at = z + T @ u
            out: Floats = c.function(objective.theta(at))[1] @ objective.jacobian(at) @ T
            return out

        return {"type": "eq" if c.equality else "ineq", "fun": function, "jac": slope}

    log: list[Iteration] = []

    def follow(u: Floats) -> None:
        log.append(Iteration(len(log) + 1, "slsqp", last["f"], 0.0, 0.0, 1.0))
        if report is not None:
            report(log[-1])

    bounds = [bound(c) for c in constraints]
    u = np.zeros_like(z)
    ok = False
    for _ in range(3):
        result = _minimize(
            minus, u, jac=True, method="SLSQP", constraints=bounds, callback=follow,
            options={"maxiter": 300, "ftol": 1e-13},
        )  # fmt: skip
        moved = float(np.abs(result.x - u).max(initial=0.0))
        u, ok = np.asarray(result.x), bool(result.success)
        if moved < 1e-5:
            break
    at = z + T @ u
    value, gradient = objective.value_and_gradient(at)
    hessian = negative_hessian(objective, at, steps_of(at, np.diag(T @ T.T)))
    broken = any(abs(c.function(objective.theta(at))[0]) > 1e-5 for c in constraints if c.equality)
    return Optimum(at, value, gradient, definite(hessian), 0.0, ok and not broken, tuple(log), Curvature(hessian))
