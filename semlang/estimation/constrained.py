"""Maximisation under nonlinear equalities and inequalities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.estimation.constraints import Nonlinear
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Iteration, Optimum, definite, first_steps, negative_hessian, steps_of
from semlang.estimation.tangent import Tangent, tangent_basis

__all__ = ["HELD", "ROUNDS", "maximise_constrained"]

Floats = NDArray[np.float64]

HELD = 1e-4
"""Standard errors by which a constraint may be missed at the end; the log-likelihood is off by no more than its slope
there times as much."""

PROMISE = 1e-7
"""Twice the gain in log-likelihood that steps along the constraints may still promise at a maximum."""

NEAR = 1.0
"""The same below which Newton steps on the tangent space finish."""

UPWARD = tuple(3.0 * 10.0 ** (-0.5 * k) for k in range(20))
"""Steps along a direction in which a point is no maximum, in its standard errors."""

ROUGH = 1e-9
"""Change of the scaled log-likelihood at which quadratic programming ends: Newton steps go on from there."""

ROUNDS = 6
"""Climbs from points that are no maximum, or that still move, before that is said."""


def maximise_constrained(
    objective: Objective,
    z: Floats,
    constraints: Sequence[Nonlinear],
    report: Callable[[Iteration], None] | None = None,
    rounds: int = ROUNDS,
) -> Optimum:
    """Climb from `z` by sequential quadratic programming (Kraft 1988), with exact gradients.

    The climb begins where the constraints hold. The coordinates are scaled by a factor of the information at the
    start, which in the directions across the constraints is that of a penalty: ``z = z0 + T u``, so that the problem is
    round although the data alone may not identify all parameters. At the end the information is that of the Lagrangian,

        I - sum_i lambda_i d2 c_i / dz dz',   g + C' lambda = 0,

    which on the tangent space of the active constraints is the observed information of the same model written without
    them. Where it has a negative eigenvalue there the point is no maximum: the climb goes on along its vector.

    Parameters
    ----------
    objective : Objective
    z : (n,) floats
    constraints : sequence of Nonlinear
    report : callable, optional
        Called with each iteration.
    rounds : int
        Climbs of 300 iterations at most; each next one goes on from a point that is no maximum.

    Raises
    ------
    Infeasible
        If there is no likelihood at the start, or a constraint has no value.
    """
    climb = _Climb(objective, constraints, report)
    z = climb.begin(z)
    for _ in range(rounds):
        try:
            T = climb.round(z)
            z = climb.run(z, T)
            found = climb.finish(climb.measure(z, T), T)
        except (Infeasible, np.linalg.LinAlgError) as reason:
            raise Infeasible(climb.missing + str(reason)) from reason
        if found.converged:
            break
        up = climb.way_up(found)
        if up is None and found.decrement < np.inf and climb.moved < 1e-10:
            break
        z = found.z if up is None else up
    return found


class _Climb:
    """The state of one climb: objective, constraints, and the log."""

    def __init__(
        self, objective: Objective, constraints: Sequence[Nonlinear], report: Callable[[Iteration], None] | None
    ) -> None:
        self.objective, self.constraints, self.report = objective, constraints, report
        self.tangent = Tangent(objective, constraints)
        self.log: list[Iteration] = []
        self.moved = np.inf
        self.missing = ""

    def begin(self, z: Floats) -> Floats:
        """Return a point with a likelihood where the constraints hold, or the start where none is found."""
        steps = first_steps(self.objective, z)
        near = self.tangent.feasible(z, 1.0 / steps)
        try:
            if np.isfinite(self.objective.value(near)):
                return near
        except (Infeasible, np.linalg.LinAlgError):
            pass
        missed = self.tangent.missed(*self.tangent.at(z), 1.0 / steps) > HELD
        texts = [f"'{c.text}'" for c, wrong in zip(self.constraints, missed, strict=True) if wrong]
        if texts:
            self.missing = f"where {', '.join(texts[:4])} hold{'s' if len(texts) == 1 else ''}, "
        return z

    def round(self, z: Floats) -> Floats:
        """Return T (n, n) in whose coordinates information and penalty are round."""
        objective = self.objective
        gradient = objective.value_and_gradient(z)[1]
        information = negative_hessian(objective, z, first_steps(objective, z), gradient)
        d = np.sqrt(np.abs(np.diag(information)))
        d = np.where(d > 0.0, d, 1.0)  # each has a unit of its own
        values, gradients = self.tangent.at(z)
        across = gradients[self.tangent.active(values, gradients, d)] / d
        size = np.linalg.norm(across, axis=1)
        across = across[size > 0] / size[size > 0][:, None]
        eigenvalues, vectors = np.linalg.eigh(information / np.outer(d, d) + across.T @ across)
        floor = 1e-4 * np.abs(eigenvalues).max(initial=1.0)
        return np.asarray(vectors / np.sqrt(np.maximum(np.abs(eigenvalues), floor)) / d[:, None])

    def run(self, z: Floats, T: Floats) -> Floats:
        """Climb once; return where that ends."""
        objective = self.objective
        value0, gradient0 = objective.value_and_gradient(z)
        scale = max(float(np.abs(T.T @ gradient0).max(initial=0.0)), 1.0)
        last = value0

        def minus(u: Floats) -> tuple[float, Floats]:
            nonlocal last
            try:
                value, gradient = objective.value_and_gradient(z + T @ u)
            except (Infeasible, np.linalg.LinAlgError):
                return 1e10, np.zeros_like(u)
            last = value
            return -value / scale, -(T.T @ gradient) / scale

        size = np.linalg.norm(self.tangent.at(z)[1] @ T, axis=1)
        weights = 1.0 / np.where(size > 0.0, size, 1.0)  # in steps: quadratic programming has an absolute tolerance

        def bound(c: Nonlinear, weight: float) -> Any:
            def function(u: Floats) -> float:
                value = weight * c.function(objective.theta(z + T @ u))[0]
                return value if np.isfinite(value) else -1e6  # not met by far: the line search turns back

            def slope(u: Floats) -> Floats:
                at = z + T @ u
                out: Floats = weight * c.function(objective.theta(at))[1] @ objective.jacobian(at) @ T
                return np.asarray(np.where(np.isfinite(out), out, 0.0))

            return {"type": "eq" if c.equality else "ineq", "fun": function, "jac": slope}

        def follow(u: Floats) -> None:
            self.log.append(Iteration(len(self.log) + 1, "slsqp", last, 0.0, 0.0, 1.0))
            if self.report is not None:
                self.report(self.log[-1])

        asked = [bound(c, w) for c, w in zip(self.constraints, weights.tolist(), strict=True)]
        import scipy.optimize  # 0.15 s, which a fit without such constraints does not wait for

        minimize: Callable[..., Any] = scipy.optimize.minimize
        result = minimize(
            minus, np.zeros_like(z), jac=True, method="SLSQP", constraints=asked, callback=follow,
            options={"maxiter": 300, "ftol": ROUGH},
        )  # fmt: skip
        u = np.asarray(result.x)
        if not np.isfinite(u).all():
            return z
        self.moved = float(np.abs(u).max(initial=0.0))
        return np.asarray(z + T @ u)

    def measure(self, z: Floats, T: Floats) -> Optimum:
        """Return what is found at the end of a climb, and whether it is a maximum on the constraints."""
        objective = self.objective
        value, gradient = objective.value_and_gradient(z)
        steps = steps_of(z, np.diag(T @ T.T))
        information = negative_hessian(objective, z, steps)
        values, gradients = self.tangent.at(z)
        scale = Curvature(information).scale
        active = self.tangent.active(values, gradients, scale)
        decrement = np.inf
        multipliers = np.zeros(len(values))
        multipliers[active] = -np.linalg.lstsq((gradients[active] / scale).T, gradient / scale, rcond=1e-10)[0]
        information = information - self.tangent.curvature(z, multipliers, steps)
        basis = tangent_basis(gradients[active], scale)
        inside = Curvature(basis.T @ information @ basis)
        maximum = not basis.size or bool(inside.eigen[0][0] > -1e-6)
        if maximum:
            along = basis.T @ gradient
            decrement = 0.0
            if basis.size:
                size, vectors = inside.eigen
                decrement = float(np.sum((vectors.T @ (along / inside.scale)) ** 2 / np.maximum(size, 1e-6)))
        held = bool(self.tangent.missed(values, gradients, scale).max(initial=0.0) < HELD)
        converged = held and decrement < PROMISE
        return Optimum(
            z, value, gradient, definite(information), decrement, converged, tuple(self.log), Curvature(information)
        )

    def finish(self, found: Optimum, T: Floats) -> Optimum:
        """Take Newton steps on the tangent space, each followed by the way back to the constraints."""
        for _ in range(8):
            if found.converged or not found.decrement < NEAR or found.curvature is None:
                break
            values, gradients = self.tangent.at(found.z)
            scale = found.curvature.scale
            basis = tangent_basis(gradients[self.tangent.active(values, gradients, scale)], scale)
            inside = Curvature(basis.T @ found.curvature.information @ basis)
            size, vectors = inside.eigen
            along = vectors.T @ (basis.T @ found.gradient / inside.scale) / np.maximum(size, 1e-6)
            try:
                new = self.measure(self.tangent.feasible(found.z + basis @ (vectors @ along / inside.scale), scale), T)
            except (Infeasible, np.linalg.LinAlgError):
                break
            if new.decrement > 0.5 * found.decrement and not new.converged:
                break
            found = new
        return found

    def way_up(self, found: Optimum) -> Floats | None:
        """Return a higher point on the constraints along the direction in which a point is no maximum, or None."""
        if np.isfinite(found.decrement) or found.curvature is None:
            return None
        values, gradients = self.tangent.at(found.z)
        scale = found.curvature.scale
        basis = tangent_basis(gradients[self.tangent.active(values, gradients, scale)], scale)
        inside = Curvature(basis.T @ found.curvature.information @ basis)
        direction = basis @ (inside.eigen[1][:, 0] / inside.scale)
        best, at = found.value, None
        for (
            t
        ) in UPWARD:  # a coordinate of hardly any curvature by itself has no scale: its direction may be far too long
            for sign in (1.0, -1.0):
                try:
                    near = self.tangent.feasible(found.z + sign * t * direction, found.curvature.scale)
                    missed = self.tangent.missed(*self.tangent.at(near), found.curvature.scale)
                    value = self.objective.value(near)
                except (Infeasible, np.linalg.LinAlgError):
                    continue
                if value > best and missed.max(initial=0.0) < HELD:
                    best, at = value, near
            if at is not None and t < 0.1:
                break
        return at
