"""What turning latent variables does to the rows of the table.

For eta* = A eta with A block-diagonal (T' for each set, 1 for every other variable), paths, covariances and means turn
to ``B* = A B A^-1``, ``Gamma* = A Gamma``, ``Lambda* = Lambda A^-1``, ``Psi* = A Psi A'``: the model is the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.model.exploratory import ExploratorySet
from semlang.model.table import ParameterTable, Product, Row

__all__ = ["Turned"]

Floats = NDArray[np.float64]


class Turned:
    """The rows of one group that a rotation touches, and their values after it.

    Parameters
    ----------
    table : ParameterTable
    sets : sequence of ExploratorySet
        Those of one group.
    """

    def __init__(self, table: ParameterTable, sets: tuple[ExploratorySet, ...]) -> None:
        self.sets = sets
        group = sets[0].group
        factors = {k for s in sets for k in s.factors}
        self.rows: tuple[Row, ...] = tuple(
            row
            for row in table.rows
            if row.group == group
            and not row.exo
            and row.op in ("=~", "~", "~1", "~~")
            and (row.target in factors or row.source in factors)
        )
        names = dict.fromkeys(k for s in sets for k in s.factors)
        names |= dict.fromkeys(k for row in self.rows for k in (row.target, row.source))
        self._place = {k: i for i, k in enumerate(names)}
        self._products: dict[Product, list[int]] = {}
        for r, row in enumerate(self.rows):
            if row.op != "~~":
                self._products.setdefault(row.via, []).append(r)

    def values(self, theta: Floats) -> Floats:
        """Return the rows' values before the rotation."""
        return np.array([theta[r.parameter] if r.parameter >= 0 else r.ustart or 0.0 for r in self.rows])

    def turned(self, values: Floats, turns: Mapping[ExploratorySet, Floats]) -> Floats:
        """Return the rows' values after the rotations `turns` (T by set)."""
        n = len(self._place)
        A = np.eye(n)
        for s in self.sets:
            at = [self._place[k] for k in s.factors]
            A[np.ix_(at, at)] = turns[s].T
        back = np.linalg.inv(A)
        out = values.copy()
        ends = [(self._place[row.target], self._place[row.source]) for row in self.rows]
        for members in self._products.values():
            B = np.zeros((n, n))
            for r in members:
                B[ends[r]] = values[r]
            B = A @ B @ back
            out[members] = [B[ends[r]] for r in members]
        Psi = np.zeros((n, n))
        pairs = [r for r, row in enumerate(self.rows) if row.op == "~~"]
        for r in pairs:
            i, j = ends[r]
            Psi[i, j] = Psi[j, i] = values[r]
        Psi = A @ Psi @ A.T
        out[pairs] = [Psi[ends[r]] for r in pairs]
        return out
