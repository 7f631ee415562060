"""Whether nonlinear constraints and bounds can hold together at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.constraints import Constraints, Nonlinear

__all__ = ["Meeting", "reconciled"]

Floats = NDArray[np.float64]

FAR = 1e-6
"""Part of what is missed at a start (at least 1) that may be missed in the end: Gauss-Newton steps end far below it."""

STARTS, STEPS = 20, 100

NOWHERE = 1e3
"""In place of the value of a constraint that has none."""


@dataclass(frozen=True)
class Meeting:
    """The point at which constraints are missed by least.

    Parameters
    ----------
    theta : (P,) floats
    missed : float
        The largest of what is missed.
    text : str
        The constraint that is missed by so much.
    holds : bool
        Whether all hold.
    """

    theta: Floats
    missed: float
    text: str
    holds: bool


def reconciled(constraints: Constraints, start: Floats, further: Sequence[Nonlinear] = ()) -> Meeting | None:
    """Return a point at which all constraints hold, or one that comes ever nearer to that; else the nearest found.

    None where there is nothing to reconcile: a single inequality.

    The sum of squares of what is missed falls by Gauss-Newton steps from `start` and from random points of sizes
    0.03 to 30, in the parameters that constraints name. That none is found is no proof, but the optimiser would not
    look further.

    Parameters
    ----------
    constraints : Constraints
    start : (P,) floats
    further : sequence of Nonlinear
        What has to hold besides.
    """
    asked = (*constraints.nonlinear, *further)
    if len(asked) < 2 and not any(c.equality for c in asked):
        return None
    used = np.flatnonzero((np.abs(constraints.basis[sorted(constraints.pinned)]) > 0.0).any(axis=0))
    basis = constraints.basis[:, used]
    z0 = np.linalg.lstsq(constraints.basis, start - constraints.base, rcond=None)[0]
    rest = constraints.base + constraints.basis @ z0 - basis @ z0[used]

    def missed(v: Floats) -> tuple[Floats, Floats]:
        found = [c.function(rest + basis @ v) for c in asked]
        values = np.array([g if c.equality else min(g, 0.0) for c, (g, _) in zip(asked, found, strict=True)])
        slopes = np.array([gradient for _, gradient in found]) @ basis
        return np.where(np.isfinite(values), values, NOWHERE), np.where(np.isfinite(slopes), slopes, 0.0)

    def meeting(v: Floats, values: Floats, holds: bool) -> Meeting:
        worst = int(np.abs(values).argmax())
        return Meeting(rest + basis @ v, float(np.abs(values[worst])), asked[worst].text, holds)

    rng = np.random.default_rng(1)
    nearest: Meeting | None = None
    for k in range(STARTS):
        v = np.asarray(z0[used] if not k else rng.normal(size=used.size) * 10.0 ** rng.uniform(-1.5, 1.5))
        values, slopes = missed(v)
        near = FAR * max(float(np.abs(values).max(initial=0.0)), 1.0)
        for _ in range(STEPS):
            if float(np.abs(values).max(initial=0.0)) < near:
                return meeting(v, values, True)
            on = values != 0.0
            step = -np.linalg.lstsq(slopes[on], values[on], rcond=1e-10)[0]
            for t in [0.5**k for k in range(20)]:
                new, there = missed(v + t * step)
                if new @ new < (1.0 - 0.1 * t) * (values @ values):
                    break
            else:
                break
            v, values, slopes = v + t * step, new, there
        if nearest is None or float(np.abs(values).max()) < nearest.missed:
            nearest = meeting(v, values, False)
    return nearest
