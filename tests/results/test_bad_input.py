"""Tests of new data that are wrong: a finding, or no value where nothing is known; never another error."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semlang as sl

from .conftest import ROOT

EXAMPLES = ("lsat", "sleepstudy", "nominal", "survival", "npml", "complier-effect", "missing-covariate")
VERBS: dict[str, Callable[[sl.Fit, Any], Any]] = {
    "marginal": lambda fit, data: fit.predict(data),
    "conditional": lambda fit, data: fit.predict(data, kind="conditional"),
    "at": lambda fit, data: fit.predict(data, kind="at", at={}),
    "scores": lambda fit, data: fit.scores(data=data),
    "classes": lambda fit, data: fit.class_probabilities(data),
}


@pytest.fixture(scope="module")
def examples() -> dict[str, sl.Fit]:
    return {name: sl.read_model(ROOT / "examples" / name / "model.sem").fit(threads=1) for name in EXAMPLES}


def damaged(frame: pd.DataFrame) -> dict[str, Any]:
    """Return data that are wrong in one thing each."""
    out: dict[str, Any] = {"no rows": frame.head(0), "no file": "nothing.csv", "a number": 3}
    for name in frame.columns:
        column = frame[name].astype(object)
        out[f"without {name}"] = frame.drop(columns=name)
        out[f"{name} unknown"] = frame.assign(**{name: np.nan})
        out[f"{name} partly unknown"] = frame.assign(**{name: column.where(np.arange(len(frame)) % 3 > 0, None)})
        out[f"a word in {name}"] = frame.assign(**{name: column.where(np.arange(len(frame)) > 0, "zzz")})
    return out


@pytest.mark.parametrize("name", EXAMPLES)
def test_only_findings(name: str, examples: dict[str, sl.Fit]) -> None:
    fit = examples[name]
    assert fit.origin is not None
    others = []
    for what, data in damaged(fit.origin.recipe.frame.head(40)).items():
        for verb, call in VERBS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    call(fit, data)
                except sl.SemlangError:
                    pass
                except Exception as problem:
                    others.append((what, verb, repr(problem)))
    assert others == []


def test_units_whose_classes_have_no_probabilities(examples: dict[str, sl.Fit]) -> None:
    """A covariate of membership is missing: nothing is said of that row, and the others are as they were."""
    fit = examples["complier-effect"]
    assert fit.origin is not None
    frame = fit.origin.recipe.frame.head(30)
    gap = frame.assign(x=frame["x"].where(np.arange(30) != 4))
    for kind in ("marginal", "conditional"):
        whole, found = fit.predict(frame, kind=kind), fit.predict(gap, kind=kind)
        assert found.iloc[4].isna().all()
        pd.testing.assert_frame_equal(found.drop(index=found.index[4]), whole.drop(index=whole.index[4]))
    assert np.isnan(fit.class_probabilities(gap)["c"]["class 1"].iloc[4])
