"""Covariance matrices of estimates: observed information, outer product of scores, sandwich."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.estimation.objective import Objective
from semlang.estimation.tangent import tangent_basis

__all__ = ["carried", "covariance", "meat_of", "singular", "sum_within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def sum_within(scores: Floats, units: Ints, n: int) -> Floats:
    """Add the scores of units that belong to the same one of n coarser units."""
    out = np.zeros((n, scores.shape[1]))
    np.add.at(out, units, scores)
    return out


def meat_of(scores: Floats, codes: Ints, copies: Floats) -> tuple[Floats, float]:
    """Return the sum of s s' / f over coarser units, and how many of them there are.

    Parameters
    ----------
    scores : (C, n) floats
    codes : (C,) ints
        Coarser unit of each unit.
    copies : (J,) floats
        How often each coarser unit occurred.
    """
    summed = sum_within(scores, codes, copies.size)
    there = np.isin(np.arange(copies.size), codes)
    weight = 1.0 / np.where(copies > 0.0, copies, 1.0)
    return (summed * weight[:, None]).T @ summed, float(copies[there].sum())


def carried(T: Floats, vcov: Floats) -> Floats:
    """Return T V T', where parameters without a variance (NaN) make those that depend on them NaN, and no others."""
    unknown = np.isnan(np.diag(vcov))
    out: Floats = T @ np.where(unknown[:, None] | unknown, 0.0, vcov) @ T.T
    lost = (T != 0.0) @ unknown
    out[lost], out[:, lost] = np.nan, np.nan
    return out


SINGULAR, SINGULAR_EXACTLY = 1e-10, 1e-13
"""Smallest eigenvalue of the information with unit diagonal, by differences of gradients or in closed form: less is
rounding."""


def singular(objective: Objective) -> float:
    """Return the smallest eigenvalue of an information with unit diagonal at which it counts as singular."""
    return SINGULAR_EXACTLY if objective.exact else SINGULAR


def covariance(
    objective: Objective,
    z: Floats,
    kind: str,
    curvature: Curvature | None,
    D: Floats,
    units: tuple[Ints, Floats] | None = None,
    active: Floats | None = None,
    scores: Floats | None = None,
) -> Floats | None:
    """Return the covariance matrix of the table's parameters (P, P), or None where the information is singular.

    With the observed information I, units that occurred f_j times, the scores s_j of all their copies and J = sum f_j,

        observed: I^-1;   opg: (sum s s' / f)^-1;   robust: J/(J-1) I^-1 (sum s s' / f) I^-1,

    carried over to the table's parameters by the delta method, D V D' with D = dtheta/dz.

    Parameters
    ----------
    objective : Objective
    z : (n,) floats
    kind : {'observed', 'opg', 'robust'}
    curvature : Curvature or None
        The observed information; not needed for `opg`.
    D : (P, n) floats
        dtheta/dz.
    units : (C,) ints and (J',) floats, optional
        Units of the sandwich: the number of that which each top-level unit belongs to, and how often each occurred.
    active : (m, n) floats, optional
        Gradients of constraints that hold with equality: the covariance is that inside their null space.
    scores : (C, n) floats, optional
        Of the top-level units, for `opg` and `robust`; None where only their sums are known.

    References
    ----------
    Rabe-Hesketh and Skrondal (2006), equation 5 and the factor J/(J-1).
    """
    basis = None
    if active is not None and active.size:
        basis = tangent_basis(active, None if curvature is None else curvature.scale)
    if scores is not None and basis is not None:
        scores = scores @ basis
    if kind == "opg":
        outer = objective.scored(z)[2]() if scores is None else objective.outer_product(scores)
        bread = Curvature(outer if scores is not None or basis is None else basis.T @ outer @ basis).inverse()
    else:
        assert curvature is not None
        information = curvature if basis is None else Curvature(basis.T @ curvature.information @ basis)
        bread = information.inverse(singular(objective))
    if bread is None:
        return None
    if kind == "robust":
        if scores is None:
            meat, n = objective.meat(z)
            meat = meat if basis is None else basis.T @ meat @ basis
        else:
            assert units is not None
            meat, n = meat_of(scores, *units)
        bread = bread @ meat @ bread * (n / max(n - 1.0, 1.0))
    D = D if basis is None else D @ basis
    out: Floats = D @ bread @ D.T
    return out
