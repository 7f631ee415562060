"""Newton's method with quasi-Newton steps between, on an exact gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = Callable[[Floats], tuple[float, Floats]]

SETTLED = 1e-10
"""Newton's decrement g' H^-1 g, twice what a Newton step would gain, below which the climb ends."""


@dataclass(frozen=True)
class Top:
    """Where a climb ended.

    Parameters
    ----------
    theta : (P,)
    value : float
    hessian : (P, P)
    converged : bool
        The gradient is zero as said above, and the Hessian negative definite.
    evaluations : int
    """

    theta: Floats
    value: float
    hessian: Floats
    converged: bool
    evaluations: int


class _Counted:
    def __init__(self, function: Function) -> None:
        self.function, self.n = function, 0

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        self.n += 1
        return self.function(theta)


def climb(function: Function, theta: Floats, rounds: int = 40) -> Top:
    """Maximise a function from a point where it is finite.

    Parameters
    ----------
    function : callable
        Returns value and gradient; -inf outside its domain.
    theta : (P,)
    rounds : int
        Hessians that are computed at most.
    """
    f = _Counted(function)
    value, gradient = f(theta)
    hessian = np.zeros((theta.size, theta.size))
    for _ in range(rounds):
        hessian = differences(f, theta, gradient)
        inverse, definite = curvature(hessian)
        decrement = float(gradient @ inverse @ gradient)
        if definite and decrement < SETTLED:
            return Top(theta, value, hessian, True, f.n)
        for _ in range(25):
            step = inverse @ gradient
            reached = ascend(f, theta, value, gradient, step)
            if reached is None:
                break
            new, better, slope = reached
            move, turn = new - theta, gradient - slope
            theta, value, gradient = new, better, slope
            curved = float(move @ turn)
            if curved > 1e-12 * math.sqrt(float(move @ move) * float(turn @ turn)):  # BFGS on the inverse
                v = np.eye(theta.size) - np.outer(move, turn) / curved
                inverse = v @ inverse @ v.T + np.outer(move, move) / curved
            if float(gradient @ inverse @ gradient) < SETTLED:
                break
    return Top(theta, value, hessian, False, f.n)


def ascend(
    f: Function, theta: Floats, value: float, gradient: Floats, step: Floats
) -> tuple[Floats, float, Floats] | None:
    """Return the first point on a step, halved until it is high enough; None where there is none."""
    rise = float(gradient @ step)
    size = 1.0
    for _ in range(40):
        new = theta + size * step
        better, slope = f(new)
        if better >= value + 1e-4 * size * rise - 1e-12 * abs(value) and math.isfinite(better):
            return new, better, slope
        size *= 0.5
    return None


def differences(f: Function, theta: Floats, gradient: Floats) -> Floats:
    """Return the Hessian by central differences of the gradient; one-sided at the edge of the domain."""
    out = np.zeros((theta.size, theta.size))
    for k in range(theta.size):
        h = 1e-5 * max(1e-2, abs(theta[k]))
        rows = []
        for side in (h, -h):
            new = theta.copy()
            new[k] += side
            at, slope = f(new)
            if math.isfinite(at):
                rows.append((new[k] - theta[k], slope))
        if len(rows) == 2:
            out[k] = (rows[0][1] - rows[1][1]) / (rows[0][0] - rows[1][0])
        elif rows:
            out[k] = (rows[0][1] - gradient) / rows[0][0]
    return 0.5 * (out + out.T)


def curvature(hessian: Floats) -> tuple[Floats, bool]:
    """Return (-H)^-1 with negative eigenvalues turned round, and whether there were none; in units of the diagonal."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(-hessian / np.outer(scale, scale))
    definite = bool(values.size == 0 or values.min() > 1e-10)
    inverse = (vectors / np.maximum(np.abs(values), 1e-6)) @ vectors.T
    return inverse / np.outer(scale, scale), definite
