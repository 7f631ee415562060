"""Several starts: how many of them lead to the best maximum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.member import Infeasible
from semlang.estimation.optimize import Optimum
from semlang.model.table import ParameterTable

__all__ = ["Contest", "compete", "perturbed"]

Floats = NDArray[np.float64]

SAME = 1e-2
"""Two starts agree when their log-likelihoods differ by less."""


@dataclass(frozen=True)
class Contest:
    """Where the best start led, and the log-likelihoods of all (best first, those without a likelihood left out)."""

    z: Floats
    values: tuple[float, ...]

    @property
    def agreed(self) -> int:
        """Number of starts that reached the best log-likelihood."""
        return sum(v > self.values[0] - SAME for v in self.values)


def perturbed(table: ParameterTable, theta: Floats, rng: np.random.Generator) -> Floats:
    """Return start values moved at random: loadings and regressions in size and sign, variances in size."""
    out = theta.copy()
    for p in dict.fromkeys(r.parameter for r in table.rows if r.parameter >= 0):
        row = next(r for r in table.rows if r.parameter == p)
        if row.ustart is not None or row.quantity or row.threshold:
            continue
        if row.op == "=~":
            out[p] *= rng.uniform(-1.0, 2.0)
        elif row.op == "~" and row.source:
            out[p] += rng.normal() * 0.5
        elif row.op == "~~" and row.target == row.source:
            out[p] *= np.exp(0.7 * rng.normal())
    return out


def compete(
    climb: Callable[[Floats], Optimum], coordinates: Callable[[Floats], Floats], table: ParameterTable,
    theta: Floats, starts: int, seed: int = 1,
) -> Contest:  # fmt: skip
    """Climb from the start values and from perturbations of them.

    Raises
    ------
    Infeasible
        If no start has a likelihood.
    """
    rng = np.random.default_rng(seed)
    found: list[Optimum] = []
    for number in range(starts):
        try:
            found.append(climb(coordinates(perturbed(table, theta, rng) if number else theta)))
        except (Infeasible, np.linalg.LinAlgError):
            continue
    if not found:
        raise Infeasible("no start has a likelihood")
    found.sort(key=lambda o: -o.value)
    return Contest(found[0].z, tuple(o.value for o in found))
