"""One level, any covariance matrix: moments of the rows by missing pattern."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.moments import Moments, Terms, Vectors
from semlang.estimation.gaussian.observations import multiplicity, observe
from semlang.matrices.reduced import ReducedForm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class OneLevel(Moments):
    """Rows are independent and identically distributed given covariates: one term a missing pattern.

    One evaluation costs patterns x p^3, whatever the number of rows. Negative variances are allowed as long
    as the density exists.
    """

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        self.data = data = observe(reduced, design)
        top = list(design.clusters)[-1:]
        self.n_units = design.n_units(top[0] if top else "rows")
        self._unit = design.clusters[top[0]] if top else np.arange(design.n_rows)
        self._weight = multiplicity(design, ["rows", *design.clusters])
        self._rows = patterns(data.y, data.complete)
        self.terms = []
        for observed, rows in self._rows:
            # A slice where every row has the pattern: no copy.
            y = data.y if rows is None else data.y[np.ix_(observed, rows)]
            x = data.x if rows is None else data.x[:, rows]
            weight = self._of(rows)
            count = x.shape[1] if weight is None else weight.sum()
            moments = cross_products(y, x, weight)
            self.terms.append(Terms(observed, np.array([float(count)]), np.zeros(1), moments[None]))

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether all disturbances vary over rows, without random slopes."""
        return (
            not reduced.quantities
            and all(z.level == "rows" for z in reduced.disturbances)
            and not np.any(reduced.loading_cells[:, 1])
        )

    def vectors(self, block: int, term: int) -> Vectors:
        """Return the rows of a pattern."""
        observed, rows = self._rows[block]
        rows = np.arange(self.data.y.shape[1]) if rows is None else rows
        weight = self._of(rows)
        weight = np.ones(len(rows)) if weight is None else weight
        return Vectors(self.data.y[np.ix_(observed, rows)], self.data.x[:, rows], self._unit[rows], weight, weight)

    def _of(self, rows: Ints | None) -> Floats | None:
        weight = self._weight
        return weight if weight is None or rows is None else weight[rows]


def cross_products(y: Floats, x: Floats, weight: Floats | None) -> Floats:
    """Return the sum over rows of w z z', z = (y, x), without stacking the two."""
    yw, xw = (y, x) if weight is None else (y * weight, x * weight)
    yx = yw @ x.T
    return np.block([[yw @ y.T, yx], [yx.T, xw @ x.T]])


def patterns(y: Floats, complete: bool) -> list[tuple[Ints, Ints | None]]:
    """Return the observed responses and the rows of each missing pattern; rows None stands for all.

    Rows without any response are left out.
    """
    if complete:
        return [(np.arange(len(y)), None)] if len(y) else []
    unit, order, start = sorted_patterns(~np.isnan(y))
    out: list[tuple[Ints, Ints | None]] = []
    for k, rows in enumerate(np.split(order, start[1:])):
        if unit[:, k].any():
            out.append((np.flatnonzero(unit[:, k]), np.sort(rows)))
    return out


def sorted_patterns(seen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Ints, Ints]:
    """Return the distinct columns of `seen`, an order with equal ones adjacent, and where each begins."""
    key = np.packbits(seen, axis=0)
    order = np.lexsort(key[::-1]).astype(np.int64)
    key = key[:, order]
    start = np.flatnonzero(np.r_[True, np.any(key[:, 1:] != key[:, :-1], axis=0)])
    return seen[:, order[start]], order, start
