"""The tangent space of active constraints, and the way back to where they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.constraints import Nonlinear
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective

__all__ = ["Tangent", "on_the_edge", "tangent_basis"]

Floats = NDArray[np.float64]

HOLDS = 1e-5
"""Standard errors from its bound within which an inequality holds with equality: quadratic programming ends nearer."""


MET = 1e-9
"""The same at which the way back to the constraints ends: a hundred thousandth of what counts."""


def on_the_edge(values: Floats, gradients: Floats, scale: Floats) -> NDArray[np.bool_]:
    """Return which functions of the parameters are zero but for a small part of a standard error."""
    return np.asarray(np.abs(values) <= HOLDS * np.linalg.norm(gradients / scale, axis=1))


def tangent_basis(active: Floats, scale: Floats | None = None) -> Floats:
    """Return a basis (n, n - rank) of the directions in which constraints with gradients `active` (m, n) do not change.

    Parameters
    ----------
    active : (m, n) floats
    scale : (n,) floats, optional
        Roots of the diagonal of the information: with them the basis does not depend on units of measurement.
    """
    scale = np.ones(active.shape[1]) if scale is None else scale
    rows = active / scale
    size = np.linalg.norm(rows, axis=1)
    rows = rows[size > 0] / size[size > 0][:, None]
    if not rows.size:
        return np.asarray(np.diag(1.0 / scale))
    _, s, vt = np.linalg.svd(rows)
    out: Floats = vt[int((s > 1e-10 * s[0]).sum()) :].T / scale[:, None]
    return out


class Tangent:
    """Nonlinear constraints as functions of the optimiser's coordinates.

    Parameters
    ----------
    objective : Objective
    constraints : sequence of Nonlinear
    """

    def __init__(self, objective: Objective, constraints: Sequence[Nonlinear]) -> None:
        self.objective, self.constraints = objective, tuple(constraints)

    def at(self, z: Floats) -> tuple[Floats, Floats]:
        """Return the values (m,) and the gradients (m, n) of all constraints.

        Raises
        ------
        Infeasible
            If one has no value there; it is named.
        """
        theta = self.objective.theta(z)
        found = [c.function(theta) for c in self.constraints]
        lost = [
            f"'{c.text}'" for c, (value, gradient) in zip(self.constraints, found, strict=True)
            if not (np.isfinite(value) and np.isfinite(gradient).all())
        ]  # fmt: skip
        if lost:
            raise Infeasible(f"the constraint {', '.join(lost[:4])} has no value or slope where the optimiser stands")
        values = np.array([value for value, _ in found])
        return values, np.array([gradient for _, gradient in found]) @ self.objective.jacobian(z)

    def active(self, values: Floats, gradients: Floats, scale: Floats) -> NDArray[np.bool_]:
        """Return which constraints hold with equality: inequalities that are hardly a step from it.

        Parameters
        ----------
        values : (m,) floats
        gradients : (m, n) floats
        scale : (n,) floats
            Roots of the diagonal of the information: distances are in standard errors.
        """
        near = on_the_edge(values, gradients, scale)
        return np.array([c.equality for c in self.constraints], dtype=np.bool_) | near

    def violated(self, values: Floats) -> Floats:
        """Return how far each constraint is from being met (m,)."""
        return np.array([v if c.equality else min(v, 0.0) for c, v in zip(self.constraints, values, strict=True)])

    def missed(self, values: Floats, gradients: Floats, scale: Floats) -> Floats:
        """Return how far each constraint is from being met, in standard errors (m,): it has no unit.

        Parameters
        ----------
        values : (m,) floats
        gradients : (m, n) floats
        scale : (n,) floats
            Roots of the diagonal of the information.
        """
        far = np.abs(self.violated(values))
        size = np.linalg.norm(gradients / scale, axis=1)
        return np.asarray(np.where(far > 0.0, far / np.maximum(size, np.finfo(float).tiny), 0.0))

    def feasible(self, z: Floats, scale: Floats, limit: int = 50) -> Floats:
        """Return a point near `z` where the constraints hold, by Gauss-Newton steps of least length.

        Where none is found the nearest that was met is returned.

        Parameters
        ----------
        z, scale : (n,) floats
            A start, and roots of the diagonal of the information: lengths are in standard errors.
        """
        values, gradients = self.at(z)
        far = self.violated(values)
        for _ in range(limit):
            if float(self.missed(values, gradients, scale).max(initial=0.0)) < MET:
                break
            rows = np.flatnonzero(far != 0.0) if not any(c.equality for c in self.constraints) else np.flatnonzero(
                [c.equality or f != 0.0 for c, f in zip(self.constraints, far, strict=True)]
            )  # fmt: skip
            size = np.linalg.norm(gradients / scale, axis=1)
            weight = 1.0 / np.where(size > 0.0, size, 1.0)
            step = -np.linalg.lstsq(gradients[rows] / scale, far[rows], rcond=1e-10)[0] / scale
            t = 1.0
            while t > 1e-4:
                try:
                    new = self.at(z + t * step)
                    now = self.violated(new[0])
                    if float(((now * weight) ** 2).sum()) < (1.0 - 0.1 * t) * float(((far * weight) ** 2).sum()):
                        break
                except Infeasible:
                    pass
                t *= 0.5
            else:
                break
            z, (values, gradients), far = z + t * step, new, now
        return z

    def curvature(self, z: Floats, multipliers: Floats, steps: Floats) -> Floats:
        """Return the sum of multipliers times second derivatives of constraints (n, n), by differences of gradients."""
        n = z.size
        out = np.zeros((n, n))
        if not np.any(multipliers):
            return out
        for k in range(n):
            move = np.zeros(n)
            move[k] = steps[k]
            out[k] = multipliers @ (self.at(z + move)[1] - self.at(z - move)[1]) / (2.0 * steps[k])
        return (out + out.T) / 2.0
