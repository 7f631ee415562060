"""The data of a conditional model: a leaf for each piece in each configuration, a copy of the rows for each node."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import transformed
from semlang.data.design import Design
from semlang.estimation.conditioning.conditions import Conditions
from semlang.estimation.conditioning.derived import Derived
from semlang.estimation.conditioning.filled import assuming_filled, filled, missing_where_needed
from semlang.estimation.conditioning.flags import of_units
from semlang.estimation.conditioning.fold import Fold, Folded, Stage
from semlang.estimation.conditioning.leaf import Leaf, LeafEvaluation, Owners
from semlang.estimation.conditioning.leaves import LeafModel, membership_forms
from semlang.estimation.conditioning.membership import Membership, products_of
from semlang.estimation.conditioning.nodes import LevelNodes
from semlang.estimation.conditioning.pieces import Piece, pieces_of
from semlang.estimation.conditioning.units import Units, complete
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
    like : Copies, optional
        Of another run of units: its rows' arrays are taken where they are equal.
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
        like: Copies | None = None,
    ) -> None:
        self._like = like
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
        self._leaves: list[Leaf] | None = None
        self.units = units = Units.of(table, self.design, conditions, self._filled)
        self.fold = Fold(units.stages, units.records.size)
        self._unit, self._first, self._levels = units.number, units.first, units.levels
        self.records, self.multiplicity, self.used = units.records, units.multiplicity, units.used
        self._leaf_design = units.inner
        observed = {k: int((~np.isnan(y)).sum()) for k, y in self.design.responses.items()}
        self._pieces = pieces_of(table, group, conditions, forms, observed)
        self._memberships: list[list[Logits]] | None = None
        self._place()
        self._last: tuple[bytes, Folded, list[LeafEvaluation]] | None = None

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

    @property
    def leaves(self) -> list[Leaf]:
        """What is left in each piece and configuration, with the nodes as they are; made when it is first needed."""
        if self._leaves is None:
            self._leaves = []
            known = self._like.leaves[:1] if self._like is not None else self._leaves
            for piece in self._pieces:
                self._leaves.append(self._leaf(piece, known[0] if known else None))
        return self._leaves

    @property
    def memberships(self) -> list[list[Logits]]:
        """Probabilities of the discrete variables of each stage, with the nodes as they are."""
        if self._memberships is None:
            self._memberships = self._all_logits()
        return self._memberships

    def _leaf(self, piece: Piece, like: Leaf | None = None) -> Leaf:
        m, moves = self.models[piece.configuration], self._moves[piece.configuration]
        if self.conditions.fills:
            design = self.filled(self._leaf_design, piece.index)
        else:
            design = _only(self._leaf_design, piece)
        top = self._unit[self.table.clusters[-1] if self.table.clusters else ROWS]
        owners = Owners(self._unit[self._levels[0]], top, self.fold.stages[0].parent.size, self.records.size)
        names = frozenset(self._own_names)
        nodes = self._own_nodes() if moves and names else None
        return Leaf(piece, m, self.table, design, owners, nodes, names, self.copies, self.leaf_points, self._threads)

    def _own_nodes(self) -> Callable[[slice], dict[str, Floats]]:
        """Return `node_columns` for the leaves; what they hold of this would keep both in memory."""
        this = weakref.ref(self)

        def columns(run: slice) -> dict[str, Floats]:
            owner = this()
            assert owner is not None
            return owner.node_columns(run)

        return columns

    @property
    def leaf_points(self) -> int:
        """Points a dimension inside the leaves."""
        return 1 if self._gaussian else self._points

    def _nodes_moved(self) -> None:
        """Let the leaves see the nodes as they are."""
        self._last, self._memberships = None, None
        if self._leaves is not None:
            self._leaves = [self._leaf(leaf.piece) if leaf.fixed else leaf for leaf in self._leaves]
            for leaf in self._leaves:
                leaf.moved()

    def _all_logits(self) -> list[list[Logits]]:
        return [
            [logits for axis in stage.axes if axis in self.conditions.classes for logits in self._of_axis(axis, stage)]
            for stage in self.fold.stages
        ]

    @property
    def _own_names(self) -> list[str]:
        """Names of the columns of nodes."""
        n = len(self.conditions.sizes)
        keys = [self.conditions.nodes[a - n] for nodes in self.nodes for a in nodes.axes]
        filled = {f.key for f in self._gaussian_fills}
        return [k if k in filled else f"node({k})" for k in keys]

    def node_columns(self, run: slice = slice(None), records: Ints | None = None) -> dict[str, Floats]:
        """Return the nodes of each continuous variable by copy and record, (copies, n_rows).

        Of a gaussian response all its values, the nodes where it is filled in.

        Parameters
        ----------
        run : slice
            Copies.
        records : (n,) ints, optional
            Default: all.
        """
        n = len(self.conditions.sizes)
        here = slice(None) if records is None else records
        own: dict[str, Floats] = {}
        for nodes in self.nodes:
            unit = np.maximum(self._unit[nodes.level][here], 0)
            shape = [1] * (len(self.shape) - n)
            for a in nodes.axes:
                shape[a - n] = nodes.points
            number = np.broadcast_to(np.arange(nodes.z.shape[1]).reshape(shape), self.shape[n:]).reshape(-1)[run]
            once, number = np.unique(number, return_inverse=True)  # nodes of one level repeat for those of another
            values = nodes.some(nodes.z[:, once])
            for d, axis in enumerate(nodes.axes):
                key = self.conditions.nodes[axis - n]
                at = values[d][number][:, unit]
                fill = next((f for f in self._gaussian_fills if f.key == key), None)
                if fill is None:
                    own[f"node({key})"] = at
                else:
                    seen = of_units(self.design.responses[key], self.design, fill.level)[here]
                    own[key] = np.where(self._filled[key][here], fill.centre[here] + fill.scale * at, seen)
        return own

    def _of_axis(self, axis: int, stage: Stage) -> list[Logits]:
        """Return the probabilities of a discrete variable in each configuration of the others."""
        key = self.conditions.discrete[axis]
        first = self._first[stage.level]
        products = products_of(list(self._logits[key].values()))
        names = self._names
        moving = any(c.column in names for p in products for c in p)
        own = self.node_columns(records=first) if moving else {}
        columns = {}
        for p in products:
            column = self.design.columns[tuple(c for c in p if c.column not in own)][first][None]
            for c in p:
                if c.column in own:
                    column = column * transformed(own[c.column], c)
            columns[p] = column
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
        self._points, self._last = q, None
        if not self.nodes:
            for leaf in self._leaves or ():
                leaf.likelihood.points = self.leaf_points
            return
        n = len(self.conditions.sizes)
        self.shape = (*self.shape[:n], *([q] * len(self.conditions.nodes)))
        self.copies = int(np.prod(self.shape[n:], dtype=np.int64))
        self.nodes = []
        for (level, axes), was in old.items():
            new = self._level_nodes(level, axes, q)
            new.mean, new.factor = was.mean, was.factor
            self.nodes.append(new)
        before, self._leaves, self._memberships = self._leaves, None, None
        if before is not None:
            self._leaves = [self._resized(leaf) for leaf in before]

    def _resized(self, leaf: Leaf) -> Leaf:
        """Return a leaf for as many copies as there are; it is the same where it does not hold all of them."""
        if leaf.resize(self.copies, self.leaf_points):
            return leaf
        return self._leaf(leaf.piece)


def _only(design: Design, piece: Piece) -> Design:
    """Return the design in which the responses of a piece are all that is observed."""
    if piece.responses is None:
        return design
    nothing = np.full(design.n_rows, np.nan)
    return replace(
        design, responses={k: y if k in piece.responses else nothing for k, y in design.responses.items()}
    )  # fmt: skip
