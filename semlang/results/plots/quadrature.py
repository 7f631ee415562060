"""What adaptive quadrature does for a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.items import refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["quadrature"]

Floats = NDArray[np.float64]


def quadrature(fit: Fit, unit: int = 0, *, ax: Any = None) -> Any:
    """Draw what adaptive quadrature does for a unit: prior, posterior, and the nodes with their weights.

    Parameters
    ----------
    unit : int
        Number of a unit of the lowest level, in the order of the data's rows.
    """
    from semlang.estimation.evaluation import Nodes
    from semlang.results.scores import predictors_of

    predictors = predictors_of(fit, fit.designs)[0]
    if not predictors.member.layers or fit.estimate.points in (None, 1):
        raise refuse("a plot of nodes", "the fit has none: it is a closed form, or Laplace")
    found: list[tuple[Floats, Floats]] = []

    def keep(nodes: Nodes) -> None:
        here = np.flatnonzero(nodes.units == unit)
        if here.size:
            k = int(here[0])
            found.append((nodes.v[k], nodes.weights[k].reshape(nodes.groups, -1)))

    predictors.visit(keep)
    if not found:
        raise refuse("a plot of nodes", f"there is no unit {unit}")
    v, w = found[0][0], found[0][1].ravel()
    z = np.linspace(-4.0, 4.0, 401)
    mean = float(v[0] @ w)
    sd = float(np.sqrt(max(v[0] ** 2 @ w - mean**2, 1e-12)))
    ax = axes(ax)
    ax.plot(z, np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi), color="#777777", label="prior")
    ax.plot(z, np.exp(-0.5 * ((z - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi)), color=COLOURS[0],
            label="posterior (its normal approximation)")  # fmt: skip
    heights = w / max(float(w.max()), 1e-300) / (sd * np.sqrt(2 * np.pi))
    ax.vlines(v[0], 0, heights, color=COLOURS[1], linewidth=1.2)
    ax.plot(v[0], heights, "o", color=COLOURS[1], markersize=4, label="nodes, height by posterior weight")
    ax.set(xlabel="first coordinate, in prior standard deviations", ylabel="density", ylim=(0, None))
    ax.legend(frameon=False, fontsize="small")
    return ax
