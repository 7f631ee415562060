"""A closed form as a member of the objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.continuous import Continuous
from semlang.estimation.expansion import contributing, left_out
from semlang.estimation.factors import Block, semidefinite_factor
from semlang.estimation.gaussian.engine import Engine
from semlang.estimation.member import Member, Posterior
from semlang.estimation.parameters import Parametrisation
from semlang.model.table import ROWS

__all__ = ["ClosedForm"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ClosedForm(Continuous):
    """A gaussian engine as a member.

    Parameters
    ----------
    engine : Engine
    design : Design
    factors : Parametrisation, optional
        Some covariance matrices by their factors: their variances can't be negative. Default: the table's parameters.
    semidefinite : sequence of Block
        Blocks of Psi that are not factored and may have no negative eigenvalue.
    by_quadrature : callable
        Returns the same model by nested quadrature, where one point is exact, and its parametrisation.
    """

    points: int | None = None

    def __init__(
        self,
        engine: Engine,
        design: Design,
        factors: Parametrisation | None,
        semidefinite: Sequence[Block],
        by_quadrature: Callable[[], tuple[Member, Parametrisation]],
    ) -> None:
        self.engine, self.factors, self.semidefinite = engine, factors, semidefinite
        self._design, self._by_quadrature = design, by_quadrature
        clusters = list(design.clusters)
        self.records: Ints
        if clusters:
            self.records = design.first_records(clusters[-1])
            counts = design.frequency.get(clusters[-1])
            self.multiplicity = np.ones(self.records.size) if counts is None else counts[self.records]
        else:
            self.records = np.arange(design.n_rows)
            self.multiplicity = design.frequency.get(ROWS, np.ones(design.n_rows))

    @property
    def used(self) -> float:
        """Number of records with a response, frequencies counted."""
        observed = contributing(self.engine.chain.reduced, self._design)
        weight = np.ones(self._design.n_rows)
        for values in self._design.frequency.values():
            weight = weight * values
        return float(weight[observed].sum())

    @property
    def dropped(self) -> Mapping[str, int]:
        """Numbers of responses that are left out, by reason."""
        return left_out(self.engine.chain.reduced, self._design)

    @property
    def exact(self) -> bool:
        """Whether the second derivatives cost no more than the expected information."""
        return self.engine.exact

    def _theta(self, x: Floats) -> Floats:
        theta = x if self.factors is None else self.factors.theta(x)
        for b in self.semidefinite:
            semidefinite_factor(np.where(b.parameter >= 0, theta[b.parameter], b.constant))
        return theta

    def _pull(self, x: Floats, derivative: Floats) -> Floats:
        return derivative if self.factors is None else derivative @ self.factors.jacobian(x)

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        return self.engine.value(self._theta(x))

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        value, gradient = self.engine.value_and_gradient(self._theta(x))
        return value, self._pull(x, gradient)

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units."""
        return self.engine.values(self._theta(x))

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihoods and scores of the top-level units."""
        theta = self._theta(x)
        return self.engine.values(theta), self._pull(x, self.engine.scores(theta))

    def scores_alone(self, x: Floats) -> Floats:
        """Return the scores of the top-level units, which take several times what value and gradient do."""
        return self._pull(x, self.engine.scores(self._theta(x)))

    def information(self, x: Floats) -> Floats | None:
        """Return the expected information, where it has a form."""
        information = self.engine.expected_information(self._theta(x))
        return None if information is None else self._pull(x, self._pull(x, information).T)

    def hessian(self, x: Floats) -> Floats | None:
        """Return the second derivatives, where they have a form."""
        theta = self._theta(x)
        exact = self.engine.exact_hessian(theta)
        if exact is None or self.factors is None:
            return exact
        bend = self.factors.curvature(x, self.engine.value_and_gradient(theta)[1])
        return self._pull(x, self._pull(x, exact).T) + bend

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return a better start and an approximate information there, where that is cheap."""
        if self.factors is not None:
            return x, None
        return self.engine.start(x)

    def posterior(self, x: Floats) -> Posterior:
        """Return the posterior moments of the disturbances.

        Raises
        ------
        Infeasible
            Also where a variance is negative: there is no posterior then.
        """
        member, parametrisation = self._by_quadrature()
        return member.posterior(parametrisation.coordinates(self._theta(x)))
