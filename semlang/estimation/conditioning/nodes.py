"""Nodes of continuous latent variables that are conditioned on: at the posterior mean and SD of each unit.

Nodes stay where they are while the optimiser climbs, so that its gradient is exact, and move between its passes (the
adaptation of gllamm; Rabe-Hesketh, Skrondal and Pickles 2005): v = m + L z with z the nodes of the Gauss-Hermite rule,
m and L L' the posterior mean and covariance of the v of a unit's level, and

    log weight = log w(z) + |z|^2 / 2 - |v|^2 / 2 + log |L|.

A missing response that predicts has nodes too. Its density is no part of the weight but of what the units' parts are
worth, so that of its coordinate log(2 pi) / 2 takes the place of - v^2 / 2, and its scale multiplies.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import product

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

__all__ = ["LevelNodes"]

Floats = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))


class LevelNodes:
    """The nodes of the spherical coordinates that vary over the units of one level.

    Parameters
    ----------
    level : str
    axes : sequence of int
        Axes of the coordinates among all states.
    units : int
    points : int
    scales : (units, dims) floats, optional
        Scale of each coordinate that stands for a response, NaN where it has a standard normal density.
    """

    def __init__(self, level: str, axes: Sequence[int], units: int, points: int, scales: Floats | None = None) -> None:
        self.scales = scales
        self.level, self.axes, self.points = level, tuple(axes), points
        z, w = hermegauss(points)
        dims = len(self.axes)
        self.z = np.array(list(product(z, repeat=dims))).reshape(-1, dims).T
        log_w = np.log(w) - 0.5 * LOG_2PI
        self._log_w = np.array(list(product(log_w, repeat=dims))).reshape(-1, dims).sum(axis=1)
        self.mean = np.zeros((units, dims))
        self.factor = np.tile(np.eye(dims), (units, 1, 1))

    @property
    def values(self) -> Floats:
        """The nodes, (dims, points^dims, units)."""
        return self.some(self.z)

    def some(self, z: Floats) -> Floats:
        """Return the nodes that stand for some of the rule's, (dims, n) to (dims, n, units)."""
        return np.asarray(self.mean.T[:, None, :] + np.einsum("uij,jq->iqu", self.factor, z))

    def log_weights(self, n_axes: int) -> Floats:
        """Return the log weights, an array with `n_axes` axes and that of the units."""
        v = self.values
        out = self._log_w[:, None] + 0.5 * (self.z**2).sum(axis=0)[:, None] - 0.5 * (v**2).sum(axis=0)
        out = out + np.log(np.abs(np.einsum("uii->ui", self.factor))).sum(axis=1)
        if self.scales is not None:
            own = ~np.isnan(self.scales)
            out = out + 0.5 * np.einsum("ui,iqu->qu", own, v**2)
            out = out + np.where(own, np.log(np.where(own, self.scales, 1.0)) + 0.5 * LOG_2PI, 0.0).sum(axis=1)
        shape = [1] * n_axes
        for axis in self.axes:
            shape[axis] = self.points
        return np.asarray(out.reshape(*shape, -1))

    def moments(self, adjoint: Floats) -> tuple[Floats, Floats]:
        """Return posterior means (units, dims) and covariances from the fold's adjoint of the level's stage."""
        others = tuple(k for k in range(adjoint.ndim - 1) if k not in self.axes)
        p = adjoint.sum(axis=others).reshape(self.z.shape[1], -1)
        total = p.sum(axis=0)
        p = np.where(total > 0, p / np.where(total > 0, total, 1.0), np.exp(self._log_w)[:, None])
        v = self.values
        mean = np.einsum("qu,iqu->ui", p, v)
        centred = v - mean.T[:, None, :]
        return mean, np.einsum("qu,iqu,jqu->uij", p, centred, centred)

    def moved(self, adjoint: Floats) -> LevelNodes:
        """Return the nodes at the posterior moments."""
        mean, covariance = self.moments(adjoint)
        dims = np.arange(len(self.axes))
        covariance[:, dims, dims] = np.maximum(covariance[:, dims, dims], 1e-8) * (1.0 + 1e-9)
        out = copy(self)
        out.mean, out.factor = mean, np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        return out
