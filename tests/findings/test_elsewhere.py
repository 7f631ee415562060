"""Findings that no text of the corpus shows: of options, of what is installed, of fits that go wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from semlang.api import Model
from semlang.checks.identification.curvature import Curvature
from semlang.cli import semlang
from semlang.data.binding import bind
from semlang.errors import SemlangError
from semlang.estimation.findings import FindingsOfFit


def run(*arguments: str) -> tuple[int, list[str]]:
    """Run a command with --json; return the exit status and the slugs of its findings."""
    done = CliRunner().invoke(semlang, [*arguments, "--json"])
    return done.exit_code, [d["slug"] for d in json.loads(done.stdout)["diagnostics"]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, which holds a model and its data."""
    monkeypatch.chdir(tmp_path)
    Path("m.sem").write_text("y ~ x\n")
    rows = "\n".join(f"{(7 * i) % 11},{i % 5}" for i in range(40))
    Path("d.csv").write_text(f"y,x\n{rows}\n")
    return tmp_path


def test_not_a_fit(folder: Path) -> None:
    Path("fit.json").write_text("{}")
    assert run("draw", "m.sem", "--fit", "fit.json", "-o", "m.svg") == (1, ["not-a-fit"])


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.cli.commands import doctor

    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "graphviz" else version(name))
    status, found = run("doctor")
    assert status == 1
    assert "missing-package" in found


def test_not_converged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.results.fit import Fit

    monkeypatch.setattr(Fit, "converged", property(lambda fit: False))
    status, found = run("fit", "m.sem", "--data", "d.csv")
    assert status == 1
    assert "not-converged" in found


def test_too_few_thresholds() -> None:
    """Where a table was made without the data's categories."""
    frame = pd.DataFrame({"o": [1, 2, 3] * 8, "x": np.arange(24.0) % 7})
    _, found = bind(Model("o | t1\no ~ x").parameter_table, frame)
    assert [d.slug for d in found] == ["too-few-thresholds"]


def test_flat_likelihood() -> None:
    table = Model("y ~ x + z").parameter_table
    n = table.n_parameters
    information = np.eye(n)
    information[:2, :2] = 1.0
    collected = FindingsOfFit(table)
    collected.curvature(Curvature(information), np.eye(n), np.zeros(n), True)
    assert [d.slug for d in collected.found] == ["flat-likelihood"]


def test_points_not_settled() -> None:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(40), 10)
    u = 3.0 * rng.normal(size=40)
    y = (rng.random(400) < 1 / (1 + np.exp(-u[g]))).astype(int)
    fit = Model("y :: binomial(logit)\ny ~ 1 + (1 | g)").fit(pd.DataFrame({"y": y, "g": g}), points=2)
    assert "points-not-settled" in {d.slug for d in fit.diagnostics}


def test_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.estimation import climb

    def fail(*_: Any) -> Any:
        raise climb.Infeasible("nothing is finite")

    monkeypatch.setattr(climb.Climb, "_from", fail)
    frame = pd.DataFrame({"y": np.arange(20.0) % 7, "x": np.arange(20.0) % 5})
    with pytest.raises(SemlangError) as problem:
        Model("y ~ x").fit(frame)
    assert [d.slug for d in problem.value.diagnostics if d.is_error] == ["no-start"]


def test_starts_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.estimation import climb

    compete = climb.compete

    def alone(*given: Any) -> Any:
        contest = compete(*given)
        return replace(contest, values=contest.values[:1])

    monkeypatch.setattr(climb, "compete", alone)
    frame = pd.DataFrame({"y": np.arange(20.0) % 7, "x": np.arange(20.0) % 5})
    fit = Model("options: starts = 2\ny ~ x").fit(frame)
    assert "starts-disagree" in {d.slug for d in fit.diagnostics}
