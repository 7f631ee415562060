"""Diagrams with the numbers of a fit: they are those that are asked for, or a finding says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang
from semlang.errors import FitError, SemlangError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with data of two groups and the fit of one factor to both."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    f = rng.normal(size=(200, 1))
    frame = pd.DataFrame(f + rng.normal(size=(200, 4)), columns=["x1", "x2", "x3", "x4"]).round(3)
    frame["g"] = np.where(np.arange(200) % 2, "a", "b")
    frame.to_csv("d.csv", index=False)
    Path("m.sem").write_text("groups: g\nf =~ x1 + x2 + x3\n")
    sl.read_model("m.sem").fit("d.csv").save("fit.json")
    return tmp_path


def drawn(*arguments: str) -> tuple[int, list[str]]:
    """Draw into out.json; return the exit status and the findings."""
    done = CliRunner().invoke(semlang, ["draw", *arguments, "-o", "out.json", "--json"])
    return done.exit_code, [d["slug"] for d in json.loads(done.stdout)["diagnostics"]]


def test_estimates_of_groups_are_shown(folder: Path) -> None:
    """The data are not named: the groups are those of the fit."""
    assert drawn("m.sem", "--fit", "fit.json") == (0, [])
    fit = sl.load("fit.json")
    loading = fit.estimates_by_row()[2]
    assert f"{loading:.2f}" in Path("out.json").read_text()


def test_the_fit_of_another_model_is_refused(folder: Path) -> None:
    for text in ("f =~ x1 + x2 + x4\n", "groups: g\nf =~ x1 + x2 + x3 + x4\n", "groups: g\nx1 ~ x2\n"):
        Path("other.sem").write_text(text)
        assert drawn("other.sem", "--fit", "fit.json") == (1, ["other-model"])


def test_what_is_drawn_is_what_was_asked_for(folder: Path) -> None:
    fit = sl.load("fit.json")
    pictures = {what: fit.draw(what=what).svg for what in ("est", "std", "names")}
    assert len(set(pictures.values())) == 3
    standard = fit.standardized()
    loading = standard[(standard.op == "=~") & (standard.rhs == "x2")]["est.std"].iloc[0]
    assert f"{loading:.2f}" in pictures["std"]
    with pytest.raises(FitError, match="did you mean 'std'"):
        fit.draw(what="sdt")


def test_an_unknown_style_is_a_finding(folder: Path) -> None:
    with pytest.raises(SemlangError, match="did you mean 'gllamm'"):
        sl.read_model("m.sem").draw(style="gllam")


@pytest.mark.parametrize(("word", "command"), [("estimate", "fit"), ("chekc", "check"), ("diagram", "draw")])
def test_a_command_that_is_none_has_a_suggestion(word: str, command: str) -> None:
    done = CliRunner().invoke(semlang, [word])
    assert done.exit_code == 2
    assert f"Did you mean '{command}'?" in done.stderr
