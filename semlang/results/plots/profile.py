"""Profile log-likelihoods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["profile"]

Floats = NDArray[np.float64]


def profile(fit: Fit, parameter: str, *, points: int = 15, ax: Any = None) -> Any:
    """Draw the profile log-likelihood of a parameter, where it gives the 95 percent interval, and Wald's parabola.

    Parameters
    ----------
    parameter : str
        A name, as in `fit.params`.
    points : int
    """
    from semlang.results.confint import parameter_of
    from semlang.results.profile import Profile

    k = parameter_of(fit, parameter)
    profile = Profile(fit, k)
    vcov = fit.estimate.vcov
    se = float(np.sqrt(vcov[k, k])) if vcov is not None and vcov[k, k] > 0 else 0.1 * max(abs(profile.best), 0.1)
    x = profile.best + se * np.linspace(-2.8, 2.8, points | 1)
    deviance = profile.curve(x)
    known = np.isfinite(deviance)
    ax = axes(ax)
    ax.plot(x[known], -0.5 * deviance[known], "o-", color=COLOURS[0], markersize=3, label="profile")
    ax.plot(x, -0.5 * ((x - profile.best) / se) ** 2, "--", color="#777777", label="Wald")
    ax.axhline(-1.920729, color=COLOURS[1], linewidth=0.8)
    ax.axvline(profile.best, color="#aaaaaa", linewidth=0.8)
    ax.set(xlabel=parameter, ylabel="log-likelihood, less its maximum")
    ax.legend(frameon=False, fontsize="small")
    return ax
