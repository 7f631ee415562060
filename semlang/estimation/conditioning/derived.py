"""Parameters that follow from others: entries of factors of patterned covariance matrices, the last mass point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.factors import Factorisation
from semlang.estimation.parameters import ordered
from semlang.model.table import Row

__all__ = ["Derived"]

Floats = NDArray[np.float64]


@dataclass
class Derived:
    """The optimiser's coordinates x (P,) and, after them, what follows from them.

    Parameters
    ----------
    n : int
        P.
    locations : sequence of (row of the last location, rows of the others, rows of the masses)
        e_K = -sum_k exp(a_k) e_k, with a the logits of the masses against the last.
    scales : sequence of sequences of int
        Thresholds whose coordinates are distances, see `Parametrisation`.
    """

    n: int
    locations: Sequence[tuple[Row, tuple[Row, ...], tuple[Row, ...]]]
    scales: Sequence[Sequence[int]] = ()
    factors: list[tuple[Factorisation, int, int, int]] = field(default_factory=list)
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.n + len(self.locations)

    def entry(self, factorisation: Factorisation, i: int, j: int) -> int:
        """Return a new parameter that is the entry (i, j) of a factor of Psi."""
        self.factors.append((factorisation, i, j, self.size))
        self.size += 1
        return self.size - 1

    def extend(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return all coordinates (size,) and their Jacobian (size, P), None where nothing is derived.

        Thresholds are themselves there.
        """
        if self.size == self.n and not self.scales:
            return x, None
        inside, slopes = ordered(x, self.scales)
        out = np.concatenate([inside, np.zeros(self.size - self.n)])
        jacobian = np.zeros((self.size, self.n))
        jacobian[: self.n] = slopes
        for last, others, masses in self.locations:
            for e, a in zip(others, masses, strict=True):
                location, ratio = _value(e, x), float(np.exp(min(_value(a, x), 300.0)))
                out[last.parameter] -= ratio * location
                if e.parameter >= 0:
                    jacobian[last.parameter, e.parameter] -= ratio
                if a.parameter >= 0:
                    jacobian[last.parameter, a.parameter] -= ratio * location
        known: dict[int, tuple[Floats, list[tuple[int, int, int, float]]]] = {}
        for factorisation, i, j, place in self.factors:
            if id(factorisation) not in known:
                known[id(factorisation)] = factorisation.evaluate(x)
            F, derivatives = known[id(factorisation)]
            out[place] = F[i, j]
            for row, column, p, value in derivatives:
                if (row, column) == (i, j):
                    jacobian[place, p] += value
        return out, jacobian


def _value(row: Row, x: Floats) -> float:
    return float(x[row.parameter]) if row.parameter >= 0 else float(row.ustart or 0.0)
