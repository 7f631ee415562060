"""Sufficient statistics of the lowest units, and the potentials that they give for the disturbances.

A leaf i holds responses y = m_k'x + sum_a d_a L_ka'u + e, e ~ N(0, t_k). With, by response k,

    D_i[a, b] = sum d_a d_b,   E_i[a, .] = sum d_a (x, y),   T = sum over all leaves of (x, y)(x, y)',   mt =
    (-m, 1),

its log-likelihood given u is c_i - u'K_i u/2 + h_i'u,

    K_i = sum_k sum_ab D_ik[a, b] L_ka L_kb' / t_k,    h_i = sum_k sum_a L_ka (E_ik[a, .] mt_k) / t_k,
    sum_i c_i = -1/2 sum_k [ n_k log(2 pi t_k) + mt_k'T_k mt_k / t_k ]:

two matrix products, of which the cost grows with leaves and responses and not with rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.gaussian.observations import Observations
from semlang.estimation.gaussian.sweep import Posterior, packed, unpack
from semlang.estimation.gaussian.tree import Tree
from semlang.estimation.kernels.gaussian_sweep import posterior_adjoint
from semlang.sums import sum_by

Floats = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))


class Leaves:
    """Statistics D, E, T of the lowest units of a tree, of responses with residual variances t > 0.

    Parameters
    ----------
    data : Observations
    tree : Tree
    R : int
        Number of disturbances.
    """

    def __init__(self, data: Observations, tree: Tree, R: int) -> None:
        self.K, n = data.y.shape
        self.A, self.C = len(data.d), len(data.x)
        self.tree, self.R = tree, R
        self.pairs = np.tril_indices(self.A)
        self.entries = np.tril_indices(R)
        U = len(tree.first[0])
        rows = np.ones(n) if tree.rows is None else tree.rows
        every = rows
        if tree.total is not None:
            every = rows * np.repeat(tree.total[0], np.diff(np.r_[tree.first[0], n]))
        begin = None if n == U else tree.first[0]
        self._pair_list = [(a, b) for a in range(self.A) for b in range(a + 1)]
        D = np.empty((self.K, len(self._pair_list), U))
        E = np.empty((self.K, self.A, self.C + 1, U))
        self.T = np.empty((self.K, self.C + 1, self.C + 1))
        self.count = np.empty(self.K)
        weighted = tree.rows is not None

        def gather(v: Floats) -> Floats:
            return v if begin is None else np.add.reduceat(v, begin)

        def product(a: int, v: Floats) -> Floats:
            # The first column of d is the constant.
            return v if a == 0 else data.d[a] * v

        shared: dict[object, Floats] = {}
        for k in range(self.K):
            seen = ~np.isnan(data.y[k])
            complete = bool(seen.all())
            y = data.y[k] if complete else np.where(seen, data.y[k], 0.0)
            w = rows if complete else rows * seen
            xy = [*(data.x if complete and not weighted else data.x * w), y * rows if weighted else y]
            self.T[k] = self._total(data.x, y, every if complete else every * seen, tree)
            self.count[k] = float(every.sum() if complete else every @ seen)

            def statistic(key: tuple[object, ...], v: Floats, keep: bool = complete) -> Floats:
                # Of complete responses these are the same.
                if not keep:
                    return gather(v)
                if key not in shared:
                    shared[key] = gather(v)
                return shared[key]

            for pair, (a, b) in enumerate(self._pair_list):
                D[k, pair] = statistic(("D", a, b), product(a, product(b, w)))
            for a in range(self.A):
                for c in range(self.C):
                    E[k, a, c] = statistic(("E", a, c), product(a, xy[c]))
                E[k, a, self.C] = gather(product(a, xy[self.C]))
        self.D: Floats = D.reshape(-1, U)
        self.E: Floats = E.reshape(-1, U)

    def _total(self, x: Floats, y: Floats, weight: Floats, tree: Tree) -> Floats:
        z = np.vstack([x, y])
        return np.asarray((z * weight) @ z.T)

    def potentials(self, L: Floats, m: Floats, t: Floats) -> tuple[Floats, Floats, float]:
        """Return K (packed, U), h (R, U) and the sum of the constants.

        Parameters
        ----------
        L : (K, A, R), m : (K, C), t : (K,)
        """
        (i, j), (r, s) = self.pairs, self.entries
        left, right = L[:, i] / t[:, None, None], L[:, j]
        W = left[:, :, r] * right[:, :, s]
        W += (left[:, :, s] * right[:, :, r]) * (i != j)[None, :, None]
        mt = np.concatenate([-m, np.ones((self.K, 1))], 1)
        Wh = (L / t[:, None, None])[:, :, None, :] * mt[:, None, :, None]
        square = np.einsum("kab,ka,kb->k", self.T, mt, mt)
        constant = -0.5 * float(self.count @ (LOG_2PI + np.log(t)) + (square / t).sum())
        return W.reshape(-1, len(r)).T @ self.D, Wh.reshape(-1, self.R).T @ self.E, constant

    def unit_constants(self, data: Observations, m: Floats, t: Floats) -> Floats:
        """Return the sum of the constants by unit of the highest level; `m` and `t` are those of `potentials`."""
        n, tree = data.y.shape[1], self.tree
        leaf = np.zeros(n, dtype=np.int64)
        leaf[tree.first[0]] = 1
        leaf = np.cumsum(leaf) - 1
        residual = data.y - m @ data.x
        each = np.where(np.isnan(residual), 0.0, LOG_2PI + np.log(t)[:, None] + residual**2 / t[:, None]).sum(0)
        each = each if tree.rows is None else each * tree.rows
        each = each if tree.total is None else each * tree.total[0][leaf]
        return sum_by(tree.top[0][leaf], -0.5 * each, tree.n_top)

    def adjoint(self, L: Floats, m: Floats, t: Floats, posterior: Posterior) -> tuple[Floats, Floats, Floats]:
        """Return dl/dL, dl/dm and dl/dt from the posterior moments of the leaves (overwritten).

        Since the elimination is exact, dl/dK_i = -(S_i + b_i b_i')/2 and dl/dh_i = b_i.
        """
        b, S = posterior.mean, posterior.covariance
        posterior_adjoint(b, S)
        if self.tree.total is not None:
            b, S = b * self.tree.total[0], S * self.tree.total[0]
        (i, j), R = self.pairs, self.R
        mt = np.concatenate([-m, np.ones((self.K, 1))], 1)
        H = (b @ self.E.T).reshape(R, self.K, self.A, self.C + 1)
        Wb = (S @ self.D.T).reshape(packed(R), self.K, len(i))
        bar = np.zeros_like(L)
        t_bar = np.zeros(self.K)
        half = 0.5 + 0.5 * np.eye(R)
        for pair in range(len(i)):
            a, c = int(i[pair]), int(j[pair])
            Q = unpack(Wb[:, :, pair]) * half[:, :, None]
            QL = np.einsum("stk,kt->ks", Q, L[:, c]) / t[:, None]
            bar[:, a] += 2 * QL
            if a != c:
                bar[:, c] += 2 * np.einsum("stk,kt->ks", Q, L[:, a]) / t[:, None]
            t_bar -= (1.0 if a == c else 2.0) * np.einsum("ks,ks->k", L[:, a], QL) / t
        bar += np.einsum("skac,kc->kas", H, mt) / t[:, None, None]
        mt_bar = np.einsum("skac,kas->kc", H, L)
        mt_bar = (mt_bar - np.einsum("kab,kb->ka", self.T, mt)) / t[:, None]
        t_bar -= np.einsum("skac,kas,kc->k", H, L, mt) / t**2
        square = np.einsum("kab,ka,kb->k", self.T, mt, mt)
        t_bar += -0.5 * self.count / t + 0.5 * square / t**2
        return bar, -mt_bar[:, : self.C], t_bar
