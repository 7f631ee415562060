"""The log-likelihood of a conditional model, its scores and information: sums over states of what the leaves say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.conditioning.copies import Copies, Logits
from semlang.estimation.conditioning.fold import Folded, sums
from semlang.estimation.conditioning.pieces import Piece
from semlang.estimation.likelihood import QuadratureLikelihood, UnitEvaluation
from semlang.estimation.member import Infeasible
from semlang.estimation.typed_rows import TypedUnits

__all__ = ["Summed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOVES = 12
"""Most moves of the nodes at one point."""

MANY, DISTINCT = 40, 5
"""Units a parameter, and different ones, from which the outer product of their scores is the better information."""

STILL = 1e-4
"""Nodes stay where they are when moving them changes the log-likelihood by less."""


class Summed(Copies):
    """One group's log-likelihood: sums over the states of what is conditioned on, see `Copies`."""

    exact = False
    standing = True
    cautious = False
    _last: tuple[bytes, Folded, list[UnitEvaluation | TypedUnits]] | None

    def move(self, x: Floats) -> bool:
        """Move the nodes to the posterior at `x` until the log-likelihood stays; return whether it had changed."""
        if not self.nodes:
            return False
        changed = False
        before = float(self._evaluate(x)[0].values.sum())
        for _ in range(MOVES):
            self.move_once(x)
            value = float(self._evaluate(x)[0].values.sum())
            still = abs(value - before) < STILL
            before = value
            if still:
                break
            changed = True
        return changed

    def move_once(self, x: Floats) -> None:
        """Move the nodes to the posterior at `x` by the nodes as they are."""
        folded = self._evaluate(x)[0]
        for nodes in self.nodes:
            stage = next(i for i, s in enumerate(self.fold.stages) if s.level == nodes.level)
            nodes.move(folded.adjoints[stage])
        self._build()

    def release(self) -> None:
        """Put the nodes where the prior has them."""
        if self.nodes:
            self.leaves = []
            self._place()

    def reset(self) -> None:
        """Forget modes and the last evaluation: the next one depends on its coordinates and the nodes alone."""
        self._last = None
        for leaf in self.leaves:
            leaf.reset()

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

        Equal units are one here, but count as often as they occur.

        It is the sum over units and states of squared scores, each weighted by the state's posterior probability. Steps
        on it are those of the gradient version of EM (Lange 1995): no longer than the data warrant. Given the states
        the scores of two pieces are uncorrelated, so that their squares add up.
        """
        n = self.derived.n
        if not self.cautious and self.multiplicity.sum() > MANY * n and self.records.size >= DISTINCT * n:
            return None
        folded, units = self._evaluate(x)
        full, jacobian = self.derived.extend(x)
        total = np.zeros((full.size, full.size))
        for leaf, evaluation, target, piece in zip(self.leaves, units, self._targets, self._pieces, strict=True):
            owner = np.repeat(target, np.diff(leaf.rows.first))
            begins = np.flatnonzero(np.diff(owner, prepend=-1))
            scores = evaluation.scores(np.ones(target.size), np.append(begins, owner.size))
            weight = self._weights(folded, piece, leaf)[owner[begins]]
            every = np.arange(full.size)[evaluation.columns]
            total[np.ix_(every, every)] += (scores * weight[:, None]).T @ scores
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

    def _evaluate(self, x: Floats) -> tuple[Folded, list[UnitEvaluation | TypedUnits]]:
        key = x.tobytes()
        if self._last is not None and self._last[0] == key:
            return self._last[1], self._last[2]
        full, _ = self.derived.extend(x)
        n = len(self.conditions.sizes)
        size = self.fold.stages[0].parent.size
        parts = np.zeros((*self.shape, size))
        units = []
        for leaf, target, piece in zip(self.leaves, self._targets, self._pieces, strict=True):
            evaluation = leaf.units(full)
            if not evaluation.values.size:
                raise Infeasible("no row has a response with all that it depends on")
            units.append(evaluation)
            copies = self._copies(leaf)
            inner = self.shape[n:] if copies == self.copies else (1,) * (len(self.shape) - n)
            parts[piece.place] += sums(evaluation.values, target, copies * size).reshape(*inner, size)
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

    def _scores(self, x: Floats, folded: Folded, units: list[UnitEvaluation | TypedUnits], whole: bool) -> Floats:
        """Return the scores of the top-level units, or their sum as one line."""
        full, jacobian = self.derived.extend(x)
        n_top = 1 if whole else self.records.size
        out = np.zeros((n_top, full.size))
        for leaf, evaluation, target, (first, owner), piece in zip(
            self.leaves, units, self._targets, self._segments, self._pieces, strict=True
        ):
            weights = self._weights(folded, piece, leaf)[target]
            if whole:
                out[:, evaluation.columns] += evaluation.scores(weights, np.array([0, leaf.rows.y.size]))
            else:
                _add(out, owner, evaluation.columns, evaluation.scores(weights, first))
        for number, stage in enumerate(self.fold.stages):
            top = np.zeros(stage.parent.size, dtype=np.int64) if whole else self._top(number)
            for g in self._memberships[number]:
                out += g.logits.scores(self._adjoint(folded, number, g), top, n_top)
        return out if jacobian is None else out @ jacobian

    def _weights(self, folded: Folded, piece: Piece, leaf: QuadratureLikelihood) -> Floats:
        """Return the adjoints (copies x U) of the values of a leaf's units."""
        a = folded.adjoints[0][piece.place]
        a = a.sum(axis=tuple(range(piece.index.count(-1))))
        a = a.reshape(self.copies, a.shape[-1])
        return np.asarray((a if self._copies(leaf) == self.copies else a.sum(axis=0)).reshape(-1))

    def _adjoint(self, folded: Folded, number: int, g: Logits) -> Floats:
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


def _add(out: Floats, owner: Ints, columns: slice | Ints, scores: Floats) -> None:
    """Add scores to those of the units that they belong to, in some columns."""
    if owner.size == len(out) and (np.diff(owner) > 0).all():
        out[:, columns] += scores
    elif isinstance(columns, slice):
        np.add.at(out, owner, scores)
    else:
        np.add.at(out, np.ix_(owner, columns), scores)
