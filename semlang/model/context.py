"""What a rule of automatic parameters may look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any

from semlang.diagnostics import Diagnostic, error
from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.roles import Roles
from semlang.model.table import Variable
from semlang.source import Source, Span

Options = Mapping[str, Any]

MOST_PAIRS = 20_000
"""Automatic covariances of one rule; 200 variables have as many."""


def covered(rows: Iterable[Draft], ns: Namespace) -> set[tuple[str, str, str]]:
    """Return the places (lhs, op, rhs) that have a row in every class of some class variable."""
    found: dict[tuple[tuple[str, str, str], str], set[int]] = {}
    for r in rows:
        if r.klass and not r.also and ns.is_class(r.class_variable) and r.target != r.class_variable:
            found.setdefault((r.key[:3], r.class_variable), set()).add(r.klass)
    return {place for (place, variable), classes in found.items() if len(classes) == ns.n_classes(variable)}


class Context:
    """What a rule may look at: the rows so far, the roles of names, variables and options."""

    def __init__(
        self, rows: list[Draft], roles: Roles, ns: Namespace, options: Options, level: int, cluster: str
    ) -> None:
        self.rows, self.roles, self.ns, self.options = rows, roles, ns, options
        self.refused: list[tuple[str, int, str]] = []
        self.level, self.cluster = level, cluster
        self.keys = {r.key for r in rows}
        self.modelled = {(r.target, r.quantity) for r in rows if r.quantity}
        self.per_class = {(r.target, r.category) for r in rows if r.op == "~1" and r.klass and not r.quantity}
        self.covered = covered(rows, ns)
        self.by_target: dict[str, list[Draft]] = {}
        self.spans: dict[str, Span | None] = {}
        for r in rows:
            self.by_target.setdefault(r.target, []).append(r)
            for name in (r.lhs, r.rhs, r.target, r.source):
                self.spans.setdefault(name, r.span)
        self.discrete = {r.target for r in rows if r.is_regression and r.class_variable} | {
            t for t, _ in self.per_class
        }

    def pairs(self, names: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
        """Yield all pairs of names that an option lets covary, or none and a refusal where they are too many."""
        if comb(len(names), 2) > MOST_PAIRS:
            self.refused.append((option, len(names), names[0]))
            return
        yield from combinations(names, 2)

    def refusals(self, source: Source) -> Iterator[Diagnostic]:
        """Yield a finding for each rule that would have added too many rows."""
        for option, n, first in self.refused:
            yield error(
                "too-many-covariances",
                f"{n} variables would get {comb(n, 2)} automatic covariances",
                source,
                self.span(first),
                label="the first of them",
                notes=f"{option} lets them covary, two by two; more than {MOST_PAIRS} are not added",
                help=f"write the covariances that you mean, and  options: {option} = false",
            )

    def variable(self, shown: str) -> Variable:
        """Return the variable that a name in a row means."""
        return self.ns.variables[self.roles.key[shown]]

    def span(self, shown: str) -> Span | None:
        """Return where the first row that gave rise to a name stands."""
        return self.spans.get(shown) or self.spans.get(self.roles.key.get(shown, shown))

    def of(self, v: Variable) -> list[Draft]:
        """Return the rows whose target is a variable."""
        return self.by_target.get(v.key, [])

    def make(self, lhs: str, op: str, rhs: str, rule: str, **fields: Any) -> Iterator[Draft]:
        """Yield an automatic row, unless one stands in its place."""
        target = self.ns.variables.get(str(fields.get("target")))
        span = self.span(lhs) or (None if target is None else self.spans.get(target.key) or target.span)
        row = Draft(lhs, op, rhs, span, user=0, rule=rule, level=self.level, **fields)
        if row.key not in self.keys and (row.class_variable or row.key[:3] not in self.covered):
            self.keys.add(row.key)
            yield row

    def pair(self, a: str, b: str, rule: str) -> Iterator[Draft]:
        """Yield the automatic (co)variance of two names."""
        key = self.roles.key
        yield from self.make(a, "~~", b, rule, target=key.get(a, a), source=key.get(b, b))
