"""M2 of the Rasch model by all 32 patterns of responses."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import ncx2

import semlang as sl

LSAT = Path(__file__).parents[2] / "examples" / "lsat" / "lsat6.csv"


def test_rasch_model_of_the_law_school_admission_test() -> None:
    """5.2913 with 9 degrees of freedom at the maximum (log-likelihood -2466.9376, standard deviation 0.7551).

    By numpy and scipy alone it is 5.29135 with 61 or 21 Gauss-Hermite nodes as with 401 equidistant ones, 5.2916 with
    7; with the covariance matrix of the observed proportions 5.3554, with n - 1 for n 5.2861. mirt's 5.256 is none of
    these, so that neither the number of nodes nor the variant of the statistic explains it. Mean 0 with a free
    variance, and variance 1 with one common slope, span the same derivatives: M2 is the same.
    """
    items = [f"item{k}" for k in range(1, 6)]
    text = "item{1..5} :: binomial(logit)\nf =~ 1*item1 + 1*item2 + 1*item3 + 1*item4 + 1*item5"
    frame = pd.read_csv(LSAT)
    fit = sl.Model(text).fit(frame, points=21, threads=1)
    e = dict(zip(fit.params["name"], fit.params["est"], strict=True))
    at = np.array([*(e[f"{i} ~1"] for i in items), np.sqrt(e["f ~~ f"])])
    P = np.array(list(product((0, 1), repeat=5)), dtype=float)
    observed = np.bincount(frame[items].to_numpy().astype(int) @ [16, 8, 4, 2, 1], minlength=32) / len(frame)
    z, w = np.polynomial.hermite_e.hermegauss(61)

    def patterns(t: np.ndarray) -> np.ndarray:
        p = expit(t[:5, None] + t[5] * z)
        return np.exp(P @ np.log(p) + (1 - P) @ np.log1p(-p)) @ w / w.sum()

    M = np.stack([*P.T, *(P[:, i] * P[:, j] for i, j in combinations(range(5), 2))])
    h = 1e-5 * np.eye(6)
    D = M @ np.stack([(patterns(at + d) - patterns(at - d)) / 2e-5 for d in h], axis=1)
    pi = patterns(at)
    inverse = np.linalg.inv(M @ (np.diag(pi) - np.outer(pi, pi)) @ M.T)
    C = inverse - inverse @ D @ np.linalg.solve(D.T @ inverse @ D, D.T @ inverse)
    difference = M @ (observed - pi)
    expected = 1000 * difference @ C @ difference
    found = fit.m2().iloc[0]
    assert found["m2"] == pytest.approx(expected, rel=1e-5)
    assert expected == pytest.approx(5.2913, abs=5e-4)
    assert found["df"] == 9


def test_new_data_that_a_fit_can_not_read() -> None:
    """A new category is a finding; a new cluster and missing responses are none: the unit has the prior."""
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(12), 6)
    x = np.array(["a", "b", "c"])[rng.integers(0, 3, 72)]
    y = (rng.random(72) < expit(rng.normal(size=12)[g] + 0.5 * (x == "b"))).astype(int)
    fit = sl.Model("y :: binomial(logit)\ny ~ factor(x) + (1 | g)").fit(
        pd.DataFrame({"y": y, "x": x, "g": g}), points=21, threads=1, force=True
    )
    with pytest.raises(sl.SemlangError) as problem:
        fit.predict(data=pd.DataFrame({"x": ["a", "d"]}))
    assert [d.slug for d in problem.value.diagnostics] == ["new-category"]
    new = pd.DataFrame({"y": [np.nan, np.nan, 1.0], "x": ["a", None, "b"], "g": [99, 99, 100]})
    conditional, marginal = fit.predict(data=new, kind="conditional"), fit.predict(data=new)
    assert conditional["y"][0] == pytest.approx(marginal["y"][0], abs=1e-6)
    assert np.isnan(conditional["y"][1])
    assert conditional["y"][2] > marginal["y"][2]


def test_interval_of_rmsea2_by_the_noncentral_distribution() -> None:
    """Two dimensions fitted as one: at the lower end M2 is the 0.95 quantile, at the upper end the 0.05 quantile."""
    rng = np.random.default_rng(8)
    f = rng.normal(size=(1500, 2))
    items = {f"i{k}": (rng.random(1500) < expit(1.8 * f[:, k // 3])).astype(int) for k in range(6)}
    fit = sl.Model("i{0..5} :: binomial(logit)\ntheta =~ i{0..5}").fit(pd.DataFrame(items), threads=1)
    found = fit.m2().iloc[0]
    n, df = found["n"], found["df"]
    assert found["rmsea2"] == pytest.approx(np.sqrt((found["m2"] - df) / (df * n)), rel=1e-10)
    for bound, mass in (("lower", 0.95), ("upper", 0.05)):
        noncentral = found[f"rmsea2.ci.{bound}"] ** 2 * df * n
        assert noncentral > 0
        assert ncx2.cdf(found["m2"], df, noncentral) == pytest.approx(mass, abs=1e-6)
