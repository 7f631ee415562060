"""Read the variable of a term: ``x``, ``u[school]``, ``c@2``, ``x^2``, ``log(x)``, ``factor(x)``, ``a:b``, ranges.

Ranges make several of one: each function returns the list of what a node stands for.
"""

from __future__ import annotations

import itertools
import math
import re

from semlang.diagnostics import Edit
from semlang.syntax.arithmetic import arguments, evaluate, number
from semlang.syntax.ast import Factor, Transform, Variable
from semlang.syntax.cover import Node, first_token, text_of
from semlang.syntax.nearest import nearest
from semlang.syntax.ranges import MAX_NAMES, between, expand, too_many
from semlang.syntax.reading import Reading, Rejected

PARAMETERS = ("sigma", "shape", "zero", "guess", "slip")
TRANSFORMS = ("log", "factor", "offset", "I")


def read_factors(reading: Reading, node: Node) -> list[tuple[Factor, ...]]:
    """Return the products that a node stands for: ``x1:x2`` is one of two factors."""
    parts = [c for c in node.children if c.kind != "COLON"] if node.kind == "interaction" else [node]
    choices = [read_factor(reading, part) for part in parts]
    total = math.prod(len(c) for c in choices)
    if total > MAX_NAMES:
        raise too_many(reading, node)
    if len(parts) > 1 and total > 1:
        reading.spend(total, node.span)
    return list(itertools.product(*choices))


def read_factor(reading: Reading, node: Node) -> list[Factor]:
    """Return the variables or transforms that one side of a colon stands for."""
    if node.kind == "power":
        return _power(reading, node)
    if node.kind == "call":
        return _transform(reading, node)
    return list(read_variables(reading, node))


def read_variables(reading: Reading, node: Node) -> list[Variable]:
    """Return the variables of a name, a range, or one of these with a level or a category."""
    if node.kind == "NAME":
        reading.check_name(node.text, node.span)
        return [Variable(node.text, node.span)]
    if node.kind == "QUOTED":
        return [Variable(node.name, node.span)]
    if node.kind == "RANGE":
        return [Variable(name, node.span) for name in expand(reading, node)]
    if node.kind == "level":
        bracket = node.children[2]
        return [
            _with(reading, v, node, level=bracket.name, category=None)
            for v in read_variables(reading, node.children[0])
        ]
    if node.kind == "category":
        category = "".join(part.name for part in node.children[2:])
        return [
            _with(reading, v, node, level=None, category=category) for v in read_variables(reading, node.children[0])
        ]
    raise _no_variable(reading, node)


def _with(reading: Reading, variable: Variable, node: Node, level: str | None, category: str | None) -> Variable:
    if (level and variable.level) or (category and variable.category):
        raise reading.reject(
            "repeated-bracket" if level else "repeated-category",
            f"'{text_of(node)}' names two {'levels' if level else 'categories'}",
            node.children[1].span,
            label="a second one",
            help="delete one of them",
        )
    return Variable(variable.name, node.span, level or variable.level, category or variable.category)


def read_parameter(reading: Reading, node: Node) -> list[Variable]:
    """Return the variables of ``sigma(y)``: parameters of a distribution, on the left of ``~``."""
    function = node.children[0]
    if function.text in TRANSFORMS:
        raise reading.reject(
            "transform-on-left",
            f"'{text_of(node)}' is computed, and can not be a response",
            function.span,
            label="computed",
            help="make a column of it in the data, or choose a kind with '::', such as lognormal",
        )
    if function.text not in PARAMETERS:
        near = nearest(function.text, PARAMETERS)
        if function.text == "cbind":
            first = next((a for a in re.findall(r"[\w.]+", text_of(node))[1:]), "y")
            raise reading.reject(
                "other-program",
                f"'{text_of(node)}' are successes and failures in R",
                node.span,
                label="R's way of saying it",
                help=f"with a column of trials:  {first} :: binomial(logit, trials=n)",
            )
        raise reading.reject(
            "unknown-parameter",
            f"no distribution has a parameter '{function.text}'",
            function.span,
            label=f"do you mean '{near}'?" if near else "unknown",
            help=f"write '{near}(...)'" if near else f"the parameters are {', '.join(PARAMETERS)}",
        )
    given = arguments(reading, node)
    if len(given) != 1 or given[0][0] is not None:
        raise _one_argument(reading, node, f"{function.text}(y)")
    return [
        Variable(v.name, node.span, v.level, v.category, parameter=function.text)
        for v in read_variables(reading, given[0][1])
    ]


def _power(reading: Reading, node: Node) -> list[Factor]:
    base, exponent = node.children[0], node.children[2]
    values = evaluate(reading, exponent).values
    if len(values) != 1 or not isinstance(values[0], float):
        raise reading.reject(
            "exponent-not-a-number",
            f"the exponent in '{text_of(node)}' is no number",
            exponent.span,
            label="a number is needed",
            help="write x^2",
        )
    return [Transform("power", v, node.span, values[0]) for v in read_variables(reading, base)]


def _transform(reading: Reading, node: Node) -> list[Factor]:
    function = node.children[0]
    given = arguments(reading, node)
    if function.text not in TRANSFORMS:
        raise _unknown_function(reading, function)
    if not given or given[0][0] is not None or len(given) > (2 if function.text == "factor" else 1):
        raise _one_argument(reading, node, f"{function.text}(x)")
    inside = given[0][1]
    if function.text == "I":
        factors = read_factor(reading, inside) if inside.kind in ("power", "NAME", "QUOTED", "RANGE") else None
        if factors is None:
            raise _not_computed(reading, node)
        return factors
    within = _logarithm(reading, inside) if function.text == "offset" else None
    if within is not None:
        return [Transform("offset", v, node.span, "log") for v in read_variables(reading, within)]
    if inside.kind in ("sum", "product", "power", "call", "unary", "interaction", "paren"):
        raise _not_computed(reading, node)
    base: float | str | None = None
    if len(given) == 2:
        name, value = given[1]
        if name is None or name.name != "base":
            raise reading.reject(
                "unknown-argument",
                f"'factor()' has no such argument as '{text_of(value) if name is None else name.name}'",
                first_token(value) if name is None else name.span,
                label="unknown",
                help='write factor(x, base="low")',
            )
        if value.kind not in ("NUMBER", "STRING", "NAME", "QUOTED"):
            raise _one_argument(reading, node, 'factor(x, base="low")')
        base = number(reading, value) if value.kind == "NUMBER" else value.name
    return [Transform(function.text, v, node.span, base) for v in read_variables(reading, inside)]


def _logarithm(reading: Reading, node: Node) -> Node | None:
    """Return x of ``log(x)``, else None."""
    if node.kind != "call" or node.children[0].text != "log":
        return None
    given = arguments(reading, node)
    inside = given[0][1] if len(given) == 1 and given[0][0] is None else None
    return inside if inside is not None and inside.kind in ("NAME", "QUOTED", "RANGE") else None


def _unknown_function(reading: Reading, function: Node) -> Rejected:
    if function.text in PARAMETERS:
        return reading.reject(
            "parameter-on-right",
            f"'{function.text}()' is a parameter of a distribution, and no predictor",
            function.span,
            label="not here",
            help=f"write '{function.text}(y) ~ x' to model it",
        )
    near = nearest(function.text, TRANSFORMS)
    return reading.reject(
        "unknown-function",
        f"no term is called '{function.text}()'",
        function.span,
        label=f"do you mean '{near}'?" if near else "unknown",
        help=f"write '{near}(...)'"
        if near
        else "terms are x, x^2, log(x), factor(x), offset(x) and x:z; compute other columns in the data",
    )


def _one_argument(reading: Reading, node: Node, shape: str) -> Rejected:
    function = node.children[0]
    return reading.reject(
        "malformed-call",
        f"'{function.text}()' takes one variable",
        function.span,
        label="called like this",
        help=f"write '{shape}'",
    )


def _not_computed(reading: Reading, node: Node) -> Rejected:
    inside = node.children[2]
    return reading.reject(
        "computed-term",
        f"'{text_of(inside)}' is no column",
        first_token(inside),
        label="computed",
        help="compute the column in the data and name it here",
    )


def _no_variable(reading: Reading, node: Node) -> Rejected:
    text = text_of(node)
    if node.kind == "NUMBER":
        return reading.reject(
            "number-as-variable",
            f"the number {text} stands where a variable belongs",
            node.span,
            label="a number",
            help=f"write '{text}*x' to fix a coefficient at {text}",
        )
    if node.kind == "STRING":
        return reading.reject(
            "string-as-variable",
            f"the text {text} stands where a variable belongs",
            node.span,
            label="a text",
            help=f"write `{node.name}` in backticks for a variable; a label stands before '*'",
            fix=[Edit(node.span, node.name)] if node.name.isidentifier() and node.name[0] != "_" else [],
        )
    if node.kind == "paren":
        return reading.reject(
            "terms-in-brackets",
            f"'{text}' groups terms, which has no meaning here",
            node.children[0].span,
            label="brackets around terms",
            help="write the terms without brackets, each with its own modifier: a*x1 + a*x2",
        )
    if node.kind == "unary":
        return reading.reject(
            "minus-before-term",
            f"'{text}' subtracts a term",
            node.children[0].span,
            label="terms are added only",
            help=f"write '-1*{text_of(node.children[1])}' to fix the coefficient at -1",
        )
    if node.kind == "bar":
        return reading.reject(
            "misplaced-bar",
            f"'{text}' can not be part of a term",
            first_token(node),
            label="random effects",
            help="write it as a term of its own on the right of '~'",
        )
    if node.kind == "call":
        return _unknown_function(reading, node.children[0])
    ends = text.split(":")
    run = between(ends[0], ends[1]) if node.kind == "interaction" and len(ends) == 2 else None
    return reading.reject(
        "not-a-variable",
        f"'{text}' is no variable",
        first_token(node),
        label="a variable belongs here",
        help=f"write '{run}' for a range" if run else "write a name, or a name in backticks",
        fix=[Edit(node.span, run)] if run else [],
    )
