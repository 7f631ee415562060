"""Whether linear constraints can hold together, and which can't: Fourier-Motzkin elimination in exact arithmetic.

References
----------
Schrijver (1986), Theory of Linear and Integer Programming, section 12.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from semlang.syntax import ast

MAX_ROWS = 400
"""Eliminating a name can square the number of inequalities; beyond this nothing is decided."""

Form = dict[str, Fraction]
"""A linear form: coefficient by name, the constant under ''."""


@dataclass(frozen=True, slots=True)
class Fact:
    """``form <= 0`` or, where `equal`, ``form = 0``; `place` is the index of what says so, or -1 for nothing shown."""

    form: Form
    equal: bool
    places: frozenset[int]


def linear(e: ast.Expression) -> Form | None:
    """Return an expression as a linear form of its names, or None where it is none.

    Examples
    --------
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> definition = parse(Source("q := 2*(a - b)/4 + 0.1"))[0].statements[0]
    >>> {name: str(value) for name, value in linear(definition.expression).items()}
    {'a': '1/2', 'b': '-1/2', '': '1/10'}
    """
    match e:
        case ast.Number():
            return {"": Fraction(repr(e.value))} if abs(e.value) < 1e300 else None
        case ast.Name(text="pi"):
            return None
        case ast.Name():
            return {e.text: Fraction(1)}
        case ast.Unary(operand=inner):
            form = linear(inner)
            return form if form is None or e.op != "-" else _times(form, Fraction(-1))
        case ast.Binary():
            a, b = linear(e.left), linear(e.right)
            if a is None or b is None:
                return None
            if e.op in "+-":
                return _plus(a, b, Fraction(1 if e.op == "+" else -1))
            constant_a, constant_b = set(a) <= {""}, set(b) <= {""}
            if e.op == "*" and (constant_a or constant_b):
                return _times(b, a.get("", Fraction(0))) if constant_a else _times(a, b.get("", Fraction(0)))
            if e.op == "/" and constant_b and b.get("", Fraction(0)):
                return _times(a, 1 / b[""])
    return None


def difference(left: ast.Expression, right: ast.Expression) -> Form | None:
    """Return ``left - right`` as a linear form, or None."""
    a, b = linear(left), linear(right)
    return None if a is None or b is None else _plus(a, b, Fraction(-1))


def opposite(form: Form) -> Form:
    """Return ``-form``."""
    return _times(form, Fraction(-1))


def _times(form: Form, factor: Fraction) -> Form:
    return {name: value * factor for name, value in form.items() if value * factor}


def _plus(a: Form, b: Form, factor: Fraction) -> Form:
    out = dict(a)
    for name, value in b.items():
        out[name] = out.get(name, Fraction(0)) + factor * value
    return {name: value for name, value in out.items() if value}


def contradiction(facts: Sequence[Fact]) -> frozenset[int] | None:
    """Return the places of facts that can't hold together, or None where all can or it is not decided.

    Parameters
    ----------
    facts : sequence of Fact
        Inequalities are meant with equality: at ``a < 1`` and ``a > 1`` the parameter is 1.

    Examples
    --------
    >>> def at(place, text):
    ...     from semlang.source import Source
    ...     from semlang.syntax.parser import parse
    ...     c = parse(Source(text))[0].statements[0]
    ...     form = difference(*c.operands)
    ...     return Fact(form if c.operators[0] == "<" else opposite(form), False, frozenset([place]))
    >>> sorted(contradiction([at(0, "a < 0.1"), at(1, "c < 5"), at(2, "a > 0.2")]))
    [0, 2]
    """
    rows = [f for f in facts if not f.equal]
    equalities = [f for f in facts if f.equal]
    while equalities:
        first = equalities.pop()
        name = next((n for n in first.form if n), None)
        if name is None:
            if first.form:
                return first.places
            continue
        equalities = [_without(f, first, name) for f in equalities]
        rows = [_without(f, first, name) for f in rows]
    while True:
        wrong = next((f for f in rows if set(f.form) == {""} and f.form[""] > 0), None)
        if wrong is not None:
            return wrong.places
        names = {n for f in rows for n in f.form if n}
        if not names:
            return None
        signs = {n: [f.form[n] > 0 for f in rows if n in f.form] for n in names}
        name = min(sorted(names), key=lambda n: sum(signs[n]) * (len(signs[n]) - sum(signs[n])))
        above = [f for f in rows if f.form.get(name, Fraction(0)) > 0]
        below = [f for f in rows if f.form.get(name, Fraction(0)) < 0]
        rows = [f for f in rows if name not in f.form]
        rows += [_without(a, b, name) for a in above for b in below]
        if len(rows) > MAX_ROWS:
            return None


def _without(fact: Fact, other: Fact, name: str) -> Fact:
    """Return a fact with a name eliminated by another one; of inequalities the signs of the name differ."""
    if name not in fact.form:
        return fact
    factor = -fact.form[name] / other.form[name]
    return Fact(_plus(fact.form, other.form, factor), fact.equal, fact.places | other.places)
