"""Starting values under missing responses: a fit to the moments of the pairs that are observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.moments import Moments, Terms
from semlang.estimation.gaussian.observations import Observations
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import ReducedForm

Floats = NDArray[np.float64]


class PairwiseMoments(Moments):
    """Normal log-likelihood in which each second moment is that of the rows with both variables observed.

    It is not the log-likelihood of any data, but its maximum is near the one under values missing at random,
    and has a cheap information matrix.
    """

    def __init__(self, reduced: ReducedForm, design: Design, data: Observations) -> None:
        super().__init__(reduced, design)
        self.data = data
        self.n_units = design.n_rows
        seen = ~np.isnan(data.y)
        rows = seen.any(0)
        z = np.vstack([np.where(seen, data.y, 0.0), data.x * rows])
        both = np.vstack([seen, np.broadcast_to(rows, data.x.shape)]).astype(float)
        n = float(rows.sum())
        moments = n * (z @ z.T) / np.maximum(both @ both.T, 1.0)
        self.terms = [Terms(np.arange(len(data.y)), np.array([n]), np.zeros(1), moments[None])]

    @classmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return False: this is no log-likelihood."""
        return False

    def climb(self, theta: Floats, tolerance: float = 1e-2, steps: int = 20) -> tuple[Floats, Floats]:
        """Return the parameters after scoring from `theta`, and their information."""
        value, gradient = self.value_and_gradient(theta)
        information = self.expected_information(theta)
        for _ in range(steps):
            diagonal = np.diag(information)
            scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
            correlation = information / np.outer(scale, scale)
            correlation.flat[:: len(scale) + 1] += 1e-8
            step = np.linalg.solve(correlation, gradient / scale) / scale
            decrement = float(gradient @ step)
            if not decrement > tolerance:
                break
            t = 1.0
            while t > 1e-4:
                try:
                    new, new_gradient = self.value_and_gradient(theta + t * step)
                    if new >= value + 1e-4 * t * decrement:
                        break
                except Infeasible:
                    pass
                t *= 0.5
            else:
                break
            theta, value, gradient = theta + t * step, new, new_gradient
            information = self.expected_information(theta)
        return theta, information


def pairwise_start(
    reduced: ReducedForm, design: Design, data: Observations, theta: Floats
) -> tuple[Floats, Floats | None]:
    """Return the fit to pairwise moments and its information; `theta` and None where there is none."""
    try:
        return PairwiseMoments(reduced, design, data).climb(theta)
    except (Infeasible, np.linalg.LinAlgError):
        return theta, None
