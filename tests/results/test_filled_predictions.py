"""Tests of predictions where a predictor is missing, beside sums and integrals that are written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

import semlang as sl


def estimates(fit: sl.Fit) -> pd.Series:
    return fit.params.set_index("name")["est"]


def test_a_binary_predictor() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    m = (rng.random(300) < expit(0.3 + x)).astype(float)
    y = (rng.random(300) < expit(-0.5 + 1.2 * m + 0.3 * x)).astype(float)
    frame = pd.DataFrame({"x": x, "m": m, "y": y})
    frame.loc[::4, "m"] = np.nan
    frame.loc[::8, "y"] = np.nan
    fit = sl.Model("m :: binomial(logit)\ny :: binomial(logit)\nm ~ x\ny ~ m + x").fit(frame, threads=1)
    b = estimates(fit)
    gone = frame["m"].isna().to_numpy()
    p = expit(b["m ~1"] + b["m ~ x"] * x)
    given = np.stack([expit(b["y ~1"] + b["y ~ m"] * s + b["y ~ x"] * x) for s in (0.0, 1.0)])
    marginal = fit.predict()
    assert marginal["y"][gone].to_numpy() == pytest.approx(((1 - p) * given[0] + p * given[1])[gone], abs=1e-8)
    assert marginal["y"][~gone].to_numpy() == pytest.approx(np.where(m == 1, given[1], given[0])[~gone], abs=1e-8)
    seen = frame["y"].to_numpy()
    weight = np.stack([1 - p, p]) * np.where(np.isnan(seen), 1.0, np.where(seen == 1, given, 1 - given))
    weight /= weight.sum(axis=0)
    conditional = fit.predict(kind="conditional")
    assert conditional["m"][gone].to_numpy() == pytest.approx(weight[1][gone], abs=1e-8)
    assert conditional["y"][gone].to_numpy() == pytest.approx((weight * given).sum(axis=0)[gone], abs=1e-8)
    new = frame.iloc[:16].drop(columns="y")
    assert fit.predict(new)["y"].to_numpy() == pytest.approx(marginal["y"].to_numpy()[:16], abs=1e-8)


def test_gaussian_predictors_in_a_chain() -> None:
    """y ~ b m + c x with m ~ a k and k ~ x: all of it is normal, and so is what is not known."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=250)
    k = 0.5 * x + rng.normal(size=250)
    m = 0.8 * k + rng.normal(size=250)
    frame = pd.DataFrame({"x": x, "k": k, "m": m, "y": 0.6 * m + 0.2 * x + rng.normal(size=250)})
    frame.loc[::5, "m"] = np.nan
    frame.loc[::10, "k"] = np.nan
    fit = sl.Model("k ~ x\nm ~ k\ny ~ m + x").fit(frame, threads=1)
    b = estimates(fit)
    both = np.arange(250) % 10 == 0
    mean_k = b["k ~1"] + b["k ~ x"] * x
    mean_m = b["m ~1"] + b["m ~ k"] * np.where(both, mean_k, k)
    gone = frame["m"].isna().to_numpy()
    expected = b["y ~1"] + b["y ~ m"] * mean_m + b["y ~ x"] * x
    found = fit.predict()
    assert found["y"][gone].to_numpy() == pytest.approx(expected[gone], abs=1e-6)
    # given y: the regression of m on y, with the variance that k adds where it is missing
    v = b["m ~~ m"] + np.where(both, b["m ~ k"] ** 2 * b["k ~~ k"], 0.0)
    gain = b["y ~ m"] * v / (b["y ~ m"] ** 2 * v + b["y ~~ y"])
    posterior = mean_m + gain * (frame["y"].to_numpy() - expected)
    assert fit.predict(kind="conditional")["m"][gone].to_numpy() == pytest.approx(posterior[gone], abs=1e-6)


def test_a_predictor_that_shares_a_latent_variable() -> None:
    rng = np.random.default_rng(3)
    n = 300
    f = rng.normal(size=n)
    frame = pd.DataFrame({f"i{j}": (rng.random(n) < expit(f)).astype(float) for j in range(3)})
    frame["m"] = (rng.random(n) < expit(0.8 * f)).astype(float)
    frame["y"] = 0.9 * frame["m"] + 0.5 * f + rng.normal(size=n)
    frame.loc[::6, "m"] = np.nan
    text = "options: std.lv = true\ni0 + i1 + i2 + m :: binomial(logit)\nf =~ i0 + i1 + i2 + m + y\ny ~ m"
    fit = sl.Model(text).fit(frame, threads=1, points=21)
    b = estimates(fit)
    z, w = np.polynomial.hermite_e.hermegauss(81)
    w = w / w.sum()
    p = expit(b["m ~1"] + b["f =~ m"] * z)
    nu = np.stack([b["y ~1"] + b["y ~ m"] * s + b["f =~ y"] * z for s in (0.0, 1.0)])
    marginal = float(w @ ((1 - p) * nu[0] + p * nu[1]))
    gone = np.flatnonzero(frame["m"].isna())
    assert fit.predict()["y"].to_numpy()[gone] == pytest.approx(marginal, abs=1e-4)
    row = int(gone[1])
    likelihood = w * np.prod(
        [
            np.where(frame[f"i{j}"][row] == 1, q, 1 - q)
            for j in range(3)
            for q in [expit(b[f"i{j} ~1"] + b[f"f =~ i{j}"] * z)]
        ],
        axis=0,
    )
    joint = np.stack([1 - p, p]) * likelihood * norm.pdf(frame["y"][row], nu, np.sqrt(b["y ~~ y"]))
    joint /= joint.sum()
    conditional = fit.predict(kind="conditional").iloc[row]
    assert conditional["m"] == pytest.approx(joint[1].sum(), abs=1e-4)
    assert conditional["y"] == pytest.approx((joint * nu).sum(), abs=1e-4)
