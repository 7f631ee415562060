"""Covariance matrices on the border of the parameter space: singular ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.factors import Block

__all__ = ["Singular", "empty_columns", "singular_blocks"]

Floats = NDArray[np.float64]

SINGULAR = 1e-6
"""Smallest eigenvalue of a correlation matrix that counts as zero: the climb ends at a thousandth of it, or less."""


@dataclass(frozen=True)
class Singular:
    """A covariance matrix without full rank.

    Parameters
    ----------
    variances : tuple of int
        Parameters of its diagonal.
    parameters : tuple of int
        All its parameters.
    rank : int
    pairwise : bool
        Whether two of its variables correlate perfectly.
    """

    variances: tuple[int, ...]
    parameters: tuple[int, ...]
    rank: int
    pairwise: bool


def empty_columns(blocks: Sequence[Block], x: Floats) -> list[int]:
    """Return the coordinates of factors F that vanish as whole columns: the model of that rank has not got them.

    Only columns after the first count, which a variance of zero makes vanish, too.
    """
    found: list[int] = []
    for block in blocks:
        n = len(block.members)
        F = np.where(np.tri(n, dtype=bool), x[block.parameter], 0.0)
        sd = np.sqrt((F**2).sum(axis=1))
        for i in range(1, n):
            if (sd > 0.0).all() and (np.abs(F[i:, i]) < SINGULAR**0.5 * sd[i:]).all():
                found += block.parameter[i:, i].tolist()
    return found


def singular_blocks(blocks: Sequence[Block], theta: Floats) -> list[Singular]:
    """Return the covariance matrices with several variables, all of which vary, whose rank is lower than their order.

    The maximum is on the border there. In the coordinates of the factor it is an inner point: standard errors are those
    of the model of that rank.
    """
    found = []
    for block in blocks:
        V = np.where(block.parameter >= 0, theta[block.parameter], block.constant)
        sd = np.sqrt(np.maximum(np.diag(V), 0.0))
        if len(sd) < 2 or not (sd > 0.0).all():
            continue
        R = V / np.outer(sd, sd)
        rank = int((np.linalg.eigvalsh(R) > SINGULAR).sum())
        if rank < len(sd):
            pairwise = bool(np.abs(R[np.tril_indices(len(sd), -1)]).max() > 1.0 - SINGULAR)
            parameters = tuple(np.unique(block.parameter).tolist())
            found.append(Singular(tuple(np.diag(block.parameter).tolist()), parameters, rank, pairwise))
    return found
