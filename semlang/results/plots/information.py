"""Information of items and of the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.items import group_named, item_named, latent_of, refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["information"]

Floats = NDArray[np.float64]


def information(
    fit: Fit, items: Sequence[str] | None = None, *, latent: str | None = None, group: str | None = None, ax: Any = None
) -> Any:
    """Draw the information of items (thin) and of the test, and its standard error (dashed, right axis).

    Parameters
    ----------
    items : sequence of str, optional
        Default: all that the latent variable is measured by.
    latent, group : str, optional
        Default: the first that the first item measures; the first group.

    Raises
    ------
    FitError
        ``not-for-this-model`` where it is the same at every value, as of gaussian responses.
    """
    from semlang.results.curves import information

    table = information(fit, items, latent=latent, group=group)
    f = latent_of(fit, item_named(fit, table.columns[0]), latent)
    test = table["test"].to_numpy()
    if np.ptp(test) <= 1e-4 * np.abs(test).max():
        raise refuse(
            "a plot of information",
            f"it is {test[0]:.4g} at every value of '{f.name}'; fit.information() and fit.reliability() have it",
        )
    ax = axes(ax)
    for n, name in enumerate(c for c in table.columns if c not in ("test", "se")):
        ax.plot(table.index, table[name], color=COLOURS[n % len(COLOURS)], linewidth=0.8,
                label=name if table.shape[1] <= 14 else None)  # fmt: skip
    ax.plot(table.index, table["test"], color="black", linewidth=2, label="test")
    right = ax.twinx()
    finite = table["se"].where(table["se"] <= 10.0 * table["se"].min())
    right.plot(table.index, finite, color="#777777", linestyle="--")
    right.set_ylabel("standard error (dashed)")
    right.spines["top"].set_visible(False)
    ax.set(xlabel=f.key, ylabel="information", ylim=(0, None))
    right.set_ylim(0, None)
    ax.legend(frameon=False, fontsize="small", ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    if len(fit.designs) > 1:
        ax.set_xlabel(f"{f.key}, group {fit.designs[group_named(fit, group)].group}")
    return ax
