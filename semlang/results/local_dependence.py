"""What pairs of items share beyond the latent variables."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.results.comparison import chi2_tail
from semlang.results.items import Items
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["local_dependence"]


def local_dependence(fit: Fit) -> Table:
    """Return Q3 and the bivariate residual X2 of each pair of items.

    Q3 is the correlation of y - E(y | f) of two items, f at its posterior mean (Yen 1984); it is about -1 / (K - 1) for
    K items that share nothing more. `x2` compares the observed table of two items with the implied one (Chen and
    Thissen 1997); referred to (C - 1)(C' - 1) degrees of freedom it is conservative.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``item1 item2 q3 x2 df p``, the largest \\|Q3\\| first.
    """
    items = Items(fit, "local dependence")
    residual = np.full(items.y.shape, np.nan)
    for k, p in enumerate(items.probabilities(items.estimates)):
        known = items.y[:, k] >= 0
        residual[known, k] = items.y[known, k] - (p @ np.arange(p.shape[1]))[known]
    records: list[dict[str, Any]] = []
    for i, j in combinations(range(len(items.items)), 2):
        both = (items.y[:, i] >= 0) & (items.y[:, j] >= 0)
        w = items.weight[both]
        covariance = np.cov(residual[both][:, [i, j]].T, aweights=w)
        q3 = float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
        observed = np.zeros((items.sizes[i], items.sizes[j]))
        np.add.at(observed, (items.y[both, i], items.y[both, j]), w)
        expected = w.sum() * (items.at_nodes[i] * items.prior[:, None]).T @ items.at_nodes[j]
        x2, df = float(((observed - expected) ** 2 / expected).sum()), (items.sizes[i] - 1) * (items.sizes[j] - 1)
        names = items.items[i].name, items.items[j].name
        records.append({"item1": names[0], "item2": names[1], "q3": q3, "x2": x2, "df": df, "p": chi2_tail(x2, df)})
    records.sort(key=lambda r: -abs(r["q3"]))
    return Table.of(("item1", "item2", "q3", "x2", "df", "p"), records, (), "Local dependence")
