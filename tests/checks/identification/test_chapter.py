"""The chapter shows what the program prints. ``SEMLANG_UPDATE=1`` writes it anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from semlang.checks.identification import identify
from semlang.graph.build import build_graphs
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse

CHAPTER = Path(__file__).parents[3] / "docs" / "identification.md"
EXAMPLE = re.compile(r"```semlang\n(.*?)```\n(?:\n```text\n.*?```\n)?", flags=re.DOTALL)


def printed(text: str) -> str:
    ast, _ = parse(Source(text))
    table, findings = elaborate(ast).answer
    assert table is not None, findings
    return str(identify(table, build_graphs(table)))


def regenerated(chapter: str) -> str:
    return EXAMPLE.sub(lambda m: f"```semlang\n{m[1]}```\n\n```text\n{printed(m[1])}\n```\n", chapter)


def test_the_chapter_is_what_the_program_prints() -> None:
    chapter = CHAPTER.read_text(encoding="utf-8")
    found = regenerated(chapter)
    if os.environ.get("SEMLANG_UPDATE"):
        CHAPTER.write_text(found, encoding="utf-8")
        pytest.skip("the chapter was written anew")
    assert found == chapter


def test_twenty_models() -> None:
    assert len(EXAMPLE.findall(CHAPTER.read_text(encoding="utf-8"))) == 20
