"""Cut a text into statements.

A statement ends at a newline or ``;``. By lavaan's rule it goes on where a line ends in, or the next begins with, an
operator; here it also goes on inside open brackets and behind a comma. Comments and blank lines never end it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.source import Source, Span
from semlang.syntax.scan import OPERATORS, Token, scan

MAX_NESTING = 100
MAX_TERMS = 10_000
MAX_TOKENS = 25_000
"""A single term may have so many tokens: ``c(...)`` with one value for each of thousands of groups."""

_CONTINUES = frozenset({"=~", "~", "~~", "~*~", "<~", "|~", "+", "-", "*", "|", "%"})
_ENDS_OPEN = _CONTINUES | {",", "/", "?"}
_CLOSING = {"(": ")", "[": "]"}

SECTION = re.compile(r"%[ \t]*(?P<name>\w[^%\n]*?)[ \t]*%[ \t]*(?=$|[;!#\n])")
"""A line between percent signs, in Mplus a part of the model."""

DIRECTIVES = ("data", "cluster", "groups", "weights", "frequency", "reshape", "options", "layout", "include")
"""Keys of statements that say something of the whole text."""
HEADERS = ("group", "level", "class", "block")
"""Keys of statements that begin a block."""
KEYS = frozenset((*DIRECTIVES, *HEADERS))


@dataclass(slots=True)
class Piece:
    """The tokens of one statement, without spaces, newlines and comments, and what the cutter found wrong."""

    tokens: list[Token]
    findings: list[Diagnostic] = field(default_factory=list)

    @property
    def span(self) -> Span:
        """From the first token to the last."""
        return Span(self.tokens[0].start, self.tokens[-1].end)

    @property
    def is_directive(self) -> bool:
        """Whether it begins with a key and a colon and holds no operator: a directive or a block header."""
        head = [t.kind if t.text != ":" else ":" for t in self.tokens[:3]]
        if ":" not in head[1:] or not {"name", "badname"}.issuperset(head[:1]):
            return False
        if head[1] != ":" and head[1] not in ("name", "number", "badname", "quoted", "string"):
            return False
        behind = head.index(":", 1) + 1
        if len(self.tokens) > behind and self.tokens[behind].text in ("=", ":"):
            return False  # p : = a*b
        return not any(t.kind in OPERATORS or t.text in ("|", "||") for t in self.tokens)


def cut(source: Source) -> tuple[list[Piece], list[Token]]:
    """Return the statements of a text and all its tokens.

    Examples
    --------
    >>> pieces, _ = cut(Source("f =~ x1 +\\n  x2  # two lines\\ny ~ f; z ~ f"))
    >>> ["".join(t.text for t in piece.tokens) for piece in pieces]
    ['f=~x1+x2', 'y~f', 'z~f']
    """
    tokens = scan(source.text)
    kept = [t for t in tokens if t.kind not in ("space", "comment")]
    return _Cutter(source, kept).run(), tokens


def too_large(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """Return the finding for a statement with more terms, or a term with more tokens, than a model may hold."""
    terms, length, depth = 1, 0, 0
    for token in tokens if len(tokens) > MAX_TERMS else ():
        length += 1
        if token.text == "+" and depth == 0:
            terms += 1
            length = 0
        depth += (token.kind == "open") - (token.kind == "close")
        if terms > MAX_TERMS or length > MAX_TOKENS:
            return error(
                "too-many-terms",
                f"a statement has at most {MAX_TERMS:,} terms, and a term {MAX_TOKENS:,} names, numbers and signs",
                source,
                Span(token.start, token.end),
                label="no more from here",
                help="is a part of the text repeated by mistake?",
            )
    return None


class _Cutter:
    """One pass over the tokens; goes back only from an open bracket to the end of its line."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.following = self._following()
        self.pieces: list[Piece] = []

    def _following(self) -> list[Token | None]:
        """Return for each token the next one that is no newline."""
        following: list[Token | None] = [None] * len(self.tokens)
        seen: Token | None = None
        for i in range(len(self.tokens) - 1, -1, -1):
            following[i] = seen
            if self.tokens[i].kind != "newline":
                seen = self.tokens[i]
        return following

    def run(self) -> list[Piece]:
        i = 0
        while i < len(self.tokens):
            i = self._statement(i)
        return self.pieces

    def _statement(self, i: int) -> int:
        """Read one statement from token `i` and return where the next begins."""
        tokens = self.tokens
        current: list[Token] = []
        open_brackets: list[Token] = []
        way_out: int | None = None  # where the statement would have ended were no bracket open
        dangling: tuple[int, int] | None = None  # the line break behind a trailing operator: token, length of current
        operator = False
        findings: list[Diagnostic] = []
        while i < len(tokens):
            token = tokens[i]
            previous = current[-1] if current else None
            if token.kind == "newline":
                if previous is None:
                    i += 1
                    continue
                after = self.following[i]
                if self._is_section(current[0]) or (after is not None and self._is_section(after)):
                    break
                if self._goes_on(previous, after):
                    if previous.text in _ENDS_OPEN and operator and not open_brackets:
                        if after is not None and _begins_directive(tokens, i):
                            findings.append(self._dangling(token, previous))
                            current.pop()
                            break
                        dangling = (i, len(current))
                elif not open_brackets or len(open_brackets) > MAX_NESTING:
                    break
                elif way_out is None and previous.text not in "([" and after is not None and after.kind != "close":
                    way_out = i
                    if _begins_block(after, tokens, i):
                        break
            elif token.kind == "semicolon":
                break
            elif token.kind in OPERATORS and open_brackets and way_out is not None:
                self._finish([t for t in current if t.start < tokens[way_out].start], open_brackets, findings)
                return way_out
            elif token.kind in OPERATORS and not open_brackets and dangling and token.kind != "compares":
                findings.append(self._dangling(tokens[dangling[0]], current[dangling[1] - 1]))
                del current[dangling[1] - 1 :]
                self._finish(current, [], findings)
                return dangling[0]
            if token.kind == "open":
                open_brackets.append(token)
                if len(open_brackets) == MAX_NESTING + 1:
                    findings.append(self._too_deep(token))
            elif token.kind == "close" and open_brackets and _CLOSING[open_brackets[-1].text] == token.text:
                open_brackets.pop()
                if not open_brackets:
                    way_out = None
            operator = operator or (token.kind in OPERATORS and not open_brackets)
            if token.kind != "newline":
                current.append(token)
            i += 1
        self._finish(current, open_brackets, findings)
        return i + 1

    def _is_section(self, token: Token) -> bool:
        """Whether a line begins that stands between percent signs, as Mplus's ``%WITHIN%``."""
        return token.text == "%" and SECTION.match(self.source.text, token.start) is not None

    @staticmethod
    def _goes_on(previous: Token, after: Token | None) -> bool:
        return previous.text in _ENDS_OPEN or (after is not None and after.text in _CONTINUES)

    def _finish(self, current: list[Token], open_brackets: list[Token], findings: list[Diagnostic]) -> None:
        if not current:
            return
        left = [t for t in open_brackets if t.start <= current[-1].start]
        closed = any(t.kind == "close" for t in current[current.index(left[-1]) :]) if left else False
        if left and not findings and not closed:
            findings.append(self._unclosed(left[-1], current[-1], len(left) == 1))
        self.pieces.append(Piece(current, findings))

    def _unclosed(self, bracket: Token, last: Token, alone: bool) -> Diagnostic:
        closing = _CLOSING[bracket.text]
        return error(
            "unclosed-bracket",
            f"the bracket '{bracket.text}' is never closed",
            self.source,
            Span(bracket.start, bracket.end),
            label=f"no '{closing}' follows",
            help=f"close it with '{closing}'",
            fix=[Edit(Span(last.end, last.end), closing)] if alone and last.kind in ("name", "number") else [],
        )

    def _too_deep(self, bracket: Token) -> Diagnostic:
        return error(
            "too-deep",
            f"brackets are nested more than {MAX_NESTING} deep",
            self.source,
            Span(bracket.start, bracket.end),
            label=f"level {MAX_NESTING + 1}",
            help="name a part of the expression with ':=' and use the name",
        )

    def _dangling(self, newline: Token, last: Token) -> Diagnostic:
        place = Span(last.start, last.end)
        if last.kind in OPERATORS:
            return error(
                "missing-right-side",
                f"nothing stands on the right of '{last.text}'",
                self.source,
                place,
                label="the next line is a formula of its own",
                help=f"write what belongs behind '{last.text}', or delete the line",
            )
        return error(
            "dangling-operator",
            f"the line ends in '{last.text}' but the next one is a statement of its own",
            self.source,
            place,
            label="continues the formula on the next line",
            help=f"delete the '{last.text}', or write the term that is missing behind it",
        )


def _begins_directive(tokens: list[Token], i: int) -> bool:
    """Whether a directive or block header with a space behind its colon begins behind the newline `i`."""
    while tokens[i].kind == "newline":
        i += 1
    head = tokens[i : i + 4]
    colon = next((k for k, t in enumerate(head[:3]) if t.text == ":"), 0)
    if head[0].text.lower() not in KEYS or not colon or len(head) == colon + 1:
        return False
    return head[colon + 1].start > head[colon].end


def _begins_block(after: Token, tokens: list[Token], i: int) -> bool:
    """Whether a directive or block header begins behind the newline `i`."""
    while tokens[i].kind == "newline":
        i += 1
    rest = tokens[i + 1 : i + 3]
    return bool(re.fullmatch(r"(?i)group|level|class|block", after.text)) and any(t.text == ":" for t in rest)
