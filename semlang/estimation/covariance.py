"""Covariance matrices of estimates: observed information, outer product of scores, sandwich."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.estimation.objective import Objective
from semlang.estimation.tangent import tangent_basis

__all__ = ["carried", "covariance", "sum_within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def sum_within(scores: Floats, units: Sequence[object] | Ints) -> Floats:
    """Add the scores of units that belong to the same coarser unit."""
    _, code = np.unique(np.asarray(units), return_inverse=True)
    out = np.zeros((int(code.max(initial=-1)) + 1, scores.shape[1]))
    np.add.at(out, code, scores)
    return out


def carried(T: Floats, vcov: Floats) -> Floats:
    """Return T V T', where parameters without a variance (NaN) make those that depend on them NaN, and no others."""
    unknown = np.isnan(np.diag(vcov))
    out: Floats = T @ np.where(unknown[:, None] | unknown, 0.0, vcov) @ T.T
    lost = (T != 0.0) @ unknown
    out[lost], out[:, lost] = np.nan, np.nan
    return out


def covariance(
    objective: Objective,
    z: Floats,
    kind: str,
    curvature: Curvature | None,
    D: Floats,
    units: Ints | None = None,
    active: Floats | None = None,
) -> Floats | None:
    """Return the covariance matrix of the table's parameters (P, P), or None where the information is singular.

    With the observed information I, unit scores s_j and J units,

        observed: I^-1;   opg: (sum s s')^-1;   robust: J/(J-1) I^-1 (sum s s') I^-1,

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
    units : (C,) ints, optional
        Coarser units of the sandwich, one number for each top-level unit.
    active : (m, n) floats, optional
        Gradients of constraints that hold with equality: the covariance is that inside their null space.

    References
    ----------
    Rabe-Hesketh and Skrondal (2006), equation 5 and the factor J/(J-1).
    """
    basis = np.empty(0)
    inside = active is not None and active.size > 0
    if active is not None and inside:
        basis = tangent_basis(active, None if curvature is None else curvature.scale)
    scores = None
    if kind in ("opg", "robust"):
        scores = objective.value_and_scores(z)[1]
        scores = scores @ basis if inside else scores
    if kind == "opg":
        assert scores is not None
        weight = 1.0 / np.maximum(objective.multiplicity, 1e-300)
        bread = Curvature((scores * weight[:, None]).T @ scores).inverse()
    else:
        assert curvature is not None
        bread = (Curvature(basis.T @ curvature.information @ basis) if inside else curvature).inverse()
    if bread is None:
        return None
    if kind == "robust":
        assert scores is not None
        if units is None:
            weight = 1.0 / np.maximum(objective.multiplicity, 1e-300)
            n, meat = float(objective.multiplicity.sum()), (scores * weight[:, None]).T @ scores
        else:
            summed = sum_within(scores, units)
            n, meat = float(len(summed)), summed.T @ summed
        bread = bread @ meat @ bread * (n / max(n - 1.0, 1.0))
    D = D @ basis if inside else D
    out: Floats = D @ bread @ D.T
    return out
