"""Marginal log-likelihoods of models by quadrature, with exact gradients and scores of top-level units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.chain import Chain
from semlang.estimation.expansion import Expansion, expand
from semlang.estimation.factors import Factorisation
from semlang.estimation.gaussian.engine import Infeasible
from semlang.estimation.kernels.chain_rows import RowInputs
from semlang.estimation.kernels.warmup import prepare
from semlang.estimation.layers import layers_of
from semlang.estimation.lifting import lift_residuals
from semlang.estimation.quadrature import NestedQuadrature
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Variable

__all__ = ["QuadratureLikelihood"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class QuadratureLikelihood:
    """One group's log-likelihood by nested adaptive quadrature.

    Parameters
    ----------
    reduced : ReducedForm
    design : Design
    variables : mapping from key to Variable
    order : sequence of str
        All levels, lowest first.
    factored : sequence of bool
        Which blocks of Psi have factor coordinates, see `Factorisation`.
    points : int
        Points per dimension; one is Laplace.
    threads : int
    integrate : bool
        False: disturbances are zero, the responses independent (for start values).
    """

    def __init__(
        self,
        reduced: ReducedForm,
        design: Design,
        variables: Mapping[str, Variable],
        order: Sequence[str],
        factored: Sequence[bool] | None = None,
        points: int = 7,
        threads: int = 1,
        integrate: bool = True,
    ) -> None:
        residuals: tuple[int, ...] = ()
        if integrate:
            reduced, residuals = lift_residuals(reduced)
        factors = Factorisation(reduced, factored, residuals)
        self.layers = layers_of(reduced, residuals, order) if integrate else ()
        self.rows: Expansion = expand(reduced, design, variables, self.layers, order)
        self.chain = Chain(reduced, design, self.rows, factors, self.layers)
        self.points = points
        if self.layers:
            prepare(points > 1, len(self.layers), np.unique(self.rows.codes).tolist())
        self.n_parameters = reduced.n_parameters
        self.engine = NestedQuadrature(
            self.rows.y, self.rows.codes, self.rows.tree, [layer.dims for layer in self.layers],
            self.rows.row_weights, self.rows.unit_weights, threads,
        )  # fmt: skip
        self._first = self.rows.first

    @property
    def n_units(self) -> int:
        """Number of top-level units."""
        return int(self._first.size - 1)

    @property
    def multiplicity(self) -> Floats:
        """How often each top-level unit occurred."""
        return self.rows.multiplicity

    def information(self, x: Floats) -> Floats | None:
        """Return None: the expected information has no closed form."""
        return None

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units (weighted)."""
        return self._evaluate(x)[0]

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        return float(self._evaluate(x)[0].sum())

    def scores(self, x: Floats) -> Floats:
        """Return the scores (C, P) of the top-level units."""
        return self.value_and_scores(x)[1]

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        values, inputs, bars, jacobian = self._evaluate(x)
        whole = np.array([0, self.rows.y.size])
        return float(values.sum()), self.chain.reverse(inputs, bars, jacobian, whole)[0]

    def value_and_scores(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and the scores of the top-level units at the cost of the gradient."""
        values, inputs, bars, jacobian = self._evaluate(x)
        return float(values.sum()), self.chain.reverse(inputs, bars, jacobian, self._first)

    def _evaluate(self, x: Floats) -> tuple[Floats, RowInputs, RowInputs, Floats]:
        cells, jacobian = self.chain.cells(x)
        inputs = self.chain.forward(cells)
        points = [1 if layer.exact else self.points for layer in self.layers]
        e = self.engine.evaluate(inputs.o, inputs.A, inputs.f1, inputs.f2, points)
        if not e.converged or not np.isfinite(e.values).all():
            self.engine.reset()
            e = self.engine.evaluate(inputs.o, inputs.A, inputs.f1, inputs.f2, points)
            if not e.converged or not np.isfinite(e.values).all():
                self.engine.reset()
                raise Infeasible("a mode was not found")
        return e.values, inputs, RowInputs(e.o_bar, e.A_bar, e.f1_bar, e.f2_bar, inputs.scale), jacobian
