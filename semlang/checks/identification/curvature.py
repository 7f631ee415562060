"""How curved a log-likelihood is: an information matrix, its inverse and, where it is nearly singular, its eigenvalues.

A Cholesky factor costs a tenth of a decomposition by eigenvalues. With the inverse at hand, the norm of the inverse
bounds the smallest eigenvalue from below, which answers most questions.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dtrtri

__all__ = ["Curvature"]

Floats = NDArray[np.float64]


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

    _given: Curvature | None = None
    """The matrix whose inverse this one is."""

    def __init__(self, information: Floats) -> None:
        self.information = information
        root = np.sqrt(np.abs(np.diagonal(information)))
        self.scale = np.where(root > 0, root, 1.0)
        self._outer = np.outer(self.scale, self.scale)

    @classmethod
    def of_covariance(cls, vcov: Floats | None) -> Curvature | None:
        """Return the information whose inverse a covariance matrix is; None where it has none (constraints, borders).

        Parameters
        ----------
        vcov : (n, n) floats or None
        """
        if vcov is None or not len(vcov) or not np.isfinite(vcov).all() or not (np.diagonal(vcov) > 0).all():
            return None
        given = cls(vcov)
        if given._factor is None:
            return None
        root, _ = dtrtri(given._factor, lower=1)
        diagonal = np.einsum("ij,ij->j", root, root)  # of the inverse, whose trace bounds its largest eigenvalue
        if not diagonal.sum() * 1e-13 < 1.0 and not given.eigen[0][0] > 1e-13:
            return None
        out = cls.__new__(cls)
        out._given = given
        out.scale = np.sqrt(diagonal) / given.scale
        out._outer = np.outer(out.scale, out.scale)
        return out

    @property
    def is_finite(self) -> bool:
        """Whether the matrix is not empty and has finite entries alone."""
        return bool(self.scale.size) and (self._given is not None or bool(np.isfinite(self.information).all()))

    @cached_property
    def information(self) -> Floats:
        """The matrix itself."""
        assert self._given is not None
        inverse = self._given._inverse
        assert inverse is not None
        return np.asarray(inverse / self._given._outer)

    @cached_property
    def _scaled(self) -> Floats:
        return np.asarray(self.information / self._outer)

    @cached_property
    def _factor(self) -> Floats | None:
        """Lower Cholesky factor of the scaled matrix, None without one."""
        if not self._scaled.size:
            return np.asarray(self._scaled)
        factor, failed = dpotrf(self._scaled.T, lower=1, clean=1)
        return None if failed else np.asarray(factor)

    @cached_property
    def _inverse(self) -> Floats | None:
        """Inverse of the scaled matrix, None where it is not positive definite."""
        if self._given is not None:
            return np.asarray(self._given.information * self._outer)
        if self._factor is None or not self._scaled.size:
            return self._factor
        half, _ = dpotri(self._factor, lower=1)
        out: Floats = half + half.T
        np.fill_diagonal(out, np.diagonal(half))
        return out if np.isfinite(out).all() else None

    @cached_property
    def eigen(self) -> tuple[Floats, Floats]:
        """Eigenvalues, smallest first, and vectors of the scaled matrix."""
        values, vectors = np.linalg.eigh(self._scaled)
        return values, vectors

    @property
    def pivot(self) -> float:
        """The smallest pivot of the scaled matrix's factor, 0 where it is not positive definite."""
        return 0.0 if self._factor is None else float(np.diagonal(self._factor).min(initial=1.0)) ** 2

    def exceeds(self, value: float) -> bool:
        """Return whether all eigenvalues of the scaled matrix are larger than `value`."""
        inverse = self._inverse
        if inverse is not None and np.abs(inverse).sum(axis=0).max(initial=0.0) * value < 1.0:
            return True
        return bool(self.eigen[0][0] > value)

    def solve(self, gradient: Floats) -> Floats:
        """Return I^-1 g, where I is positive definite."""
        assert self._factor is not None
        if not gradient.size:
            return gradient
        out, _ = dpotrs(self._factor, gradient / self.scale, lower=1)
        return np.asarray(out / self.scale)

    def inverse(self, tolerance: float = 1e-10) -> Floats | None:
        """Return the inverse, or None where an eigenvalue of the scaled matrix is at most `tolerance`."""
        inverse = self._inverse
        if inverse is None or not self.exceeds(tolerance):
            return None
        return np.asarray(inverse / self._outer)
