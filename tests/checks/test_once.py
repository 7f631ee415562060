"""Identification is computed once an analysis: by the command line, a fit, the language server and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from semlang.checks.identification.rank import MomentMap
from semlang.cli import semlang
from semlang.editors.lsp.analysis import analyse
from semlang.editors.lsp.datasets import Datasets
from semlang.source import Source


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.chdir(tmp_path)
    f = np.random.default_rng(0).normal(size=(100, 1))
    pd.DataFrame(f + np.random.default_rng(1).normal(size=(100, 3)), columns=["x1", "x2", "x3"]).to_csv("d.csv")
    Path("m.sem").write_text('data: "d.csv"\nf =~ x1 + x2 + x3\n')
    Path("not.sem").write_text("f =~ x1 + x2\n")
    seen: list[int] = []
    real = MomentMap.__init__
    monkeypatch.setattr(MomentMap, "__init__", lambda self, *a, **k: (seen.append(1), real(self, *a, **k))[1])
    return seen


@pytest.mark.parametrize(
    "command",
    [["check", "m.sem"], ["check", "m.sem", "--data", "d.csv"], ["fit", "m.sem"], ["identify", "m.sem"]]
    + [["check", "not.sem"], ["identify", "not.sem"]],
    ids=" ".join,
)
def test_commands(command: list[str], calls: list[int]) -> None:
    CliRunner().invoke(semlang, command)
    assert len(calls) == 1


def test_the_page(calls: list[int]) -> None:
    from semlang.page.analyse import analyse as shown

    for name in ("m.sem", "not.sem"):
        calls.clear()
        assert shown(Path(name).read_text())["identification"]
        assert len(calls) == 1


def test_the_language_server(calls: list[int]) -> None:
    for name in ("m.sem", "not.sem"):
        calls.clear()
        analyse(Source(Path(name).read_text(), name), Datasets())
        assert len(calls) == 1
