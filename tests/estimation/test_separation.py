"""Coefficients at infinity: found exactly, in every unit, and the rest is the model at the limit.

References: the supremum of the likelihood by brute force (scipy, from far out), and fits without the rows concerned.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import norm

import semlang as sl
from semlang.api import Model


def slugs(fit) -> set[str]:
    return {d.slug for d in fit.diagnostics}


def estimate(fit, name: str) -> tuple[float, float]:
    row = fit.params.set_index("name").loc[name]
    return float(row.est), float(row.se)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=(2, 160)).round(2)
    g = np.repeat(np.arange(16), 10)
    y = (rng.uniform(size=160) < expit(0.3 + 0.6 * x)).astype(int)
    return pd.DataFrame({"x": x, "z": z, "g": g, "y": y})


def supremum(logpdf, X: np.ndarray) -> float:
    """Maximum of a concave log-likelihood of a linear predictor, by Newton-CG with a vanishing ridge."""
    best = -np.inf
    at = np.zeros(X.shape[1])
    for ridge in 10.0 ** -np.arange(2, 13):
        found = minimize(lambda b, r=ridge: -logpdf(X @ b).sum() + r * b @ b, at, method="BFGS", options={"gtol": 1e-9})
        at = found.x
        best = max(best, logpdf(X @ at).sum())
    return best


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("origin", [0.0, 2015.0])
def test_a_group_with_one_outcome(frame, unit, origin):
    data = frame.assign(d=((frame.index % 20 == 0) * 1.0 + origin) * unit)
    data.loc[data.index % 20 == 0, "y"] = 1
    fit = Model("y :: binomial(logit)\ny ~ 1 + x + d + (1 | g)").fit(data)
    rest = Model("y :: binomial(logit)\ny ~ 1 + x + (1 | g)").fit(data[data.index % 20 != 0])
    assert fit.converged
    assert "coefficient-at-infinity" in slugs(fit)
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    est, se = estimate(fit, "y ~ d")
    assert est == np.inf
    assert np.isnan(se)
    for a, b in zip(estimate(fit, "y ~ x"), estimate(rest, "y ~ x"), strict=True):
        assert a == pytest.approx(b, rel=1e-4)
    assert fit.n_free == rest.n_free + 1
    assert fit.estimate.n_rows == len(data)


@pytest.mark.parametrize(("link", "cdf"), [("logit", log_expit), ("probit", norm.logcdf)])
def test_a_linear_combination_separates(frame, link, cdf):
    """y is 1 above x + z = 1.2 and mixed on the line itself, on which x varies: quasi-complete separation."""
    rng = np.random.default_rng(2)
    data = frame[["x", "z"]].copy()
    line = data.index < 60
    data.loc[line, "z"] = (1.2 - data.x[line]).round(2)
    side = (data.x + data.z - 1.2).round(6)
    data["y"] = np.where(side > 0, 1, np.where(side < 0, 0, rng.uniform(size=160) < 0.4)).astype(int)
    fit = Model(f"y :: binomial({link})\ny ~ 1 + x + z").fit(data)
    rest = Model(f"y :: binomial({link})\ny ~ 1 + x").fit(data[side == 0])
    assert fit.converged
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    assert all(np.isinf(estimate(fit, name)[0]) for name in ("y ~1", "y ~ x", "y ~ z"))
    X = np.column_stack([np.ones(160), data.x, data.z])
    sign = np.where(data.y == 1, 1.0, -1.0)
    assert fit.loglik == pytest.approx(supremum(lambda nu: cdf(sign * nu), X), abs=2e-3)  # from below, slowly


def test_counts_of_a_group_with_zeros_alone(frame):
    rng = np.random.default_rng(4)
    group = np.array(["a", "b", "c", "d"])[frame.index % 4]
    counts = rng.poisson(np.exp(0.4 + 0.3 * frame.x) * rng.gamma(1.0, 1.0, 160))
    data = frame.assign(group=group, n=np.where(group == "c", 0, counts))
    for kind in ("poisson", "negbinomial"):
        fit = Model(f"n :: {kind}(log)\nn ~ 1 + x + factor(group)").fit(data)
        rest = Model(f"n :: {kind}(log)\nn ~ 1 + x + factor(group)").fit(data[data.group != "c"])
        assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
        assert "coefficient-at-infinity" in slugs(fit)
        assert estimate(fit, "n ~ group=c")[0] == -np.inf
        assert estimate(fit, "n ~ group=d")[1] == pytest.approx(estimate(rest, "n ~ group=d")[1], rel=1e-3)


def test_the_base_group_has_zeros_alone(frame):
    """The intercept is at minus infinity and all other groups at plus infinity: their differences are not reported."""
    rng = np.random.default_rng(4)
    group = np.array(["a", "b", "c"])[frame.index % 3]
    data = frame.assign(group=group, n=np.where(group == "a", 0, rng.poisson(np.exp(0.4 + 0.3 * frame.x))))
    fit = Model("n :: poisson(log)\nn ~ 1 + x + factor(group)").fit(data)
    rest = Model("n :: poisson(log)\nn ~ 1 + x + factor(group)").fit(data[group != "a"])
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    assert [estimate(fit, f"n ~{r}")[0] for r in ("1", " group=b", " group=c")] == [-np.inf, np.inf, np.inf]
    assert estimate(fit, "n ~ x") == pytest.approx(estimate(rest, "n ~ x"), rel=1e-4)


def test_an_ordinal_response(frame):
    rng = np.random.default_rng(6)
    latent = 0.5 * frame.x + rng.logistic(size=160)
    data = frame.assign(o=np.digitize(latent, [-1, 0.5, 1.5]), d=(frame.index % 16 == 3) * 1)
    data.loc[data.d == 1, "o"] = 3
    fit = Model("o :: ordinal(logit)\no ~ x + d").fit(data)
    rest = Model("o :: ordinal(logit)\no ~ x").fit(data[data.d == 0])
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    assert estimate(fit, "o ~ d")[0] == np.inf
    # a covariate that goes with a category in the middle only separates nothing
    data.loc[data.d == 1, "o"] = 1
    plain = Model("o :: ordinal(logit)\no ~ x + d").fit(data)
    assert "coefficient-at-infinity" not in slugs(plain)
    assert np.isfinite(estimate(plain, "o ~ d")).all()


def test_two_covariates_separate_rows_of_their_own(frame):
    data = frame.assign(a=(frame.index % 20 == 0) * 1, b=(frame.index % 20 == 1) * 1)
    data["c"] = data.a * (data.index % 40 == 0)  # varies among separated rows alone
    data.loc[data.a == 1, "y"] = 1
    data.loc[data.b == 1, "y"] = 0
    fit = Model("y :: binomial(logit)\ny ~ 1 + x + a + b + c").fit(data)
    rest = Model("y :: binomial(logit)\ny ~ 1 + x").fit(data[(data.a == 0) & (data.b == 0)])
    assert fit.converged
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    assert (estimate(fit, "y ~ a")[0], estimate(fit, "y ~ b")[0]) == (np.inf, -np.inf)
    assert np.isnan(estimate(fit, "y ~ c")[1])
    assert estimate(fit, "y ~ x") == pytest.approx(estimate(rest, "y ~ x"), rel=1e-4)


def test_nothing_is_left_of_one_of_two_responses(frame):
    data = frame.assign(v=(frame.x > 0.3) * 1)
    with pytest.raises(sl.FitError) as problem:
        Model("y + v :: binomial(logit)\ny ~ 1 + z\nv ~ 1 + x").fit(data)
    (found,) = [d for d in problem.value.diagnostics if d.is_error]
    assert found.slug == "unbounded-likelihood"
    assert "'v'" in found.message


def test_random_data_are_not_separated():
    """Where a plain logistic regression has a maximum nothing is found: 40 small samples, the judge is scipy."""
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(40):
        data = pd.DataFrame(rng.normal(size=(14, 2)), columns=["x", "z"])
        data["y"] = rng.integers(0, 2, 14)
        if data.y.nunique() < 2:
            continue
        X = np.column_stack([np.ones(14), data.x, data.z])
        sign = np.where(data.y == 1, 1.0, -1.0)
        separated = supremum(lambda nu, s=sign: log_expit(s * nu), X) > -0.01
        try:
            slug = slugs(Model("y :: binomial(logit)\ny ~ 1 + x + z").fit(data))
        except sl.FitError as problem:
            slug = {d.slug for d in problem.diagnostics}
        assert bool(slug & {"coefficient-at-infinity", "unbounded-likelihood"}) == separated
        found += separated
    assert 2 <= found <= 38


def test_kept_and_read_again(frame, tmp_path):
    data = frame.assign(d=(frame.index % 20 == 0) * 1)
    data.loc[data.d == 1, "y"] = 1
    fit = Model("y :: binomial(logit)\ny ~ 1 + x + d + (1 + x | g)").fit(data)
    fit.save(tmp_path / "fit.json")
    again = sl.load(tmp_path / "fit.json")
    pd.testing.assert_frame_equal(again.params, fit.params)
    assert again.estimate.border == fit.estimate.border
    wald = fit.confint().set_index("name").loc["y ~ d"]
    assert wald.est == np.inf
    assert fit.unit_logliks.sum() == pytest.approx(fit.loglik, abs=1e-6)
    profile = fit.confint(method="profile", parameters=["y ~ d"]).iloc[0]  # one-sided
    assert np.isfinite(profile.lower)
    assert profile.upper == np.inf


def test_what_is_said_names_the_class_and_the_group():
    rng = np.random.default_rng(0)
    c = rng.integers(0, 2, 400)
    data = pd.DataFrame({f"i{k}": (rng.random(400) < np.where(c, 0.8, 0.2)).astype(int) for k in range(1, 5)})
    data["i5"] = np.where(c, 1, rng.random(400) < 0.3).astype(int)
    data["g"], data["x"] = np.where(rng.random(400) < 0.5, "a", "b"), rng.normal(size=400)
    data["y"] = np.where(data.g == "a", data.x > 0, rng.random(400) < 0.5).astype(int)
    classes = Model("i{1..5} :: binomial(logit)\nk :: class(2)\nk =~ i{1..5}").fit(data)
    (said,) = [d.message for d in classes.diagnostics if d.slug == "probability-at-limit"]
    assert said.endswith(("'i5 ~ 1' in class 1 of k", "'i5 ~ 1' in class 2 of k"))
    groups = Model("groups: g\ny :: binomial(logit)\ny ~ x").fit(data)
    assert any("'y ~ x' in group a" in d.message for d in groups.diagnostics)
