"""One response on nodes: its distinct rows, and their densities."""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from semlang.matrices.reduced import Linear, ReducedForm
from semlang.model.table import Variable
from semlang.plain.densities import Density, density
from semlang.plain.rows import Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Item:
    """A response. Rows that are equal in it and in all that its density needs are one.

    Parameters
    ----------
    form : ReducedForm
    rows : Rows
    k : int
        Its number.
    variable : Variable

    Attributes
    ----------
    y (U,), x (U, C), d (U, A), offset (U,) : floats
        The distinct rows.
    of : (n,) ints
        The distinct row of each row, U where the response is missing.
    """

    def __init__(self, form: ReducedForm, rows: Rows, k: int, variable: Variable) -> None:
        self.k, self.kind, self.link = k, variable.kind.name, variable.link
        addends = form.thresholds.get(k, ())
        products = list(dict.fromkeys(a.via for ts in addends for a in ts))
        moved = np.nan_to_num(np.stack([rows.column(p) for p in products], axis=1)) if products else rows.x[:, :0]
        used_x = np.unique(form.mean_cells[form.mean_cells[:, 0] == k, 1])
        used_d = np.unique(form.loading_cells[form.loading_cells[:, 0] == k, 1])
        y = rows.y[:, k]
        seen = np.flatnonzero(~np.isnan(y))
        all_parts = (y[:, None], rows.offset[:, [k]], rows.x[:, used_x], rows.d[:, used_d], moved)
        _, first, inverse = np.unique(
            np.concatenate(all_parts, axis=1)[seen], axis=0, return_index=True, return_inverse=True
        )
        chosen = seen[first]
        self.y, self.x, self.d, self.offset = y[chosen], rows.x[chosen], rows.d[chosen], rows.offset[chosen, k]
        self.of = np.full(y.size, chosen.size, dtype=np.int64)
        self.of[seen] = inverse.ravel()
        self.thresholds: list[list[tuple[Linear, Floats]]] = [
            [(a, moved[chosen, products.index(a.via)]) for a in ts] for ts in addends
        ]
        self._sort()

    def at(self, of: Ints) -> Item:
        """Return the item with other rows: patterns in place of rows."""
        out = copy(self)
        out.of = of
        out._sort()
        return out

    def _sort(self) -> None:
        self.order = np.argsort(self.of, kind="stable")
        self.present, self.starts = np.unique(self.of[self.order], return_index=True)

    def summed(self, posterior: Floats) -> Floats:
        """Return sums of (N, Q) over the patterns of each distinct row: (U, Q)."""
        sums = np.add.reduceat(posterior[self.order], self.starts, axis=0)
        out = np.zeros((self.y.size + 1, posterior.shape[1]))
        out[self.present] = sums
        return out[:-1]

    def density(self, theta: Floats, m: Floats, loadings: Floats, zeta: Floats, variance: float) -> Density:
        """Return the density of the distinct rows at nodes.

        Parameters
        ----------
        m : (C,), loadings : (A, J), zeta : (Q, J)
        variance : float
            Residual variance of a gaussian response.

        Raises
        ------
        ValueError
            Where thresholds are not in order, or a variance is not positive.
        """
        eta = (self.offset + self.x @ m)[:, None] + (self.d @ loadings) @ zeta.T
        if self.kind == "gaussian" and variance <= 0:
            raise ValueError("a variance is not positive")
        if self.kind != "ordinal":
            return density(self.kind, self.link, self.y, eta, variance)
        ends = np.full((self.y.size, 1), np.inf)
        kappa = np.hstack([-ends, *[self._threshold(theta, s)[:, None] for s in range(len(self.thresholds))], ends])
        if (np.diff(kappa, axis=1) <= 0).any():
            raise ValueError("thresholds are not in order")
        category = self.y.astype(np.int64)
        every = np.arange(self.y.size)
        return density("ordinal", self.link, self.y, eta, 1.0, kappa[every, category + 1], kappa[every, category])

    def _threshold(self, theta: Floats, s: int) -> Floats:
        parts = [(theta[a.parameter] if a.parameter >= 0 else a.value) * x for a, x in self.thresholds[s]]
        return np.asarray(sum(parts))

    def add_thresholds(self, out: Floats, weight: Floats, found: Density) -> None:
        """Add the gradient in the thresholds to `out` (P,)."""
        if found.upper is None or found.lower is None:
            return
        above, below = (weight * found.upper).sum(1), (weight * found.lower).sum(1)
        for s, addends in enumerate(self.thresholds):
            at = np.where(self.y == s, above, 0.0) + np.where(self.y == s + 1, below, 0.0)
            for a, x in addends:
                if a.parameter >= 0:
                    out[a.parameter] += float(at @ x)
