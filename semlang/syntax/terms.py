"""Read the terms of a formula: what is added up, with modifiers, constants and random effects."""

from __future__ import annotations

import re
from typing import TypeVar

from semlang.diagnostics import Edit
from semlang.source import Span
from semlang.syntax.arithmetic import number
from semlang.syntax.ast import Modifier, RandomEffects, Term, Transform
from semlang.syntax.cover import Node, first_token, text_of
from semlang.syntax.cut import MAX_TERMS
from semlang.syntax.modifiers import read_modifiers
from semlang.syntax.ranges import between
from semlang.syntax.reading import Reading, Rejected
from semlang.syntax.variables import read_factors, read_parameter

_Item = TypeVar("_Item", Term, Term | RandomEffects)


def addends(node: Node) -> list[tuple[Node | None, Node]]:
    """Return the terms of a sum, each with the minus sign before it or None; stray plus signs are passed over."""
    if node.kind != "sum":
        return [(None, node)]
    found: list[tuple[Node | None, Node]] = []
    minus: Node | None = None
    for child in node.children:
        if child.kind == "MINUS":
            minus = child
        elif child.kind != "PLUS":
            found.append((minus, child))
            minus = None
    return found


def read_left(reading: Reading, node: Node, operator: str) -> list[Term]:
    """Return the terms on the left of an operator: variables, perhaps with modifiers."""
    reading.check_no_stray_plus(node)
    terms: list[Term] = []
    for minus, part in addends(node):
        if minus is not None:
            raise _minus(reading, minus, part)
        target, modifiers = split_modifiers(reading, part)
        if target.kind == "call" and operator == "~":
            terms += [Term((v,), part.span, modifiers) for v in read_parameter(reading, target)]
            continue
        if target.kind in ("call", "power"):
            raise _left_transform(reading, target)
        for factors in read_factors(reading, target):
            for factor in factors:
                if isinstance(factor, Transform):
                    raise _left_transform(reading, target)
            terms.append(Term(factors, part.span, modifiers))
    return _counted(reading, terms, node)


def read_right(reading: Reading, node: Node, operator: str) -> list[Term | RandomEffects]:
    """Return the terms on the right of an operator; every wrong term is reported, not the first alone."""
    terms: list[Term | RandomEffects] = []
    reading.check_no_stray_plus(node, lavaan=True)
    for minus, part in addends(node):
        try:
            if part.kind == "bar" and operator == "~" and minus is None:
                terms += _random_effects(reading, part)
            else:
                terms += read_term(reading, minus, part, operator)
        except Rejected as rejected:
            reading.findings.append(rejected.finding)
    return _counted(reading, terms, node)


def _counted(reading: Reading, terms: list[_Item], node: Node) -> list[_Item]:
    if len(terms) > MAX_TERMS:
        raise reading.reject(
            "too-many-terms",
            f"the statement has {len(terms):,} terms; at most {MAX_TERMS:,} are allowed",
            first_token(node),
            label="the first of them",
            help="are the ends of the ranges meant?",
        )
    return terms


def read_term(reading: Reading, minus: Node | None, part: Node, operator: str) -> list[Term]:
    """Return the terms that one addend stands for: several where it holds a range."""
    span = part.span if minus is None else minus.span.join(part.span)
    constant = _constant(part)
    if constant is not None:
        sign = -1.0 if minus is not None else 1.0
        return [_constant_term(reading, sign * constant, span, part, (), operator)]
    if minus is not None:
        raise _minus(reading, minus, part)
    target, modifiers = split_modifiers(reading, part)
    if target is not part and target.kind == "NUMBER":
        return [_constant_term(reading, number(reading, target), span, target, modifiers, operator)]
    terms = [Term(factors, span, modifiers) for factors in read_factors(reading, target)]
    if operator != "~":
        for term in terms:
            for factor in term.factors:
                if isinstance(factor, Transform):
                    raise reading.reject(
                        "misplaced-transform",
                        f"'{text_of(target)}' is computed; '{operator}' takes variables as they are",
                        first_token(target),
                        label="computed",
                        help="make a column of it in the data",
                    )
    return terms


def split_modifiers(reading: Reading, part: Node) -> tuple[Node, tuple[Modifier, ...]]:
    """Return the variable of a term, and the modifiers before it."""
    if part.kind != "product":
        return part, ()
    operators = part.children[1::2]
    if operators[-1].kind == "SLASH":
        raise _division(reading, part, operators[-1])
    written: list[tuple[Node, bool]] = []
    segment: list[Node] = []
    for child in part.children[:-1]:
        if child.kind in ("STAR", "QUERY"):
            constant = segment[0]
            if len(segment) > 1:
                constant = Node("product", "", segment, segment[0].start, segment[-1].end)
            written.append((constant, child.kind == "QUERY"))
            segment = []
        else:
            segment.append(child)
    target = part.children[-1]
    modifiers = read_modifiers(reading, written)
    if target.kind == "bar":
        raise reading.reject(
            "modifier-on-random-effects",
            "a modifier can not stand before random effects in brackets",
            operators[-1].span,
            label="has no meaning here",
            help="name the random effect, as in a*u[school], and give its variance with '~~'",
        )
    return target, modifiers


def _constant(part: Node) -> float | None:
    """Return the value of a number that is a term, perhaps with a minus sign, else None."""
    if part.kind == "NUMBER":
        return float(part.text)
    if part.kind == "unary" and part.children[1].kind == "NUMBER":
        return -float(part.children[1].text)
    return None


def _constant_term(
    reading: Reading, value: float, span: Span, node: Node, modifiers: tuple[Modifier, ...], operator: str
) -> Term:
    """Return the term of a number: the intercept, none at all, or the value of a phantom ``f =~ 0``."""
    if operator == "=~" and value >= 0 and not modifiers:
        return Term((), span, (), value)
    if operator in ("~", "|~"):
        if value in (0.0, 1.0) or (value == -1.0 and not modifiers):
            if value == 0.0 and modifiers:
                raise reading.reject(
                    "modifier-on-zero",
                    "a modifier before 0 has no meaning",
                    span,
                    label="0 means no intercept",
                    help="write '0*1' to fix the intercept at 0",
                )
            return Term((), span, modifiers, value)
        if value > 0:
            reading.warn(
                "number-as-intercept",
                f"the number {text_of(node)} is not used: the intercept is free",
                node.span,
                label="read as 1",
                help=f"write '{text_of(node)}*1' to fix the intercept at {text_of(node)}, or '1'",
            )
            return Term((), span, modifiers, 1.0)
    raise reading.reject(
        "number-as-variable",
        f"the number {text_of(node)} stands where a variable belongs",
        span,
        label="a number",
        help=f"write '{text_of(node)}*x' to fix a coefficient; '-1' alone drops an intercept"
        if operator == "~"
        else f"write '{text_of(node)}*x' to fix a coefficient",
    )


def _random_effects(reading: Reading, node: Node) -> list[RandomEffects]:
    """Return ``(1 + x | school/class)``."""
    inside, bar, groups = node.children[1:4]
    clusters = groups.children[::2] if groups.kind == "product" else [groups]
    signs = groups.children[1::2] if groups.kind == "product" else []
    for part in [*clusters, *signs]:
        if part.kind not in ("NAME", "QUOTED", "SLASH"):
            raise reading.reject(
                "not-a-cluster",
                f"'{text_of(groups)}' does not name a cluster",
                first_token(part),
                label="a cluster belongs here",
                help="write (1 | school), or (1 | school/class) for classes in schools",
            )
    reading.check_no_stray_plus(inside)
    terms: list[Term] = []
    for minus, part in addends(inside):
        if part.kind == "product" or part.kind == "bar":
            raise reading.reject(
                "modifier-in-random-effects",
                f"'{text_of(part)}' can not stand before the bar",
                first_token(part),
                label="only variables here",
                help="name the random effect instead, as in a*u[school]",
            )
        terms += read_term(reading, minus, part, "~")
    return [RandomEffects(tuple(terms), tuple(c.name for c in clusters), bar.kind == "BAR", node.span)]


def _minus(reading: Reading, minus: Node, part: Node) -> Rejected:
    text = text_of(part)
    first = re.search(r"[\w.]+(?=\s*$)", reading.source.text[: minus.span.start])
    run = between(first[0], text, least=3) if first else None
    if first and run:
        return reading.reject(
            "minus-before-term",
            f"'- {text}' subtracts a term; a range is written {run}",
            minus.span,
            label="terms are added only",
            help=f"write '{run}'",
            fix=[Edit(Span(first.start(), part.span.end), run)],
        )
    return reading.reject(
        "minus-before-term",
        f"'- {text}' subtracts a term",
        minus.span,
        label="terms are added only",
        help=[f"write '+ {text}', or '+ -1*{text}' to fix the coefficient at -1", "a range is written x{1..5}"],
    )


def _division(reading: Reading, part: Node, slash: Node) -> Rejected:
    return reading.reject(
        "division-of-terms",
        f"'{text_of(part)}' divides terms",
        slash.span,
        label="terms can not be divided",
        help="compute the column in the data; nested clusters stand in brackets: (1 | school/class)",
    )


def _left_transform(reading: Reading, target: Node) -> Rejected:
    return reading.reject(
        "transform-on-left",
        f"'{text_of(target)}' can not stand on the left",
        first_token(target),
        label="a variable belongs here",
        help="make a column of it in the data",
    )
