"""The recursion with residual covariance matrices of any kind, as long as the responses have a density."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.nested import Nested
from semlang.estimation.gaussian.residuals import Residuals
from semlang.matrices.reduced import ReducedForm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 0.05
"""Part of a response's variance that its residual keeps at least as a variance."""


class FreeResiduals(Nested):
    """`Nested` in which all residuals are disturbances, so that their variances may be zero or negative.

    Theta = (Theta - T) + T with T diagonal and positive, Theta - T the covariance matrix of disturbances, which may be
    indefinite. It sees as many disturbances more as there are responses, so that it is used where `Nested` comes to a
    residual variance of zero.
    """

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        super().__init__(reduced, design)
        variances = np.array([np.nanvar(y) if (~np.isnan(y)).any() else 0.0 for y in self.data.y])
        self._least = LEAST * np.where(variances > 0.0, variances, 1.0)[self.coupled]

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether there are rows, disturbances, and log residual SDs with few distinct covariate values."""
        levels = {z.level for z in reduced.disturbances}
        return (
            design.n_rows > 0
            and (bool(levels) or len({k for k, _ in reduced.quantities}) < len(reduced.responses))
            and levels <= {"rows", *design.clusters}
            and Residuals.supports(reduced, design)
        )

    def as_disturbances(self, reduced: ReducedForm) -> Ints:
        """Return all responses that have no log residual SD."""
        others = {k for k, _ in reduced.quantities}
        return np.array([k for k in range(len(reduced.responses)) if k not in others], dtype=np.int64)

    def kept(self, block: Floats, t: Floats) -> Floats:
        """Return half of the variances, or the least."""
        return np.maximum(0.5 * t, self._least)
