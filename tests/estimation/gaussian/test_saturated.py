"""The unrestricted model of gaussian responses: with missing values the likelihood of the rows is highest there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import semlang as sl
from semlang.estimation.gaussian.saturated import Saturated, saturated
from semlang.matrices.build import reduced_form

ITEMS = ["a", "b", "c", "d"]


def frame(rate: float) -> pd.DataFrame:
    """Return 160 rows: 60 with one pattern, the others with their own."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=(160, 1)) * 0.8 + rng.normal(size=(160, 4))
    y[:60, 3] = np.nan
    y[60:][rng.random((100, 4)) < rate] = np.nan
    return pd.DataFrame(y, columns=ITEMS).assign(x=rng.normal(size=160) + 30, w=rng.integers(1, 4, 160))


def both(data: pd.DataFrame) -> tuple[Saturated, Saturated]:
    model, designs, _ = sl.Model("frequency: w\nf =~ a + b + c + d\nf ~ x").bind(data)
    return saturated(reduced_form(model.graphs[0], lift=True), designs[0])


def loglik(data: pd.DataFrame, m: np.ndarray, S: np.ndarray) -> float:
    """Return the log-likelihood, row by row."""
    total = 0.0
    for y, x, w in zip(data[ITEMS].to_numpy(), data["x"], data["w"], strict=True):
        o = np.flatnonzero(~np.isnan(y))
        if o.size:
            total += w * multivariate_normal.logpdf(y[o], m[o] @ [1.0, x], S[np.ix_(o, o)])
    return total


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.6])
def test_the_maximum_of_the_likelihood_of_the_rows(rate: float) -> None:
    data = frame(rate)
    for free in both(data):
        assert free.loglik == pytest.approx(loglik(data, free.m, free.S), rel=1e-10)
        assert free.n == data.loc[data[ITEMS].notna().any(axis=1), "w"].sum()
    free, alone = both(data)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2):
        for _ in range(4):
            moved = rng.normal(size=(4, 4)) * size
            m = free.m + rng.normal(size=(4, 2)) * [size, size / 30]
            assert loglik(data, m, free.S + moved + moved.T) < free.loglik
    assert alone.loglik < free.loglik
    assert np.count_nonzero(alone.S - np.diag(np.diag(alone.S))) == 0


def test_units_of_responses_do_not_matter() -> None:
    data, units = frame(0.2), np.array([1e-5, 1.0, 1e3, 1e6])
    free = both(data)[0]
    scaled = both(data.assign(**{k: data[k] * u + u for k, u in zip(ITEMS, units, strict=True)}))[0]
    assert scaled.S / np.outer(units, units) == pytest.approx(free.S, rel=1e-9)
    seen = (data[ITEMS].notna().to_numpy() * data[["w"]].to_numpy()).sum(0)
    assert scaled.loglik == pytest.approx(free.loglik - seen @ np.log(units), rel=1e-10)


def test_many_patterns_are_not_gone_through_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=(1500, 1)) + rng.normal(size=(1500, 15))
    y[rng.random(y.shape) < 0.15] = np.nan
    data = pd.DataFrame(y, columns=[f"y{j}" for j in range(15)])
    model, designs, _ = sl.Model("f =~ y{0..14}").bind(data)
    calls: list[int] = []
    real = np.linalg.inv

    def counted(a: np.ndarray) -> np.ndarray:
        calls.append(1)
        return real(a)

    monkeypatch.setattr(np.linalg, "inv", counted)
    saturated(reduced_form(model.graphs[0], lift=True), designs[0])
    assert len(calls) < 1500
