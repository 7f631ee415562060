"""Fits: invariances of the maximum, borders, constraints, and findings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.errors import FitError


@pytest.fixture(scope="module")
def items():
    rng = np.random.default_rng(8)
    f = rng.normal(size=400)
    slopes = np.array([1.0, 0.7, 1.4, 1.1])
    p = 1 / (1 + np.exp(-(f[:, None] * slopes + [0.5, -0.3, 0.2, 0.0])))
    return pd.DataFrame((rng.random(p.shape) < p).astype(float), columns=["i1", "i2", "i3", "i4"])


ITEMS = "i{1..4} :: binomial(logit)\n"


def by_name(fit, bound):
    return {f"{r.lhs}{r.op}{r.rhs}": fit.theta[r.parameter] for r in bound.table.rows if r.parameter >= 0}


def test_marker_or_unit_variance(bind, items):
    marker = bind(ITEMS + "f =~ i{1..4}", items).fit()
    unit = bind("options: std.lv = true\n" + ITEMS + "f =~ i{1..4}", items).fit()
    other = bind(ITEMS + "f =~ NA*i1 + i2 + i3 + 1*i4", items).fit()
    assert unit.loglik == pytest.approx(marker.loglik, abs=1e-6)
    assert other.loglik == pytest.approx(marker.loglik, abs=1e-6)
    assert marker.converged
    assert marker.n_free == unit.n_free == 8


def test_first_free_loading_is_positive(bind, items):
    data = items.assign(i1=1 - items["i1"])
    bound = bind("options: std.lv = true\n" + ITEMS + "f =~ i{1..4}", data)
    found = by_name(bound.fit(), bound)
    assert found["f=~i1"] > 0
    assert found["f=~i2"] < 0


def test_variance_at_zero(bind):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.permutation(np.tile([0.0, 1.0], 60)), "g": np.repeat(np.arange(60), 2)})
    data["y"] = np.where(np.arange(120) % 2, 1.0 - data["y"].shift(1, fill_value=0.0), data["y"])
    bound = bind("y :: binomial(logit)\ny ~ 1 + (1 | g)", data)
    fit = bound.fit()
    assert fit.converged
    assert fit.theta[1] == pytest.approx(0.0, abs=1e-6)
    assert "variance-at-zero" in {d.slug for d in fit.diagnostics}
    alone = bind("y :: binomial(logit)\ny ~ 1", data).fit()
    assert fit.loglik == pytest.approx(alone.loglik, abs=1e-7)


def test_linear_constraint_is_a_label(bind, items):
    labelled = bind(ITEMS + "f =~ i1 + a*i2 + a*i3 + i4", items).fit()
    bound = bind(ITEMS + "f =~ i1 + a*i2 + b*i3 + i4\na == b", items)
    fit = bound.fit()
    assert fit.loglik == pytest.approx(labelled.loglik, abs=1e-7)
    assert fit.n_free == labelled.n_free == 7
    found = by_name(fit, bound)
    assert found["f=~i2"] == found["f=~i3"]


def test_nonlinear_constraint_and_inequality(bind, items):
    bound = bind(ITEMS + "f =~ i1 + a*i2 + b*i3 + i4\na*b == 1", items)
    fit = bound.fit()
    found = by_name(fit, bound)
    assert found["f=~i2"] * found["f=~i3"] == pytest.approx(1.0, abs=1e-6)
    free = bind(ITEMS + "f =~ i1 + a*i2 + b*i3 + i4", items)
    best = free.fit()
    assert fit.loglik < best.loglik
    slack = bind(ITEMS + "f =~ i1 + a*i2 + b*i3 + i4\na < 50", items).fit()
    assert slack.loglik == pytest.approx(best.loglik, abs=1e-5)


def test_defined_parameters(bind, items):
    bound = bind(ITEMS + "f =~ i1 + a*i2 + b*i3 + i4\nd := a/b\ne := sqrt(d) + 1", items)
    fit = bound.fit()
    found = by_name(fit, bound)
    d, e = fit.defined
    assert d.est == pytest.approx(found["f=~i2"] / found["f=~i3"])
    assert e.est == pytest.approx(np.sqrt(d.est) + 1)
    assert e.se == pytest.approx(d.se / (2 * np.sqrt(d.est)), rel=1e-9)


def test_standard_errors_agree_for_large_samples(bind, items):
    bound = bind(ITEMS + "f =~ 1*i{1..4}", items)
    se = {kind: np.sqrt(np.diag(bound.fit(se=kind).vcov)) for kind in ("observed", "opg", "robust")}
    np.testing.assert_allclose(se["opg"], se["observed"], rtol=0.15)
    np.testing.assert_allclose(se["robust"], se["observed"], rtol=0.15)
    assert bound.fit(se="none").vcov is None


def test_points_are_raised_until_the_value_settles(bind, items):
    data = items.assign(x=np.random.default_rng(1).normal(size=len(items)))  # units of their own, nodes of their own
    bound = bind(ITEMS + "f =~ 1*i{1..4}\ni1 ~ x", data)
    fit = bound.fit()
    moves = [abs(b[1] - a[1]) for a, b in zip(fit.points_history, fit.points_history[1:], strict=False)]
    assert moves[-1] < 1e-3
    laplace = bound.fit(points=1)
    assert laplace.points == 1
    assert "Laplace" in laplace.method


def test_separation_is_reported(bind):
    data = pd.DataFrame({"x": np.arange(40.0), "y": (np.arange(40) >= 20).astype(float)})
    with pytest.raises(FitError) as problem:
        bind("y :: binomial(logit)\ny ~ x", data).fit()
    assert [d.slug for d in problem.value.diagnostics] == ["unbounded-likelihood"]


def test_user_start_and_progress(bind, items):
    lines: list[str] = []
    bound = bind(ITEMS + "f =~ i1 + start(0.9)*i2 + i3 + i4", items)
    fit = bound.fit(start={"f =~ i3": 1.3}, progress=lines.append)
    assert fit.converged
    assert any("loglik" in line for line in lines)
    assert len(fit.log) >= 2


def test_negative_variance_of_a_gaussian_model_is_warned_of(bind):
    rng = np.random.default_rng(4)
    f = rng.normal(size=60)
    data = pd.DataFrame({"y1": f, "y2": f + 0.9 * rng.normal(size=60), "y3": f + 0.9 * rng.normal(size=60)})
    data["y1"] = data["y2"] + data["y3"] + 0.1 * rng.normal(size=60)
    fit = bind("f =~ y1 + y2 + y3", data).fit()
    assert "negative-variance" in {d.slug for d in fit.diagnostics}


def test_robust_errors_of_a_coarser_cluster(bind):
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(20), 15)
    x = rng.normal(size=300)
    data = pd.DataFrame({"school": school, "x": x, "y": rng.poisson(np.exp(0.3 * x + rng.normal(size=20)[school]))})
    data["y"] = data["y"].astype(float)
    plain = bind("cluster: school\ny :: poisson(log)\ny ~ x", data)
    observed, robust = plain.fit(), plain.fit(se="robust", cluster="school")
    assert (np.diag(robust.vcov) / np.diag(observed.vcov)).max() > 3


def test_several_starts_agree(bind, items):
    one = bind(ITEMS + "f =~ i{1..4}", items).fit()
    fit = bind("options: starts = 5\n" + ITEMS + "f =~ i{1..4}", items).fit()
    assert fit.starts == 5
    assert fit.agreed >= 3
    assert fit.loglik == pytest.approx(one.loglik, abs=1e-6)


def test_scores_sum_to_zero_and_square_to_the_outer_product(bind, items):
    fit = bind(ITEMS + "f =~ i{1..4}", items).fit(se="opg")
    assert fit.scores.shape == (400, 8)
    np.testing.assert_allclose(fit.scores.sum(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.inv(fit.scores.T @ fit.scores), fit.vcov, rtol=1e-5)
