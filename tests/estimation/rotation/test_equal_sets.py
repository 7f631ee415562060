"""Exploratory sets that share their loadings by labels: one rotation, and the second set's covariances are free."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

ITEMS = range(1, 7)


@pytest.fixture(scope="module")
def waves() -> pd.DataFrame:
    """Two factors of six items at two waves."""
    rng = np.random.default_rng(1)
    L = np.array([[0.8, 0.7, 0.75, 0.1, 0.0, 0.2], [0.1, 0.0, 0.2, 0.8, 0.7, 0.65]])
    psi = [[1, 0.3, 0.6, 0.2], [0.3, 1, 0.2, 0.5], [0.6, 0.2, 1.5, 0.6], [0.2, 0.5, 0.6, 2.0]]
    F = rng.multivariate_normal(np.zeros(4), psi, 500)
    x = F[:, :2] @ L + 0.5 * rng.normal(size=(500, 6))
    y = F[:, 2:] @ L + 0.5 * rng.normal(size=(500, 6))
    return pd.DataFrame(np.c_[x, y], columns=[f"{v}{i}" for v in "xy" for i in ITEMS])


def text(extra: str = "", second: str = "ab") -> str:
    def loadings(label: str, item: str) -> str:
        return " + ".join(f"{label}{i}*{item}{i}" for i in ITEMS)

    sets = [("s", "f1", "a", "x"), ("s", "f2", "b", "x"), ("t", "g1", second[0], "y"), ("t", "g2", second[1], "y")]
    return "\n".join(f'efa("{s}")*{f} =~ {loadings(label, item)}' for s, f, label, item in sets) + "\n" + extra


# lavaan 0.6-14 (R 4.2.2) on 2026-11-28: sem(text, waves, meanstructure = TRUE)
CASES = {
    "": (-6497.785, 40, {"g1 ~~ g1": 0.996, "g2 ~~ g2": 1.090, "f1 ~~ f2": 0.443, "g1 ~~ g2": 0.540}),
    "g1 ~~ NA*g1\ng2 ~~ NA*g2": (-6459.185, 42, {"g1 ~~ g1": 1.809, "g2 ~~ g2": 1.974, "g1 ~~ g2": 0.972}),
    "g1 ~~ NA*g1\ng2 ~~ NA*g2\ng1 ~~ NA*g2": (-6459.185, 42, {"g1 ~~ g1": 1.809, "f2 ~~ g1": 0.254, "f1 ~~ g2": 0.317}),
}


@pytest.mark.parametrize("extra", CASES)
def test_as_lavaan(waves: pd.DataFrame, extra: str) -> None:
    loglik, free, moments = CASES[extra]
    fit = sl.Model(text(extra)).fit(waves)
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=6e-4)  # printed with three decimals
    assert fit.n_free == free
    est = fit.params.set_index("name")["est"]
    for name, value in moments.items():
        assert est[name] == pytest.approx(value, abs=2e-3)  # rotations stop at a gradient of 1e-5
    loadings = fit.params[fit.params.op == "=~"].groupby("lhs")["est"].apply(list)
    assert loadings["g1"] == pytest.approx(loadings["f1"], abs=1e-8)


def test_loadings_of_their_own_have_a_rotation_of_their_own(waves: pd.DataFrame) -> None:
    fit = sl.Model(text(second="cd")).fit(waves)
    assert fit.n_free == 50  # 2 x 11 loadings, 12 intercepts, 12 residual variances, 4 covariances across the sets
    assert fit.loglik > -6459.185
    with pytest.raises(sl.FitError, match="can't estimate a rotation"):
        sl.Model(text("g1 ~~ NA*g1", second="cd")).fit(waves)


def test_three_sets(waves: pd.DataFrame) -> None:
    """A third set of the same loadings follows, too."""
    rng = np.random.default_rng(3)
    data = waves.assign(**{f"z{i}": waves[f"y{i}"] + 0.4 * rng.normal(size=500) for i in ITEMS})
    third = "\n".join(
        f'efa("u")*h{k} =~ ' + " + ".join(f"{label}{i}*z{i}" for i in ITEMS) for k, label in ((1, "a"), (2, "b"))
    )
    fit = sl.Model(text(third)).fit(data)
    loadings = fit.params[fit.params.op == "=~"].groupby("lhs")["est"].apply(list)
    assert loadings["h2"] == pytest.approx(loadings["f2"], abs=1e-8)
    assert {"g1 ~~ g2", "h1 ~~ h2"} <= set(fit.params.query("se > 0").name)
