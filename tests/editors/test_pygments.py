"""The Pygments lexer says of every token what the grammar says."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from pygments.lexers import get_lexer_by_name
from pygments.token import Error, Whitespace

from semlang.editors.pygments_lexer import TOKENS, SemlangLexer
from semlang.syntax.scan import plain, scan

Classes = Callable[[str], list[tuple[int, int, str]]]


def check(text: str, by_grammar: Classes) -> int:
    """Compare one text and return the number of tokens."""
    found = list(SemlangLexer().get_tokens_unprocessed(text))
    assert "".join(piece for _, _, piece in found) == text
    ours = [(start, start + len(piece), kind) for start, kind, piece in found if kind is not Whitespace and piece]
    theirs = [(start, end, TOKENS[kind]) for start, end, kind in by_grammar(text)]
    assert ours == theirs, text
    assert not any(kind is Error for _, _, kind in ours)
    return len(theirs)


def test_corpus(corpus: list[str], odd: list[str], by_grammar: Classes) -> None:
    assert sum(check(text, by_grammar) for text in (*corpus, *odd)) > 2000


def test_reference_corpus(reference_corpus: list[str], by_grammar: Classes) -> None:
    assert sum(check(text, by_grammar) for text in reference_corpus) > 5000


def test_every_character_is_what_the_scan_says() -> None:
    """Alone and behind a letter, each of the 63,486 characters of the basic plane is a part of what the scan says."""
    same = {
        "space": "space", "newline": "space", "range": "range", "number": "number", "name": "name",
        "badname": "invalid", "relation": "operator", "defines": "operator", "declares": "operator",
        "compares": "operator", "string": "string", "quoted": "quoted", "comment": "comment", "doublebar": "sign",
        "open": "bracket", "close": "bracket", "semicolon": "separator", "symbol": "sign", "unclosed": "invalid",
        "unknown": "invalid",
    }  # fmt: skip
    characters = [chr(c) for c in range(1, 0x10000) if not 0xD800 <= c < 0xE000 and chr(c) not in "\r\n"]
    text = "".join(f"{c}\na{c}b\n" for c in characters)
    ours = {i: kind for i, kind, piece in SemlangLexer().get_tokens_unprocessed(text) if piece}
    read = plain(text)
    for token in scan(text):
        start, line = token.start, read[token.start : token.end + 1]
        alone = text[start - 1] == "\n" if start else True
        expected = same[token.kind]
        if token.kind == "name" and alone and line[-1] in "(*?":
            expected = "function" if line[-1] == "(" else "label"
        if token.text == ",":
            expected = "separator"
        if token.kind == "newline" or (start in ours and ours[start] is TOKENS[expected]):
            continue
        raise AssertionError(f"{token}: {ours.get(start)}")


def test_broken_texts_keep_every_character() -> None:
    for text in ["f =~ ", "f =~ (x1 + \ny ~ $x", '"open', "{1..", "2x ~ _y", "::", "class :", "\x00\ud7ff😀 ~ x"]:
        assert "".join(piece for _, _, piece in SemlangLexer().get_tokens_unprocessed(text)) == text


def test_pygments_finds_the_lexer() -> None:
    names = [e for e in entry_points(group="pygments.lexers") if e.value.startswith("semlang.")]
    if not names:
        import pytest

        pytest.skip("NOT TESTED: semlang is not installed, so that there is no entry point")
    assert isinstance(get_lexer_by_name("semlang"), SemlangLexer)
