r"""Jacobian of what the data identify, at a point of the prime field.

For a cluster with rows r and responses k the underlying responses have

    E(y_rk)          = sum_c m[k, c] x_rc,                       c(r, r') = levels whose unit r and r' share,
    Cov(y_rk, y_r'k') = sum_{l in c(r, r')} L_rk Psi_l L_r'k'' + 1[r = r'] Theta_kk',    L_rk = sum_a d_ra L[k, a, :],

and for binary and ordinal responses only ratios to the standard deviation s_rk = Var(y_rk)^(1/2) are identified.
Instead of all moments, random functionals of them are taken, a scalar each:

    phi = sum w_rk E(y_rk) / s_rk + u' Cov v,    entries of u and v of such responses divided by s_rk.

N > P random functionals (independent of theta) have the rank of the full set of moments with probability 1 - O(1/p),
because functionals of this form span all of them (the argument of Schwartz and Zippel), and cost N in place of
(R K)^2. The derivatives are pulled back through the program. Dividing by s_rk changes the differential only by

    d phi += (d phi / d log s_rk) (-1/2) d Var(y_rk) / Var(y_rk),

the values 1 / s_rk being absorbed in the random weights; so everything stays rational.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semlang.checks.identification.field import Ints, P, inverse, inverses, matmul, residue
from semlang.checks.identification.program import FieldProgram
from semlang.checks.identification.responses import Margin
from semlang.checks.identification.sample import Sample
from semlang.matrices.reduced import Linear, ReducedForm

TOGETHER = 4_000_000
"""Sums over rows that are taken at once."""


@dataclass(frozen=True)
class Block:
    """One group's reduced form, margins and sample of rows.

    Parameters
    ----------
    form : ReducedForm
    margins : tuple of Margin
        One a response.
    disturbance_levels : tuple of int
        Number of the level of each disturbance.
    response_levels : tuple of int
    sample : Sample
    blind : frozenset of (int, int)
        Mean cells (k, c) that only the shape of a distribution identifies.
    """

    form: ReducedForm
    margins: tuple[Margin, ...]
    disturbance_levels: tuple[int, ...]
    response_levels: tuple[int, ...]
    sample: Sample
    blind: frozenset[tuple[int, int]] = frozenset()


def jacobian(block: Block, theta: Ints, n: int, rng: np.random.Generator, law: bool = False) -> Ints:
    """Return N random functionals' derivatives (n, P).

    Parameters
    ----------
    block : Block
    theta : (P,) elements of the field
    n : int
        Number of functionals.
    rng : Generator
    law : bool
        Whether to take the moments of the linear predictors themselves, which determine the distribution of the data,
        in place of what second moments of the responses identify.
    """
    return _Functionals(block, theta, n, rng, law).derivatives()


class _Functionals:
    def __init__(self, block: Block, theta: Ints, n: int, rng: np.random.Generator, law: bool) -> None:
        self.block, self.form, self.sample = block, block.form, block.sample
        self.n, self.law = n, law
        self.program = FieldProgram(block.form, theta)
        self.theta = theta
        r, k = self.sample.n, len(block.form.responses)
        present = self.sample.present.astype(np.int64)
        self.w, self.u, self.v = (rng.integers(1, P, (n, r, k)) * present for _ in range(3))
        self.gradient = np.zeros((theta.size, n), dtype=np.int64)
        self.bar = np.zeros((block.form.n_slots, n), dtype=np.int64)
        self.rng = rng
        self.standardised = [] if law else [j for j, m in enumerate(block.margins) if m.standardised]
        self.scale = {j: np.zeros((n, r), dtype=np.int64) for j in self.standardised}  # d phi / d log s
        x = self.sample.matrix(block.form.random_columns)
        self.x = x
        loadings = np.zeros((k, x.shape[1], len(block.form.disturbances)), dtype=np.int64)
        for i, a, j, slot in block.form.loading_cells.tolist():
            loadings[i, a, j] = self.program.slots[slot]
        self.loadings = loadings
        self.psi = self.program.matrix(block.form.psi)
        self.theta_matrix = self.program.matrix(block.form.theta)

    def derivatives(self) -> Ints:
        if not self.form.responses:
            return np.zeros((self.n, self.theta.size), dtype=np.int64)
        self._means()
        self._covariances()
        self._residuals()
        self._standardise()
        if self.law:
            self._quantities()
        self.program.pull_back(self.bar, self.gradient)
        return np.ascontiguousarray(self.gradient.T)

    # -------------------------------------------------------------- means and thresholds

    def _means(self) -> None:
        form = self.form
        columns = self.sample.matrix(form.mean_columns)
        thresholds = form.thresholds
        total = self.w.copy()
        for k, rows in thresholds.items():
            total[:, :, k] = 0
            present = self.sample.present[:, k].astype(np.int64)
            for addends in rows:
                w = self.rng.integers(1, P, (self.n, self.sample.n)) * present
                total[:, :, k] = (total[:, :, k] + w) % P
                for a in addends:
                    value = self.sample.values[a.via]
                    at = self.theta[a.parameter] if a.parameter >= 0 else residue(a.value)
                    if k in self.scale:
                        self.scale[k] = (self.scale[k] + (P - w) * (value * at % P)) % P
                    if a.parameter >= 0:
                        self._add(a.parameter, matmul(P - w, value[:, None])[:, 0])
        weights = total.transpose(2, 0, 1)
        together = max(1, TOGETHER // (self.n * len(form.responses)))
        parts = range(0, columns.shape[1], together)
        sums = [matmul(weights, columns[:, c : c + together]) for c in parts]
        for k, c, slot in form.mean_cells.tolist():
            if not self.law and (k, c) in self.block.blind:
                continue
            self.bar[slot] = (self.bar[slot] + sums[c // together][k, :, c % together]) % P
            if k in self.scale:
                self.scale[k] = (self.scale[k] + total[:, :, k] * (columns[:, c] * self.program.slots[slot] % P)) % P

    # -------------------------------------------------------------- covariances

    def _covariances(self) -> None:
        form, (k, a, j) = self.form, self.loadings.shape
        flat = self.loadings.reshape(k * a, j)
        wide_u, wide_v = (
            (w[:, :, :, None] * self.x[None, :, None, :] % P).reshape(self.n, self.sample.n, k * a)
            for w in (self.u, self.v)
        )
        cells = form.loading_cells
        for level in sorted(set(self.block.disturbance_levels)):
            zetas = [i for i, lv in enumerate(self.block.disturbance_levels) if lv == level]
            unit = self.sample.units[level]
            u, v = (_sum_units(w, unit) for w in (wide_u, wide_v))
            pu, pv = (matmul(w.reshape(-1, k * a), flat[:, zetas]) for w in (u, v))
            psi = self.psi[np.ix_(zetas, zetas)]
            shape = (self.n, -1, len(zetas))
            qu, qv = (matmul(p, psi).reshape(shape) for p in (pu, pv))
            pu, pv = pu.reshape(shape), pv.reshape(shape)
            index = {z: i for i, z in enumerate(zetas)}
            for kk, aa, jj, slot in cells.tolist():
                if jj in index and slot:
                    i, c = index[jj], kk * a + aa
                    more = (u[:, :, c] * qv[:, :, i] % P + v[:, :, c] * qu[:, :, i] % P).sum(axis=1)
                    self.bar[slot] = (self.bar[slot] + more) % P
            self._psi(index, pu, pv)
            for kk in self.standardised:
                rows = np.zeros((self.n, self.sample.n), dtype=np.int64)
                for aa in range(a):
                    back = self.loadings[kk, aa, zetas][:, None]
                    gu, gv = (matmul(q.reshape(-1, len(zetas)), back).reshape(self.n, -1)[:, unit] for q in (qu, qv))
                    c = kk * a + aa
                    rows = (rows + wide_u[:, :, c] * gv % P + wide_v[:, :, c] * gu % P) % P
                self.scale[kk] = (self.scale[kk] + rows) % P

    def _psi(self, index: dict[int, int], pu: Ints, pv: Ints) -> None:
        psi = self.form.psi
        for i, j, p in zip(psi.i.tolist(), psi.j.tolist(), psi.parameter.tolist(), strict=True):
            if p >= 0 and i in index:
                a, b = index[i], index[j]
                value = pu[:, :, a] * pv[:, :, b] % P
                if a != b:
                    value = value + pu[:, :, b] * pv[:, :, a] % P
                self._add(p, value.sum(axis=1))

    # -------------------------------------------------------------- residuals

    def _residuals(self) -> None:
        theta, u, v = self.form.theta, self.u, self.v
        for i, j, p in zip(theta.i.tolist(), theta.j.tolist(), theta.parameter.tolist(), strict=True):
            value = u[:, :, i] * v[:, :, j] % P
            if i != j:
                value = value + u[:, :, j] * v[:, :, i] % P
            if p >= 0:
                self._add(p, value.sum(axis=1))
        for k, m in enumerate(self.block.margins):
            if m.residual in ("theta", "known") and not m.unit:
                continue
            if self.law and m.residual not in ("theta", "sigma"):
                continue
            if self.law and m.standardised:
                continue
            value = u[:, :, k] * v[:, :, k] % P
            residual = self._residual(k)
            for p, d in residual[1]:
                self._add(p, matmul(value, d[:, None])[:, 0])
            if k in self.scale:
                self.scale[k] = (self.scale[k] + 2 * (value * residual[0] % P)) % P

    def _residual(self, k: int) -> tuple[Ints, list[tuple[int, Ints]]]:
        """Return a residual variance that is no cell of Theta (R,), and its derivatives by parameter.

        exp(2 x'd) is a monomial in t = exp(d): t_1^(2 x_1) t_2^(2 x_2) ..., with whole exponents after scaling.
        """
        m = self.block.margins[k]
        r = self.sample.n
        addends: Sequence[Linear] = self.form.quantities.get((k, m.residual), ())
        if m.residual == "known" or not addends:
            return np.full(r, m.unit or 1, dtype=np.int64), []
        value = np.ones(r, dtype=np.int64)
        slopes: list[tuple[int, Ints]] = []
        for a in addends:
            exponents = 2 * self.sample.exponents[a.via] % (P - 1)
            key = f"{a.parameter}:{int(self.theta[a.parameter])}" if a.parameter >= 0 else f"={a.value}"
            base = random.Random(key).randrange(2, P) if a.parameter >= 0 or a.value else 1
            value = value * np.array([pow(base, e, P) for e in exponents.tolist()], dtype=np.int64) % P
            if a.parameter >= 0:
                slopes.append((a.parameter, 2 * self.sample.values[a.via] % P))
        return value, [(p, value * d % P) for p, d in slopes]

    # -------------------------------------------------------------- standardising

    def _standardise(self) -> None:
        """Add what the standard deviations contribute: -1/2 dVar/Var times d phi / d log s."""
        form, half = self.form, inverse(2)
        for k, weight in self.scale.items():
            rows = matmul(self.x, self.loadings[k])  # L_rk (R, J)
            q = matmul(rows, self.psi)
            residual, slopes = self._residual(k)
            variance = ((rows * q % P).sum(axis=1) + residual) % P
            c = (P - weight) * (half * inverses(variance) % P) % P  # (n, R)
            for kk, aa, jj, slot in form.loading_cells.tolist():
                if kk == k and slot:
                    d = 2 * (self.x[:, aa] * q[:, jj] % P) % P
                    self.bar[slot] = (self.bar[slot] + matmul(c, d[:, None])[:, 0]) % P
            psi = form.psi
            for i, j, p in zip(psi.i.tolist(), psi.j.tolist(), psi.parameter.tolist(), strict=True):
                if p >= 0:
                    d = rows[:, i] * rows[:, j] % P * (1 if i == j else 2) % P
                    self._add(p, matmul(c, d[:, None])[:, 0])
            for p, d in slopes:
                self._add(p, matmul(c, d[:, None])[:, 0])

    def _quantities(self) -> None:
        """Add the distribution parameters themselves, where they are no residual variance."""
        for (k, name), addends in self.form.quantities.items():
            m = self.block.margins[k]
            if name == m.residual and not m.standardised and name == "sigma":
                continue
            w = self.rng.integers(1, P, (self.n, self.sample.n)) * self.sample.present[:, k].astype(np.int64)
            for a in addends:
                if a.parameter >= 0:
                    self._add(a.parameter, matmul(w, self.sample.values[a.via][:, None])[:, 0])

    def _add(self, p: int, values: Ints) -> None:
        self.gradient[p] = (self.gradient[p] + values) % P


def _sum_units(weights: Ints, unit: Ints) -> Ints:
    """Return sums over the rows of each unit: (n, R, W) to (n, G, W)."""
    n_units = int(unit.max(initial=-1)) + 1
    if n_units == weights.shape[1]:
        return weights  # the units are the rows
    order = np.argsort(unit, kind="stable")
    starts = np.searchsorted(unit[order], np.arange(n_units))
    return np.add.reduceat(weights[:, order], starts, axis=1) % P
