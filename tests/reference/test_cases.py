"""Cases that are shipped: log-likelihood, estimates and standard errors of other programs.

Each `expected.json` names the program and its version; tolerances are those that its author stated. Where the data come
from stands in data/SOURCES.md. The cases `dense_*` are maxima that scipy found of log-likelihoods written out as sums
over classes and equispaced points, standard errors by differences of these log-likelihoods.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semlang.api import Model
from semlang.source import Source

HERE = Path(__file__).parent


@pytest.mark.parametrize("case", sorted(p.name for p in (HERE / "cases").iterdir()))
def test_case(case: str, differences) -> None:
    folder = HERE / "cases" / case
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    model = Model(Source((folder / "model.sem").read_text(encoding="utf-8"), "model.sem"))
    fit = model.fit(str(HERE / "data" / expected["data"]), threads=1, **expected["fit"])

    assert fit.converged
    assert fit.loglik == pytest.approx(expected["loglik"], abs=expected["loglik_tol"])
    assert differences(expected, fit.to_json()) == []
