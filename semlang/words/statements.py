"""A statement in words."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.model.kinds import ALIASES
from semlang.model.table import ParameterTable
from semlang.syntax import ast
from semlang.words.catalogue import ARGUMENTS, DIRECTIVES, KINDS
from semlang.words.lists import joined, product, value, variable
from semlang.words.modifiers import details, rows_of
from semlang.words.regressions import regression

_OPENINGS = ("the variance of", "the residual", "the log", "the threshold", "the scale of", "each of", "membership of")
_COMPARES = {
    "==": "equals",
    "<": "is less than",
    ">": "is greater than",
    "<=": "is at most",
    ">=": "is at least",
}


def in_words(statement: ast.Statement, table: ParameterTable | None = None) -> str:
    """Return what a statement says, as a sentence.

    Parameters
    ----------
    statement : ast.Statement
    table : ParameterTable, optional
        Then also what the defaults add is said.

    Examples
    --------
    >>> from semlang.model.elaborate import elaborate
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> model, _ = parse(Source("visual =~ x1 + x2 + a*x3"))
    >>> in_words(model.statements[0], elaborate(model).answer[0])
    'visual is measured by x1 (loading fixed to 1, which sets the scale), x2 and x3 (loading labelled a).'
    """
    match statement:
        case ast.Formula():
            said = _formula(statement, table)
        case ast.Thresholds():
            said = _thresholds(statement)
        case ast.Declaration():
            said = _declaration(statement)
        case ast.Definition():
            name = f"{statement.function}({statement.name})" if statement.function else statement.name
            said = f"{name} is defined as {statement.text.strip()}"
            if statement.op == ":~":
                said += ", computed from data"
        case ast.Constraint():
            said = _constraint(statement)
        case ast.Directive():
            said = f"{DIRECTIVES[statement.key][0]}: {joined([_argument(a) for a in statement.arguments])}"
        case ast.Header():
            said = _header(statement)
    sentence = isinstance(statement, ast.Directive | ast.Header) or said.startswith(_OPENINGS)  # else a name
    return (said[0].upper() + said[1:] if sentence else said) + "."


def names(terms: Sequence[ast.Term]) -> str:
    """Return the variables on a left side."""
    return joined([product(t.factors) for t in terms])


def _verb(terms: Sequence[object], one: str, many: str) -> str:
    return one if len(terms) == 1 else many


def _formula(s: ast.Formula, table: ParameterTable | None) -> str:
    left = names(s.lhs)
    terms = [t for t in s.rhs if isinstance(t, ast.Term)]
    match s.op:
        case "~":
            return regression(s, table)
        case "=~":
            if table is not None and all(_is_class(t, table) for t in s.lhs):
                return f"{names(terms)} {_verb(terms, 'has', 'have')} an intercept for each class of {left}"
            return f"{left} {_verb(s.lhs, 'is', 'are')} measured by {_terms(s.lhs, '=~', terms, 'loading', table)}"
        case "~~":
            return _covariance(s, terms, table)
        case "<~":
            of = _terms(s.lhs, "<~", terms, "weight", table)
            return f"{left} {_verb(s.lhs, 'is a composite', 'are composites')} of {of}"
        case "|~":
            return f"{left} {_verb(s.lhs, 'has', 'have')} {names(terms)} as instruments"
    said = details([m for t in terms for m in t.modifiers], rows_of(table, s.op, left, names(terms)))
    return f"the scale of the ordinal response {left} is {' and '.join(said) or 'a parameter'}"


def _terms(lhs: Sequence[ast.Term], op: str, terms: Sequence[ast.Term], what: str, table: ParameterTable | None) -> str:
    """Return terms with what is known of their parameters: "x1 (loading fixed to 1) and x2"."""
    shown = [product(t.factors) or value(t.constant) for t in terms]
    said: list[str] = []
    for t, name in zip(terms, shown):
        found = [r for left in lhs for r in rows_of(table, op, product(left.factors), name)]
        said.append(", ".join(details(t.modifiers, found)))
    if len(terms) > 2 and said[0] and len(set(said)) == 1:
        return f"{joined(shown)} (each {what} {said[0]})"
    return joined([f"{name} ({what} {words})" if words else name for name, words in zip(shown, said)])


def _is_class(t: ast.Term, table: ParameterTable) -> bool:
    v = table.variables.get(product(t.factors))
    return v is not None and v.kind.name == "class"


def _covariance(s: ast.Formula, terms: Sequence[ast.Term], table: ParameterTable | None) -> str:
    parts = []
    for left in s.lhs:
        a = product(left.factors)
        others = []
        for t in terms:
            b = product(t.factors)
            said = details([*left.modifiers, *t.modifiers], [*rows_of(table, "~~", a, b), *rows_of(table, "~~", b, a)])
            if a == b:
                what = "residual variance" if _has_paths(a, table) else "variance"
                parts.append(f"the {what} of {a} is {', '.join(said) or 'a free parameter'}")
            else:
                others.append(f"{b} (covariance {', '.join(said)})" if said else b)
        if others:
            if not _has_paths(a, table):
                parts.append(f"{a} covaries with {joined(others)}")
            elif len(others) == 1:
                parts.append(f"the residuals of {joined([a, *others])} covary")
            else:
                parts.append(f"the residual of {a} covaries with those of {joined(others)}")
    return "; ".join(parts)


def _has_paths(name: str, table: ParameterTable | None) -> bool:
    """Whether something acts on a variable, so that its variance is that of a residual."""
    paths = () if table is None else table.rows
    return any(r.op in ("~", "=~") and not r.quantity and r.target.split("[")[0] == name.split("[")[0] for r in paths)


def _thresholds(s: ast.Thresholds) -> str:
    parts = []
    for t in s.thresholds:
        said = details(t.modifiers)
        parts.append(f"{product(t.factors)} ({', '.join(said)})" if said else product(t.factors))
    verb = _verb(s.lhs, "has", "have")
    said_all = f"{names(s.lhs)} {verb} the {_verb(parts, 'threshold', 'thresholds')} {joined(parts)}"
    if s.covariates:
        return f"{said_all}, moved by {names(s.covariates)}"
    return said_all


def _declaration(s: ast.Declaration) -> str:
    kind = KINDS.get(s.kind, KINDS[ALIASES.get(s.kind, "normal")])
    described = joined([variable(v) for v in s.variables])
    if len(s.variables) == 1:
        said = f"{described} is {kind}"
    else:
        said = f"each of {described} is {kind}"
    links = [value(a.value) for a in s.arguments if a.name is None and isinstance(a.value, str)]
    counts = [value(a.value) for a in s.arguments if a.name is None and isinstance(a.value, float)]
    if links:
        said += f", link {links[0]}"
    if counts:
        said += f", {counts[0]} {'classes' if s.kind == 'class' else 'points'}"
    for a in s.arguments:
        if a.name is not None:
            said += f"; {ARGUMENTS.get(a.name, a.name)}: {_value(a)}"
    return said


def _constraint(s: ast.Constraint) -> str:
    texts = [t.strip() for t in s.texts]
    parts = [f"{a} {_COMPARES[op]} {b}" for a, op, b in zip(texts, s.operators, texts[1:])]
    return " and ".join(parts)


def _value(a: ast.Argument) -> str:
    return "/".join(map(value, a.value)) if isinstance(a.value, tuple) else value(a.value)


def _argument(a: ast.Argument) -> str:
    return f"{a.name} = {_value(a)}" if a.name else _value(a)


def _header(s: ast.Header) -> str:
    of = f" of {s.variable}" if s.variable else ""
    return f"what follows holds for {s.kind} {s.label}{of}, up to the next header"
