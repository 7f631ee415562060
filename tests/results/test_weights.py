"""Sampling weights: robust standard errors by default, whatever the weights add up to; frequencies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl

DATA = Path(__file__).parents[1] / "reference" / "data"

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


# glm(y ~ treat + visit, poisson, weights = k) of MASS's epil by distinct rows, R 4.2.2, 2026-11-28: vcov;
# V S'S V N / (N - 1) with V = vcov, S the rows k^(1/2) x (y - mu), N = sum k = 236; (S'S)^-1
POISSON = {
    "observed": [0.03229293338, 0.04531836177, 0.10147681429],
    "robust": [0.1143149586, 0.1936782989, 0.4338632130],
    "opg": [0.009160417075, 0.011363845118, 0.024335985750],
}


@pytest.mark.parametrize("se", POISSON)
def test_counts_with_frequencies_beside_glm(se: str) -> None:
    rows = pd.read_csv(DATA / "epil.csv").value_counts(["y", "treat", "visit"]).reset_index(name="k")
    assert len(rows) == 116
    fit = sl.Model("frequency: k\ny :: poisson(log)\ny ~ treat + visit").fit(rows, se=se, threads=1)
    found = fit.params.set_index("name").loc[["y ~1", "y ~ treat", "y ~ visit"]]
    # semlang's search ends at 1e-6 of the standard errors
    assert found["est"].to_list() == pytest.approx([2.14728649983, -0.07508706385, -0.29598135877], abs=1e-5)
    assert found["se"].to_list() == pytest.approx(POISSON[se], rel=1e-4)
    assert fit.loglik == pytest.approx(-1636.237961, abs=1e-5)
    assert fit.bic == pytest.approx(2 * 1636.237961 + 3 * np.log(236), abs=1e-4)
    assert (fit.estimate.n_rows, fit.to_json()["information"]["n"]) == (236, 236)


def test_ratings_with_frequencies_beside_clm() -> None:
    """ordinal 2022.11-16: clm(rating ~ temp + contact, weights = Freq) of wine by distinct rows, 2026-11-28."""
    wine = pd.read_csv(DATA / "wine.csv")
    rows = wine.value_counts(["rating", "temp", "contact"]).reset_index(name="k")
    text = "frequency: k\nrating :: ordinal(logit)\nrating ~ factor(temp) + factor(contact)"
    fit = sl.Model(text).fit(rows, threads=1)
    given = {
        "rating | t1": (-1.344383411, 0.5171020453), "rating | t2": (1.250808798, 0.4378802030),
        "rating | t3": (3.466886926, 0.5977604246), "rating | t4": (5.006404204, 0.7309063437),
        "rating ~ temp=warm": (2.503102008, 0.5286801008), "rating ~ contact=yes": (1.527797658, 0.4766226296),
    }  # fmt: skip
    found = fit.params.set_index("name").loc[list(given)]
    assert found["est"].to_list() == pytest.approx([est for est, _ in given.values()], abs=1e-5)
    assert found["se"].to_list() == pytest.approx([se for _, se in given.values()], rel=1e-4)
    assert found["p"]["rating ~ contact=yes"] == pytest.approx(1.348439529e-03, rel=1e-3)
    assert (fit.aic, fit.bic) == (pytest.approx(184.9838467, abs=1e-5), pytest.approx(198.6438434, abs=1e-5))


@pytest.mark.parametrize("se", ["observed", "robust", "opg"])
def test_clusters_with_frequencies_are_clusters_written_out(se: str) -> None:
    rng = np.random.default_rng(5)
    g, k = np.repeat(np.arange(30), 4), rng.integers(1, 4, 30)
    x = rng.normal(size=120)
    y = (rng.random(120) < 1 / (1 + np.exp(-0.5 * x - 1.5 * rng.normal(size=30)[g]))).astype(int)
    short = pd.DataFrame({"y": y, "x": x, "g": g, "k": k[g]})
    long = pd.concat([short.assign(g=short["g"] + 100 * copy)[short["k"] > copy] for copy in range(3)])
    text = "y :: binomial(logit)\ny ~ x + (1 | g)"
    one = sl.Model("frequency: g = k\n" + text).fit(short, se=se, points=7, threads=1)
    other = sl.Model(text).fit(long, se=se, points=7, threads=1)
    np.testing.assert_allclose(one.params[["est", "se"]], other.params[["est", "se"]], rtol=1e-3)
    assert (one.loglik, one.bic) == pytest.approx((other.loglik, other.bic), rel=1e-8)
    assert one.estimate.n_top == other.estimate.n_top == k.sum()
