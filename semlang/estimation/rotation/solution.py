"""The rotation of one set at the estimates, and its derivative in the parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.rotation.criteria import Criterion
from semlang.estimation.rotation.projection import Rotation, conditions, derivative, find_rotation
from semlang.estimation.rotation.standard import Loadings, kaiser_weights

__all__ = ["Solution", "by_differences", "solve_rotation"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """T (q, q), its derivative (q, q, P) in the parameters, and the search that found it."""

    T: Floats
    slope: Floats
    search: Rotation


def by_differences(function: Callable[[Floats], Floats], theta: Floats, parameters: list[int], sizes: Floats) -> Floats:
    """Return derivatives (..., P) by central differences in some parameters, zero in the others.

    Parameters
    ----------
    function : callable
    theta : (P,) floats
    parameters : list of int
    sizes : (P,) floats
        What is much of each parameter: steps are a millionth of it.
    """
    at = function(theta)
    out = np.zeros((*at.shape, theta.size))
    for p in parameters:
        step = 1e-6 * float(sizes[p])
        up, down = theta.copy(), theta.copy()
        up[p] += step
        down[p] -= step
        out[..., p] = (function(up) - function(down)) / (2.0 * step)
    return out


def solve_rotation(loadings: Loadings, theta: Floats, criterion: Criterion, starts: int = 30) -> Solution:
    """Rotate, and differentiate the rotation implicitly.

    The conditions F(T, theta) = 0 of `conditions` hold in a neighbourhood, so dT = -F_T^-1 F_theta dtheta. A promax
    rotation is a function of a varimax rotation and the loadings, and follows by the chain rule.

    References
    ----------
    Jennrich (1973), Psychometrika 38, 593; Jennrich (2007), in Handbook of Latent Variable and Related Models.
    """

    def weighted(at: Floats) -> Floats:
        A = loadings.standardised(at)
        return A * kaiser_weights(A)[:, None] if criterion.kaiser else A

    A = weighted(theta)
    search = find_rotation(A, criterion, starts)
    T = search.T
    q = T.shape[0]
    used = loadings.parameters

    def vanishing(at: Floats) -> Floats:
        out: Floats = conditions(weighted(at), T, criterion.function, criterion.orthogonal)
        return out

    F_T = derivative(A, T, criterion.function, criterion.orthogonal)
    F_theta = by_differences(vanishing, theta, used, loadings.sizes(theta))
    slope: Floats = np.asarray(-np.linalg.lstsq(F_T, F_theta, rcond=None)[0], dtype=np.float64)
    slope = slope.reshape(q, q, theta.size)
    if criterion.promax:
        T, slope = _promax(loadings, theta, T, slope, criterion.promax)
    signs, order = _presentation(loadings.standardised(theta), T)
    return Solution((T * signs)[:, order], (slope * signs[:, None])[:, order, :], search)


def _promax(loadings: Loadings, theta: Floats, T: Floats, slope: Floats, power: float) -> tuple[Floats, Floats]:
    """Rotate on from a varimax rotation to the powers of its loadings (Hendrickson and White 1964)."""
    q = T.shape[0]

    def further(at: Floats, turn: Floats) -> Floats:
        L = loadings.standardised(at) @ turn
        U = np.linalg.lstsq(L, L * np.abs(L) ** (power - 1.0), rcond=None)[0]
        U = U * np.sqrt(np.diag(np.linalg.inv(U.T @ U)))
        out: Floats = np.linalg.inv(turn @ U).T
        return out

    by_theta = by_differences(lambda at: further(at, T), theta, loadings.parameters, loadings.sizes(theta))
    by_turn = by_differences(lambda v: further(theta, v.reshape(q, q)), T.ravel(), list(range(q * q)), np.ones(q * q))
    return further(theta, T), by_theta + np.einsum("ijk,kp->ijp", by_turn, slope.reshape(q * q, -1))


def _presentation(A: Floats, T: Floats) -> tuple[Floats, list[int]]:
    """Return signs that make sums of loadings positive, and lavaan's order: by the mean place of large loadings."""
    L = np.linalg.solve(T, A.T).T
    signs = np.where(L.sum(axis=0) < 0, -1.0, 1.0)
    large = np.abs(L) >= 0.8 * np.abs(L).max(axis=0)
    place = [float(np.flatnonzero(large[:, j]).mean()) for j in range(L.shape[1])]
    return signs, sorted(range(L.shape[1]), key=lambda j: place[j])
