"""Tests of standardised values of responses that are not gaussian: one model in two words has one solution."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.results.estimates import estimates

from .conftest import ROOT


def binary() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x = rng.normal(size=400)
    return pd.DataFrame({"y": (0.3 + 0.8 * x + rng.logistic(size=400) > 0).astype(int), "x": x})


def values(fit: sl.Fit, path: str = "~") -> list[float]:
    table = fit.standardized()
    return [float(v) for v in table[table["op"] == path][["est.std", "se"]].to_numpy()[0]]


@pytest.mark.parametrize("kind", ["adjacent", "sequential", "multinomial(base=0)", "ordinal(logit)"])
def test_two_categories_are_a_binary_response(kind: str) -> None:
    expected = sl.Model("y :: binomial(logit)\ny ~ x").fit(binary(), threads=1)
    found = sl.Model(f"y :: {kind}\ny ~ x").fit(binary(), threads=1)
    assert values(found) == pytest.approx(values(expected), rel=1e-5)
    assert found.r_squared()["r2"].iloc[0] == pytest.approx(expected.r_squared()["r2"].iloc[0], rel=1e-5)


def durations() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    x, u = rng.normal(size=300), np.repeat(rng.normal(size=60) * 0.5, 5)
    time = (rng.exponential(size=300) * np.exp(-0.5 * x - u)) ** (1 / 1.7)
    end = rng.exponential(3.0, size=300)
    return pd.DataFrame(
        {"t": np.minimum(time, end), "d": (time <= end).astype(int), "x": x, "g": np.repeat(np.arange(60), 5)}
    )


@pytest.mark.parametrize("kind", ["weibull", "loglogistic"])
def test_hazards_and_accelerated_times_are_one_model(kind: str) -> None:
    fits = [
        sl.Model(f"t :: {kind}({link}, event=d)\nt ~ x + (1 | g)").fit(durations(), threads=1)
        for link in ("log", "aft")
    ]
    a, b = (values(fit) for fit in fits)
    assert -b[0] == pytest.approx(a[0], rel=1e-4)
    assert b[1] == pytest.approx(a[1], rel=1e-3)
    assert fits[0].icc()["icc"].iloc[0] == pytest.approx(fits[1].icc()["icc"].iloc[0], rel=1e-3)


def test_the_residual_of_log_time_is_gumbels() -> None:
    frame = durations()
    fit = sl.Model("t :: weibull(aft, event=d)\nt ~ x").fit(frame, threads=1)
    b, shape = (float(fit.params.set_index("name").loc[name, "est"]) for name in ("t ~ x", "shape(t) ~1"))
    explained = b**2 * frame["x"].var(ddof=0)
    total = explained + math.pi**2 / 6 / math.exp(shape) ** 2
    assert values(fit)[0] == pytest.approx(b * frame["x"].std(ddof=0) / math.sqrt(total), rel=1e-9)
    assert fit.r_squared()["r2"].iloc[0] == pytest.approx(explained / total, rel=1e-9)


def test_a_nominal_response_has_one_line_a_category() -> None:
    fit = sl.read_model(ROOT / "examples" / "nominal" / "model.sem").fit(threads=1)
    table = fit.standardized()
    assert {"Sat@High", "Sat@Medium"} == set(table["lhs"])
    assert list(fit.r_squared().index) == ["Sat@High", "Sat@Medium"]
    assert "High 1.61, Medium 0.66" in fit.draw().svg


def test_what_has_no_latent_response_says_so() -> None:
    frame = binary().assign(n=lambda d: d["y"] + 2)
    fit = sl.Model("n :: poisson\nn ~ x").fit(frame, threads=1)
    notes = estimates(fit, standardized=True).notes
    assert "n has no standardised values: a poisson response (log) has no latent response." in notes


def test_shared_thresholds_have_one_line() -> None:
    fit = sl.read_model(ROOT / "examples" / "partial_credit" / "rating-scale.sem").fit(threads=1)
    table = estimates(fit, standardized=True)
    lines = [r["parameter"] for r in table.records() if "|" in r["parameter"]]
    assert lines == [f"item1, item2, item3, item4 | t{k} (t{k})" for k in (1, 2, 3)]
    assert fit.summary().count("| t1") == 1
    assert (fit.params["op"] == "|").sum() == 12  # for programs a row stays a row


def test_counts_have_no_decimals() -> None:
    fit = sl.Model("y :: binomial(logit)\ny ~ x").fit(binary(), threads=1)
    from semlang.results.measures import measures

    lines = measures(fit).table().text().splitlines()
    assert any(line.split() == ["npar", "2"] for line in lines)
    assert any(line.split() == ["ntotal", "400"] for line in lines)
