"""Caterpillar plots: scores of units with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.table import ROWS
from semlang.results.items import refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["caterpillar"]

Floats = NDArray[np.float64]


def caterpillar(fit: Fit, latent: str | None = None, *, level: str | None = None, ax: Any = None) -> Any:
    """Draw the scores of units with 95 percent intervals, in their order.

    Parameters
    ----------
    latent : str, optional
        Default: the first of the level.
    level : str, optional
        Default: the highest that has scores.
    """
    scores = fit.scores()
    clustered = [k for k in scores if k != ROWS]
    if not clustered and latent is None and level is None:
        raise refuse("a caterpillar plot", "there are no latent variables of clusters; name one of rows to see it")
    chosen = level or next((k for k in scores if latent in scores[k]), None) or clustered[-1]
    if chosen not in scores:
        raise refuse("a caterpillar plot", f"'{chosen}' has no latent variables")
    table = scores[chosen]
    names = [c for c in table.columns if f"{c}.se" in table]
    name = latent or names[0]
    if name not in names:
        raise FitError(
            [error("not-a-latent", f"'{name}' is no latent variable of {chosen}", help=f"it has {', '.join(names)}")]
        )
    known = table.dropna(subset=[name]).sort_values(name)
    x, y, se = np.arange(len(known)), known[name].to_numpy(), known[f"{name}.se"].to_numpy()
    ax = axes(ax, 7.0, 4.0)
    ax.axhline(0.0, color="#aaaaaa", linewidth=0.8)
    ax.vlines(x, y - 1.96 * se, y + 1.96 * se, color=COLOURS[0], alpha=0.5, linewidth=min(2.0, 200 / len(known)))
    ax.plot(x, y, "o", color=COLOURS[0], markersize=min(4.0, 300 / len(known)))
    ax.set(xlabel=f"{chosen}, by {name}", ylabel=name)
    if chosen in known and len(known) <= 40:
        ax.set_xticks(x, known[chosen].astype(str), rotation=90, fontsize=7)
    else:
        ax.set_xticks([])
    return ax
