"""Log-likelihoods of conditional models against sums and dense grids written out in numpy and scipy alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, log_softmax, logsumexp
from scipy.stats import multivariate_normal, norm, poisson

RNG = np.random.default_rng(11)


def bernoulli(y, nu):
    """Log density summed over the last axis; missing responses are left out."""
    return np.nansum(np.where(y == 1, -np.logaddexp(0, -nu), -np.logaddexp(0, nu)) + 0.0 * y, axis=-1)


def test_growth_mixture(conditional):
    n = 60
    frame = pd.DataFrame(RNG.normal(size=(n, 4)), columns=["y1", "y2", "y3", "x"])
    text = (
        "c :: class(2)\ni =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3\ni ~ c\ns ~ c\ny1 + y2 + y3 ~ 0\nc ~ x\n"
        "class: 1\ny1 ~~ y1\n"
    )
    values = {
        "i~1@1": -0.4, "i~1@2": 0.7, "s~1@1": 0.2, "s~1@2": -0.3, "c~x@1": 0.5, "c~1@1": 0.3, "y1~~y1@1": 0.4,
        "y1~~y1": 0.9, "y2~~y2": 0.6, "y3~~y3": 0.8, "i~~i": 0.5, "s~~s": 0.2, "i~~s": 0.1,
    }  # fmt: skip
    at = conditional(text, frame, values)
    L = np.array([[1, 0], [1, 1], [1, 2.0]])
    parts = []
    for k, theta in ((1, 0.4), (2, 0.9)):
        S = L @ [[0.5, 0.1], [0.1, 0.2]] @ L.T + np.diag([theta, 0.6, 0.8])
        parts.append(multivariate_normal(L @ [values[f"i~1@{k}"], values[f"s~1@{k}"]], S).logpdf(frame.iloc[:, :3]))
    nu = 0.3 + 0.5 * frame.x
    log_p = [-np.logaddexp(0, -nu), -np.logaddexp(0, nu)]
    expected = logsumexp(np.array(parts) + np.array(log_p), axis=0)
    np.testing.assert_allclose(at.member.values(at.x), expected, rtol=1e-10)


def test_latent_transition(conditional):
    y = RNG.integers(0, 2, (50, 4)).astype(float)
    y[RNG.random(y.shape) < 0.1] = np.nan
    frame = pd.DataFrame(y, columns=["a1", "a2", "b1", "b2"])
    text = "a1 + a2 + b1 + b2 :: binomial(logit)\nc + e :: class(2)\nc =~ a1 + a2\ne =~ b1 + b2\ne ~ c"
    nu = RNG.normal(size=(2, 4))
    values = {f"{name}~1@{k + 1}": nu[k, j] for j, name in enumerate(frame) for k in range(2)}
    values |= {"c~1@1": 0.4, "e~1@1": 1.1, "e~1@2": -0.7}
    at = conditional(text, frame, values)
    total = 0.0
    c = log_softmax([0.4, 0.0])
    e = [log_softmax([1.1, 0.0]), log_softmax([-0.7, 0.0])]
    for row in y:
        terms = [
            c[i] + e[i][j] + bernoulli(row[:2], nu[i, :2]) + bernoulli(row[2:], nu[j, 2:])
            for i in range(2)
            for j in range(2)
        ]
        total += logsumexp(terms)
    assert at.member.value(at.x) == pytest.approx(total, rel=1e-12)


def schools(n_schools=12, n=6, items=3):
    school = np.repeat(np.arange(n_schools), n)
    y = RNG.integers(0, 2, (school.size, items)).astype(float)
    frame = pd.DataFrame(y, columns=[f"y{j + 1}" for j in range(items)])
    return frame.assign(school=school, x=RNG.normal(size=school.size)), y, school


def test_classes_at_two_levels(conditional):
    frame, y, school = schools()
    text = "cluster: school\ny{1..3} :: binomial(logit)\nc :: class(2)\nd[school] :: class(2)\nc =~ y{1..3}\nc ~ x + d"
    nu = RNG.normal(size=(2, 3))
    values = {f"y{j + 1}~1@{k + 1}": nu[k, j] for j in range(3) for k in range(2)}
    values |= {"c~x@1": 0.6, "c~1@1": 0.9, "c~1@2": -0.8, "d[school]~1@1": 0.3}
    at = conditional(text, frame, values)
    inside = np.array([bernoulli(y, nu[k]) for k in range(2)])
    expected = []
    for s in range(12):
        here = school == s
        of_d = []
        for intercept in (0.9, -0.8):
            m = intercept + 0.6 * frame.x[here].to_numpy()
            log_p = np.array([-np.logaddexp(0, -m), -np.logaddexp(0, m)])
            of_d.append(logsumexp(inside[:, here] + log_p, axis=0).sum())
        expected.append(logsumexp(np.array(of_d) + log_softmax([0.3, 0.0])))
    np.testing.assert_allclose(at.member.values(at.x), expected, rtol=1e-12)


def test_classes_under_a_school_effect(conditional):
    """Nodes at posterior moments against 2,001 equispaced points; 11 nodes leave 6e-5 (docs/design/conditioning.md)."""
    frame, y, school = schools()
    text = "cluster: school\ny{1..3} :: binomial(logit)\nc :: class(2)\nc =~ y{1..3}\nc ~ x + u[school]"
    nu = np.array([[1.2, 0.9, 1.4], [-1.0, -0.7, -1.3]])
    values = {f"y{j + 1}~1@{k + 1}": nu[k, j] for j in range(3) for k in range(2)}
    values |= {"c~x@1": 0.6, "c~1@1": -0.3, "u[school]~~u[school]": 1.44}
    at = conditional(text, frame, values, points=15)
    u = np.linspace(-9, 9, 2001)
    inside = np.array([bernoulli(y, nu[k]) for k in range(2)])
    expected = []
    for s in range(12):
        here = school == s
        m = -0.3 + 0.6 * frame.x[here].to_numpy()[:, None] + 1.2 * u
        a = np.logaddexp(inside[0, here, None] - np.logaddexp(0, -m), inside[1, here, None] - np.logaddexp(0, m))
        expected.append(logsumexp(a.sum(axis=0) + norm.logpdf(u) + np.log(u[1] - u[0])))
    np.testing.assert_allclose(at.member.values(at.x), expected, atol=2e-5)


def interaction(frame, values):
    """Latent interaction on a grid of two factors."""
    g = np.linspace(-7, 7, 301)
    a, b = np.meshgrid(g, g, indexing="ij")
    f = np.stack([a, b], axis=-1)
    cov = [[values["f1~~f1"], values["f1~~f2"]], [values["f1~~f2"], values["f2~~f2"]]]
    prior = multivariate_normal([0, 0], cov).logpdf(f) + 2 * np.log(g[1] - g[0])
    out = []
    for row in frame.itertuples():
        total = prior.copy()
        for name, load in (("x1", a), ("x2", values["f1=~x2"] * a), ("x3", b), ("x4", values["f2=~x4"] * b)):
            total += norm.logpdf(getattr(row, name), values[f"{name}~1"] + load, np.sqrt(values[f"{name}~~{name}"]))
        mean = values["y~1"] + values["y~f1"] * a + values["y~f2"] * b + values["y~f1:f2"] * a * b
        total += norm.logpdf(row.y, mean, np.sqrt(values["y~~y"]))
        out.append(logsumexp(total))
    return np.array(out)


INTERACTION = {
    "f1=~x2": 0.8, "f2=~x4": 1.1, "y~f1": 0.4, "y~f2": 0.5, "y~f1:f2": 0.35, "x1~~x1": 0.36, "x2~~x2": 0.5,
    "x3~~x3": 0.4,
    "x4~~x4": 0.6, "y~~y": 0.5, "f1~~f1": 1.0, "f2~~f2": 0.9, "f1~~f2": 0.3, "x1~1": 0.1, "x2~1": -0.1, "x3~1": 0.2,
    "x4~1": 0.0, "y~1": 0.05,
}  # fmt: skip


def test_latent_interaction(conditional):
    frame = pd.DataFrame(RNG.normal(size=(25, 5)), columns=["x1", "x2", "x3", "x4", "y"])
    at = conditional("f1 =~ x1 + x2\nf2 =~ x3 + x4\ny ~ f1 + f2 + f1:f2", frame, INTERACTION, points=15)
    assert at.member.shape == (15,)  # one dimension by nodes, the other in closed form
    np.testing.assert_allclose(at.member.values(at.x), interaction(frame, INTERACTION), atol=1e-6)


def test_mixture_of_rasch_models(conditional):
    y = RNG.integers(0, 2, (40, 4)).astype(float)
    frame = pd.DataFrame(y, columns=[f"y{j + 1}" for j in range(4)])
    text = "y{1..4} :: binomial(logit)\nc :: class(2)\nc =~ y{1..4}\nf =~ 1*y{1..4}\nclass: 2\nf ~~ f"
    nu = RNG.normal(size=(2, 4))
    values = {f"y{j + 1}~1@{k + 1}": nu[k, j] for j in range(4) for k in range(2)}
    values |= {"f~~f": 0.8, "f~~f@2": 1.7, "c~1@1": 0.2}
    at = conditional(text, frame, values, points=21)
    u = np.linspace(-9, 9, 1001)
    parts = [
        logsumexp(bernoulli(y[:, None], nu[k] + np.sqrt(v) * u[:, None]) + norm.logpdf(u) + np.log(u[1] - u[0]), axis=1)
        for k, v in ((0, 0.8), (1, 1.7))
    ]
    expected = logsumexp(np.array(parts) + log_softmax([0.2, 0.0])[:, None], axis=0)
    assert at.member.value(at.x) == pytest.approx(expected.sum(), abs=1e-5)  # equal patterns are one unit


def test_known_classes(conditional):
    n = 40
    frame = pd.DataFrame(
        {"y": RNG.normal(size=n), "gold": np.where(RNG.random(n) < 0.5, RNG.integers(0, 2, n), np.nan)}
    )
    values = {"y~1@1": -0.5, "y~1@2": 0.8, "y~~y": 0.7, "c~1@1": -0.4}
    at = conditional("c :: class(2, observed=gold)\ny ~ c", frame, values)
    parts = np.array([norm.logpdf(frame.y, m, np.sqrt(0.7)) for m in (-0.5, 0.8)]) + log_softmax([-0.4, 0.0])[:, None]
    known = frame.gold.to_numpy()
    expected = np.where(known == 0, parts[0], np.where(known == 1, parts[1], logsumexp(parts, axis=0)))
    np.testing.assert_allclose(at.member.values(at.x), expected, rtol=1e-12)
    p = at.member.posterior(at.x).classes["c"]
    np.testing.assert_allclose(p[known == 0], [[1.0, 0.0]] * int((known == 0).sum()))


def test_mass_points_have_mean_zero(conditional):
    frame = pd.DataFrame({"y": RNG.poisson(2.0, 50).astype(float)})
    values = {"y~1": 0.4, "u~1@1": -0.8, "u~1@2": 0.3, "mass(u)~1@1": 0.5, "mass(u)~1@2": -0.2}
    at = conditional("y :: poisson(log)\nu :: masspoints(3)\ny ~ 1 + u", frame, values)
    log_p = log_softmax([0.5, -0.2, 0.0])
    e = np.array([-0.8, 0.3, 0.0])
    e[2] = -(np.exp(log_p[:2]) @ e[:2]) / np.exp(log_p[2])
    parts = poisson.logpmf(frame.y.to_numpy(), np.exp(0.4 + e)[:, None]) + log_p[:, None]
    np.testing.assert_allclose(at.member.values(at.x)[at.member.merged], logsumexp(parts, axis=0) *
                               at.member.multiplicity[at.member.merged], rtol=1e-12)  # fmt: skip


def test_class_probabilities_and_sizes(conditional):
    y = RNG.integers(0, 2, (300, 3)).astype(float)
    frame = pd.DataFrame(y, columns=["y1", "y2", "y3"])
    nu = np.array([[1.0, 0.5, 2.0], [-1.0, 0.0, -0.5]])
    values = {f"y{j + 1}~1@{k + 1}": nu[k, j] for j in range(3) for k in range(2)} | {"c~1@1": 0.3}
    at = conditional("y{1..3} :: binomial(logit)\nc :: class(2)\nc =~ y{1..3}", frame, values)
    assert at.member.design.n_rows <= 8  # equal patterns are one unit
    joint = np.array([bernoulli(y, nu[k]) for k in range(2)]) + log_softmax([0.3, 0.0])[:, None]
    p = np.exp(joint - logsumexp(joint, axis=0)).T
    np.testing.assert_allclose(at.member.posterior(at.x).classes["c"], p, atol=1e-12)
    np.testing.assert_allclose(at.member.state_sizes(at.x)["c"][0], p.mean(axis=0), rtol=1e-10)
    assert at.member.used == 300
    assert expit(0.3) == pytest.approx(np.exp(log_softmax([0.3, 0.0])[0]))


def test_a_factor_that_is_known_for_some(conditional):
    """Where it is known a row is jointly normal with the value; elsewhere the value is integrated out."""
    n = 40
    f = RNG.normal(size=n)
    frame = pd.DataFrame({"y1": f + RNG.normal(size=n), "y2": RNG.normal(size=n), "x": RNG.normal(size=n)})
    frame["gold"] = np.where(RNG.random(n) < 0.4, f, np.nan)
    text = "f :: normal(observed=gold)\nf =~ y1 + y2\nf ~ x"
    values = {
        "f=~y1": 0.7, "f=~y2": 0.4, "f~x": 0.5, "f~1": 0.2, "f~~f": 0.9, "y1~~y1": 0.6, "y2~~y2": 1.1, "y1~1": 0.1,
        "y2~1": -0.2,
    }  # fmt: skip
    at = conditional(text, frame, values)
    load, one = np.array([0.7, 0.4]), np.array([0.1, -0.2])
    S = np.empty((3, 3))
    S[:2, :2] = 0.9 * np.outer(load, load) + np.diag([0.6, 1.1])
    S[2, :2] = S[:2, 2] = 0.9 * load
    S[2, 2] = 0.9
    total = 0.0
    for row in frame.itertuples():
        m = 0.2 + 0.5 * row.x
        mean = np.r_[one + load * m, m]
        seen = [0, 1, 2] if row.gold == row.gold else [0, 1]
        y = np.array([row.y1, row.y2, row.gold])[seen]
        total += multivariate_normal(mean[seen], S[np.ix_(seen, seen)]).logpdf(y)
    assert at.objective.value(at.z) == pytest.approx(total, rel=1e-10)
    assert at.member.used == n
    assert len(at.member.records) == n
