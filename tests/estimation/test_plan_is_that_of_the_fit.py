"""The plan that is shown is the one that is carried out, with the points that were asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang

ITEMS = "i{0..5} :: binomial(logit)\nf =~ i{0..5}"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    ability = rng.normal(size=(600, 1))
    return pd.DataFrame(
        (rng.random((600, 6)) < 1 / (1 + np.exp(-ability))).astype(int), columns=[f"i{j}" for j in range(6)]
    )


@pytest.mark.parametrize(
    ("options", "points", "shown"),
    [("", None, "64 points"), ("options: points = 15\n", None, "15 points"), ("options: points = 15\n", 9, "9 points"),
     ("", 1, "1 point"), ("options: rule = gllamm\n", None, "8 points")],
)  # fmt: skip
def test_points(options: str, points: int | None, shown: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    model = sl.Model(options + ITEMS)
    plan = str(model.plan(frame, points=points))
    assert shown in plan
    fit = model.fit(frame, points=points, threads=1, se="none")
    assert str(fit.estimate.plan) == plan
    frame.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "m.sem").write_text(options + ITEMS)
    given = [] if points is None else ["--points", str(points)]
    done = CliRunner().invoke(semlang, ["plan", str(tmp_path / "m.sem"), "--data", str(tmp_path / "d.csv"), *given])
    assert done.output.strip() == plan


def test_a_number_of_mass_points_that_is_sought() -> None:
    """A plan does not promise the number that the search begins with."""
    text = "y :: poisson\nu[g] :: masspoints({})\ny ~ 1 + u"
    sought, fixed = (sl.Model(text.format(n)).plan() for n in ("", "2"))
    assert "2 or more mass points (how many is sought)" in str(sought)
    assert "2 mass points, since" in str(fixed)
    assert [p.to_json()["groups"][0]["conditions"][0]["sought"] for p in (sought, fixed)] == [True, False]
