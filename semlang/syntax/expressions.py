"""Read definitions and constraints: expressions in parameters."""

from __future__ import annotations

from semlang.source import Span
from semlang.syntax.arithmetic import number
from semlang.syntax.ast import Binary, Call, Constraint, Definition, Expression, Name, Number, String, Unary
from semlang.syntax.cover import Node, compact, first_token, text_of
from semlang.syntax.functions import FUNCTIONS
from semlang.syntax.nearest import nearest
from semlang.syntax.reading import Reading

_LONG = 32  # operands; longer sums are balanced, so that their trees stay flat


def read_definition(reading: Reading, node: Node) -> Definition:
    """Return ``name := expression`` (or ``:~``)."""
    left, operator, right = node.children
    function = ""
    if left.kind == "call" and operator.text == ":~" and left.children[0].text == "log":
        arguments = [c for c in left.children if c.kind == "argument"]
        if len(arguments) == 1 and len(arguments[0].children) == 1 and arguments[0].children[0].kind == "NAME":
            function, left = "log", arguments[0].children[0]
    if left.kind not in ("NAME", "QUOTED"):
        raise reading.reject(
            "not-a-label",
            f"'{text_of(left)}' on the left of '{operator.text}' is no name",
            first_token(left),
            label="a single new name belongs here",
            help=f"write 'indirect {operator.text} a*b'",
        )
    if left.kind == "NAME":
        reading.check_name(left.text, left.span)
    expression = read_expression(reading, right)
    return Definition(left.name, operator.text, expression, compact(right), node.span, left.span, function)


def read_constraint(reading: Reading, node: Node) -> Constraint:
    """Return ``a == b`` or a chain of comparisons."""
    operands = node.children[::2]
    return Constraint(
        tuple(read_expression(reading, part) for part in operands),
        tuple(part.text for part in node.children[1::2]),
        tuple(compact(part) for part in operands),
        node.span,
    )


def read_expression(reading: Reading, node: Node) -> Expression:
    """Return an expression in parameters, or reject what belongs into formulas only."""
    kind = node.kind
    if kind == "NAME":
        if node.text != "NA":
            reading.check_name(node.text, node.span)
        return Name(node.text, node.span)
    if kind == "QUOTED":
        return Name(node.name, node.span)
    if kind == "NUMBER":
        return Number(number(reading, node), node.span)
    if kind == "STRING":
        return String(node.name, node.span)
    if kind == "paren":
        return read_expression(reading, node.children[1])
    if kind in ("unary", "exponent"):
        return Unary("-", read_expression(reading, node.children[1]), node.span)
    if kind == "power":
        base, exponent = (read_expression(reading, child) for child in node.children[::2])
        return Binary("^", base, exponent, node.span)
    if kind in ("sum", "product"):
        return _fold(reading, node)
    if kind == "call":
        values = [read_expression(reading, _value(reading, c)) for c in node.children if c.kind == "argument"]
        _check_function(reading, node, len(values))
        return Call(node.children[0].text, tuple(values), node.span)
    raise reading.reject(
        "not-an-expression",
        f"'{text_of(node)}' has no value in an expression",
        first_token(node),
        label="not a parameter",
        help="definitions and constraints hold labels, numbers, + - * / ^ and functions: 'indirect := a*b'",
    )


def _check_function(reading: Reading, node: Node, n: int) -> None:
    name = node.children[0].text
    if name == "data":  # of ':~'; elaboration rejects it
        return
    known = FUNCTIONS.get(name)
    if known is None:
        near = nearest(name, FUNCTIONS)
        raise reading.reject(
            "unknown-function",
            f"no function of parameters is called '{name}()'",
            node.children[0].span,
            label=f"do you mean '{near}'?" if near else "unknown",
            help=f"write '{near}(...)'" if near else f"known are {', '.join(FUNCTIONS)}",
        )
    if not known.least <= n <= known.most:
        raise reading.reject(
            "malformed-call",
            f"'{name}()' takes {known.arguments}, and here are {n}" if n else f"'{name}()' takes {known.arguments}",
            node.span,
            label="called like this",
            help=f"write '{name}(a)'",
        )


def _value(reading: Reading, argument: Node) -> Node:
    if len(argument.children) > 1:
        raise reading.reject(
            "not-an-expression",
            "functions of parameters have no named arguments",
            argument.children[0].span,
            label="a name",
            help="write the value alone",
        )
    return argument.children[0]


def _fold(reading: Reading, node: Node) -> Expression:
    """Return a sum or product as a tree of two-sided operations."""
    reading.check_no_stray_plus(node)
    plus, inverse = ("+", "-") if node.kind == "sum" else ("*", "/")
    operands: list[tuple[str, Expression]] = []
    operator = plus
    for child in node.children:
        if child.kind == "QUERY":
            raise reading.reject(
                "not-an-expression",
                "'?' has no value in an expression",
                child.span,
                label="not an operation",
                help="starting values stand in formulas: 'y ~ 0.5?x'",
            )
        if child.kind in ("PLUS", "MINUS", "STAR", "SLASH"):
            operator = child.text
        else:
            operands.append((operator, read_expression(reading, child)))
            operator = plus
    if len(operands) > _LONG:
        return _balanced(operands, inverse)
    result = operands[0][1]
    for op, operand in operands[1:]:
        result = Binary(op, result, operand, _join(result, operand))
    return result


def _balanced(operands: list[tuple[str, Expression]], inverse: str) -> Expression:
    """Return ``a + b - c + d`` as ``(a + b) - (c - d)``: the same value, and no deeper than needed."""
    if len(operands) == 1:
        return operands[0][1]
    middle = len(operands) // 2
    left, right = operands[:middle], operands[middle:]
    op = right[0][0]
    if op == inverse:
        swap = {"+": "-", "-": "+", "*": "/", "/": "*"}
        right = [(swap[sign], operand) for sign, operand in right]
    a, b = _balanced(left, inverse), _balanced(right, inverse)
    return Binary(op, a, b, _join(a, b))


def _join(a: Expression, b: Expression) -> Span:
    return a.span.join(b.span)
