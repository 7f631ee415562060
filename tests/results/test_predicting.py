"""Tests of scores and predictions, beside lme4, lavaan and integration by brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

import semlang as sl

from .conftest import ROOT

EXAMPLES = ROOT / "examples"
GRID = np.linspace(-7.0, 7.0, 1401)
PRIOR = norm.pdf(GRID) * (GRID[1] - GRID[0])
"""A grid of standard normal values and their probabilities: by the Euler-Maclaurin formula, exact to rounding."""


def at(fit: sl.Fit, **values: float) -> sl.Fit:
    """Return the fit with other estimates, by position in the parameter vector or by name."""
    theta = fit.estimate.theta.copy()
    for name, value in values.items():
        theta[fit.parameter_names.index(name)] = value
    return replace(fit, estimate=replace(fit.estimate, theta=theta))


def est(fit: sl.Fit) -> dict[str, float]:
    return dict(zip(fit.params["name"], fit.params["est"], strict=True))


# ---------------------------------------------------------------------- other programs


@pytest.mark.parametrize("case", ["complete", "equal"])
def test_factor_scores(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    given = lavaan[case]["scores"]
    found = fits[case].scores()["rows"]
    assert found[given["names"]].to_numpy()[:3] == pytest.approx(np.array(given["values"]), abs=1e-4)
    assert found[[f"{n}.se" for n in given["names"]]].to_numpy()[0] == pytest.approx(np.array(given["se"]), abs=1e-4)


def test_factor_scores_with_missing_responses(fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    given = lavaan["missing"]["scores"]
    found = fits["missing"].scores()["rows"]
    assert found[given["names"]].to_numpy()[:3] == pytest.approx(np.array(given["values"]), abs=1e-4)
    assert found.loc[4, ["visual", "textual", "speed"]].to_numpy(dtype=float) == pytest.approx([0.0, 0.0, 0.0])
    prior = fits["missing"].params.set_index("name").loc["visual ~~ visual", "est"]
    assert found.loc[4, "visual.se"] == pytest.approx(np.sqrt(prior), rel=1e-6)


def test_modes_of_a_linear_mixed_model() -> None:
    """lme4 1.1.31, 2026-11-28: lmer(Reaction ~ Days + (Days | Subject), REML = FALSE), ranef with condVar."""
    fit = sl.read_model(EXAMPLES / "sleepstudy" / "model.sem").fit(threads=1)
    found = fit.scores(method="mode")["Subject"].set_index("Subject")
    names = ["Reaction.1", "Reaction.Days"]
    modes = [
        [2.81578902, 9.07550678],
        [-40.04785492, -8.64415166],
        [-38.43249687, -5.5134706],
        [22.83176473, -4.65866486],
    ]
    assert found.loc[[308, 309, 310, 330], names].to_numpy() == pytest.approx(np.array(modes), abs=1e-3)
    assert found[[f"{n}.se" for n in names]].to_numpy()[0] == pytest.approx([11.87286426, 2.27106478], abs=1e-3)
    fitted = [254.22089387, 273.76368661, 293.30647934, 312.84927208]
    assert fit.predict(kind="conditional")["Reaction"][:4].to_list() == pytest.approx(fitted, abs=1e-3)
    fixed = [251.40510485, 261.87239081, 272.33967677, 282.80696273]
    assert fit.predict(kind="at")["Reaction"][:4].to_list() == pytest.approx(fixed, abs=1e-3)
    assert fit.predict()["Reaction"][:4].to_list() == pytest.approx(fixed, abs=1e-3)


def test_modes_of_a_generalized_linear_mixed_model() -> None:
    """lme4 1.1.31, 2026-11-28: glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), binomial)."""
    fit = sl.read_model(EXAMPLES / "cbpp" / "model.sem").fit(points=1, threads=1)
    found = fit.scores()["herd"].set_index("herd").iloc[:4]
    assert found.iloc[:, 0].to_list() == pytest.approx([0.58962944, -0.29909333, 0.40586581, 0.03902308], abs=1e-3)
    assert found.iloc[:, 1].to_list() == pytest.approx([0.34822393, 0.36549551, 0.29728761, 0.41630847], abs=1e-3)
    fitted = [0.30816472, 0.14177337, 0.12598556, 0.08405701]
    assert fit.predict(kind="conditional").iloc[:4, 0].to_list() == pytest.approx(fitted, abs=1e-3)
    fixed = [0.19807921, 0.08391784, 0.07401714, 0.04842565]
    assert fit.predict(kind="at").iloc[:4, 0].to_list() == pytest.approx(fixed, abs=1e-3)


# ---------------------------------------------------------------------- integration by brute force


def test_item_response_model() -> None:
    fit = sl.read_model(EXAMPLES / "lsat" / "model.sem").fit(threads=1, points=21)
    e, items = est(fit), [f"item{k}" for k in range(1, 6)]
    p = expit(np.array([[e[f"{i} ~1"]] for i in items]) + np.array([[e[f"ability =~ {i}"]] for i in items]) * GRID)
    y = pd.read_csv(EXAMPLES / "lsat" / "lsat6.csv")[items].to_numpy()[::37]
    f = np.exp(y @ np.log(p) + (1 - y) @ np.log(1 - p)) * PRIOR
    w = f / f.sum(axis=1, keepdims=True)

    scores = fit.scores()["rows"].iloc[::37]
    mean = w @ GRID
    assert scores["ability"].to_numpy() == pytest.approx(mean, abs=1e-4)
    assert scores["ability.se"].to_numpy() == pytest.approx(np.sqrt(w @ GRID**2 - mean**2), abs=1e-4)
    assert fit.predict(kind="conditional").iloc[::37].to_numpy() == pytest.approx(w @ p.T, abs=1e-4)
    assert fit.predict().iloc[0].to_numpy() == pytest.approx(p @ PRIOR, abs=1e-4)
    given = fit.predict(kind="at", at={"ability": 1.0}).iloc[0]
    assert given["item1"] == pytest.approx(expit(e["item1 ~1"] + e["ability =~ item1"]))


def test_maximum_likelihood_scores() -> None:
    """The estimating equation holds: sum a (y - p) = 0; perfect patterns have none."""
    fit = sl.read_model(EXAMPLES / "lsat" / "model.sem").fit(threads=1)
    e, items = est(fit), [f"item{k}" for k in range(1, 6)]
    slope, intercept = (np.array([e[n] for n in names]) for names in (
        [f"ability =~ {i}" for i in items], [f"{i} ~1" for i in items]))  # fmt: skip
    frame = pd.read_csv(EXAMPLES / "lsat" / "lsat6.csv")[items]
    found = fit.scores(method="ml")["rows"]["ability"].to_numpy()
    total = frame.sum(axis=1).to_numpy()
    inner = (total > 0) & (total < 5)
    p = expit(intercept + found[inner, None] * slope)
    assert ((frame.to_numpy()[inner] - p) @ slope) == pytest.approx(np.zeros(inner.sum()), abs=1e-3)
    assert np.all(found[total == 5] == np.inf)
    assert np.all(found[total == 0] == -np.inf)


def two_level(n: int = 12, m: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(n), m)
    x = rng.normal(size=n * m)
    nu = 0.3 + 0.8 * x + (rng.normal(size=n) * 1.2)[g] + (rng.normal(size=n) * 0.7)[g] * x
    return pd.DataFrame({"y": (rng.random(n * m) < expit(nu)).astype(int), "x": x, "g": g})


def test_two_level_logit_with_slope() -> None:
    frame = two_level()
    fit = sl.Model("y :: binomial(logit)\ny ~ x + (1 + x | g)").fit(frame, points=15, se="none", threads=1, force=True)
    fit = at(fit, **{"y.1[g] ~~ y.1[g]": 1.4, "y.x[g] ~~ y.x[g]": 0.5})
    cross = next(n for n in fit.parameter_names if "~~" in n and n not in ("y.1[g] ~~ y.1[g]", "y.x[g] ~~ y.x[g]"))
    fit = at(fit, **{cross: 0.3})
    e = est(fit)
    z = np.linspace(-6, 6, 241)
    a, b = np.meshgrid(z, z, indexing="ij")
    F = np.linalg.cholesky(np.array([[1.4, 0.3], [0.3, 0.5]]))
    u = F @ np.stack([a.ravel(), b.ravel()])
    prior = norm.pdf(a.ravel()) * norm.pdf(b.ravel()) * (z[1] - z[0]) ** 2
    scores, conditional = fit.scores(covariance=True)["g"], fit.predict(kind="conditional")["y"]
    for g in (0, 3, 7):
        part = frame[frame.g == g]
        nu = e["y ~1"] + e["y ~ x"] * part.x.to_numpy()[:, None] + u[0] + u[1] * part.x.to_numpy()[:, None]
        y = part.y.to_numpy()[:, None]
        w = np.exp((y * nu - np.logaddexp(0, nu)).sum(axis=0)) * prior
        w /= w.sum()
        mean, second = u @ w, (u * w) @ u.T
        covariance = second - np.outer(mean, mean)
        assert scores.loc[g, ["y.1", "y.x"]].to_numpy(dtype=float) == pytest.approx(mean, abs=1e-4)
        assert scores.loc[g, ["y.1.se", "y.x.se"]].to_numpy(dtype=float) == pytest.approx(
            np.sqrt(np.diag(covariance)), abs=1e-4
        )
        assert scores.loc[g, "y.1~~y.x"] == pytest.approx(covariance[0, 1], abs=1e-4)
        assert conditional[part.index].to_numpy() == pytest.approx(expit(nu) @ w, abs=1e-4)
        sd = np.sqrt(1.4 + 0.6 * part.x + 0.5 * part.x**2).to_numpy()[:, None]
        expected = expit(e["y ~1"] + e["y ~ x"] * part.x.to_numpy()[:, None] + sd * GRID) @ PRIOR
        assert fit.predict()["y"][part.index].to_numpy() == pytest.approx(expected, abs=1e-4)


def test_ordinal() -> None:
    fit = sl.read_model(EXAMPLES / "wine" / "model.sem").fit(points=21, threads=1)
    e = est(fit)
    frame = pd.read_csv(EXAMPLES / "wine" / "wine.csv")
    key = next(n for n in e if "~~" in n)
    sd = np.sqrt(e[key])
    response = fit.table.responses[0]
    cuts = [e[n] for n in e if " | t" in n]
    linear = fit.predict(kind="at")
    nu = np.zeros(len(frame))
    for row in fit.table.rows:
        if row.op == "~" and row.via:
            nu += fit.estimate.theta[row.parameter] * fit.designs[0].columns[row.via][np.argsort(fit.designs[0].row)]
    link = expit if response.link == "logit" else norm.cdf
    above = [
        np.ones((len(frame), GRID.size)),
        *(link(nu[:, None] + sd * GRID - t) for t in cuts),
        np.zeros((len(frame), GRID.size)),
    ]
    p = np.stack([above[k] - above[k + 1] for k in range(len(cuts) + 1)], axis=1)
    marginal = fit.predict()
    assert marginal.to_numpy() == pytest.approx(p @ PRIOR, abs=1e-4)
    assert linear.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(frame)))
    cluster = fit.table.clusters[-1]
    unit = frame[cluster].iloc[0]
    inside = np.flatnonzero((frame[cluster] == unit).to_numpy())
    categories = np.sort(frame[response.name].unique()).tolist()
    y = [categories.index(v) for v in frame[response.name].iloc[inside]]
    w = np.prod([p[i, k] for i, k in zip(inside, y, strict=True)], axis=0) * PRIOR
    w /= w.sum()
    scores = fit.scores()[cluster]
    found = scores[scores[cluster] == unit].iloc[0]
    assert float(found.iloc[1]) == pytest.approx(sd * (w @ GRID), abs=1e-4)
    assert fit.predict(kind="conditional").iloc[inside].to_numpy() == pytest.approx(p[inside] @ w, abs=1e-4)


def test_three_levels_jointly() -> None:
    """A latent variable of persons that depends on one of their school: its standard error has both."""
    rng = np.random.default_rng(8)
    school = np.repeat(np.arange(8), 3)
    frame = pd.DataFrame(
        {f"i{k}": rng.integers(0, 2, 24) for k in (1, 2, 3)} | {"school": school, "x": rng.normal(size=24)}
    )
    text = "i{1..3} :: binomial(logit)\nf =~ 1*i1 + 1*i2 + 1*i3\nf ~ x + (1 | school)"
    fit = sl.Model(text).fit(frame, points=15, se="none", threads=1, force=True)
    names = {n: n for n in fit.parameter_names}
    top = next(n for n in names if n.startswith("f.1[school] ~~"))
    fit = at(fit, **{top: 0.8, "f ~~ f": 1.3, "f ~ x": 0.6})
    e = est(fit)
    z = np.linspace(-6, 6, 121)
    w1 = norm.pdf(z) * (z[1] - z[0])
    rows = np.flatnonzero(school == 2)
    b = np.array([e[f"i{k} ~1"] for k in (1, 2, 3)])
    u, v = np.sqrt(0.8) * z, np.sqrt(1.3) * z
    inner = []
    for r in rows:
        eta = 0.6 * frame.x[r] + u[:, None] + v[None, :]
        y = frame.loc[r, ["i1", "i2", "i3"]].to_numpy(dtype=float)
        f = np.exp(sum(y[k] * (b[k] + eta) - np.logaddexp(0, b[k] + eta) for k in range(3))) * w1
        inner.append((eta, f))
    over = w1 * np.prod([f.sum(axis=1) for _, f in inner], axis=0)
    over /= over.sum()
    scores = fit.scores()
    row = scores["school"].set_index("school").loc[2]
    assert row["f.1"] == pytest.approx(over @ u, abs=1e-4)
    assert row["f.1.se"] == pytest.approx(np.sqrt(over @ u**2 - (over @ u) ** 2), abs=1e-4)
    conditional = fit.predict(kind="conditional")
    for r, (eta, f) in zip(rows, inner, strict=True):
        joint = over[:, None] * f / f.sum(axis=1, keepdims=True)
        mean = float((joint * eta).sum())
        assert scores["rows"]["f"][r] == pytest.approx(mean, abs=1e-4)
        assert scores["rows"]["f.se"][r] == pytest.approx(np.sqrt((joint * eta**2).sum() - mean**2), abs=1e-4)
        assert conditional["i2"][r] == pytest.approx(float((joint * expit(b[1] + eta)).sum()), abs=1e-4)


def test_bifactor() -> None:
    """Specific factors share one coordinate in the integral; their covariance given the responses is not lost."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({f"i{k}": rng.integers(0, 2, 60) for k in range(1, 7)})
    text = """options: std.lv = true, auto.cov.lv.x = false
i{1..6} :: binomial(logit)
g =~ i{1..6}
s =~ i{1..3}
t =~ i{4..6}
"""
    fit = sl.Model(text).fit(frame, points=11, se="none", threads=1, force=True)
    values = {n: 0.4 + 0.1 * k for k, n in enumerate(fit.parameter_names)}
    fit = at(fit, **values)
    e = est(fit)
    z = np.linspace(-5.5, 5.5, 81)
    w1 = norm.pdf(z) * (z[1] - z[0])
    y = frame.loc[0].to_numpy(dtype=float)
    g, s = z[:, None], z[None, :]

    def block(factor: str, items: range) -> np.ndarray:
        nus = [e[f"i{k} ~1"] + e[f"g =~ i{k}"] * g + e[f"{factor} =~ i{k}"] * s for k in items]
        return np.exp(sum(y[k - 1] * nu - np.logaddexp(0, nu) for k, nu in zip(items, nus, strict=True))) * w1

    a, c = block("s", range(1, 4)), block("t", range(4, 7))
    over = w1 * a.sum(axis=1) * c.sum(axis=1)
    over /= over.sum()
    ea, ec = (a @ z) / a.sum(axis=1), (c @ z) / c.sum(axis=1)
    scores = fit.scores(covariance=True)["rows"].loc[0]
    assert scores["g"] == pytest.approx(over @ z, abs=1e-4)
    assert scores["s"] == pytest.approx(over @ ea, abs=1e-4)
    assert scores["t"] == pytest.approx(over @ ec, abs=1e-4)
    second = over @ ((a @ z**2) / a.sum(axis=1))
    assert scores["s.se"] == pytest.approx(np.sqrt(second - (over @ ea) ** 2), abs=1e-4)
    assert scores["s~~t"] == pytest.approx(over @ (ea * ec) - (over @ ea) * (over @ ec), abs=1e-4)
    assert scores["g~~s"] == pytest.approx(over @ (z * ea) - (over @ z) * (over @ ea), abs=1e-4)
    joint = over[:, None] * a / a.sum(axis=1, keepdims=True)
    p = expit(e["i1 ~1"] + e["g =~ i1"] * g + e["s =~ i1"] * s)
    assert fit.predict(kind="conditional").loc[0, "i1"] == pytest.approx(float((joint * p).sum()), abs=1e-4)
    spread = np.sqrt(e["g =~ i1"] ** 2 + e["s =~ i1"] ** 2)
    assert fit.predict().loc[0, "i1"] == pytest.approx(expit(e["i1 ~1"] + spread * GRID) @ PRIOR, abs=1e-4)


def mixed(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(10)
    f = rng.normal(size=n)
    return pd.DataFrame(
        {
            "b": (f + rng.logistic(size=n) > 0).astype(int),
            "c": rng.poisson(np.exp(0.2 + 0.5 * f)),
            "y": f + rng.normal(size=n),
        }
    )


MIXED = "options: std.lv = true\nb :: binomial(probit)\nc :: poisson(log)\nf =~ b + c + y"


def test_mixed_responses_and_new_data() -> None:
    frame = mixed()
    fit = sl.Model(MIXED).fit(frame, points=21, threads=1)
    e = est(fit)
    new = pd.DataFrame({"b": [1, 0, 1], "c": [2, 0, np.nan], "y": [0.5, np.nan, np.nan]}, index=["p", "q", "r"])
    nu = {v: e[f"{v} ~1"] + e[f"f =~ {v}"] * GRID for v in "bcy"}
    scores, predicted = fit.scores(data=new)["rows"], fit.predict(data=new, kind="conditional")
    assert scores.index.to_list() == ["p", "q", "r"]
    for unit, row in new.iterrows():
        f = PRIOR.copy()
        f *= norm.cdf(nu["b"]) if row.b == 1 else norm.cdf(-nu["b"])
        if not np.isnan(row.c):
            f *= np.exp(row.c * nu["c"] - np.exp(nu["c"]))
        if not np.isnan(row.y):
            f *= norm.pdf(row.y, nu["y"], np.sqrt(e["y ~~ y"]))
        w = f / f.sum()
        assert scores.loc[unit, "f"] == pytest.approx(w @ GRID, abs=1e-4)
        expected = [w @ norm.cdf(nu["b"]), w @ np.exp(nu["c"]), w @ nu["y"]]
        assert predicted.loc[unit, ["b", "c", "y"]].to_numpy(dtype=float) == pytest.approx(expected, abs=1e-4)
    marginal = fit.predict(data=new[[]].assign(z=1)).iloc[0]
    assert marginal[["b", "c", "y"]].to_numpy(dtype=float) == pytest.approx(
        [PRIOR @ norm.cdf(nu["b"]), PRIOR @ np.exp(nu["c"]), PRIOR @ nu["y"]], abs=1e-4
    )


def test_scores_of_new_data_are_those_of_the_fit() -> None:
    frame = two_level()
    fit = sl.Model("y :: binomial(logit)\ny ~ x + (1 | g)").fit(frame, threads=1)
    old, new = fit.scores()["g"], fit.scores(data=frame[frame.g >= 5].assign(g=lambda d: d.g + 100))["g"]
    assert new.iloc[:, 1:].to_numpy() == pytest.approx(old.iloc[5:, 1:].to_numpy(), abs=1e-6)
    assert new["g"].to_list() == list(range(105, 112))


def test_what_is_not_predicted() -> None:
    frame = two_level()
    fit = sl.Model("y :: binomial(logit)\nf[g] =~ y\ny ~ x").fit(frame, threads=1, force=True)
    for call, slug in (
        (lambda: fit.predict(data=frame.drop(columns="x")), "missing-column"),
        (lambda: fit.scores(data=frame.drop(columns="g")), "missing-column"),
        (lambda: fit.predict(at={"h": 1.0}), "not-a-latent"),
        (lambda: fit.predict(kind="mean"), "not-a-choice"),
        (lambda: fit.class_probabilities(), "no-classes"),
    ):
        with pytest.raises(sl.SemlangError) as problem:
            call()
        assert [d.slug for d in problem.value.diagnostics] == [slug]


# ---------------------------------------------------------------------- classes, simulation


def classes() -> sl.Fit:
    rng = np.random.default_rng(12)
    c = rng.random(300) < 0.4
    p = np.where(c[:, None], [0.9, 0.8, 0.85], [0.2, 0.1, 0.3])
    frame = pd.DataFrame((rng.random((300, 3)) < p).astype(int), columns=["a", "b", "d"])
    text = "a :: binomial(logit)\nb :: binomial(logit)\nd :: binomial(logit)\nc :: class(2)\na ~ c\nb ~ c\nd ~ c"
    return sl.Model(text).fit(frame, threads=1)


def test_class_probabilities() -> None:
    fit = classes()
    found = fit.class_probabilities()["c"]
    y = fit.origin.recipe.frame[["a", "b", "d"]].to_numpy()
    shares = found[["class 1", "class 2"]].mean()
    # Bayes' theorem with the conditional probabilities that the posterior probabilities themselves imply: at a maximum
    # of the likelihood they are the weighted means of the responses.
    w = found[["class 1", "class 2"]].to_numpy()
    p = (w.T @ y) / w.sum(axis=0)[:, None]
    f = np.exp(y @ np.log(p.T) + (1 - y) @ np.log(1 - p.T)) * shares.to_numpy()
    assert w == pytest.approx(f / f.sum(axis=1, keepdims=True), abs=1e-3)
    table = fit.classification()
    entropy = 1 + float((w * np.log(w)).sum()) / (300 * np.log(2))
    assert table["entropy"].to_list() == pytest.approx([entropy, entropy])
    assert table["n"].sum() == 300
    # Expected responses: mixtures of the conditional probabilities, by the shares or by the posterior.
    assert fit.predict().iloc[0].to_numpy() == pytest.approx(shares.to_numpy() @ p, abs=1e-3)
    assert fit.predict(kind="conditional").to_numpy() == pytest.approx(w @ p, abs=1e-3)
    new = pd.DataFrame({"a": [1.0, np.nan], "b": [1.0, np.nan], "d": [np.nan, np.nan]})
    f = shares.to_numpy() * p[:, 0] * p[:, 1]
    predicted = fit.predict(data=new, kind="conditional")
    assert predicted.loc[0].to_numpy() == pytest.approx(f / f.sum() @ p, abs=1e-3)
    assert predicted.loc[1].to_numpy() == pytest.approx(shares.to_numpy() @ p, abs=1e-3)
    with pytest.raises(sl.FitError) as problem:
        fit.scores()
    assert [d.slug for d in problem.value.diagnostics] == ["not-predicted"]


def test_no_posterior() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(60, 1)) + rng.normal(size=(60, 3)), columns=["x1", "x2", "x3"])
    fit = sl.Model("f =~ x1 + x2 + x3").fit(frame, threads=1)
    with pytest.raises(sl.FitError) as problem:
        at(fit, **{"f ~~ f": -0.1}).scores()
    assert [d.slug for d in problem.value.diagnostics] == ["no-posterior"]


def test_simulation_is_reproducible_and_keeps_the_form_of_the_data() -> None:
    frame = mixed()
    frame.loc[3, "y"] = np.nan
    fit = sl.Model(MIXED).fit(frame, threads=1)
    one, same, other = fit.simulate(seed=1), fit.simulate(seed=1), fit.simulate(seed=2)
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)
    assert np.isnan(one.loc[3, "y"])
    assert set(one["b"]) == {0, 1}
    assert (one["c"] == one["c"].round()).all()
    assert fit.simulate(seed=1, n=3)["simulation"].value_counts().to_dict() == {1: 80, 2: 80, 3: 80}


def test_simulated_moments_are_those_of_the_model(fits: dict[str, sl.Fit]) -> None:
    """Means and covariances of 60 data sets, within four standard errors of what the model implies."""
    fit = fits["equal"]
    names = [v.name for v in fit.table.responses]
    frame = fit.simulate(seed=5, n=60)[names]
    from semlang.results.implied import Implied

    implied = Implied(fit.graphs[0], fit.designs[0])
    place = [implied.place[n] for n in names]
    S = implied.covariance(fit.estimate.theta)[np.ix_(place, place)]
    n = len(frame)
    error = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / n)
    assert (np.abs(frame.cov().to_numpy() - S) < 4 * error).all()
    assert (np.abs(frame.mean() - implied.mean(fit.estimate.theta)[place]) < 4 * np.sqrt(np.diag(S) / n)).all()


def test_simulated_categories() -> None:
    """Proportions of ordinal responses with named categories are those of the marginal prediction."""
    rng = np.random.default_rng(3)
    f = rng.normal(size=400)
    sure = pd.cut(f + rng.logistic(size=400), [-99, -1, 1, 99], labels=["no", "so so", "yes"])
    frame = pd.DataFrame({"sure": sure, "right": np.where(f + rng.logistic(size=400) > 0, "y", "n")})
    text = 'options: std.lv = true\nsure :: ordinal(probit)\nright :: binomial(success="y")\nf =~ a*sure + a*right'
    fit = sl.Model(text).fit(frame, threads=1)
    drawn = fit.simulate(seed=4, n=30)
    p = fit.predict().iloc[0]
    shares = drawn["sure"].value_counts(normalize=True)
    for category in ("no", "so so", "yes"):
        assert shares[category] == pytest.approx(p[f"sure={category}"], abs=4 * 0.5 / np.sqrt(12000))
    assert (drawn["right"] == "y").mean() == pytest.approx(p["right"], abs=4 * 0.5 / np.sqrt(12000))


@pytest.mark.parametrize(("error", "exists"), [(29.9, True), (30.1, False)])
def test_a_maximum_likelihood_score_is_given_up_to_thirty_prior_standard_deviations(error: float, exists: bool) -> None:
    """Two parallel responses of error variance 2 s^2: the score is their mean, with standard error s."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.normal(size=(50, 2)), columns=["a", "b"])
    text = f"f =~ 1*a + 1*b\nf ~~ 1*f\na ~~ {2 * error**2}*a\nb ~~ {2 * error**2}*b"
    found = sl.Model(text).fit(frame, threads=1).scores(method="ml")["rows"]
    mean = (frame - frame.mean()).mean(axis=1).to_numpy()
    if exists:
        # the prior has a millionth of its information, 0.0009 of that of the responses
        assert found["f"].to_numpy() == pytest.approx(mean, rel=1e-3)
        assert found["f.se"].to_numpy() == pytest.approx(error, rel=1e-3)
    else:
        assert found["f"].to_numpy().tolist() == (np.sign(mean) * np.inf).tolist()
        assert found["f.se"].isna().all()


def test_maximum_likelihood_scores_are_of_one_level() -> None:
    fit = sl.Model("cluster: g\nf =~ 1*a + 1*b\nf ~ (1 | g)").fit(
        pd.DataFrame(np.random.default_rng(1).normal(size=(60, 2)), columns=["a", "b"]).assign(g=np.arange(60) // 5),
        threads=1, force=True,
    )  # fmt: skip
    with pytest.raises(sl.FitError, match="need latent variables of one level") as problem:
        fit.scores(method="ml")
    assert problem.value.diagnostics[0].slug == "not-predicted"
