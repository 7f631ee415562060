"""How curved a log-likelihood is: an information matrix, its inverse and, where it is nearly singular, its eigenvalues.

A Cholesky factor costs a tenth of a decomposition by eigenvalues. With the inverse at hand, the norm of the inverse
bounds the smallest eigenvalue from below, which answers most questions.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curvature", "invert"]

Floats = NDArray[np.float64]


def invert(matrix: Floats) -> tuple[Floats, float] | None:
    """Return the inverse of a positive definite matrix and its smallest pivot; None where it is not."""
    from scipy.linalg.lapack import dpotrf, dpotri  # what calls this has estimated: scipy is there

    if not matrix.size:
        return matrix.copy(), np.inf
    factor, failed = dpotrf(matrix, lower=1, clean=0)
    if failed:
        return None
    pivot = float(np.diagonal(factor).min()) ** 2
    half, _ = dpotri(factor, lower=1)
    lower = np.tril(half, -1)
    out: Floats = lower + lower.T
    np.fill_diagonal(out, np.diagonal(half))
    return out, pivot


class Curvature:
    """An information matrix, scaled to unit diagonal so that nothing depends on units of measurement.

    Parameters
    ----------
    information : (n, n) floats
        Minus the second derivatives of a log-likelihood, or another symmetric matrix.

    Attributes
    ----------
    scale : (n,) floats
        Roots of the diagonal's absolute values, 1 where it is zero.

    Examples
    --------
    >>> c = Curvature(np.array([[400.0, 0.0], [0.0, 1e-4]]))
    >>> c.exceeds(0.99), c.inverse().diagonal().tolist()
    (True, [0.0025, 10000.0])
    """

    def __init__(self, information: Floats) -> None:
        self.information = information
        root = np.sqrt(np.abs(np.diagonal(information)))
        self.scale = np.where(root > 0, root, 1.0)
        self._scaled = information / np.outer(self.scale, self.scale)

    @cached_property
    def _inverted(self) -> Floats | None:
        found = invert(self._scaled)
        return None if found is None or not np.isfinite(found[0]).all() else found[0]

    @cached_property
    def eigen(self) -> tuple[Floats, Floats]:
        """Eigenvalues, smallest first, and vectors of the scaled matrix."""
        values, vectors = np.linalg.eigh(self._scaled)
        return values, vectors

    def exceeds(self, value: float) -> bool:
        """Return whether all eigenvalues of the scaled matrix are larger than `value`."""
        inverse = self._inverted
        if inverse is not None and np.abs(inverse).sum(axis=0).max(initial=0.0) * value < 1.0:
            return True
        return bool(self.eigen[0][0] > value)

    def inverse(self, tolerance: float = 1e-10) -> Floats | None:
        """Return the inverse, or None where an eigenvalue of the scaled matrix is at most `tolerance`."""
        inverse = self._inverted
        if inverse is None or not self.exceeds(tolerance):
            return None
        out: Floats = inverse / np.outer(self.scale, self.scale)
        return out
