"""Predictions and simulated data of every kind of response, through the public interface, beside scipy's laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

import semlang as sl

GRID = np.linspace(-6.5, 6.5, 521)
PRIOR = stats.norm.pdf(GRID) * (GRID[1] - GRID[0])

KINDS: dict[str, tuple[str, dict[str, float]]] = {
    "gamma": ("y :: gamma(log)", {"shape(y) ~1": 0.7}),
    "beta": ("y :: beta(logit)", {"shape(y) ~1": 1.5}),
    "lognormal": ("y :: lognormal", {"sigma(y) ~1": -0.5}),
    "negbinomial": ("y :: negbinomial(log)\nzero(y) ~ 1", {"shape(y) ~1": 0.6, "zero(y) ~1": -1.2}),
    "weibull": ("t :: weibull(log, event=d)", {"shape(t) ~1": 0.4}),
    "loglogistic": ("t :: loglogistic(aft, event=d)", {"shape(t) ~1": 1.1}),
    "censored": ("y :: gaussian(censored=[-1, 1.5])", {"y ~~ y": 0.5}),
    "sequential": ("y :: sequential(logit)", {"y | t1": -0.5, "y | t2": 0.6}),
    "guessed": ("y :: binomial(logit, guess=0.2)", {}),
}


def data(kind: str) -> pd.DataFrame:
    """Return 60 clusters of 5 rows; times are censored at 2."""
    head, values = KINDS[kind]
    y = "t" if kind in ("weibull", "loglogistic") else "y"
    extra = "\ny | start(-0.5)*t1 + start(0.6)*t2" if kind == "sequential" else ""
    model = sl.Model(f"{head}\n{y} ~ start(0.4)*x + (1 | g){extra}")
    frame = model.simulate({**values, f"{y}.1[g] ~~ {y}.1[g]": 0.6}, n="60x5", seed=11)
    if y == "t":
        late = frame.t > 2.0
        frame["d"] = (~late).astype(int)
        frame["t"] = frame.t.clip(upper=2.0)
    return frame


def logs(kind: str, e: dict[str, float], row: Any, nu: np.ndarray) -> np.ndarray:
    """Return the log density of a row at linear predictors."""
    match kind:
        case "gamma":
            a = np.exp(e["shape(y) ~1"])
            return stats.gamma.logpdf(row.y, a, scale=np.exp(nu) / a)
        case "beta":
            a = np.exp(e["shape(y) ~1"])
            return stats.beta.logpdf(row.y, a * expit(nu), a * expit(-nu))
        case "lognormal":
            return stats.lognorm.logpdf(row.y, np.exp(e["sigma(y) ~1"]), scale=np.exp(nu))
        case "negbinomial":
            a, z = np.exp(e["shape(y) ~1"]), expit(e["zero(y) ~1"])
            return np.log((1 - z) * stats.nbinom.pmf(row.y, a, a / (a + np.exp(nu))) + z * (row.y == 0))
        case "weibull":
            a = np.exp(e["shape(t) ~1"])
            f = stats.weibull_min(a, scale=np.exp(-nu / a))
            return f.logpdf(row.t) if row.d else f.logsf(row.t)
        case "loglogistic":
            f = stats.fisk(np.exp(e["shape(t) ~1"]), scale=np.exp(nu))
            return f.logpdf(row.t) if row.d else f.logsf(row.t)
        case "censored":
            s = np.sqrt(e["y ~~ y"])
            return (
                stats.norm.logsf(1.5, nu, s) if row.y >= 1.5
                else stats.norm.logcdf(-1.0, nu, s) if row.y <= -1.0 else stats.norm.logpdf(row.y, nu, s)
            )  # fmt: skip
        case "sequential":
            return np.log(categories(e, nu)[int(row.y) - 1])
    p = 0.2 + 0.8 * expit(nu)
    return np.log(p if row.y else 1 - p)


def categories(e: dict[str, float], nu: np.ndarray) -> np.ndarray:
    above = np.cumprod([expit(nu - e[f"y | t{s}"]) for s in (1, 2)], axis=0)
    return np.stack([1 - above[0], above[0] - above[1], above[1]])


def means(kind: str, e: dict[str, float], nu: np.ndarray) -> np.ndarray:
    """Return the mean, or probabilities of categories, at linear predictors."""
    match kind:
        case "gamma":
            return np.exp(nu)[None]
        case "beta":
            return expit(nu)[None]
        case "lognormal":
            return np.exp(nu + 0.5 * np.exp(2 * e["sigma(y) ~1"]))[None]
        case "negbinomial":
            return (expit(-e["zero(y) ~1"]) * np.exp(nu))[None]
        case "weibull":
            a = np.exp(e["shape(t) ~1"])
            return (np.exp(-nu / a) * stats.weibull_min(a).mean())[None]
        case "loglogistic":
            return (np.exp(nu) * stats.fisk(np.exp(e["shape(t) ~1"])).mean())[None]
        case "censored":
            s = np.sqrt(e["y ~~ y"])
            a, b = (-1.0 - nu) / s, (1.5 - nu) / s
            inner = stats.norm.cdf(b) - stats.norm.cdf(a)
            ends = -stats.norm.cdf(a) + 1.5 * stats.norm.sf(b)
            return (ends + nu * inner + s * (stats.norm.pdf(a) - stats.norm.pdf(b)))[None]
        case "sequential":
            return categories(e, nu)
    return (0.2 + 0.8 * expit(nu))[None]


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_and_simulated_data(kind: str) -> None:
    frame = data(kind)
    head = KINDS[kind][0]
    y = "t" if "t ::" in head else "y"
    fit = sl.Model(f"{head}\n{y} ~ x + (1 | g)").fit(frame, points=15, threads=1, se="none")
    e = dict(zip(fit.params["name"], fit.params["est"], strict=True))
    sd = np.sqrt(e[f"{y}.1[g] ~~ {y}.1[g]"])
    fixed = e.get(f"{y} ~1", 0.0) + e[f"{y} ~ x"] * frame.x.to_numpy()
    nu = fixed[:, None] + sd * GRID
    expected = np.moveaxis(means(kind, e, nu), 0, -1)  # (n, GRID, categories)
    marginal = fit.predict().to_numpy()
    assert marginal == pytest.approx(np.einsum("ngc,g->nc", expected, PRIOR), rel=1e-4, abs=1e-6)
    at = fit.predict(kind="at").to_numpy()
    assert at == pytest.approx(np.moveaxis(means(kind, e, fixed), 0, -1), rel=1e-10)
    given = fit.predict(kind="conditional").to_numpy()
    for g in (1, 2, 30):
        rows = np.flatnonzero((frame.g == g).to_numpy())
        log = sum(logs(kind, e, frame.iloc[i], nu[i]) for i in rows)
        w = np.exp(log - log.max()) * PRIOR
        w /= w.sum()
        assert given[rows] == pytest.approx(np.einsum("ngc,g->nc", expected[rows], w), rel=1e-4, abs=1e-6)
        assert fit.scores()["g"].set_index("g").loc[g].iloc[0] == pytest.approx(sd * (w @ GRID), abs=1e-4)

    drawn = fit.simulate(seed=3, n=40)
    assert set(frame.columns) <= set(drawn.columns)
    if y == "t":
        assert (drawn.t <= 2.0).all()
        assert set(drawn.d) == {0, 1}
        assert (drawn.t[drawn.d == 0] == 2.0).all()  # all are censored at the same time
        law = drawn.t[drawn.d == 1]
        assert len(law) / len(drawn) == pytest.approx(frame.d.mean(), abs=0.1)
        return
    by_set = drawn.groupby("simulation")
    if kind == "sequential":
        for c in (1, 2, 3):
            share = by_set.y.apply(lambda v, c=c: (v == c).mean())
            assert share.mean() == pytest.approx(marginal[:, c - 1].mean(), abs=4 * share.std() / np.sqrt(40))
    else:
        mean = by_set.y.mean()
        assert mean.mean() == pytest.approx(marginal[:, 0].mean(), abs=4 * mean.std() / np.sqrt(40))


def test_responses_and_events_are_no_part_of_new_data_for_marginal_predictions() -> None:
    fit = sl.Model("t :: weibull(log, event=d)\nt ~ x + (1 | g)").fit(data("weibull"), threads=1)
    new = fit.predict(data=pd.DataFrame({"x": [0.0, 1.0]}))
    assert np.isfinite(new["t"]).all()
    assert (new["t"][0] < new["t"][1]) == (dict(zip(fit.params["name"], fit.params["est"], strict=True))["t ~ x"] < 0)


def test_power_of_a_kind_that_is_not_a_count() -> None:
    """The information of a regression of a gamma response with log link is shape X'X: the standard error of power."""
    model = sl.Model("y :: gamma(log)\ny ~ start(0.2)*x")
    found = model.power({"shape(y) ~1": np.log(2.0)}, n=150, replications=60, seed=2, processes=1).set_index("name")
    assert found.loc["y ~ x", "sd"] == pytest.approx(1 / np.sqrt(2 * 150), rel=4 / np.sqrt(2 * 60))
    assert found.loc["y ~ x", "coverage"] > 0.85


def test_information_of_items_that_are_guessed_and_of_counts() -> None:
    """Of a three-parameter item a^2 (p - g)^2 q / ((1 - g)^2 p) (Lord 1980); of a gamma response its shape."""
    rng = np.random.default_rng(5)
    f = rng.normal(size=300)
    frame = pd.DataFrame({f"i{k}": (rng.random(300) < 0.2 + 0.8 * expit(f)).astype(int) for k in (1, 2, 3)})
    frame["t"] = rng.gamma(2.0, np.exp(0.4 * f) / 2.0)
    text = "options: std.lv = true\ni{1..3} :: binomial(logit, guess=0.2)\nt :: gamma(log)\nf =~ i{1..3} + t"
    fit = sl.Model(text).fit(frame, threads=1, points=11)
    e = dict(zip(fit.params["name"], fit.params["est"], strict=True))
    at = np.array([-1.0, 0.5])
    found = fit.information(at=at.tolist())
    a = e["f =~ i1"]
    p = 0.2 + 0.8 * expit(e["i1 ~1"] + a * at)
    assert found["i1"].to_numpy() == pytest.approx(a**2 * (p - 0.2) ** 2 * (1 - p) / (0.64 * p), rel=1e-6)
    assert found["t"].to_numpy() == pytest.approx(e["f =~ t"] ** 2 * np.exp(e["shape(t) ~1"]), rel=1e-6)
    assert fit.curves("i1", at=at.tolist())["1"].to_numpy() == pytest.approx(p)


def test_a_reciprocal_mean_does_not_exist_over_latent_variables() -> None:
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(40), 5)
    frame = pd.DataFrame({"y": 1.0 / (2.0 + 0.2 * rng.normal(size=40)[g]) + 0.02 * rng.normal(size=200), "g": g})
    frame["x"] = rng.normal(size=200)
    fit = sl.Model("y :: gaussian(reciprocal)\ny ~ 1 + (1 | g)").fit(frame, threads=1)
    with pytest.raises(sl.FitError) as problem:
        fit.predict()
    assert [d.slug for d in problem.value.diagnostics] == ["undefined-measure"]
    assert np.isfinite(fit.predict(kind="conditional")["y"]).all()
    plain = sl.Model("y :: gaussian(reciprocal)\ny ~ x").fit(frame, threads=1)
    expected = 1.0 / (plain.predict(kind="linear")["y"])
    assert plain.predict()["y"].to_numpy() == pytest.approx(expected.to_numpy())
