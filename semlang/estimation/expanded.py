"""What members that lay the data out as kernel rows have in common."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.chain import Chain
from semlang.estimation.continuous import Continuous
from semlang.estimation.expansion import Expansion

__all__ = ["Expanded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Expanded(Continuous):
    """A member over kernel rows: its units are those of the expansion.

    Attributes
    ----------
    rows : Expansion
    chain : Chain
        From coordinates to the inputs of these rows, or of the different ones among them.
    """

    rows: Expansion
    chain: Chain

    @property
    def multiplicity(self) -> Floats:
        """How often each top-level unit occurred."""
        return self.rows.multiplicity

    @property
    def records(self) -> Ints:
        """First record of each top-level unit."""
        return self.rows.records

    @property
    def used(self) -> float:
        """Number of records with a response, frequencies counted."""
        return self.rows.used

    @property
    def dropped(self) -> Mapping[str, int]:
        """Numbers of responses that are left out, by reason."""
        return self.rows.dropped

    def information(self, x: Floats) -> Floats | None:
        """Return None: the expected information has no closed form."""
        return None
