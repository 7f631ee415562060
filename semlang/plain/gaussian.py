"""Gaussian responses of one level: the normal density of each row, by what is observed in it.

With S = L Psi L' + Theta and r_i = y_i - m x_i,

    l = -1/2 sum_i f_i [p_i log 2 pi + log |S_i| + r_i' S_i^-1 r_i],
    dl/dS = -1/2 sum_i f_i [S_i^-1 - a_i a_i'],   dl/dm = sum_i f_i a_i x_i',   a_i = S_i^-1 r_i.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.matrices.reduced import ReducedForm
from semlang.plain.rows import Rows, adjoint

Floats = NDArray[np.float64]
LOG_2PI = math.log(2 * math.pi)


class Gaussian:
    """Log-likelihood of one group.

    Parameters
    ----------
    form : ReducedForm
        Its disturbances vary over rows, no covariate multiplies them.
    design : Design
    """

    method = "closed form"
    points = 0

    def __init__(self, form: ReducedForm, design: Design) -> None:
        self.form = form
        self.rows = Rows(form, design)
        seen = ~np.isnan(self.rows.y)
        patterns, of = np.unique(seen, axis=0, return_inverse=True)
        self.patterns = [
            (np.flatnonzero(p), np.flatnonzero(of.ravel() == k)) for k, p in enumerate(patterns) if p.any()
        ]
        self.n = float(self.rows.frequency[seen.any(1)].sum())

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,); -inf where the covariance matrix is not definite."""
        form, rows = self.form, self.rows
        slots = form.slots(theta)
        m, loadings = form.mean(slots), form.loadings(slots)[:, 0, :]
        psi, residual = form.psi.matrix(theta), form.theta.matrix(theta)
        whole = loadings @ psi @ loadings.T + residual
        value = 0.0
        s_bar, m_bar = np.zeros_like(whole), np.zeros_like(m)
        for observed, chosen in self.patterns:
            s = whole[np.ix_(observed, observed)]
            try:
                factor = np.linalg.cholesky(s)
            except np.linalg.LinAlgError:
                return -math.inf, np.zeros(theta.size)
            x, f = rows.x[chosen], rows.frequency[chosen]
            r = rows.y[np.ix_(chosen, observed)] - rows.offset[np.ix_(chosen, observed)] - x @ m[observed].T
            inverse = np.linalg.inv(s)
            a = r @ inverse
            count = f.sum()
            value -= 0.5 * float(
                count * (observed.size * LOG_2PI + 2 * np.log(np.diag(factor)).sum()) + f @ (a * r).sum(1)
            )
            s_bar[np.ix_(observed, observed)] -= 0.5 * (count * inverse - (a.T * f) @ a)
            m_bar[observed] += (a.T * f) @ x
        l_bar = np.zeros((*loadings.shape[:1], len(form.random_columns), loadings.shape[1]))
        l_bar[:, 0] = 2 * s_bar @ loadings @ psi
        return value, adjoint(form, theta, slots, m_bar, l_bar, loadings.T @ s_bar @ loadings, s_bar)
