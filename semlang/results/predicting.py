"""What a fit predicts: scores of latent variables, expected responses, simulated data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semlang.results.reading import choice

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["Predicting"]


class Predicting:
    """Methods of `semlang.results.fit.Fit`; each is described where it is computed."""

    def scores(  # type: ignore[misc]
        self: Fit, method: str = "eb", data: Any = None, covariance: bool = False
    ) -> dict[str, pd.DataFrame]:
        """Return scores of the latent variables by level, one row a unit: ``name`` and ``name.se``.

        Parameters
        ----------
        method : {'eb', 'mode', 'ml'}
            Posterior means, posterior modes, or maximum likelihood.
        data : optional
            New data, with new units.
        covariance : bool
            Also the posterior covariances; see `semlang.results.scores.scores`.
        """
        from semlang.results.scores import METHODS, scores

        return scores(self, choice("method", method, METHODS), data, covariance)

    def predict(  # type: ignore[misc]
        self: Fit, data: Any = None, kind: str = "marginal", at: Mapping[str, float] | None = None
    ) -> pd.DataFrame:
        """Return expected responses, one row a row of the data: means, or probabilities of categories.

        Parameters
        ----------
        data : optional
            New data; default: those of the fit.
        kind : {'marginal', 'conditional', 'at', 'linear'}
            Integrated over the latent variables (a new unit), over their posterior given the unit's responses, at
            given values, or the posterior mean of the linear predictor; see `semlang.results.predict.predict`.
        at : mapping from latent variable to value, optional
        """
        from semlang.results.predict import KINDS, predict

        return predict(self, data, choice("kind", "at" if at and kind == "marginal" else kind, KINDS), at)

    def simulate(self: Fit, seed: int | None = None, n: int = 1) -> pd.DataFrame:  # type: ignore[misc]
        """Return the fit's data with responses drawn from the model at the estimates, missing where they are missing.

        Parameters
        ----------
        seed : int, optional
            The same seed gives the same data.
        n : int
            Number of data sets; above 1 they stand below each other, numbered from 1 in the column ``simulation``.
        """
        import numpy as np
        import pandas as pd

        from semlang.results.simulate import Population, simulated

        assert self.origin is not None
        population = Population(self.table, self.graphs, self.designs, self.estimate.theta)
        rng = np.random.default_rng(seed)
        frames = [simulated(population, self.origin.recipe.frame, rng) for _ in range(n)]
        if n == 1:
            return frames[0]
        return pd.concat([f.assign(simulation=k) for k, f in enumerate(frames, 1)], ignore_index=True)

    def class_probabilities(self: Fit, data: Any = None) -> dict[str, pd.DataFrame]:  # type: ignore[misc]
        """Return the posterior probabilities of each discrete latent variable's classes, one row a unit.

        Parameters
        ----------
        data : optional
            New data, with new units; see `semlang.results.class_probabilities.class_probabilities`.
        """
        from semlang.results.class_probabilities import class_probabilities

        return class_probabilities(self, data)

    def classification(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return entropy and mean class probabilities by most probable class; see `class_probabilities`."""
        from semlang.results.class_probabilities import classification

        return classification(self).frame()
