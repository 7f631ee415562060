"""Colours for Pygments: Sphinx, Jupyter, LaTeX's minted, ``pygmentize -l semlang``."""

from __future__ import annotations

from typing import Any

from pygments.lexer import RegexLexer, bygroups, default
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

from semlang.editors.tokens import PYTHON, rules, sign

TOKENS = {
    "space": Whitespace,
    "comment": Comment.Single,
    "string": String,
    "quoted": Name.Variable,
    "range": Name.Variable,
    "number": Number,
    "constant": Keyword.Constant,
    "key": Keyword,
    "function": Name.Function,
    "kind": Keyword.Type,
    "label": Name.Label,
    "name": Name,
    "operator": Operator.Word,
    "sign": Operator,
    "bracket": Punctuation,
    "separator": Punctuation,
    "invalid": Error,
}
"""Pygments' token of each class."""


def _states() -> dict[str, list[Any]]:
    """Return the states of the lexer: at the beginning of a statement, and behind it."""
    start: list[Any] = []
    inside: list[Any] = [(r"\n", Whitespace, "#pop"), (sign(";"), Punctuation, "#pop")]
    for rule in rules(PYTHON):
        tokens = [TOKENS[c] for c in rule.classes]
        action = tokens[0] if len(tokens) == 1 else bygroups(*tokens)  # type: ignore[no-untyped-call]
        if rule.start:
            start.append((rule.pattern, action, "inside"))
        elif rule.classes in (("space",), ("comment",)):
            start.append((rule.pattern, action))
            inside.append((rule.pattern, action))
        else:
            inside.append((rule.pattern, action))
    start += [(r"\n", Whitespace), (sign(";"), Punctuation), default("inside")]
    return {"root": start, "inside": inside}


class SemlangLexer(RegexLexer):
    """Lexer of the semlang language.

    Examples
    --------
    >>> [(str(kind), text) for kind, text in SemlangLexer().get_tokens("f =~ x1") if text.strip()]
    [('Token.Name', 'f'), ('Token.Operator.Word', '=~'), ('Token.Name', 'x1')]
    """

    name = "semlang"
    aliases = ["semlang", "sem", "lavaan"]
    filenames = ["*.sem"]
    mimetypes = ["text/x-semlang"]
    tokens = _states()


__all__ = ["TOKENS", "SemlangLexer"]
