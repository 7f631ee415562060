"""The loadings that a criterion sees: divided by the SDs of what they load on, and scaled to unit communality."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.model.exploratory import ExploratorySet
from semlang.model.table import ParameterTable, Row

__all__ = ["Loadings", "kaiser_weights"]

Floats = NDArray[np.float64]

SMALLEST = 1e-12
"""Part of its communality that a variance must be, to be divided by: a residual variance may be negative."""

_RESIDUAL = {"logit": math.pi**2 / 3.0, "probit": 1.0, "cloglog": math.pi**2 / 6.0, "loglog": math.pi**2 / 6.0}
"""Variance of the distribution behind a link."""


def kaiser_weights(A: NDArray[Any]) -> NDArray[Any]:
    """Return 1 / sqrt(communality) for each row (Kaiser 1958)."""
    out: NDArray[Any] = 1.0 / np.sqrt((A * A).sum(axis=1))
    return out


class Loadings:
    """Loadings of a set as a function of the table's parameters.

    The SD of an indicator is that of the factors' and the residual's parts, sqrt(lambda'lambda + theta), as in lavaan's
    ``std.ov``; for responses that are not gaussian theta is the variance of the distribution behind the link.

    Parameters
    ----------
    table : ParameterTable
    members : ExploratorySet
        Factors with unit variances that do not covary.
    scaled : bool
        Whether to divide by the SDs at all (``options: rotation.std.ov = false``).
    """

    def __init__(self, table: ParameterTable, members: ExploratorySet, scaled: bool = True) -> None:
        self.scaled = scaled
        p, q = len(members.indicators), len(members.factors)
        self.parameter = np.full((p, q), -1)
        self.value = np.zeros((p, q))
        self.residual: list[Row | None] = [None] * p
        self.constant = np.zeros(p)
        for row in table.rows:
            if row.group != members.group:
                continue
            if row.op == "=~" and row.source in members.factors and row.target in members.indicators and not row.via:
                place = members.indicators.index(row.target), members.factors.index(row.source)
                self.parameter[place] = row.parameter
                self.value[place] = row.ustart or 0.0
            elif row.op == "~~" and row.target == row.source and row.target in members.indicators:
                self.residual[members.indicators.index(row.target)] = row
        for i, key in enumerate(members.indicators):
            v = table.variables[key]
            gaussian = v.role != "response" or v.kind.name == "gaussian"
            if self.residual[i] is None or not gaussian:
                self.residual[i] = None
                self.constant[i] = 0.0 if gaussian else _RESIDUAL.get(v.link, 1.0)

    def matrix(self, theta: Floats) -> Floats:
        """Return the loadings (p, q)."""
        return np.where(self.parameter >= 0, theta[self.parameter], self.value)

    def standardised(self, theta: Floats) -> Floats:
        """Return the loadings divided by the indicators' SDs."""
        A = self.matrix(theta)
        if not self.scaled:
            return A
        out: Floats = A / self._deviations(theta)[:, None]
        return out

    def _deviations(self, theta: Floats) -> Floats:
        """Return the indicators' SDs (p,): 1 where there is nothing to divide by."""
        communality = (self.matrix(theta) ** 2).sum(axis=1)
        residual = self.constant.copy()
        for i, row in enumerate(self.residual):
            if row is not None:
                residual[i] = theta[row.parameter] if row.parameter >= 0 else row.ustart or 0.0
        variance = communality + residual
        return np.asarray(np.sqrt(np.where(variance > SMALLEST * communality, variance, np.maximum(communality, 1.0))))

    def sizes(self, theta: Floats) -> Floats:
        """Return what is much of each parameter (P,): the SD of its indicator, for a residual variance its square."""
        out = np.ones(theta.size)
        sd = self._deviations(theta)
        for i, own in enumerate(self.parameter):
            out[own[own >= 0]] = sd[i]
        for i, row in enumerate(self.residual):
            if row is not None and row.parameter >= 0:
                out[row.parameter] = sd[i] ** 2
        return out

    @property
    def parameters(self) -> list[int]:
        """Parameters that `standardised` depends on."""
        own = {int(p) for p in self.parameter.flat if p >= 0}
        return sorted(own | {r.parameter for r in self.residual if r is not None and r.parameter >= 0})
