"""Tests of item response results, beside mirt and ltm and by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import semlang as sl

from .conftest import ROOT

LSAT7 = (
    12,
    19,
    1,
    7,
    3,
    19,
    3,
    17,
    10,
    5,
    3,
    7,
    7,
    23,
    8,
    28,
    7,
    39,
    11,
    34,
    14,
    51,
    15,
    90,
    6,
    25,
    7,
    35,
    18,
    136,
    32,
    308,
)
"""Frequencies of the patterns 00000, 00001, ..., 11111 of section 7 (Bock and Lieberman 1970, Psychometrika 35)."""


def two_parameters(items: list[str]) -> str:
    kinds = "".join(f"{i} :: binomial(logit)\n" for i in items)
    return f"options: std.lv = true\n{kinds}f =~ {' + '.join(items)}\n"


@pytest.fixture(scope="module")
def lsat7() -> sl.Fit:
    names = [f"i{k}" for k in range(1, 6)]
    frame = pd.DataFrame(list(product([0, 1], repeat=5)), columns=names).assign(n=LSAT7)
    return sl.Model("frequency: n\n" + two_parameters(names)).fit(frame, threads=1)


def test_m2_and_s_x2(lsat7: sl.Fit) -> None:
    """mirt, its own tests (tests/test-01-mirtOne.R of github philchalmers/mirt at 093e47a, read 2026-11-28)."""
    m2, items = lsat7.m2().iloc[0], lsat7.item_fit()
    assert m2["m2"] == pytest.approx(11.93841, abs=1e-2)
    assert m2["df"] == 5
    assert m2["n"] == 1000
    assert items["s.x2"].to_numpy() == pytest.approx([4.749440, 14.451071, 1.270381, 5.237400, 0.941125], abs=1e-2)
    assert items["df"].to_list() == [2, 2, 2, 2, 2]


def test_local_dependence(lsat7: sl.Fit) -> None:
    """mirt's residuals (the same tests) are signed X2 of pairs; its cells are compared with the same expectations."""
    found = lsat7.local_dependence().set_index(["item1", "item2"])["x2"]
    given = {("i1", "i2"): 0.45, ("i1", "i3"): 0.855, ("i1", "i4"): 2.58, ("i1", "i5"): 2.396, ("i2", "i4"): 0.265}
    for pair, value in given.items():
        assert found[pair] == pytest.approx(value, abs=0.02)


def test_maximum_likelihood_scores_of_mirt(lsat7: sl.Fit) -> None:
    """mirt's posterior modes of six patterns (the same tests)."""
    found = lsat7.scores(method="mode")["rows"]["f"].to_numpy()[[0, 1, 2, 3, 4, 5]]
    given = [-1.8165552, -1.4946906, -1.4822982, -1.1789899, -1.0958928, -0.7951026]
    assert found == pytest.approx(given, abs=1e-2)


def test_slopes_and_difficulties() -> None:
    """ltm 1.2-0 on section 6: coef(ltm(LSAT ~ z1)), four decimals."""
    found = sl.read_model(ROOT / "examples" / "lsat" / "model.sem").fit(threads=1).difficulties()
    slopes = found[found.parameter == "slope"]["est"].to_numpy()
    difficulties = found[found.parameter == "difficulty"]["est"].to_numpy()
    assert slopes == pytest.approx([0.8254, 0.7229, 0.8905, 0.6886, 0.6575], abs=2e-3)
    assert difficulties == pytest.approx([-3.3597, -1.3696, -0.2799, -1.8659, -3.1236], abs=5e-3)
    assert (found["se"] > 0).all()


def test_difficulties_do_not_depend_on_the_scale_of_the_latent_variable() -> None:
    frame = pd.read_csv(ROOT / "examples" / "lsat" / "lsat6.csv")
    items = [f"item{k}" for k in range(1, 6)]
    marker = two_parameters(items).replace("options: std.lv = true\n", "")
    a, b = (sl.Model(t).fit(frame, threads=1, points=15).difficulties() for t in (two_parameters(items), marker))
    assert a["est"].to_numpy() == pytest.approx(b["est"].to_numpy(), rel=1e-3)
    assert a["se"].to_numpy() == pytest.approx(b["se"].to_numpy(), rel=1e-2)


def test_curves_and_information(lsat7: sl.Fit) -> None:
    """P at the difficulty is one half; information is a^2 P (1 - P); the sum is the test's."""
    found = lsat7.difficulties().set_index(["item", "parameter"])["est"]
    b, a = found["i2", "difficulty"], found["i2", "slope"]
    curve = lsat7.curves("i2", at=[b, b + 1.0])
    assert curve.loc[b, "1"] == pytest.approx(0.5)
    p = curve["1"].to_numpy()
    information = lsat7.information(at=[b, b + 1.0])
    assert information["i2"].to_numpy() == pytest.approx(a**2 * p * (1 - p), rel=1e-6)
    assert information["test"].to_numpy() == pytest.approx(
        information[["i1", "i2", "i3", "i4", "i5"]].sum(axis=1).to_numpy()
    )
    assert lsat7.information("i2", at=[b])["se"].item() == pytest.approx(2 / a)


def test_graded_items() -> None:
    """Probabilities of categories add up to one, cross at the steps, and give the sum scores their distribution."""
    rng = np.random.default_rng(6)
    f = rng.normal(size=700)
    frame = pd.DataFrame(
        {f"i{k}": np.digitize(1.4 * f + rng.logistic(size=700) + 0.3 * k, [-1.5, 0.5, 2.0]) + 1 for k in range(5)}
    )
    kinds = "".join(f"i{k} :: ordinal(logit)\n" for k in range(5))
    fit = sl.Model(f"options: std.lv = true\n{kinds}f =~ i{{0..4}}").fit(frame, threads=1)
    curve = fit.curves("i2")
    assert curve.sum(axis=1).to_numpy() == pytest.approx(np.ones(61))
    cuts = fit.difficulties().set_index(["item", "parameter"])["est"]["i2"]
    assert fit.curves("i2", at=[cuts["difficulty 2"]]).iloc[0, 2:].sum() == pytest.approx(0.5)
    m2, items, rows = fit.m2().iloc[0], fit.item_fit(), fit.person_fit()
    assert m2["df"] == 15 + 10 * 9 - 20
    assert m2["p"] > 0.001
    assert (items["p"] > 0.0005).all()
    assert items[["infit", "outfit"]].to_numpy() == pytest.approx(1.0, abs=0.15)
    total = frame.sum(axis=1).to_numpy()
    middle = np.flatnonzero(total == 12)
    spread = frame.iloc[middle].std(axis=1).to_numpy()
    # Among rows with one sum, those of mixed extreme answers are the strange ones.
    assert np.corrcoef(rows["lz"].to_numpy()[middle], spread)[0, 1] < -0.5
    assert fit.local_dependence()["q3"].abs().max() < 0.35


def test_misfit_is_seen() -> None:
    """Two items that share more than the factor: M2, Q3 and the modification index of their covariance say so."""
    rng = np.random.default_rng(7)
    f, u = rng.normal(size=(2, 1500))
    logits = 1.3 * f[:, None] + np.column_stack([2.0 * u, 2.0 * u, *(0 * u for _ in range(10))])
    names = [f"i{k}" for k in range(12)]
    frame = pd.DataFrame((rng.random((1500, 12)) < 1 / (1 + np.exp(-logits))).astype(int), columns=names)
    fit = sl.Model(two_parameters(names)).fit(frame, threads=1)
    assert fit.m2()["p"].item() < 1e-6
    worst = fit.local_dependence().iloc[0]
    assert {worst["item1"], worst["item2"]} == {"i0", "i1"}


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda fit: fit.m2(), "not-for-this-model"),
        (lambda fit: fit.item_fit(), "not-for-this-model"),
        (lambda fit: fit.difficulties(), "not-for-this-model"),
        (lambda fit: fit.curves("x10"), "not-a-response"),
        (lambda fit: fit.curves("x1", latent="verbal"), "not-a-latent"),
    ],
)
def test_wrong_models(call: object, slug: str, fits: dict[str, sl.Fit]) -> None:
    with pytest.raises(sl.FitError) as problem:
        call(fits["complete"])
    assert [d.slug for d in problem.value.diagnostics] == [slug]


@pytest.mark.parametrize(
    ("name", "words"), [("X2", "did you mean 'x2'?"), ("sum score", "it has x1, x2, x3, x4, x5, x6, x7, x8")]
)
def test_names_of_responses_are_suggested(name: str, words: str, fits: dict[str, sl.Fit]) -> None:
    with pytest.raises(sl.FitError) as problem:
        fits["complete"].curves(name)
    assert problem.value.diagnostics[0].help == (words,)


@pytest.mark.slow
def test_p_values_are_uniform() -> None:
    """Kolmogorov-Smirnov over 500 data sets: M2, S-X2 of three items, the score test of a slope in a Rasch model."""
    names = [f"i{k}" for k in range(8)]
    easy = {f"{i} ~1": 0.2 * k * (-1) ** k for k, i in enumerate(names)}
    text = two_parameters(names).replace("+ i", "+ start(1)*i").replace("=~ i0", "=~ start(1)*i0")
    free = sl.Model(text)
    equal = sl.Model(two_parameters(names).replace("+ i", "+ a*i").replace("=~ i0", "=~ a*i0"))
    p: dict[str, list[float]] = {"m2": [], "s0": [], "s3": [], "s7": [], "score": [], "rasch m2": []}
    for seed in range(500):
        frame = free.simulate(easy, n=700, seed=seed)
        fit, rasch = (m.fit(frame, threads=1, points=11, se=se) for m, se in ((free, "none"), (equal, "observed")))
        p["m2"].append(fit.m2()["p"].item())
        items = fit.item_fit()["p"]
        for k in (0, 3, 7):
            p[f"s{k}"].append(items[k])
        p["score"].append(rasch.score_test("f =~ i2")["p"].item())
        p["rasch m2"].append(rasch.m2()["p"].item())
    for name, values in p.items():
        assert kstest(values, "uniform").pvalue > 0.001, name
