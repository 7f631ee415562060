"""Residual moments, and residuals of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["residuals"]

Floats = NDArray[np.float64]


def residuals(fit: Fit, kind: str = "standardized", *, ax: Any = None) -> Any:
    """Draw residual moments as a heat map (gaussian responses), else residuals of rows against fitted values.

    Parameters
    ----------
    kind : {'raw', 'correlation', 'standardized'}
        Of the heat map.
    """
    from semlang.results.unrestricted import unrestricted

    several = len(fit.table.responses) > 1
    if several and not isinstance(unrestricted(fit), str):
        from semlang.results.residuals import residuals

        table = residuals(fit, kind)[0].frame().set_index("variable").drop(columns="mean")
        values = table.to_numpy(dtype=np.float64)
        ax = axes(ax, 1.5 + 0.45 * len(table), 1.2 + 0.42 * len(table))
        top = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
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
        return ax
    out = fit.augment()
    ends = [f".{v.name}" for v in fit.table.responses] if several else [""]
    ax = axes(ax)
    for n, end in enumerate(ends):
        ax.plot(out[f".fitted{end}"], out[f".resid{end}"], ".", color=COLOURS[n % len(COLOURS)], alpha=0.6,
                markersize=4, label=end[1:] or None)  # fmt: skip
    ax.axhline(0.0, color="#aaaaaa", linewidth=0.8)
    ax.set(xlabel="fitted", ylabel="residual")
    if several:
        ax.legend(frameon=False, fontsize="small")
    return ax
