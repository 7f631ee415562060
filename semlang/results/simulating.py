"""What is drawn from a model at given values: data sets, and studies of many of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.population import Bindable

__all__ = ["Simulating"]


class Simulating:
    """Methods of `semlang.Model`; what they compute is described where it is computed."""

    def simulate(
        self: Bindable,
        values: Mapping[str, float] | None = None,
        *,
        data: Any = None,
        n: int | str | Sequence[int] | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Draw data from the model at values of its parameters.

        Parameters
        ----------
        values : mapping from a parameter's name to float, optional
            Default: those that the text gives by numbers and ``start(...)``. Intercepts and covariances that have none
            are 0, variances 1.
        data : DataFrame, path or anything that converts, optional
            Covariates and clusters; its responses are not read.
        n : int, str or sequence of int, optional
            Without data: the number of rows, or ``"50x20"``, 50 clusters of 20 rows. Covariates are standard normal.
        seed : int, optional
            The same seed gives the same data.

        Raises
        ------
        FitError, DataError
            ``no-value``, ``bad-size``, ``missing-column``, ``not-simulated``, ``unknown-start``.

        Examples
        --------
        >>> import semlang as sl
        >>> model = sl.Model("f =~ 1*x1 + 0.8*x2 + 0.6*x3")
        >>> model.simulate(n=5, seed=1).shape
        (5, 3)
        """
        from semlang.results.population import population
        from semlang.results.simulate import simulated

        drawn_from, frame = population(self, values, data, n, seed)
        return simulated(drawn_from, frame, drawn_from.generator, keep_missing=False)

    def power(
        self: Bindable,
        values: Mapping[str, float] | None = None,
        *,
        n: Any = (),
        data: Any = None,
        replications: int = 500,
        seed: int = 1,
        alpha: float = 0.05,
        points: int | None = None,
        processes: int | None = None,
        file: str | Path | None = None,
        progress: bool | Callable[[str], None] = False,
    ) -> pd.DataFrame:
        """Simulate, fit and count: power, bias and coverage of every free parameter, by size of the data.

        Parameters
        ----------
        values, data
            As for `simulate`.
        n : size or sequence of sizes
            Each as for `simulate`.
        replications : int
            Data sets a size.
        seed : int
        alpha : float
            Level of the tests; intervals have 1 - alpha.
        points : int, optional
            Quadrature points, as for `fit`.
        processes : int, optional
            Default: all processors. Results do not depend on it.
        file : str or Path, optional
            Results are kept there as they come; a run that was stopped goes on from them.
        progress : bool or callable

        Returns
        -------
        DataFrame
            See `semlang.results.power.power`.
        """
        from semlang.results.population import Fresh, population
        from semlang.results.power import power
        from semlang.results.reading import teller

        show = teller(progress)
        sizes: list[Any] = [None] if data is not None else list(n) if isinstance(n, list | tuple) else [n]
        populations = [
            (size, population(self, values, data, size, seed)[0], None if size is None else Fresh(self, values, size))
            for size in sizes
        ]
        table = power(populations, replications, seed, alpha, points, processes, file, show)
        return table.frame()
