"""Predictions, scores and draws of models with classes, mass points and products, beside sums and dense grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, log_softmax, softmax
from scipy.stats import multivariate_normal, norm, poisson

import semlang as sl


def at(text: str, frame: pd.DataFrame, values: dict[str, float], points: int | None = None) -> sl.Fit:
    """Return a fit whose estimates are the given ones, by name."""
    fit = sl.Model("options: starts = 1\n" + text).fit(
        frame, points=points, se="none", threads=1, force=True, start=values
    )
    assert set(values) == set(fit.parameter_names)
    theta = np.array([values[name] for name in fit.parameter_names])
    return replace(fit, estimate=replace(fit.estimate, theta=theta))


def bernoulli(y: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Log density summed over the last axis; missing responses are left out."""
    return np.nansum(np.where(y == 1, -np.logaddexp(0, -nu), -np.logaddexp(0, nu)) + 0.0 * y, axis=-1)


# ---------------------------------------------------------------------- classes of rows

NU = np.array([[1.2, 0.4, -0.3], [-0.8, -1.5, 0.9]])
LCA = "a + b + d :: binomial(logit)\nc :: class(2)\nc =~ a + b + d\nc ~ x"
LCA_VALUES = {f"{name} ~1 (class {k + 1})": NU[k, j] for j, name in enumerate("abd") for k in range(2)} | {
    "c ~1 (class 1)": 0.3, "c ~ x (class 1)": 0.8,
}  # fmt: skip


def lca() -> tuple[sl.Fit, pd.DataFrame]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=80)})
    c = rng.random(80) > expit(0.3 + 0.8 * frame.x)
    y = (rng.random((80, 3)) < expit(NU[c.astype(int)])).astype(float)
    y[rng.random(y.shape) < 0.1] = np.nan
    y[7] = np.nan
    frame[["a", "b", "d"]] = y
    return at(LCA, frame, LCA_VALUES), frame


def test_latent_classes_with_a_covariate() -> None:
    fit, frame = lca()
    y = frame[["a", "b", "d"]].to_numpy()
    prior = np.stack([expit(0.3 + 0.8 * frame.x), expit(-0.3 - 0.8 * frame.x)], axis=1)
    log = np.stack([bernoulli(y, NU[k]) for k in range(2)], axis=1) + np.log(prior)
    posterior = softmax(log, axis=1)
    found = fit.class_probabilities()["c"][["class 1", "class 2"]].to_numpy()
    seen = ~np.isnan(y).all(axis=1)
    assert found[seen] == pytest.approx(posterior[seen], abs=1e-10)
    assert fit.predict().to_numpy() == pytest.approx(prior @ expit(NU), abs=1e-10)
    assert fit.predict(kind="conditional").to_numpy() == pytest.approx(posterior @ expit(NU), abs=1e-10)
    assert fit.augment()[".c"][seen].to_numpy() == pytest.approx(posterior[seen].argmax(axis=1) + 1)
    assert fit.predict(kind="linear").to_numpy() == pytest.approx(posterior @ NU, abs=1e-10)
    for k in (1, 2):
        assert fit.predict(at={"c": k}).to_numpy() == pytest.approx(np.tile(expit(NU[k - 1]), (80, 1)), abs=1e-10)
    assert fit.predict(kind="at").to_numpy() == pytest.approx(prior @ expit(NU), abs=1e-10)
    new = pd.DataFrame({"x": [0.0, 2.0]})
    p = expit(0.3 + 0.8 * new.x.to_numpy())[:, None]
    assert fit.predict(data=new).to_numpy() == pytest.approx(p * expit(NU[0]) + (1 - p) * expit(NU[1]), abs=1e-10)


def test_what_has_no_meaning_for_classes() -> None:
    fit, frame = lca()
    for call, slug in (
        (lambda: fit.scores(), "not-predicted"),
        (lambda: fit.standardized(), "undefined-measure"),
        (lambda: fit.m2(), "not-for-this-model"),
        (lambda: fit.predict(at={"c": 3}), "unknown-class"),
        (lambda: fit.predict(at={"c": 1.5}), "unknown-class"),
        (lambda: fit.predict(data=frame.drop(columns="x")), "missing-column"),
    ):
        with pytest.raises(sl.SemlangError) as problem:
            call()
        assert [d.slug for d in problem.value.diagnostics] == [slug]


def test_draws_of_classes() -> None:
    """Shares, and joint shares of two items, which depend on the classes, over 60 data sets."""
    fit, frame = lca()
    drawn = fit.simulate(seed=2, n=60)
    assert drawn.isna().sum().to_dict() == {k: 60 * v for k, v in frame.isna().sum().to_dict().items()} | {
        "simulation": 0
    }
    prior = np.stack([expit(0.3 + 0.8 * frame.x), expit(-0.3 - 0.8 * frame.x)], axis=1)
    both = prior @ (expit(NU[:, 0]) * expit(NU[:, 1]))
    known = frame[["a", "b"]].notna().all(axis=1).to_numpy()
    product = (drawn.a * drawn.b).to_numpy().reshape(60, 80)[:, known].mean(axis=1)
    assert product.mean() == pytest.approx(both[known].mean(), abs=4 * product.std() / np.sqrt(60))
    assert np.corrcoef(drawn.a.fillna(0), drawn.b.fillna(0))[0, 1] > 0.05
    free = sl.Model(LCA).simulate(LCA_VALUES, n=20_000, seed=3)
    slope = np.polyfit(free.x, free.a, 1)[0]
    p = expit(0.3 + 0.8 * free.x)
    expected = np.polyfit(free.x, p * expit(1.2) + (1 - p) * expit(-0.8), 1)[0]
    assert slope == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(20_000))


GROWTH = (
    "c :: class(2)\ni =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3\ni ~ c\ns ~ c\ny1 + y2 + y3 ~ 0\nc ~ x\n"
    "class: 1\ny1 ~~ y1\n"
)
GROWTH_VALUES = {
    "i ~1 (class 1)": -0.9, "i ~1 (class 2)": 1.2, "s ~1 (class 1)": 0.5, "s ~1 (class 2)": -0.6,
    "c ~ x (class 1)": 0.5, "c ~1 (class 1)": 0.3, "y1 ~~ y1 (class 1)": 0.4, "y1 ~~ y1": 0.9, "y2 ~~ y2": 0.6,
    "y3 ~~ y3": 0.8, "i ~~ i": 0.5,
    "s ~~ s": 0.2, "i ~~ s": 0.1,
}  # fmt: skip


def test_growth_mixture() -> None:
    """Scores are mixtures of regressions on the responses; draws have the moments of the mixture."""
    frame = sl.Model(GROWTH).simulate(GROWTH_VALUES, n=150, seed=4)
    fit = at(GROWTH, frame, GROWTH_VALUES)
    L, psi = np.array([[1, 0], [1, 1], [1, 2.0]]), np.array([[0.5, 0.1], [0.1, 0.2]])
    means = [np.array([-0.9, 0.5]), np.array([1.2, -0.6])]
    y = frame[["y1", "y2", "y3"]].to_numpy()
    nu = (0.3 + 0.5 * frame.x).to_numpy()
    logs, first, second = [], [], []
    for k in range(2):
        S = L @ psi @ L.T + np.diag([(0.4, 0.9)[k], 0.6, 0.8])
        gain = psi @ L.T @ np.linalg.inv(S)
        m = means[k] + (y - L @ means[k]) @ gain.T
        logs.append(multivariate_normal(L @ means[k], S).logpdf(y) + log_softmax([nu, 0 * nu], axis=0)[k])
        first.append(m)
        second.append(psi - gain @ L @ psi + m[:, :, None] * m[:, None, :])
    w = softmax(np.array(logs), axis=0)
    mean = np.einsum("kn,kni->ni", w, first)
    covariance = np.einsum("kn,knij->nij", w, second) - mean[:, :, None] * mean[:, None, :]
    scores = fit.scores(covariance=True)["rows"]
    assert scores[["i", "s"]].to_numpy() == pytest.approx(mean, abs=1e-8)
    se = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    assert scores[["i.se", "s.se"]].to_numpy() == pytest.approx(se, abs=1e-8)
    assert scores["i~~s"].to_numpy() == pytest.approx(covariance[:, 0, 1], abs=1e-8)
    assert fit.predict(kind="conditional").to_numpy() == pytest.approx(mean @ L.T, abs=1e-8)
    p = softmax(np.array([nu, 0 * nu]), axis=0)
    assert fit.predict().to_numpy() == pytest.approx(p.T @ (np.array(means) @ L.T), abs=1e-8)
    big = sl.Model(GROWTH).simulate(GROWTH_VALUES, n=20_000, seed=5)
    q = expit(0.3 + 0.5 * big.x.to_numpy()).mean()
    m3 = np.array(means) @ L.T
    between = q * (1 - q) * np.outer(m3[0] - m3[1], m3[0] - m3[1])
    S = L @ psi @ L.T + np.diag([q * 0.4 + (1 - q) * 0.9, 0.6, 0.8]) + between
    error = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / 20_000)
    assert (np.abs(big[["y1", "y2", "y3"]].cov().to_numpy() - S) < 5 * error).all()


# ---------------------------------------------------------------------- levels


def schools(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    school = np.repeat(np.arange(12), 6)
    y = rng.integers(0, 2, (school.size, 3)).astype(float)
    frame = pd.DataFrame(y, columns=["y1", "y2", "y3"])
    return frame.assign(school=school, x=rng.normal(size=school.size)), y, school


TWO = "cluster: school\ny{1..3} :: binomial(logit)\nc :: class(2)\nd[school] :: class(2)\nc =~ y{1..3}\nc ~ x + d"
TWO_VALUES = {f"y{j + 1} ~1 (class {k + 1})": NU[k, j] for j in range(3) for k in range(2)} | {
    "c ~ x (class 1)": 0.6, "c ~1 (class 1)": 0.9, "c ~1 (class 2)": -0.8, "d[school] ~1 (class 1)": 0.3,
}  # fmt: skip


def test_classes_at_two_levels() -> None:
    frame, y, school = schools(np.random.default_rng(3))
    fit = at(TWO, frame, TWO_VALUES)
    inside = np.array([bernoulli(y, NU[k]) for k in range(2)])
    logits = np.array([0.9, -0.8])[:, None] + 0.6 * frame.x.to_numpy()
    log_p = log_softmax(np.stack([logits, 0 * logits], axis=1), axis=1)  # (d, c, n)
    d = log_softmax([0.3, 0.0])
    joint = inside + log_p
    of_d = np.stack([d + np.logaddexp(*joint[:, :, school == s].transpose(1, 0, 2)).sum(axis=-1) for s in range(12)])
    top = softmax(of_d, axis=1)
    within = softmax(joint, axis=1)
    p = np.einsum("nd,dcn->nc", top[school], within)
    classes = fit.class_probabilities()
    assert classes["d[school]"][["class 1", "class 2"]].to_numpy() == pytest.approx(top, abs=1e-10)
    assert classes["c"][["class 1", "class 2"]].to_numpy() == pytest.approx(p, abs=1e-10)
    assert fit.predict(kind="conditional").to_numpy() == pytest.approx(p @ expit(NU), abs=1e-10)
    prior = np.einsum("d,dcn->nc", np.exp(d), np.exp(log_p))
    assert fit.predict().to_numpy() == pytest.approx(prior @ expit(NU), abs=1e-10)
    given = np.exp(log_p[1]).T @ expit(NU)
    assert fit.predict(at={"d": 2}).to_numpy() == pytest.approx(given, abs=1e-10)
    drawn = fit.simulate(seed=1, n=200)
    of_set = drawn.groupby("simulation")[["y1", "y2", "y3"]].mean()
    expected = (prior @ expit(NU)).mean(axis=0)
    assert (np.abs(of_set.mean() - expected) < 4 * of_set.std() / np.sqrt(200)).all()


UNDER = "cluster: school\ny{1..3} :: binomial(logit)\nc :: class(2)\nc =~ y{1..3}\nc ~ x + u[school]"
UNDER_VALUES = {f"y{j + 1} ~1 (class {k + 1})": NU[k, j] for j in range(3) for k in range(2)} | {
    "c ~ x (class 1)": 0.6, "c ~1 (class 1)": -0.3, "u[school] ~~ u[school]": 1.44,
}  # fmt: skip


def test_classes_under_a_school_effect() -> None:
    frame = sl.Model(UNDER).simulate(UNDER_VALUES, n="40x8", seed=6)
    y, school = frame[["y1", "y2", "y3"]].to_numpy(), frame.school.to_numpy() - 1
    fit = at(UNDER, frame, UNDER_VALUES, points=15)
    u = np.linspace(-9, 9, 1201)
    prior = norm.pdf(u) * (u[1] - u[0])
    inside = np.array([bernoulli(y, NU[k]) for k in range(2)])
    scores, conditional, marginal = fit.scores()["school"], fit.predict(kind="conditional"), fit.predict()
    for s in (0, 5, 11):
        here = np.flatnonzero(school == s)
        m = -0.3 + 0.6 * frame.x.to_numpy()[here, None] + 1.2 * u
        of_c = np.stack([inside[0, here, None] - np.logaddexp(0, -m), inside[1, here, None] - np.logaddexp(0, m)])
        w = np.exp(np.logaddexp(*of_c).sum(axis=0)) * prior
        w /= w.sum()
        mean = 1.2 * (w @ u)
        assert scores.loc[s, "u"] == pytest.approx(mean, abs=1e-4)
        assert scores.loc[s, "u.se"] == pytest.approx(np.sqrt(1.44 * (w @ u**2) - mean**2), abs=1e-4)
        p = softmax(of_c, axis=0) @ w
        assert conditional.iloc[here].to_numpy() == pytest.approx(p.T @ expit(NU), abs=1e-4)
        p = np.stack([expit(m) @ prior, expit(-m) @ prior])
        assert marginal.iloc[here].to_numpy() == pytest.approx(p.T @ expit(NU), abs=1e-4)
        given = expit(-0.3 + 0.6 * frame.x.to_numpy()[here] + 0.7)[:, None]
        found = fit.predict(at={"u": 0.7}).iloc[here].to_numpy()
        assert found == pytest.approx(given * expit(NU[0]) + (1 - given) * expit(NU[1]), abs=1e-10)
    big = sl.Model(UNDER).simulate(UNDER_VALUES, n="4000x2", seed=7)
    p1 = expit(-0.3 + np.sqrt(1.44 + 0.36) * u) @ prior
    assert big.y1.mean() == pytest.approx(p1 * expit(1.2) + (1 - p1) * expit(-0.8), abs=4 * 0.5 / np.sqrt(5000))


# ---------------------------------------------------------------------- products, mass points

INTERACTION = "f1 =~ x1 + x2\nf2 =~ x3 + x4\nb :: binomial(logit)\ny ~ f1 + f2 + f1:f2\nb ~ f1:f2"
INTERACTION_VALUES = {
    "f1 =~ x2": 0.8, "f2 =~ x4": 1.1, "y ~ f1": 0.4, "y ~ f2": 0.5, "y ~ f1:f2": 0.35, "b ~ f1:f2": 0.9,
    "x1 ~~ x1": 0.36, "x2 ~~ x2": 0.5, "x3 ~~ x3": 0.4, "x4 ~~ x4": 0.6, "y ~~ y": 0.5, "f1 ~~ f1": 1.0,
    "f2 ~~ f2": 0.9, "f1 ~~ f2": 0.3, "x1 ~1": 0.1, "x2 ~1": -0.1, "x3 ~1": 0.2, "x4 ~1": 0.0, "y ~1": 0.05,
    "b ~1": -0.2,
}  # fmt: skip


def test_latent_interaction() -> None:
    frame = sl.Model(INTERACTION).simulate(INTERACTION_VALUES, n=120, seed=8)
    fit = at(INTERACTION, frame, INTERACTION_VALUES, points=15)
    e = INTERACTION_VALUES
    g = np.linspace(-6.5, 6.5, 241)
    a, b = np.meshgrid(g, g, indexing="ij")
    cov = [[e["f1 ~~ f1"], e["f1 ~~ f2"]], [e["f1 ~~ f2"], e["f2 ~~ f2"]]]
    prior = multivariate_normal([0, 0], cov).pdf(np.stack([a, b], axis=-1)) * (g[1] - g[0]) ** 2
    y, nu = 0.05 + 0.4 * a + 0.5 * b + 0.35 * a * b, -0.2 + 0.9 * a * b
    scores, conditional = fit.scores()["rows"], fit.predict(kind="conditional")
    for i in (0, 17, 63):
        row = frame.iloc[i]
        w = prior * norm.pdf(row.y, y, np.sqrt(0.5)) * (expit(nu) if row.b else expit(-nu))
        for name, load in (("x1", a), ("x2", 0.8 * a), ("x3", b), ("x4", 1.1 * b)):
            w = w * norm.pdf(row[name], e[f"{name} ~1"] + load, np.sqrt(e[f"{name} ~~ {name}"]))
        w /= w.sum()
        for name, f in (("f1", a), ("f2", b)):
            mean = (w * f).sum()
            assert scores.loc[i, name] == pytest.approx(mean, abs=1e-4)
            assert scores.loc[i, f"{name}.se"] == pytest.approx(np.sqrt((w * f**2).sum() - mean**2), abs=1e-4)
        assert conditional.loc[i, ["y", "b"]].to_list() == pytest.approx(
            [(w * y).sum(), (w * expit(nu)).sum()], abs=1e-4
        )
    marginal = fit.predict().iloc[0]
    expected = [(prior * y).sum(), (prior * expit(nu)).sum()]
    assert marginal[["y", "b"]].to_list() == pytest.approx(expected, abs=1e-4)
    given = fit.predict(at={"f1": 1.0, "f2": -2.0}).iloc[0]
    assert given[["y", "b"]].to_list() == pytest.approx([0.05 + 0.4 - 1.0 - 0.7, expit(-0.2 - 1.8)])
    big = sl.Model(INTERACTION).simulate(INTERACTION_VALUES, n=20_000, seed=9)
    assert big.y.mean() == pytest.approx(expected[0], abs=4 * big.y.std() / np.sqrt(20_000))
    assert big.b.mean() == pytest.approx(expected[1], abs=4 * 0.5 / np.sqrt(20_000))
    third = ((big.y - big.y.mean()) * (big.x1 - 0.1) * (big.x3 - 0.2)).mean()  # E(f1 f2 (y - E y)) = 0.35 Var(f1 f2)
    assert third == pytest.approx(0.35 * (0.9 + 0.09), abs=0.08)


MASS = "y :: poisson(log)\nu[g] :: masspoints(2)\ny ~ x + u"


def test_mass_points() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(40), 4)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=160)})
    frame["y"] = rng.poisson(np.exp(0.2 + 0.3 * frame.x + np.where(rng.random(40) < 0.4, -0.9, 0.6)[g]))
    fit = sl.Model("cluster: g\n" + MASS).fit(frame, se="none", threads=1)
    e = dict(zip(fit.params["name"], fit.params["est"], strict=True))
    p = expit(e["mass(u[g]) ~1 (class 1)"])
    first = e["u[g] ~1 (class 1)"]
    where = np.array([first, -p * first / (1 - p)])
    prior = np.array([p, 1 - p])
    mu = np.exp(e["y ~1"] + e["y ~ x"] * frame.x.to_numpy()[:, None] + where)
    log = poisson.logpmf(frame.y.to_numpy()[:, None], mu)
    w = softmax(np.stack([log[g == k].sum(axis=0) for k in range(40)]) + np.log(prior), axis=1)
    scores = fit.scores()["g"]
    assert scores["u"].to_numpy() == pytest.approx(w @ where, abs=1e-8)
    assert scores["u.se"].to_numpy() == pytest.approx(np.sqrt(w @ where**2 - (w @ where) ** 2), abs=1e-6)
    assert fit.predict(kind="conditional")["y"].to_numpy() == pytest.approx((w[g] * mu).sum(axis=1), abs=1e-8)
    assert fit.predict()["y"].to_numpy() == pytest.approx(mu @ prior, abs=1e-8)
    assert fit.predict(at={"u": 0.5})["y"].to_numpy() == pytest.approx(
        np.exp(e["y ~1"] + e["y ~ x"] * frame.x.to_numpy() + 0.5)
    )
    drawn = fit.simulate(seed=1, n=100).groupby("simulation").y
    assert drawn.mean().mean() == pytest.approx((mu @ prior).mean(), abs=4 * drawn.mean().std() / 10)


# ---------------------------------------------------------------------- score tests


def test_score_test_of_a_direct_effect_and_of_a_predictor_of_classes() -> None:
    """Gradient and Hessian of the log-likelihood written out, by differences, at the estimates of the smaller model."""
    _, frame = lca()
    text = "a + b + d :: binomial(logit)\nc :: class(2)\nc =~ a + b + d"
    fit = sl.Model(f"{text}\na ~ x").fit(frame, threads=1)
    y, x = frame[["a", "b", "d"]].to_numpy(), frame.x.to_numpy()
    place = {n: k for k, n in enumerate(fit.parameter_names)}
    at = np.append(fit.estimate.theta, [0.0, 0.0])  # and the effects of x on b and c

    def loglik(t: np.ndarray) -> float:
        nu = np.stack([[t[place[f"{v} ~1 (class {k})"]] + 0.0 * x for v in "abd"] for k in (1, 2)])
        nu[:, 0] += t[place["a ~ x"]] * x
        nu[:, 1] += t[-2] * x
        logit = t[place["c ~1 (class 1)"]] + t[-1] * x
        log = [bernoulli(y, nu[0].T) - np.logaddexp(0, -logit), bernoulli(y, nu[1].T) - np.logaddexp(0, logit)]
        return float(np.logaddexp(*log).sum())

    h, n = 1e-3, at.size
    E = np.eye(n) * h
    g = np.array([(loglik(at + e) - loglik(at - e)) / (2 * h) for e in E])
    H = np.array(
        [[loglik(at + a + b) - loglik(at + a - b) - loglik(at - a + b) + loglik(at - a - b) for b in E] for a in E]
    )
    H /= -4 * h * h
    found = fit.modification_indices().set_index(["lhs", "rhs"])["mi"]
    for k, key in ((n - 2, ("b", "x")), (n - 1, ("c", "x (class 1)"))):
        old = list(range(n - 2))
        v = H[k, k] - H[k, old] @ np.linalg.solve(H[np.ix_(old, old)], H[old, k])
        u = g[k] - H[k, old] @ np.linalg.solve(H[np.ix_(old, old)], g[old])
        assert found[key] == pytest.approx(u**2 / v, rel=1e-2, abs=1e-4)


def test_probabilities_of_classes_stand_in_the_rows_of_their_responses() -> None:
    """Groups that alternate in the data, a row without responses, an index of its own: the order is no matter."""
    rng = np.random.default_rng(7)
    n = 240
    c, s = rng.random(n) < 0.4, np.where(np.arange(n) % 2, "b", "a")
    y = (rng.random((n, 4)) < np.where(c, 0.85, 0.2)[:, None]).astype(float)
    y[5] = np.nan
    frame = pd.DataFrame(y, columns=[f"i{k}" for k in range(4)], index=np.arange(n) * 2 + 100).assign(s=s)
    text = "groups: s\ni{0..3} :: binomial(logit)\nc :: class(2)\nc =~ i{0..3}"
    fit = sl.Model(text).fit(frame, threads=1)
    found = fit.class_probabilities()["c"]
    shuffled = fit.class_probabilities(frame.sample(frac=1, random_state=1))["c"]
    assert set(found.index) == set(frame.index) - ({110} - set(found.index))
    np.testing.assert_allclose(
        shuffled.loc[found.index, ["class 1", "class 2"]], found[["class 1", "class 2"]], atol=1e-8
    )
    # the more items are solved the surer a row is of the class that solves more
    total = frame.loc[found.index, [f"i{k}" for k in range(4)]].sum(axis=1)
    known = found["class 1"].notna() & frame.loc[found.index, "i0"].notna()
    for group in "ab":
        here = known & (frame.loc[found.index, "s"] == group)
        assert abs(np.corrcoef(total[here], found.loc[here, "class 1"])[0, 1]) > 0.8
