"""The option ``rule``: nodes at modes, at posterior means and SDs as in gllamm, of the prior, or of a sparse rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import minimize

import semlang as sl

TEXT = "y :: binomial(logit)\ny ~ 1 + x + (1 | c)\noptions: rule = {}, points = {}"


def _data() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    c, x = np.repeat(np.arange(60), 6), rng.normal(size=360)
    nu = -0.3 + 0.7 * x + 1.2 * rng.normal(size=60)[c]
    return pd.DataFrame({"y": (rng.random(360) < 1.0 / (1.0 + np.exp(-nu))) * 1.0, "x": x, "c": c})


def _ordinary(theta: np.ndarray, frame: pd.DataFrame, points: int) -> float:
    """Log-likelihood by Gauss-Hermite nodes of the prior, by numpy alone."""
    z, w = hermegauss(points)
    nu = theta[0] + theta[1] * frame["x"].to_numpy()[:, None] + theta[2] * z
    log = np.where(frame["y"].to_numpy()[:, None] > 0.5, -np.logaddexp(0, -nu), -np.logaddexp(0, nu))
    by_cluster = np.add.reduceat(log, np.arange(0, len(frame), 6))
    return float(np.log(np.exp(by_cluster) @ (w / w.sum())).sum())


@pytest.mark.parametrize("points", [5, 8])
def test_ordinary_quadrature_is_that_of_numpy(points: int) -> None:
    frame = _data()
    fit = sl.Model(TEXT.format("ordinary", points)).fit(frame, threads=1)
    found = {(p["op"], p["rhs"]): p["est"] for p in fit.parameters if p["free"]}
    theta = np.array([found["~1", ""], found["~", "x"], np.sqrt(found["~~", "y.1[c]"])])
    assert fit.loglik == pytest.approx(_ordinary(theta, frame, points), abs=1e-9)
    best = minimize(lambda t: -_ordinary(t, frame, points), [0.0, 0.5, 1.0], method="Nelder-Mead",
                    options={"xatol": 1e-7, "fatol": 1e-10})  # fmt: skip
    assert fit.converged
    np.testing.assert_allclose(theta, best.x, atol=2e-5)
    assert "at the prior" in fit.summary()


def test_rules_agree_with_many_points() -> None:
    frame = _data()
    values = {
        rule: sl.Model(TEXT.format(rule, 25)).fit(frame, threads=1) for rule in ("adaptive", "gllamm", "ordinary")
    }
    assert all(f.converged for f in values.values())
    assert values["gllamm"].loglik == pytest.approx(values["adaptive"].loglik, abs=1e-6)
    assert values["ordinary"].loglik == pytest.approx(values["adaptive"].loglik, abs=1e-3)
    a, b = ([p["se"] for p in values[r].parameters if p["free"]] for r in ("adaptive", "gllamm"))
    np.testing.assert_allclose(a, b, rtol=1e-4)  # the nodes stand still while the second derivatives are taken


def test_few_points_say_that_they_are_few() -> None:
    fit = sl.Model(TEXT.format("ordinary", 3)).fit(_data(), threads=1)
    assert "points-not-settled" in [d.slug for d in fit.estimate.diagnostics]


def test_a_sparse_rule_that_the_text_asks_for() -> None:
    text = "options: std.lv = true, rule = sparse\n" + "\n".join(
        f"y{t}{{1..3}} :: binomial(logit)\nf{t} =~ y{t}{{1..3}}" for t in range(1, 5)
    )
    rng = np.random.default_rng(1)
    f = rng.normal(size=(150, 4))
    y = (rng.random((150, 12)) < 1.0 / (1.0 + np.exp(-1.2 * np.repeat(f, 3, axis=1)))) * 1.0
    frame = pd.DataFrame(y, columns=[f"y{t}{j}" for t in range(1, 5) for j in range(1, 4)])
    assert "Smolyak" in sl.Model(text).plan(frame).method


def test_classes_and_unknown_rules_are_refused() -> None:
    y = (np.random.default_rng(2).random((80, 3)) < 0.5) * 1.0
    text = "y{1..3} :: binomial(logit)\nk :: class(2)\nk =~ y{1..3}\noptions: rule = gllamm"
    with pytest.raises(sl.FitError, match="rule = gllamm is for models without classes"):
        sl.Model(text).fit(pd.DataFrame(y, columns=["y1", "y2", "y3"]), threads=1)
    with pytest.raises(sl.ModelError, match="adaptive, gllamm, ordinary, sparse are known"):
        sl.Model("y :: binomial(logit)\ny ~ x + (1 | c)\noptions: rule = spherical").check()
