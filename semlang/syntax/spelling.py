"""Findings on single tokens: characters, names and strings that no statement can hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.source import Source, Span
from semlang.syntax.scan import Token, describe

_SIGNS = {
    "$": "columns are written by their bare names, without the data frame",
    "≤": "write '<='",
    "≥": "write '>='",
    "≠": "constraints are written with '==', '<', '>', '<=' or '>='",
    "→": "write '=~' (is measured by) or '~' (is regressed on)",
    "←": "write '~' (is regressed on)",
    "↔": "write '~~' (covaries with)",
    "&": "terms are joined by '+'",
    "\\": "a line goes on where it ends in an operator; no backslash is needed",
}


def misspelt(source: Source, tokens: Sequence[Token]) -> list[Diagnostic]:
    """Return a finding for each token that is no name, number, string or sign of the language."""
    findings: list[Diagnostic] = []
    reach = -1
    for token in tokens:
        if token.kind == "unknown" and token.text in "{}":
            return [*findings, _brace(source, token)]
        if token.kind == "unknown" and token.text != "%":
            if token.start > reach:
                findings.append(_unknown(source, token))
            reach = token.end
        elif token.kind == "badname":
            findings.append(_bad_name(source, token))
        elif token.kind == "unclosed":
            findings.append(_unclosed(source, token))
        elif token.kind == "name" and not token.text.strip("."):
            findings.append(_dots(source, token))
    return findings


def _unknown(source: Source, token: Token) -> Diagnostic:
    original = source.text[token.start : token.end]
    invisible = not original.isprintable()
    return error(
        "unknown-character",
        f"the character {describe(original)} has no meaning here",
        source,
        Span(token.start, token.end),
        label="not part of the language",
        help="delete it" if invisible else _SIGNS.get(original, "put a name with such characters in backticks"),
        fix=(Edit(Span(token.start, token.end), ""),) if invisible else (),
    )


def _brace(source: Source, token: Token) -> Diagnostic:
    return error(
        "malformed-range",
        f"the brace '{token.text}' is not part of a range",
        source,
        Span(token.start, token.end),
        label="its other half is missing" if token.text == "}" else "not closed on this line, or not alone",
        help="ranges are written i{1..5}, item{01..12} or {math,verbal}_{1..3}",
    )


def _bad_name(source: Source, token: Token) -> Diagnostic:
    name = token.text
    number = re.match(r"[0-9]*\.?[0-9]+(?=[^\W\d_])", name)
    if number:
        rest = name[number.end() :]
        message = f"'{name}' is neither a number nor a name"
        label = "names do not begin with a digit"
        help_ = [f"write '{number.group()}*{rest}' to fix the coefficient of {rest}", f"or `{name}` in backticks"]
    elif name.startswith("_"):
        message = f"the name '{name}' begins with '_'"
        label = "names begin with a letter or '.'"
        help_ = [f"write `{name}` in backticks, or rename it"]
    else:
        message = f"'{name}' is neither a number nor a name"
        label = "not a number, not a name"
        help_ = [f"write `{name}` in backticks if it is a name"]
    return error("bad-name", message, source, Span(token.start, token.end), label=label, help=help_)


def _dots(source: Source, token: Token) -> Diagnostic:
    return error(
        "bad-name",
        f"'{token.text}' is no name",
        source,
        Span(token.start, token.end),
        label="dots alone",
        help="write a range: x{1..5} is x1, x2, x3, x4, x5",
    )


def _unclosed(source: Source, token: Token) -> Diagnostic:
    return error(
        "unclosed-string",
        "the quotation is not closed on its line",
        source,
        Span(token.start, token.start + 1),
        label="opens here",
        help=f"close it with {token.text[0]}",
    )
