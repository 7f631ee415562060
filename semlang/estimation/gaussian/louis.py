"""Exact second derivatives where rows are the leaves of the recursion: Louis' formula.

With complete-data log-likelihood l_c, quadratic in the disturbances u ~ N(b, S) given what is observed,

    d2l = E[d2 l_c] + Cov(dl_c)        (Louis 1982, eq. 3.1),

and both moments have closed forms: the score of cell c is a quadratic form with gradient g_c at b and second
derivative G_c, so Cov = g_c'S g_d + tr(G_c S G_d S)/2. All are combinations of few vectors: the loadings L_k,
the unit vectors, and columns of V^-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.gaussian.sweep import unpack
from semlang.estimation.kernels.gaussian_louis import Work, score_covariance

if TYPE_CHECKING:
    from semlang.estimation.gaussian.nested import Nested

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 2048


class Louis:
    """Hessian of a `Nested` engine of one level, rows, without random slopes and residual covariances."""

    def __init__(self, engine: Nested) -> None:
        self.engine = engine
        chain = engine.chain
        self.mean, self.loading, self.psi, self.residual = chain.slices

    @staticmethod
    def supports(engine: Nested) -> bool:
        """Return whether the formula is exact for the model."""
        return (
            engine.tree.levels == ("rows",)
            and engine.leaves.A == 1
            and not len(engine.coupled)
            and engine.J > 0
            and engine.residuals.homogeneous
        )

    def hessian(self, theta: Floats) -> Floats | None:
        """Return the second derivatives (P, P), or None where Psi is singular."""
        e = self.engine
        chain, data = e.chain, e.data
        point = chain.at(theta)
        state = e.state(point)
        if not state.folded:
            return None
        posterior = e.posterior(state)[0]
        place = np.argsort(e.order)
        F = state.F[0][place]
        b = F @ posterior.mean
        S = np.matmul(np.matmul(F, np.moveaxis(unpack(posterior.covariance), 2, 0)), F.T)
        n = b.shape[1]
        total = e.tree.total
        weight = np.ones(n) if total is None else total[0]
        seen = ~np.isnan(data.y)
        L, t = point.L[:, 0], np.diag(point.residual)
        m = data.mean(point.m)
        x = data.frame @ data.x
        residual = np.where(seen, data.y - m @ data.x - L @ b, 0.0)
        cells = np.zeros((chain.n_cells, chain.n_cells))
        self._covariance(cells, point.psi, L, t, x, residual, b, S, seen, weight)
        cells += np.tril(cells, -1).T
        self._expected(cells, point.psi, L, t, x, residual, b, S, seen, weight)
        L_bar, m_bar, t_bar = e.leaves.adjoint(state.L, state.m, state.t, posterior)
        m_bar, L_bar, _, _ = e._adjoints(state, L_bar, m_bar, t_bar, [np.zeros_like(state.V[0])])
        return chain.sandwich(point, cells) + chain.curvature(point, m_bar, L_bar)

    def _covariance(
        self,
        out: Floats,
        psi: Floats,
        L: Floats,
        t: Floats,
        x: Floats,
        residual: Floats,
        b: Floats,
        S: Floats,
        seen: NDArray[np.bool_],
        weight: Floats,
    ) -> None:
        """Add Cov of the complete-data scores to the lower triangle."""
        chain = self.engine.chain
        K, R = L.shape
        precision = np.linalg.inv(psi)
        W = np.vstack([L, np.eye(R), precision])
        (mk, mc), (k, _, j), (i1, i2), r = chain.mean.T, chain.loading.T, chain.psi.T, chain.residual[:, 0]
        half = np.where(i1 == i2, 0.5, 1.0)
        left = np.concatenate([mk, k, K + R + i1, r])
        right = np.concatenate([mk, K + j, K + R + i2, r])
        gamma = np.concatenate([np.zeros(len(mk)), -1 / t[k], half, 0.5 / t[r] ** 2])
        item = np.concatenate([mk, k, np.full(len(i1), -1), r])
        Pb = precision @ b
        work = Work.of(len(W), R, len(left))
        for first in range(0, len(weight), CHUNK):
            rows = slice(first, first + CHUNK)
            p = np.empty((len(weight[rows]), chain.n_cells))
            q = np.zeros_like(p)
            p[:, self.mean] = -(x[mc, rows] / t[mk, None]).T
            p[:, self.loading] = -(b[j, rows] / t[k, None]).T
            q[:, self.loading] = (residual[k, rows] / t[k, None]).T
            p[:, self.psi] = (Pb[i2, rows] * half[:, None]).T
            q[:, self.psi] = (Pb[i1, rows] * half[:, None]).T
            p[:, self.residual] = -(residual[r, rows] / t[r, None] ** 2).T
            score_covariance(
                np.ascontiguousarray(S[rows]),
                W,
                left,
                right,
                gamma,
                item,
                np.ascontiguousarray(seen[:, rows].T),
                p,
                q,
                weight[rows],
                out,
                work,
            )

    def _expected(
        self,
        out: Floats,
        psi: Floats,
        L: Floats,
        t: Floats,
        x: Floats,
        residual: Floats,
        b: Floats,
        S: Floats,
        seen: NDArray[np.bool_],
        weight: Floats,
    ) -> None:
        """Add E of the complete-data Hessian, which is block-diagonal in the responses."""
        chain = self.engine.chain
        for k in range(len(L)):
            w = weight * seen[k]
            mean = np.flatnonzero(chain.mean[:, 0] == k)
            loading = np.flatnonzero(chain.loading[:, 0] == k)
            own = np.flatnonzero(chain.residual[:, 0] == k)
            j = chain.loading[loading, 2]
            at = np.concatenate([mean, self.loading.start + loading])
            z = np.vstack([x[chain.mean[mean, 1]], b[j]])
            Sk = np.tensordot(w, S, 1)
            block = (z * w) @ z.T
            inner = slice(len(mean), None)
            block[inner, inner] += Sk[np.ix_(j, j)]
            out[np.ix_(at, at)] -= block / t[k]
            if len(own):
                here = self.residual.start + int(own[0])
                cross = z @ (residual[k] * weight)
                cross[inner] -= Sk[j] @ L[k]
                out[at, here] -= cross / t[k] ** 2
                out[here, at] -= cross / t[k] ** 2
                square = weight @ residual[k] ** 2 + L[k] @ Sk @ L[k]
                out[here, here] += 0.5 * w.sum() / t[k] ** 2 - square / t[k] ** 3
        precision = np.linalg.inv(psi)
        second = (b * weight) @ b.T + np.tensordot(weight, S, 1)
        i1, i2 = chain.psi.T
        U = np.eye(len(psi))[:, i1]
        V = np.eye(len(psi))[:, i2] * np.where(i1 == i2, 0.5, 1.0)
        Wm = precision @ second @ precision - 0.5 * weight.sum() * precision
        PU, PV, WU, WV = precision @ U, precision @ V, Wm @ U, Wm @ V
        part = (U.T @ PV).T * (U.T @ WV)
        part += part.T
        part += (V.T @ PV) * (U.T @ WU) + (U.T @ PU) * (V.T @ WV)
        out[self.psi, self.psi] -= part
