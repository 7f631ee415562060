"""Two levels, complete data, any covariance matrices within and between: moments by cluster size.

With deviations from cluster means apart from the means themselves (Goldstein & McDonald 1988; McDonald &
Goldstein 1989),

    l = -1/2 { N p log 2 pi + (N - J) log|S_w| + tr S_w^-1 R_w + sum_n [ J_n log|S_n| + tr S_n^-1 R_n ] },
    S_n = S_w + n S_b,

R_w the residual cross-products within, R_n = n times those of the means of the J_n clusters of size n. Only
S_w and the S_n need be positive definite: S_b may have negative variances.
"""

from __future__ import annotations

import numpy as np

from semlang.data.design import Design
from semlang.estimation.gaussian.moments import Moments, Terms, Vectors
from semlang.estimation.gaussian.observations import multiplicity, observe
from semlang.matrices.reduced import ReducedForm


class TwoLevel(Moments):
    """Rows in clusters: one term for deviations from the cluster means and one for each cluster size.

    One evaluation costs sizes x p^3, whatever the numbers of rows and clusters. A row of frequency f counts f
    times in the size of its cluster.
    """

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        self.data = data = observe(reduced, design)
        level = cluster_level(reduced)
        top = list(design.clusters)[-1]
        self.n_units = design.n_units(top)
        self._unit = design.clusters[top]
        code = design.clusters[level]
        self._start = start = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
        rows = multiplicity(design, ["rows"])
        self._frequency = np.ones(design.n_rows) if rows is None else rows
        above = list(design.clusters)[list(design.clusters).index(level) :]
        units = multiplicity(design, above)
        self._weight = np.ones(len(start)) if units is None else units[start]
        self._size = size = np.add.reduceat(self._frequency, start)
        z = np.vstack([data.y, data.x])
        self._mean = np.add.reduceat(z * self._frequency, start, axis=1) / size
        self._lengths = np.diff(np.r_[start, design.n_rows])
        z -= np.repeat(self._mean, self._lengths, axis=1)
        self._deviation = z
        alike = rows is None and units is None
        weight = None if alike else self._frequency * np.repeat(self._weight, self._lengths)
        sizes, self._of = np.unique(size, return_inverse=True)
        moments, count = [], []
        self._within_term = bool(np.any(size > 1))
        if self._within_term:
            moments.append((z if weight is None else z * weight) @ z.T)
            count.append(float(self._weight @ (size - 1)))
        for k, n in enumerate(sizes):
            of = self._of == k
            means = self._mean[:, of]
            moments.append(n * (means * self._weight[of]) @ means.T)
            count.append(float(self._weight[of].sum()))
        scale = np.r_[np.zeros(int(self._within_term)), sizes]
        self.terms = [Terms(np.arange(len(data.y)), np.array(count), scale, np.array(moments))]

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether there are two levels, no random slopes, and nothing is missing."""
        levels = {z.level for z in reduced.disturbances} - {"rows"}
        return (
            not reduced.quantities
            and len(levels) == 1
            and levels <= set(design.clusters)
            and not np.any(reduced.loading_cells[:, 1])
            and "rows" not in design.weights
            and design.n_rows > 0
            and observe(reduced, design).complete
        )

    def vectors(self, block: int, term: int) -> Vectors:
        """Return the deviations from cluster means, or the means of the clusters of a size."""
        p = len(self.data.y)
        if self._within_term and term == 0:
            weight = self._frequency * np.repeat(self._weight, self._lengths)
            count = weight * np.repeat(1 - 1 / self._size, self._lengths)
            return Vectors(self._deviation[:p], self._deviation[p:], self._unit, count, weight)
        of = np.flatnonzero(self._of == term - self._within_term)
        means, weight = self._mean[:, of], self._weight[of]
        unit = self._unit[self._start[of]]
        return Vectors(means[:p], means[p:], unit, weight, weight * self._size[of])


def cluster_level(reduced: ReducedForm) -> str:
    """Return the level above the rows."""
    return next(z.level for z in reduced.disturbances if z.level != "rows")
