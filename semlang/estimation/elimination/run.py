"""A run of top-level units, eliminated together: distinct units at every step, messages forth, posterior weights back.

What a step makes of a unit depends only on which lines of which tables the unit has, so that units with the same lines
are one. A top unit's log-likelihood is the sum of what is left when no variable is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.elimination.contraction import Contraction, contract
from semlang.estimation.elimination.layout import Layout
from semlang.estimation.elimination.order import Step
from semlang.estimation.grid.patterns import distinct, taken
from semlang.estimation.kernels.shared_grid import Lists, sum_lines
from semlang.estimation.member import Infeasible
from semlang.sums import sum_by

__all__ = ["Message", "Node", "Run", "Sum"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST = 1e-300
"""Stands for a probability that is too small for a number."""


@dataclass(eq=False)
class Sum:
    """Sums of logarithms: of the densities of a unit's rows, or of the messages of the units inside it."""

    scope: tuple[int, ...]
    lists: Lists
    table: int = -1
    source: Node | None = None
    logs: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    bar: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def lines(self) -> int:
        return int(self.lists.first.size) - 1


@dataclass(eq=False)
class Message:
    """What is left of factors when a variable is integrated out: value x exp(scale)."""

    number: int
    scope: tuple[int, ...]
    inputs: tuple[tuple[Node, Lists], ...]
    lines: int
    contraction: Contraction | None = None
    value: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    scale: Floats = field(default_factory=lambda: np.zeros(0))
    largest: Floats = field(default_factory=lambda: np.zeros(0))
    value_bar: Floats | None = None
    bar: Floats | None = None

    @property
    def logs(self) -> Floats:
        out: Floats = np.log(np.maximum(self.value, LEAST)) + self.scale[:, None]
        return out

    def bar_of_value(self) -> Floats:
        """Return the posterior weights of the nodes of the variables that are left."""
        out = np.zeros_like(self.value)
        if self.bar is not None:
            out += self.bar
        if self.value_bar is not None:
            out += self.value_bar * self.value
        return out


Node = Sum | Message


class Run:
    """Top units whose rows are `begin` to `end`.

    Parameters
    ----------
    layout : Layout
    type_of_row : (n,) ints
        Of the rows of the run.
    firsts : sequence of ints
        First row of each unit of the lowest level, and the number of rows; then for each level above the first unit of
        the level below, and their number.
    weight : (top units,) floats
    """

    def __init__(self, layout: Layout, type_of_row: Ints, firsts: Sequence[Ints], weight: Floats) -> None:
        self.layout = layout
        self.nodes: list[Node] = []
        scope = layout.scope_of_type[type_of_row]
        pending: list[tuple[Node, Ints]] = []
        for s, variables in enumerate(layout.scopes):
            here = scope == s
            if here.any():
                before = np.concatenate([[0], np.cumsum(here)]).astype(np.int64)
                first, entry = before[firsts[0]], layout.line_of_type[type_of_row[here]]
                number, representative = distinct(first, entry)
                pending.append((self._add(Sum(variables, taken(first, entry, representative), table=s)), number))
        for height, first in enumerate(firsts):
            if height:
                pending = [self._summed(node, index, first) for node, index in pending]
            units = first.size - 1
            for n, step in enumerate(layout.steps):
                if layout.heights[n] == height:
                    pending = self._step(n, step, pending, units)
        patterns, representative = _distinct_rows([index for _, index in pending], firsts[-1].size - 1)
        self.top_of_unit, self.unit_weight = patterns, weight
        self.weight = sum_by(patterns, weight, representative.size)
        self.top = [(node, index[representative]) for node, index in pending]

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def _summed(self, node: Node, index: Ints, first: Ints) -> tuple[Node, Ints]:
        number, representative = distinct(first, index)
        return self._add(Sum(node.scope, taken(first, index, representative), source=node)), number

    def _step(self, number: int, step: Step, pending: list[tuple[Node, Ints]], units: int) -> list[tuple[Node, Ints]]:
        used = [(node, index) for node, index in pending if step.variable in node.scope]
        of_unit, representative = _distinct_rows([index for _, index in used], units)
        each = np.arange(representative.size + 1)
        inputs = tuple((node, Lists(each, np.ascontiguousarray(index[representative]))) for node, index in used)
        message = self._add(Message(number, step.rest, inputs, representative.size))
        return [p for p in pending if step.variable not in p[0].scope] + [(message, of_unit)]

    # ------------------------------------------------------------------ passes

    def forward(self, tables: Sequence[Floats], kernels: Sequence[Floats]) -> Floats:
        """Return the log-likelihoods of the distinct top units.

        Parameters
        ----------
        tables : for each scope the log densities (lines, nodes)
        kernels : for each step the product of the distributions, with the axes of its clique
        """
        for node in self.nodes:
            if isinstance(node, Sum):
                source = tables[node.table] if node.source is None else node.source.logs
                node.logs = np.empty((node.lines, source.shape[1]))
                sum_lines(node.lists, source, node.logs, 0)
                node.bar = np.zeros((0, 0))
            else:
                self._integrate(node, kernels[node.number])
        out = np.zeros(self.weight.size)
        for node, index in self.top:
            out += node.logs[index, 0]
        return out

    def _groups(self, node: Message) -> list[tuple[tuple[int, ...], list[tuple[Node, Lists]]]]:
        by_scope: dict[tuple[int, ...], list[tuple[Node, Lists]]] = {}
        for source, lists in node.inputs:
            by_scope.setdefault(source.scope, []).append((source, lists))
        return list(by_scope.items())

    def _integrate(self, node: Message, kernel: Floats) -> None:
        step, q = self.layout.steps[node.number], kernel.shape[-1]
        scale = np.zeros(node.lines)
        own, others = np.ones((node.lines, q)), []
        for scope, group in self._groups(node):
            source, lists = group[0]
            if len(group) == 1 and isinstance(source, Message):
                values = source.value if _is_same(source, lists) else source.value[lists.entry]
                scale += source.scale[lists.entry]
            else:
                values = source.logs[lists.entry]
                for s, at in group[1:]:
                    values += s.logs[at.entry]
                largest = values.max(axis=1)
                values -= largest[:, None]
                np.exp(values, out=values)
                scale += largest
                for one, _ in group:
                    if isinstance(one, Sum):
                        one.logs = np.broadcast_to(0.0, one.logs.shape)  # read no more; the shape is
            if scope == (step.variable,):
                own = values
            else:
                others.append(values.reshape(node.lines, *_shape(scope, step.clique, q)))
        node.contraction = contract(own, others, kernel)
        node.value = node.contraction.value.reshape(node.lines, -1)
        node.largest = node.value.max(axis=1)
        if not (node.largest > 0.0).all():
            raise Infeasible("a unit has no density at any node")
        if len(node.scope) > 2:  # large, and next to one at its largest
            node.largest = np.ones(node.lines)
        else:
            node.value /= node.largest[:, None]
        node.scale = scale + np.log(node.largest)
        node.bar = node.value_bar = None

    def forget(self) -> None:
        """Give back the memory of a pass: runs come one after the other, and only one has its arrays."""
        nothing = np.zeros((0, 0))
        for node in self.nodes:
            if isinstance(node, Sum):
                node.logs = node.bar = nothing
            else:
                node.contraction = node.value_bar = node.bar = None
                node.value, node.scale, node.largest = nothing, np.zeros(0), np.zeros(0)

    def backward(self, counts: Sequence[Floats], sums: Sequence[Floats], keep: bool = False) -> None:
        """Add the posterior weights of the nodes to `counts` by scope, and of kernels, by step, to `sums`.

        With `keep` the factors of the steps stay, for `expectations`.
        """
        for node, index in self.top:
            _bar(node)[:, 0] += sum_by(index, self.weight, node.lines)
        for node in reversed(self.nodes):
            if isinstance(node, Message):
                self._back(node, sums)
                if not keep:
                    node.contraction = None
            elif node.bar.size:
                target = counts[node.table] if node.source is None else _bar(node.source)
                sum_lines(node.lists, target, node.bar, 1)

    def _back(self, node: Message, sums: Sequence[Floats]) -> None:
        assert node.contraction is not None
        bar = node.value_bar
        if node.bar is not None:
            part = np.where(node.value > LEAST, node.bar / np.maximum(node.value, LEAST), 0.0)
            bar = part if bar is None else bar + part
        if bar is None:
            return
        if len(node.scope) <= 2:
            bar = bar / node.largest[:, None]
        step = self.layout.steps[node.number]
        c = node.contraction
        own, others, kernel = c.adjoint(bar.reshape(c.value.shape))
        sums[node.number][...] += kernel * c.kernel
        at = 0
        for scope, group in self._groups(node):
            if scope == (step.variable,):
                values, here = c.own, own
            else:
                values, here = c.others[at], others[at]
                at += 1
            source, lists = group[0]
            if len(group) == 1 and isinstance(source, Message):
                part = np.ascontiguousarray(here.reshape(node.lines, -1))
                if source.value_bar is None and _is_same(source, lists):
                    source.value_bar = part
                    continue
                if source.value_bar is None:
                    source.value_bar = np.zeros_like(source.value)
                sum_lines(lists, source.value_bar, part, 1)
            else:
                weights = np.ascontiguousarray((values * here).reshape(node.lines, -1))
                for s, where in group:
                    sum_lines(where, _bar(s), weights, 1)


def _is_same(node: Node, lists: Lists) -> bool:
    """Whether every line of a node is taken once, in order."""
    return lists.entry.size == node.lines and bool((lists.entry == np.arange(node.lines)).all())


def _bar(node: Node) -> Floats:
    """Return the array of a node's posterior weights, which others add to."""
    if node.bar is None or not node.bar.size:
        node.bar = np.zeros((node.value if isinstance(node, Message) else node.logs).shape)
    return node.bar


def _distinct_rows(columns: Sequence[Ints], units: int) -> tuple[Ints, Ints]:
    """Return the number of each unit's combination, and the first unit with each."""
    if not columns:
        return np.zeros(units, dtype=np.int64), np.zeros(min(units, 1), dtype=np.int64)
    entry = np.stack(columns, axis=1).ravel()
    return distinct(np.arange(units + 1) * len(columns), entry)


def _shape(scope: tuple[int, ...], clique: tuple[int, ...], q: int) -> tuple[int, ...]:
    return tuple(q if v in scope else 1 for v in clique)
