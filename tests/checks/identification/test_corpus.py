"""Every model of known status gets the right verdict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semlang.checks.identification import Identification, identify
from semlang.graph.build import build_graphs
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse

FOLDER = Path(__file__).parents[2] / "corpus" / "identification"
FILES = sorted(FOLDER.glob("*.sem"))


def report(text: str, explain: bool = False) -> Identification:
    ast, _ = parse(Source(text))
    table, findings = elaborate(ast).answer
    assert table is not None, findings
    return identify(table, build_graphs(table), explain=explain)


def names(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_verdict(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = dict(re.findall(r"^# ([a-z ]+): (.*)$", text, flags=re.MULTILINE))
    found = report(text, explain="only if" in known)
    assert found.verdict == known["verdict"], found.render()
    assert known["source"]
    if "df" in known:
        assert found.df == int(known["df"])
    if "unidentified" in known:
        assert {" ".join(t).strip() for t in found.unidentified} == names(known["unidentified"])
    if "only if" in known:
        conditions = {c.removesuffix(" is not 0") for c in found.only_if}
        assert conditions == (set() if known["only if"] == "nothing" else names(known["only if"]))
    if found.verdict != "identified":
        assert found.sets
        assert len(found.directions) == len(found.sets)


def test_the_corpus_is_large() -> None:
    assert len(FILES) >= 120


@pytest.mark.parametrize(
    "path", [p for p in FILES if "verdict: not" in p.read_text(encoding="utf-8")], ids=lambda p: p.stem
)
def test_repairs_hold(path: Path) -> None:
    """A repair that is printed, typed under the model, makes it identified."""
    text = path.read_text(encoding="utf-8")
    if "groups:" in text or "level: 2" in text:
        pytest.skip("a line at the end would hold for the last block alone")
    for repair in report(text, explain=True).repairs[:2]:
        after = report(f"{text}\n{repair['text']}\n")
        assert after.verdict == "identified", f"{repair['text']}: {after.render()}"
