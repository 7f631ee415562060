"""One analysis for command line, Python and editors: it reads the data that a text names, and stops at no mistake."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.analysis import analyse
from semlang.cli import semlang
from semlang.editors.lsp.analysis import analyse as in_editor
from semlang.editors.lsp.datasets import Datasets
from semlang.errors import DataWarning, ModelError
from semlang.source import Source

TWO = "groups: g\nf =~ x1 + x2 + x3\nh =~ x4 + x5 + x6\n"
DATA = 'data: "d.csv"\n'
VIEWS = ("table", "matrices", "equations", "explain", "identify", "plan")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, which holds data of two groups with a text column."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    f = rng.normal(size=(2, 240))
    frame = pd.DataFrame({f"x{k}": (f[int(k > 3)] + 0.6 * rng.normal(size=240)).round(3) for k in range(1, 7)})
    frame["g"] = np.where(np.arange(240) % 3, "a", "b")
    frame["word"] = [f"w{k % 7}" for k in range(240)]
    frame["o"] = np.arange(240) % 3
    frame.to_csv("d.csv", index=False)
    return tmp_path


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Call the command with --json."""
    done = CliRunner().invoke(semlang, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def slugs(text: str, *, editor: bool = False) -> list[str]:
    """Return the errors and warnings about a text, by the command line's analysis or the editor's."""
    source = Source(text, "m.sem")
    found = in_editor(source, Datasets()).findings if editor else analyse(source).findings
    return [d.slug for d in found if d.severity.value != "note"]


def test_every_view_knows_the_groups_of_the_data(folder: Path) -> None:
    """19 parameters in each of two groups: fewer where the data are not read."""
    Path("m.sem").write_text(DATA + TWO)
    assert max(r["free"] for r in run("table", "m.sem")[1]["result"]["rows"]) == 38
    assert run("identify", "m.sem")[1]["result"]["n_free"] == 38
    assert len(run("matrices", "m.sem")[1]["result"]["groups"]) == 2
    assert any("38 free" in s for s in run("explain", "m.sem")[1]["result"]["sentences"])
    model = sl.read_model("m.sem")
    assert model.table["free"].max() == 38
    assert model.identify().n_free == 38
    assert model.fit().n_free == 38
    assert "38 free parameters" in model.explain()


def test_categories_of_the_data_are_known(folder: Path) -> None:
    Path("m.sem").write_text(DATA + "o :: ordinal(logit)\no ~ x1\n")
    rows = run("table", "m.sem")[1]["result"]["rows"]
    assert [r["rhs"] for r in rows if r["op"] == "|"] == ["t1", "t2"]


@pytest.mark.parametrize("editor", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DATA + TWO, []),
        ('data: "no.csv"\n' + TWO, ["missing-file"]),
        (DATA + "f =~ x1 + x2 + x33\n", ["unknown-column"]),
        (DATA + "f =~ x1 + x2 + x3 + word\n", ["text-column"]),
        (DATA + "groups: gg\nf =~ x1 + x2 + x3\n", ["unknown-column"]),
        (DATA + "x1 =~ x2 + x3 + x4\n", ["latent-is-column"]),
        # two mistakes, one of syntax
        (DATA + "f =~ x1 x2 + x3\ny77 ~ x4\n", ["missing-plus", "unknown-column"]),
        (DATA + "f =~ x1 x2 + x3\nword ~ x4\n", ["missing-plus", "text-column"]),
        ("f =~ x1 x2 + x3\nx5 ~ x6\nx6 ~ x5\n", ["missing-plus", "cyclic-paths"]),
        ("options: std.lw = true\nf =~ x1 x2 + x3\ny ~ z\n", ["unknown-option", "missing-plus"]),
        ("o :: ordinl(logit)\nf =- x1\ny ~ z\n", ["unknown-kind", "unknown-operator"]),
        # one of names, one of the data
        (DATA + "options: std.lw = true\nf =~ x1 + x2 + x33\n", ["unknown-option", "unknown-column"]),
        # what may follow from the broken line is not said
        (DATA + "f =~ x1 x2 + x3\nh ~ f\n", ["missing-plus", "unknown-column"]),
        (DATA + "trust =~ x1 x2 + x3\nx4 ~ trust\n", ["missing-plus"]),
        ("y :: binomial(logit\ny ~ a*x\nq := a + b\nz ~ b w\n", ["unclosed-bracket", "missing-plus"]),
        ("cluster: school class\ny ~ x + u[school]\n", ["misplaced-token"]),
        ("level 1\ny ~ x\nlevel: 2\ny ~ w\n", ["missing-colon"]),
    ],
)
def test_one_analysis(text: str, expected: list[str], editor: bool, folder: Path) -> None:
    assert slugs(text, editor=editor) == expected


def test_python_lists_both_mistakes() -> None:
    with pytest.raises(ModelError) as problem:
        sl.Model("f =~ x1 x2 + x3\noptions: std.lw = true")
    assert {d.slug for d in problem.value.diagnostics} == {"missing-plus", "unknown-option"}


def test_check_in_python_reads_the_data(folder: Path) -> None:
    assert [d.slug for d in sl.Model(DATA + "f =~ x1 + x2 + x33").check()] == ["unknown-column"]
    assert sl.Model(DATA + "f =~ x1 + x2 + x33").check(read=False) == []


def test_data_that_are_given_replace_those_of_the_text(folder: Path) -> None:
    frame = pd.read_csv("d.csv").rename(columns={"x3": "x33"})
    text = 'data: "no.csv"\nf =~ x1 + x2 + x33'
    assert sl.Model(text).check(frame) == []
    Path("m.sem").write_text(text)
    frame.to_csv("e.csv")
    assert run("check", "m.sem", "--data", "e.csv")[0] == 0
    for view in VIEWS[:3]:
        assert [d["slug"] for d in run(view, "m.sem", "--data", "e.csv")[1]["diagnostics"]] == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_says_that_the_data_are_not_read(view: str, folder: Path) -> None:
    Path("m.sem").write_text('data: "no.csv"\n' + TWO)
    status, answer = run(view, "m.sem")
    assert (status, answer["ok"]) == (0, True)
    assert [(d["slug"], d["start"]["line"]) for d in answer["diagnostics"]] == [("data-not-read", 1)]
    assert answer["result"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_the_text_beside_findings_about_the_data(view: str, folder: Path) -> None:
    Path("m.sem").write_text(DATA + "f =~ x1 + x2 + x33\n")
    status, answer = run(view, "m.sem")
    assert status == 1
    assert [d["slug"] for d in answer["diagnostics"] if d["severity"] == "error"] == ["unknown-column"]
    assert answer["result"]


def test_a_missing_file_is_status_2_of_check_and_fit(folder: Path) -> None:
    Path("m.sem").write_text('data: "no.csv"\n' + TWO)
    for command in ("check", "fit"):
        status, answer = run(command, "m.sem")
        assert status == 2
        assert [(d["slug"], d["start"]["line"]) for d in answer["diagnostics"]] == [("missing-file", 1)]


def test_python_views_warn_once_where_the_data_are_not_there(folder: Path) -> None:
    model = sl.Model('data: "no.csv"\n' + TWO)
    with pytest.warns(DataWarning, match=r"no\.csv"):
        assert len(model.table) > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert str(model.matrices)


def test_data_lie_beside_the_file_that_names_them(folder: Path) -> None:
    """A text in a folder is included: its data are there, too."""
    Path("base").mkdir()
    Path("d.csv").rename("base/d.csv")
    Path("base/base.sem").write_text(DATA + "f =~ x1 + x2 + x3\n")
    Path("m.sem").write_text('include: "base/base.sem"\nx4 ~ f\n')
    assert run("check", "m.sem") == (0, run("check", "m.sem")[1])
    assert sl.read_model("m.sem").fit().to_json()["n_rows"] == 240
