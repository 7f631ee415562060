"""Log probabilities of the states of a discrete latent variable: a multinomial logit of what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Product
from semlang.sums import sum_by

__all__ = ["Membership"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Membership:
    """P(state k) = exp(nu_k) / sum_j exp(nu_j) for the units of one level, nu of the last state 0.

    Parameters
    ----------
    form : ReducedForm
        Reduced form of the logits, one response a state but the last; all latent variables in them are known.
    columns : mapping from Product to (copies, U) floats
    n_units : int
    copies : int
    known : (U,) ints, optional
        State, from 0, of units in which it is known, else -1.
    """

    def __init__(
        self, form: ReducedForm, columns: Mapping[Product, Floats], n_units: int, copies: int, known: Ints | None
    ) -> None:
        self.form, self.shape, self.known = form, (copies, n_units), known
        self.k, self.c, self.slot = form.mean_cells.T if form.mean_cells.size else np.zeros((3, 0), dtype=np.int64)
        self.size = len(form.responses) + 1
        varying = any(columns[p].shape[0] > 1 for p in form.mean_columns if p)
        n = copies if varying else 1
        self.X = np.ones((len(form.mean_columns), n, n_units))
        for i, product in enumerate(form.mean_columns):
            if product:
                self.X[i] = columns[product]
        self.offset = np.zeros((self.size, n, n_units))
        for k, products in form.offsets.items():
            for product in products:
                self.offset[k] += columns[product]

    def log_probabilities(self, x: Floats) -> Floats:
        """Return (states, copies or 1, U)."""
        slots, self._d_slots = self.form.jacobian(x)
        nu = self.offset.copy()
        for k, c, slot in zip(self.k, self.c, self.slot, strict=True):
            nu[k] += slots[slot] * self.X[c]
        nu -= nu.max(axis=0)
        nu -= np.log(np.exp(nu).sum(axis=0))
        self._p = np.exp(nu)
        if self.known is not None:
            other = (self.known >= 0) & (np.arange(self.size)[:, None] != self.known)
            nu = np.where(other[:, None, :], -np.inf, nu)
        return nu

    def information(self, adjoint: Floats) -> Floats:
        """Return the sum over units and states of squared scores (P, P), each weighted by its adjoint."""
        total = np.zeros((self.form.n_parameters,) * 2)
        moving = np.flatnonzero(np.abs(self._d_slots[self.slot]).sum(axis=0)) if self.slot.size else np.zeros(0, int)
        if not moving.size:
            return total
        slopes = self._d_slots[self.slot][:, moving]
        shape = np.broadcast_shapes(self._p.shape[1:], adjoint.shape[1:])
        x = np.stack([np.broadcast_to(self.X[c], shape).reshape(-1) for c in self.c])
        p = np.stack([np.broadcast_to(self._p[k], shape).reshape(-1) for k in self.k])
        inner = np.zeros((moving.size, moving.size))
        for state in range(self.size):
            s = (((self.k == state)[:, None] - p) * x).T @ slopes
            inner += (s * np.broadcast_to(adjoint[state], shape).reshape(-1)[:, None]).T @ s
        total[np.ix_(moving, moving)] = inner
        return total

    def scores(self, adjoint: Floats, top: Ints, n_top: int) -> Floats:
        """Return the scores (n_top, P) of the log probabilities at the last point.

        Parameters
        ----------
        adjoint : (states, copies or 1, U) floats
            Derivatives with respect to the log probabilities.
        top : (U,) ints
            Top-level unit of each unit.
        """
        bar = adjoint - self._p * adjoint.sum(axis=0)
        out = np.zeros((n_top, self.form.n_parameters))
        for k, c, slot in zip(self.k, self.c, self.slot, strict=True):
            each = sum_by(top, (bar[k] * self.X[c]).sum(axis=0), n_top)
            moving = np.flatnonzero(self._d_slots[slot])
            out[:, moving] += np.outer(each, self._d_slots[slot][moving])
        return out


def products_of(forms: Sequence[ReducedForm]) -> tuple[Product, ...]:
    """Return the products of covariates that logits depend on."""
    found: dict[Product, None] = {}
    for form in forms:
        found.update(dict.fromkeys(p for needed in form.needed for p in needed))
    return tuple(found)
