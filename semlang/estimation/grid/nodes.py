"""The equispaced rule that all units share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Nodes", "shared_nodes"]

Floats = NDArray[np.float64]

SPAN = 6.0
"""Standard deviations of the prior that the nodes reach to: 2e-9 of it lie beyond."""


@dataclass(frozen=True)
class Nodes:
    """Equispaced nodes for a standard normal variable.

    Parameters
    ----------
    z, log_weight : (Q,) floats
    """

    z: Floats
    log_weight: Floats

    def __len__(self) -> int:
        return self.z.size


def shared_nodes(count: int, between: bool = False) -> Nodes:
    """Return `count` nodes; with `between`, those half-way between them.

    The error of an equispaced rule of step h is about ``2 exp(-2 pi^2 s^2 / h^2)`` for an integrand like a normal
    density of standard deviation s, with the other sign at the nodes between: half the difference of the two rules is
    the error of either.
    """
    step = 2.0 * SPAN / (count - 1)
    z = np.linspace(-SPAN, SPAN, count)
    if between:
        z = np.append(z - 0.5 * step, SPAN + 0.5 * step)
    log_weight = np.log(step) - 0.5 * np.log(2.0 * np.pi) - 0.5 * z * z
    return Nodes(z, log_weight)
