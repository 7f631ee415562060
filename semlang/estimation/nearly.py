"""Whether fewer nodes say nearly the same of units: enough for second derivatives, not for the log-likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEARLY", "nearly_the_same"]

Floats = NDArray[np.float64]

NEARLY = 2e-4
"""Mean absolute difference of units' log-likelihoods; their sum says little, for errors have both signs.

Standard errors then differ by some tenths of a per cent: on five correlated factors by a sparse rule by 2 and 0.1 %
where it is 5e-4 and 9e-5, on a growth curve of factors by 1.2 % where it is 7e-3, on two tiers by 0.001 % (1e-5).
"""


def nearly_the_same(values: Floats, others: Floats, weights: Floats, nearly: float = NEARLY) -> bool:
    """Return whether the log-likelihoods of units by two sets of nodes are.

    Parameters
    ----------
    values, others : (C,) floats
    weights : (C,) floats
        How often each counts.
    nearly : float
        Mean absolute difference that is small enough.

    Examples
    --------
    >>> nearly_the_same(np.array([-10.0, -12.0]), np.array([-10.0003, -12.0]), np.ones(2))
    True
    """
    return bool(np.abs(values - others) @ weights <= nearly * weights.sum())
