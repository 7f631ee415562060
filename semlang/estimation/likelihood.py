"""Marginal log-likelihoods of models by quadrature, with exact gradients and scores of top-level units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.adjacent import with_categories
from semlang.estimation.chain import Chain
from semlang.estimation.expanded import Expanded
from semlang.estimation.expansion import Expansion, expand, in_one_memory
from semlang.estimation.factors import Factorisation
from semlang.estimation.kernels.chain_rows import RowInputs
from semlang.estimation.kernels.families import CODES
from semlang.estimation.layers import Layer, layers_of
from semlang.estimation.lifting import lift_residuals
from semlang.estimation.louis import Louis, has_louis
from semlang.estimation.member import Infeasible, Posterior
from semlang.estimation.moderation import moderated
from semlang.estimation.moments import unit_posterior
from semlang.estimation.nearly import NEARLY, nearly_the_same
from semlang.estimation.quadrature import NestedQuadrature
from semlang.estimation.sparse import ENOUGH, LADDER, WIDE
from semlang.estimation.typed_rows import TypedRows, TypedUnits, typed_rows
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Variable
from semlang.sums import count_by, sum_by

__all__ = ["QuadratureLikelihood"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRODUCT = (5, 7, 9, 11, 15, 21)
"""Points a dimension of product rules that second derivatives are tried at in turn."""
NEARLY_PRODUCT = 1e-5
"""Mean absolute difference of units' log-likelihoods with which standard errors differ by 1e-4 of themselves."""
FOR_MOMENTS = 5
"""Points of a sparse rule with which posterior moments are exact enough for any number of them."""
MANY_PARAMETERS, MANY_NODES = 40, 200
"""More than these: differences of gradients take longer than Louis' formula at nodes, and far longer where loadings
span fewer directions than there are latent variables."""


def _reversed(layer: Layer) -> Layer:
    """Return a layer with its coordinates the other way round, where it has the nodes of a sparse rule.

    Nodes are ``v = c + T x`` with T upper triangular, and ``zeta = F v`` with F lower triangular. Reversed, zeta is a
    lower triangular function of x, so that responses of one factor depend on few of them, which sparse rules favour;
    products of rules, whose points on a line are the more the less that holds, do not.
    """
    return replace(layer, coordinates=layer.coordinates[::-1]) if layer.dims >= WIDE else layer


@dataclass(frozen=True)
class UnitEvaluation:
    """Log-likelihoods of top-level units, and what the scores of any weighting of them need.

    Parameters
    ----------
    values : (C,) floats
    columns : slice or ints
        Parameters that scores are with respect to; all others do not matter.
    """

    values: Floats
    columns: slice | Ints
    _of: QuadratureLikelihood
    _x: Floats
    _inputs: RowInputs | None
    _bars: RowInputs
    _jacobian: Floats

    def without_inputs(self) -> UnitEvaluation:
        """Return the same without the rows' inputs, which `with_inputs` computes anew."""
        return replace(self, _inputs=None)

    def with_inputs(self) -> UnitEvaluation:
        """Return the same with the rows' inputs; what the likelihood sees has to be what it saw."""
        if self._inputs is not None:
            return self
        return replace(self, _inputs=self._of.chain.forward(self._of.chain.cells(self._x)[0]))

    def scores(self, weights: Floats, first: Ints) -> Floats:
        """Return the gradients of sums of weighted log-likelihoods.

        Parameters
        ----------
        weights : (C,) floats
            One a top-level unit.
        first : (S + 1,) ints
            First row of each sum, and the number of rows.
        """
        assert self._inputs is not None
        rows = np.repeat(weights, np.diff(self._of.rows.first))
        b = self._bars
        bars = RowInputs(b.o * rows, b.A * rows, b.f1 * rows, b.f2 * rows, b.scale)
        return self._of.chain.reverse(self._inputs, bars, self._jacobian, first)


class QuadratureLikelihood(Expanded):
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
    counted : (n_rows, K) bools, optional
        Which responses of the design count; the others have a row, of weight zero. Default: all.
    sparse : bool
        Whether levels of many dimensions have the nodes of `sparse_rule`.
    like : QuadratureLikelihood, optional
        Its rows' arrays are taken where they are equal.
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
        counted: NDArray[np.bool_] | None = None,
        sparse: bool = False,
        like: QuadratureLikelihood | None = None,
    ) -> None:
        residuals: tuple[int, ...] = ()
        reduced = with_categories(reduced, variables)
        if integrate:
            reduced, residuals = lift_residuals(reduced)
        factors = Factorisation(reduced, factored, residuals)
        self.reduced, self.design, self.factors = reduced, design, factors
        self.layers = layers_of(reduced, residuals, order) if integrate else ()
        if sparse:
            self.layers = tuple(_reversed(layer) for layer in self.layers)
        self.rows: Expansion = expand(reduced, design, variables, self.layers, order)
        if like is not None:
            self.rows = in_one_memory(self.rows, like.rows)
        self.chain = Chain(reduced, design, self.rows, factors, self.layers)
        if like is not None:
            self.chain.share(like.chain)
        weights = self.rows.row_weights
        if counted is not None:
            weights = weights * counted[self.rows.source, self.rows.response]
        self.row_weights = weights
        self.points: int | None = points
        self.sparse = sparse
        self.spread = 0.0
        self.n_parameters = reduced.n_parameters
        self.engine = NestedQuadrature(
            self.rows.y, self.rows.codes, self.rows.tree, [layer.dims for layer in self.layers] or [0],
            self.row_weights, self.rows.unit_weights or None, threads, sparse, self.rows.constant,
        )  # fmt: skip
        self._first = self.rows.first

    @property
    def exact(self) -> bool:
        """Second derivatives have no form."""
        return False

    @property
    def standing(self) -> bool:
        """Whether nodes do not follow the modes."""
        return self.engine.placed

    def hessian(self, x: Floats) -> Floats | None:
        """Return the second derivatives at nodes that stand still, where there are many; else None: they have no form.

        At as few points as leave each unit's log-likelihood nearly what it is; of a product rule nearer than of a
        sparse one, since differences of gradients take as many points as the fit.
        """
        if not (self.sparse or self._has_many) or not has_louis(self):
            return None
        ladder, nearly = (LADDER, NEARLY) if self.sparse else (PRODUCT, NEARLY_PRODUCT)
        most = self.points or 1
        try:
            found = Louis(self, x, own=True)
            values = self.values(x)
            for points in (p for p in ladder if min(ENOUGH, most) <= p <= most):
                found.place(points)
                close = nearly_the_same(found.values(), values, np.ones(values.size), nearly)
                if close or (self.sparse and points == most):
                    found.run()
                    return found.hessian
        except Infeasible:
            pass
        return None

    @property
    def _has_many(self) -> bool:
        """Whether there are so many parameters and nodes that a gradient for each takes longer than one pass."""
        nodes = math.prod(n**layer.dims for n, layer in zip(self.node_counts(), self.layers, strict=True))
        return self.n_parameters > MANY_PARAMETERS and nodes > MANY_NODES

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are."""
        return x, None

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units (weighted)."""
        return self._evaluate(x)[0]

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        if not self.layers:
            return float(self._evaluate(x)[0].sum())
        inputs = self.chain.forward(self.chain.cells(x)[0])
        values = self.engine.values(inputs.o, inputs.A, inputs.f1, inputs.f2, self.node_counts())
        return float(self._evaluate(x)[0].sum() if values is None else values.sum())

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        values, inputs, bars, jacobian = self._evaluate(x)
        whole = np.array([0, self.rows.y.size])
        return float(values.sum()), self.chain.reverse(inputs, bars, jacobian, whole)[0]

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihoods and scores of the top-level units at the cost of the gradient."""
        values, inputs, bars, jacobian = self._evaluate(x)
        return values, self.chain.reverse(inputs, bars, jacobian, self._first)

    @cached_property
    def _typed(self) -> TypedRows | None:
        return typed_rows(self)

    def units(self, x: Floats) -> UnitEvaluation | TypedUnits:
        """Return the log-likelihoods of the top-level units, from which weighted scores can be had."""
        return self.units_by_row(x) if self._typed is None else self._typed.units(x)

    def units_by_row(self, x: Floats, cells: tuple[Floats, Floats] | None = None) -> UnitEvaluation:
        """Return the same with the columns that the chain sees by now.

        Parameters
        ----------
        x : (P,) floats
        cells : pair of arrays, optional
            What `chain.cells` gives at `x`.
        """
        values, inputs, bars, jacobian = self._evaluate(x, cells)
        return UnitEvaluation(values, slice(0, self.n_parameters), self, x, inputs, bars, jacobian)

    def posterior(self, x: Floats) -> Posterior:
        """Return the posterior moments of the disturbances, zeta = F v, from those of v."""
        inputs = self.chain.forward(self.chain.cells(x)[0])
        found = self.engine.posterior(inputs.o, inputs.A, inputs.f1, inputs.f2, self.node_counts())
        F = self.factors.evaluate(x)[0]
        posterior = unit_posterior(self.layers, found, self.rows, self.design, self.reduced, F)
        return moderated(posterior, self.reduced, self.design, x)

    def place(self, x: Floats) -> None:
        """Move the nodes to posterior means and standard deviations at `x`, taken at the nodes as they are; they stay.

        `points` and `spread` say which nodes; moments by a sparse rule need no more than `FOR_MOMENTS`.
        """
        inputs = self.chain.forward(self.chain.cells(x)[0])
        points = self.points or 1
        points = min(points, FOR_MOMENTS) if self.sparse else points
        self.engine.place(inputs.o, inputs.A, inputs.f1, inputs.f2, points, self.spread)

    def place_at_prior(self) -> None:
        """Let the nodes stand where the prior has its mass."""
        self.engine.place_at_prior()

    def reset(self) -> None:
        """Forget the modes."""
        self.engine.reset()

    def release(self) -> None:
        """Let the nodes follow the modes again."""
        self.spread = 0.0
        self.engine.release()

    def steepness(self, x: Floats) -> float:
        """Return the largest SD that latent variables give the linear predictor of a response that is not gaussian."""
        A = self.chain.forward(self.chain.cells(x)[0]).A
        rows = self.rows.codes != CODES["gaussian", "identity"]
        if len(self.reduced.responses) == 1 and rows.all():
            return float(np.sqrt(np.vdot(A, A) / max(rows.size, 1)))
        sizes = (A**2).sum(axis=0)
        count = count_by(self.rows.response[rows])
        total = sum_by(self.rows.response[rows], sizes[rows])
        return float(np.sqrt((total / np.maximum(count, 1)).max(initial=0.0)))

    def node_counts(self) -> list[int]:
        """Return the points of each layer; one where that is exact, at modes."""
        placed = self.engine.placed
        return [1 if layer.exact and not placed else self.points or 1 for layer in self.layers]

    def _evaluate(
        self, x: Floats, known: tuple[Floats, Floats] | None = None
    ) -> tuple[Floats, RowInputs, RowInputs, Floats]:
        cells, jacobian = self.chain.cells(x) if known is None else known
        inputs = self.chain.forward(cells)
        points = self.node_counts()
        e = self.engine.evaluate(inputs.o, inputs.A, inputs.f1, inputs.f2, points)
        if not e.converged or not np.isfinite(e.values).all():
            self.engine.reset()
            e = self.engine.evaluate(inputs.o, inputs.A, inputs.f1, inputs.f2, points)
            if not e.converged or not np.isfinite(e.values).all():
                self.engine.reset()
                raise Infeasible("a mode was not found")
        return e.values, inputs, RowInputs(e.o_bar, e.A_bar, e.f1_bar, e.f2_bar, inputs.scale), jacobian
