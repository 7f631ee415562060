"""Rows as written: what the formulas of one block say, before any default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from semlang.diagnostics import error, warning
from semlang.model.bars import bar_rows
from semlang.model.blocks import Block, Entry
from semlang.model.coding import Coding, codings
from semlang.model.draft import Draft, RowKey
from semlang.model.namespace import Namespace, Ref, product_name
from semlang.model.ordinal import is_usual
from semlang.model.targets import Target, read_targets
from semlang.model.terms import Item, drops_intercept, expand
from semlang.source import Span
from semlang.syntax import ast


@dataclass(slots=True)
class Rows:
    """The rows of a block, each place once, in order of appearance."""

    ns: Namespace
    block: Block
    rows: dict[RowKey, Draft] = field(default_factory=dict)
    codings: dict[tuple[int, int], list[tuple[tuple[Coding, Coding], ...]]] = field(default_factory=dict)
    """Of the terms of each regression, by class and identity of the statement."""

    def add(self, row: Draft, modifiers: Sequence[ast.Modifier] = ()) -> Draft:
        """Add a row, or merge it into the one that stands in its place."""
        row.efa = row.efa or next((str(m.values[0]) for m in modifiers if m.kind == "efa"), "")
        given = [m for m in modifiers if m.kind not in ("efa", "rv")]
        found = self.rows.setdefault(row.key, row)
        if found is not row:
            found.efa = row.efa or found.efa
            if not given and not found.given and row.rule == "written" and row.op != "~1":
                self._twice(row)
        for m in given:
            self._repeated(found, m)
            found.given.append(m)
        return found

    def _twice(self, row: Draft) -> None:
        place = ("repeated-term", f"{row.span}")
        span = row.span
        if span is None or any(f.span is not None and span.start <= f.span.start < span.end for f in self.ns.findings):
            return
        if place not in self.ns.reported:
            self.ns.reported.add(place)
            self.ns.findings.append(
                warning(
                    "repeated-term",
                    f"{row.lhs} {row.op} {row.rhs} stands twice",
                    self.ns.source,
                    row.span,
                    help="remove one of the two",
                )
            )

    def _repeated(self, row: Draft, m: ast.Modifier) -> None:
        same = {"free": "fixed", "equal": "label"}
        kind = same.get(m.kind, m.kind)
        if m.span.start < 0:
            return
        for old in row.given:
            if (
                same.get(old.kind, old.kind) == kind
                and (old.kind, old.values) != (m.kind, m.values)
                and (old.kind == m.kind or kind == "label")
            ):
                slot = ("repeated-modifier", f"{m.span.start}")
                if slot not in self.ns.reported:
                    self.ns.reported.add(slot)
                    self.ns.findings.append(
                        warning(
                            "repeated-modifier",
                            f"{row.lhs} {row.op} {row.rhs} is given two modifiers of one kind",
                            self.ns.source,
                            m.span,
                            label="this one holds",
                            help="keep one; numbers are not multiplied: write (2*3)*x",
                        )
                    )
                return


def _path(target: Target, op: str, item: Item, span: Span) -> Draft:
    block = ((target.class_variable, target.klass),) if target.class_variable else ()
    classes = tuple(dict.fromkeys((*item.classes, *block)))
    shown, category = target.shown, target.category
    if target.role == "class" and not classes:
        classes, shown, category = ((target.key, int(category)),), target.bare, ""
    variable, klass = classes[0] if classes else ("", 0)
    intercept = item.is_intercept and not item.shown
    return Draft(
        shown,
        "~1" if intercept else op,
        "" if intercept else item.shown,
        span,
        target.key,
        item.sources[0] if item.sources else "",
        item.sources[1:],
        item.via,
        target.quantity,
        target.threshold,
        category,
        klass,
        variable,
        also=classes[1:],
        replaces=bool(block) and not item.classes,
    )


def _in_class(row: Draft, target: Target) -> Draft:
    """Let a row of a bar hold for the class of its block; that of a logit of membership belongs to the logit."""
    if target.class_variable:
        row.klass, row.class_variable, row.replaces = target.klass, target.class_variable, True
    elif target.role == "class" and row.op == "~":
        row.lhs, row.klass, row.class_variable, row.category = target.bare, int(target.category), target.key, ""
    return row


def _constant(rows: Rows, target: Target, t: ast.Term, modifiers: Sequence[ast.Modifier]) -> None:
    row = rows.add(_path(target, "~1", Item(""), t.span), modifiers)
    _random_slope(rows, row, t)
    if t.constant in (0.0, -1.0):
        row.given.append(ast.Modifier("fixed", (0.0,), t.span))


def _regression(rows: Rows, s: ast.Formula, entry: Entry) -> None:
    ns, block = rows.ns, rows.block
    coded = _codings(rows, entry)
    for left in s.lhs:
        for target in read_targets(rows.ns, rows.block, left, entry):
            for t, coding in zip(s.rhs, coded, strict=True):
                if isinstance(t, ast.RandomEffects):
                    for row, modifiers in bar_rows(ns, block, target, t):
                        rows.add(_in_class(row, target), modifiers)
                    continue
                modifiers = (*left.modifiers, *t.modifiers)
                if not t.factors:
                    _constant(rows, target, t, modifiers)
                    continue
                for item in expand(ns, t, block, coding):
                    if target.key in item.sources and not item.via and len(item.sources) == 1:
                        _self_loop(ns, target, t)
                        continue
                    if _own_component(ns, target, item, t):
                        continue
                    row = rows.add(_path(target, "~", item, t.span), modifiers)
                    if any(c.function == "offset" for c in item.via) and not t.modifiers:
                        row.given.append(ast.Modifier("fixed", (1.0,), t.span))
                    _random_slope(rows, row, t)


def _codings(rows: Rows, entry: Entry) -> list[tuple[tuple[Coding, Coding], ...]]:
    """Return the codings of a regression's terms, next to those of other regressions of the same variables."""
    if not rows.codings:
        rows.codings.update(_all_codings(rows.block))
    return rows.codings[entry.klass, id(entry.statement)]


def _all_codings(block: Block) -> Iterator[tuple[tuple[int, int], list[tuple[tuple[Coding, Coding], ...]]]]:
    """Yield the codings of each regression, by class and identity; those of the same variables are coded at once."""
    alike: dict[tuple[int, str, frozenset[tuple[object, ...]]], list[ast.Formula]] = {}
    for e in block.entries:
        if not isinstance(e.statement, ast.Thresholds):
            key = (e.klass, e.statement.op, frozenset(map(_left, e.statement.lhs)))
            alike.setdefault(key, []).append(e.statement)
    for (klass, _, _), statements in alike.items():
        terms = [t for s in statements for t in s.rhs]
        coded = iter(codings(terms, not drops_intercept(tuple(terms))))
        for s in statements:
            yield (klass, id(s)), list(islice(coded, len(s.rhs)))


def _left(t: ast.Term) -> tuple[object, ...]:
    return tuple(f[:1] + f[2:] for f in t.factors)


def _random_slope(rows: Rows, row: Draft, t: ast.Term) -> None:
    """Read lavaan's ``rv("s")``: the slope of the path is the latent variable s."""
    m = next((m for m in t.modifiers if m.kind == "rv"), None)
    if m is None:
        return
    row.rv = str(m.values[0])
    row.fix(None, "random slope")
    if row.rv in rows.ns.slopes:
        if row.source:
            row.moderators = (row.source, *row.moderators)
        row.source = rows.ns.make_latent(row.rv, rows.ns.slopes[row.rv], m.span)


def _slope_variables(rows: Rows) -> None:
    """List the random slopes of ``rv()`` as lavaan does: ``s =~ s`` fixed to 0."""
    ns, block = rows.ns, rows.block
    for name, level in ns.slopes.items():
        if level == block.cluster and block.level > 0:
            span = ns.latents[name][level]
            key = ns.make_latent(name, level, span)
            row = rows.add(Draft(name, "=~", name, span, key, key, rule="random slope"))
            row.given.append(ast.Modifier("fixed", (0.0,), span))


def _own_component(ns: Namespace, target: Target, item: Item, t: ast.Term) -> bool:
    """Tell whether a term is the response's own component, which is part of it with coefficient 1 without a row."""
    v = ns.variables.get(item.sources[0]) if len(item.sources) == 1 and not item.via else None
    if v is None or v.role != "component" or v.response != target.key or target.quantity or target.threshold:
        return False
    ns.parts[v.key] = v.response
    if t.modifiers:
        ns.findings.append(
            error(
                "component-path",
                f"{v.key} is part of {v.name} with coefficient 1",
                ns.source,
                t.span,
                help=f"remove the modifier, or write a latent variable of another name: 'u[{v.level}]'",
            )
        )
    return True


def _self_loop(ns: Namespace, target: Target, t: ast.Term) -> None:
    ns.findings.append(
        error("self-regression", f"{target.shown} is regressed on itself", ns.source, t.span, help="remove the term")
    )


def _measurement(rows: Rows, s: ast.Formula, entry: Entry) -> None:
    ns, block = rows.ns, rows.block
    for left in s.lhs:
        v = left.factors[0]
        assert isinstance(v, ast.Variable)
        ref = ns.resolve(v, block)
        for t, coded in zip(s.rhs, codings(s.rhs, True), strict=True):
            if isinstance(t, ast.RandomEffects):  # the parser rejects them
                continue
            modifiers = (*left.modifiers, *t.modifiers)
            if not t.factors:
                row = Draft(
                    ref.shown,
                    s.op,
                    ref.shown,
                    t.span,
                    ref.key,
                    ref.key,
                    klass=entry.klass,
                    class_variable=entry.class_variable,
                    replaces=bool(entry.class_variable),
                )
                rows.add(row, (*modifiers, ast.Modifier("fixed", (t.constant,), t.span)))
                continue
            if product_name(t) is None or s.op != "=~":
                measured: ast.Term = t
                via: tuple[Item, ...] = (Item(""),)
            else:
                measured = t._replace(factors=t.factors[:1])
                via = expand(ns, t._replace(factors=t.factors[1:]), block, coded)
            for target in read_targets(rows.ns, rows.block, measured, entry):
                if ns.is_class(ref.key):
                    _class_measurement(rows, ref, target, t, modifiers)
                    continue
                if target.key == ref.key:
                    _self_loop(ns, target, t)
                    continue
                for item in via:
                    shown = ":".join(x for x in (target.shown, item.shown) if x)
                    moderators = item.sources
                    row = Draft(
                        ref.shown,
                        s.op,
                        shown,
                        t.span,
                        target.key,
                        ref.key,
                        moderators,
                        item.via,
                        target.quantity,
                        0,
                        target.category,
                        target.klass,
                        target.class_variable,
                        replaces=bool(target.class_variable),
                    )
                    rows.add(row, modifiers)


def _class_measurement(rows: Rows, ref: Ref, target: Target, t: ast.Term, modifiers: Sequence[ast.Modifier]) -> None:
    """``c =~ y``: one intercept per class."""
    for k in range(1, rows.ns.n_classes(ref.key) + 1):
        rows.add(_path(target, "~1", Item("", classes=((ref.key, k),)), t.span), modifiers)


def _composite(rows: Rows, s: ast.Formula, entry: Entry) -> None:
    ns, block = rows.ns, rows.block
    for left in s.lhs:
        v = left.factors[0]
        assert isinstance(v, ast.Variable)
        ref = ns.resolve(v, block)
        for t in s.rhs:
            if isinstance(t, ast.RandomEffects) or not t.factors:
                continue
            for target in read_targets(rows.ns, rows.block, t, entry):
                row = Draft(ref.shown, "<~", target.shown, t.span, ref.key, target.key)
                rows.add(row, (*left.modifiers, *t.modifiers))


def _covariance(rows: Rows, s: ast.Formula, entry: Entry) -> None:
    for left in s.lhs:
        for a in read_targets(rows.ns, rows.block, left, entry):
            for t in s.rhs:
                if isinstance(t, ast.RandomEffects):
                    continue
                for b in read_targets(rows.ns, rows.block, t, entry):
                    row = Draft(
                        a.shown,
                        s.op,
                        b.shown,
                        t.span,
                        a.key,
                        b.key,
                        klass=entry.klass,
                        class_variable=entry.class_variable,
                        replaces=bool(entry.class_variable),
                    )
                    rows.add(row, (*left.modifiers, *t.modifiers))


def _instruments(rows: Rows, s: ast.Formula, entry: Entry) -> None:
    """``y |~ z1 + z2``: kept as lavaan keeps them; maximum likelihood has no use for instruments."""

    def name(t: ast.Term) -> str:
        return ":".join(f.name if isinstance(f, ast.Variable) else f.variable.name for f in t.factors)

    for left in s.lhs:
        for t in s.rhs:
            if isinstance(t, ast.Term):
                op = "|~" if t.factors else "|~1"
                row = rows.add(Draft(name(left), op, name(t), t.span), (*left.modifiers, *t.modifiers))
                row.fix(0.0, "instrument")


def _threshold_number(name: str, position: int) -> int:
    return int(name[1:]) if is_usual(name) else position


def _thresholds(rows: Rows, s: ast.Thresholds, entry: Entry) -> None:
    ns, block = rows.ns, rows.block
    for left in s.lhs:
        v = left.factors[0]
        assert isinstance(v, ast.Variable)
        ref = ns.resolve(v, block)
        before = sum(1 for r in rows.rows.values() if r.op == "|" and r.target == ref.key)
        for position, t in enumerate(s.thresholds, before + 1):
            f = t.factors[0] if t.factors else None
            if not isinstance(f, ast.Variable):
                continue
            number = _threshold_number(f.name, position)
            row = Draft(
                ref.shown,
                "|",
                f.name,
                t.span,
                ref.key,
                threshold=number,
                klass=entry.klass,
                class_variable=entry.class_variable,
                replaces=bool(entry.class_variable),
            )
            rows.add(row, (*left.modifiers, *t.modifiers))
            covariates = s.covariates or ()
            for c, coded in zip(covariates, codings(covariates, True), strict=True):
                target = Target(
                    f"{ref.shown}|{f.name}", ref.key, ref.role, "", "", number, entry.klass, entry.class_variable
                )
                if not c.factors:
                    continue
                for item in expand(ns, c, block, coded):
                    rows.add(_path(target, "~", item, c.span), c.modifiers)


_READERS = {
    "~": _regression,
    "=~": _measurement,
    "<~": _composite,
    "~~": _covariance,
    "~*~": _covariance,
    "|~": _instruments,
}


def write_rows(ns: Namespace, block: Block) -> list[Draft]:
    """Return the rows that the formulas of a block say, merged where they say one place twice."""
    rows = Rows(ns, block)
    for entry in block.entries:
        if entry.class_variable:
            name = ast.Variable(entry.class_variable, ns.declared.kinds[entry.class_variable].span)
            entry = replace(entry, class_variable=ns.resolve(name, block).key)
        if isinstance(entry.statement, ast.Thresholds):
            _thresholds(rows, entry.statement, entry)
        else:
            _READERS[entry.statement.op](rows, entry.statement, entry)
    _slope_variables(rows)
    out = list(rows.rows.values())
    for row in out:
        row.level = block.level
    return out
