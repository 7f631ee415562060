"""The data of a conditional model: a leaf for each piece in each configuration, a copy of the rows for each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.repeated import repeated
from semlang.estimation.conditioning.conditions import Conditions
from semlang.estimation.conditioning.derived import Derived
from semlang.estimation.conditioning.filled import assuming_filled, filled, missing_where_needed
from semlang.estimation.conditioning.flags import of_units
from semlang.estimation.conditioning.fold import Fold, Folded, Stage
from semlang.estimation.conditioning.leaves import LeafModel, membership_forms
from semlang.estimation.conditioning.membership import Membership, products_of
from semlang.estimation.conditioning.nodes import LevelNodes
from semlang.estimation.conditioning.pieces import Piece, pieces_of
from semlang.estimation.conditioning.units import Units, complete
from semlang.estimation.likelihood import QuadratureLikelihood, UnitEvaluation
from semlang.estimation.typed_rows import TypedUnits
from semlang.model.table import ROWS, ParameterTable

__all__ = ["Copies", "Logits"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Logits:
    """Probabilities of a discrete variable in one configuration of those it depends on; -1 for all others."""

    axis: int
    index: tuple[int, ...]
    logits: Membership

    @property
    def place(self) -> tuple[Any, ...]:
        """Where they stand in an array over all states."""
        return tuple(slice(None) if i < 0 else i for i in self.index)


class Copies:
    """One group's data in all states: a leaf for each piece of the responses, a copy of the rows for each node.

    Parameters
    ----------
    table : ParameterTable
        With locations of all mass points, see `with_locations`.
    group : int
        From 1.
    design : Design
    conditions : Conditions
    models : sequence of LeafModel
        What is left in each configuration.
    derived : Derived
    points : int
        Nodes a dimension, of what is conditioned on and of the leaves' quadrature.
    gaussian : bool
        Whether one point is exact in the leaves.
    threads : int
    """

    def __init__(
        self,
        table: ParameterTable,
        group: int,
        design: Design,
        conditions: Conditions,
        models: Sequence[LeafModel],
        derived: Derived,
        points: int,
        gaussian: bool,
        threads: int = 1,
    ) -> None:
        self.table, self.conditions, self.models, self.derived = table, conditions, tuple(models), derived
        self._gaussian, self._threads, self._points = gaussian, threads, points
        self._logits = membership_forms(table, group, conditions, self.models, derived.size)
        self._integrated = bool(conditions.nodes) or (
            not gaussian and any(len(m.form.disturbances) for m in self.models)
        )
        names = self._names
        self.dropped: Mapping[str, int]
        logits = {k: (table.variables[k].level, list(forms.values())) for k, forms in self._logits.items()}
        forms = [m.form for m in self.models]
        known = assuming_filled(forms, design, conditions.fills) if conditions.fills else design.columns
        self.given, self.dropped = complete(design, forms, logits, names, known)
        self.merged: Ints
        self.design, self.merged = self.given, np.arange(design.n_rows)
        if not conditions.nodes:
            self.design, self.merged = self.given.distinct
        self._gaussian_fills = [f for f in conditions.fills if f.gaussian]
        self._moves = [
            bool(self._gaussian_fills) or any(c.column in names for p in m.form.needed for q in p for c in q)
            for m in self.models
        ]
        self._filled = missing_where_needed(forms, self.design, conditions.fills) if conditions.fills else {}
        self.leaves: list[QuadratureLikelihood] = []
        self.units = units = Units.of(table, self.design, conditions, self._filled)
        self.fold = Fold(units.stages, units.records.size)
        self._unit, self._first, self._levels = units.number, units.first, units.levels
        self.records, self.multiplicity, self.used = units.records, units.multiplicity, units.used
        self._leaf_design = units.inner
        observed = {k: int((~np.isnan(y)).sum()) for k, y in self.design.responses.items()}
        self._pieces = pieces_of(table, group, conditions, forms, observed)
        self._place()
        self._last: tuple[bytes, Folded, list[UnitEvaluation | TypedUnits]] | None = None

    # ------------------------------------------------------------------ data

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(d.column for m in self.models for d in m.directions)

    def _place(self) -> None:
        """Put the nodes at the prior and build the leaves."""
        n = len(self.conditions.sizes)
        q = self._points if self.conditions.nodes else 1
        self.shape = (*self.conditions.sizes, *([q] * len(self.conditions.nodes)))
        self.copies = int(np.prod(self.shape[n:], dtype=np.int64))
        self.nodes = [
            self._level_nodes(s.level, [a for a in s.axes if a >= n], q)
            for s in self.fold.stages
            if any(a >= n for a in s.axes)
        ]
        self._build()

    def _level_nodes(self, level: str, axes: Sequence[int], q: int) -> LevelNodes:
        first, n = self._first[level], len(self.conditions.sizes)
        scales = np.full((first.size, len(axes)), np.nan)
        for f in self._gaussian_fills:
            axis = n + self.conditions.nodes.index(f.key)
            if axis in axes:
                scales[self._filled[f.key][first], list(axes).index(axis)] = f.scale
        return LevelNodes(level, axes, first.size, q, scales if self._gaussian_fills else None)

    def filled(self, design: Design, index: tuple[int, ...]) -> Design:
        """Return a design with the missing responses that predict as they are in a configuration.

        Gaussian ones have some value; the nodes take its place.
        """
        for f in self.conditions.fills:
            state = 0 if f.gaussian else index[self.conditions.discrete.index(f.key)]
            design = filled(design, f, self._filled[f.key], *f.states[state])
        return design

    def _build(self) -> None:
        """Build the leaves of the nodes as they are, and the log weights of these."""
        design, self._last = self._leaf_design, None
        own = self.node_columns()
        if own and not self.conditions.fills:
            design = repeated(design, own, self.copies)
        points = 1 if self._gaussian else self._points
        old, self.leaves = self.leaves, []
        for n_leaf, piece in enumerate(self._pieces):
            m, moves = self.models[piece.configuration], self._moves[piece.configuration]
            if old and not moves:  # it does not see the nodes
                leaf = old[n_leaf]
                leaf.points = points
            else:
                if self.conditions.fills:
                    data = self.filled(self._leaf_design, piece.index)
                    data = repeated(data, own, self.copies) if moves else data
                else:
                    data = _only(design if moves else self._leaf_design, piece)
                leaf = QuadratureLikelihood(
                    m.form, data, m.table.variables, self.table.levels, m.factored, points, self._threads
                )
            self.leaves.append(leaf)
        self._targets, self._segments = [], []
        lowest, size = self._unit[self._levels[0]], self.fold.stages[0].parent.size
        top = self._unit[self.table.clusters[-1] if self.table.clusters else ROWS]
        rows = self.design.n_rows
        for leaf in self.leaves:
            copy, record = np.divmod(leaf.records, rows)
            self._targets.append(copy * size + lowest[record])
            copy, record = np.divmod(leaf.rows.source, rows)
            owner = copy * self.records.size + top[record]
            begins = np.flatnonzero(np.diff(owner, prepend=-1))
            self._segments.append((np.append(begins, owner.size), owner[begins] % self.records.size))
        self._memberships: list[list[Logits]] = []
        for stage in self.fold.stages:
            here = []
            for axis in stage.axes:
                if axis in self.conditions.classes:
                    here += self._of_axis(axis, stage, design)
            self._memberships.append(here)

    def node_columns(self) -> dict[str, Floats]:
        """Return the nodes of each continuous variable by copy and record, (copies, n_rows).

        Of a gaussian response all its values, the nodes where it is filled in.
        """
        n = len(self.conditions.sizes)
        own: dict[str, Floats] = {}
        for nodes in self.nodes:
            values = nodes.values  # (dims, q^dims, U)
            unit = np.maximum(self._unit[nodes.level], 0)
            for d, axis in enumerate(nodes.axes):
                shape = [1] * (len(self.shape) - n)
                for a in nodes.axes:
                    shape[a - n] = nodes.points
                each = np.broadcast_to(values[d].reshape(*shape, -1), (*self.shape[n:], values.shape[2]))
                key = self.conditions.nodes[axis - n]
                at = np.ascontiguousarray(each.reshape(self.copies, -1)[:, unit])
                fill = next((f for f in self._gaussian_fills if f.key == key), None)
                if fill is None:
                    own[f"node({key})"] = at
                else:
                    seen = of_units(self.design.responses[key], self.design, fill.level)
                    own[key] = np.where(self._filled[key], fill.centre + fill.scale * at, seen)
        return own

    def _of_axis(self, axis: int, stage: Stage, design: Design) -> list[Logits]:
        """Return the probabilities of a discrete variable in each configuration of the others."""
        key = self.conditions.discrete[axis]
        first = self._first[stage.level]
        rows = self.design.n_rows
        columns = {
            p: design.columns[p].reshape(self.copies, rows)[:, first]
            if any(c.column in self._names for c in p) else self.design.columns[p][first][None]
            for p in products_of(list(self._logits[key].values()))
        }  # fmt: skip
        known: Ints | None = None
        if key in self.design.observed:
            value = of_units(self.design.observed[key], self.design, stage.level)[first]
            known = np.where(np.isnan(value), -1, np.nan_to_num(value) - 1).astype(np.int64)
        return [
            Logits(axis, index, Membership(form, columns, first.size, self.copies, known))
            for index, form in self._logits[key].items()
        ]

    # ------------------------------------------------------------------ points

    @property
    def points(self) -> int | None:
        """Nodes a dimension; None where there are none."""
        return self._points if self._integrated else None

    @points.setter
    def points(self, q: int | None) -> None:
        if q is None or q == self._points:
            return
        old = {(nodes.level, nodes.axes): nodes for nodes in self.nodes}
        self._points = q
        n = len(self.conditions.sizes)
        if self.nodes:
            self.shape = (*self.shape[:n], *([q] * len(self.conditions.nodes)))
            self.copies = int(np.prod(self.shape[n:], dtype=np.int64))
            self.nodes = []
            for (level, axes), was in old.items():
                new = self._level_nodes(level, axes, q)
                new.mean, new.factor = was.mean, was.factor
                self.nodes.append(new)
            self._build()
        else:
            for leaf in self.leaves:
                leaf.points = 1 if self._gaussian else q
            self._last = None

    def _copies(self, leaf: QuadratureLikelihood) -> int:
        """Return how many copies of the data a leaf holds: one, or one a node."""
        return leaf.design.n_rows // max(self.design.n_rows, 1) if self.design.n_rows else 1


def _only(design: Design, piece: Piece) -> Design:
    """Return the design in which the responses of a piece are all that is observed."""
    if piece.responses is None:
        return design
    nothing = np.full(design.n_rows, np.nan)
    return replace(
        design, responses={k: y if k in piece.responses else nothing for k, y in design.responses.items()}
    )  # fmt: skip
