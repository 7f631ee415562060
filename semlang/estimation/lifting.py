"""Residual covariances of gaussian responses among others that are not: moved into disturbances of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semlang.estimation.factors import blocks_of
from semlang.matrices.reduced import Cells, Disturbance, ReducedForm
from semlang.model.table import ROWS

__all__ = ["lift_residuals"]


def lift_residuals(reduced: ReducedForm) -> tuple[ReducedForm, tuple[int, ...]]:
    """Return the reduced form with a diagonal Theta, and the numbers of the disturbances that were added.

    A block of correlated residuals, e ~ N(0, Theta_b), becomes e = zeta + r with zeta ~ N(0, Theta_b - eps I) a
    disturbance of the rows and r ~ N(0, eps I), eps half the smallest eigenvalue of Theta_b. The likelihood does not
    depend on eps, so its derivative is not needed; `Factorisation` subtracts it.
    """
    if (reduced.theta.i == reduced.theta.j).all():
        return reduced, ()
    joined = [b for b in blocks_of(reduced.theta) if len(b.members) > 1]
    responses = sorted(k for b in joined for k in b.members)
    base = len(reduced.disturbances)
    place = {k: base + n for n, k in enumerate(responses)}
    psi, theta = reduced.psi, reduced.theta
    moved = np.isin(theta.i, responses)
    size = base + len(responses)
    new_psi = Cells(
        (size, size),
        np.concatenate([psi.i, [place[int(k)] for k in theta.i[moved]]]).astype(np.int64),
        np.concatenate([psi.j, [place[int(k)] for k in theta.j[moved]]]).astype(np.int64),
        np.concatenate([psi.parameter, theta.parameter[moved]]),
        np.concatenate([psi.value, theta.value[moved]]),
        True,
    )
    new_theta = Cells(
        theta.shape, theta.i[~moved], theta.j[~moved], theta.parameter[~moved], theta.value[~moved], True
    )  # fmt: skip
    loadings = np.array([(k, 0, place[k], 0) for k in responses], dtype=np.int64)
    lifted = replace(
        reduced,
        disturbances=(*reduced.disturbances, *(Disturbance(reduced.responses[k], ROWS) for k in responses)),
        loading_cells=np.concatenate([reduced.loading_cells, loadings]),
        psi=new_psi,
        theta=new_theta,
    )
    return lifted, tuple(place[k] for k in responses)
