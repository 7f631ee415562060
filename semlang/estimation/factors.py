"""Factors of the covariance matrices of disturbances: Psi = F F'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import Cells, ReducedForm

__all__ = ["Block", "Factorisation", "Factors", "blocks_of", "semidefinite_factor"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """A block of Psi that no covariance joins to the rest.

    Parameters
    ----------
    members : tuple of int
        Numbers of the disturbances.
    parameter : (b, b) ints
        Parameter of each cell, symmetric, -1 for a constant.
    constant : (b, b) floats
    """

    members: tuple[int, ...]
    parameter: Ints
    constant: Floats

    @property
    def is_free(self) -> bool:
        """Whether every cell is a parameter of its own."""
        lower = self.parameter[np.tril_indices(len(self.members))]
        return bool((lower >= 0).all()) and np.unique(lower).size == lower.size


def blocks_of(psi: Cells) -> tuple[Block, ...]:
    """Cut Psi into its connected blocks; disturbances with variance fixed at zero and no covariance are left out."""
    if "blocks" not in psi.memo:
        psi.memo["blocks"] = _cut(psi)
    found: tuple[Block, ...] = psi.memo["blocks"]
    return found


def _cut(psi: Cells) -> tuple[Block, ...]:
    size = psi.shape[0]
    parameter = np.full((size, size), -1)
    constant = np.zeros((size, size))
    parameter[psi.i, psi.j] = parameter[psi.j, psi.i] = psi.parameter
    constant[psi.i, psi.j] = constant[psi.j, psi.i] = np.where(psi.parameter < 0, psi.value, 0.0)
    present = (parameter >= 0) | (constant != 0.0)
    root = list(range(size))

    def find(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for i, j in zip(*np.nonzero(np.tril(present, -1)), strict=True):
        root[find(int(i))] = find(int(j))
    groups: dict[int, list[int]] = {}
    for i, connected in enumerate(present.any(axis=1).tolist()):
        if connected:
            groups.setdefault(find(i), []).append(i)
    return tuple(Block(tuple(g), parameter[np.ix_(g, g)], constant[np.ix_(g, g)]) for g in sorted(groups.values()))


def semidefinite_factor(V: Floats, tolerance: float = 1e-10) -> Floats:
    """Return the lower factor F of ``V = F F'``, with zero columns where V is singular.

    Raises
    ------
    Infeasible
        If V has a negative eigenvalue.
    """
    n = V.shape[0]
    F = np.zeros((n, n))
    scale = max(float(np.abs(np.diag(V)).max(initial=0.0)), 1e-300)
    for j in range(n):
        s = V[j, j] - F[j, :j] @ F[j, :j]
        rest = V[j + 1 :, j] - F[j + 1 :, :j] @ F[j, :j]
        if s > tolerance * scale:
            F[j, j] = np.sqrt(s)
            F[j + 1 :, j] = rest / F[j, j]
        elif s < -tolerance * scale or np.abs(rest).max(initial=0.0) > np.sqrt(tolerance) * scale:
            raise Infeasible("a covariance matrix is not positive semidefinite")
    return F


class Factors(Protocol):
    """What the chain from parameters to rows needs of latent variables: a matrix that makes them from coordinates."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Blocks of Psi."""

    @property
    def shifted(self) -> tuple[bool, ...]:
        """Which blocks lose a part of their eigenvalues."""

    @property
    def structure(self) -> NDArray[np.bool_]:
        """Which cells of the matrix (J, J) may differ from zero."""

    def shifts(self, x: Floats, /) -> dict[int, float]:
        """Return what `shifted` blocks lose, by disturbance."""

    def evaluate(self, x: Floats, /) -> tuple[Floats, list[tuple[int, int, int, float]]]:
        """Return the matrix (J, J) and its derivatives as (i, j, parameter, value)."""


class Factorisation:
    """F of one group's Psi and its derivatives, in the optimiser's coordinates.

    The coordinates of blocks in `factored` are the entries of their lower factors, with free signs, so that a
    variance of zero lies inside the space (S.R. Searle's and lme4's argument; Bates et al. 2015, section 2). Other
    blocks are built from the parameters and factored by Cholesky, with

        dF = F Phi(F^-1 dPsi F^-T),   Phi: lower triangle, diagonal halved.

    Blocks that depend on covariates are I here; `semlang.estimation.moderation` has their factors.

    Parameters
    ----------
    reduced : ReducedForm
    factored : sequence of bool, optional
        For each block of `blocks_of(reduced.psi)`; default none.
    shifted : sequence of int
        Disturbances whose blocks lose half of their smallest eigenvalue, see `lift_residuals`.
    """

    def __init__(
        self, reduced: ReducedForm, factored: Sequence[bool] | None = None, shifted: Sequence[int] = ()
    ) -> None:
        self.size = len(reduced.disturbances)
        self.blocks = blocks_of(reduced.psi)
        given = () if factored is None else tuple(factored)
        self.factored = given + (False,) * (len(self.blocks) - len(given))
        self.shifted = tuple(bool(set(b.members) & set(shifted)) for b in self.blocks)
        moderated = {i for i, _ in reduced.moderated}
        self._constant: dict[int, Floats] = {
            n: np.eye(len(b.members)) for n, b in enumerate(self.blocks) if moderated & set(b.members)
        }
        self._moderated = frozenset(self._constant)
        self.coordinates = tuple(sorted(i for b in self.blocks for i in b.members))

    @property
    def structure(self) -> NDArray[np.bool_]:
        """Which cells of F (J, J) may differ from zero."""
        out = np.zeros((self.size, self.size), dtype=bool)
        for n, b in enumerate(self.blocks):
            own = np.eye if n in self._moderated else lambda size: np.tril(np.ones((size, size)))
            out[np.ix_(b.members, b.members)] = own(len(b.members)) != 0.0
        return out

    @staticmethod
    def _shift(V: Floats) -> float:
        smallest = float(np.linalg.eigvalsh(V)[0])
        if smallest <= 0.0:
            raise Infeasible("a residual covariance matrix is not positive definite")
        return 0.5 * smallest

    def shifts(self, x: Floats) -> dict[int, float]:
        """Return what `shifted` blocks lose, by disturbance."""
        out: dict[int, float] = {}
        for b, shifted in zip(self.blocks, self.shifted, strict=True):
            if shifted:
                eps = self._shift(np.where(b.parameter >= 0, x[b.parameter], b.constant))
                out.update((j, eps) for j in b.members)
        return out

    def evaluate(self, x: Floats) -> tuple[Floats, list[tuple[int, int, int, float]]]:
        """Return F (J, J) and its derivatives as (i, j, parameter, value).

        Raises
        ------
        Infeasible
            If a block is not positive definite.
        """
        F = np.zeros((self.size, self.size))
        derivatives: list[tuple[int, int, int, float]] = []
        for number, (b, factored, shifted) in enumerate(zip(self.blocks, self.factored, self.shifted, strict=True)):
            n = len(b.members)
            if number in self._constant:
                F[np.ix_(b.members, b.members)] = self._constant[number]
                continue
            if factored:
                for i in range(n):
                    for j in range(i + 1):
                        p = int(b.parameter[i, j])
                        F[b.members[i], b.members[j]] = x[p]
                        derivatives.append((b.members[i], b.members[j], p, 1.0))
                continue
            V = np.where(b.parameter >= 0, x[b.parameter], b.constant)
            f = semidefinite_factor(V - self._shift(V) * np.eye(n) if shifted else V)
            F[np.ix_(b.members, b.members)] = f
            free = np.unique(b.parameter[b.parameter >= 0])
            if not free.size:
                self._constant[number] = f
                continue
            if (np.diag(f) <= 0.0).any():
                raise Infeasible("a covariance matrix is not positive semidefinite")
            inverse = solve_triangular(f, np.eye(n), lower=True)
            for p in free:
                middle = np.tril(inverse @ (b.parameter == p) @ inverse.T)
                middle[np.diag_indices(n)] *= 0.5
                d = f @ middle
                for i in range(n):
                    for j in range(i + 1):
                        if d[i, j]:
                            derivatives.append((b.members[i], b.members[j], int(p), float(d[i, j])))
        return F, derivatives
