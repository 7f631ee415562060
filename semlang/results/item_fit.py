"""How single items fit: S-X2, infit and outfit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.comparison import chi2_tail
from semlang.results.items import Items, refuse
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["item_fit"]

Floats = NDArray[np.float64]

LEAST = 1.0
"""Least expected count of a cell; sum scores are joined until it is reached."""


def item_fit(fit: Fit) -> Table:
    """Return S-X2 with its degrees of freedom and p value, infit and outfit of each item.

    S-X2 compares, for each sum score s, the proportions of an item's categories with those that the model implies,

        E(c | s) = int P_c(f) S_{s-c}^{-i}(f) dF / int S_s(f) dF,

    S^{-i} the distribution of the sum of the other items (Lord and Wingersky 1984). Neighbouring scores are joined
    until every expected count is at least 1; the degrees of freedom are the cells that are free less the item's own
    parameters. It needs one dimension; rows with missing responses are left out. Outfit is the mean over rows of the
    posterior expectation of (y - E)^2 / Var, infit the same with numerator and denominator summed apart; both have
    expectation 1 under the model.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``item s.x2 df p infit outfit``.

    References
    ----------
    Orlando and Thissen (2000), Applied Psychological Measurement 24, 50-64. Kang and Chen (2008), Journal of
    Educational Measurement 45, 391-406. Wright and Masters (1982), Rating Scale Analysis.
    """
    items = Items(fit, "item fit")
    notes = []
    one = items.v.shape[1] == 1
    lost = float(items.weight[~items.complete].sum())
    if not one:
        notes.append("S-X2 is left out: there is more than one dimension")
    elif lost:
        notes.append(f"S-X2 leaves {lost:g} rows out, which miss a response")
    if len(items.items) < 3 and one:
        notes.append("S-X2 is left out: it needs three items")
        one = False
    records: list[dict[str, Any]] = []
    for k, v in enumerate(items.items):
        infit, outfit = _mean_squares(items, k)
        record: dict[str, Any] = {"item": v.name, "infit": infit, "outfit": outfit}
        if one:
            record |= _s_x2(items, k)
        records.append(record)
    return Table.of(("item", "s.x2", "df", "p", "infit", "outfit"), records, tuple(notes), "Item fit")


def sum_scores(probabilities: list[Floats]) -> Floats:
    """Return the distribution of the sum of category numbers at each node (Q, S + 1), by convolution."""
    out = np.ones((probabilities[0].shape[0], 1))
    for p in probabilities:
        new = np.zeros((out.shape[0], out.shape[1] + p.shape[1] - 1))
        for c in range(p.shape[1]):
            new[:, c : c + out.shape[1]] += out * p[:, c : c + 1]
        out = new
    return out


def _s_x2(items: Items, k: int) -> dict[str, Any]:
    p = items.at_nodes
    others = sum_scores([q for j, q in enumerate(p) if j != k])
    C, top = items.sizes[k], sum(n - 1 for n in items.sizes)
    joint = np.zeros((top + 1, C))
    for c in range(C):
        joint[c : c + others.shape[1], c] = (items.prior[:, None] * p[k][:, c : c + 1] * others).sum(axis=0)
    total = items.y[items.complete].sum(axis=1)
    weight = items.weight[items.complete]
    observed = np.zeros((top + 1, C))
    np.add.at(observed, (total, items.y[items.complete, k]), weight)
    n = observed.sum(axis=1)
    expected = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300) * n[:, None]
    possible = expected > 0
    groups = _joined(expected, possible, range(1, top))
    statistic, cells = 0.0, 0
    for scores in groups:
        count, E = observed[scores].sum(axis=0), expected[scores].sum(axis=0)
        kept = E > 1e-12
        statistic += float(((count[kept] - E[kept]) ** 2 / E[kept]).sum())
        cells += int(kept.sum()) - 1
    df = cells - items.n_parameters(k)
    if df <= 0:
        return {"s.x2": statistic, "df": df, "p": None}
    return {"s.x2": statistic, "df": df, "p": chi2_tail(statistic, df)}


def _joined(expected: Floats, possible: NDArray[np.bool_], scores: range) -> list[list[int]]:
    """Join neighbouring sum scores, from both ends to the middle, until every expected count is large enough."""
    groups = [[s] for s in scores if expected[s].sum() > 0]

    def small(group: list[int]) -> bool:
        E = expected[group].sum(axis=0)
        return bool((E[possible[group].any(axis=0)] < LEAST).any())

    while len(groups) > 1:
        bad = [g for g in range(len(groups)) if small(groups[g])]
        if not bad:
            break
        middle = len(groups) / 2
        g = max(bad, key=lambda i: abs(i + 0.5 - middle))
        other = g + 1 if (g + 0.5 < middle and g + 1 < len(groups)) or g == 0 else g - 1
        low, high = sorted((g, other))
        groups[low : high + 1] = [groups[low] + groups[high]]
    return groups


def _mean_squares(items: Items, k: int) -> tuple[float, float]:
    p = items.at_nodes[k]
    c = np.arange(p.shape[1])
    mean = p @ c
    variance = np.maximum(p @ c**2 - mean**2, 1e-300)
    known = items.y[:, k] >= 0
    if not known.any():
        raise refuse("item fit", f"'{items.items[k].name}' is never observed")
    w, y = items.posterior[known], items.y[known, k]
    square = (y[:, None] - mean) ** 2
    weight = items.weight[known]
    outfit = float((weight * (w * square / variance).sum(axis=1)).sum() / weight.sum())
    infit = float((weight * (w * square).sum(axis=1)).sum() / (weight * (w @ variance)).sum())
    return infit, outfit
