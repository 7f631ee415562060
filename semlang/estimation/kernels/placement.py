"""Where the nodes of a batch are when they do not follow the modes: frozen at posterior means and standard deviations.

Unit u has nodes ``v_u = c_u + T_u z - G_u (v_a - c_a)``. At the mode c is the joint mode and T, G come from the Hessian
there. Here c is the posterior mean, ``G = -C_oa C_aa^-1`` and ``T T' = C_oo - C_oa C_aa^-1 C_ao`` from the posterior
covariances C of a unit's own (o) and its ancestors' (a) coordinates. This does not need a smooth integrand.

Sources: Naylor and Smith (1982); Rabe-Hesketh, Skrondal and Pickles (2005), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.layout import Fronts, Nest

__all__ = ["Placement", "at_fronts", "at_moments", "at_prior"]

Floats = NDArray[np.float64]

NARROWEST = 0.3
"""A posterior that lies between two nodes shows no width: nodes do not draw together to less than this spacing."""
WIDEST = 30.0
"""Most that a standard deviation grows in one step."""


@dataclass(frozen=True)
class Placement:
    """Affine maps of the nodes of all units of a batch.

    Parameters
    ----------
    path : (U, D) floats
        Centres of a unit's own and its ancestors' coordinates.
    T : (U, M, M) floats
        Upper triangular.
    G : (U, M, D) floats
    """

    path: Floats
    T: Floats
    G: Floats

    def fill(self, fronts: Fronts) -> None:
        """Put the maps where the kernels look for them; what belongs to a moving mode is zero."""
        units, m = self.T.shape[:2]
        fronts.path[:units] = self.path
        fronts.T[:units] = self.T
        fronts.G[:units] = self.G
        fronts.L[:units] = 0.0
        at = np.arange(m)
        diagonal = self.T[:, at, at]
        fronts.L[:units, at, at] = 1.0 / np.where(diagonal > 0.0, diagonal, 1.0)
        for array in (fronts.inverse, fronts.F_bar, fronts.k, fronts.newton):
            array[:units] = 0.0


def at_fronts(nest: Nest, fronts: Fronts) -> Placement:
    """Return the placement at modes and curvatures, after the modes were found."""
    out = at_prior(nest)
    for level, dims in enumerate(nest.dims.tolist()):
        units, width = slice(int(nest.base[level]), int(nest.base[level + 1])), int(nest.tail[level])
        out.path[units, :width] = fronts.path[units, :width]
        out.T[units, :dims, :dims] = fronts.T[units, :dims, :dims]
        out.G[units, :dims, : width - dims] = fronts.G[units, :dims, : width - dims]
    return out


def at_prior(nest: Nest) -> Placement:
    """Return the placement of standard normal coordinates."""
    units, m, width = int(nest.base[-1]), int(nest.dims.max()), int(nest.tail[0])
    T = np.zeros((units, m, m))
    T[:] = np.eye(m)
    return Placement(np.zeros((units, width)), T, np.zeros((units, m, width)))


def at_moments(nest: Nest, means: Floats, covariances: Floats, before: Placement, spacing: float) -> Placement:
    """Return the placement at posterior moments that were taken at the nodes of another placement.

    Parameters
    ----------
    nest : Nest
    means : (U, D) floats
    covariances : (U, D, D) floats
        Of a unit's own and its ancestors' coordinates.
    before : Placement
    spacing : float
        Distance of its nodes in the middle, in units of T.
    """
    path, T, G = means.copy(), before.T.copy(), np.zeros_like(before.G)
    for level, dims in enumerate(nest.dims.tolist()):
        units = slice(int(nest.base[level]), int(nest.base[level + 1]))
        width = int(nest.tail[level])
        C = covariances[units, :width, :width]
        own = C[:, :dims, :dims]
        if width > dims:
            ancestors = C[:, dims:, dims:].copy()
            at = np.arange(width - dims)
            ancestors[:, at, at] += 1e-10 * ancestors[:, at, at] + 1e-14
            between = np.swapaxes(C[:, :dims, dims:], 1, 2)
            slope = between / ancestors if width - dims == 1 else np.linalg.solve(ancestors, between)
            G[units, :dims, : width - dims] = -np.swapaxes(slope, 1, 2)
            own = own - C[:, :dims, dims:] @ slope
        last = before.T[units, :dims, :dims]
        low, high = (NARROWEST * spacing) ** 2, WIDEST**2
        if dims == 1:
            T[units, :1, :1] = np.abs(last) * np.sqrt(np.clip(own / last**2, low, high))
            continue
        back = np.linalg.inv(last)
        values, vectors = np.linalg.eigh(back @ own @ np.swapaxes(back, 1, 2))
        half = last @ (vectors * np.clip(values, low, high)[:, None, :] ** 0.5)
        V = half @ np.swapaxes(half, 1, 2)
        T[units, :dims, :dims] = np.linalg.cholesky(V[:, ::-1, ::-1])[:, ::-1, ::-1]  # upper triangular
    return Placement(path, T, G)
