"""Residual moments, and residuals of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.items import group_named, refuse
from semlang.results.plots.canvas import COLOURS, axes, label_group

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["residuals"]

Floats = NDArray[np.float64]


def residuals(fit: Fit, kind: str = "standardized", *, group: str | None = None, ax: Any = None) -> Any:
    """Draw residual moments as a heat map (gaussian responses), else residuals of rows against fitted values.

    Parameters
    ----------
    kind : {'raw', 'correlation', 'standardized'}
        Of the heat map.
    group : str, optional
        Default: the first; residuals of rows are those of all groups.

    Raises
    ------
    FitError
        ``not-for-this-model`` where the model reproduces every moment, and where no response has residuals: a nominal
        response is no number, and what is known of a censored duration is no value.
    """
    from semlang.results.unrestricted import unrestricted

    if len(fit.table.responses) > 1 and not isinstance(unrestricted(fit), str):
        return _moments(fit, kind, group_named(fit, group), ax)
    return _rows(fit, ax)


def _moments(fit: Fit, kind: str, group: int, ax: Any) -> Any:
    from semlang.results.residuals import residuals

    table = residuals(fit, kind)[group].frame().set_index("variable").drop(columns="mean")
    values = table.to_numpy(dtype=np.float64)
    if not (np.abs(values) > 1e-6).any():
        raise refuse("a plot of residuals", "it has as many parameters as there are moments and reproduces all of them")
    ax = axes(ax, 1.5 + 0.45 * len(table), 1.2 + 0.42 * len(table))
    top = float(np.nanmax(np.abs(values)))
    picture = ax.imshow(values, cmap="RdBu_r", vmin=-top, vmax=top)
    ax.set_xticks(range(len(table)), list(table.columns), rotation=90, fontsize=8)
    ax.set_yticks(range(len(table)), list(table.index), fontsize=8)
    if len(table) <= 15:
        for i, j in zip(*np.nonzero(np.isfinite(values)), strict=True):
            if i != j:
                ax.text(j, i, f"{values[i, j]:.1f}" if kind == "standardized" else f"{values[i, j]:.2f}",
                        ha="center", va="center", fontsize=7,
                        color="white" if abs(values[i, j]) > 0.6 * top else "black")  # fmt: skip
    ax.figure.colorbar(picture, ax=ax, shrink=0.8)
    ax.set_title(f"residuals ({kind})", fontsize="medium")
    return label_group(ax, fit, group)


def _rows(fit: Fit, ax: Any) -> Any:
    out = fit.augment()
    several = len(fit.table.responses) > 1
    named = [(v, f".{v.name}" if several else "") for v in fit.table.responses]
    shown = [(v, end) for v, end in named if f".resid{end}" in out and out[f".resid{end}"].notna().any()]
    lost = [f"'{v.name}' is {v.kind.described} response" for v, end in named if f".resid{end}" not in out]
    censored = [v.name for v, end in shown if out.loc[out[f".fitted{end}"].notna(), f".resid{end}"].isna().any()
                and any(v.key in d.event for d in fit.designs)]  # fmt: skip
    shown = [(v, end) for v, end in shown if v.name not in censored]
    if not shown:
        why = [*lost, *(f"some of '{name}' are censored" for name in censored)]
        raise refuse("a plot of residuals", "; ".join(why) or "no row has a fitted value")
    ax = axes(ax)
    for n, (v, end) in enumerate(shown):
        ax.plot(out[f".fitted{end}"], out[f".resid{end}"], ".", color=COLOURS[n % len(COLOURS)], alpha=0.6,
                markersize=4, label=v.name)  # fmt: skip
    ax.axhline(0.0, color="#aaaaaa", linewidth=0.8)
    ax.set(xlabel="fitted", ylabel="residual")
    if several:
        ax.legend(frameon=False, fontsize="small")
    return ax
