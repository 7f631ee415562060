"""The fit here has the log-likelihood that R gave for the converted code.

`recorded.json` holds the code, what R printed, versions and date. The code must still be the one that was run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import semlang as sl
from semlang.convert import convert

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))
EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = [pytest.param(c, id=f"{c['target']}: {c['name']}") for c in RECORDED["cases"]]


def test_there_are_enough() -> None:
    counts = {t: sum(c["target"] == t for c in RECORDED["cases"]) for t in ("lavaan", "lme4")}

    assert min(counts.values()) >= 5


@pytest.mark.parametrize("case", CASES)
def test_code_is_what_was_run(case: dict[str, Any]) -> None:
    table = sl.Model(case["text"]).parameter_table
    if table.group_column:
        table = sl.Model(case["text"]).bind(EXAMPLES / case["data"])[0].parameter_table

    assert convert(table, case["target"]).text.splitlines() == case["code"]


@pytest.mark.parametrize("case", CASES)
def test_log_likelihood(case: dict[str, Any]) -> None:
    fit = sl.Model(case["text"]).fit(EXAMPLES / case["data"], points=case["points"], se="none")

    assert fit.converged
    # R's optimisers stop within 1e-6 of the maximum in these examples.
    assert fit.loglik == pytest.approx(case["loglik"], abs=2e-6)
