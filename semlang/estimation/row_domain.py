"""Where rows have a density: finite linear predictors, positive shapes, probabilities, thresholds in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.densities import PARAMETERS
from semlang.estimation.kernels.families import ENTRIES, with_role
from semlang.estimation.kernels.layout import Rows

__all__ = ["RowDomain"]

Ints = NDArray[np.int64]


class RowDomain:
    """What the inputs of rows have to be, by family.

    Parameters
    ----------
    codes : (N,) ints
        Family and link of each row.
    present : ints
        The codes that occur.

    Attributes
    ----------
    has_parameters : bool
        Whether some density has parameters besides its linear predictor.
    """

    def __init__(self, codes: Ints, present: Ints) -> None:
        self.has_parameters = bool((PARAMETERS[present] > 0).any())
        self._positive = _rows_with(codes, present, "sigma", "shape")
        self._probability = _rows_with(codes, present, "guess", "slip", "zero")
        self._guessed = np.array([e.f1 == "guess" for e in ENTRIES])[codes]
        self._ordinal = _rows_with(codes, present, "upper")[0]

    def outside(self, rows: Rows, searched: bool = False) -> Ints:
        """Return rows whose inputs are not finite, or not the parameters of a density.

        Where modes are `searched` for, a predictor that is not finite is found by the way.
        """
        if not self.has_parameters and (searched or np.isfinite(rows.o.sum() + rows.A.sum())):
            return np.zeros(0, dtype=np.int64)
        bad = ~(np.isfinite(rows.o) & np.isfinite(rows.A).all(axis=0))
        for f, positive, probability in zip((rows.f1, rows.f2), self._positive, self._probability, strict=True):
            bad[positive] |= ~((f[positive] > 0.0) & np.isfinite(f[positive]))
            bad[probability] |= ~((f[probability] >= 0.0) & (f[probability] < 1.0))
        both = self._probability[1]
        bad[both] |= ~(np.where(self._guessed[both], rows.f1[both], 0.0) + rows.f2[both] < 1.0)
        bad[self._ordinal] |= ~(rows.f1[self._ordinal] > rows.f2[self._ordinal])
        return np.flatnonzero(bad)


def _rows_with(codes: Ints, present: Ints, *roles: str) -> tuple[Ints, Ints]:
    """Return the rows whose f1, and those whose f2, has one of these roles; `present` are the codes that occur."""
    table, nowhere = np.array(with_role(*roles)), np.zeros(0, dtype=np.int64)
    first, second = (np.flatnonzero(table[codes, s]) if table[present, s].any() else nowhere for s in (0, 1))
    return first, second
