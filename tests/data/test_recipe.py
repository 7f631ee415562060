"""Tests of new data for a fit: they are read as its own were, or a finding says why not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.errors import DataError

TEXT = 'right :: binomial(logit, success="y")\nsure :: ordinal(logit)\nf =~ right + sure\nf ~ x + factor(arm)\n'


def data(n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"x": rng.normal(size=n), "arm": rng.choice(["a", "b", "c"], n)})
    latent = frame["x"].to_numpy() + rng.normal(size=n)
    frame["right"] = np.where(latent + rng.logistic(size=n) > 0, "y", "n")
    frame["sure"] = np.digitize(latent + rng.logistic(size=n), [-1.0, 1.0]) + 1
    return frame


@pytest.fixture(scope="module")
def fit() -> sl.Fit:
    return sl.Model(TEXT).fit(data(), points=3, se="none", threads=1, force=True)


def test_one_row_has_the_codes_that_it_had(fit: sl.Fit) -> None:
    frame = data()
    whole = fit.designs[0]
    for k in (0, 7, 31):
        (one,), _ = fit.origin.recipe.designs(frame.iloc[[k]])
        for key, values in whole.responses.items():
            assert one.responses[key][0] == values[k]
        for product, values in whole.columns.items():
            assert one.columns[product][0] == values[k]


def test_responses_may_be_missing(fit: sl.Fit) -> None:
    (design,), _ = fit.origin.recipe.designs(data()[["x", "arm"]], optional=("right", "sure"))
    assert all(np.isnan(y).all() for y in design.responses.values())


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (lambda frame: frame.drop(columns="x"), "missing-column"),
        (lambda frame: frame.assign(arm="d"), "new-category"),
        (lambda frame: frame.assign(right="maybe"), "new-category"),
        (lambda frame: frame.assign(sure=4), "new-category"),
        (lambda frame: frame.assign(x="much"), "text-column"),
        (lambda frame: frame.iloc[:0], "empty-data"),
    ],
)
def test_wrong_data(change: object, slug: str, fit: sl.Fit) -> None:
    with pytest.raises(DataError) as problem:
        fit.origin.recipe.designs(change(data()))
    assert [d.slug for d in problem.value.diagnostics] == [slug]
