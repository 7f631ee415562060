"""Independent rows of few types: densities and their slopes are those of the types, sums over rows are counts of these.

Ten binary items of 1,024 different persons are 10,240 rows and 20 types. Classes evaluate them in each state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.chain import Chain
from semlang.estimation.grid.row_types import row_types
from semlang.estimation.grid.suits import types_of_rows
from semlang.estimation.kernels.chain_rows import RowInputs
from semlang.estimation.kernels.families import CODES
from semlang.estimation.member import Infeasible
from semlang.estimation.quadrature import NestedQuadrature, Tree
from semlang.sums import sum_by

if TYPE_CHECKING:
    from semlang.estimation.likelihood import QuadratureLikelihood

__all__ = ["TypedRows", "TypedUnits", "typed_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS_A_TYPE = 20
"""Fewer are evaluated as they are."""
DISCRETE = [code for (family, _), code in CODES.items() if family in ("binomial", "ordinal", "poisson")]


@dataclass(frozen=True)
class TypedUnits:
    """Log-likelihoods of top-level units, and what the scores of any weighting of them need; as `UnitEvaluation`."""

    values: Floats
    columns: Ints
    _of: TypedRows
    _slopes: Floats  # (T, columns)

    def scores(self, weights: Floats, first: Ints) -> Floats:
        """Return the gradients of sums of weighted log-likelihoods, see `UnitEvaluation.scores`."""
        of, types = self._of, len(self._slopes)
        weight = of.row_weights * weights[of.unit]
        if first.size > 2:
            sums = np.repeat(np.arange(first.size - 1), np.diff(first))
            counts = sum_by(sums * types + of.type, weight, (first.size - 1) * types)
        else:
            counts = sum_by(of.type, weight, types)
        return np.asarray(counts.reshape(-1, types) @ self._slopes)


class TypedRows:
    """The rows of a member without latent variables by their types.

    Parameters
    ----------
    member : QuadratureLikelihood
    """

    def __init__(self, member: QuadratureLikelihood) -> None:
        found = row_types(member.reduced, member.design, member.rows)
        self.type, types = found.number, found.rows
        self.row_weights = member.row_weights
        self.unit = np.repeat(np.arange(member.rows.first.size - 1), np.diff(member.rows.first))
        self.units_of_rows = member.rows.first.size - 1
        self.chain = Chain(member.reduced, member.design, types, member.factors, ())
        size = types.y.size
        tree = Tree.from_ids([np.arange(size)])
        self.engine = NestedQuadrature(types.y, types.codes, tree, [0], np.ones(size), None, 1, False, None)

    def units(self, x: Floats) -> TypedUnits:
        """Return the log-likelihoods of the units, from which weighted scores can be had.

        Raises
        ------
        Infeasible
            If a row has no density.
        """
        cells, jacobian = self.chain.cells(x)
        inputs = self.chain.forward(cells)
        e = self.engine.evaluate(inputs.o, inputs.A, inputs.f1, inputs.f2, [])
        if not np.isfinite(e.values).all():
            raise Infeasible("a row has no density")
        bars = RowInputs(e.o_bar, e.A_bar, e.f1_bar, e.f2_bar, inputs.scale)
        slopes = self.chain.reverse(inputs, bars, jacobian, np.arange(e.values.size + 1))
        values = sum_by(self.unit, self.row_weights * e.values[self.type], self.units_of_rows)
        columns = np.flatnonzero(slopes.any(axis=0))
        return TypedUnits(values, columns, self, np.ascontiguousarray(slopes[:, columns]))


def typed_rows(member: QuadratureLikelihood) -> TypedRows | None:
    """Return the rows of a member by types, where these are few and it has no latent variables; else None."""
    rows = member.rows
    if member.layers or member.chain.moderated or rows.constant is not None or not np.isin(rows.codes, DISCRETE).all():
        return None
    if types_of_rows(member.reduced, member.design) * ROWS_A_TYPE > rows.y.size:
        return None
    found = TypedRows(member)
    return found if found.chain.rows.y.size * ROWS_A_TYPE <= rows.y.size else None
