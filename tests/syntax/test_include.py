"""Included files: what they may be, and how much of them is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from semlang.api import Model, read_model
from semlang.data.reading import read_data
from semlang.editors.lsp.analysis import analyse
from semlang.editors.lsp.datasets import Datasets
from semlang.errors import ModelError
from semlang.source import Source
from semlang.syntax.file import MAX_BYTES
from semlang.syntax.include import MOST_FILES

POSIX = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="devices and pipes are POSIX's")


def slugs(path: Path) -> set[str]:
    with pytest.raises(ModelError) as problem:
        read_model(path)
    return {d.slug for d in problem.value.diagnostics}


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@POSIX
def test_devices_and_pipes_are_not_included(tmp_path: Path, pipe: Path) -> None:
    model = tmp_path / "m.sem"
    for name in ("/dev/zero", "/dev/null", "pipe", "."):
        model.write_text(f'include: "{name}"\ny ~ x\n')
        with pytest.raises(ModelError) as problem:
            read_model(model)
        (finding,) = problem.value.diagnostics
        assert finding.slug == "unreadable-file"
        assert finding.span is not None  # the line that names it
        found = analyse(Source(model.read_text(), str(model)), Datasets()).findings
        assert [d.slug for d in found] == ["unreadable-file"]


@POSIX
def test_nor_are_they_data(tmp_path: Path, pipe: Path) -> None:
    for name in ("/dev/zero", str(pipe)):
        frame, found = read_data(name)
        assert frame is None
        assert [d.slug for d in found] == ["unreadable-file"]
        text = f'data: "{name}"\ny ~ x\n'
        about = analyse(Source(text, str(tmp_path / "m.sem")), Datasets()).findings
        assert "unreadable-file" in [d.slug for d in about]


@POSIX
def test_an_endless_model_is_refused() -> None:
    assert slugs(Path("/dev/zero")) == {"file-too-long"}


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    with path.open("wb") as stream:
        stream.truncate(300 * 1024 * 1024)
    begun = time.process_time()
    with pytest.raises(ModelError) as problem:
        read_model(path)
    assert [d.message for d in problem.value.diagnostics] == ["the text has 307200 KB; a model has at most 256"]
    assert time.process_time() - begun < 1.0
    (tmp_path / "a.sem").write_text('include: "m.sem"\ny ~ x\n')
    assert slugs(tmp_path / "a.sem") == {"file-too-long"}


def test_nor_is_a_huge_text() -> None:
    text = "y ~ x\n" * 1_000_000
    begun = time.process_time()
    with pytest.raises(ModelError):
        Model(text)
    assert [d.slug for d in analyse(Source(text), Datasets()).findings] == ["file-too-long"]
    assert time.process_time() - begun < 2.0


def test_a_tree_of_includes_ends(tmp_path: Path) -> None:
    """Six includes each, 18 deep: 10^14 files."""
    for depth in range(18):
        (tmp_path / f"{depth}.sem").write_text(f'include: "{depth + 1}.sem"\n' * 6)
    (tmp_path / "18.sem").write_text("y ~ x\n")
    begun = time.process_time()
    assert slugs(tmp_path / "0.sem") == {"include-too-much"}
    found = analyse(Source((tmp_path / "0.sem").read_text(), str(tmp_path / "0.sem")), Datasets()).findings
    assert {d.slug for d in found} == {"include-too-much"}
    assert time.process_time() - begun < 5.0


def test_many_empty_files_and_few_long_ones(tmp_path: Path) -> None:
    (tmp_path / "empty.sem").write_text("")
    (tmp_path / "long.sem").write_text("# a long comment\n" * (MAX_BYTES // 40))
    line = 'include: "{}.sem"\n'
    for name, most in (("empty", MOST_FILES), ("long", 2)):
        (tmp_path / "m.sem").write_text(line.format(name) * most + "y ~ x\n")
        assert read_model(tmp_path / "m.sem").parameter_table.n_parameters == 3
        (tmp_path / "m.sem").write_text(line.format(name) * (most + 1) + "y ~ x\n")
        assert slugs(tmp_path / "m.sem") == {"include-too-much"}
