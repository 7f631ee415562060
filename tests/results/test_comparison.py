"""Tests of one fit against another: the reference distribution follows from the relation of the models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import semlang as sl

# p values of 1e-20 are compared, too: the absolute tolerance is 0

EXAMPLES = Path(__file__).parents[2] / "examples"
SLEEP = EXAMPLES / "sleepstudy" / "sleepstudy.csv"
HS = EXAMPLES / "holzinger-swineford" / "holzinger-swineford.csv"
CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\n"


def fitted(text: str, data: Path | pd.DataFrame, **options: object) -> sl.Fit:
    return sl.Model(text).fit(data, threads=1, **options)


def test_nested_models_have_a_chi_squared_test() -> None:
    a = fitted(CFA + "visual ~~ 0*textual\n", HS)
    b = fitted(CFA, HS)

    answer = sl.compare(a, b)

    assert answer.relation == "a nested in b"
    assert answer.test == "likelihood ratio"
    assert answer.statistic == pytest.approx(2 * (b.loglik - a.loglik))
    assert answer.p == pytest.approx(stats.chi2.sf(answer.statistic, 1), rel=1e-9, abs=0)


def test_a_variance_at_the_boundary_halves_the_tail() -> None:
    a = fitted("Reaction ~ Days\n", SLEEP)
    b = fitted("Reaction ~ Days + (1 | Subject)\n", SLEEP)

    answer = sl.compare(a, b)

    assert answer.test == "likelihood ratio, boundary"
    assert answer.p == pytest.approx(0.5 * stats.chi2.sf(answer.statistic, 1), rel=1e-9, abs=0)


def test_a_slope_and_its_covariance_give_a_mixture() -> None:
    """Stram and Lee: from one to two correlated effects the reference is 0.5 chi2(1) + 0.5 chi2(2)."""
    a = fitted("Reaction ~ Days + (1 | Subject)\n", SLEEP)
    b = fitted("Reaction ~ Days + (1 + Days | Subject)\n", SLEEP)

    answer = sl.compare(a, b)

    assert answer.statistic == pytest.approx(2 * (b.loglik - a.loglik))
    assert answer.p == pytest.approx(
        0.5 * stats.chi2.sf(answer.statistic, 1) + 0.5 * stats.chi2.sf(answer.statistic, 2), rel=1e-9, abs=0
    )


def test_two_variances_at_the_boundary_have_an_upper_bound_of_p() -> None:
    """With both at zero the reference is a mixture of three chi-squared distributions, with one of the last two."""
    a = fitted("Reaction ~ Days\n", SLEEP)
    b = fitted("Reaction ~ Days + (1 + Days || Subject)\n", SLEEP)

    answer = sl.compare(a, b)

    assert answer.p == pytest.approx(stats.chi2.sf(answer.statistic, 2), rel=1e-9, abs=0)
    assert answer.reference == "at most chi-squared(2)"
    one = 0.5 * stats.chi2.sf(answer.statistic, 1) + 0.5 * stats.chi2.sf(answer.statistic, 2)
    assert answer.reason.startswith("2 variances are at the boundary")
    assert float(answer.reason.split()[-1].rstrip(".")) == pytest.approx(one, rel=1e-3, abs=0)


@pytest.mark.parametrize(("bound", "test"), [("", "likelihood ratio"), ("lower(0)*", "likelihood ratio, boundary")])
def test_a_variance_that_may_be_negative_is_no_boundary(bound: str, test: str) -> None:
    """As in lavaan, variances of one-level models may be below zero, unless the text bounds them."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(200, 1)) + rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    text = "f =~ 1*a + 1*b + 1*c\nf ~~ {}f\na ~~ v*a\nb ~~ v*b\nc ~~ v*c"
    small, large = (sl.Model(text.format(t)).fit(frame, threads=1) for t in ("0*", bound))
    answer = sl.compare(small, large)
    assert answer.test == test
    tail = stats.chi2.sf(answer.statistic, 1)
    assert answer.p == pytest.approx(tail if not bound else 0.5 * tail, rel=1e-9, abs=0)


def test_models_that_are_not_nested_are_compared_by_vuong() -> None:
    frame = pd.read_csv(HS)
    a = fitted("x1 ~ x2\n", frame)
    b = fitted("x1 ~ x3\n", frame)

    answer = sl.compare(a, b)

    def density(fit: sl.Fit, column: str) -> np.ndarray:
        est = {(p["lhs"], p["op"], p["rhs"]): p["est"] for p in fit.parameters}
        mean = est["x1", "~1", ""] + est["x1", "~", column] * frame[column]
        return stats.norm.logpdf(frame["x1"], mean, np.sqrt(est["x1", "~~", "x1"]))

    difference = density(a, "x2") - density(b, "x3")
    assert answer.relation == "neither"
    assert answer.test == "Vuong"
    assert answer.statistic == pytest.approx(difference.sum() / (np.sqrt(len(frame)) * difference.std()), rel=1e-6)


def test_different_data_are_refused() -> None:
    frame = pd.read_csv(SLEEP)
    a = fitted("Reaction ~ Days\n", frame)
    b = fitted("Reaction ~ Days + (1 | Subject)\n", frame.iloc[:-10])

    answer = sl.compare(a, b)

    assert answer.test == ""
    assert "different data" in answer.reason


def test_equivalent_models_are_refused() -> None:
    a = fitted("options: std.lv = true\nvisual =~ x1 + x2 + x3\n", HS)
    b = fitted("visual =~ x1 + x2 + x3\n", HS)

    answer = sl.compare(a, b)

    assert (answer.relation, answer.test) == ("equivalent", "")
    assert a.loglik == pytest.approx(b.loglik, abs=1e-6)


@pytest.mark.parametrize("text", ["y :: binomial(logit)\ny ~ x + (1 | g)\n", "y ~ x + (1 | g)\n"])
def test_unit_logliks_sum_to_the_loglik(text: str) -> None:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(40), 6)
    x = rng.normal(size=g.size)
    y = rng.binomial(1, 1 / (1 + np.exp(-x - rng.normal(size=40)[g])))

    fit = fitted(text, pd.DataFrame({"y": y, "x": x, "g": g}), points=7)

    assert fit.unit_logliks is not None
    assert fit.unit_logliks.shape == (40,)
    assert fit.unit_logliks.sum() == pytest.approx(fit.loglik, abs=1e-6)


def test_other_data_of_equal_size_have_no_test() -> None:
    data = pd.read_csv(HS)
    other = data.copy()
    other["x1"] = other["x1"] + np.random.default_rng(1).normal(size=len(other))
    a, b = fitted(CFA + "visual ~~ 0*textual\n", data), fitted(CFA, other)

    answer = sl.compare(a, b)

    assert (answer.test, answer.statistic, answer.p) == ("", None, None)
    assert "different data (the values of 'x1' differ)" in answer.reason


def test_order_of_rows_is_no_difference() -> None:
    data = pd.read_csv(HS)
    a, b = fitted(CFA + "visual ~~ 0*textual\n", data), fitted(CFA, data.sample(frac=1, random_state=2))

    assert sl.compare(a, b).test == "likelihood ratio"


def test_a_larger_model_with_a_lower_log_likelihood_is_said_to_be_no_maximum() -> None:
    a, b = fitted(CFA + "visual ~~ 0*textual\n", HS), fitted(CFA, HS)
    worse = replace(b, estimate=replace(b.estimate, loglik=a.loglik - 1.0))

    answer = sl.compare(a, worse)

    assert answer.p is None
    assert "the larger model has the lower log-likelihood" in answer.reason


@pytest.mark.parametrize(("below", "test"), [(0.0004, "likelihood ratio"), (0.0006, "")])
def test_log_likelihoods_are_compared_up_to_their_noise(below: float, test: str) -> None:
    """0.001 in twice the log-likelihood may be noise, and no more: then the statistic is 0 and p 1."""
    a, b = fitted(CFA + "visual ~~ 0*textual\n", HS), fitted(CFA, HS)
    answer = sl.compare(a, replace(b, estimate=replace(b.estimate, loglik=a.loglik - below)))
    assert (answer.test, answer.statistic, answer.p) == ((test, 0.0, 1.0) if test else (test, None, None))


def test_models_that_say_the_same_of_every_unit_have_no_test() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(60, 2)), columns=["y", "x"])
    frame["z"] = 2.0 * frame["x"] + 1.0
    answer = sl.compare(fitted("y ~ x", frame), fitted("y ~ z", frame))
    assert (answer.relation, answer.test) == ("neither", "")
    assert answer.reason == "No test: the fits give every unit the same log-likelihood."


@pytest.mark.parametrize(("effects", "words"), [((1.0, 0.0), "a."), ((0.0, 1.0), "b."), ((0.5, 0.5), "")])
def test_vuong_says_which_model_is_closer(effects: tuple[float, float], words: str) -> None:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(rng.normal(size=(200, 2)), columns=["x", "z"])
    frame["y"] = frame[["x", "z"]].to_numpy() @ effects + rng.normal(size=200)
    answer = sl.compare(fitted("y ~ x", frame), fitted("y ~ z", frame))
    assert answer.p == pytest.approx(2 * stats.norm.sf(abs(answer.statistic)), rel=1e-9, abs=0)
    assert (answer.p < 0.05) == bool(words)
    assert answer.reason == (f"The closer model is {words}" if words else "Neither is closer at the 5 % level.")
