"""The canonical layout of a text: one statement a line, even spaces, comments kept.

The printer works on tokens, so that ranges, labels and numbers stay as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semlang.source import Source
from semlang.syntax.cut import Piece, cut
from semlang.syntax.operators import join_split
from semlang.syntax.parser import parse
from semlang.syntax.scan import OPERATORS, Token

WIDTH = 100
INDENT = "    "
_TIGHT = frozenset("*:^@?/")


def format_text(source: Source | str) -> str:
    """Return a text in canonical layout; a text with errors is returned as it is.

    Examples
    --------
    >>> print(format_text("f=~x1+ 2 *x2 ;y~f   # both"), end="")
    f =~ x1 + 2*x2
    y ~ f  # both
    """
    if isinstance(source, str):
        source = Source(source)
    _, findings = parse(source)
    if any(finding.is_error for finding in findings):
        return source.text
    pieces, tokens = cut(source)
    comments = [t for t in tokens if t.kind == "comment"]
    lines: list[str] = []
    end = 0
    for item, inner in _items(pieces, comments):
        start = item.start if isinstance(item, Token) else item.span.start
        newlines = _newlines(source.text[end:start])
        if isinstance(item, Token):
            end = item.end
            if lines and not newlines:
                lines[-1] += "  " + item.text.rstrip()
                continue
            block = [item.text.rstrip()]
        else:
            end = item.span.end
            block = _statement(source, item, inner)
        if lines and newlines > 1:
            lines.append("")
        lines += block
    return "".join(f"{line}\n" for line in lines)


def _items(pieces: Sequence[Piece], comments: Sequence[Token]) -> Iterator[tuple[Piece | Token, list[Token]]]:
    """Yield statements, each with the comments inside it, and the comments between them, in order."""
    i = 0
    for piece in pieces:
        while i < len(comments) and comments[i].start < piece.span.start:
            yield comments[i], []
            i += 1
        inner: list[Token] = []
        while i < len(comments) and comments[i].start < piece.span.end:
            inner.append(comments[i])
            i += 1
        yield piece, inner
    for comment in comments[i:]:
        yield comment, []


def _newlines(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _statement(source: Source, piece: Piece, inner: Sequence[Token]) -> list[str]:
    """Return the lines of a statement."""
    tokens = piece.tokens if piece.is_directive else join_split(source, piece.tokens)[0]
    if inner:
        return _commented(source, tokens, inner, piece.is_directive)
    kept = _without_stray(tokens)
    words = _words(kept, piece.is_directive)
    flat = "".join(words)
    if len(flat) <= WIDTH:
        return [flat]
    return _wrapped(kept, words)


def _commented(source: Source, tokens: Sequence[Token], inner: Sequence[Token], directive: bool) -> list[str]:
    """Return a statement with comments inside: its line breaks stay, since comments belong to lines."""
    words = dict(zip(tokens, _words(tokens, directive)))
    lines: list[str] = []
    line, end = "", tokens[0].start
    for token in sorted([*tokens, *inner], key=lambda t: t.start):
        if line and _newlines(source.text[end : token.start]):
            lines.append(line.rstrip())
            line = ""
        if token.kind == "comment":
            line += ("  " if line.strip() else INDENT if lines else "") + token.text.rstrip()
        else:
            line += words[token] if line.strip() or not lines else INDENT + words[token].lstrip()
        end = token.end
    return [*lines, line.rstrip()]


def _wrapped(tokens: Sequence[Token], words: Sequence[str]) -> list[str]:
    """Return a long statement on several lines, broken behind plus signs outside brackets."""
    lines: list[str] = []
    line = part = ""
    depth = 0
    for token, word in zip(tokens, words):
        depth += (token.kind == "open") - (token.kind == "close")
        part += word
        if depth == 0 and (token.text == "+" or token is tokens[-1]):
            if line and len(line) + len(part) > WIDTH:
                lines.append(line)
                line = INDENT + part.lstrip()
            else:
                line += part
            part = ""
    return [*lines, line]


def _without_stray(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens without plus signs that add nothing."""
    kept: list[Token] = []
    for token in tokens:
        if token.text != "+" or (kept and not _opens(kept[-1])):
            kept.append(token)
    while kept and kept[-1].text == "+":
        kept.pop()
    return kept


def _words(tokens: Sequence[Token], directive: bool) -> list[str]:
    """Return the text of each token with the space before it."""
    words: list[str] = []
    depth, colon = 0, not directive
    previous: Token | None = None
    signed = False  # whether the token before is a sign and no operation
    for token in tokens:
        text = "".join(token.text.split()) if token.kind == "range" else token.text
        if token.kind == "close":
            depth -= 1
        at_key = not colon and token.text == ":"
        space = previous is not None and not at_key and _space(previous, token, signed, directive and depth == 0, colon)
        words.append(" " + text if space else text)
        signed = token.text in ("-", "+") and (previous is None or _opens(previous))
        colon = colon or at_key
        depth += token.kind == "open"
        previous = token
    return words


def _opens(token: Token) -> bool:
    """Whether a sign behind this token is the sign of a number and not an operation."""
    return token.kind in ("open", *OPERATORS) or token.kind in ("symbol", "doublebar")


def _space(previous: Token, token: Token, signed: bool, directive: bool, colon: bool) -> bool:
    """Whether a space stands between two tokens."""
    if previous.kind == "open" or token.kind == "close" or token.text == ",":
        return False
    if previous.text == ",":
        return True
    if directive and colon and previous.text == ":":
        return True
    if previous.kind in OPERATORS or token.kind in OPERATORS:
        return True
    if signed:
        return False
    if token.text == "=" or previous.text == "=":
        return directive
    if token.text in _TIGHT or previous.text in _TIGHT:
        return False
    if token.kind == "open":
        return previous.text in ("+", "-", "|", "||")
    return True
