"""Information of items and of the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.items import item_named, latent_of
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["information"]

Floats = NDArray[np.float64]


def information(fit: Fit, items: Sequence[str] | None = None, *, ax: Any = None) -> Any:
    """Draw the information of items (thin) and of the test, and its standard error (dashed, right axis)."""
    from semlang.results.curves import information

    table = information(fit, items)
    latent = latent_of(fit, item_named(fit, table.columns[0]))
    ax = axes(ax)
    for n, name in enumerate(c for c in table.columns if c not in ("test", "se")):
        ax.plot(table.index, table[name], color=COLOURS[n % len(COLOURS)], linewidth=0.8,
                label=name if table.shape[1] <= 14 else None)  # fmt: skip
    ax.plot(table.index, table["test"], color="black", linewidth=2, label="test")
    right = ax.twinx()
    right.plot(table.index, table["se"], color="#777777", linestyle="--")
    right.set_ylabel("standard error (dashed)")
    right.spines["top"].set_visible(False)
    ax.set(xlabel=latent.name, ylabel="information", ylim=(0, None))
    right.set_ylim(0, None)
    ax.legend(frameon=False, fontsize="small", ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax
