"""The syntax tree: what a text says, before any default is added.

Two kinds of nodes. *Expressions* are the cover grammar's tree, needed for definitions and constraints.
*Statements* are what the rest of the program reads: their shapes have been checked and ranges are expanded. All are
named tuples: two dozen dataclasses would take a tenth of the time of `semlang check`.
"""

from __future__ import annotations

from typing import NamedTuple

from semlang.source import Source, Span

# ------------------------------------------------------------------ expressions


class Name(NamedTuple):
    text: str
    span: Span


class Number(NamedTuple):
    value: float
    span: Span


class String(NamedTuple):
    text: str
    span: Span


class Unary(NamedTuple):
    op: str
    operand: Expression
    span: Span


class Binary(NamedTuple):
    op: str
    left: Expression
    right: Expression
    span: Span


class Call(NamedTuple):
    function: str
    arguments: tuple[Expression, ...]
    span: Span


Expression = Name | Number | String | Unary | Binary | Call

# ------------------------------------------------------------------ terms


class Variable(NamedTuple):
    """A variable as written: ``u[school]``, ``y@Medium``, ``sigma(y)``, ``y|t1``.

    `parameter` is the distribution parameter (``sigma``, ``shape``, ``zero``, ``guess``, ``slip``) and
    `threshold` the name after the bar, where the left side is one of those.
    """

    name: str
    span: Span
    level: str | None = None
    category: str | None = None
    parameter: str | None = None
    threshold: str | None = None


class Transform(NamedTuple):
    """A function of one column in a term.

    `function` is ``power`` (`argument` the exponent), ``log``, ``factor`` (`argument` the base level or None;
    `full` where there is no reference level) or ``offset``.
    """

    function: str
    variable: Variable
    span: Span
    argument: float | str | None = None


Factor = Variable | Transform


class Modifier(NamedTuple):
    """What stands before ``*`` or ``?``.

    `kind` is one of ``fixed free label start equal lower upper rv efa prior``. `values` has one entry, or one
    per group; None is ``NA``. `groups` names the groups where the vector does: ``c(Pasteur=a, ...)``.
    A vector may mix kinds (``c(1, NA)``, ``c(1, a)``): then each entry stands on its own in `kinds`.
    """

    kind: str
    values: tuple[float | str | None, ...]
    span: Span
    groups: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None


class Term(NamedTuple):
    """``[modifier*...]factor[:factor...]``; without factors it is the number `constant` (``1``, ``0``, ``-1``)."""

    factors: tuple[Factor, ...]
    span: Span
    modifiers: tuple[Modifier, ...] = ()
    constant: float | None = None


class RandomEffects(NamedTuple):
    """``(1 + x | school/class)``; `clusters` outermost first; `correlated` is False for ``||``."""

    terms: tuple[Term, ...]
    clusters: tuple[str, ...]
    correlated: bool
    span: Span


# ------------------------------------------------------------------ statements


class Formula(NamedTuple):
    """``lhs op rhs`` with op one of ``=~ ~ ~~ ~*~ <~ |~``; ``y ~ 1`` has a term with `constant` 1.

    On the left a term has one factor (a Variable; several for ``x1:x2``) and perhaps modifiers (``efa("e")*f``).
    """

    lhs: tuple[Term, ...]
    op: str
    rhs: tuple[Term | RandomEffects, ...]
    span: Span
    op_span: Span


class Thresholds(NamedTuple):
    """``y | t1 + t2`` and, with `covariates`, ``y | t1 + t2 ~ x``."""

    lhs: tuple[Term, ...]
    thresholds: tuple[Term, ...]
    covariates: tuple[Term, ...] | None
    span: Span
    op_span: Span


class Argument(NamedTuple):
    """``trials=n``, ``logit``, ``[0, 10]``: `value` is a number, a text or a tuple of them."""

    name: str | None
    value: float | str | tuple[float | str, ...]
    span: Span


class Declaration(NamedTuple):
    """``names :: kind(arguments)``."""

    variables: tuple[Variable, ...]
    kind: str
    arguments: tuple[Argument, ...]
    span: Span
    kind_span: Span


class Definition(NamedTuple):
    """``p := expression`` (or ``:~``, also ``log(p) :~ expression`` with `function` ``log``)."""

    name: str
    op: str
    expression: Expression
    text: str
    span: Span
    name_span: Span
    function: str = ""


class Constraint(NamedTuple):
    """``a == b``, ``a < b <= c``: `operators[i]` stands between operands i and i + 1; `texts` as written."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    texts: tuple[str, ...]
    span: Span


class Hint(NamedTuple):
    """A hint for the drawing: ``rows = [g, f1 + f2]``, ``direction = right``, ``at(f1, 100, 40)``.

    `names` holds what stands together, `word` the direction, `place` the numbers of ``at``.
    """

    key: str
    names: tuple[tuple[Variable, ...], ...] = ()
    word: str = ""
    place: tuple[float, float] | None = None
    span: Span = Span(0, 0)


class Directive(NamedTuple):
    """``key: value, key2 = value2``; `cluster: school/class` has one argument, the tuple of names.

    `hints` are those of ``layout:``, which has no other arguments.
    """

    key: str
    arguments: tuple[Argument, ...]
    span: Span
    key_span: Span
    hints: tuple[Hint, ...] = ()


class Header(NamedTuple):
    """``group: Pasteur``, ``level: 1``, ``class c: 2``; `variable` is the class variable where one is named."""

    kind: str
    label: str
    span: Span
    variable: str | None = None


Statement = Formula | Thresholds | Declaration | Definition | Constraint | Directive | Header


class Comment(NamedTuple):
    text: str
    span: Span


class Model(NamedTuple):
    """A parsed text: its statements in order and its comments (kept for ``semlang fmt``).

    `broken` are the places of statements that could not be read; they are not among `statements`.
    """

    source: Source
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = ()
    broken: tuple[Span, ...] = ()
