"""Axes to draw in, and the colours of all plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from semlang.diagnostics import error
from semlang.errors import FitError

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["COLOURS", "axes", "label_group"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which colour-blind people tell apart."""


def axes(ax: Any, width: float = 6.0, height: float = 4.0) -> Any:
    """Return axes to draw in.

    Raises
    ------
    FitError
        ``missing-extra`` where matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise FitError(
            [error("missing-extra", "plots need the package matplotlib", help='pip install "semlang[plot]"')]
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
    out = figure.add_subplot()
    for side in ("top", "right"):
        out.spines[side].set_visible(False)
    return out


def label_group(ax: Any, fit: Fit, group: int) -> Any:
    """Write the group above axes, where there are several; return the axes."""
    if len(fit.designs) > 1:
        ax.set_title(f"{ax.get_title()}, group {fit.designs[group].group}".lstrip(", "), fontsize="medium")
    return ax
