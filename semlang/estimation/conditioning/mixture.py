"""A member of the objective that sums over the states of what is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.collapse import collapse
from semlang.data.design import Design
from semlang.data.repeated import repeated
from semlang.estimation.conditioning.conditions import Conditions
from semlang.estimation.conditioning.derived import Derived
from semlang.estimation.conditioning.filled import assuming_filled, filled, missing_where_needed
from semlang.estimation.conditioning.fold import Fold, Folded, Stage, sums
from semlang.estimation.conditioning.leaves import LeafModel, membership_forms
from semlang.estimation.conditioning.membership import Membership, products_of
from semlang.estimation.conditioning.nodes import LevelNodes
from semlang.estimation.conditioning.units import Units, complete, of_units
from semlang.estimation.likelihood import QuadratureLikelihood, UnitEvaluation
from semlang.estimation.member import Infeasible, LevelMoments, Posterior
from semlang.model.table import ROWS, ParameterTable

__all__ = ["Mixture"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOVES = 12
"""Most moves of the nodes at one point."""

MANY = 40
"""Units a parameter from which the outer product of their scores is the better information."""

STILL = 1e-4
"""Nodes stay where they are when moving them changes the log-likelihood by less."""


class Mixture:
    """One group's log-likelihood: a leaf for each configuration of classes, a copy of the data for each node.

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

    exact = False
    cautious = False

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
            self.design, self.merged = collapse(self.given)
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
        self._place()
        self._last: tuple[bytes, Folded, list[UnitEvaluation]] | None = None

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
        for n_leaf, (m, moves, c) in enumerate(
            zip(self.models, self._moves, self.conditions.configurations, strict=True)
        ):
            if old and not moves:  # it does not see the nodes
                leaf = old[n_leaf]
                leaf.points = points
            else:
                if self.conditions.fills:
                    data = self.filled(self._leaf_design, c.index)
                    data = repeated(data, own, self.copies) if moves else data
                else:
                    data = design if moves else self._leaf_design
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
        self._memberships: list[list[_Logits]] = []
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

    def _of_axis(self, axis: int, stage: Stage, design: Design) -> list[_Logits]:
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
            _Logits(axis, index, Membership(form, columns, first.size, self.copies, known))
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

    def move(self, x: Floats) -> bool:
        """Move the nodes to the posterior at `x` until the log-likelihood stays; return whether it had changed."""
        if not self.nodes:
            return False
        changed = False
        before = float(self._evaluate(x)[0].values.sum())
        for _ in range(MOVES):
            folded = self._evaluate(x)[0]
            for nodes in self.nodes:
                stage = next(i for i, s in enumerate(self.fold.stages) if s.level == nodes.level)
                nodes.move(folded.adjoints[stage])
            self._build()
            value = float(self._evaluate(x)[0].values.sum())
            still = abs(value - before) < STILL
            before = value
            if still:
                break
            changed = True
        return changed

    # ------------------------------------------------------------------ evaluation

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        return float(self._evaluate(x)[0].values.sum())

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units."""
        return self._evaluate(x)[0].values

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        folded, units = self._evaluate(x)
        return float(folded.values.sum()), self._scores(x, folded, units, True)[0]

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihoods and scores of the top-level units."""
        folded, units = self._evaluate(x)
        return folded.values, self._scores(x, folded, units, False)

    def information(self, x: Floats) -> Floats | None:
        """Return the information there would be were all states known, where there are few units for the parameters.

        It is the sum over units and states of squared scores, each weighted by the state's posterior probability. Steps
        on it are those of the gradient version of EM (Lange 1995): no longer than the data warrant.
        """
        if self.records.size > MANY * self.derived.n and not self.cautious:
            return None
        folded, units = self._evaluate(x)
        full, jacobian = self.derived.extend(x)
        total = np.zeros((full.size, full.size))
        for leaf, evaluation, target, c in zip(
            self.leaves, units, self._targets, self.conditions.configurations, strict=True
        ):
            owner = np.repeat(target, np.diff(leaf.rows.first))
            begins = np.flatnonzero(np.diff(owner, prepend=-1))
            scores = evaluation.scores(np.ones(target.size), np.append(begins, owner.size))
            weight = self._weights(folded, c.index, leaf)[owner[begins]]
            total += (scores * weight[:, None]).T @ scores
        for number, _ in enumerate(self.fold.stages):
            for g in self._memberships[number]:
                total += g.logits.information(self._adjoint(folded, number, g))
        return total if jacobian is None else jacobian.T @ total @ jacobian

    def hessian(self, x: Floats) -> Floats | None:
        """Return None: second derivatives have no closed form."""
        return None

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are."""
        return x, None

    def _evaluate(self, x: Floats) -> tuple[Folded, list[UnitEvaluation]]:
        key = x.tobytes()
        if self._last is not None and self._last[0] == key:
            return self._last[1], self._last[2]
        full, _ = self.derived.extend(x)
        n = len(self.conditions.sizes)
        size = self.fold.stages[0].parent.size
        parts = np.zeros((*self.shape, size))
        units = []
        for leaf, target, c in zip(self.leaves, self._targets, self.conditions.configurations, strict=True):
            evaluation = leaf.units(full)
            if not evaluation.values.size:
                raise Infeasible("no row has a response with all that it depends on")
            units.append(evaluation)
            copies = self._copies(leaf)
            inner = self.shape[n:] if copies == self.copies else (1,) * (len(self.shape) - n)
            parts[c.index] = sums(evaluation.values, target, copies * size).reshape(*inner, size)
        folded = self.fold.run(parts, [self._log_weights(i, full) for i in range(len(self.fold.stages))])
        if not np.isfinite(folded.values).all():
            raise Infeasible("a unit has no density")
        self._last = key, folded, units
        return folded, units

    def _log_weights(self, number: int, full: Floats) -> Floats:
        stage = self.fold.stages[number]
        n = len(self.conditions.sizes)
        total: Floats = np.zeros((1,) * (len(self.shape) + 1))
        found: dict[int, Floats] = {}
        for g in self._memberships[number]:
            varying = g.logits.X.shape[1] > 1
            inner = self.shape[n:] if varying else (1,) * (len(self.shape) - n)
            if g.axis not in found:
                shape = [self.shape[a] if i >= 0 or a == g.axis else 1 for a, i in enumerate(g.index)]
                found[g.axis] = np.empty((*shape, *inner, stage.parent.size))
            left = [self.shape[a] if a == g.axis else 1 for a, i in enumerate(g.index) if i < 0]
            log_p = g.logits.log_probabilities(full)
            found[g.axis][g.place] = log_p.reshape(*left, *inner, -1)
        for log_weight in found.values():
            total = total + log_weight
        for axis in stage.axes:
            if axis < n and axis not in self.conditions.classes:  # a unit in which it is known has one state
                known = ~self._filled[self.conditions.discrete[axis]][self._first[stage.level]]
                shape = [self.shape[axis] if a == axis else 1 for a in range(len(self.shape))]
                states = np.arange(self.shape[axis])[:, None]
                total = total + np.where(known & (states > 0), -np.inf, 0.0).reshape(*shape, -1)
        for nodes in self.nodes:
            if nodes.level == stage.level:
                total = total + nodes.log_weights(len(self.shape))
        return total

    def _scores(self, x: Floats, folded: Folded, units: list[UnitEvaluation], whole: bool) -> Floats:
        """Return the scores of the top-level units, or their sum as one line."""
        full, jacobian = self.derived.extend(x)
        n_top = 1 if whole else self.records.size
        out = np.zeros((n_top, full.size))
        for leaf, evaluation, target, (first, owner), c in zip(
            self.leaves, units, self._targets, self._segments, self.conditions.configurations, strict=True
        ):
            weights = self._weights(folded, c.index, leaf)[target]
            if whole:
                out += evaluation.scores(weights, np.array([0, leaf.rows.y.size]))
            else:
                np.add.at(out, owner, evaluation.scores(weights, first))
        for number, stage in enumerate(self.fold.stages):
            top = np.zeros(stage.parent.size, dtype=np.int64) if whole else self._top(number)
            for g in self._memberships[number]:
                out += g.logits.scores(self._adjoint(folded, number, g), top, n_top)
        return out if jacobian is None else out @ jacobian

    def _copies(self, leaf: QuadratureLikelihood) -> int:
        """Return how many copies of the data a leaf holds: one, or one a node."""
        return leaf.design.n_rows // max(self.design.n_rows, 1) if self.design.n_rows else 1

    def _weights(self, folded: Folded, index: tuple[int, ...], leaf: QuadratureLikelihood) -> Floats:
        """Return the adjoints (copies x U) of the values of a leaf's units."""
        a = folded.adjoints[0][index]
        a = a.reshape(self.copies, a.shape[-1])
        return np.asarray((a if self._copies(leaf) == self.copies else a.sum(axis=0)).reshape(-1))

    def _adjoint(self, folded: Folded, number: int, g: _Logits) -> Floats:
        """Return the adjoint (states, copies or 1, U) of the log probabilities of a discrete variable."""
        a = folded.adjoints[number][g.place]
        kept = [k for k, i in enumerate(g.index) if i < 0]
        others = tuple(j for j, k in enumerate(kept) if k != g.axis)
        a = a.sum(axis=others)
        n = len(self.conditions.sizes)
        a = np.broadcast_to(a, (a.shape[0], *self.shape[n:], a.shape[-1])) if self.shape[n:] else a
        a = a.reshape(self.shape[g.axis], self.copies, -1)
        return a if g.logits.X.shape[1] > 1 else a.sum(axis=1, keepdims=True)

    def _top(self, number: int) -> Ints:
        """Return the top-level unit of each unit of a stage."""
        out = self.fold.stages[number].parent
        for stage in self.fold.stages[number + 1 :]:
            out = stage.parent[out]
        return out

    # ------------------------------------------------------------------ posterior

    def posterior(self, x: Floats) -> Posterior:
        """Return probabilities of states, and moments of the coordinates that have nodes."""
        folded, _ = self._evaluate(x)
        classes: dict[str, Floats] = {}
        for number, stage in enumerate(self.fold.stages):
            for axis in stage.axes:
                if axis in self.conditions.classes:
                    p = folded.probabilities(number, axis)
                    classes[self.conditions.discrete[axis]] = self._all_units(p, stage.level)
        levels: dict[str, LevelMoments] = {}
        for nodes in self.nodes:
            number = next(i for i, s in enumerate(self.fold.stages) if s.level == nodes.level)
            mean, covariance = nodes.moments(folded.adjoints[number])
            named = [self.conditions.nodes[a - len(self.conditions.sizes)] for a in nodes.axes]
            latent = [d for d, key in enumerate(named) if key not in self.conditions.filled]
            if not latent:
                continue
            keys = tuple(named[d] for d in latent)
            mean, covariance = mean[:, latent], covariance[:, latent][:, :, latent]
            full, _ = self.derived.extend(x)
            F = self._factor(keys, full)
            levels[nodes.level] = LevelMoments(
                keys, self._all_units(mean @ F.T, nodes.level), self._all_units(F @ covariance @ F.T, nodes.level)
            )
        return Posterior(levels, classes)

    def _factor(self, keys: tuple[str, ...], full: Floats) -> Floats:
        F = np.zeros((len(keys), len(keys)))
        for d in self.models[0].directions:
            for key, (parameter, value) in d.loadings.items():
                if key in keys and d.key in keys:
                    F[keys.index(key), keys.index(d.key)] = full[parameter] if parameter >= 0 else value
        return F

    def probabilities(self, x: Floats, informed: bool) -> Floats:
        """Return the joint probabilities (*states, U) of all states for the units of the lowest stage.

        Parameters
        ----------
        x : (P,) floats
        informed : bool
            Given the responses of the top-level unit, else before them; NaN in units of weight zero.
        """
        if informed:
            joint = self._evaluate(x)[0].adjoints[0]
        else:
            full, _ = self.derived.extend(x)
            nothing = np.zeros((*self.shape, self.fold.stages[0].parent.size))
            weights = [self._log_weights(i, full) for i in range(len(self.fold.stages))]
            joint = self.fold.run(nothing, weights).adjoints[0]
        total = joint.sum(axis=tuple(range(joint.ndim - 1)))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(joint / total)

    @property
    def unit_of_records(self) -> Ints:
        """Unit of the lowest stage of each record of the design that was given, -1 where it has none."""
        return self._unit[self._levels[0]][self.merged]

    @property
    def weighted_inside(self) -> tuple[str, ...]:
        """Levels whose weights the leaves apply: those below the stages."""
        return self.table.levels[: self.table.levels.index(self._levels[0])]

    @property
    def leaf_points(self) -> int:
        """Points a dimension inside the leaves."""
        return 1 if self._gaussian else self._points

    @property
    def moving(self) -> tuple[bool, ...]:
        """Which configurations see the nodes."""
        return tuple(self._moves)

    def _all_units(self, values: Floats, level: str) -> Floats:
        """Return values by unit of the design that was given; NaN for units that are left out."""
        unit = self._unit[level]
        place = unit[self.merged]
        if level != ROWS:
            code = self.given.clusters[level]
            first = np.flatnonzero(np.diff(code, prepend=-1))
            place = place[first]
        out = values[np.maximum(place, 0)]
        out[place < 0] = np.nan
        return out

    @property
    def given_records(self) -> Ints:
        """First record of each top-level unit in the design that was given, before equal rows became one."""
        first = np.full(self.design.n_rows, -1)
        first[self.merged[::-1]] = np.arange(self.merged.size)[::-1]
        return first[self.records]

    def first_state_values(self, x: Floats) -> Floats | None:
        """Return the log-likelihoods of the top-level units were all in the first state of the one discrete variable.

        None where there are more, or it varies over other units.
        """
        if len(self.fold.stages) > 1 or len(self.conditions.sizes) != 1 or self.nodes or self._filled:
            return None
        if self.fold.stages[0].parent.size != self.records.size:
            return None
        full, _ = self.derived.extend(x)
        size = self.fold.stages[0].parent.size
        value = sums(self.leaves[0].units(full).values, self._targets[0], size)
        weight = self.fold.stages[0].weight
        return value if weight is None else value * weight

    @property
    def distinct(self) -> Mapping[str, int]:
        """Number of different units that each discrete latent variable can tell apart."""
        return {
            self.conditions.discrete[a]: s.parent.size
            for s in self.fold.stages
            for a in s.axes
            if a in self.conditions.classes
        }

    def state_sizes(self, x: Floats) -> dict[str, tuple[Floats, float]]:
        """Return the proportions of the states, posterior probabilities averaged over units, and the units' weight."""
        folded, _ = self._evaluate(x)
        out: dict[str, tuple[Floats, float]] = {}
        for adjoint, stage in zip(folded.adjoints, self.fold.stages, strict=True):
            for axis in stage.axes:
                if axis in self.conditions.classes:
                    p = adjoint.sum(axis=tuple(k for k in range(adjoint.ndim) if k != axis))
                    out[self.conditions.discrete[axis]] = p / p.sum(), float(p.sum())
        return out


@dataclass(frozen=True)
class _Logits:
    """Probabilities of a discrete variable in one configuration of those it depends on; -1 for all others."""

    axis: int
    index: tuple[int, ...]
    logits: Membership

    @property
    def place(self) -> tuple[Any, ...]:
        """Where they stand in an array over all states."""
        return tuple(slice(None) if i < 0 else i for i in self.index)
