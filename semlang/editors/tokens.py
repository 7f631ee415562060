"""The one table of tokens from which the Pygments lexer, the TextMate grammar and the CodeMirror mode are made.

The language itself is read by `semlang.syntax`; this table says the same in regular expressions that three engines
understand, and tests compare the two on every text there is.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from semlang.syntax.cut import DIRECTIVES, HEADERS
from semlang.syntax.scan import plain

MARKS = r"\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff"
"""Combining marks that may stand in a name."""
QUOTES = ('"“”„‟«»＂', "'‘’‚‛＇")
"""Characters that open and close a string."""
SPACED_FUNCTIONS = ("c", "start", "equal", "label", "fixed", "lower", "upper", "rv", "efa", "prior", "rep")
"""Modifiers that a space may set off from their bracket."""

CLASSES = (
    "space", "comment", "string", "quoted", "range", "number", "constant", "key", "function", "kind", "label", "name",
    "operator", "sign", "bracket", "separator", "invalid",
)  # fmt: skip
"""What a token can be."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an engine writes a letter, and the inside of a class of letters, digits and the underscore."""

    letter: str
    word: str


PYTHON = Dialect(r"[^\W\d_]", r"\w")
UNICODE = Dialect(r"[\p{L}\p{Nl}\p{No}]", r"\p{L}\p{N}_")
"""JavaScript with the flag u, and Oniguruma."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A regular expression and the class of what it matches, or of each of its groups, which cover the match.

    Where `start` is set the rule holds at the beginning of a statement only.
    """

    pattern: str
    classes: tuple[str, ...]
    start: bool = False


@functools.cache
def variants() -> Mapping[str, str]:
    """Return for each plain sign the typographic characters that are read as it, itself among them.

    Examples
    --------
    >>> "−" in variants()["-"], variants()["~"][0]
    (True, '~')
    """
    found: dict[str, list[str]] = defaultdict(list)
    every = "".join(map(chr, range(0x10000)))
    for read, written in zip(plain(every), every, strict=True):
        if read != written or not (read.isalnum() or read == "_"):
            found[read].append(written)
    found[" "].append("\r")
    return {sign: "".join(dict.fromkeys((sign, *others))) for sign, others in found.items()}


def _inside(characters: str) -> str:
    """Return the inside of a character class; long runs as ranges.

    Examples
    --------
    >>> _inside("abcdex^")
    'a-ex\\\\^'
    """
    runs: list[list[str]] = []
    for c in characters:
        if runs and ord(c) == ord(runs[-1][-1]) + 1:
            runs[-1].append(c)
        else:
            runs.append([c])
    escaped = [[f"\\{c}" if c in r"\]^-[" else c for c in run] for run in runs]
    return "".join(f"{run[0]}-{run[-1]}" if len(run) > 3 else "".join(run) for run in escaped)


def sign(text: str) -> str:
    """Return the pattern of a sign in any of its typographic forms.

    Examples
    --------
    >>> sign("::")
    '[:：][:：]'
    """
    return "".join(f"[{_inside(variants()[c])}]" for c in text)


def signs(characters: str) -> str:
    """Return the inside of a class of several signs."""
    return "".join(_inside(variants()[c]) for c in characters)


def word(text: str) -> str:
    """Return the pattern of a word in capitals or not.

    Examples
    --------
    >>> word("data")
    '[dD][aA][tT][aA]'
    """
    return "".join(f"[{c}{c.upper()}]" for c in text)


@functools.cache
def rules(dialect: Dialect) -> tuple[Rule, ...]:
    """Return the rules in the order in which they are tried; the last two match what is left."""
    gap = f"[{signs(' ')}]*"
    dot = signs(".")
    words = f"[{dialect.word}{dot}]"
    rest = f"[{dialect.word}{dot}{MARKS}]"
    name = f"(?:{dialect.letter}|[{dot}](?![0-9])){rest}*"
    number = rf"(?:[0-9]+[{dot}]?[0-9]*|[{dot}][0-9]+)(?:[eE][{signs('+-')}]?[0-9]+)?"
    keys = "|".join(word(k) for k in (*DIRECTIVES, *HEADERS))
    functions = "|".join(SPACED_FUNCTIONS)
    braces = rf"{sign('{')}[^{signs('{}')}\n]*{sign('}')}"
    strings = "|".join(rf"[{q}][^\n{q}]*[{q}]" for q in QUOTES)
    relations = "|".join(map(sign, ("=~", "~*~", "~~", "<~", "|~", "~", ":=", ":~")))
    compares = "|".join(map(sign, ("==", "<=", ">=", "<", ">")))
    colon = f"{sign(':')})(?!{gap}[{signs('=:~')}])"
    return (
        Rule(f"({word('class')})({gap})({name})({gap})({colon}", ("key", "space", "name", "space", "separator"), True),
        Rule(f"({keys})({gap})({colon}", ("key", "space", "separator"), True),
        Rule(f"[{signs(' ')}]+", ("space",)),
        Rule(rf"[{signs('#!')}][^\n]*", ("comment",)),
        Rule(f"{words}*(?:{braces}{words}*)+", ("range",)),
        Rule(f"{number}(?!{words})", ("number",)),
        Rule(f"NA(?!{rest})", ("constant",)),
        Rule(f"{name}(?={sign('(')})", ("function",)),
        Rule(f"(?:{functions})(?=[{signs(' ')}]+{sign('(')})", ("function",)),
        Rule(f"{name}(?={gap}[{signs('*?')}])", ("label",)),
        Rule(name, ("name",)),
        Rule(f"{words}{rest}*", ("invalid",)),
        Rule(f"({sign('::')})({gap})({name})", ("operator", "space", "kind")),
        Rule(f"{sign('::')}|{relations}|{compares}", ("operator",)),
        Rule(strings, ("string",)),
        Rule(rf"{sign('`')}[^{signs('`')}\n]+{sign('`')}", ("quoted",)),
        Rule(f"{sign('||')}|[{signs('-+*/?^:@|=')}]", ("sign",)),
        Rule(f"[{signs('()[]')}]", ("bracket",)),
        Rule(f"[{signs(';,')}]", ("separator",)),
        Rule(rf"[{''.join(QUOTES)}{signs('`')}][^\n]*", ("invalid",)),
        Rule(rf"[^\n{signs(' ')}]", ("invalid",)),
    )  # fmt: skip
