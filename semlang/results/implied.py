"""Moments of all variables that a model implies, averaged over the covariates of its data.

With eta the latent variables and responses (those that are not gaussian by their latent response), the reduced form
gives eta_k = sum_c m_kc x_c + sum_a d_a L_ka zeta + e_k, so that

    Cov(eta) = m Cov(x) m' + sum_ab E(d_a d_b) L_a Psi L_b' + Theta.

Everything is computed for real or complex parameters alike, so that derivatives come from complex steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.gaussian.observations import multiplicity
from semlang.graph.by_category import graph_by_category
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import whole_form
from semlang.matrices.reduced import Cells, Linear, ReducedForm
from semlang.model.table import ROWS, ParameterTable, Product, Row
from semlang.results.latent_response import latent_response, why_none

__all__ = ["Implied", "by_complex_step", "matrices", "refuse_conditional"]

Floats = NDArray[np.float64]
Numbers = NDArray[Any]

_STEP = 1e-30


def by_complex_step(function: Callable[[Numbers], Numbers], theta: Floats) -> tuple[Floats, Floats]:
    """Return f(theta) (n,) and its derivatives (n, P), exact to rounding: Im f(theta + ih) / h.

    References
    ----------
    Squire and Trapp (1998), SIAM Review 40, 110-112.
    """
    value = np.real(function(theta.astype(np.complex128)))
    out = np.zeros((value.size, theta.size))
    for p in range(theta.size):
        at = theta.astype(np.complex128)
        at[p] += 1j * _STEP
        out[:, p] = np.imag(function(at)) / _STEP
    return value, out


def refuse_conditional(table: ParameterTable) -> None:
    """Raise where a model has classes or products of latent variables, whose moments are not in its reduced form.

    Raises
    ------
    FitError
        ``undefined-measure``.
    """
    if is_conditional(table):
        raise FitError(
            [error("undefined-measure",
                   "variables have no one standard deviation beside classes, products or latent scales",
                   label="each class has variances of its own, and a product of normal variables is not normal",
                   help="fit.params are estimates in the units of the variables")]
        )  # fmt: skip


class Implied:
    """Moments that one group's model implies for the covariates of its design.

    Parameters
    ----------
    graph : ModelGraph
    design : Design

    Attributes
    ----------
    keys : tuple of str
        Keys of the K variables: latent variables, components and responses; a nominal response has one a category.
    undefined : mapping from key to the reason why a response has no variance
    """

    def __init__(self, graph: ModelGraph, design: Design) -> None:
        self.graph, self.design = graph_by_category(graph), design
        self.form = whole_form(self.graph)
        self.keys = self.form.responses
        self.place = {key: k for k, key in enumerate(self.keys)}
        levels = [ROWS, *design.clusters]
        weight = multiplicity(design, levels)
        self.weight: Floats = np.ones(design.n_rows) if weight is None else weight
        self._by_shape = np.zeros(len(self.keys), dtype=np.bool_)
        self._fixed, self.undefined = self._latent_responses()

    def key(self, row: Row) -> str:
        """Return the key of the variable that a row is about: of a nominal response that of the row's category."""
        of_category = f"{row.target}@{row.category}"
        return of_category if row.category and of_category in self.place else row.target

    def _latent_responses(self) -> tuple[Floats, dict[str, str]]:
        fixed = np.zeros(len(self.keys))
        undefined: dict[str, str] = {}
        for v in self.graph.table.responses:
            latent = latent_response(v)
            if latent is None:
                undefined[v.key] = why_none(v)
            else:
                fixed[self.place[v.key]] = latent.variance
                self._by_shape[self.place[v.key]] = latent.shape
        return fixed, undefined

    # ------------------------------------------------------------------ covariates

    def column(self, product: Product) -> Floats:
        """Return a product of covariates by row."""
        return self.design.columns[product] if product else np.ones(self.design.n_rows)

    def _second(self, products: tuple[Product, ...], level: str = ROWS) -> Floats:
        """Return mean products (n, n) of columns over the units of a level, missing values left out."""
        x = np.stack([self.column(p) for p in products])
        w = self.weight
        if level != ROWS:
            first = self.design.first_records(level)
            counts = self.design.frequency.get(level)
            x, w = x[:, first], np.ones(first.size) if counts is None else counts[first]
        known = ~np.isnan(x).any(axis=0)
        w = w[known]
        out: Floats = (x[:, known] * w) @ x[:, known].T / max(float(w.sum()), 1e-300)
        return out

    @cached_property
    def _moments_of_covariates(self) -> dict[str, tuple[Floats, Floats]]:
        """By level: covariance matrix of the columns of the mean, and mean products of those of random slopes."""
        out = {}
        for level in (ROWS, *self.design.clusters):
            second = self._second(self.form.mean_columns, level)
            random = self._second(self.form.random_columns, level)
            out[level] = np.asarray(second - np.outer(second[0], second[0])), random
        return out

    @cached_property
    def means_of_covariates(self) -> Floats:
        """Means of the columns of the mean (C,); the first is 1."""
        return np.asarray(self._second(self.form.mean_columns)[0])

    def spread(self, product: Product, level: str = ROWS) -> float:
        """Return the standard deviation of a product of covariates over the units of a level (divided by n)."""
        second = self._second(((), product), level)
        return math.sqrt(max(float(second[1, 1] - second[0, 1] ** 2), 0.0))

    # ------------------------------------------------------------------ moments

    def mean(self, theta: Numbers) -> Numbers:
        """Return the means of all variables (K,)."""
        out: Numbers = matrices(self.form, theta)[0] @ self.means_of_covariates
        return out

    def covariance(self, theta: Numbers, above: bool = True) -> Numbers:
        """Return the covariance matrix of all variables (K, K).

        Parameters
        ----------
        theta : (P,) real or complex
        above : bool
            Whether disturbances of clusters count; False gives the part within clusters.
        """
        levels = {z.level for z in self.form.disturbances} if above else {ROWS}
        out: Numbers = self.explained(theta, above=above)
        for level in levels:
            out = out + self.disturbed(theta, level)
        residuals = matrix(self.form.theta, theta)
        return out + residuals + np.diag(self.residual_variances(theta) - np.diag(residuals))

    def variances(self, theta: Numbers, above: bool = True) -> Numbers:
        """Return the variance of every variable (K,), over the covariates of the units of its level.

        Parameters
        ----------
        theta : (P,) real or complex
        above : bool
            Whether what clusters have in common counts; False gives the part within clusters, as lavaan's level blocks
            have it.
        """
        out = np.zeros(len(self.keys), dtype=theta.dtype)
        own = self.residual_variances(theta)
        for level in (ROWS, *self.design.clusters):
            here = [k for k, key in enumerate(self.keys) if self.graph.table.variables[key].level == level]
            if not here:
                continue
            total = np.diag(self.explained(theta, level, above)).copy()
            for of in {z.level for z in self.form.disturbances}:
                if above or of == ROWS:
                    total = total + np.diag(self.disturbed(theta, of, level))
            out[here] = (total + own)[here]
        return out

    def explained(self, theta: Numbers, level: str = ROWS, above: bool = True) -> Numbers:
        """Return the part of the covariance matrix (K, K) that comes from covariates, over the units of a level."""
        m = matrices(self.form, theta)[0]
        if not above:
            parts = m.copy()
            for v in self.graph.table.latents:
                if v.role == "component" and v.response in self.place:
                    parts[self.place[v.response]] -= m[self.place[v.key]]
            m = parts
        out: Numbers = m @ self._moments_of_covariates[level][0] @ m.T
        return out

    def disturbed(self, theta: Numbers, of: str, level: str = ROWS) -> Numbers:
        """Return the part of the covariance matrix (K, K) that comes from the disturbances of a level."""
        _, L, psi, _ = matrices(self.form, theta)
        random = self._moments_of_covariates[level][1]
        out: Numbers = np.zeros((len(self.keys), len(self.keys)), dtype=theta.dtype)
        keep = np.array([1.0 if z.level == of else 0.0 for z in self.form.disturbances])
        for a in range(L.shape[1]):
            for b in range(L.shape[1]):
                if random[a, b]:
                    mean = self._mean_psi(psi, theta, a, b, level)
                    out = out + (L[:, a] * keep) @ mean @ (L[:, b] * keep).T
        return out

    def _mean_psi(self, psi: Numbers, theta: Numbers, a: int, b: int, level: str) -> Numbers:
        """Return the mean of d_a d_b Psi(x) (J, J) over the units of a level."""
        out: Numbers = self._moments_of_covariates[level][1][a, b] * psi
        for (i, j), addends in self.form.moderated.items():
            total: Any = 0.0
            for x in addends:
                total = total + (theta[x.parameter] if x.parameter >= 0 else x.value) * self.column(x.via)
            product = self.column(self.form.random_columns[a]) * self.column(self.form.random_columns[b])
            values = product * (np.exp(2.0 * total) if i == j else total)
            out[i, j] = out[j, i] = self._mean(np.broadcast_to(values, (self.design.n_rows,)), level)
        return out

    def _mean(self, values: Numbers, level: str) -> Any:
        """Return the mean over the units of a level, missing values left out."""
        w = self.weight
        if level != ROWS:
            first = self.design.first_records(level)
            counts = self.design.frequency.get(level)
            values, w = values[first], np.ones(first.size) if counts is None else counts[first]
        known = ~np.isnan(values.real)
        return (values[known] * w[known]).sum() / max(float(w[known].sum()), 1e-300)

    def disturbance_variances(self, theta: Numbers) -> dict[str, Any]:
        """Return the variance of each variable's own disturbance or residual, by key."""
        _, _, psi, _ = matrices(self.form, theta)
        residual = self.residual_variances(theta)
        out = {key: residual[k] for k, key in enumerate(self.keys)}
        for j, z in enumerate(self.form.disturbances):
            moderated = (j, j) in self.form.moderated
            out[z.key] = self._mean_psi(psi, theta, 0, 0, z.level)[j, j] if moderated else psi[j, j]
        return out

    def residual_variances(self, theta: Numbers) -> Numbers:
        """Return the residual variances of the responses, by variable (K,); of latent variables 0."""
        out = np.diag(matrix(self.form.theta, theta)).copy() + self._fixed
        for (k, name), addends in self.form.quantities.items():
            if name == "sigma":
                out[k] = self._mean_square(addends, theta) * (self._fixed[k] or 1.0)
            elif name == "shape" and self._by_shape[k]:
                out[k] = self._mean_square(addends, theta, -1.0) * self._fixed[k]
        return out

    def _mean_square(self, addends: tuple[Linear, ...], theta: Numbers, sign: float = 1.0) -> Any:
        """Return the mean over rows of exp(2 log q), or of its inverse, q a distribution parameter."""
        log: Any = 0.0
        for a in addends:
            log = log + sign * (theta[a.parameter] if a.parameter >= 0 else a.value) * self.column(a.via)
        return self._mean(np.exp(2.0 * np.broadcast_to(log, (self.design.n_rows,))), ROWS)


def matrices(form: ReducedForm, theta: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return m (K, C), L (K, A, J), Psi (J, J) and Theta (K, K) at real or complex parameters."""
    slots = _slots(form.program, form.constants, form.n_slots, theta)
    m = np.zeros((len(form.responses), len(form.mean_columns)), dtype=theta.dtype)
    c = form.mean_cells[form.mean_cells[:, 0] < len(m)]
    m[c[:, 0], c[:, 1]] = slots[c[:, 2]]
    L = np.zeros((len(form.responses), len(form.random_columns), len(form.disturbances)), dtype=theta.dtype)
    c = form.loading_cells[form.loading_cells[:, 0] < len(m)]
    L[c[:, 0], c[:, 1], c[:, 2]] = slots[c[:, 3]]
    return m, L, matrix(form.psi, theta), matrix(form.theta, theta)


def matrix(cells: Cells, theta: Numbers) -> Numbers:
    """Return the matrix of cells at real or complex parameters."""
    out = np.zeros(cells.shape, dtype=theta.dtype)
    if cells.i.size:
        free = cells.parameter >= 0
        values = np.where(free, theta[np.maximum(cells.parameter, 0)] if theta.size else 0.0, cells.value)
        out[cells.i, cells.j] = values
        out[cells.j, cells.i] = values
    return out


def _slots(program: NDArray[np.int64], constants: Floats, n: int, theta: Numbers) -> Numbers:
    s: list[Any] = [theta.dtype.type(0)] * n
    s[0] = theta.dtype.type(1)
    t = theta.tolist()
    for (to, frm, p), c in zip(program.tolist(), constants.tolist(), strict=True):
        s[to] = s[to] + (t[p] if p >= 0 else c) * s[frm]
    return np.array(s, dtype=theta.dtype)
