"""Ctrl-C when the estimates are there: they are printed without what was still to come."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import semlang as sl
from semlang.cli import semlang
from semlang.estimation import estimate as estimating
from semlang.estimation.uncertainty import Uncertainty
from semlang.interrupts import held
from semlang.results import measures

TEXT = "f =~ x1 + x2 + x3 + x4"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 1)) + rng.normal(size=(200, 4))
    pd.DataFrame(x, columns=["x1", "x2", "x3", "x4"]).to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "m.sem").write_text(f'data: "d.csv"\n{TEXT}\n')
    return tmp_path


def press(*_: Any, **__: Any) -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def before(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> None:
    """Press it before something is computed, once."""
    real = getattr(place, name)
    pressed: list[bool] = []

    def pressing(*arguments: Any, **named: Any) -> Any:
        if not pressed:
            pressed.append(True)
            press()
        return real(*arguments, **named)

    monkeypatch.setattr(place, name, pressing)


def run(files: Path, *more: str) -> Result:
    return CliRunner().invoke(semlang, ["fit", str(files / "m.sem"), *more])


def estimates(result: dict[str, Any]) -> list[float]:
    return [p["est"] for p in result["parameters"]]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize(
    ("place", "name", "with_errors"),
    [
        (Uncertainty, "run", False),
        (estimating, "class_sizes", True),
        (sl.Model, "_fit", True),
        (measures, "unrestricted", True),
    ],
)
def test_estimates_are_not_lost(
    files: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, with_errors: bool
) -> None:
    whole = json.loads(run(files, "--json").stdout)["result"]
    before(monkeypatch, place, name)
    done = run(files, "--json", "-o", str(files / "fit.json"))
    assert done.exit_code == 1
    envelope = json.loads(done.stdout)
    result = envelope["result"]
    assert estimates(result) == estimates(whole)
    assert result["converged"]
    assert [p["se"] for p in result["parameters"]] == [p["se"] if with_errors else None for p in whole["parameters"]]
    slugs = {d["slug"] for d in envelope["diagnostics"]}
    assert "fit-interrupted" in slugs
    assert ("no-standard-errors" in slugs) is not with_errors
    monkeypatch.undo()
    kept = sl.load(files / "fit.json")
    assert kept.estimate.interrupted
    assert kept.measures()["chisq"] == pytest.approx(whole["measures"]["chisq"], rel=1e-9)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_the_summary_says_so(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before(monkeypatch, Uncertainty, "run")
    text = run(files).stdout
    assert text.startswith("INTERRUPTED: the estimates were there, and nothing that comes after them")
    assert "Standard errors  none: interrupted" in text


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_who_asks_twice_gets_out() -> None:
    with held() as once:
        press()
    assert once.came
    with held():
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
    with held() as never:
        pass
    assert not never.came
    found: list[bool] = []

    def elsewhere() -> None:
        with held() as other:
            found.append(other.came)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [False]
