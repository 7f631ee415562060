"""The log-likelihood of a conditional model, its scores and information: sums over states of what the leaves say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.conditioning.copies import Copies, Logits
from semlang.estimation.conditioning.fold import Folded
from semlang.estimation.conditioning.leaf import Leaf, LeafEvaluation
from semlang.estimation.conditioning.nodes import LevelNodes
from semlang.estimation.member import Infeasible

__all__ = ["Summed", "are_few", "few_units", "moved_until_still"]

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
    alone = True
    _last: tuple[bytes, Folded, list[LeafEvaluation]] | None

    def move(self, x: Floats) -> bool:
        """Move the nodes to the posterior at `x` until the log-likelihood stays; return whether it had changed."""
        return moved_until_still([self], x)

    def look(self, x: Floats) -> tuple[float, list[LevelNodes]]:
        """Return the log-likelihood, and the nodes as they would be at the posterior."""
        folded = self._evaluate(x)[0]
        levels = [s.level for s in self.fold.stages]
        moved = [nodes.moved(folded.adjoints[levels.index(nodes.level)]) for nodes in self.nodes]
        return float(folded.values.sum()), moved

    def put(self, nodes: list[LevelNodes]) -> None:
        """Put nodes in the place of those that there are."""
        self.nodes = nodes
        self._nodes_moved()

    def forget(self) -> None:
        """Give the memory of the last evaluation back."""
        self._last = None

    def move_once(self, x: Floats) -> None:
        """Move the nodes to the posterior at `x` by the nodes as they are."""
        if self.nodes:
            self.put(self.look(x)[1])

    def release(self) -> None:
        """Put the nodes where the prior has them."""
        if self.nodes:
            self._place()
            self._nodes_moved()

    def reset(self) -> None:
        """Forget modes and the last evaluation: the next one depends on its coordinates and the nodes alone."""
        self._last = None
        for leaf in self._leaves or ():
            leaf.likelihood.reset()

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
        return self.given_states(x) if few_units([self]) else None

    def given_states(self, x: Floats) -> Floats:
        """Return the information there would be were all states known, see `information`."""
        folded, units = self._evaluate(x)
        full, jacobian = self.derived.extend(x)
        total = np.zeros((full.size, full.size))
        for evaluation, leaf in zip(units, self.leaves, strict=True):
            total += evaluation.squared_scores(self._weights(folded, leaf), self.node_columns)
        for number, _ in enumerate(self.fold.stages):
            for g in self.memberships[number]:
                total += g.logits.information(self._adjoint(folded, number, g))
        return total if jacobian is None else jacobian.T @ total @ jacobian

    def hessian(self, x: Floats) -> Floats | None:
        """Return None: second derivatives have no closed form."""
        return None

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are."""
        return x, None

    def _evaluate(self, x: Floats) -> tuple[Folded, list[LeafEvaluation]]:
        key = x.tobytes()
        if self._last is not None and self._last[0] == key:
            return self._last[1], self._last[2]
        full, _ = self.derived.extend(x)
        size = self.fold.stages[0].parent.size
        parts = np.zeros((*self.conditions.sizes, self.copies, size))
        if self.alone and any(leaf.empty for leaf in self.leaves):
            raise Infeasible("no row has a response with all that it depends on")
        units = [leaf.units(full, self.node_columns) for leaf in self.leaves]
        for leaf, evaluation in zip(self.leaves, units, strict=True):
            parts[leaf.piece.place] += evaluation.values
        log_weights = [self._log_weights(i, full) for i in range(len(self.fold.stages))]
        folded = self.fold.run(parts.reshape(*self.shape, size), log_weights)
        if not np.isfinite(folded.values).all():
            raise Infeasible("a unit has no density")
        self._last = key, folded, units
        return folded, units

    def _log_weights(self, number: int, full: Floats) -> Floats:
        stage = self.fold.stages[number]
        n = len(self.conditions.sizes)
        total: Floats = np.zeros((1,) * (len(self.shape) + 1))
        found: dict[int, Floats] = {}
        for g in self.memberships[number]:
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

    def _scores(self, x: Floats, folded: Folded, units: list[LeafEvaluation], whole: bool) -> Floats:
        """Return the scores of the top-level units, or their sum as one line."""
        full, jacobian = self.derived.extend(x)
        n_top = 1 if whole else self.records.size
        out = np.zeros((n_top, full.size))
        for leaf, evaluation in zip(self.leaves, units, strict=True):
            evaluation.add_scores(self._weights(folded, leaf), out, self.node_columns)
        for number, stage in enumerate(self.fold.stages):
            top = np.zeros(stage.parent.size, dtype=np.int64) if whole else self._top(number)
            for g in self.memberships[number]:
                out += g.logits.scores(self._adjoint(folded, number, g), top, n_top)
        return out if jacobian is None else out @ jacobian

    def _weights(self, folded: Folded, leaf: Leaf) -> Floats:
        """Return the adjoints (copies, U) of the values of a leaf."""
        a = folded.adjoints[0][leaf.piece.place]
        a = a.sum(axis=tuple(range(leaf.piece.index.count(-1))))
        a = a.reshape(self.copies, a.shape[-1])
        return np.asarray(a if leaf.copies == self.copies else a.sum(axis=0, keepdims=True))

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


def few_units(members: Sequence[Summed]) -> bool:
    """Whether the outer product of the units' scores is no good information: units are few, or steps shall be short."""
    units, different = sum(m.multiplicity.sum() for m in members), sum(m.records.size for m in members)
    return any(m.cautious for m in members) or are_few(units, different, members[0].derived.n)


def are_few(units: float, different: int, parameters: int) -> bool:
    """Whether units, or those among them that differ, are few for the parameters."""
    return units <= MANY * parameters or different < DISTINCT * parameters


def moved_until_still(members: Sequence[Summed], x: Floats) -> bool:
    """Move the nodes of members to the posterior at `x` until the log-likelihood stays; return whether it had changed.

    What an evaluation keeps is given back at once where there are several.
    """
    if not any(m.nodes for m in members):
        return False

    def look() -> tuple[float, list[list[LevelNodes]]]:
        total, ahead = 0.0, []
        for m in members:
            value, nodes = m.look(x)
            total += value
            ahead.append(nodes)
            if len(members) > 1:
                m.forget()
        return total, ahead

    before, ahead = look()
    for move in range(MOVES):
        for m, nodes in zip(members, ahead, strict=True):
            if m.nodes:
                m.put(nodes)
        value, ahead = look()
        if abs(value - before) < STILL:
            return move > 0
        before = value
    return True
