"""Predictions where a response that predicts others is missing: averages over the values that it may have.

With m missing in a row and s its possible values,

    E(y | what is known) = sum_s p(m = s | what is known) E(y | m = s, what is known),

p proportional to the likelihood of the row with s filled in. Categories are summed; a gaussian m is integrated by the
trapezoidal rule, whose error falls exponentially for densities on the whole line (Trefethen and Weideman 2014, SIAM
Review 56, 385-458).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.missing_predictors import has_states
from semlang.estimation.assemble import assemble
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.constraints import Constraints
from semlang.model.table import Variable

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["filled_predictions"]

Floats = NDArray[np.float64]
Predict = Callable[[tuple[Design, ...], "pd.DataFrame", str], "pd.DataFrame"]

NODES = {0: 1, 1: 121, 2: 41, 3: 21}
"""Values of each gaussian predictor, by how many are missing in a row."""
REACH = 6.0
"""They reach so many standard deviations of the observed values to both sides of their mean."""
COPIES = 100_000
"""Copies of rows that are predicted at once."""


def filled_predictions(
    fit: Fit, kind: str, out: pd.DataFrame, frame: pd.DataFrame, designs: Sequence[Design], predicted: Predict
) -> pd.DataFrame:
    """Return predictions in which rows that miss a predictor are averages over its values.

    Models of one level without classes and products; others have no prediction in such rows.

    Parameters
    ----------
    fit : Fit
    kind : {'marginal', 'conditional', 'linear'}
    out : DataFrame
        Predictions, a row a row of the frame.
    frame : DataFrame
    designs : sequence of Design
        Of the frame.
    predicted : function of (designs, frame, kind)
        Predicts from data without gaps among the predictors.
    """
    table = fit.table
    names = {c.column for row in table.rows for c in row.via if c.response}
    predictors = [v for v in table.responses if v.name in names]
    gone = {v.name: frame[v.name].isna().to_numpy() for v in predictors}
    if table.clusters or is_conditional(table) or not any(g.any() for g in gone.values()):
        return out
    used = np.zeros(len(frame), dtype=bool)
    for design in designs:
        own = [x for p, x in design.columns.items() if not any(c.response for c in p)]
        used[design.row] = ~np.isnan(np.stack([*own, np.zeros(design.n_rows)])).any(axis=0)
    patterns = np.stack(list(gone.values()), axis=1)
    out = out.copy()
    for pattern in np.unique(patterns[used & patterns.any(axis=1)], axis=0):
        missing = [v for v, flag in zip(predictors, pattern, strict=True) if flag]
        gaussian = sum(v.kind.name == "gaussian" for v in missing)
        if gaussian not in NODES or not all(map(has_states, missing)):
            continue
        states = [_states(fit, v, NODES[gaussian]) for v in missing]
        grid = list(product(*[range(len(labels)) for labels, _ in states]))
        rows = np.flatnonzero(used & (patterns == pattern).all(axis=1))
        for part in np.array_split(rows, max(1, rows.size * len(grid) // COPIES)):
            out.iloc[part] = _averages(fit, kind, out, frame.iloc[part], missing, states, grid, predicted)
    return out


def _states(fit: Fit, v: Variable, nodes: int) -> tuple[list[Any], Floats]:
    """Return the values of a column that a response may have, and the numbers they stand for."""
    y = np.concatenate([d.responses[v.key] for d in fit.designs])
    if v.kind.name == "gaussian":
        z = np.nanmean(y) + np.nanstd(y) * np.linspace(-REACH, REACH, nodes)
        return z.tolist(), z
    assert fit.origin is not None
    names = fit.designs[0].categories.get(v.key) or ("0", "1")
    numeric = fit.origin.recipe.frame[v.name].dtype.kind in "iufb"
    return [float(n) if numeric else n for n in names], np.arange(len(names), dtype=np.float64)


def _averages(
    fit: Fit,
    kind: str,
    out: pd.DataFrame,
    rows: pd.DataFrame,
    missing: Sequence[Variable],
    states: Sequence[tuple[list[Any], Floats]],
    grid: Sequence[tuple[int, ...]],
    predicted: Predict,
) -> Floats:
    """Return the predictions of some rows that miss the same predictors."""
    n = len(rows)
    copies = rows.iloc[np.tile(np.arange(n), len(grid))].reset_index(drop=True)
    for j, (v, (labels, _)) in enumerate(zip(missing, states, strict=True)):
        copies[v.name] = np.repeat(np.array([labels[s[j]] for s in grid], dtype=object), n)
        if not isinstance(labels[0], str):
            copies[v.name] = copies[v.name].astype(float)
    if kind == "marginal":
        names = {c.column for row in fit.table.rows for c in row.via if c.response}
        copies = copies.assign(**{v.name: np.nan for v in fit.table.responses if v.name not in names})
    assert fit.origin is not None
    weights = (*fit.table.frequency.values(), *fit.table.weights.values())
    designs, copies = fit.origin.recipe.designs(copies, weights)
    designs = tuple(replace(d, frequency={}, weights={}) for d in designs)
    log = _logliks(fit, designs, len(copies)).reshape(len(grid), n)
    with np.errstate(invalid="ignore"):
        p = np.exp(log - log.max(axis=0))
        p = p / p.sum(axis=0)
    latent = any(v.role == "latent" for v in fit.table.latents)
    found = predicted(designs, copies, "conditional" if kind == "marginal" and latent else kind)
    values: Floats = np.einsum("sn,snc->nc", p, found[list(out.columns)].to_numpy().reshape(len(grid), n, -1))
    if kind == "linear":
        return values
    for j, (v, (_, numbers)) in enumerate(zip(missing, states, strict=True)):
        own = [k for k, c in enumerate(out.columns) if c == v.name or str(c).startswith(f"{v.name}=")]
        place = np.array([s[j] for s in grid])
        for c, k in enumerate(own):
            values[:, k] = (numbers[place] if len(own) == 1 else 1.0 * (place == c)) @ p
    return values


def _logliks(fit: Fit, designs: tuple[Design, ...], n: int) -> Floats:
    """Return the log-likelihood of each row (n,), NaN of rows that have none."""
    objective = assemble(
        fit.table, fit.graphs, designs, Constraints(fit.table), True, fit.estimate.points or 1, 1, scaled=False
    )
    x = objective.parametrisation.coordinates(fit.estimate.theta)
    out = np.full(n, np.nan)
    for member, design in zip(objective.members, designs, strict=True):
        seen = np.any([~np.isnan(y) for y in design.responses.values()], axis=0)
        out[design.row[seen]] = member.values(x)
    return out
