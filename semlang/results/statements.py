"""Statements that a test is asked about, in the language of models."""

from __future__ import annotations

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.table import Relation
from semlang.source import Source
from semlang.syntax import ast
from semlang.syntax.parser import parse

__all__ = ["relations_of", "statements_of"]


def statements_of(text: str) -> tuple[Source, list[ast.Statement]]:
    """Return the statements of a text in which ``;`` separates them.

    Raises
    ------
    FitError
        With the findings of the syntax.
    """
    source = Source("\n".join(part.strip() for part in text.split(";")), "<test>")
    tree, found = parse(source)
    if any(d.is_error for d in found):
        raise FitError(found)
    return source, list(tree.statements)


def relations_of(text: str) -> tuple[Source, list[Relation]]:
    """Return equations like ``a == b; c == 0``; ``a == b == c`` is two.

    Raises
    ------
    FitError
        ``not-an-equation`` where there is another statement, or none.
    """
    source, statements = statements_of(text)
    out: list[Relation] = []
    for s in statements:
        if not isinstance(s, ast.Constraint) or any(op != "==" for op in s.operators):
            raise FitError(
                [error("not-an-equation", "this is no equation of parameters", source, getattr(s, "span", None),
                       help="write labels of parameters, for example  a == b; c == 0")]
            )  # fmt: skip
        for left, right, texts in zip(s.operands, s.operands[1:], zip(s.texts, s.texts[1:]), strict=False):
            out.append(Relation(left, "==", right, " == ".join(texts), s.span))
    if not out:
        raise FitError(
            [error("not-an-equation", "there is no equation", help="write labels, for example  a == b; c == 0")]
        )
    return source, out
