"""Means and standard deviations of covariates and of their products about means, over all groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.centring import About, about_origins, powers
from semlang.data.design import Design
from semlang.model.table import Covariate, Product

__all__ = ["Measures", "split"]

Floats = NDArray[np.float64]

ROUNDING = 2.0**-50
"""A standard deviation below this share of the mean (four ulps) is the rounding of a constant."""


def split(via: Product) -> tuple[Product, Product]:
    """Return the covariates of a product that have an origin and a unit, and the others: responses, offsets."""
    own = tuple(c for c in via if not (c.response or c.function in ("offset", "factor")))
    return own, tuple(c for c in via if c not in own)


class Measures:
    """Means and standard deviations; each is computed once."""

    def __init__(self, designs: Sequence[Design]) -> None:
        self._designs = designs
        self._known: dict[About, tuple[float, float]] = {}

    def of(self, about: About) -> tuple[float, float]:
        """Return mean and standard deviation of a product about origins; the latter is 0 where it does not vary."""
        if about not in self._known:
            values = [about_origins(d.columns, about) for d in self._designs]
            known = [v if np.isfinite(v).all() else v[np.isfinite(v)] for v in values]
            x = known[0] if len(known) == 1 else np.concatenate(known)
            origin, scale = 0.0, 0.0
            if x.size:
                moved = x - x[0]  # exact where the values lie far from zero: the mean of the values themselves is not
                origin, scale = float(x[0] + moved.mean()), float(moved.std())
            self._known[about] = (origin, scale if scale > ROUNDING * abs(origin) else 0.0)
        return self._known[about]

    def factor(self, c: Covariate) -> tuple[float, float]:
        """Return mean and standard deviation of a covariate by itself."""
        return self.of(((c, 1, 0.0),))

    def vary(self, via: Product) -> bool:
        """Whether a product has covariates that can be scaled."""
        own, _ = split(via)
        return bool(own) and self.of(tuple((c, n, 0.0) for c, n in powers(own).items()))[1] > 0.0

    def distance(self, c: Covariate) -> float:
        """Return how many standard deviations a covariate's mean is from zero."""
        mean, deviation = self.factor(c)
        return abs(mean) / deviation if deviation > 0.0 else 0.0
