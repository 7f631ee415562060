"""Latent variables in standard coordinates, eta_j = c_j z_j: their scales, and the distribution of each given others.

With ``Sigma = T Psi T'`` the covariance matrix of the latent variables, ``c_j`` is a standard deviation and R the
correlation matrix. Along an order of elimination the density is a product,

    p(z) = prod_j N(z_j; b_j' z_given, tau_j^2),   b_j = R_gg^-1 R_gj,   tau_j^2 = 1 - b_j' R_gj.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.elimination.order import Step
from semlang.estimation.factors import Factorisation
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import ReducedForm

__all__ = ["Conditional", "Prior", "Standard"]

Floats = NDArray[np.float64]

NARROWEST = 1e-10
"""Conditional variance of a standard variable below which its distribution is no density."""


@dataclass(frozen=True)
class Conditional:
    """Distribution of a variable given others, and its derivatives.

    Parameters
    ----------
    b : (g,) floats
    variance : float
    db : (g, P) floats
    dvariance : (P,) floats
    """

    b: Floats
    variance: float
    db: Floats
    dvariance: Floats


@dataclass(frozen=True)
class Prior:
    """Scales (J,) and their derivatives (J, P), and the conditional distribution of each step's variable."""

    scales: Floats
    dscales: Floats
    conditionals: tuple[Conditional, ...]


class Standard:
    """Standard coordinates of one group's latent variables.

    Stands for a `Factorisation` in the chain from parameters to rows: a diagonal factor, the scales.

    Parameters
    ----------
    latent : ReducedForm
        Latent variables as functions of disturbances.
    steps : sequence of Step
    factored : sequence of bool
        Which blocks of Psi have factor coordinates.
    """

    def __init__(self, latent: ReducedForm, steps: Sequence[Step], factored: Sequence[bool] | None) -> None:
        self.latent, self.steps = latent, tuple(steps)
        self.inner = Factorisation(latent, factored)
        self.size, self.blocks, self.shifted = self.inner.size, self.inner.blocks, self.inner.shifted
        self.coordinates = self.inner.coordinates
        cells = latent.loading_cells
        self._i, self._j, self._slot = cells[:, 0], cells[:, 2], cells[:, 3]
        alone = {b.members[0] for b in self.blocks if len(b.members) == 1}
        own = [int((self._i == j).sum()) == 1 for j in range(self.size)]
        self._signed = [j for j in range(self.size) if j in alone and own[j]]
        self._last: tuple[bytes, Prior] | None = None

    @property
    def structure(self) -> NDArray[np.bool_]:
        """Which cells of the diagonal factor may differ from zero."""
        return np.eye(self.size, dtype=bool)

    def shifts(self, _: Floats) -> dict[int, float]:
        """Return nothing: no residual is part of a latent variable."""
        return {}

    def evaluate(self, x: Floats) -> tuple[Floats, list[tuple[int, int, int, float]]]:
        """Return the diagonal factor and its derivatives as (i, i, parameter, value)."""
        prior = self.prior(x)
        at = [(int(j), int(j), int(p), float(prior.dscales[j, p])) for j, p in zip(*np.nonzero(prior.dscales))]
        return np.diag(prior.scales), at

    def prior(self, x: Floats) -> Prior:
        """Return scales and conditional distributions at the optimiser's coordinates.

        Raises
        ------
        Infeasible
            If a variable is a function of others, or a covariance matrix has a negative eigenvalue.
        """
        known = x.tobytes()
        if self._last is None or self._last[0] != known:
            self._last = known, self._prior(x)
        return self._last[1]

    def _prior(self, x: Floats) -> Prior:
        J, P = self.size, x.size
        slots, d_slots = self.latent.jacobian(x)
        T, dT = np.zeros((J, J)), np.zeros((P, J, J))
        T[self._i, self._j] = slots[self._slot]
        dT[:, self._i, self._j] = d_slots[self._slot].T
        F, derivatives = self.inner.evaluate(x)
        dF = np.zeros((P, J, J))
        for i, j, p, v in derivatives:
            dF[p, i, j] = v
        G = T @ F
        dG = dT @ F + T @ dF
        S = G @ G.T
        half = dG @ G.T
        dS = half + half.transpose(0, 2, 1)
        variances = np.diagonal(S)
        none = variances <= 0.0
        c = np.sqrt(np.where(none, 1.0, variances))
        dc = np.where(none, 0.0, 0.5 * np.diagonal(dS, axis1=1, axis2=2) / c)  # (P, J)
        R = S / np.outer(c, c) + np.diag(none.astype(float))
        dlog = dc / c
        dR = dS / np.outer(c, c) - R * (dlog[:, :, None] + dlog[:, None, :])
        dR[:, none, :] = dR[:, :, none] = 0.0
        R[np.ix_(none, none)] = np.eye(int(none.sum()))
        conditionals = tuple(_conditional(R, dR, s) for s in self.steps)
        c[none], dc[:, none] = 0.0, 0.0
        for j in self._signed:  # smooth at zero
            c[j], dc[:, j] = G[j, j], dG[:, j, j]
        return Prior(c, np.ascontiguousarray(dc.T), self._turned(conditionals, np.where(G.diagonal() < 0, -1.0, 1.0)))

    def _turned(self, conditionals: tuple[Conditional, ...], sign: Floats) -> tuple[Conditional, ...]:
        """Turn variables over whose scale is negative."""
        turn = np.ones(self.size)
        turn[self._signed] = sign[self._signed]
        if (turn > 0).all():
            return conditionals
        out = []
        for s, c in zip(self.steps, conditionals, strict=True):
            t = turn[s.variable] * turn[list(s.given)]
            out.append(Conditional(c.b * t, c.variance, c.db * t[:, None], c.dvariance))
        return tuple(out)


def _conditional(R: Floats, dR: Floats, step: Step) -> Conditional:
    g, j = list(step.given), step.variable
    if not g:
        return Conditional(np.zeros(0), 1.0, np.zeros((0, len(dR))), np.zeros(len(dR)))
    A, r = R[np.ix_(g, g)], R[g, j]
    dA, dr = dR[:, g][:, :, g], dR[:, g, j]
    try:
        b: Floats = np.linalg.solve(A, r).astype(np.float64)
        variance = 1.0 - float(b @ r)
        if variance < NARROWEST or np.linalg.eigvalsh(A)[0] < NARROWEST:
            raise Infeasible("a latent variable is a function of others")
        db: Floats = np.linalg.solve(A, (dr - dA @ b).T).astype(np.float64)
    except np.linalg.LinAlgError:
        raise Infeasible("a latent variable is a function of others") from None
    return Conditional(b, variance, db, np.asarray(b @ dA @ b - 2.0 * dr @ b))
