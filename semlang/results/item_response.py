"""Item response theory: curves, information, difficulties, and how items, rows and pairs fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["ItemResponse"]


class ItemResponse:
    """Methods of `semlang.results.fit.Fit`; each is described where it is computed."""

    def curves(  # type: ignore[misc]
        self: Fit, item: str, at: Sequence[float] | None = None, latent: str | None = None, group: str | None = None
    ) -> pd.DataFrame:
        """Return the mean or category probabilities of a response at values of a latent variable.

        Parameters
        ----------
        item : str
        at : sequence of float, optional
            Default: 61 values, three standard deviations around the mean.
        latent : str, optional
            Default: the first that the item measures; see `semlang.results.curves.curves`.
        group : str, optional
            Default: the first.
        """
        from semlang.results.curves import curves

        return curves(self, item, at, latent, group)

    def information(  # type: ignore[misc]
        self: Fit,
        items: Sequence[str] | None = None,
        at: Sequence[float] | None = None,
        latent: str | None = None,
        group: str | None = None,
    ) -> pd.DataFrame:
        """Return item and test information about a latent variable; see `semlang.results.curves.information`."""
        from semlang.results.curves import information

        return information(self, [items] if isinstance(items, str) else items, at, latent, group)

    def difficulties(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return slopes and difficulties with standard errors; see `semlang.results.difficulties.difficulties`."""
        from semlang.results.difficulties import difficulties

        return difficulties(self).frame()

    def item_fit(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return S-X2, infit and outfit of each item; see `semlang.results.item_fit.item_fit`."""
        from semlang.results.item_fit import item_fit

        return item_fit(self).frame()

    def person_fit(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return lz of each row; see `semlang.results.person_fit.person_fit`."""
        from semlang.results.person_fit import person_fit

        return person_fit(self)

    def m2(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return the limited-information test M2, RMSEA2 and SRMSR; see `semlang.results.m2.m2`."""
        from semlang.results.m2 import m2

        return m2(self).frame()

    def local_dependence(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return Q3 and bivariate residuals of pairs; see `semlang.results.local_dependence.local_dependence`."""
        from semlang.results.local_dependence import local_dependence

        return local_dependence(self).frame()
