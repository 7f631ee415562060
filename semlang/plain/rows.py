"""The rows of a design as arrays, and the way from the matrices' adjoints to the parameters' gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Product

Floats = NDArray[np.float64]


class Rows:
    """Responses and covariates of one group.

    Parameters
    ----------
    form : ReducedForm
    design : Design

    Attributes
    ----------
    y : (n, K)
        NaN where a response, or a covariate that it needs, is missing.
    x : (n, C), d : (n, A)
        Products of covariates of means and of loadings, 0 where missing.
    offset : (n, K)
    frequency : (n,)
    """

    def __init__(self, form: ReducedForm, design: Design) -> None:
        self.design = design
        self.y = np.stack([np.array(design.responses[key], dtype=float) for key in form.responses], axis=1)
        for k, products in enumerate(form.needed):
            for product in products:
                self.y[np.isnan(self.column(product)), k] = np.nan
        self.x = np.nan_to_num(np.stack([self.column(p) for p in form.mean_columns], axis=1))
        self.d = np.nan_to_num(np.stack([self.column(p) for p in form.random_columns], axis=1))
        self.offset = np.zeros_like(self.y)
        for k, products in form.offsets.items():
            for product in products:
                self.offset[:, k] += np.nan_to_num(self.column(product))
        self.frequency = np.array(design.frequency.get("rows", np.ones(design.n_rows)), dtype=float)

    def column(self, product: Product) -> Floats:
        """Return a product of covariates (n,)."""
        return np.array(self.design.columns[product], dtype=float) if product else np.ones(self.design.n_rows)


def adjoint(
    form: ReducedForm, theta: Floats, slots: Floats, m_bar: Floats, l_bar: Floats, psi_bar: Floats, theta_bar: Floats
) -> Floats:
    """Return the gradient (P,) from dl/dm (K, C), dl/dL (K, A, J), dl/dPsi (J, J) and dl/dTheta (K, K)."""
    bar = np.zeros(form.n_slots)
    (k, c, slot) = form.mean_cells.reshape(-1, 3).T
    np.add.at(bar, slot, m_bar[k, c])
    (k, a, j, slot) = form.loading_cells.reshape(-1, 4).T
    np.add.at(bar, slot, l_bar[k, a, j])
    n = form.n_parameters
    out = form.gradient(theta, slots, bar) + form.psi.gradient(psi_bar, n) + form.theta.gradient(theta_bar, n)
    return np.asarray(out)
