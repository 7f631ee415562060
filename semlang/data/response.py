"""Coded values of a response."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class Response:
    """Values of a response in the order of the file.

    Parameters
    ----------
    values : (n,) floats
        Coded as in `Design.responses`, NaN where missing.
    categories : tuple of str
    trials, exposure, event, entry, censored, low, high : (n,) floats, optional
    sets : (n,) ints, optional
    terms : (n,) floats, optional
    dropped : mapping from reason to count
        Values that were observed but can't be used.
    """

    values: Floats
    categories: tuple[str, ...] = ()
    trials: Floats | None = None
    exposure: Floats | None = None
    event: Floats | None = None
    entry: Floats | None = None
    censored: Floats | None = None
    low: Floats | None = None
    high: Floats | None = None
    sets: NDArray[np.int64] | None = None
    terms: Floats | None = None
    dropped: dict[str, int] = field(default_factory=dict)
