"""One configuration's model on copies of the data, of which a run is in memory at once.

The copies differ in the columns of nodes alone. Where all of them are few rows they lie side by side; else the columns
of one run after another take each other's place, and an evaluation keeps the inputs of a run's rows and their adjoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.repeated import CopiedColumns, repeated
from semlang.estimation.conditioning.fold import sums
from semlang.estimation.conditioning.leaves import LeafModel
from semlang.estimation.conditioning.pieces import Piece
from semlang.estimation.expansion import row_offsets
from semlang.estimation.likelihood import QuadratureLikelihood, UnitEvaluation
from semlang.estimation.typed_rows import TypedUnits
from semlang.model.table import ParameterTable

__all__ = ["Leaf", "LeafEvaluation", "Owners"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NodeColumns = Callable[[slice], Mapping[str, Floats]]

TOGETHER = 100_000
"""Rows of copies that lie side by side: some 30 megabytes; calls for a tenth of them cost nothing beside their rows."""


@dataclass(frozen=True)
class Owners:
    """The units that records belong to.

    Parameters
    ----------
    lowest, top : (n_rows,) ints
        Unit of the lowest stage, and top-level unit.
    n_lowest, n_top : int
    """

    lowest: Ints
    top: Ints
    n_lowest: int
    n_top: int


@dataclass(frozen=True)
class LeafEvaluation:
    """Values of the units of the lowest stage in each copy (copies, U), and what their scores need."""

    values: Floats
    _of: Leaf
    _runs: tuple[UnitEvaluation | TypedUnits, ...]

    def add_scores(self, weights: Floats, out: Floats, nodes: NodeColumns) -> None:
        """Add the scores, summed over copies, of top-level units, or of all where `out` has one line.

        Parameters
        ----------
        weights : (copies, U) floats
            Adjoints of the values.
        out : (n_top or 1, P) floats
        nodes : callable
            As of `Leaf.units`.
        """
        leaf = self._of
        for run, evaluation in leaf.again(self._runs, nodes):
            own = weights[run].reshape(-1)[leaf.target]
            if out.shape[0] == 1:
                out[:, evaluation.columns] += evaluation.scores(own, np.array([0, leaf.likelihood.rows.y.size]))
                continue
            first, owner = leaf.segments
            _add(out, owner, evaluation.columns, evaluation.scores(own, first))

    def squared_scores(self, weights: Floats, nodes: NodeColumns) -> Floats:
        """Return the sum over units and copies of s s' (P, P), each weighted; arguments as of `add_scores`."""
        leaf = self._of
        total = np.zeros((leaf.likelihood.n_parameters,) * 2)
        owner = np.repeat(leaf.target, np.diff(leaf.likelihood.rows.first))
        begins = np.flatnonzero(np.diff(owner, prepend=-1))
        for run, evaluation in leaf.again(self._runs, nodes):
            scores = evaluation.scores(np.ones(leaf.target.size), np.append(begins, owner.size))
            weight = weights[run].reshape(-1)[owner[begins]]
            every = np.arange(total.shape[0])[evaluation.columns]
            total[np.ix_(every, every)] += (scores * weight[:, None]).T @ scores
        return total


class Leaf:
    """What one configuration's model says of the units of the lowest stage, in each copy of the data.

    Parameters
    ----------
    piece : Piece
    model : LeafModel
    table : ParameterTable
        Whose levels are those of the design.
    design : Design
        One copy.
    owners : Owners
    nodes : callable or None
        Returns the columns of a run of copies, (run, n_rows) each; None where the model does not see the nodes.
    names : frozenset of str
        Names of these columns.
    copies, points, threads : int
    like : Leaf, optional
        Of another configuration: its rows' arrays are taken where they are equal.
    """

    def __init__(
        self, piece: Piece, model: LeafModel, table: ParameterTable, design: Design, owners: Owners,
        nodes: NodeColumns | None, names: frozenset[str], copies: int, points: int, threads: int,
        like: Leaf | None = None,
    ) -> None:  # fmt: skip
        self.piece, self.owners, self._design, self._names = piece, owners, design, names
        self._sees = nodes is not None
        self.copies = copies if nodes is not None else 1
        of = any(k in design.responses for k in names)  # values of responses are no columns alone
        self._rows = sum(int((~np.isnan(y)).sum()) for y in design.responses.values())
        self.together = self.copies if of else _run(self.copies, self._rows)
        self._make(model, table, points, threads, nodes, None if like is None else like.likelihood)
        if self.together < self.copies and self.likelihood.chain.moderated:
            self.together = self.copies
            self._make(model, table, points, threads, nodes, None if like is None else like.likelihood)
        self.fixed = nodes is not None and (of or self.likelihood.chain.moderated)
        """Whether nodes that move need another leaf."""
        base, rows_of = design.n_rows, self.likelihood.rows
        copy, record = np.divmod(rows_of.records, base)
        self.target: Ints = copy * owners.n_lowest + owners.lowest[record]
        copy, record = np.divmod(rows_of.source, base)
        owner = copy * owners.n_top + owners.top[record]
        begins = np.flatnonzero(np.diff(owner, prepend=-1))
        self.segments = np.append(begins, owner.size), owner[begins] % max(owners.n_top, 1)

    def _make(
        self, model: LeafModel, table: ParameterTable, points: int, threads: int, nodes: NodeColumns | None,
        like: QuadratureLikelihood | None,
    ) -> None:  # fmt: skip
        design = self._design
        if nodes is not None:
            design = repeated(design, nodes(slice(0, self.together)), self.together)
        self.likelihood: QuadratureLikelihood = QuadratureLikelihood(
            model.form, design, model.table.variables, table.levels, model.factored, points, threads,
            like=like,
        )  # fmt: skip
        self._seen: int | None = 0
        self._moving_offset = any(
            c.column in self._names for ps in self.likelihood.reduced.offsets.values() for p in ps for c in p
        )

    @property
    def empty(self) -> bool:
        """Whether no row has a response with all that it depends on."""
        return not self.target.size

    def resize(self, copies: int, points: int) -> bool:
        """Take another number of copies; False where that needs another leaf."""
        self._seen = None
        if self._sees:
            if self.fixed or _run(copies, self._rows) != self.together:
                return False
            self.copies = copies
        self.likelihood.points = points
        return True

    def moved(self) -> None:
        """Forget the nodes: others are in their place."""
        self._seen = None

    def units(self, x: Floats, nodes: NodeColumns) -> LeafEvaluation:
        """Return the values of the units in all copies.

        Parameters
        ----------
        x : (P,) floats
        nodes : callable
            Returns the columns of a run of copies. It is handed over with every question, since whoever has the nodes
            holds the leaf: objects that hold each other would leave memory late.

        Raises
        ------
        Infeasible
            Where a mode is not found.
        """
        size, t = self.owners.n_lowest, self.together
        values = np.empty((self.copies, size))
        kept: list[UnitEvaluation | TypedUnits] = []
        chain = self.likelihood.chain
        if not self._sees:
            found = self.likelihood.units(x)
            values[:] = sums(found.values, self.target, size)
            return LeafEvaluation(values, self, (found,))
        cells, one = chain.cells(x), self.copies <= t or not chain.crossing
        for first in range(0, self.copies, t):
            self._see(first, nodes)
            found = self.likelihood.units_by_row(x, cells)
            values[first : first + t] = sums(found.values, self.target, t * size).reshape(t, size)
            kept.append(found if one else found.without_inputs())
        return LeafEvaluation(values, self, tuple(kept))

    def again(
        self, runs: Sequence[UnitEvaluation | TypedUnits], nodes: NodeColumns
    ) -> Iterator[tuple[slice, UnitEvaluation | TypedUnits]]:
        """Yield the runs of copies with their evaluations, each with its nodes in their place."""
        for first, evaluation in zip(range(0, self.copies, self.together), runs, strict=True):
            self._see(first, nodes)
            found = evaluation.with_inputs() if isinstance(evaluation, UnitEvaluation) else evaluation
            yield slice(first, first + self.together), found

    def _see(self, first: int, nodes: NodeColumns) -> None:
        """Put the nodes of the run that begins with a copy in their place."""
        if self._seen == first or not self._sees:
            return
        own = nodes(slice(first, first + self.together))
        columns = CopiedColumns(self._design.columns, own, self.together)
        likelihood = self.likelihood
        likelihood.chain.see(columns, self._names)
        if self._moving_offset:
            rows = likelihood.rows
            design = replace(likelihood.design, columns=columns)
            likelihood.chain.offset = row_offsets(likelihood.reduced, design, rows.source, rows.response)
        self._seen = first


def _run(copies: int, rows: int) -> int:
    """Return how many copies of so many rows lie side by side: a divisor of their number, so that no run is cut."""
    if copies * rows <= TOGETHER:
        return copies
    return max(t for t in range(1, copies + 1) if copies % t == 0 and (t == 1 or t * rows <= TOGETHER // 4))


def _add(out: Floats, owner: Ints, columns: slice | Ints, scores: Floats) -> None:
    """Add scores to those of the units that they belong to, in some columns."""
    if owner.size == len(out) and (np.diff(owner) > 0).all():
        out[:, columns] += scores
    elif isinstance(columns, slice):
        np.add.at(out, owner, scores)
    else:
        np.add.at(out, np.ix_(owner, columns), scores)
