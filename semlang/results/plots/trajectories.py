"""Fitted responses of units over a covariate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import ROWS
from semlang.results.items import refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["trajectories"]

Floats = NDArray[np.float64]


def trajectories(fit: Fit, x: str | None = None, *, units: int = 20, ax: Any = None) -> Any:
    """Draw the fitted response of units over a covariate, with their data, and the marginal mean (bold).

    Parameters
    ----------
    x : str, optional
        A covariate; default the first that varies within units.
    units : int
        Number of units shown, spread over all.
    """
    if not fit.table.clusters:
        raise refuse("trajectories", "there are no clusters, so no unit has several rows")
    cluster = fit.table.clusters[0]
    assert fit.origin is not None
    frame = fit.origin.recipe.frame
    covariates = [
        c.column for row in fit.table.rows for c in row.via
        if c.function in ("identity", "power") and not c.response and frame[c.column].dtype.kind in "iuf"
    ]  # fmt: skip
    within = [c for c in dict.fromkeys(covariates) if frame.groupby(cluster, observed=True)[c].nunique().max() > 1]
    chosen = x or (within[0] if within else None)
    if chosen is None or chosen not in frame:
        raise refuse("trajectories", "no numeric covariate varies within units" if x is None else f"'{x}' is no column")
    v = next(r for r in fit.table.responses if r.level == ROWS)
    conditional, marginal = fit.predict(kind="conditional"), fit.predict()
    columns = [c for c in conditional.columns if c == v.name or str(c).startswith(f"{v.name}=")]
    numbers = np.arange(len(columns)) if len(columns) > 1 else np.ones(1)
    data = frame.assign(fitted=conditional[columns].to_numpy() @ numbers, mean=marginal[columns].to_numpy() @ numbers)
    observed = np.full(len(frame), np.nan)
    for design in fit.designs:
        observed[design.row] = design.responses[v.key] / design.trials.get(v.key, np.ones(design.n_rows))
    data = data.assign(observed=observed)
    names = data[cluster].drop_duplicates().to_list()
    shown = [names[k] for k in np.unique(np.linspace(0, len(names) - 1, min(units, len(names))).astype(int))]
    ax = axes(ax)
    for n, unit in enumerate(shown):
        part = data[data[cluster] == unit].sort_values(chosen)
        colour = COLOURS[n % (len(COLOURS) - 1)]
        ax.plot(part[chosen], part["fitted"], color=colour, linewidth=0.9, alpha=0.8)
        ax.plot(part[chosen], part["observed"], ".", color=colour, markersize=4, alpha=0.7)
    mean = data.groupby(chosen)["mean"].mean()
    if len(mean) <= 60:
        ax.plot(mean.index, mean, color="black", linewidth=2.5, label="marginal mean")
        ax.legend(frameon=False, fontsize="small")
    ax.set(xlabel=chosen, ylabel=v.name if not v.kind.thresholds else f"expected category of {v.name}")
    return ax
