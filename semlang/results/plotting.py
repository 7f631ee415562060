"""The plots of a fit; matplotlib is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["KINDS", "Plots"]

KINDS = (
    "icc", "information", "wright", "caterpillar", "trajectories", "classes", "profile", "residuals", "quadrature",
)  # fmt: skip
"""Names of the plots."""


class Plots:
    """The plots of a fit: ``fit.plot.icc("item1")``. Each takes ``ax=`` and returns matplotlib Axes.

    ``fit.plot.icc("item1").figure.savefig("icc.svg")`` writes one; in a notebook ``.figure`` shows it.

    Parameters
    ----------
    fit : Fit
    """

    def __init__(self, fit: Fit) -> None:
        self.fit = fit

    def __repr__(self) -> str:
        return f"<semlang plots: {', '.join(KINDS)}>"

    def icc(
        self,
        items: str | Sequence[str] | None = None,
        *,
        latent: str | None = None,
        group: str | None = None,
        groups: int = 10,
        ax: Any = None,
    ) -> Any:
        """Draw item characteristic curves; of a single item the categories, with observed proportions.

        See `semlang.results.plots.icc.icc`.
        """
        from semlang.results.plots.icc import icc

        return icc(self.fit, items, latent=latent, group=group, groups=groups, ax=ax)

    def information(
        self,
        items: Sequence[str] | None = None,
        *,
        latent: str | None = None,
        group: str | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw the information of items (thin) and of the test, and its standard error (dashed, right axis).

        See `semlang.results.plots.information.information`.
        """
        from semlang.results.plots.information import information

        return information(self.fit, items, latent=latent, group=group, ax=ax)

    def wright(self, *, latent: str | None = None, group: str | None = None, ax: Any = None) -> Any:
        """Draw a Wright map: the distribution of scores beside the difficulties of the items, on one scale.

        See `semlang.results.plots.wright.wright`.
        """
        from semlang.results.plots.wright import wright

        return wright(self.fit, latent=latent, group=group, ax=ax)

    def caterpillar(self, latent: str | None = None, *, level: str | None = None, ax: Any = None) -> Any:
        """Draw the scores of units with 95 percent intervals, in their order.

        See `semlang.results.plots.caterpillar.caterpillar`.
        """
        from semlang.results.plots.caterpillar import caterpillar

        return caterpillar(self.fit, latent, level=level, ax=ax)

    def trajectories(self, x: str | None = None, *, units: int = 20, ax: Any = None) -> Any:
        """Draw the fitted response of units over a covariate, with their data, and the marginal mean (bold).

        See `semlang.results.plots.trajectories.trajectories`.
        """
        from semlang.results.plots.trajectories import trajectories

        return trajectories(self.fit, x, units=units, ax=ax)

    def classes(self, *, ax: Any = None) -> Any:
        """Draw the profile of each latent class: the mean of every response among units weighted by membership.

        See `semlang.results.plots.classes.classes`.
        """
        from semlang.results.plots.classes import classes

        return classes(self.fit, ax=ax)

    def profile(self, parameter: str, *, points: int = 15, ax: Any = None) -> Any:
        """Draw the profile log-likelihood of a parameter, where it gives the 95 percent interval, and Wald's parabola.

        See `semlang.results.plots.profile.profile`.
        """
        from semlang.results.plots.profile import profile

        return profile(self.fit, parameter, points=points, ax=ax)

    def residuals(self, kind: str = "standardized", *, group: str | None = None, ax: Any = None) -> Any:
        """Draw residual moments as a heat map (gaussian responses), else residuals of rows against fitted values.

        See `semlang.results.plots.residuals.residuals`.
        """
        from semlang.results.plots.residuals import residuals

        return residuals(self.fit, kind, group=group, ax=ax)

    def quadrature(self, unit: int = 0, *, ax: Any = None) -> Any:
        """Draw what adaptive quadrature does for a unit: prior, posterior, and the nodes with their weights.

        See `semlang.results.plots.quadrature.quadrature`.
        """
        from semlang.results.plots.quadrature import quadrature

        return quadrature(self.fit, unit, ax=ax)
