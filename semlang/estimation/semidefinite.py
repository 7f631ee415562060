"""Covariance matrices of latent variables that have no factor coordinates: shared, fixed or constrained cells.

Their maximum may lie where an eigenvalue is zero (equal variances and covariances at a correlation of -1/(p - 1)).
Equal labels leave no factor to step in, so that a climb ends at a wall; as an inequality the smallest eigenvalue leads
along it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.constraints import Nonlinear
from semlang.estimation.factors import Block, blocks_of
from semlang.estimation.moderation import Moderation, is_moderated
from semlang.estimation.parameters import keys_of
from semlang.matrices.reduced import ReducedForm

__all__ = ["INSIDE", "Wall", "semidefinite", "semidefinite_everywhere", "unfactored"]

Floats = NDArray[np.float64]

INSIDE = (1e-2, 1e-4, 1e-6, 1e-8)
"""Smallest eigenvalues, in start values, at which the border is put in turn.

Beyond the border there is no likelihood, and a border is bent: steps along it have to be so short that they do not
cross the next one. At the last the log-likelihood loses so small a part of its slope, and Cholesky factors have
derivatives.
"""


Border = Callable[[float], Callable[[Floats], tuple[float, Floats]]]
"""From the smallest eigenvalue that is allowed to how far above it that of a matrix is, with its gradient."""


@dataclass(frozen=True)
class Wall(Nonlinear):
    """The smallest eigenvalue of a covariance matrix is not below a border."""

    border: Border | None = None

    def at(self, inside: float) -> Wall:
        """Return the same wall at another border."""
        assert self.border is not None
        return replace(self, function=self.border(inside))


def unfactored(
    forms: Sequence[ReducedForm], factored: Sequence[Sequence[bool]], never_negative: Collection[str] | None
) -> tuple[Block, ...]:
    """Return the blocks of Psi with a parameter that are not factored and have no negative eigenvalue, each once.

    Parameters
    ----------
    forms : sequence of ReducedForm
        One a group.
    factored : sequences of bool
        Of each block of each group.
    never_negative : collection of str or None
        Disturbances whose covariance matrix has no negative eigenvalue; None: all.
    """
    found: dict[tuple[bytes, bytes], Block] = {}
    for form, flags in zip(forms, factored, strict=True):
        for block, flag in zip(blocks_of(form.psi), flags, strict=True):
            asked = never_negative is None or not keys_of(form, block).isdisjoint(never_negative)
            if not flag and asked and (block.parameter >= 0).any() and not is_moderated(form, block):
                found.setdefault((block.parameter.tobytes(), block.constant.tobytes()), block)
    return tuple(found.values())


def semidefinite(blocks: Sequence[Block], start: Floats) -> tuple[Wall, ...]:
    """Return the inequalities that no eigenvalue of S^-1 Psi_b S^-1 is negative, S^2 the variances at a start.

    With the eigenvector u the gradient is u' S^-1 (dPsi_b / dtheta) S^-1 u.

    Parameters
    ----------
    blocks : sequence of Block
    start : (P,) floats
        The table's parameters.
    """
    text = "a covariance matrix has no negative eigenvalue"
    return tuple(_wall(text, partial(_smallest, block, start)) for block in blocks)


def semidefinite_everywhere(moderations: Sequence[Moderation]) -> tuple[Wall, ...]:
    """Return the inequalities that no eigenvalue of a correlation matrix that depends on covariates is negative.

    Parameters
    ----------
    moderations : sequence of Moderation
        Those of several variables count.
    """
    text = "a covariance matrix has no negative eigenvalue at any values of its covariates"
    return tuple(_wall(text, partial(_smallest_anywhere, m)) for m in moderations if m.size > 1)


def _wall(text: str, border: Border) -> Wall:
    return Wall(False, border(INSIDE[-1]), text, border=border)


def _smallest_anywhere(m: Moderation, inside: float) -> Callable[[Floats], tuple[float, Floats]]:
    def function(theta: Floats) -> tuple[float, Floats]:
        value, gradient = m.smallest(theta)
        return value - inside, gradient

    return function


def _smallest(block: Block, start: Floats, inside: float) -> Callable[[Floats], tuple[float, Floats]]:
    own = block.parameter >= 0

    def matrix(theta: Floats) -> Floats:
        return np.asarray(np.where(own, theta[block.parameter], block.constant))

    variances = np.diag(matrix(start))
    scale = np.sqrt(np.where(variances > 0.0, variances, 1.0))
    outer = np.outer(scale, scale)

    def function(theta: Floats) -> tuple[float, Floats]:
        values, vectors = np.linalg.eigh(matrix(theta) / outer)
        u = vectors[:, 0] / scale
        gradient = np.zeros(theta.size)
        np.add.at(gradient, block.parameter[own], np.outer(u, u)[own])
        return float(values[0]) - inside, gradient

    return function
