"""Sampling weights: robust standard errors by default, whatever the weights add up to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

TEXTS = {
    "logit": "weights: rows = w\nb :: binomial(logit)\nb ~ x",
    "gaussian": "weights: rows = w\ny ~ x",
    "item response": "weights: rows = w\noptions: std.lv = true\ni{1..3} :: binomial(logit)\nf =~ i{1..3}",
}


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    n = 400
    x, f = rng.normal(size=(2, n))
    items = {f"i{j}": (f + rng.logistic(size=n) > 0.3 * j).astype(int) for j in (1, 2, 3)}
    y = 0.5 * x + rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": y, "b": (y > 0).astype(int), "w": rng.uniform(0.5, 3.0, n)} | items)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_standard_errors_do_not_depend_on_the_sum_of_the_weights(text: str) -> None:
    data = frame()
    fits = [sl.Model(text).fit(data.assign(w=data["w"] * factor)) for factor in (1.0, 100.0)]
    assert [f.estimate.se for f in fits] == ["robust", "robust"]
    np.testing.assert_allclose(fits[1].params["est"], fits[0].params["est"], atol=2e-4)
    np.testing.assert_allclose(fits[1].params["se"], fits[0].params["se"], rtol=2e-3)
    assert "weighted pseudo-likelihood" in fits[0].summary()


def test_weighted_regression_is_the_sandwich_of_least_squares() -> None:
    data = frame()
    X, y, w = np.column_stack([np.ones(len(data)), data["x"]]), data["y"].to_numpy(), data["w"].to_numpy()
    bread = np.linalg.inv(X.T @ (X * w[:, None]))
    beta = bread @ X.T @ (w * y)
    scores = X * (w * (y - X @ beta))[:, None]
    covariance = bread @ scores.T @ scores @ bread * len(y) / (len(y) - 1)
    params = sl.Model(TEXTS["gaussian"]).fit(data).params
    slope = params.query("op == '~' and rhs == 'x'").iloc[0]
    assert slope["est"] == pytest.approx(beta[1], abs=1e-6)
    assert slope["se"] == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-4)


def test_what_is_asked_for_is_given() -> None:
    assert sl.Model(TEXTS["logit"]).fit(frame(), se="observed").estimate.se == "observed"


def test_no_likelihood_ratio_test_with_weights() -> None:
    small = sl.Model(TEXTS["gaussian"].replace("y ~ x", "y ~ 0*x")).fit(frame())
    answer = sl.compare(small, sl.Model(TEXTS["gaussian"]).fit(frame()))
    assert answer.p is None
    assert "sampling weights" in answer.reason
