"""Covariance matrices on the border of the parameter space: singular ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.factors import Block

__all__ = ["Singular", "empty_columns", "lacking", "singular_blocks"]

Floats = NDArray[np.float64]

SINGULAR = 1e-6
"""Smallest eigenvalue of a correlation matrix that counts as zero: the climb ends at a thousandth of it, or less."""


@dataclass(frozen=True)
class Singular:
    """A covariance matrix without full rank.

    Parameters
    ----------
    parameters : tuple of int
        All its parameters.
    rank : int
    pairwise : bool
        Whether two of its variables correlate perfectly.
    """

    parameters: tuple[int, ...]
    rank: int
    pairwise: bool


def empty_columns(blocks: Sequence[Block], x: Floats) -> Floats:
    """Return the gradients (m, P) of entries of factors F that vanish as whole columns: the model of that rank has not
    got them.

    Only columns after the first count, which a variance of zero makes vanish, too.
    """
    found: list[Floats] = []
    for block in blocks:
        F, dF = block.factor(x)
        sd = np.sqrt((F**2).sum(axis=1))
        for i in range(1, len(sd)):
            if (sd > 0.0).all() and (np.abs(F[i:, i]) < SINGULAR**0.5 * sd[i:]).all():
                gradients = np.zeros((len(sd) - i, x.size))
                gradients[:, block.own] = dF[i:, i]
                found.append(gradients)
    return np.concatenate([*found, np.zeros((0, x.size))])


def lacking(block: Block, x: Floats, slopes: Floats, information: Floats) -> Floats | None:
    """Return what an outer product of scores lacks of the information near a border, None where that is little.

    In coordinates of a factor the information is ``J'I J - sum_p dl/dtheta_p d2theta_p/dx dx'``. The outer product of
    scores stands for the first term, which vanishes where the factor is singular, so that steps know no bounds; the
    second is what is left there, twice the slope by which the likelihood falls inwards. It counts in directions in
    which it is the larger one: a step by the first alone leads beyond the border.

    Parameters
    ----------
    block : Block
    x : (P,) floats
    slopes : (m,) floats
        dl/dx of the coordinates of `Block.own`.
    information : (m, m) floats
        Outer product of their scores.
    """
    derivative = np.zeros(x.size)
    derivative[block.own] = np.linalg.lstsq(block.jacobian(x).T, slopes, rcond=1e-10)[0]
    bend = -block.curvature(x, derivative)
    largest = np.maximum(np.abs(np.diag(bend)), np.diag(information))
    metric = information + 1e-9 * np.diag(np.where(largest > 0.0, largest, 1.0))
    try:
        L = np.linalg.cholesky(metric)
    except np.linalg.LinAlgError:
        return None
    values, vectors = np.linalg.eigh(np.linalg.solve(L, np.linalg.solve(L, bend).T))
    more = values > 1.0
    if not more.any():
        return None
    parts = L @ vectors[:, more]
    return np.asarray((parts * values[more]) @ parts.T)


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
            parameters = tuple(np.unique(block.parameter[block.parameter >= 0]).tolist())
            found.append(Singular(parameters, rank, pairwise))
    return found
