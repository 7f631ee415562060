"""Sums by code, the same on every platform: numpy counts by integers of the platform's size, ours have 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_by", "sum_by"]


def sum_by(code: NDArray[np.integer[Any]], values: NDArray[np.floating[Any]], n: int = 0) -> NDArray[np.float64]:
    """Return the sums of values with each code 0, 1, ..., at least n of them.

    Examples
    --------
    >>> sum_by(np.array([2, 0, 2]), np.array([1.0, 2.0, 4.0])).tolist()
    [2.0, 0.0, 5.0]
    """
    return np.bincount(code.astype(np.intp, copy=False), values, n).astype(np.float64, copy=False)


def count_by(code: NDArray[np.integer[Any]], n: int = 0) -> NDArray[np.int64]:
    """Return how often each code 0, 1, ... occurs, at least n of them.

    Examples
    --------
    >>> count_by(np.array([2, 0, 2]), 4).tolist()
    [1, 0, 2, 0]
    """
    return np.bincount(code.astype(np.intp, copy=False), minlength=n).astype(np.int64, copy=False)
