"""The CodeMirror mode, run by node, says of every token what the reference grammar says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from semlang.editors.codemirror import STYLES

Classes = Callable[[str], list[tuple[int, int, str]]]
HERE = Path(__file__).parent
MODE = HERE.parents[1] / "grammar" / "codemirror" / "semlang.js"


def run(texts: list[str], folder: Path) -> list[list[tuple[int, int, str]]]:
    """Return what the mode says of each text, offsets in UTF-16 units."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT TESTED: the CodeMirror mode, since there is no node on the path")
    mode = folder / "semlang.mjs"
    mode.write_bytes(MODE.read_bytes())
    done = subprocess.run(
        [node, str(HERE / "run_mode.mjs"), str(mode)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [[(a, b, style) for a, b, style in found] for found in json.loads(done.stdout)]


def compare(texts: list[str], folder: Path, by_grammar: Classes) -> int:
    texts = ["\n".join(text.splitlines()) for text in texts]
    assert all(max(text, default="") < "\U00010000" for text in texts)  # so that the offsets are those of Python
    count = 0
    for text, found in zip(texts, run(texts, folder), strict=True):
        theirs = [(start, end, STYLES[kind]) for start, end, kind in by_grammar(text)]
        assert found == theirs, text
        count += len(theirs)
    return count


def test_corpus(corpus: list[str], odd: list[str], tmp_path: Path, by_grammar: Classes) -> None:
    assert compare([*corpus, *odd], tmp_path, by_grammar) > 2000


def test_reference_corpus(reference_corpus: list[str], tmp_path: Path, by_grammar: Classes) -> None:
    assert compare(reference_corpus, tmp_path, by_grammar) > 5000


def test_mistakes_are_marked(tmp_path: Path) -> None:
    texts = {"f =~ 2x": "2x", "y ~ 😀": "😀", 'data: "open': '"open', "_y ~ x": "_y"}
    for (text, wrong), found in zip(texts.items(), run(list(texts), tmp_path), strict=True):
        units = text.encode("utf-16-le")
        marked = [units[2 * a : 2 * b].decode("utf-16-le") for a, b, style in found if style == "invalid"]
        assert marked == [wrong]
