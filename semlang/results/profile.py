"""The profile log-likelihood of a parameter."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.errors import SemlangError
from semlang.estimation.estimate import estimate
from semlang.model.parameter_names import parameter_names
from semlang.model.table import Relation
from semlang.source import Span
from semlang.syntax import ast

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["Profile"]

Floats = NDArray[np.float64]


class Profile:
    """2 (l_max - l(value)), l(value) maximised over all other parameters.

    Parameters
    ----------
    fit : Fit
    parameter : int
    """

    def __init__(self, fit: Fit, parameter: int) -> None:
        self.fit, self.parameter = fit, parameter
        self.label = next(r.plabel or r.label for r in fit.table.rows if r.parameter == parameter)
        self.best = float(fit.estimate.theta[parameter])
        self._near: dict[float, Floats] = {self.best: fit.estimate.theta}
        self._known: dict[float, float] = {self.best: 0.0}

    def deviance(self, value: float) -> float:
        """Return the fall of 2 log L when the parameter is held at a value; infinite where there is no fit."""
        if value in self._known:
            return self._known[value]
        table, e = self.fit.table, self.fit.estimate
        nowhere = Span(0, 0)
        held = Relation(ast.Name(self.label, nowhere), "==", ast.Number(float(value), nowhere), "profile")
        near = self._near[min(self._near, key=lambda x: abs(x - value))].copy()
        near[self.parameter] = value
        start = {n: float(v) for n, v in zip(parameter_names(table), near, strict=True) if n}
        try:
            found = estimate(
                replace(table, relations=(*table.relations, held)), self.fit.graphs, self.fit.designs,
                points=e.points_again, se="none", start=start, threads=1,
            )  # fmt: skip
        except (SemlangError, np.linalg.LinAlgError):
            self._known[value] = math.inf
            return math.inf
        self._near[value] = found.theta
        self._known[value] = max(2.0 * (self.fit.loglik - found.loglik), 0.0)
        return self._known[value]

    def bound(self, side: float, critical: float, se: float) -> float:
        """Return where the deviance reaches a critical value on one side; infinite where it does not.

        The root of the deviance is almost linear in the parameter, so that a secant finds it in a few fits.

        Parameters
        ----------
        side : {-1.0, 1.0}
        critical : float
            Square of a normal quantile, for one degree of freedom.
        se : float
            Standard error, for the first step.
        """
        goal = math.sqrt(critical)
        low, high = (0.0, 0.0), (goal * se, self._root(side, goal * se))
        while high[1] < goal:
            if high[0] > 1e3 * goal * se:
                return side * math.inf
            distance = high[0] + 1.6 * (high[0] - low[0])
            low, high = high, (distance, self._root(side, distance))
        step = 0
        while high[0] - low[0] > 1e-7 * se:
            step += 1
            # halves where there is no fit beyond, and at every fourth step, so that the end comes whatever the shape
            share = (goal - low[1]) / (high[1] - low[1]) if math.isfinite(high[1]) and step % 4 else 0.5
            middle = low[0] + min(max(share, 0.02), 0.98) * (high[0] - low[0])
            at = self._root(side, middle)
            if abs(at - goal) < 1e-4:
                return self.best + side * middle
            low, high = ((middle, at), high) if at < goal else (low, (middle, at))
        return self.best + side * low[0]

    def _root(self, side: float, distance: float) -> float:
        return math.sqrt(self.deviance(self.best + side * distance))

    def curve(self, values: Floats) -> Floats:
        """Return the deviance at several values, those nearest to the estimate first."""
        out = np.empty(values.size)
        for k in np.argsort(np.abs(values - self.best)).tolist():
            out[k] = self.deviance(float(values[k]))
        return out
