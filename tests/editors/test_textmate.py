"""The TextMate grammar, read by a small interpreter, says of every token what the reference grammar says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semlang.editors.textmate import SCOPES

Classes = Callable[[str], list[tuple[int, int, str]]]
FILE = Path(__file__).parents[2] / "grammar" / "semlang.tmLanguage.json"


@pytest.fixture(scope="module")
def patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return the patterns of the file, with Oniguruma's classes of letters as those of Python."""
    found = []
    for pattern in json.loads(FILE.read_text(encoding="utf-8"))["patterns"]:
        assert set(pattern) in ({"match", "name"}, {"match", "captures"})
        match = pattern["match"].replace(r"[\p{L}\p{Nl}\p{No}]", r"[^\W\d_]").replace(r"\p{L}\p{N}_", r"\w")
        assert r"\p" not in match
        found.append((re.compile(match), pattern))
    return found


def tokens(text: str, patterns: list[tuple[re.Pattern[str], dict[str, Any]]]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and scope as an editor finds them: line by line the first match, by the first pattern."""
    base = 0
    for line in text.splitlines(keepends=True) if "\n" in text else [text]:
        at = 0
        while at < len(line):
            matches = [(m, p) for m, p in ((regex.search(line, at), p) for regex, p in patterns) if m is not None]
            if not matches:
                break
            match, pattern = min(matches, key=lambda pair: pair[0].start())
            if "name" in pattern:
                yield base + match.start(), base + match.end(), pattern["name"]
            for number, capture in pattern.get("captures", {}).items():
                start, end = match.span(int(number))
                if start < end:
                    yield base + start, base + end, capture["name"]
            assert match.end() > at
            at = match.end()
        base += len(line)


def check(text: str, patterns: list[tuple[re.Pattern[str], dict[str, Any]]], by_grammar: Classes) -> int:
    text = "\n".join(text.splitlines())
    theirs = [(start, end, SCOPES[kind]) for start, end, kind in by_grammar(text)]
    assert list(tokens(text, patterns)) == theirs, text
    return len(theirs)


def test_corpus(corpus: list[str], odd: list[str], patterns: Any, by_grammar: Classes) -> None:
    assert sum(check(text, patterns, by_grammar) for text in (*corpus, *odd)) > 2000


def test_reference_corpus(reference_corpus: list[str], patterns: Any, by_grammar: Classes) -> None:
    assert sum(check(text, patterns, by_grammar) for text in reference_corpus) > 5000


def test_mistakes_are_marked(patterns: Any) -> None:
    for text, wrong in (("f =~ 2x", "2x"), ("y ~ $x", "$"), ('data: "open', '"open'), ("_y ~ x", "_y")):
        marked = [text[a:b] for a, b, scope in tokens(text, patterns) if scope == SCOPES["invalid"]]
        assert marked == [wrong]
