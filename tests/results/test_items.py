"""Items and rows by their definitions, with responses that are missing, and at the ends of the scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

import semlang as sl
from semlang.results.class_probabilities import classification

from .conftest import ROOT


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


def test_information_at_the_ends_of_the_scale() -> None:
    """a^2 P (1 - P) also where an answer is nearly certain."""
    rng = np.random.default_rng(11)
    f = rng.normal(size=500)
    frame = pd.DataFrame({f"i{k}": (rng.random(500) < expit(1.5 * f + k - 1)).astype(int) for k in range(4)})
    fit = sl.Model("i{0..3} :: binomial(logit)\noptions: std.lv = true\nf =~ i{0..3}").fit(frame, threads=1)
    e = fit.params.set_index("name")["est"]
    at = np.array([-6.0, -2.0, 2.0, 6.0])
    p = expit(e["i1 ~1"] + e["f =~ i1"] * at)
    np.testing.assert_allclose(fit.information("i1", at=at)["i1"], e["f =~ i1"] ** 2 * p * (1 - p), rtol=1e-5)
    assert p.min() < 0.01


def test_s_x2_needs_three_items() -> None:
    rng = np.random.default_rng(13)
    f = rng.normal(size=300)
    frame = pd.DataFrame({f"i{k}": (rng.random(300) < expit(1.2 * f)).astype(int) for k in range(3)})
    three = sl.Model("i{0..2} :: binomial(logit)\nf =~ 1*i0 + 1*i1 + 1*i2").fit(frame, threads=1).item_fit()
    assert three["s.x2"].notna().all()
    two = sl.Model("i{0..1} :: binomial(logit)\nf =~ 1*i0 + 1*i1").fit(frame, threads=1).item_fit()
    assert "s.x2" not in two or two["s.x2"].isna().all()
    assert two["infit"].notna().all()


def test_rmsea2_is_zero_below_the_degrees_of_freedom() -> None:
    """M2 of the law school test is 4.74 with 5 degrees of freedom: nothing is left to be explained."""
    fit = sl.read_model(ROOT / "examples" / "lsat" / "model.sem").fit(threads=1)
    found = fit.m2().iloc[0]
    assert found["m2"] < found["df"]
    assert found["rmsea2"] == found["rmsea2.ci.lower"] == 0.0


def test_weights_in_one_of_two_models_leave_no_test() -> None:
    rng = np.random.default_rng(14)
    frame = pd.DataFrame(rng.normal(size=(80, 3)), columns=["y", "x", "z"])
    frame["w"] = rng.uniform(0.5, 2.0, 80)
    plain = sl.Model("y ~ x + z").fit(frame, threads=1)
    weighted = sl.Model("weights: w\ny ~ x").fit(frame, threads=1)
    for pair in ((plain, weighted), (weighted, plain)):
        assert "sampling weights" in str(sl.compare(*pair))


def test_information_of_nominal_items_at_the_ends_of_the_scale() -> None:
    """sum P'^2 / P = sum_c P_c (a_c - mean a)^2, whatever the reference category, also of rare categories."""
    rng = np.random.default_rng(4)
    f = rng.normal(size=600)
    frame = {}
    for k in range(3):
        u = np.column_stack([0 * f, 0.8 * f + 0.3 * k, 1.6 * f - 0.2]) + rng.gumbel(size=(600, 3))
        frame[f"n{k}"] = np.array(["a", "b", "c"])[u.argmax(axis=1)]
    text = "options: std.lv = true\nn{0..2} :: multinomial(base=a)\nf =~ n0 + n1 + n2"
    fit = sl.Model(text).fit(pd.DataFrame(frame), threads=1)
    e = fit.params.set_index("name")["est"]
    slopes = np.array([0.0, *(e[n] for n in e.index if n.startswith("f =~ ") and "n1" in n)])
    intercepts = np.array([0.0, *(e[n] for n in e.index if n.endswith("~1") and "n1" in n)])
    assert len(slopes) == len(intercepts) == 3
    at = np.array([-5.0, 0.0, 5.0])
    p = softmax(intercepts[:, None] + slopes[:, None] * at, axis=0)
    assert p.min() < 0.01
    expected = (p * (slopes[:, None] - slopes @ p) ** 2).sum(axis=0)
    np.testing.assert_allclose(fit.information("n1", at=at)["n1"], expected, rtol=1e-5)
    np.testing.assert_allclose(fit.curves("n1", at=at), p.T, rtol=1e-10)


def test_results_do_not_depend_on_the_order_of_the_lines() -> None:
    """Thresholds before loadings, and after them."""
    rng = np.random.default_rng(5)
    f = rng.normal(size=300)
    frame = pd.DataFrame({f"o{k}": np.digitize(1.2 * f + rng.logistic(size=300), [-1.0, 0.8]) for k in range(3)})
    kinds, loadings = "options: std.lv = true\no{0..2} :: ordinal(logit)\n", "f =~ o0 + o1 + o2\n"
    steps = "".join(f"o{k} | t1 + t2\n" for k in range(3))
    one, other = (sl.Model(kinds + t).fit(frame, threads=1, points=15) for t in (steps + loadings, loadings + steps))
    assert one.parameter_names[0] == "o0 | t1"
    for name in ("o0", "o2"):
        e = one.params.set_index("name")["est"]
        curve = one.curves(name, at=[-1.0, 0.5])
        below = expit(e[f"{name} | t1"] - e[f"f =~ {name}"] * curve.index)
        np.testing.assert_allclose(curve.iloc[:, 0], below, rtol=1e-10)
        np.testing.assert_allclose(curve, other.curves(name, at=[-1.0, 0.5]), atol=1e-5)
    # of Samejima's model: sum (P*' - P*'')^2 / P, P* the probabilities of at least a category and their slopes
    at = np.array([-3.0, -0.5, 1.0])
    a = e["f =~ o1"]
    above = np.stack([0 * at + 1, *(expit(a * at - e[f"o1 | t{k}"]) for k in (1, 2)), 0 * at])
    slopes = a * above * (1 - above)
    expected = (np.diff(slopes, axis=0) ** 2 / -np.diff(above, axis=0)).sum(axis=0)
    np.testing.assert_allclose(one.information("o1", at=at)["o1"], expected, rtol=1e-6)
    np.testing.assert_allclose(one.item_fit()["s.x2"], other.item_fit()["s.x2"], rtol=1e-3)
    np.testing.assert_allclose(one.m2()["m2"], other.m2()["m2"], rtol=1e-4)
