"""What every closed form offers: log-likelihood, gradient, scores and curvature.

The closed forms know the reduced form only (see `semlang.matrices.reduced`). With nu_ik = m_k'x_i + sum_a
d_ia L_ka'zeta_i and gaussian residuals of covariance Theta, an engine computes

    l(m, L, Psi, Theta)  and its adjoints  dl/dm, dl/dL, dl/dPsi, dl/dTheta,

which `Chain` takes on to the parameters. Two engines differ in their sufficient statistics and in nothing
else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.chain import Chain
from semlang.estimation.member import Infeasible
from semlang.matrices.reduced import ReducedForm

Floats = NDArray[np.float64]


class Engine(ABC):
    """Exact log-likelihood of a gaussian model given its covariates, as a function of the parameters.

    All constants of the normal density are included. Rows without any observed response contribute zero.
    Frequencies count; sampling weights multiply the log-likelihood of what they weigh.

    Parameters
    ----------
    reduced : ReducedForm
    design : Design
        Data of one group.

    Raises
    ------
    Infeasible
        By every function of the parameters, outside the domain of the log-likelihood.
    """

    exact = False
    """Whether `exact_hessian` always has a form, at about the cost of the expected information."""

    def __init__(self, reduced: ReducedForm, design: Design) -> None:
        self.chain = Chain(reduced)

    @classmethod
    @abstractmethod
    def supports(cls, reduced: ReducedForm, design: Design) -> bool:
        """Return whether this closed form is exact for the model and the data."""

    @abstractmethod
    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""

    @abstractmethod
    def values(self, theta: Floats) -> Floats:
        """Return the log-likelihood of each unit of the highest level, (units,); they sum to the log-likelihood."""

    @abstractmethod
    def scores(self, theta: Floats) -> Floats:
        """Return the gradient of each unit of the highest level (each row where there is none): (units, P).

        A unit's frequency and weight multiply its score, so that scores sum to the gradient.
        """

    def value(self, theta: Floats) -> float:
        """Return the log-likelihood."""
        return self.value_and_gradient(theta)[0]

    def expected_information(self, theta: Floats) -> Floats | None:
        """Return the expected information (P, P) given covariates and missing patterns, or None."""
        return None

    def start(self, theta: Floats) -> tuple[Floats, Floats | None]:
        """Return better starting values and an approximate information there, if cheap."""
        return theta, None

    def hessian(self, theta: Floats) -> Floats:
        """Return the second derivatives (P, P), by differences of the exact gradient where they have no form."""
        exact = self.exact_hessian(theta)
        return differences(self, theta) if exact is None else exact

    def exact_hessian(self, theta: Floats) -> Floats | None:
        """Return the second derivatives (P, P) where they have a form that costs less than differences."""
        return None


def differences(engine: Engine, theta: Floats, step: float = 0.003) -> Floats:
    """Return the Hessian by central differences of the gradient, one-sided at the boundary.

    The step of a parameter is `step` times its standard error were all others known (by the outer product of
    the scores), so that the result does not depend on units of measurement.
    """
    theta = np.asarray(theta, dtype=float)
    n = len(theta)
    hessian = np.empty((n, n))
    centre: Floats | None = None
    square = np.square(engine.scores(theta)).sum(0)
    largest = 1e-2 * np.maximum(1.0, np.abs(theta))
    steps = np.minimum(step / np.sqrt(np.maximum(square, 1e-300)), largest)
    for k, h in enumerate(np.maximum(steps, 1e-7 * np.abs(theta))):
        sides = []
        for sign in (1.0, -1.0):
            x = theta.copy()
            x[k] += sign * h
            try:
                sides.append((x[k], engine.value_and_gradient(x)[1]))
            except Infeasible:
                continue
        if not sides:
            raise Infeasible("no feasible neighbour")
        if len(sides) == 1:
            centre = engine.value_and_gradient(theta)[1] if centre is None else centre
            sides.append((theta[k], centre))
        (a, ga), (b, gb) = sides
        hessian[k] = (ga - gb) / (a - b)
    return 0.5 * (hessian + hessian.T)
