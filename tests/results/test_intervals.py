"""Tests of confidence intervals and the bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq, minimize_scalar

import semlang as sl
from semlang.results.profile import Profile

from .conftest import ROOT

SLEEP = ROOT / "examples" / "sleepstudy" / "sleepstudy.csv"


@pytest.fixture(scope="module")
def regression() -> sl.Fit:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=40)})
    frame["y"] = 0.5 * frame.x + rng.normal(size=40)
    return sl.Model("y ~ b*x\nbb := 2*b").fit(frame, threads=1)


def test_wald(regression: sl.Fit) -> None:
    found, p = regression.confint().set_index("name"), regression.params.set_index("name")
    for name in ("b", "y ~~ y", "bb"):
        half = 1.959963985 * p.loc[name, "se"]
        assert found.loc[name, ["lower", "upper"]].tolist() == pytest.approx(
            [p.loc[name, "est"] - half, p.loc[name, "est"] + half]
        )


def test_profile_of_a_regression(regression: sl.Fit) -> None:
    """The profile of a slope is -n/2 log(RSS), that of a variance -n/2 (log v + s/v): both ends in closed form."""
    found = regression.confint("profile").set_index("name")
    frame = regression.origin.recipe.frame
    n, critical = 40, 3.841458821
    X = np.column_stack([np.ones(n), frame.x])
    beta, (rss,), *_ = np.linalg.lstsq(X, frame.y.to_numpy(), rcond=None)
    half = np.sqrt(rss * (np.exp(critical / n) - 1) / ((frame.x - frame.x.mean()) ** 2).sum())
    assert found.loc["b", ["lower", "upper"]].tolist() == pytest.approx([beta[1] - half, beta[1] + half], abs=2e-4)
    v = rss / n

    def fall(x: float) -> float:
        return float(n * (np.log(x / v) + v / x - 1) - critical)

    ends = [brentq(fall, 0.1 * v, v), brentq(fall, v, 10 * v)]
    assert found.loc["y ~~ y", ["lower", "upper"]].tolist() == pytest.approx(ends, abs=2e-4)


def test_profile_of_a_standard_deviation() -> None:
    """lme4 1.1.31: confint of lmer(Reaction ~ Days + (1 | Subject), REML = FALSE), 2.5 and 97.5 %, 2026-11-28."""
    fit = sl.Model("Reaction ~ Days + (1 | Subject)").fit(SLEEP, threads=1)
    found = fit.confint("profile", parameters=["Reaction ~ Days", "Reaction.1[Subject] ~~ Reaction.1[Subject]"])
    days, between = found[["lower", "upper"]].to_numpy()
    assert days == pytest.approx([8.88655096, 12.0480210], abs=1e-3)
    assert np.sqrt(between) == pytest.approx([26.00712, 52.93598], abs=1e-2)


def test_bootstrap(regression: sl.Fit) -> None:
    """The spread of the estimates is the standard error; the same seed gives the same replicates."""
    for parametric in (True, False):
        found = regression.bootstrap(200, seed=3, parametric=parametric, processes=1)
        assert list(found.columns) == ["b", "y ~~ y", "y ~1", "bb", "loglik"]
        se = regression.params.set_index("name").loc["b", "se"]
        assert found["b"].std() == pytest.approx(se, rel=0.25)
        assert found["bb"].to_numpy() == pytest.approx(2 * found["b"].to_numpy())
    again = regression.bootstrap(20, seed=3, parametric=False, processes=1)
    pd.testing.assert_frame_equal(again, found.iloc[:20])
    interval = regression.confint("bootstrap", n=200, seed=3, parametric=False, processes=1).set_index("name")
    assert interval.loc["b", "lower"] == pytest.approx(np.quantile(found["b"], 0.025))


def test_wrong_names(regression: sl.Fit) -> None:
    with pytest.raises(sl.FitError, match="no free parameter has the name") as problem:
        regression.confint(parameters=["y ~ x2", "bc"])
    assert problem.value.diagnostics[0].slug == "unknown-label"


def test_profile_of_a_variance_that_may_be_zero() -> None:
    """One-way layout: the log-likelihood of both variances in closed form, maximised over the other one by scipy."""
    rng = np.random.default_rng(5)
    groups, size = 12, 5
    y = 1000.0 * (0.15 * rng.normal(size=(groups, 1)) + rng.normal(size=(groups, size)))
    within, between = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum(), size * y.mean(axis=1).var() * groups

    def deviance(u: float, e: float) -> float:
        both = e + size * u
        return float(groups * ((size - 1) * np.log(e) + np.log(both)) + within / e + between / both)

    def least(u: float) -> float:
        return float(minimize_scalar(lambda t: deviance(u, np.exp(t)), bounds=(10, 18), method="bounded").fun)

    e = within / (groups * (size - 1))
    u = (between / groups - e) / size
    assert u > 0
    assert least(0.0) - deviance(u, e) < 3.841458821  # zero is inside
    end = brentq(lambda v: least(v) - deviance(u, e) - 3.841458821, u, 50 * u)
    frame = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(groups), size)})
    found = sl.Model("y ~ (1 | g)").fit(frame, threads=1).confint("profile", parameters=["y.1[g] ~~ y.1[g]"]).iloc[0]
    assert 0.0 <= found["lower"] < 1e-5 * u
    # the search ends at 1e-4 of the root of the deviance, which is 1.96 at the end
    assert found["upper"] == pytest.approx(end, rel=1e-3)


def test_profile_near_the_maximum(regression: sl.Fit) -> None:
    """2 (l_max - l(b)) = n log(1 + (b - best)^2 Sxx / RSS), from far less than 0.1 on."""
    frame = regression.origin.recipe.frame
    x = frame.x - frame.x.mean()
    best = (x @ frame.y) / (x @ x)
    rss = ((frame.y - frame.y.mean() - best * x) ** 2).sum()
    away = np.array([-0.3, -0.05, 0.0, 0.02, 0.2])
    expected = 40 * np.log1p(away**2 * (x @ x) / rss)
    assert expected[1] < 0.2
    k = regression.parameter_names.index("b")
    # 1e-6: the noise of two log-likelihoods whose searches end at 1e-8 or so
    assert Profile(regression, k).curve(best + away) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "words"), [("y ~~ x", "did you mean 'y ~~ y'"), ("quite another", "names are like 'b'")]
)
def test_names_are_suggested(regression: sl.Fit, name: str, words: str) -> None:
    with pytest.raises(sl.FitError) as problem:
        regression.confint(parameters=[name])
    assert words in problem.value.diagnostics[0].help[0]


def test_progress_is_told_to_those_who_ask(regression: sl.Fit, capsys: pytest.CaptureFixture[str]) -> None:
    regression.confint("profile", parameters=["b"])
    assert capsys.readouterr() == ("", "")
    regression.confint("profile", parameters=["b"], progress=True)
    assert "profile 1 of 1: b" in capsys.readouterr().err
