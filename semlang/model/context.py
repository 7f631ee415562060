"""What a rule of automatic parameters may look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.roles import Roles
from semlang.model.table import Variable
from semlang.source import Span

Options = Mapping[str, Any]


class Context:
    """What a rule may look at: the rows so far, the roles of names, variables and options."""

    def __init__(
        self, rows: list[Draft], roles: Roles, ns: Namespace, options: Options, level: int, cluster: str
    ) -> None:
        self.rows, self.roles, self.ns, self.options = rows, roles, ns, options
        self.level, self.cluster = level, cluster
        self.keys = {r.key for r in rows}
        self.modelled = {(r.target, r.quantity) for r in rows if r.quantity}
        self.per_class = {(r.target, r.category) for r in rows if r.op == "~1" and r.klass and not r.quantity}
        self.by_target: dict[str, list[Draft]] = {}
        self.spans: dict[str, Span | None] = {}
        for r in rows:
            self.by_target.setdefault(r.target, []).append(r)
            for name in (r.lhs, r.rhs, r.target, r.source):
                self.spans.setdefault(name, r.span)
        self.discrete = {r.target for r in rows if r.is_regression and r.class_variable} | {
            t for t, _ in self.per_class
        }

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
        if row.key not in self.keys:
            self.keys.add(row.key)
            yield row

    def pair(self, a: str, b: str, rule: str) -> Iterator[Draft]:
        """Yield the automatic (co)variance of two names."""
        key = self.roles.key
        yield from self.make(a, "~~", b, rule, target=key.get(a, a), source=key.get(b, b))
