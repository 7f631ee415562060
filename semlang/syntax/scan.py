"""Cut a text into tokens: the coarse scan on which statements, messages and the printer stand.

The scan never fails: every character belongs to a token, and what has no meaning is a token of kind ``unknown``.
Typographic characters are read as their plain forms, one for one, so that columns stay those of the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_DOUBLE = '"“”„‟«»＂'
_SINGLE = "'‘’‚‛＇"
_MARKS = r"\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff"
_PLAIN = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u02dc\u223c\u301c\uff5e\u2053", "~"),
    **dict.fromkeys("\u00d7\u2217\u22c5\u00b7", "*"),
    **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000\ufeff\u2028\u2029\u0085\t\f\v\r", " "),
    **{chr(c): " " for c in range(0x2000, 0x200B)},
    **{chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F) if not chr(c - 0xFEE0).isalnum() and c != 0xFF3F},
}
_TRANSLATION = str.maketrans({k: v for k, v in _PLAIN.items() if k not in "\"'"})

_TOKEN = re.compile(
    rf"""
      (?P<space>    [ ]+ )
    | (?P<range>    [\w.]* (?: \{{ [^{{}}\n]* \}} [\w.]* )+ )
    | (?P<number>   (?: [0-9]+ \.? [0-9]* | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? (?![\w.]) )
    | (?P<name>     (?: [^\W\d_] | \.(?![0-9]) ) [\w.{_MARKS}]* )
    | (?P<badname>  [\w.] [\w.{_MARKS}]* )
    | (?P<newline>  \n )
    | (?P<relation> =~ | ~\*~ | ~~ | <~ | \|~ | ~ )
    | (?P<defines>  := | :~ )
    | (?P<declares> :: )
    | (?P<compares> == | <= | >= | < | > )
    | (?P<string>   [{_DOUBLE}] [^\n{_DOUBLE}]* [{_DOUBLE}] | [{_SINGLE}] [^\n{_SINGLE}]* [{_SINGLE}] )
    | (?P<quoted>   ` [^`\n]+ ` )
    | (?P<comment>  [#!] [^\n]* )
    | (?P<doublebar> \|\| )
    | (?P<open>     [(\[] )
    | (?P<close>    [)\]] )
    | (?P<semicolon> ; )
    | (?P<symbol>   [-+*/?^:@|,=] )
    | (?P<unclosed> [{_DOUBLE}{_SINGLE}`] [^\n]* )
    | (?P<unknown>  . )
    """,
    re.VERBOSE,
)

OPERATORS = frozenset({"relation", "defines", "declares", "compares"})


class Token(NamedTuple):
    """A piece of text with its kind; `text` is in plain characters, `start` and `end` are offsets."""

    kind: str
    text: str
    start: int
    end: int


def plain(text: str) -> str:
    """Return the text with typographic dashes, tildes, spaces and full-width signs as plain ones, same length.

    Examples
    --------
    >>> plain("f =˜ −1*x\\r\\n")
    'f =~ -1*x \\n'
    """
    if text.isascii() and not any(c in text for c in "\t\r\f\v"):
        return text
    if "\r" in text:
        text = re.sub(r"\r(?!\n)", "\n", text)
    return text.translate(_TRANSLATION)


def scan(text: str) -> list[Token]:
    """Return the tokens of a text; joined, they are the text.

    Examples
    --------
    >>> [t.kind for t in scan("f =~ 2*x1")]
    ['name', 'space', 'relation', 'space', 'number', 'symbol', 'name']
    """
    clean = plain(text)
    tokens = []
    for match in _TOKEN.finditer(clean):
        kind, start, end = match.lastgroup or "unknown", match.start(), match.end()
        piece = match.group()
        if kind in ("string", "quoted", "comment"):
            piece = text[start:end]
            if kind == "string":
                quote = '"' if piece[0] in _DOUBLE else "'"
                piece = quote + piece[1:-1] + quote
        tokens.append(Token(kind, piece, start, end))
    return tokens


def describe(character: str) -> str:
    """Return how a message names a character: itself where it shows, else its code point and name."""
    if character.isprintable() and not character.isspace():
        return f"'{character}'"
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'a control character').lower()})"
