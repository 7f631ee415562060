"""What the cursor stands behind: the tokens of the statement that is being typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from semlang.source import Source
from semlang.syntax.cut import DIRECTIVES, HEADERS, cut
from semlang.syntax.scan import OPERATORS, Token, scan

_SENTINEL = "zzz"
_RUN = re.compile(r"[=~<>:|*]+$")
OPERANDS = frozenset({"name", "number", "string", "quoted", "range"})


@dataclass(frozen=True, slots=True)
class Context:
    """Where the cursor stands.

    Parameters
    ----------
    before : tuple of Token
        Tokens of the statement in front of the word that is being typed.
    prefix : str
        What is typed of the word.
    run : str
        Signs of an operator that stand right before the cursor: ``=`` of ``=~``.
    string : bool
        Whether the cursor is inside a quotation that is not closed; then `prefix` is what it holds.
    offset : int
    """

    before: tuple[Token, ...]
    prefix: str
    run: str = ""
    string: bool = False
    offset: int = 0

    @property
    def begins_operator(self) -> bool:
        """Whether signs stand right before the cursor, and no operator before them."""
        start = self.offset - len(self.run)
        return bool(self.run) and not any(t.kind in OPERATORS and t.end <= start for t in self.before)

    @property
    def key(self) -> str:
        """The key, where the statement is a directive or a block header."""
        colon = next((i for i, t in enumerate(self.before[:3]) if t.text == ":"), 0)
        key = self.before[0].text.lower() if colon else ""
        return key if key in (*DIRECTIVES, *HEADERS) and not self.has(*OPERATORS) else ""

    @property
    def brackets(self) -> list[Token]:
        """The brackets that are open, outermost first."""
        found: list[Token] = []
        for token in self.before:
            if token.kind == "open":
                found.append(token)
            elif token.kind == "close" and found:
                found.pop()
        return found

    def has(self, *kinds: str) -> bool:
        """Whether a token of these kinds stands before the cursor."""
        return any(t.kind in kinds for t in self.before)


def context(text: str, offset: int) -> Context | None:
    """Return the context at an offset, or None in a comment or a closed quotation.

    Examples
    --------
    >>> context("f =~ x1; y :: bi", 16).prefix, [t.text for t in context("f =~ x1; y :: bi", 16).before]
    ('bi', ['y', '::'])
    """
    head = text[:offset]
    last = next(iter(reversed(scan(head))), None)
    line = head[head.rfind("\n") + 1 :]
    if last is not None and last.kind in ("comment", "string"):
        return None
    if last is not None and last.kind == "unclosed" and last.text[:1] != "`":
        pieces = cut(Source(head[: last.start] + _SENTINEL))[0]
        return Context(tuple(pieces[-1].tokens[:-1]), last.text[1:], "", True, offset)
    quoted = last.text if last is not None and last.kind == "unclosed" else ""
    head = head[: len(head) - len(quoted)]
    if not quoted and re.search(r"(?:^|[^\w.])\.?[0-9][\w.]*$", line):
        return None  # a number
    tokens = cut(Source(head + _SENTINEL))[0][-1].tokens
    run = _RUN.search(head)
    prefix = quoted or tokens[-1].text.removesuffix(_SENTINEL)
    return Context(tuple(tokens[:-1]), prefix, run.group() if run else "", False, offset)
