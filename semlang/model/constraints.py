"""Constraints and defined parameters; simple bounds go into the rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.model.draft import Draft
from semlang.model.feasibility import Fact, contradiction, difference, opposite
from semlang.model.intervals import Interval, apart, interval
from semlang.model.nearest import did_you_mean
from semlang.model.table import Defined, Relation
from semlang.source import Source, Span
from semlang.syntax import ast
from semlang.syntax.functions import FUNCTIONS


def constant(e: ast.Expression) -> float | None:
    """Return the value of an expression without names, or None.

    Examples
    --------
    >>> from semlang.source import Source, Span
    >>> s = Span(0, 1)
    >>> constant(ast.Binary("*", ast.Number(2.0, s), ast.Number(0.1, s), s))
    0.2
    """
    try:
        match e:
            case ast.Number():
                return e.value
            case ast.Name(text="pi"):
                return math.pi
            case ast.Unary(operand=inner):
                x = constant(inner)
                return None if x is None else (-x if e.op == "-" else x)
            case ast.Binary():
                a, b = constant(e.left), constant(e.right)
                if a is None or b is None:
                    return None
                match e.op:
                    case "+":
                        return a + b
                    case "-":
                        return a - b
                    case "*":
                        return a * b
                    case "/":
                        return a / b
                power = a**b
                return None if isinstance(power, complex) else float(power)
            case ast.Call() if e.function in FUNCTIONS:
                values = [x for x in map(constant, e.arguments) if x is not None]
                return FUNCTIONS[e.function].value(*values) if len(values) == len(e.arguments) else None
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None


def names(e: ast.Expression) -> Iterator[ast.Name]:
    """Yield the names in an expression."""
    match e:
        case ast.Name():
            if e.text != "pi":
                yield e
        case ast.Unary():
            yield from names(e.operand)
        case ast.Binary():
            yield from names(e.left)
            yield from names(e.right)
        case ast.Call():
            for a in e.arguments:
                yield from names(a)


def undefined(e: ast.Expression) -> ast.Expression | None:
    """Return the smallest part of an expression that has no value whatever the parameters are, as ``1/0``."""
    match e:
        case ast.Unary():
            return undefined(e.operand)
        case ast.Binary():
            parts: tuple[ast.Expression, ...] = (e.left, e.right)
        case ast.Call():
            if e.function not in FUNCTIONS:
                return e
            parts = e.arguments
        case _:
            return None
    inner = next((u for u in map(undefined, parts) if u is not None), None)
    if inner is not None:
        return inner
    if isinstance(e, ast.Binary) and e.op == "/" and constant(e.right) == 0:
        return e
    values = [constant(x) for x in parts]
    if None in values:
        return None
    value = constant(e)
    return e if value is None or not math.isfinite(value) else None


def _bound(rows: list[Draft], left: ast.Expression, op: str, right: ast.Expression) -> bool:
    """Fold ``label > number`` into the bounds of its rows; tell whether it was one."""
    value = constant(right)
    if not isinstance(left, ast.Name) or value is None or op == "==":
        return False
    own = [r for r in rows if r.label == left.text]
    for r in own:  # of several bounds the narrowest holds
        if op in (">", ">="):
            r.lower = value if r.lower is None else max(r.lower, value)
        else:
            r.upper = value if r.upper is None else min(r.upper, value)
    return bool(own)


def _facts(model: ast.Model, rows: list[Draft]) -> tuple[list[Fact], list[tuple[str, Span]]]:
    """Return what linear constraints, definitions and bounds say, with text and place of each constraint."""
    facts: list[Fact] = []
    shown: list[tuple[str, Span]] = []

    def add(left: ast.Expression, op: str, right: ast.Expression, places: frozenset[int]) -> None:
        form = difference(left, right)
        if form is not None:
            facts.append(Fact(opposite(form) if op in (">", ">=") else form, op == "==", places))

    for s in model.statements:
        if isinstance(s, ast.Definition) and s.op == ":=":
            add(ast.Name(s.name, s.name_span), "==", s.expression, frozenset())
        for i, op in enumerate(s.operators if isinstance(s, ast.Constraint) else ()):
            assert isinstance(s, ast.Constraint)
            shown.append((f"{s.texts[i].strip()} {op} {s.texts[i + 1].strip()}", s.span))
            add(s.operands[i], op, s.operands[i + 1], frozenset([len(shown) - 1]))
    for r in rows:
        for op, bound in (("<", r.upper), (">", r.lower)):
            if r.label and bound is not None and math.isfinite(bound) and r.span is not None:
                shown.append((f"{r.label} {op} {bound:g}", r.span))
                place = frozenset([len(shown) - 1])
                add(ast.Name(r.label, r.span), op, ast.Number(bound, r.span), place)
    return facts, shown


def _contradictions(model: ast.Model, rows: list[Draft], source: Source) -> Iterator[Diagnostic]:
    """Yield the error about linear constraints that can't hold together; `rows` have the bounds of modifiers."""
    if not any(isinstance(s, ast.Constraint) for s in model.statements):
        return
    facts, shown = _facts(model, rows)
    while places := contradiction(facts):
        facts = [f for f in facts if not f.places & places]
        told = [shown[k] for k in sorted(places)]
        several = ", ".join(f"'{text}'" for text, _ in told)
        yield error(
            "contradictory-constraints",
            f"these constraints can't hold together: {several}" if len(told) > 1 else f"'{told[0][0]}' can't hold",
            source,
            max((span for _, span in told), key=lambda span: span.start),
            label="contradicts what stands before" if len(told) > 1 else "never true",
            help="delete or mend one of them",
        )


def _outside(model: ast.Model, rows: list[Draft], source: Source) -> Iterator[Diagnostic]:
    """Yield an error about each constraint whose sides have no value in common, whatever the parameters are."""
    known: dict[str, Interval] = {}
    for r in rows:
        if r.label and (r.lower is not None or r.upper is not None):
            low, high = -math.inf if r.lower is None else r.lower, math.inf if r.upper is None else r.upper
            if low <= high:
                known[r.label] = Interval(low, high, math.isinf(low), math.isinf(high))
    for s in model.statements:
        if not isinstance(s, ast.Constraint):
            continue
        for i, op in enumerate(s.operators):
            left, right = (interval(e, known) for e in s.operands[i : i + 2])
            if apart(left, op, right) and difference(s.operands[i], s.operands[i + 1]) is None:
                text = [t.strip() for t in s.texts[i : i + 2]]
                yield error(
                    "contradictory-constraints",
                    f"'{text[0]} {op} {text[1]}' can't hold: '{text[0]}' is {left.shown()}"
                    + ("" if constant(s.operands[i + 1]) is not None else f", '{text[1]}' is {right.shown()}"),
                    source,
                    s.span,
                    label="never true",
                    help="delete or mend it",
                )


def _defined_label(source: Source, s: ast.Definition) -> Diagnostic:
    spot = source.text.index(":=", s.name_span.end)
    return error(
        "defined-label",
        f"'{s.name}' is the label of a parameter, and can't be defined, too",
        source,
        s.name_span,
        label="a label",
        help=(f"write '{s.name} == {s.text.strip()}' to constrain the parameter", "or choose another name"),
        fix=[Edit(Span(spot, spot + 2), "==")],
    )


def read_constraints(
    model: ast.Model, rows: list[Draft], findings: list[Diagnostic], given: Sequence[Defined] = ()
) -> tuple[tuple[Relation, ...], tuple[Defined, ...]]:
    """Read constraints (chains in pairs) and defined parameters beside `given` ones, and check their labels."""
    labels = {r.label for r in rows if r.label} | {r.plabel for r in rows}
    defined = {s.name for s in model.statements if isinstance(s, ast.Definition) and s.op == ":="}
    defined |= {d.name for d in given}
    relations: list[Relation] = []
    definitions: list[Defined] = []
    seen: dict[str, Span] = {}
    reported: set[str] = set()
    findings += _contradictions(model, rows, model.source)
    findings += _outside(model, rows, model.source)

    def unknown(e: ast.Expression, where: str) -> None:
        for n in names(e):
            if n.text not in labels and n.text not in defined and n.text not in reported:
                reported.add(n.text)
                findings.append(
                    error(
                        "unknown-label",
                        f"no parameter is labelled '{n.text}'",
                        model.source,
                        n.span,
                        label=f"in a {where}",
                        help=did_you_mean(n.text, [x for x in (*labels, *defined) if not x.startswith(".p")]),
                    )
                )

    def valueless(e: ast.Expression) -> None:
        part = undefined(e)
        if part is not None:
            text = model.source.text[part.span.start : part.span.end]
            findings.append(
                error(
                    "not-an-expression",
                    f"'{text}' has no value",
                    model.source,
                    part.span,
                    label="undefined",
                    help="divide by what is not 0, and take log() and sqrt() of positive numbers",
                )
            )

    for s in model.statements:
        if isinstance(s, ast.Definition):
            if s.name in seen:
                findings.append(
                    error(
                        "defined-twice",
                        f"'{s.name}' is defined twice",
                        model.source,
                        s.name_span,
                        help="give one of them another name",
                    )
                )
                continue
            seen[s.name] = s.span
            if s.name in labels and s.op == ":=":
                findings.append(_defined_label(model.source, s))
                continue
            if s.op == ":~":  # see `moderated`
                continue
            unknown(s.expression, "definition")
            valueless(s.expression)
            if any(n.text == s.name for n in names(s.expression)):
                findings.append(
                    error("defined-by-itself", f"'{s.name}' is defined by itself", model.source, s.name_span)
                )
            definitions.append(Defined(s.name, s.expression, s.text, s.span))
        elif isinstance(s, ast.Constraint):
            for operand in s.operands:
                valueless(operand)
            for i, op in enumerate(s.operators):
                left, right = s.operands[i], s.operands[i + 1]
                if _bound(rows, left, op, right):
                    continue
                unknown(left, "constraint")
                unknown(right, "constraint")
                text = f"{s.texts[i].strip()} {op} {s.texts[i + 1].strip()}"
                relations.append(Relation(left, op.rstrip("=") if op in ("<=", ">=") else op, right, text, s.span))
    return tuple(relations), (*given, *definitions)
