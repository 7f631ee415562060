"""Nominal responses and adjacent categories: against R, sums over dense nodes by scipy, and invariances.

``inputs/alternatives.csv`` is simulated: 60 clusters of five, a choice among three brands with a price each, and three
items with four categories.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import minimize
from scipy.special import logsumexp

from semlang.api import Model

DATA = Path(__file__).parent / "inputs/alternatives.csv"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(DATA)


def estimates(fit, column="est"):
    return fit.params.set_index(["lhs", "op", "rhs"])[column].to_dict()


def test_multinomial_logit_against_r(data):
    """R 4.2.2, 2026-11-28: nnet 7.3-18, multinom(relevel(brand, "a") ~ x, reltol = 1e-14)."""
    fit = Model("brand :: multinomial\nbrand ~ x").fit(data)
    assert fit.loglik == pytest.approx(-293.785028846, abs=1e-6)
    est, se = estimates(fit), estimates(fit, "se")
    expected = {
        ("brand@b", "~1", ""): (0.3895741808, 0.13632636),
        ("brand@b", "~", "x"): (0.3415712318, 0.14734042),
        ("brand@c", "~1", ""): (-0.5800079061, 0.18538895),
        ("brand@c", "~", "x"): (-0.7782555807, 0.20194186),
    }
    assert set(expected) == set(est)
    for key, (value, error) in expected.items():
        assert est[key] == pytest.approx(value, abs=1e-4)  # of both optimisers
        assert se[key] == pytest.approx(error, rel=1e-3)


ALTERNATIVES = """brand :: multinomial(base=a)
brand@a ~ 0 + p*price_a + u[id]:price_a
brand@b ~ 1 + x + p*price_b + 1*u:price_b + v[id]
brand@c ~ 1 + p*price_c + 1*u:price_c + 1*v
"""


def by_nodes(data, theta, points=40):
    """The log-likelihood of `ALTERNATIVES` by a product rule at the prior; theta ends with two log SDs."""
    b, p, x_b, c, s, t = theta
    z, w = hermegauss(points)
    u, v = (g.ravel() for g in np.meshgrid(np.exp(s) * z, np.exp(t) * z, indexing="ij"))
    log_w = np.add.outer(np.log(w / w.sum()), np.log(w / w.sum())).ravel()
    prices = [data[f"price_{k}"].to_numpy()[:, None] for k in "abc"]
    nu = np.stack(
        [
            (p + u) * prices[0],
            b + x_b * data.x.to_numpy()[:, None] + (p + u) * prices[1] + v,
            c + (p + u) * prices[2] + v,
        ]
    )
    chosen = data.brand.map({"a": 0, "b": 1, "c": 2}).to_numpy()
    rows = nu[chosen, np.arange(len(data))] - logsumexp(nu, axis=0)
    units = np.zeros((data.id.nunique(), u.size))
    np.add.at(units, data.id.to_numpy() - 1, rows)
    return float(logsumexp(units + log_w, axis=1).sum())


def test_random_coefficients_of_alternatives_against_dense_nodes(data):
    fit = Model(ALTERNATIVES).fit(data, points=15)
    start = np.array([0.3, -1.0, 0.3, -0.4, -0.5, -0.5])
    best = minimize(lambda t: -by_nodes(data, t), start, method="BFGS", options={"gtol": 1e-5})
    assert fit.loglik == pytest.approx(-best.fun, abs=1e-3)  # of the issue
    est = estimates(fit)
    found = [
        est["brand@b", "~1", ""],
        est["brand@a", "~", "price_a"],
        est["brand@b", "~", "x"],
        est["brand@c", "~1", ""],
        np.sqrt(est["u[id]", "~~", "u[id]"]),
        np.sqrt(est["v[id]", "~~", "v[id]"]),
    ]
    expected = np.r_[best.x[:4], np.exp(best.x[4:])]
    assert found == pytest.approx(expected, rel=5e-3, abs=2e-3)
    assert est["brand@c", "~", "price_c"] == est["brand@a", "~", "price_a"]


def test_partial_credit_against_dense_nodes(data):
    """At the estimates the derivatives of a log-likelihood by 80 nodes are zero, and the values agree."""
    fit = Model("q{1..3} :: adjacent\noptions: std.lv = true\nf =~ q{1..3}").fit(data, points=21)
    y = data[["q1", "q2", "q3"]].to_numpy()
    z, w = hermegauss(80)

    def loglik(theta):
        total = np.zeros((len(y), z.size))
        for k in range(3):
            steps = theta[k] * z - theta[3 + 3 * k : 6 + 3 * k, None]
            logits = np.concatenate([np.zeros((1, z.size)), np.cumsum(steps, axis=0)])
            total += (logits - logsumexp(logits, axis=0))[y[:, k]]
        return logsumexp(total + np.log(w / w.sum()), axis=1).sum()

    est = estimates(fit)
    theta = np.array(
        [est["f", "=~", f"q{k}"] for k in (1, 2, 3)]
        + [est[f"q{k}", "|", f"t{s}"] for k in (1, 2, 3) for s in (1, 2, 3)]
    )
    assert fit.loglik == pytest.approx(loglik(theta), abs=1e-4)
    for e in np.eye(12):
        assert abs(loglik(theta + 1e-4 * e) - loglik(theta - 1e-4 * e)) / 2e-4 < 2e-2  # the optimiser's tolerance


def test_base_and_names_of_categories_do_not_matter(data):
    one = Model("brand :: multinomial\nbrand ~ x + b*u[id]\nb == 1").fit(data)
    renamed = data.assign(brand=data.brand.map({"a": "z", "b": "b", "c": "c"}))
    two = Model("brand :: multinomial(base=z)\nbrand ~ x + b*u[id]\nb == 1").fit(renamed)
    assert two.loglik == pytest.approx(one.loglik, abs=1e-6)
    a, b = estimates(one), estimates(two)
    assert a["brand@c", "~", "x"] == pytest.approx(b["brand@c", "~", "x"], abs=1e-4)
    fixed, other = (Model(f"brand :: multinomial(base={k})\nbrand ~ x").fit(data) for k in "ab")
    assert other.loglik == pytest.approx(fixed.loglik, abs=1e-6)
    a, b = estimates(fixed), estimates(other)
    assert b["brand@c", "~", "x"] == pytest.approx(a["brand@c", "~", "x"] - a["brand@b", "~", "x"], abs=1e-4)


@pytest.mark.parametrize("se", ["observed", "opg", "robust"])
def test_two_categories_are_a_binary_response(data, se):
    two = data.assign(y=(data.brand == "b").astype(int))
    texts = ["y :: binomial(logit)\ny ~ x", "y :: multinomial\ny ~ x", "y :: adjacent\ny ~ x"]
    binary, nominal, adjacent = (Model(t).fit(two, se=se) for t in texts)
    assert nominal.loglik == pytest.approx(binary.loglik, abs=1e-7)
    assert adjacent.loglik == pytest.approx(binary.loglik, abs=1e-7)
    slopes = [
        (estimates(f)[name, "~", "x"], estimates(f, "se")[name, "~", "x"])
        for f, name in ((binary, "y"), (nominal, "y@1"), (adjacent, "y"))
    ]
    assert slopes[1] == pytest.approx(slopes[0], rel=1e-4)
    assert slopes[2] == pytest.approx(slopes[0], rel=1e-4)


def test_robust_errors_take_the_responses_of_a_row_together(data):
    """Without latent variables a row is a unit: each response twice doubles scores, not their number."""
    twice = data.assign(other=data.brand)
    text = (
        "brand + other :: multinomial\nbrand@b ~ i*1 + a*x\nbrand@c ~ j*1 + b*x\n"
        "other@b ~ i*1 + a*x\nother@c ~ j*1 + b*x"
    )
    once = Model("brand :: multinomial\nbrand ~ x").fit(data, se="robust")
    both = Model(text).fit(twice, se="robust")
    assert estimates(both, "se")["brand@c", "~", "x"] == pytest.approx(
        estimates(once, "se")["brand@c", "~", "x"], rel=1e-3
    )


def test_rows_without_a_price_are_left_out(data):
    some = data.copy()
    some.loc[::10, "price_b"] = np.nan
    text = "brand :: multinomial\nbrand@b ~ 1 + price_b\nbrand@c ~ 1 + price_c"
    assert Model(text).fit(some).loglik == pytest.approx(Model(text).fit(some.dropna()).loglik, abs=1e-8)


def test_expected_probabilities(data):
    """Scores of intercepts are zero at the maximum, so that fitted probabilities have the observed shares."""
    fit = Model("brand :: multinomial\nbrand ~ x").fit(data)
    p = fit.predict()
    shares = data.brand.value_counts(normalize=True)
    for k in "abc":
        assert p[f"brand={k}"].mean() == pytest.approx(shares[k], abs=1e-5)
    est = estimates(fit)
    nu = np.array([0.0, *(est[f"brand@{k}", "~1", ""] + est[f"brand@{k}", "~", "x"] * data.x[0] for k in "bc")])
    assert p.iloc[0].to_numpy() == pytest.approx(np.exp(nu - logsumexp(nu)), abs=1e-12)
    assert fit.predict(kind="linear").iloc[0].to_numpy() == pytest.approx(nu, abs=1e-12)


def test_marginal_probabilities_are_means_over_the_prior(data):
    fit = Model(ALTERNATIVES).fit(data)
    est = estimates(fit)
    rng = np.random.default_rng(1)
    u, v = (np.sqrt(est[f"{k}[id]", "~~", f"{k}[id]"]) * rng.standard_normal(400_000) for k in "uv")
    row, price = data.iloc[3], est["brand@a", "~", "price_a"]
    nu = np.stack(
        [
            (price + u) * row.price_a,
            est["brand@b", "~1", ""] + est["brand@b", "~", "x"] * row.x + (price + u) * row.price_b + v,
            est["brand@c", "~1", ""] + (price + u) * row.price_c + v,
        ]
    )
    expected = np.exp(nu - logsumexp(nu, axis=0)).mean(axis=1)
    assert fit.predict().iloc[3].to_numpy() == pytest.approx(expected, abs=3e-3)  # four Monte Carlo errors


@pytest.mark.parametrize("text", ["brand :: multinomial\nbrand ~ x", "q1 :: adjacent\nq1 ~ x"])
def test_simulated_responses_have_the_expected_shares(data, text):
    fit = Model(text).fit(data)
    simulated = fit.simulate(seed=3)[text.split()[0]]
    p = fit.predict()
    for column in p.columns:
        share = (simulated.astype(str) == column.split("=")[1]).mean()
        assert share == pytest.approx(p[column].mean(), abs=4 * 0.5 / np.sqrt(len(data)))
