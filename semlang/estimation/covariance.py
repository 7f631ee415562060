"""Covariance matrices of estimates: observed information, outer product of scores, sandwich."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.objective import Objective

__all__ = ["Curvature", "covariance", "sum_within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Curvature:
    """Eigenvalues and vectors of an information matrix scaled to unit diagonal, smallest first."""

    values: Floats
    vectors: Floats
    scale: Floats

    @classmethod
    def of(cls, information: Floats) -> Curvature:
        """Decompose an information matrix."""
        d = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
        values, vectors = np.linalg.eigh(information / np.outer(d, d))
        return cls(values, vectors, d)

    def inverse(self, tolerance: float = 1e-10) -> Floats | None:
        """Return the inverse, or None where the matrix is not positive definite."""
        if self.values[0] <= tolerance:
            return None
        scaled = self.vectors / self.scale[:, None]
        out: Floats = (scaled / self.values) @ scaled.T
        return out


def sum_within(scores: Floats, units: Sequence[object] | Ints) -> Floats:
    """Add the scores of units that belong to the same coarser unit."""
    _, code = np.unique(np.asarray(units), return_inverse=True)
    out = np.zeros((int(code.max(initial=-1)) + 1, scores.shape[1]))
    np.add.at(out, code, scores)
    return out


def covariance(
    objective: Objective,
    z: Floats,
    kind: str,
    information: Floats | None,
    units: Ints | None = None,
    active: Floats | None = None,
    curvature: Curvature | None = None,
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
    information : (n, n) floats, optional
        Not needed for `opg`.
    units : (C,) ints, optional
        Coarser units of the sandwich, one number for each top-level unit.
    active : (m, n) floats, optional
        Gradients of constraints that hold with equality: the covariance is that inside their null space.
    curvature : Curvature, optional
        Of `information`, where it has been decomposed already.

    References
    ----------
    Rabe-Hesketh and Skrondal (2006), equation 5 and the factor J/(J-1).
    """
    basis = np.eye(z.size)
    inside = active is not None and active.size > 0
    if active is not None and inside:
        _, s, vt = np.linalg.svd(active)
        basis = vt[int((s > 1e-10 * max(s[0], 1e-300)).sum()) :].T
    scores = None
    if kind in ("opg", "robust"):
        scores = objective.value_and_scores(z)[1] @ basis
    if kind == "opg":
        assert scores is not None
        weight = 1.0 / np.maximum(objective.multiplicity, 1e-300)
        bread = Curvature.of((scores * weight[:, None]).T @ scores).inverse()
    else:
        assert information is not None
        if inside or curvature is None:
            curvature = Curvature.of(basis.T @ information @ basis)
        bread = curvature.inverse()
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
    D = objective.jacobian(z) @ basis
    out: Floats = D @ bread @ D.T
    return out
