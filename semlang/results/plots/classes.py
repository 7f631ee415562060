"""Profiles of latent classes."""

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
    """Draw the profile of each latent class: the mean of every response among units weighted by membership."""
    from semlang.results.class_probabilities import class_probabilities

    found = class_probabilities(fit)
    if not found:
        raise refuse("a profile of classes", "the model has no class variable")
    key = next(iter(found))
    table = found[key]
    names = [c for c in table.columns if str(c).startswith("class ")]
    if fit.table.variables[key].level != ROWS or len(fit.designs) > 1:
        raise refuse("a profile of classes", "the classes are not of rows, or there are several groups")
    design = fit.designs[0]
    p = table[names].to_numpy()[design.row]
    ax = axes(ax)
    responses = list(fit.table.responses)
    weight = design.frequency.get(ROWS, np.ones(design.n_rows))
    scale = 1.0 if all(v.kind.name == "binomial" for v in responses) else 0.0
    for k, name in enumerate(names):
        means = []
        for v in responses:
            y = design.responses[v.key] / design.trials.get(v.key, np.ones(design.n_rows))
            if not scale:
                y = (y - np.nanmean(y)) / np.nanstd(y)
            w = np.where(np.isnan(y) | np.isnan(p[:, k]), 0.0, p[:, k] * weight)
            means.append(float((w * np.nan_to_num(y)).sum() / w.sum()))
        share = float(np.nansum(p[:, k] * weight) / np.nansum(p.sum(axis=1) * weight))
        ax.plot(range(len(means)), means, "o-", color=COLOURS[k % len(COLOURS)], label=f"{name} ({share:.0%})")
    ax.set_xticks(range(len(responses)), [v.name for v in responses], rotation=45 if len(responses) > 6 else 0)
    ax.set(ylabel="probability" if scale else "mean, standardised")
    if scale:
        ax.set_ylim(-0.02, 1.02)
    ax.legend(frameon=False, fontsize="small")
    return ax
