"""Probabilities of 0 in a class: every way to write the same probabilities has the same maximum, on the border."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

N = 400
PROBABILITIES = np.array([
    [[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.3, 0.7, 0.0]],
    [[0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.2, 0.2, 0.6]],
])  # fmt: skip
FREE = "\n".join(f"class: {k}\n" + "\n".join(f"o{j} | t1 + t2" for j in (1, 2, 3)) for k in (1, 2))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Return items of three categories, one of which each class 1 never takes, and a response that tells classes."""
    rng = np.random.default_rng(3)
    c = (rng.random(N) < 0.5).astype(int)
    frame = pd.DataFrame({"g": rng.normal(size=N) + 14.0 * c, "c": c})
    for j in range(3):
        frame[f"o{j + 1}"] = [float(rng.choice(3, p=PROBABILITIES[k, j])) for k in c]
    return frame


def expected(data: pd.DataFrame) -> float:
    """Return the log-likelihood at the maximum: classes are known, so that shares are the estimates."""
    total = 0.0
    spread = (data.g - data.groupby("c").g.transform("mean")).std(ddof=0)
    total -= N * (0.5 * np.log(2 * np.pi) + np.log(spread) + 0.5)
    for _, own in data.groupby("c"):
        total += len(own) * np.log(len(own) / N)
        for j in (1, 2, 3):
            count = own[f"o{j}"].value_counts().to_numpy()
            total += float((count * np.log(count / len(own))).sum())
    return total


@pytest.mark.parametrize(
    "text",
    [
        *(f"o{{1..3}} :: multinomial(base={b})\nc :: class(2)\nc =~ o{{1..3}} + g" for b in (0, 1, 2)),
        *(f"o{{1..3}} :: {kind}\nc :: class(2)\nc =~ g\n{FREE}" for kind in ("adjacent", "sequential", "ordinal")),
    ],
)
def test_any_category_may_have_probability_zero(data: pd.DataFrame, text: str) -> None:
    fit = sl.Model(text).fit(data)
    assert fit.converged
    assert {d.slug for d in fit.diagnostics} >= {"probability-at-limit"}
    assert fit.loglik == pytest.approx(expected(data), abs=1e-4)  # classes overlap by 1e-12
    p = fit.params
    assert np.isfinite(p.se[np.isfinite(p.est) & ~p.lhs.str.startswith("o")]).all()


def test_a_transition_that_does_not_happen() -> None:
    """Nobody goes from the first class to the last, which is the class of reference."""
    rng = np.random.default_rng(8)
    chances = np.array([[0.7, 0.3, 0.0], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]])
    k = rng.choice(3, size=500, p=[0.5, 0.3, 0.2])
    m = np.array([rng.choice(3, p=chances[i]) for i in k])
    data = pd.DataFrame({"a": rng.normal(size=500) + 20.0 * k, "b": rng.normal(size=500) + 20.0 * m})
    text = "options: starts = 1\nc + e :: class(3)\nc =~ a\ne =~ b\ne ~ c\n" + "\n".join(
        f"class {v}: {i + 1}\n{y} ~ start({20 * i})*1" for v, y in (("c", "a"), ("e", "b")) for i in range(3)
    )
    fit = sl.Model(text).fit(data)
    assert fit.converged
    table = pd.crosstab(k, m).to_numpy()
    p = fit.params
    logits = [[float(p[(p.lhs == f"e@{j}") & (p["class"] == i)].est.iloc[0]) for j in (1, 2)] for i in (1, 2, 3)]
    assert logits[0] == [np.inf, np.inf]
    for i in (1, 2):
        np.testing.assert_allclose(logits[i], np.log(table[i, :2] / table[i, 2]), atol=1e-5)


def test_a_mass_point_at_infinity() -> None:
    """Mass points and a class variable are the same model, whether or not the mean of the points is 0."""
    rng = np.random.default_rng(5)
    u = np.where(rng.random(80) < 0.3, -40.0, rng.normal(size=80))
    data = pd.DataFrame({"id": np.repeat(np.arange(80), 6)})
    data["y"] = (rng.random(480) < 1.0 / (1.0 + np.exp(-u[data.id]))).astype(float)
    fits = [
        sl.Model(f"y :: binomial(logit)\nu[id] :: {kind}\ny ~ {rest}").fit(data)
        for kind, rest in (("masspoints(3)", "1 + u"), ("masspoints(3)", "0 + u"), ("class(3)", "u"))
    ]
    for fit in fits:
        assert fit.converged
        assert "probability-at-limit" in {d.slug for d in fit.diagnostics}
        assert fit.loglik == pytest.approx(fits[-1].loglik, abs=1e-5)


def test_limits_are_named_by_the_numbers_that_classes_end_with() -> None:
    """Classes are numbered by size when the fit is there; what was found before says the same numbers."""
    rng = np.random.default_rng(3)
    told = []
    for _ in range(6):
        one = rng.random(1500) < 0.4
        p = np.where(one[:, None], [0.85, 0.8, 0.75, 0.95], [0.2, 0.15, 0.1, 0.0])
        data = pd.DataFrame((rng.random(p.shape) < p) * 1, columns=["y1", "y2", "y3", "y4"])
        fit = sl.Model("y{1..4} :: binomial(logit)\nc :: class(2)\nc =~ y{1..4}").fit(data, threads=1)
        said = [d.message for d in fit.diagnostics if d.slug == "probability-at-limit"]
        infinite = fit.params[np.isinf(fit.params.est)]
        assert len(said) == len(infinite)
        if said:
            larger = int(np.argmax(fit.estimate.class_sizes["c"])) + 1  # the one without the fourth response
            assert f"in class {larger} of" in said[0]
            told.append(larger)
    assert told
