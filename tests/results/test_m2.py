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


@pytest.mark.parametrize("general", [0.0, 1.2], ids=["clusters", "testlets"])
def test_items_in_blocks(general: float) -> None:
    """Dimensions that some items share, beside a general one or none, by all 64 patterns on a dense grid."""
    rng = np.random.default_rng(3)
    f, u = rng.normal(size=(400, 1)), rng.normal(size=(400, 2))
    blocks = [0, 0, 0, 1, 1, 1]
    y = (rng.random((400, 6)) < expit(general * f + u[:, blocks] + [-0.5, 0, 0.5, -0.5, 0, 0.5])).astype(int)
    head = "options: std.lv = true\ni{0..5} :: binomial(logit)\nt =~ b*i0 + b*i1 + b*i2\ns =~ c*i3 + c*i4 + c*i5\n"
    if general:
        head += "f =~ " + " + ".join(f"a*i{k}" for k in range(6)) + "\nf ~~ 0*t\nf ~~ 0*s\n"
    fit = sl.Model(head + "t ~~ 0*s").fit(
        pd.DataFrame(y, columns=[f"i{k}" for k in range(6)]), points=7, se="none", threads=1
    )
    e = dict(zip(fit.params["name"], fit.params["est"], strict=True))
    at = np.array([*(e[f"i{k} ~1"] for k in range(6)), e["b"], e["c"], e.get("a", 0.0)])
    P = np.array(list(product((0, 1), repeat=6)), dtype=float)
    observed = np.bincount(y @ [32, 16, 8, 4, 2, 1], minlength=64) / 400
    z, w = np.polynomial.hermite_e.hermegauss(31)
    w = w / w.sum()

    def patterns(t: np.ndarray) -> np.ndarray:
        out = np.zeros(64)
        for common, mass in zip(z, w, strict=True):
            halves = []
            for b in (0, 1):
                own = slice(3 * b, 3 * b + 3)
                p = expit(t[own, None] + t[8] * common + t[6 + b] * z)
                halves.append(np.exp(P[:, own] @ np.log(p) + (1 - P[:, own]) @ np.log1p(-p)) @ w)
            out += mass * halves[0] * halves[1]
        return out

    M = np.stack([*P.T, *(P[:, i] * P[:, j] for i, j in combinations(range(6), 2))])
    steps = 1e-5 * np.eye(9)[: 9 if general else 8]
    D = M @ np.stack([(patterns(at + d) - patterns(at - d)) / 2e-5 for d in steps], axis=1)
    pi = patterns(at)
    inverse = np.linalg.inv(M @ (np.diag(pi) - np.outer(pi, pi)) @ M.T)
    C = inverse - inverse @ D @ np.linalg.solve(D.T @ inverse @ D, D.T @ inverse)
    difference = M @ (observed - pi)
    found = fit.m2().iloc[0]
    # 15 nodes a dimension are exact to 1e-5 or so at such slopes
    assert found["m2"] == pytest.approx(400 * difference @ C @ difference, rel=2e-3)
    assert found["df"] == 21 - len(steps)
    first, second = M[:6] @ pi, np.einsum("ip,jp,p->ij", M[:6], M[:6], pi)
    implied = (second - np.outer(first, first)) / np.sqrt(np.outer(first * (1 - first), first * (1 - first)))
    lower = np.tril_indices(6, -1)
    rms = np.sqrt(np.mean((np.corrcoef(y.T)[lower] - implied[lower]) ** 2))
    assert found["srmsr"] == pytest.approx(rms, rel=2e-3)


def test_limits_of_rows_and_margins() -> None:
    """Two complete rows are enough, one is not; 89 binary items have 4005 margins."""
    rng = np.random.default_rng(3)
    y = pd.DataFrame(rng.random((150, 89)) < expit(rng.normal(size=(150, 1))), columns=[f"i{k}" for k in range(89)])
    some = y.iloc[:, :4].astype(float)
    some.loc[80:, "i2"] = np.nan
    text = "i{0..3} :: binomial(logit)\nf =~ 1*i0 + 1*i1 + 1*i2 + 1*i3"
    for n in (1, 2):
        some.loc[n:79, "i3"] = np.nan
        some.loc[:1, "i3"] = [0.0, 1.0][:n] if n == 2 else [0.0, np.nan]
        fit = sl.Model(text).fit(some, threads=1, se="none")
        if n == 2:
            assert fit.m2()["n"].item() == 2
            assert fit.m2().attrs["notes"] == ["148 rows miss a response and are left out"]
            # nothing is left of S-X2: all sum scores are joined, and expect less than one row a cell
            assert fit.item_fit()["p"].isna().all()
        else:
            with pytest.raises(sl.FitError, match="fewer than two rows have all responses"):
                fit.m2()
    loadings = " + ".join(f"1*i{k}" for k in range(89))
    means = "".join(f"i{k} ~ a*1\n" for k in range(89))
    many = sl.Model(f"i{{0..88}} :: binomial(logit)\nf =~ {loadings}\n{means}").fit(
        y.astype(int), points=3, se="none", threads=1
    )
    with pytest.raises(sl.FitError, match="there are 4005 margins, more than 4000"):
        many.m2()


def test_degrees_of_freedom_beside_a_very_easy_item() -> None:
    """Ten parameters are ten, also where one item says little of its slope: 15 margins leave 5."""
    rng = np.random.default_rng(2)
    f = rng.normal(size=(3000, 1))
    y = (rng.random((3000, 5)) < expit(0.6 * f + [4.5, 0.0, 1.0, -1.0, 0.5])).astype(int)
    frame = pd.DataFrame(y, columns=[f"i{k}" for k in range(5)])
    fit = sl.Model("i{0..4} :: binomial(logit)\nf =~ i{0..4}").fit(frame, threads=1, points=11, se="none")
    assert fit.m2()["df"].item() == 5
