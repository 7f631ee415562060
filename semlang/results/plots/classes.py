"""Profiles of latent classes and mass points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import ROWS
from semlang.results.items import refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["classes"]

Floats = NDArray[np.float64]


def classes(fit: Fit, *, ax: Any = None) -> Any:
    """Draw the profile of each latent class: the mean of every response among units weighted by membership.

    Binary responses have the share of successes, nominal ones that of each category. Where all responses are of these
    kinds the axis is that of probabilities; else everything is standardised. Censored durations are left out.
    """
    from semlang.results.class_probabilities import class_probabilities

    found = class_probabilities(fit)
    if not found:
        raise refuse("a profile of classes", "the model has no class variable")
    key, table = next(iter(found.items()))
    variable = fit.table.variables[key]
    states = [c for c in table.columns if str(c).startswith("class ")]
    p = _of_rows(fit, variable.level, table[states].to_numpy())
    weight = np.concatenate([d.frequency.get(ROWS, np.ones(d.n_rows)) for d in fit.designs])
    columns, shares = _columns(fit)
    if not columns:
        raise refuse("a profile of classes", "every response is a censored duration, which has no mean")
    ax = axes(ax)
    word = "class" if variable.kind.name == "class" else "mass point"
    for k in range(len(states)):
        means = []
        for y in columns.values():
            z = y if shares else (y - np.nanmean(y)) / max(float(np.nanstd(y)), 1e-300)
            w = np.where(np.isnan(z) | np.isnan(p[:, k]), 0.0, p[:, k] * weight)
            means.append(float((w * np.nan_to_num(z)).sum() / max(float(w.sum()), 1e-300)))
        share = float(np.nansum(p[:, k] * weight) / np.nansum(p.sum(axis=1) * weight))
        ax.plot(range(len(means)), means, "o-", color=COLOURS[k % len(COLOURS)], label=f"{word} {k + 1} ({share:.0%})")
    ax.set_xticks(range(len(columns)), list(columns), rotation=45 if len(columns) > 6 else 0)
    ax.set(ylabel="probability" if shares else "mean, standardised")
    if shares:
        ax.set_ylim(-0.02, 1.02)
    ax.legend(frameon=False, fontsize="small", title=variable.name)
    return ax


def _of_rows(fit: Fit, level: str, p: Floats) -> Floats:
    """Return the probabilities of the unit of each row, in the order of the designs."""
    if level != ROWS:
        first = 0
        parts = []
        for design in fit.designs:
            parts.append(p[first + design.clusters[level]])
            first += design.n_units(level)
        return np.concatenate(parts)
    rows = np.concatenate([d.row for d in fit.designs])
    return np.asarray(p[np.searchsorted(np.sort(rows), rows)])


def _columns(fit: Fit) -> tuple[dict[str, Floats], bool]:
    """Return what is drawn by its name, and whether all of it are shares of rows."""
    out: dict[str, Floats] = {}
    for v in fit.table.responses:
        if any((d.event.get(v.key, np.ones(1)) == 0.0).any() for d in fit.designs):
            continue
        y = np.concatenate([d.responses[v.key] / d.trials.get(v.key, np.ones(d.n_rows)) for d in fit.designs])
        if not v.kind.nominal:
            out[v.name] = y
            continue
        for c, category in enumerate(fit.designs[0].categories[v.key]):
            out[f"{v.name} = {category}"] = np.where(np.isnan(y), np.nan, 1.0 * (y == c))
    return out, all(v.kind.binary or v.kind.nominal for v in fit.table.responses)
