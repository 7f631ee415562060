"""Gradient projection: the rotation that minimises a criterion, from several starts, finished by Newton steps.

With loadings A (p, q) of uncorrelated factors, a rotation T gives Lambda = A T'^-1 and Phi = T'T. Oblique rotations
keep diag(T'T) = 1, orthogonal ones T'T = I.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.rotation.criteria import Criterion, Function

__all__ = ["Rotation", "conditions", "derivative", "find_rotation"]

Floats = NDArray[np.float64]
Matrix = NDArray[Any]


@dataclass(frozen=True)
class Rotation:
    """A rotation T (q, q), the criterion's value there, and how many of the starts reached it."""

    T: Floats
    value: float
    starts: int
    agreed: int


def rotated(A: Matrix, T: Matrix) -> Matrix:
    """Return Lambda = A T'^-1."""
    out: Matrix = np.linalg.solve(T, A.T).T
    return out


def conditions(A: Matrix, T: Matrix, function: Function, orthogonal: bool) -> Matrix:
    """Return the q^2 functions that vanish at a stationary rotation.

    With Z = Lambda' G, G the gradient of the criterion: oblique, diag(T'T) - 1 and the off-diagonal of
    Z - diag(Z) Phi (Jennrich 1973); orthogonal, T'T - I and Z - Z'.
    """
    q = T.shape[0]
    L = rotated(A, T)
    Z = L.T @ function(L)[1]
    Phi = T.T @ T
    if orthogonal:
        lower, strict = np.tril_indices(q), np.tril_indices(q, -1)
        return np.concatenate([(Phi - np.eye(q))[lower], (Z - Z.T)[strict]])
    off = ~np.eye(q, dtype=bool)
    return np.concatenate([np.diag(Phi) - 1.0, (Z - np.diag(Z)[:, None] * Phi)[off]])


def derivative(A: Floats, T: Floats, function: Function, orthogonal: bool) -> Floats:
    """Return the derivative of `conditions` in vec(T) (row by row), by a complex step."""
    q = T.shape[0]
    out = np.empty((q * q, q * q))
    for k in range(q * q):
        at = T.astype(complex)
        at.flat[k] += 1e-30j
        out[:, k] = conditions(A, at, function, orthogonal).imag / 1e-30
    return out


def _project(A: Floats, T: Floats, function: Function, orthogonal: bool) -> tuple[Floats, float]:
    """Descend from `T` by gradient projection (Jennrich 2001, 2002)."""
    step = 1.0
    L = rotated(A, T)
    f, Gq = function(L)
    for _ in range(1000):
        G = A.T @ Gq if orthogonal else -np.linalg.solve(T.T, Gq.T @ L)
        if orthogonal:
            M = T.T @ G
            Gp = G - T @ (M + M.T) / 2.0
        else:
            Gp = G - T * (T * G).sum(axis=0)
        size = float(np.linalg.norm(Gp))
        if size < 1e-6:
            break
        step *= 2.0
        for _ in range(20):
            X = T - step * Gp
            if orthogonal:
                U, _, V = np.linalg.svd(X)
                new = U @ V
            else:
                new = X / np.sqrt((X * X).sum(axis=0))
            L = rotated(A, new)
            f_new, Gq = function(L)
            if f_new < f - 0.5 * size**2 * step:
                break
            step /= 2.0
        T, f = new, float(f_new)
    return T, float(f)


def _finish(A: Floats, T: Floats, function: Function, orthogonal: bool) -> Floats:
    """Solve the conditions by Newton's method, where that stays close."""
    best = T
    size = float(np.abs(conditions(A, T, function, orthogonal)).max())
    for _ in range(8):
        try:
            step = np.linalg.solve(derivative(A, best, function, orthogonal), conditions(A, best, function, orthogonal))
        except np.linalg.LinAlgError:
            return best
        trial = best - step.reshape(T.shape)
        new = float(np.abs(conditions(A, trial, function, orthogonal)).max())
        if not new < size or np.abs(trial - T).max() > 0.05:
            return best
        best, size = trial, new
    return best


def find_rotation(A: Floats, criterion: Criterion, starts: int = 30, seed: int = 1) -> Rotation:
    """Minimise a criterion from the identity and from random orthogonal matrices.

    Parameters
    ----------
    A : (p, q) floats
        Loadings of uncorrelated factors with unit variances, rows scaled as the criterion wants them.
    criterion : Criterion
    starts, seed : int

    References
    ----------
    Jennrich (2001), Psychometrika 66, 289; (2002), Psychometrika 67, 7. Bernaards and Jennrich (2005).
    """
    q = A.shape[1]
    rng = np.random.default_rng(seed)
    found: list[tuple[float, Floats]] = []
    for k in range(max(starts, 1)):
        T = np.eye(q) if k == 0 else np.linalg.qr(rng.normal(size=(q, q)))[0]
        try:
            T, f = _project(A, T, criterion.function, criterion.orthogonal)
        except np.linalg.LinAlgError:
            continue
        found.append((f, T))
    if not found:
        return Rotation(np.eye(q), float("nan"), starts, 0)
    f, T = min(found, key=lambda pair: pair[0])
    agreed = sum(g - f < 1e-6 * max(1.0, abs(f)) for g, _ in found)
    return Rotation(_finish(A, T, criterion.function, criterion.orthogonal), f, len(found), agreed)
