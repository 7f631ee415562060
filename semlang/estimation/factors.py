"""Factors of the covariance matrices of disturbances: Psi = F F'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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
        return self.has_factor and not self.fixed.any()

    @cached_property
    def fixed(self) -> NDArray[np.bool_]:
        """Which variances are constants (b,)."""
        return np.asarray(np.diag(self.parameter) < 0)

    @cached_property
    def has_factor(self) -> bool:
        """Whether every cell is a parameter of its own, but for variances that are positive constants."""
        size = len(self.members)
        own = self.parameter[np.tril_indices(size)]
        own = own[(own >= 0) | ~np.eye(size, dtype=bool)[np.tril_indices(size)]]
        if not own.size or (own < 0).any() or np.unique(own).size < own.size:
            return False
        return bool((np.diag(self.constant)[self.fixed] > 0.0).all())

    def factor(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the lower factor F (b, b) at coordinates, and dF (b, b, m) by those of `own`.

        The coordinate in the place of Psi[i, j] is F[i, j]. A line of a fixed variance s^2 is a point of the sphere of
        radius s, ``s (u sin r / r, cos r)`` with r = |u|, u in the places of the covariances: one that is regular
        where the matrix is singular (r = pi / 2) and beyond, where it is that of the mirrored line.
        """
        F, dF, _ = self._expand(x, second=False)
        return F, dF

    def jacobian(self, x: Floats) -> Floats:
        """Return the derivatives (m, m) of the parameters of the block by its coordinates, d(F F') = dF F' + F dF'."""
        F, dF = self.factor(x)
        half = np.einsum("idk,jd->ijk", dF, F)
        return np.asarray((half + half.transpose(1, 0, 2))[self.cells])

    def curvature(self, x: Floats, derivative: Floats) -> Floats:
        """Return sum_p dl/dtheta_p d2theta_p/dx dx' (m, m) from coordinates and derivatives (P,)."""
        F, dF, d2F = self._expand(x, second=bool(self.fixed.any()))
        slopes = np.zeros(F.shape)
        slopes[self.cells] = derivative[self.own]
        slopes = slopes + slopes.T  # of the lower triangle alone, twice on the diagonal
        out = np.einsum("idk,idm->km", dF, np.einsum("ij,jdm->idm", slopes, dF))
        if d2F.size:
            out += np.einsum("id,idkm->km", slopes @ F, d2F)
        return np.asarray(out)

    @cached_property
    def cells(self) -> tuple[Ints, Ints]:
        """The cells of the lower triangle that are parameters."""
        i, j = np.tril_indices(len(self.members))
        own = self.parameter[i, j] >= 0
        return i[own], j[own]

    @cached_property
    def own(self) -> Ints:
        """The parameters of these, in whose places coordinates are (m,)."""
        return np.asarray(self.parameter[self.cells])

    def _expand(self, x: Floats, second: bool) -> tuple[Floats, Floats, Floats]:
        n, number = len(self.members), {int(p): k for k, p in enumerate(self.own)}
        F, dF = np.zeros((n, n)), np.zeros((n, n, len(number)))
        d2F = np.zeros((n, n, len(number), len(number)) if second else (0, 0, 0, 0))
        for i in range(n):
            places = self.parameter[i, : i + (not self.fixed[i])]
            at = [number[int(p)] for p in places]
            if not self.fixed[i]:
                F[i, : i + 1] = x[places]
                dF[i, np.arange(i + 1), at] = 1.0
                continue
            s, u = float(np.sqrt(self.constant[i, i])), x[places]
            cosine, S, T, U = _sphere(float(np.sqrt(u @ u)))
            F[i, :i], F[i, i] = s * S * u, s * cosine
            uu = np.outer(u, u)
            dF[i, :i, at] = s * (S * np.eye(i) + T * uu)
            dF[i, i, at] = -s * S * u
            if second:
                here = np.ix_(at, at)
                one = np.eye(i)
                for j in range(i):
                    mixed = np.outer(one[j], u)
                    d2F[i, j][here] = s * (T * (mixed + mixed.T + u[j] * one) + U * u[j] * uu)
                d2F[i, i][here] = -s * (S * one + T * uu)
        return F, dF, d2F

    def coordinates(self, F: Floats) -> Floats:
        """Return the coordinates (m,) of a lower factor."""
        out = np.zeros(self.own.size)
        number = {int(p): k for k, p in enumerate(self.own)}
        for i in range(len(self.members)):
            line = F[i, : i + 1]
            if self.fixed[i]:
                r = float(np.arctan2(np.linalg.norm(line[:i]), line[i]))
                line = line[:i] / (float(np.sqrt(self.constant[i, i])) * _sphere(r)[1])
            for p, value in zip(self.parameter[i, : line.size].tolist(), line.tolist(), strict=True):
                out[number[p]] = value
        return out


def _sphere(r: float) -> tuple[float, float, float, float]:
    """Return cos r, S = sin r / r, T = S' / r and T' / r, by their series near zero."""
    if r < 1e-2:
        square = r * r
        series = (1.0 - square / 6.0 + square**2 / 120.0, -1.0 / 3.0 + square / 30.0 - square**2 / 840.0)
        return float(np.cos(r)), *series, 1.0 / 15.0 - square / 210.0
    S = float(np.sin(r)) / r
    T = (float(np.cos(r)) - S) / r**2
    return float(np.cos(r)), S, T, -(S + 3.0 * T) / r**2


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
    variance of zero lies inside the space (S.R. Searle's and lme4's argument; Bates et al. 2015, section 2), and where
    variances are fixed angles of their lines, so that a correlation of one does, see `Block.factor`. Other blocks are
    built from the parameters and factored by Cholesky, with

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
                F[np.ix_(b.members, b.members)], d_factor = b.factor(x)
                for i, j, k in zip(*np.nonzero(d_factor), strict=True):
                    derivatives.append((b.members[i], b.members[j], int(b.own[k]), float(d_factor[i, j, k])))
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
