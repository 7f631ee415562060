"""How a fit's tables leave it: for journals, notebooks and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit
    from semlang.results.plotting import Plots

__all__ = ["Showing"]


class Showing:
    """Methods of `semlang.results.fit.Fit`; each is described where it is computed."""

    @property
    def plot(self: Fit) -> Plots:  # type: ignore[misc]
        """The plots: ``fit.plot.icc("item1")``; see `semlang.results.plotting.Plots`."""
        from semlang.results.plotting import Plots

        return Plots(self)

    def report(self: Fit, path: str | Path) -> None:  # type: ignore[misc]
        """Write one HTML page: words, diagram, equations, tables, plots; see `semlang.results.report.report`.

        Parameters
        ----------
        path : str or Path
        """
        from semlang.results.report import report

        report(self, path)

    def tidy(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return one row a parameter with the columns of broom's ``tidy``; see `semlang.results.estimates.tidy`."""
        from semlang.results.estimates import tidy

        return tidy(self).frame()

    def glance(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return one row with the columns of broom's ``glance``; see `semlang.results.estimates.glance`."""
        from semlang.results.estimates import glance

        return glance(self).frame()

    def augment(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return the data with fitted values, residuals and scores; see `semlang.results.estimates.augment`."""
        from semlang.results.estimates import augment

        return augment(self)

    def to_latex(self: Fit, standardized: bool = False) -> str:  # type: ignore[misc]
        """Return the estimates as a LaTeX table with the rules of booktabs.

        Parameters
        ----------
        standardized : bool
            Also the standardised estimates.
        """
        from semlang.results.estimates import estimates

        return estimates(self, standardized).latex()

    def to_markdown(self: Fit, standardized: bool = False) -> str:  # type: ignore[misc]
        """Return the estimates as a Markdown table; `standardized` as in `to_latex`."""
        from semlang.results.estimates import estimates

        return estimates(self, standardized).markdown()

    def to_html(self: Fit, standardized: bool = False) -> str:  # type: ignore[misc]
        """Return the estimates as an HTML table; `standardized` as in `to_latex`."""
        from semlang.results.estimates import estimates

        return estimates(self, standardized).html()
