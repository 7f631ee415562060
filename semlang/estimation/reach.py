"""How far out linear predictors are, for rows whose likelihood may rise without bound there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.expanded import Expanded
from semlang.estimation.kernels.families import ENTRIES, with_role
from semlang.estimation.member import Infeasible, Member

__all__ = ["reach"]

Floats = NDArray[np.float64]

SPREAD = 3.0
"""SDs of the latent variables' part of a linear predictor that count as within reach."""
DOWNWARD = frozenset(("poisson", "negbinomial"))
"""Families whose mean falls to zero on one side; on the other it is as large as the counts are."""


def reach(members: Sequence[Member], x: Floats) -> float:
    """Return the largest distance of a linear predictor from its thresholds, or from zero.

    An estimate is said to run off only where a linear predictor does: a coefficient depends on the unit and origin of
    its covariate, a linear predictor does not. Infinite where a member has no rows of its own.

    Parameters
    ----------
    members : sequence of Member
    x : (P,) floats
    """
    furthest = 0.0
    for member in members:
        if not isinstance(member, Expanded):
            return np.inf
        chain = member.chain
        try:
            rows = chain.forward(chain.cells(x)[0])
        except (Infeasible, np.linalg.LinAlgError):
            return np.inf
        codes = chain.rows.codes
        spread = SPREAD * np.sqrt((rows.A**2).sum(axis=0))
        distance = np.abs(rows.o)
        counts = np.isin(codes, [code for code, e in enumerate(ENTRIES) if e.family.split()[-1] in DOWNWARD])
        distance[counts] = np.maximum(-rows.o[counts], 0.0)
        ordered = np.array(with_role("upper"))[codes, 0]
        limits = np.minimum(np.abs(rows.o - rows.f1), np.abs(rows.o - rows.f2))
        distance[ordered] = limits[ordered]
        furthest = max(furthest, float((distance + spread).max(initial=0.0)))
    return furthest
