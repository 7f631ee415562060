"""Any responses given up to two latent variables: sums over equidistant nodes, equal rows together.

    l = sum_i f_i log sum_q w_q prod_k p(y_ik | m_k x_i + d_i' L_k F z_q),   Psi = F F'.

Equidistant nodes are the trapezoidal rule: for these integrands its error falls faster than any power of the distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Variable
from semlang.plain.item import Item
from semlang.plain.rows import Rows, adjoint
from semlang.sums import sum_by

Floats = NDArray[np.float64]

REACH = 6.5
"""The nodes reach so many standard deviations: beyond lie 1e-10 of the normal distribution."""
POINTS = (1, 61, 33)
"""Nodes a dimension to begin with, by number of dimensions."""
FINEST = (1, 961, 129)
"""Most nodes a dimension."""


def grid(dims: int, points: int) -> tuple[Floats, Floats]:
    """Return nodes (Q, dims) and log weights (Q,) of a standard normal distribution; the weights sum to 1.

    Examples
    --------
    >>> z, log_weight = grid(1, 61)
    >>> float(np.round(np.exp(log_weight) @ z[:, 0] ** 4, 6))
    3.0
    """
    if not dims:
        return np.zeros((1, 0)), np.zeros(1)
    line = np.linspace(-REACH, REACH, points)
    nodes = np.stack(np.meshgrid(*[line] * dims, indexing="ij"), axis=-1).reshape(-1, dims)
    nodes = nodes[(nodes**2).sum(1) <= REACH**2 + 1e-9]
    log = -0.5 * (nodes**2).sum(1)
    return nodes, log - math.log(np.exp(log).sum())


class Nodes:
    """Log-likelihood of one group.

    Parameters
    ----------
    form : ReducedForm
        Up to two disturbances, of rows.
    design : Design
    variables : mapping from key to Variable
    points : int, optional
        Nodes a dimension.
    """

    def __init__(
        self, form: ReducedForm, design: Design, variables: Mapping[str, Variable], points: int | None = None
    ) -> None:
        self.form = form
        dims = len(form.disturbances)
        self.points = points = points or POINTS[dims]
        self.method = ("no latent variable", f"{points} nodes", f"{points} x {points} nodes")[dims]
        self.z, self.log_weight = grid(dims, points)
        rows = Rows(form, design)
        seen = (~np.isnan(rows.y)).any(1)
        self.n = float(rows.frequency[seen].sum())
        items = [Item(form, rows, k, variables[key]) for k, key in enumerate(form.responses)]
        patterns, inverse = np.unique(np.stack([item.of for item in items], axis=1), axis=0, return_inverse=True)
        self.frequency = sum_by(inverse.ravel(), rows.frequency, len(patterns))
        self.items = [item.at(patterns[:, k]) for k, item in enumerate(items)]

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,); -inf where a covariance matrix is not definite."""
        form = self.form
        slots = form.slots(theta)
        m, loadings = form.mean(slots), form.loadings(slots)
        psi, residual = form.psi.matrix(theta), np.diag(form.theta.matrix(theta))
        try:
            factor = np.linalg.cholesky(psi)
            zeta = self.z @ factor.T
            given = [item.density(theta, m[item.k], loadings[item.k], zeta, residual[item.k]) for item in self.items]
        except (np.linalg.LinAlgError, ValueError):
            return -math.inf, np.zeros(theta.size)
        log = np.tile(self.log_weight, (self.frequency.size, 1))
        for item, found in zip(self.items, given):
            log += np.vstack([found.log, np.zeros(zeta.shape[0])])[item.of]
        top = log.max(1, keepdims=True)
        posterior = np.exp(log - top)
        total = posterior.sum(1, keepdims=True)
        value = float(self.frequency @ (np.log(total) + top)[:, 0])
        if not math.isfinite(value):
            return -math.inf, np.zeros(theta.size)
        posterior *= self.frequency[:, None] / total
        m_bar, l_bar = np.zeros_like(m), np.zeros_like(loadings)
        theta_bar, zeta_bar = np.zeros(form.theta.shape), np.zeros_like(zeta)
        direct = np.zeros(theta.size)
        for item, found in zip(self.items, given):
            weight = item.summed(posterior)
            e = weight * found.slope
            m_bar[item.k] = e.sum(1) @ item.x
            l_bar[item.k] = item.d.T @ (e @ zeta)
            zeta_bar += e.T @ (item.d @ loadings[item.k])
            if found.variance is not None:
                theta_bar[item.k, item.k] = float((weight * found.variance).sum())
            item.add_thresholds(direct, weight, found)
        f_bar: Floats = np.tril(zeta_bar.T @ self.z)
        return value, direct + adjoint(form, theta, slots, m_bar, l_bar, of_factor(factor, f_bar), theta_bar)


def of_factor(factor: NDArray[np.floating[Any]], bar: Floats) -> Floats:
    """Return dl/dPsi (symmetric) from dl/dF, Psi = F F' with F lower triangular.

    With Phi the lower triangle with its diagonal halved, dl/dPsi = F^-T Phi(F' dl/dF) F^-1, made symmetric (Murray
    2016, Differentiation of the Cholesky decomposition).
    """
    if not factor.size:
        return np.zeros_like(factor)
    inner = np.tril(factor.T @ bar)
    inner[np.diag_indices_from(inner)] *= 0.5
    inverse = np.linalg.inv(factor)
    out = inverse.T @ inner @ inverse
    return np.asarray(0.5 * (out + out.T))
