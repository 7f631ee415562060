"""The recursion over levels: up to the log-likelihood, and back to posterior moments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.gaussian.tree import Tree
from semlang.estimation.kernels import gaussian_sweep
from semlang.estimation.member import Infeasible

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Posterior means (R_l, U_l) and packed covariances of the variables that the units of a level see."""

    mean: Floats
    covariance: Floats


class Sweep:
    """Elimination level by level, the lowest first, and back.

    The variables are ordered by level, the highest first, so that the units of level l see the first R_l.

    Parameters
    ----------
    tree : Tree
    sizes : list of int
        Number of variables of each level, lowest first.

    Attributes
    ----------
    parts : list of (U_l,) floats
        What the units of each level added to the log-likelihood on the last way up, without their weights.
    """

    def __init__(self, tree: Tree, sizes: list[int]) -> None:
        self.tree, self.sizes = tree, sizes
        self.alive = [sum(sizes[i:]) for i in range(len(sizes))]
        self._buffers = []
        for own, alive, units in zip(sizes, self.alive, tree.first, strict=True):
            U, above = len(units), alive - own
            self._buffers.append((np.empty((packed(own), U)), np.empty((own, above, U)), np.empty((own, U))))
        self._work = [gaussian_sweep.Work.of(own, alive - own) for own, alive in zip(sizes, self.alive, strict=True)]
        self._V: list[Floats] = []
        self.parts: list[Floats] = []
        self._kept: list[tuple[Floats, Floats] | None] = []

    def up(self, K: Floats, h: Floats, V: list[Floats]) -> float:
        """Return the log-likelihood apart from the leaves' constants; `K` and `h` are overwritten."""
        value = 0.0
        self._V, self._kept, self.parts = V, [], []
        for i, own in enumerate(self.sizes):
            above = self.alive[i] - own
            F, signs = signed_factor(V[i])
            C, G, a = self._buffers[i]
            singular = is_singular(F, V[i]) or bool((signs < 0).any())
            self._kept.append((K.copy(), h.copy()) if singular else None)
            log_root, q = np.zeros(h.shape[1]), np.zeros(h.shape[1])
            gaussian_sweep.up(K, h, F, signs, above, C, G, a, log_root, q, self._work[i])
            part = 0.5 * q - log_root
            self.parts.append(part)
            value += float(part.sum() if self.tree.total is None else part @ self.tree.total[i])
            K, h = K[: packed(above)], h[:above]
            if above:
                if self.tree.weight is not None:
                    K, h = K * self.tree.weight[i], h * self.tree.weight[i]
                K = np.add.reduceat(K, self.tree.begin[i], axis=1)
                h = np.add.reduceat(h, self.tree.begin[i], axis=1)
        if not np.isfinite(value):
            raise Infeasible("the log-likelihood is not finite")
        return value

    def down(self) -> list[Posterior]:
        """Return the posterior moments at each level, lowest first; after `up`."""
        b, S = np.zeros((0, 1)), np.zeros((0, 1))
        out = []
        for i in reversed(range(len(self.sizes))):
            C, G, a = self._buffers[i]
            U, alive = a.shape[1], self.alive[i]
            b1, S1 = np.empty((alive, U)), np.empty((packed(alive), U))
            gaussian_sweep.down(C, G, a, b, S, self.tree.parent[i], b1, S1, self._work[i])
            b, S = b1, S1
            out.append(Posterior(b, S))
        return out[::-1]

    def prior_moments(self, i: int, posterior: Posterior, unit: bool = False) -> Floats:
        """Return dl/dV of level `i`, every entry treated as free: (r, r), or (r, r, U) per unit.

        With V well conditioned it is V^-1 (S11 + b1 b1' - V) V^-1 / 2. With V singular or indefinite,

            dl/dV = 1/2 [ q q' + P K12 S22 K21 P' - P K11 ],   P = I - K11 C,  q = h1 - K12 b2 - K11 b1,

        the one-sided derivative at a zero variance.
        """
        own, above = self.sizes[i], self.alive[i] - self.sizes[i]
        U = posterior.mean.shape[1]
        kept = self._kept[i]
        weight = self.tree.total[i] if self.tree.total is not None else np.ones(U)
        b1 = posterior.mean[above:]
        if kept is None:
            rows = [packed(above + s) + above + t for s in range(own) for t in range(s + 1)]
            Vi = np.asarray(np.linalg.inv(self._V[i]), dtype=float)
            if unit:
                E = unpack(posterior.covariance[rows]) + b1[:, None] * b1 - self._V[i][:, :, None]
                return 0.5 * sandwich(Vi, E) * weight
            E = unpack(posterior.covariance[rows] @ weight) + (b1 * weight) @ b1.T - weight.sum() * self._V[i]
            return np.asarray(0.5 * Vi @ E @ Vi)
        Kfull = np.moveaxis(unpack(kept[0]), 2, 0)
        K11, K12 = Kfull[:, above:, above:], Kfull[:, above:, :above]
        P = np.eye(own) - K11 @ np.moveaxis(unpack(self._buffers[i][0]), 2, 0)
        q = kept[1][above:].T - np.einsum("uij,ju->ui", K12, posterior.mean[:above])
        q -= np.einsum("uij,ju->ui", K11, b1)
        W = P @ K12
        each = q[:, :, None] * q[:, None, :] - P @ K11
        if above:
            each += W @ np.moveaxis(unpack(posterior.covariance[: packed(above)]), 2, 0) @ np.swapaxes(W, 1, 2)
        each = 0.25 * (each + np.swapaxes(each, 1, 2)) * weight[:, None, None]
        return np.moveaxis(each, 0, 2) if unit else np.asarray(each.sum(0))


def signed_factor(V: Floats) -> tuple[Floats, Floats]:
    """Return F and signs s with V = F diag(s) F', positive ones first.

    F is lower triangular where V is positive semidefinite, with zero columns where a pivot is zero; else it is made of
    eigenvectors.
    """
    F = _semidefinite_factor(V)
    if F is not None:
        return F, np.ones(len(V))
    if not np.isfinite(V).all():
        raise Infeasible("a covariance matrix of disturbances is not finite")
    size = np.sqrt(np.abs(np.diag(V)))
    size = np.where(size > 0.0, size, 1.0)
    values, vectors = np.linalg.eigh(V / np.outer(size, size))
    values, vectors = values[::-1], vectors[:, ::-1]
    F = size[:, None] * vectors * np.sqrt(np.abs(values))
    return np.ascontiguousarray(F), np.where(values < 0.0, -1.0, 1.0)


def _semidefinite_factor(V: Floats) -> Floats | None:
    """Return the lower triangular F with F F' = V, with zero columns where a pivot is zero, or None."""
    F = V.copy()
    tolerance = 1e-13 * max(np.abs(np.diag(V)).max(initial=0.0), 1e-300)
    for j in range(len(V)):
        pivot = F[j, j] - F[j, :j] @ F[j, :j]
        below = F[j + 1 :, j] - F[j + 1 :, :j] @ F[j, :j]
        if pivot > tolerance:
            F[j, j] = np.sqrt(pivot)
            F[j + 1 :, j] = below / F[j, j]
        elif not pivot >= -10 * tolerance or np.abs(below).max(initial=0.0) > 1e-6 * np.sqrt(tolerance):
            return None
        else:
            F[j:, j] = 0.0
    return np.tril(F)


def is_singular(F: Floats, V: Floats) -> bool:
    """Return whether some variable is nearly determined by those before it, whatever its scale."""
    return bool(np.any(np.diag(F) <= 1e-4 * np.sqrt(np.abs(np.diag(V)))))


def packed(R: int) -> int:
    """Return the length of a packed symmetric matrix of R rows."""
    return R * (R + 1) // 2


def sandwich(A: Floats, S: Floats) -> Floats:
    """Return A S_u A' for symmetric S (R, R, U)."""
    left = np.tensordot(A, S, 1)
    return np.asarray(np.tensordot(A, left.transpose(1, 0, 2), 1).transpose(1, 0, 2))


@cache
def _lower(R: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(R)


def unpack(v: Floats) -> Floats:
    """Return symmetric matrices (R, R, ...) from their packed lower triangles (R(R+1)/2, ...)."""
    R = int((np.sqrt(8 * len(v) + 1) - 1) / 2)
    i, j = _lower(R)
    out = np.empty((R, R, *v.shape[1:]))
    out[i, j] = v
    out[j, i] = v
    return out
