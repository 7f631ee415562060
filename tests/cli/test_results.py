"""Tests of the commands on fits: they say what the methods of a fit say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang

ROOT = Path(__file__).parents[2]
HS = ROOT / "examples" / "holzinger-swineford" / "model.sem"
SLEEP = ROOT / "examples" / "sleepstudy" / "model.sem"


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(semlang, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return fit files, written by the command."""
    folder = tmp_path_factory.mktemp("fits")
    out = {"hs": folder / "hs.json", "sleep": folder / "sleep.json"}
    for path, model in zip(out.values(), (HS, SLEEP), strict=True):
        assert run("fit", model, "-o", path, "--quiet").exit_code == 0
    return out


def test_show(files: dict[str, Path]) -> None:
    fit = sl.load(files["hs"])
    assert run("show", files["hs"]).stdout.strip() == fit.summary().strip()
    done = json.loads(run("show", files["hs"], "--measures", "--modification", "--json").stdout)
    assert done["schema"] == "semlang.show/1"
    measures = {r["measure"]: r["value"] for r in done["result"]["measures"]["rows"]}
    assert measures["cfi"] == pytest.approx(fit.measures("cfi"))
    assert done["result"]["modification"]["rows"][0]["mi"] == pytest.approx(fit.modification_indices()["mi"].max())
    assert r"\toprule" in run("show", files["hs"], "--standardized", "--latex").stdout
    assert "| visual | =~ | x1 |" in run("show", files["hs"], "--standardized", "--markdown").stdout


def test_fit_has_measures_and_standardized_estimates(files: dict[str, Path]) -> None:
    result = json.loads(files["hs"].read_text(encoding="utf-8"))["result"]
    fit = sl.load(files["hs"])
    assert result["measures"]["chisq"] == pytest.approx(85.306, abs=1e-3)
    assert {r["variable"]: r["r2"] for r in result["r_squared"]} == pytest.approx(fit.r_squared()["r2"].to_dict())
    for which, name in (("all", "std_all"), ("lv", "std_lv")):
        values = [p[name] for p in result["parameters"]]
        assert values == pytest.approx(fit.standardized(which)["est.std"].to_list())


def test_scores_and_predictions(files: dict[str, Path], tmp_path: Path) -> None:
    fit = sl.load(files["sleep"])
    found = pd.read_csv(io.StringIO(run("scores", files["sleep"]).stdout))
    pd.testing.assert_frame_equal(found, fit.scores()["Subject"], check_dtype=False)
    out = tmp_path / "p.csv"
    assert run("predict", files["sleep"], "--kind", "conditional", "-o", out).exit_code == 0
    assert pd.read_csv(out)["Reaction"].to_list() == pytest.approx(
        fit.predict(kind="conditional")["Reaction"].to_list()
    )
    new = tmp_path / "new.csv"
    new.write_text("Days\n0\n10\n", encoding="utf-8")
    done = json.loads(run("predict", files["sleep"], "--data", new, "--json").stdout)
    assert [r["Reaction"] for r in done["result"]["rows"]] == pytest.approx([251.405, 356.078], abs=0.01)
    new.write_text("Day\n0\n", encoding="utf-8")
    done = json.loads(run("predict", files["sleep"], "--data", new, "--json").stdout)
    assert [d["slug"] for d in done["diagnostics"]] == ["missing-column"]


def test_simulate_and_power(files: dict[str, Path], tmp_path: Path) -> None:
    model = tmp_path / "m.sem"
    model.write_text("y ~ start(0.5)*x\n", encoding="utf-8")
    first, second = (run("simulate", model, "--n", "30", "--seed", "4").stdout for _ in range(2))
    assert first == second
    assert len(pd.read_csv(io.StringIO(first))) == 30
    assert len(pd.read_csv(io.StringIO(run("simulate", files["sleep"], "--n", "2", "--seed", "1").stdout))) == 360
    done = json.loads(run("power", model, "--n", "20,40", "--replications", "5", "--processes", "1", "--json").stdout)
    assert {r["n"] for r in done["result"]["rows"]} == {"20", "40"}


def test_a_model_is_fitted_first() -> None:
    assert "Reaction.1" in run("scores", SLEEP).stdout.splitlines()[0]
    assert run("scores", "nothing.json").exit_code == 2
