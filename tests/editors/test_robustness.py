"""Whatever stands in a text, every question of an editor has an answer."""

from __future__ import annotations

import logging
import random
import zlib

import pytest

from semlang.editors.lsp.analysis import analyse
from semlang.editors.lsp.completion import complete
from semlang.editors.lsp.datasets import Datasets
from semlang.editors.lsp.definition import definition
from semlang.editors.lsp.diagnostics import diagnostics, fixes
from semlang.editors.lsp.hover import hover
from semlang.editors.lsp.positions import Positions
from semlang.editors.lsp.symbols import symbols
from semlang.source import Source, Span

CHARACTERS = "=~:|*+@[](){}\"'`#;,\n ./?^-<>é😀0a"


def broken(text: str) -> str:
    """Return a text with three mistakes, the same ones each time."""
    chance = random.Random(zlib.crc32(text.encode()))
    for _ in range(3):
        start = chance.randrange(len(text) + 1)
        text = text[:start] + chance.choice(CHARACTERS) + text[start + chance.randrange(4) :]
    return text


def test_broken_corpus(corpus: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    datasets = Datasets()
    for text in corpus:
        text = broken(text[:1000])
        analysis, at = analyse(Source(text, "/nowhere/model.sem"), datasets), Positions(text)
        found = diagnostics(analysis, at)
        assert all(d.range.start <= d.range.end for d in found)
        list(fixes(analysis, at, "file:///nowhere/model.sem", at.range(Span(0, len(text)))))
        list(symbols(analysis, at))
        for offset in range(0, len(text) + 1, 1 + len(text) // 10):
            complete(analysis, offset)
            hover(analysis, offset)
            definition(analysis, at, "file:///nowhere/model.sem", offset)
    assert not [r.getMessage() for r in caplog.records if r.name.startswith("semlang")]


def test_positions_there_and_back() -> None:
    text = "f =~ 😀x\n\n身長é\u0301 ~ f\n"
    for encoding in ("utf-8", "utf-16", "utf-32"):
        at = Positions(text, encoding)
        assert [at.offset(at.position(i)) for i in range(len(text) + 1)] == list(range(len(text) + 1))
