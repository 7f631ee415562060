"""Person fit by its definition, with items and responses that are missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

import semlang as sl
from semlang.results.class_probabilities import classification


def test_lz_of_every_row() -> None:
    """The row's score is its posterior mean by a dense grid; the moments are sums over both responses of each item."""
    rng = np.random.default_rng(6)
    f = rng.normal(size=400)
    difficulty = np.array([-1.5, -0.5, 0.0, 0.5, 1.5])
    y = (rng.random((400, 5)) < expit(1.2 * f[:, None] - difficulty)).astype(float)
    y[rng.random((400, 5)) < 0.1] = np.nan
    frame = pd.DataFrame(y, columns=[f"i{k}" for k in range(1, 6)], index=np.arange(400) * 3 + 7)
    fit = sl.Model("i{1..5} :: binomial(logit)\noptions: std.lv = true\nf =~ i{1..5}").fit(frame, points=21, threads=1)
    found = fit.person_fit()
    e = fit.params.set_index("name")["est"]
    a, b = (np.array([e[f"{left}{k}{right}"] for k in range(1, 6)]) for left, right in (("f =~ i", ""), ("i", " ~1")))
    grid = np.linspace(-8, 8, 4001)
    seen = ~np.isnan(y)
    logs = np.where(seen[:, :, None], np.where(y[:, :, None] == 1, 1, -1) * (b[:, None] + a[:, None] * grid), 0.0)
    weight = np.exp(-np.where(seen[:, :, None], np.logaddexp(0, -logs), 0.0).sum(axis=1) - grid**2 / 2)
    score = weight @ grid / weight.sum(axis=1)
    p = expit(b + a * score[:, None])
    q = 1 - p
    loglik = np.where(seen, np.where(y == 1, np.log(p), np.log(q)), 0.0).sum(axis=1)
    mean = np.where(seen, p * np.log(p) + q * np.log(q), 0.0).sum(axis=1)
    variance = np.where(seen, p * q * np.log(p / q) ** 2, 0.0).sum(axis=1)
    some = seen.any(axis=1)
    # 21 nodes place the score to about 1e-7
    np.testing.assert_allclose(found["loglik"][some], loglik[some], atol=1e-5)
    np.testing.assert_allclose(found["lz"][some], ((loglik - mean) / np.sqrt(variance))[some], atol=2e-5)
    assert found["items"].to_list() == seen.sum(axis=1).tolist()
    assert found.index.equals(frame.index)
    assert variance[some].min() < 1.0 < variance[some].max()


def test_a_row_without_responses_has_no_fit() -> None:
    rng = np.random.default_rng(7)
    y = (rng.random((60, 3)) < 0.5 + 0.3 * (rng.random((60, 1)) < 0.5)).astype(float)
    y[4] = np.nan
    fit = sl.Model("i{1..3} :: binomial(logit)\nf =~ 1*i1 + 1*i2 + 1*i3").fit(
        pd.DataFrame(y, columns=["i1", "i2", "i3"]), threads=1
    )
    found = fit.person_fit()
    if 4 in found.index:
        assert found.loc[4, "items"] == 0
        assert np.isnan(found.loc[4, "lz"])
        assert np.isnan(found.loc[4, "loglik"])
    assert found.drop(index=4, errors="ignore").notna().all(axis=None)


def test_entropy_in_the_summary() -> None:
    """One class variable needs no name; several do. The figure is that of the table of classification."""
    rng = np.random.default_rng(2)
    u, v = rng.random(500) < 0.4, rng.random(500) < 0.5
    y = {f"a{k}": (rng.random(500) < np.where(u, 0.85, 0.15)).astype(int) for k in range(4)}
    z = {f"b{k}": (rng.random(500) < np.where(v, 0.85, 0.15)).astype(int) for k in range(4)}
    one = "a{0..3} :: binomial(logit)\nc :: class(2)\nc =~ a{0..3}\n"
    two = one + "b{0..3} :: binomial(logit)\nd :: class(2)\nd =~ b{0..3}\n"
    for text, names in ((one, ["c"]), (two, ["c", "d"])):
        fit = sl.Model(text).fit(pd.DataFrame(y | z), threads=1)
        line = next(x for x in fit.summary().splitlines() if x.startswith("Entropy"))
        values = {r["variable"]: r["entropy"] for r in classification(fit).records()}
        shown = [f"{values[n]:.3f}" if len(names) == 1 else f"{n}: {values[n]:.3f}" for n in names]
        assert line.split(maxsplit=1)[1].strip() == ", ".join(shown)
