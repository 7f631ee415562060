"""What members without discrete latent variables have in common."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["Continuous"]

Floats = NDArray[np.float64]


class Continuous:
    """A member without discrete latent variables, in which nothing stands still while the optimiser climbs."""

    @property
    def standing(self) -> bool:
        """False."""
        return False

    @property
    def distinct(self) -> Mapping[str, int]:
        """Nothing: there are no discrete latent variables."""
        return {}

    def first_state_values(self, x: Floats) -> Floats | None:
        """Return None: there are no discrete latent variables."""
        return None

    def state_sizes(self, x: Floats) -> Mapping[str, tuple[Floats, float]]:
        """Return nothing: there are no discrete latent variables."""
        return {}

    def move(self, x: Floats) -> bool:
        """Return False: nothing stands still."""
        return False
