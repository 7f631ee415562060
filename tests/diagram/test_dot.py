"""Writing pictures: the text, the formats, and that nothing is left of what went wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from semlang.diagram.dot import FORMATS, dot_text, drawn, write
from semlang.diagram.draw import draw
from semlang.diagram.layout import diagram
from semlang.diagram.spec import DiagramSpec
from semlang.errors import SemlangError

from .models import MODELS, table_of

SNAPSHOT = Path(__file__).with_name("one_factor.dot")
MAGIC = {
    "svg": b"<?xml",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "dot": b"digraph",
    "json": b"{",
    "tex": b"\\documentclass",
    "mmd": b"flowchart",
}


def spec() -> DiagramSpec:
    return diagram(table_of("ability =~ i1 + b*i2\nability ~ age\n"))


def test_text_is_as_it_was() -> None:
    assert dot_text(spec()) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_formats(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{form}"
    assert write(spec(), path) is None
    assert path.read_bytes().startswith(MAGIC[form])
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_drawn_and_keeps_its_places(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    table = table_of(MODELS[name])
    picture, wrong = drawn(diagram(table), "pdf")
    assert wrong is None
    assert picture is not None
    assert "Warning: " not in capfd.readouterr().err.replace("Fontconfig warning", "")


@pytest.mark.parametrize(
    ("name", "slug"),
    [("model.gif", "unknown-format"), ("model", "unknown-format"), ("no/model.svg", "unwritable-file")],
)
def test_bad_names(name: str, slug: str, tmp_path: Path) -> None:
    with pytest.raises(SemlangError) as problem:
        draw(table_of("y ~ x\n"), tmp_path / name)
    assert [d.slug for d in problem.value.diagnostics] == [slug]
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_can_not_be_drawn_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.png"
    path.write_text("old")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")
    wrong = write(spec(), path)
    assert wrong is not None
    assert wrong.slug == "no-graphviz"
    assert path.read_text() == "old"
    assert write(spec(), tmp_path / "model.dot") is None
    monkeypatch.setattr(Path, "replace", _fail)
    wrong = write(spec(), tmp_path / "model.dot")
    assert wrong is not None
    assert wrong.slug == "unwritable-file"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.dot", "model.png"]


def test_an_installed_graphviz_is_used_where_there_is_no_pygraphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\n/bin/cat > /dev/null\necho "<?xml $@"\n')
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    picture, wrong = drawn(spec(), "pdf")
    assert wrong is None
    assert picture is not None
    assert b"-n2" in picture
    assert b"-Tpdf" in picture


def _fail(self: Path, target: Path) -> None:
    raise PermissionError(13, "Permission denied")


def test_unknown_style() -> None:
    with pytest.raises(SemlangError) as problem:
        draw(table_of("y ~ x\n"), style="baroque")
    assert problem.value.diagnostics[0].slug == "unknown-style"


def test_notebooks_show_the_picture() -> None:
    shown = draw(table_of("y ~ x\n"))
    assert "<svg" in shown._repr_svg_()
    assert shown.dot.startswith("digraph model {")
