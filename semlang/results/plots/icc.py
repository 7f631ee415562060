"""Item characteristic curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import ROWS, Variable
from semlang.results.items import group_named, item_named, latent_of, refuse
from semlang.results.plots.canvas import COLOURS, axes, label_group

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["icc"]

Floats = NDArray[np.float64]

STYLES = ("-", "--", ":", "-.")


def icc(
    fit: Fit,
    items: str | Sequence[str] | None = None,
    *,
    latent: str | None = None,
    group: str | None = None,
    groups: int = 10,
    ax: Any = None,
) -> Any:
    """Draw item characteristic curves; of a single item with observed proportions.

    A point is the share of the category among all rows, each weighted by its posterior density there; if the model
    holds the points lie on the curve, but for chance.

    Parameters
    ----------
    items : str or sequence of str, optional
        One item shows all categories; several the mean response or probability of success, of nominal ones all
        categories. Default: all items that measure the latent variable.
    latent : str, optional
        Default: the first that the first item measures.
    group : str, optional
        Default: the first.
    groups : int
        Number of points of a single item.

    Raises
    ------
    FitError
        ``not-for-this-model`` where an item has no categories, or measures another latent variable.
    """
    from semlang.results.curves import curves

    g = group_named(fit, group)
    given = [items] if isinstance(items, str) else list(items or ())
    chosen = [item_named(fit, n) for n in given] or [v for v in fit.table.responses if v.kind.categorical]
    for v in chosen:
        if not v.kind.categorical:
            raise refuse("a characteristic curve", f"'{v.name}' is {v.kind.described} response and has no categories")
    if not chosen:
        raise refuse("a characteristic curve", "no response has categories")
    f = latent_of(fit, chosen[0], latent)
    reached = _reached(fit, f.key, g)
    for v in chosen if given else ():
        if v.key not in reached:
            raise refuse("a characteristic curve", f"'{v.name}' does not depend on '{f.name}'; name latent=")
    chosen = [v for v in chosen if v.key in reached]
    if not chosen:
        raise refuse("a characteristic curve", f"no response with categories depends on '{f.name}'")
    ax = axes(ax)
    single = len(chosen) == 1
    for n, v in enumerate(chosen):
        table = curves(fit, v.name, latent=f.name, group=group)
        if single or v.kind.nominal:
            points = _observed(fit, v.key, f.key, groups, g) if single else None
            _categories(ax, v, table, points, None if single else n)
        else:
            mean = table.to_numpy() @ np.arange(table.shape[1]) / (table.shape[1] - 1)
            ax.plot(table.index, mean, color=COLOURS[n % len(COLOURS)], label=v.name,
                    linestyle=STYLES[n // len(COLOURS) % len(STYLES)])  # fmt: skip
    shares = single or all(v.kind.binary or v.kind.nominal for v in chosen)
    ax.set(xlabel=f.key, ylabel="probability" if shares else "expected score, as a share", ylim=(-0.02, 1.02))
    lines = len(ax.get_legend_handles_labels()[1])
    ax.legend(frameon=False, fontsize="small", ncols=1 + lines // 12)
    return label_group(ax, fit, g)


def _reached(fit: Fit, latent: str, group: int) -> set[str]:
    """Return the keys of the responses that depend on a latent variable, directly or through others."""
    graph = fit.graphs[group]
    found: set[str] = set()
    open_ends = [latent]
    while open_ends:
        for path in graph.out_of(open_ends.pop()):
            if not path.is_zero and path.target not in found:
                found.add(path.target)
                open_ends.append(path.target)
    return found


def _categories(ax: Any, v: Variable, table: Any, points: tuple[Floats, Floats] | None, number: int | None) -> None:
    """Draw the probability of each category; of a binary item of its success alone."""
    shown = list(table.columns)[1:] if v.kind.binary else list(table.columns)
    for k, category in enumerate(shown):
        colour = COLOURS[(k if number is None else number) % len(COLOURS)]
        style = "-" if number is None else STYLES[k % len(STYLES)]
        ax.plot(table.index, table[category], color=colour, linestyle=style, label=f"{v.name} = {category}")
        if points is not None:
            c = list(table.columns).index(category)
            ax.plot(points[0], points[1][:, c], "o", color=colour, markersize=4, alpha=0.8)


def _observed(fit: Fit, key: str, latent: str, groups: int, group: int) -> tuple[Floats, Floats] | None:
    """Return scores (groups,) and observed shares (groups, categories)."""
    if fit.table.variables[latent].level != ROWS:
        return None
    design = fit.designs[group]
    if key in design.trials:
        return None
    y = design.responses[key]
    categories = len(design.categories.get(key, ("0", "1")))
    scores = fit.scores()["rows"]
    name = fit.table.variables[latent].name
    place = np.searchsorted(np.sort(np.concatenate([d.row for d in fit.designs])), design.row)
    f, se = scores[name].to_numpy()[place], scores[f"{name}.se"].to_numpy()[place]
    known = ~np.isnan(y) & ~np.isnan(f)
    w = design.frequency.get(ROWS, np.ones(design.n_rows))[known]
    y, f, se = y[known].astype(int), f[known], se[known]
    spread = float(np.sqrt(np.average((f - np.average(f, weights=w)) ** 2 + se**2, weights=w)))
    centres = np.average(f, weights=w) + spread * np.linspace(-1.8, 1.8, groups)
    near = w * np.exp(-0.5 * ((centres[:, None] - f) / se) ** 2) / se
    shares = np.stack([near @ (y == c) for c in range(categories)], axis=1) / near.sum(axis=1, keepdims=True)
    return centres, shares
