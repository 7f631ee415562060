"""Pieces of code that several targets share: numbers, names, expressions, computed columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from semlang.model.table import Covariate, ParameterTable, Product
from semlang.syntax import ast


def number(x: float) -> str:
    """Return a number with all its digits, and no more.

    Examples
    --------
    >>> number(1.0), number(0.1)
    ('1', '0.1')
    """
    text = f"{x:.15g}"
    return text if float(text) == x else repr(float(x))


def plain(name: str) -> str:
    """Return a name of letters, digits and ``_`` only.

    Examples
    --------
    >>> plain("Reaction.1[Subject]"), plain("2x")
    ('Reaction_1_Subject', 'v2x')
    """
    out = re.sub(r"\W+", "_", name).strip("_") or "v"
    return f"v{out}" if out[0].isdigit() else out


def expression(e: ast.Expression, names: Mapping[str, str], power: str = "^") -> str:
    """Return an expression as text, with names replaced.

    Examples
    --------
    >>> from semlang.source import Span
    >>> s = Span(0, 1)
    >>> expression(ast.Binary("*", ast.Name("a", s), ast.Number(2.0, s), s), {"a": "b"})
    'b*2'
    """
    match e:
        case ast.Number():
            return number(e.value)
        case ast.String() | ast.Name():
            return names.get(e.text, e.text)
        case ast.Unary():
            return f"{e.op}{_part(e.operand, e, names, power)}"
        case ast.Binary():
            op = power if e.op in ("^", "**") else e.op
            space = " " if op in "+-" else ""
            left, right = (_part(x, e, names, power) for x in (e.left, e.right))
            return f"{left}{space}{op}{space}{right}"
        case ast.Call():
            inside = ", ".join(expression(x, names, power) for x in e.arguments)
            return f"{e.function}({inside})"


_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4, "**": 4}


def _part(inner: ast.Expression, outer: ast.Unary | ast.Binary, names: Mapping[str, str], power: str) -> str:
    text = expression(inner, names, power)
    bound = 3 if isinstance(outer, ast.Unary) else _BINDING.get(outer.op, 0)
    if isinstance(inner, ast.Binary):
        own = _BINDING.get(inner.op, 0)
        same = own == bound and isinstance(outer, ast.Binary) and inner is outer.right
        return f"({text})" if own < bound or same else text
    return f"({text})" if isinstance(inner, ast.Unary) else text


@dataclass(slots=True)
class Columns:
    """Columns that have to be computed before the model is fitted.

    Parameters
    ----------
    compute : callable
        The statement that makes a column, from its name and the product of covariates.
    name : callable
        Makes a column's name fit the target.
    """

    compute: Callable[[str, Product], str]
    name: Callable[[str], str] = plain
    made: dict[str, str] = field(default_factory=dict)

    def of(self, via: Product) -> str:
        """Return the column that holds a product of covariates."""
        if len(via) == 1 and via[0].is_column:
            return self.name(via[0].column)
        column = self.name("_".join(_word(c) for c in via))
        self.made.setdefault(column, self.compute(column, via))
        return column

    @property
    def statements(self) -> list[str]:
        """The statements, in order of use."""
        return list(self.made.values())


def _word(c: Covariate) -> str:
    match c.function:
        case "power":
            return f"{c.column}_{c.argument:g}".replace(".", "_")
        case "level":
            return f"{c.column}_{c.argument}"
        case "offset" if c.argument:
            return f"{c.argument}_{c.column}"
        case "identity" | "offset":
            return c.column
        case function:
            return f"{function}_{c.column}"


def r_name(name: str) -> str:
    """Return a name as R reads it: in backticks where it is not a plain one."""
    return name if re.fullmatch(r"(?:[^\W\d_]|\.(?!\d))[\w.]*", name) else f"`{name}`"


def r_covariate(c: Covariate, frame: str = "") -> str:
    """Return a covariate as an R expression; with `frame` as a column of it.

    Examples
    --------
    >>> r_covariate(Covariate("x", "power", 2.0)), r_covariate(Covariate("g", "level", "b"), "d$")
    ('I(x^2)', 'as.numeric(d$g == "b")')
    """
    column = f"{frame}{r_name(c.column)}"
    match c.function:
        case "power":
            inner = f"{column}^{c.argument:g}"
            return inner if frame else f"I({inner})"
        case "log":
            return f"log({column})"
        case "offset" if c.argument:
            return f"{c.argument}({column})"
        case "level":
            return f'as.numeric({column} == "{c.argument}")'  # a logical would be a factor in a formula
        case "factor":
            if c.argument is not None:
                return f'relevel(factor({column}), ref = "{c.argument}")'
            return f"factor({column})"
        case _:
            return column


def labels(table: ParameterTable, prefix: str = "eq") -> dict[int, str]:
    """Return the label of each row by id: as written, or a new one where ``group.equal`` or a constraint needs it."""
    taken = {r.label for r in table.rows}
    mentioned = {n for r in table.relations for e in (r.left, r.right) for n in _names(e)}
    mentioned |= {n for d in table.defined for n in _names(d.expression)}
    out: dict[int, str] = {}
    fresh: dict[str, str] = {}
    for row in table.rows:
        label = row.label or (row.plabel if row.plabel in mentioned else "")
        if label.startswith(".p") and label.endswith("."):
            if label not in fresh:
                name = f"{prefix}{label[2:-1]}"
                while name in taken:
                    name += "_"
                fresh[label] = name
            label = fresh[label]
        if label:
            out[row.id] = label
    return out


def renamed(table: ParameterTable, own: Mapping[int, str]) -> dict[str, str]:
    """Return what constraints have to call parameters: labels and plabels to the labels in `own`."""
    return {n: own[r.id] for r in table.rows if r.id in own for n in (r.plabel, r.label) if n}


def _names(e: ast.Expression) -> set[str]:
    match e:
        case ast.Name() | ast.String():
            return {e.text}
        case ast.Unary():
            return _names(e.operand)
        case ast.Binary():
            return _names(e.left) | _names(e.right)
        case ast.Call():
            return {n for x in e.arguments for n in _names(x)}
    return set()
