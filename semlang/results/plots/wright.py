"""Wright maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.conditioning.conditions import is_conditional
from semlang.model.table import ROWS
from semlang.results.items import group_named, refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["wright"]

Floats = NDArray[np.float64]


def wright(fit: Fit, *, latent: str | None = None, group: str | None = None, ax: Any = None) -> Any:
    """Draw a Wright map: the distribution of scores beside the difficulties of the items, on one scale.

    Parameters
    ----------
    latent, group : str, optional
        Default: the first that has difficulties; the first group.
    """
    from semlang.results.difficulties import difficulties

    if is_conditional(fit.table):
        raise refuse("a Wright map", "it has classes or products of latent variables, so items have no one difficulty")
    g = group_named(fit, group)
    table = difficulties(fit).frame()
    table = table[table["parameter"].str.startswith("difficulty") & (table["group"] == fit.designs[g].group)]
    name = str(table["latent"].iloc[0]) if latent is None else latent
    if not (table["latent"] == name).any():
        raise refuse("a Wright map", f"no item has a difficulty on '{name}'")
    table = table[table["latent"] == name]
    scores = fit.scores().get("rows")
    if scores is None or name not in scores:
        raise refuse("a Wright map", f"'{name}' has no scores of rows")
    rows = np.sort(np.concatenate([d.row for d in fit.designs]))
    values = scores[name].to_numpy()[np.searchsorted(rows, np.sort(fit.designs[g].row))]
    variable = next(v for v in fit.table.latents if v.name == name)
    from semlang.results.curves import default_values

    grid = default_values(fit, variable, g)
    mean, sd = grid.mean(), (grid[-1] - grid[0]) / 6.0
    ax = axes(ax, 6.5, max(4.0, 0.16 * len(table) + 2.0))
    ax.hist((values - mean) / sd, bins=25, orientation="horizontal", color="#9ecae1", density=True,
            weights=_row_weights(fit, g))  # fmt: skip
    edge = ax.get_xlim()[1]
    ax.axvline(edge * 1.05, color="#aaaaaa", linewidth=0.8)
    items = list(dict.fromkeys(table["item"]))
    low, high = float(np.min((values - mean) / sd)) - 0.5, float(np.max((values - mean) / sd)) + 0.5
    for n, item in enumerate(items):
        x = edge * (1.15 + 0.85 * (n + 0.5) / len(items))
        for step, b in enumerate(table.loc[table["item"] == item, "est"], 1):
            many = (table["item"] == item).sum() > 1
            ax.plot(x, b, "_", color=COLOURS[n % len(COLOURS)], markersize=9, markeredgewidth=2)
            ax.annotate(f"{item}.{step}" if many else item, (x, b), textcoords="offset points", xytext=(0, 4),
                        fontsize=7, ha="center", color=COLOURS[n % len(COLOURS)])  # fmt: skip
            low, high = min(low, b - 0.5), max(high, b + 0.5)
    ax.set(ylabel=f"{name}, standardised", xlim=(0, edge * 2.05), ylim=(max(low, -8), min(high, 8)), xticks=[])
    ax.set_title("scores of rows" + " " * 24 + "difficulties of items", fontsize="medium")
    if len(fit.designs) > 1:
        ax.set_xlabel(f"group {fit.designs[g].group}")
    return ax


def _row_weights(fit: Fit, group: int) -> Floats | None:
    """Return frequencies in the order of the data's rows."""
    design = fit.designs[group]
    found = design.frequency.get(ROWS)
    return None if found is None else np.asarray(found[np.argsort(design.row)])
