"""Tests of more models beside lavaan: equal loadings in groups, covariates, a second-order factor, robust errors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semlang as sl

from .conftest import CFA, HS

FILE = json.loads((Path(__file__).parent / "lavaan_cases.json").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = FILE["cases"]
TEXTS = {
    "equal in groups": "groups: school\noptions: group.equal = [loadings, intercepts]\n" + CFA,
    "covariates": CFA + "visual ~ ageyr + sex\ntextual ~ ageyr\nspeed ~ ageyr + sex + visual\nx5 ~ sex\n",
    "second order": CFA + "g =~ visual + textual + speed\n",
    "robust": CFA,
}


@pytest.fixture(scope="module")
def made() -> dict[str, sl.Fit]:
    options = {"robust": {"se": "robust"}}
    return {name: sl.Model(text).fit(HS, threads=1, **options.get(name, {})) for name, text in TEXTS.items()}


def found(table: pd.DataFrame, fit: sl.Fit, line: dict[str, Any]) -> Any:
    ends = (table["lhs"] == line["lhs"]) & (table["rhs"] == line["rhs"])
    if line["op"] == "~~":
        ends |= (table["lhs"] == line["rhs"]) & (table["rhs"] == line["lhs"])
    here = table[ends & (table["op"] == line["op"])]
    if len(fit.table.groups) > 1:
        here = here[here["group"] == fit.table.groups[(line["group"] or 1) - 1]]
    return here.iloc[0] if len(here) else None


@pytest.mark.parametrize("case", TEXTS)
def test_measures_and_standardised_values(case: str, made: dict[str, sl.Fit]) -> None:
    fit, given = made[case], CASES[case]
    measures = fit.measures()
    for name, value in given["measures"].items():
        assert measures[name] == pytest.approx(value, rel=1e-5, abs=1e-9), name
    table = fit.standardized()
    # a sandwich of J units is multiplied by J / (J - 1) here, as in gllamm, and not in lavaan
    factor = math.sqrt(300 / 301) if case == "robust" else 1.0
    for line in given["standardized"]:
        row = found(table, fit, line)
        assert row["est.std"] == pytest.approx(line["est.std"], abs=2e-4), line
        if line["se"] > 1e-8:
            assert row["se"] * factor == pytest.approx(line["se"], rel=1e-3), line


@pytest.mark.parametrize("case", TEXTS)
def test_modification_indices(case: str, made: dict[str, sl.Fit]) -> None:
    """Those of lavaan but for paths that would close a circle; regressions between latent variables are among them."""
    fit = made[case]
    table = fit.modification_indices()
    left_out = []
    for line in CASES[case]["modification"]:
        row = found(table, fit, line)
        if row is None:
            left_out.append((line["lhs"], line["op"], line["rhs"]))
            continue
        for mine, theirs in (("mi", "mi"), ("epc", "epc"), ("sepc.all", "sepc.all")):
            assert row[mine] == pytest.approx(line[theirs], rel=1e-3, abs=1e-6), (line, mine)
    assert left_out == ([("visual", "~", "speed")] if case == "covariates" else [])


@pytest.mark.parametrize("case", TEXTS)
def test_scores(case: str, made: dict[str, sl.Fit]) -> None:
    fit = made[case]
    scores = fit.scores()["rows"]
    frame = pd.read_csv(HS)
    for group, fifth in enumerate(CASES[case]["scores"]):
        mine = scores
        if len(fit.table.groups) > 1:
            mine = scores[(frame["school"] == fit.table.groups[group]).to_numpy()]
        for name, value in fifth.items():
            assert mine[name].iloc[4] == pytest.approx(value, abs=1e-3), (group, name)


@pytest.mark.parametrize(
    "text",
    [
        "y1 ~ x + (1 | g)\ny2 ~ x + (1 | g)",
        "y1 ~ x\ny2 ~ x\nsigma(y2) ~ x",
        "y1 ~ x\ny2 ~ x\nb :: binomial(logit)\nf =~ 1*y1 + 1*y2 + b",
    ],
)
def test_regressions_on_responses_are_candidates_of_one_closed_form_alone(text: str) -> None:
    rng = np.random.default_rng(8)
    x, u = rng.normal(size=200), rng.normal(size=40).repeat(5)
    frame = pd.DataFrame({"x": x, "g": np.arange(40).repeat(5)})
    frame["y1"], frame["y2"] = (x + u + rng.normal(size=200) for _ in range(2))
    frame["b"] = (u + rng.logistic(size=200) > 0).astype(int)
    found = sl.Model(text).fit(frame, threads=1).modification_indices()
    assert not ((found["op"] == "~") & found["rhs"].isin(["y1", "y2"])).any()
    plain = sl.Model("y1 ~ x\ny2 ~ x\ny1 ~~ 0*y2").fit(frame, threads=1).modification_indices()
    assert ((plain["op"] == "~") & (plain["rhs"] == "y1")).any()
