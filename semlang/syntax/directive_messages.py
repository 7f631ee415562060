"""Say what is wrong with a directive or block header: ``data: "a.csv"``, ``level: 1``."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.source import Source, Span
from semlang.syntax.cut import KEYS
from semlang.syntax.messages import OPERANDS, is_inside, unexpected, unmatched
from semlang.syntax.scan import OPERATORS, Token


def explain_directive(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    """Return the finding for a directive or header that the grammar reads up to token `at` only."""
    colon = next((i for i, t in enumerate(tokens) if t.text == ":"), 0)
    if at == len(tokens):
        last = tokens[-1]
        return error(
            "dangling-operator",
            f"the line ends in '{last.text}'",
            source,
            Span(last.start, last.end),
            label="something is missing behind this",
            help=f"delete the '{last.text}', or write what belongs behind it",
        )
    token = tokens[at]
    if at <= colon:
        return unexpected(source, tokens, at)
    key = tokens[0].text
    if token.kind == "close" and not is_inside(tokens, at):
        return unmatched(source, token)
    value = "".join(source.text[tokens[colon].end : tokens[-1].end]).strip()
    path = key.lower() in ("data", "include")
    return error(
        "unquoted-value" if path else "misplaced-token",
        f"'{token.text}' can not stand here in the value of '{key}:'",
        source,
        Span(token.start, token.end),
        label="not expected here",
        help=f'write {key}: "{value}"' if path else "put a value with spaces or signs in quotes; join values by ','",
    )


def unquoted_path(source: Source, tokens: Sequence[Token]) -> list[Diagnostic]:
    """Return the finding for ``data: ../a.csv``: a path with signs or spaces needs quotes."""
    if tokens[0].text.lower() not in ("data", "include") or tokens[1].text != ":" or len(tokens) < 4:
        return []
    if any(t.kind in ("string", "unclosed") for t in tokens):
        return []
    value = Span(tokens[2].start, tokens[-1].end)
    path = source.text[value.start : value.end]
    return [
        error(
            "unquoted-value",
            f"the file name of '{tokens[0].text}:' needs quotes",
            source,
            value,
            label="not quoted",
            help=f'write {tokens[0].text}: "{path}"',
            fix=[Edit(value, f'"{path}"')],
        )
    ]


def header_and_formula(source: Source, tokens: Sequence[Token]) -> list[Diagnostic]:
    """Return the finding for ``level: 1 y ~ x`` on one line, whose header lavaan drops."""
    colon = next((i for i, t in enumerate(tokens[:3]) if t.text == ":"), 0)
    if not colon or len(tokens) < colon + 4 or tokens[0].text.lower() not in KEYS:
        return []
    value, following = tokens[colon + 1 : colon + 3]
    if value.kind not in OPERANDS or following.kind not in ("name", "quoted", "range"):
        return []
    if not any(t.kind in OPERATORS for t in tokens[colon + 3 :]):
        return []
    line = source.text[tokens[0].start : value.end]
    return [
        error(
            "header-and-formula",
            f"a formula stands on the line of '{line}'",
            source,
            Span(following.start, following.end),
            label="begin a new line before this",
            help=f"write '{line}' on a line of its own, or ';' behind it",
            fix=[Edit(Span(value.end, following.start), "\n")],
        )
    ]
