"""Start values: each response by itself, half of its variance to what it measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.model.table import ParameterTable, Row

Floats = NDArray[np.float64]


def start(table: ParameterTable, designs: Sequence[Design]) -> Floats:
    """Return start values (P,) of the parameters of a table of one level."""
    theta = np.zeros(table.n_parameters)
    for row in table.rows:
        if row.parameter >= 0 and row.user == 1 and row.ustart is not None:
            theta[row.parameter] = row.ustart
    given = {r.parameter for r in table.rows if r.parameter >= 0 and r.user == 1 and r.ustart is not None}
    for g, design in enumerate(designs):
        rows = [r for r in table.rows if r.group == g + 1 and not r.quantity]
        _group(table, rows, design, theta, given)
    return theta


def _group(table: ParameterTable, rows: Sequence[Row], design: Design, theta: Floats, given: set[int]) -> None:
    spread = {v.key: _spread(design, v.key, v.kind.name) for v in table.responses}
    measures = [r for r in rows if r.op == "=~" and not r.via]
    size: dict[str, float] = {}
    fixed = [r for r in measures if r.parameter < 0 and r.ustart]
    for _ in range(3):  # a factor of factors after these
        for r in fixed:
            if r.source not in size:
                known = spread.get(r.target, size.get(r.target))
                if known:
                    size[r.source] = known * math.sqrt(0.5) / abs(r.ustart or 1.0)
    for r in rows:
        p = r.parameter
        if p < 0 or p in given:
            continue
        variable = table.variables.get(r.target)
        if r.op == "~~" and r.source == r.target:
            theta[p] = 0.5 * spread[r.target] ** 2 if r.target in spread else size.get(r.target, 0.7) ** 2
        elif r.op == "=~" and not r.via:
            sd = spread.get(r.target, size.get(r.target, 0.7)) * math.sqrt(0.5)
            theta[p] = sd / size.get(r.source, 1.0) * _sign(design, measures, r)
        elif r.op == "~1" and not r.source and not r.via and variable is not None and variable.role == "response":
            theta[p] = _middle(design, r.target, variable.kind.name, variable.link)
        elif r.op == "|" and variable is not None and not r.via:
            theta[p] = _threshold(design, r, variable.link)


def _spread(design: Design, key: str, kind: str) -> float:
    if kind != "gaussian":
        return 1.2
    y = design.responses[key]
    sd = float(np.nanstd(y)) if np.isfinite(y).any() else 1.0
    return sd if sd > 0 else 1.0


def _sign(design: Design, measures: Sequence[Row], row: Row) -> float:
    """Return the sign of the correlation with the first response of the same factor."""
    first = next((r for r in measures if r.source == row.source), row)
    if first.target == row.target or not {first.target, row.target} <= set(design.responses):
        return 1.0
    a, b = design.responses[first.target], design.responses[row.target]
    both = ~np.isnan(a) & ~np.isnan(b)
    if both.sum() < 3:
        return 1.0
    sign = float(np.sign(((a[both] - a[both].mean()) * (b[both] - b[both].mean())).sum()))
    return sign * (np.sign(first.ustart) if first.ustart else 1.0) or 1.0


def _middle(design: Design, key: str, kind: str, link: str) -> float:
    y = design.responses[key]
    mean = float(np.nanmean(y)) if np.isfinite(y).any() else 0.0
    if kind == "binomial":
        return _quantile(link, min(max(mean, 0.01), 0.99))
    return math.log(max(mean, 1e-3)) if kind == "poisson" else mean


def _threshold(design: Design, row: Row, link: str) -> float:
    y = design.responses[row.target]
    y = y[~np.isnan(y)]
    below = float((y < row.threshold).mean()) if y.size else 0.5
    return 1.2 * _quantile(link, min(max(below, 0.005), 0.995))


def _quantile(link: str, p: float) -> float:
    return NormalDist().inv_cdf(p) if link == "probit" else math.log(p / (1 - p))
