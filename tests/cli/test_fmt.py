"""``semlang fmt``: one layout, the same model, comments kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from semlang.cli import semlang
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse
from semlang.syntax.printer import format_text

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "tests" / "corpus").rglob("*.sem"), *(ROOT / "examples").rglob("*.sem")])


def fmt(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run ``semlang fmt``."""
    return CliRunner().invoke(semlang, ["fmt", *arguments], input=stdin)


def table(text: str) -> list[tuple[object, ...]] | None:
    """Return the rows of a text's table, without their places."""
    model, found = parse(Source(text))
    if any(d.is_error for d in found):
        return None
    rows = elaborate(model).answer[0]
    fields = ("lhs", "op", "rhs", "block", "group", "level", "free", "ustart", "label", "lower", "upper", "parameter")
    return None if rows is None else [tuple(getattr(r, f) for f in fields) for r in rows.rows]


def words_of_comments(text: str) -> list[str]:
    return [c.text.strip() for c in parse(Source(text))[0].comments]


def assert_same(text: str) -> None:
    """Assert that the layout of a text is stable and says the same."""
    laid_out = format_text(text)
    assert format_text(laid_out) == laid_out
    assert table(laid_out) == table(text)
    assert words_of_comments(laid_out) == words_of_comments(text)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.parent.name}/{p.parent.name}/{p.stem}")
def test_layout_of_the_corpus(path: Path) -> None:
    assert_same(path.read_text(encoding="utf-8"))


def test_layout_of_lavaans_texts(shared_folder: Path) -> None:
    lines = (shared_folder / "lavaan" / "accepts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 150
    for line in lines:
        assert_same(json.loads(line)["syntax"])


UGLY = b"f=~x1+ 2 *x2+x3 ;y~f   # both\r\n"
EVEN = b"f =~ x1 + 2*x2 + x3\r\ny ~ f  # both\r\n"


def test_files_are_written_whole_with_their_line_endings(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    path.write_bytes(UGLY)
    done = fmt(str(path))
    assert (done.exit_code, path.read_bytes()) == (0, EVEN)
    assert "laid out" in done.stdout
    before = path.stat().st_mtime_ns
    assert fmt(str(path)).stdout == "nothing to change\n"
    assert path.stat().st_mtime_ns == before
    assert os.listdir(tmp_path) == ["m.sem"]  # noqa: PTH208


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_nothing_is_written(tmp_path: Path, option: str) -> None:
    path = tmp_path / "m.sem"
    path.write_bytes(UGLY)
    done = fmt(str(path), option)
    assert (done.exit_code, path.read_bytes()) == (1, UGLY)
    assert ("+f =~ x1 + 2*x2 + x3\n" in done.stdout) == (option == "--diff")
    path.write_bytes(EVEN)
    assert fmt(str(path), option).exit_code == 0


def test_standard_input() -> None:
    done = fmt("-", stdin=UGLY)
    assert (done.exit_code, done.stdout) == (0, EVEN.decode().replace("\r\n", "\n"))


def test_a_text_with_errors_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    path.write_text("f=- x1\n")
    done = fmt(str(path), "--json")
    assert done.exit_code == 1
    assert path.read_text() == "f=- x1\n"
    assert [d["slug"] for d in json.loads(done.stdout)["diagnostics"]] == ["unknown-operator"]
    assert fmt("-", stdin=b"f=- x1\n").stdout == "f=- x1\n"


def test_json(tmp_path: Path) -> None:
    (tmp_path / "a.sem").write_bytes(UGLY)
    (tmp_path / "b.sem").write_bytes(EVEN)
    answer = json.loads(fmt(str(tmp_path / "a.sem"), str(tmp_path / "b.sem"), "--json").stdout)
    assert answer["schema"] == "semlang.fmt/1"
    assert answer["result"]["changed"] == [str(tmp_path / "a.sem")]
