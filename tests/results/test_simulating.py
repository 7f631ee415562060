"""Tests of simulation from a text and of Monte Carlo studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import semlang as sl
from semlang.results.ended import ended
from semlang.results.simulate import told

TWO_LEVEL = """i{1..4} :: binomial(logit)
f =~ 1*i1 + start(0.8)*i2 + start(1.2)*i3 + start(1)*i4
f ~ start(0.5)*x + (1 | school)
"""


def test_values_come_from_the_text_and_from_the_call() -> None:
    model = sl.Model("y ~ start(2)*x + b*z\ny ~~ start(0.25)*y")
    frame = model.simulate({"b": -1.0}, n=4000, seed=1)
    X = np.column_stack([np.ones(4000), frame.x, frame.z])
    estimate, rest, *_ = np.linalg.lstsq(X, frame.y.to_numpy(), rcond=None)
    assert estimate == pytest.approx([0.0, 2.0, -1.0], abs=4 * 0.5 / np.sqrt(4000))
    assert rest[0] / 4000 == pytest.approx(0.25, rel=0.1)


def test_sizes_of_levels_and_covariates_of_clusters() -> None:
    frame = sl.Model(TWO_LEVEL).simulate(n="30x7", seed=1)
    assert frame.groupby("school").size().tolist() == [7] * 30
    assert set(frame["i2"]) == {0, 1}
    text = "y ~ start(1)*x + (1 | g)\ny.1[g] ~ start(1)*w"
    assert sl.Model(text).simulate(n=(10, 3), seed=1).groupby("g")["w"].nunique().max() == 1


def test_given_data_keep_their_covariates() -> None:
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "arm": ["a", "b", "a", "b"]})
    frame = sl.Model("y ~ start(1)*x + start(5)*factor(arm)").simulate({"y ~ arm=b": 5.0}, data=data, seed=2)
    assert frame["x"].tolist() == data["x"].tolist()
    assert frame["arm"].tolist() == data["arm"].tolist()


@pytest.mark.parametrize(
    ("text", "arguments", "slug"),
    [
        ("f =~ x1 + x2", {"n": 10}, "no-value"),
        ("y :: ordinal(logit)\ny ~ start(1)*x", {"n": 10}, "no-value"),
        ("y ~ start(1)*x + (1 | g)", {"n": 10}, "bad-size"),
        ("y ~ start(1)*x", {"n": "many"}, "bad-size"),
        ("y ~ start(1)*x", {}, "bad-size"),
        ("y ~ start(1)*factor(g)", {"n": 10}, "missing-column"),
        ("y ~ start(1)*x", {"n": 10, "values": {"c": 1.0}}, "unknown-start"),
    ],
)
def test_what_can_not_be_drawn(text: str, arguments: dict[str, Any], slug: str) -> None:
    with pytest.raises(sl.SemlangError) as problem:
        sl.Model(text).simulate(**arguments)
    assert [d.slug for d in problem.value.diagnostics] == [slug]


def test_power_of_a_regression(tmp_path: Path) -> None:
    """The Wald test of a slope 0.3 with residual variance 1 and 100 rows has power P(|z + 3| > 1.96), to order 1/n."""
    file = tmp_path / "runs.jsonl"
    model = sl.Model("y ~ b*x\nbb := 2*b")
    found = model.power({"b": 0.3}, n=100, replications=300, seed=3, file=file, processes=1).set_index("name")
    expected = 1 - norm.cdf(1.96 - 3.0) + norm.cdf(-1.96 - 3.0)
    error = np.sqrt(expected * (1 - expected) / 300)
    assert found.loc["b", "power"] == pytest.approx(expected, abs=4 * error)
    assert found.loc["b", "coverage"] == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / 300))
    assert abs(found.loc["b", "bias"]) < 4 * found.loc["b", "sd"] / np.sqrt(300)
    assert found.loc["bb", "value"] == pytest.approx(0.6)

    # A run that was stopped goes on: the lines that are there are not computed again.
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:290]) + lines[290][:30], encoding="utf-8")
    again = model.power({"b": 0.3}, n=100, replications=300, seed=3, file=file, processes=1).set_index("name")
    pd.testing.assert_frame_equal(again, found)
    with pytest.raises(sl.FitError) as problem:
        model.power({"b": 0.2}, n=100, replications=10, seed=3, file=file)
    assert [d.slug for d in problem.value.diagnostics] == ["other-run"]


@pytest.mark.slow
def test_coverage_of_a_two_level_item_response_model() -> None:
    """200 data sets of 40 schools: the intervals of all parameters have their coverage, within four binomial errors."""
    found = sl.Model(TWO_LEVEL).power(n="40x15", replications=200, seed=5, points=7)
    assert found["replications"].min() >= 195
    assert found["coverage"].to_numpy() == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / 200))


def test_how_many_parameters_have_no_value() -> None:
    for text, words in (
        ("y ~ b*x", "'b' has no value"),
        ("y ~ x + z", "'y ~ x' has no value, nor has 1 other parameter"),
        ("y ~ x + z + w", "'y ~ x' has no value, nor have 2 other parameters"),
    ):
        with pytest.raises(sl.SemlangError) as problem:
            sl.Model(text).simulate(n=5)
        assert problem.value.diagnostics[0].message == words


def test_a_class_that_is_known_for_some_is_drawn() -> None:
    """The known column holds the class drawn, from 1, where it was known; the responses follow it."""
    n = 2000
    data = pd.DataFrame({"y": 0.0, "gold": np.where(np.arange(n) % 4 == 0, 1.0, np.nan)})
    text = "c :: class(2, observed=gold)\ny ~ start(0)*1 + start(5)*c@2\nc@1 ~ start(-1)*1\ny ~~ start(0.01)*y"
    frame = sl.Model(text).simulate(data=data, seed=3)
    known = frame["gold"].notna()
    assert known.tolist() == (np.arange(n) % 4 == 0).tolist()
    assert set(frame.loc[known, "gold"]) == {1.0, 2.0}
    assert (frame.loc[known, "y"] > 2.5).tolist() == (frame.loc[known, "gold"] == 2.0).tolist()
    share = 1 / (1 + np.exp(-1.0))  # of class 2, the last
    assert (frame["y"] > 2.5).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_responses_of_given_data_are_not_read() -> None:
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [np.nan, 5.0, np.nan, np.nan]})
    assert sl.Model("y ~ start(1)*x").simulate(data=data, seed=2)["y"].notna().all()


def test_a_response_of_clusters_has_one_value_in_each_beside_classes_of_rows() -> None:
    text = "cluster: g\nz :: gaussian(level=g)\nz ~ start(1)*w\n"
    text += "c :: class(2)\ny ~ start(0)*1 + start(5)*c@2\nc@1 ~ start(0)*1"
    data = pd.DataFrame(
        {"g": np.repeat(np.arange(30), 6), "w": np.repeat(np.arange(30), 6) * 100.0, "y": 0.0, "z": 0.0}
    )
    frame = sl.Model(text).simulate(data=data, seed=3)
    assert (frame.groupby("g")["z"].max() == frame.groupby("g")["z"].min()).all()
    # slope 1, residual variance 1
    assert (frame["z"] - frame["w"]).groupby(frame["g"]).first().std() == pytest.approx(1.0, abs=4 / np.sqrt(60))
    assert frame.groupby("g")["y"].nunique().eq(6).all()


def test_intervals_hold_what_is_drawn_and_no_limit_within() -> None:
    """Ends are neighbours among all limits of the data; exact values stay exact, open ends open."""
    rng = np.random.default_rng(3)
    low = np.array([-np.inf, 0.0, 1.0, 2.5, 4.0, 0.7])
    high = np.array([0.0, 1.0, 2.5, 4.0, np.inf, 0.7])
    limits = np.array([0.0, 1.0, 2.5, 4.0])
    for _ in range(50):
        values = rng.normal(1.5, 3.0, 6)
        new_low, new_high = told(values, low, high)
        assert ((new_low < values) & (values <= new_high))[:5].all()
        assert not ((limits > new_low[:5, None]) & (limits < new_high[:5, None])).any()
        assert new_low[5] == new_high[5] == values[5]
    assert [x.tolist() for x in told(np.full(6, np.nan), low, high)] == [[-np.inf] * 6, [np.inf] * 6]


def test_censoring_of_events_is_drawn_from_its_kaplan_meier_estimate() -> None:
    """Of those at risk at 1 half are censored there, the others at 2: events of 0.5 are as likely to end at either."""
    observed = np.repeat([0.5, 1.0, 2.0], 1000)
    event = np.repeat([1.0, 0.0, 0.0], 1000)
    out, seen = ended(np.full(3000, 9.0), observed, event, np.random.default_rng(4))
    assert (out[1000:] == observed[1000:]).all()
    assert not seen.any()
    assert set(out[:1000]) == {1.0, 2.0}
    assert (out[:1000] == 1.0).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(1000))
