"""How far out linear predictors are, for rows whose likelihood may rise without bound there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.expanded import Expanded
from semlang.estimation.kernels.families import ENTRIES, with_role
from semlang.estimation.member import Infeasible, Member, Summed

__all__ = ["reach"]

Floats = NDArray[np.float64]

SPREAD = 3.0
"""SDs of the latent variables' part of a linear predictor that count as within reach."""
BLOCK = 1 << 16
"""Rows that are looked at together, so that a million rows need no memory of their own."""
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
    down = [code for code, e in enumerate(ENTRIES) if e.family.split()[-1] in DOWNWARD]
    upper = np.array(with_role("upper"))
    for member in members:
        if isinstance(member, Summed):
            furthest = max(furthest, member.reach(x))
            continue
        if not isinstance(member, Expanded):
            return np.inf
        chain = member.chain
        try:
            rows = chain.forward(chain.cells(x)[0])
        except (Infeasible, np.linalg.LinAlgError):
            return np.inf
        for first in range(0, rows.o.size, BLOCK):
            here = slice(first, first + BLOCK)
            codes, o = chain.rows.codes[here], rows.o[here]
            spread = SPREAD * np.sqrt((rows.A[:, here] ** 2).sum(axis=0))
            distance = np.abs(o)
            counts = np.isin(codes, down)
            distance[counts] = np.maximum(-o[counts], 0.0)
            ordered = upper[codes, 0]
            limits = np.minimum(np.abs(o - rows.f1[here]), np.abs(o - rows.f2[here]))
            distance[ordered] = limits[ordered]
            furthest = max(furthest, float((distance + spread).max(initial=0.0)))
    return furthest
