"""Rotation criteria: f(Lambda) and its gradient for loadings Lambda (p, q).

All functions are analytic, so that they also take complex loadings (for derivatives by a complex step).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Criterion", "criterion"]

Matrix = NDArray[Any]
Function = Callable[[Matrix], tuple[Any, Matrix]]


@dataclass(frozen=True)
class Criterion:
    """A rotation criterion with its customary settings.

    Parameters
    ----------
    name : str
    function : callable
        From loadings (p, q) to the criterion and its gradient (p, q).
    orthogonal : bool
        Whether the rotation is orthogonal.
    kaiser : bool
        Whether rows are scaled to unit communality before rotating (Kaiser 1958).
    promax : float
        Power of the target in a promax rotation, else 0.
    """

    name: str
    function: Function
    orthogonal: bool
    kaiser: bool = False
    promax: float = 0.0


def geomin(epsilon: float) -> Function:
    """Geomin: ``sum_i (prod_j (l_ij^2 + epsilon))^(1/q)`` (Yates 1987; Browne 2001, equation 13)."""

    def function(L: Matrix) -> tuple[Any, Matrix]:
        q = L.shape[1]
        L2 = L * L + epsilon
        rows = np.exp(np.log(L2).sum(axis=1) / q)
        return rows.sum(), (2.0 / q) * (L / L2) * rows[:, None]

    return function


def oblimin(gamma: float) -> Function:
    """Oblimin: ``sum_{j != k} [sum_i l_ij^2 l_ik^2 - gamma/p sum_i l_ij^2 sum_i l_ik^2] / 4``; gamma 0 is quartimin."""

    def function(L: Matrix) -> tuple[Any, Matrix]:
        p, q = L.shape
        L2 = L * L
        X = L2 @ (np.ones((q, q)) - np.eye(q))
        X = X - gamma / p * X.sum(axis=0)
        return (L2 * X).sum() / 4.0, L * X

    return function


def crawford_ferguson(kappa: Callable[[int, int], float]) -> Function:
    """Crawford-Ferguson: ``(1 - k) sum_i sum_{j != m} l_ij^2 l_im^2 + k sum_j sum_{i != m} l_ij^2 l_mj^2``, over 4."""

    def function(L: Matrix) -> tuple[Any, Matrix]:
        p, q = L.shape
        k = kappa(p, q)
        L2 = L * L
        rows = L2 @ (np.ones((q, q)) - np.eye(q))
        columns = (np.ones((p, p)) - np.eye(p)) @ L2
        f = (1.0 - k) * (L2 * rows).sum() / 4.0 + k * (L2 * columns).sum() / 4.0
        return f, (1.0 - k) * L * rows + k * L * columns

    return function


def orthomax(gamma: float) -> Function:
    """Orthomax: ``-[sum l_ij^4 - gamma/p sum_j (sum_i l_ij^2)^2] / 4``; gamma 0 is quartimax, 1 varimax."""

    def function(L: Matrix) -> tuple[Any, Matrix]:
        p = L.shape[0]
        L2 = L * L
        centred = L2 - gamma * L2.sum(axis=0) / p
        return -(L2 * centred).sum() / 4.0, -L * centred

    return function


def bentler(L: Matrix) -> tuple[Any, Matrix]:
    """Bentler's invariant pattern simplicity (1977): ``-[log det(M) - log det(diag M)] / 4`` with M = L2' L2."""
    L2 = L * L
    M = L2.T @ L2
    d = np.diag(M)
    f = -(np.log(np.linalg.det(M)) - np.log(d).sum()) / 4.0
    return f, -L * (L2 @ (np.linalg.inv(M) - np.diag(1.0 / d)))


def criterion(name: str, options: Mapping[str, Any], orthogonal: bool) -> Criterion:
    """Return the criterion called `name`.

    Parameters
    ----------
    options : mapping
        ``geomin.epsilon`` (0.001), ``oblimin.gamma`` (0), ``promax.kappa`` (4).
    orthogonal : bool
        Whether the factors are kept uncorrelated, where the criterion does not say so itself.

    Raises
    ------
    KeyError
        If there is none.

    References
    ----------
    Bernaards and Jennrich (2005), Educational and Psychological Measurement 65; names as in lavaan and GPArotation.

    Examples
    --------
    >>> from semlang.model.option_table import defaults
    >>> criterion("varimax", defaults("sem"), False).orthogonal
    True
    """
    epsilon = float(options["geomin.epsilon"])
    gamma = float(options["oblimin.gamma"])
    power = float(options["promax.kappa"])
    made: dict[str, Criterion] = {
        "geomin": Criterion("geomin", geomin(epsilon), orthogonal),
        "oblimin": Criterion("oblimin", oblimin(gamma), orthogonal),
        "quartimin": Criterion("quartimin", oblimin(0.0), orthogonal),
        "varimax": Criterion("varimax", orthomax(1.0), True, kaiser=True),
        "quartimax": Criterion("quartimax", orthomax(0.0), True),
        "promax": Criterion("promax", orthomax(1.0), True, kaiser=True, promax=power),
        "equamax": Criterion("equamax", crawford_ferguson(lambda p, q: q / (2 * p)), orthogonal),
        "parsimax": Criterion("parsimax", crawford_ferguson(lambda p, q: (q - 1) / (p + q - 2)), orthogonal),
        "bentler": Criterion("bentler", bentler, orthogonal),
    }
    return made[name]
