"""Item characteristic curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import ROWS
from semlang.results.items import item_named, latent_of, refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["icc"]

Floats = NDArray[np.float64]


def icc(fit: Fit, items: str | Sequence[str] | None = None, *, ax: Any = None, groups: int = 10) -> Any:
    """Draw item characteristic curves; of a single item with observed proportions.

    A point is the share of the category among all rows, each weighted by its posterior density there; if the model
    holds the points lie on the curve, but for chance.

    Parameters
    ----------
    items : str or sequence of str, optional
        One item shows all categories; several (default: all) the mean response or probability of success.
    groups : int
        Number of points of a single item.

    Raises
    ------
    FitError
        ``not-for-this-model`` where an item is not binary or ordinal.
    """
    from semlang.results.curves import curves

    responses = fit.table.responses
    names = [items] if isinstance(items, str) else list(items) if items else [
        v.name for v in responses if v.kind.name in ("binomial", "ordinal")
    ]  # fmt: skip
    chosen = [item_named(fit, n) for n in names]
    for v in chosen:
        if v.kind.name not in ("binomial", "ordinal"):
            raise refuse("a characteristic curve", f"'{v.name}' is {v.kind.name}, not binary or ordinal")
    if not chosen:
        raise refuse("a characteristic curve", "no response is binary or ordinal")
    latent = latent_of(fit, chosen[0])
    ax = axes(ax)
    for n, v in enumerate(chosen):
        table = curves(fit, v.name, latent=latent.name)
        points = _observed(fit, v.key, latent.key, groups) if len(chosen) == 1 else None
        if len(chosen) == 1:
            shown = list(table.columns)[1:] if v.kind.name == "binomial" else list(table.columns)
            for k, category in enumerate(shown):
                colour = COLOURS[k % len(COLOURS)]
                ax.plot(table.index, table[category], color=colour, label=f"{v.name} = {category}")
                if points is not None:
                    c = list(table.columns).index(category)
                    ax.plot(points[0], points[1][:, c], "o", color=colour, markersize=4, alpha=0.8)
        else:
            mean = table.to_numpy() @ np.arange(table.shape[1]) / (table.shape[1] - 1)
            ax.plot(table.index, mean, color=COLOURS[n % len(COLOURS)], label=v.name,
                    linestyle=("-", "--", ":", "-.")[n // len(COLOURS) % 4])  # fmt: skip
    ax.set(xlabel=latent.name, ylabel="probability" if len(chosen) == 1 else "expected score, as a share",
           ylim=(-0.02, 1.02))  # fmt: skip
    ax.legend(frameon=False, fontsize="small", ncols=1 + len(chosen) // 12)
    return ax


def _observed(fit: Fit, key: str, latent: str, groups: int) -> tuple[Floats, Floats] | None:
    """Return scores (groups,) and observed shares (groups, categories)."""
    level = fit.table.variables[latent].level
    if level != ROWS or len(fit.designs) > 1:
        return None
    design = fit.designs[0]
    if key in design.trials:
        return None
    y = design.responses[key]
    categories = len(design.categories.get(key, ("0", "1")))
    scores = fit.scores()["rows"]
    name = fit.table.variables[latent].name
    assert fit.origin is not None
    f = scores[name].to_numpy()[np.argsort(np.argsort(design.row))]
    se = scores[f"{name}.se"].to_numpy()[np.argsort(np.argsort(design.row))]
    known = ~np.isnan(y)
    w = design.frequency.get(ROWS, np.ones(design.n_rows))[known]
    y, f, se = y[known].astype(int), f[known], se[known]
    spread = float(np.sqrt(np.average((f - np.average(f, weights=w)) ** 2 + se**2, weights=w)))
    centres = np.average(f, weights=w) + spread * np.linspace(-1.8, 1.8, groups)
    near = w * np.exp(-0.5 * ((centres[:, None] - f) / se) ** 2) / se
    shares = np.stack([near @ (y == c) for c in range(categories)], axis=1) / near.sum(axis=1, keepdims=True)
    return centres, shares
