"""One parameter space for each kind of row, whatever the engine.

``inputs/two_levels.csv`` and ``inputs/heywood.csv`` are simulated; values are those of lavaan 0.6-14 (2026-11-28) with
``missing = "ml", information = "observed"``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.estimation.space import never_negative
from semlang.results.comparison import compare_fits

INPUTS = Path(__file__).parent / "inputs"
BLOCKS = "cluster: cluster\nlevel: 1\n fw =~ y1 + y2 + y3\n y4 ~ fw\nlevel: 2\n fb =~ y1 + y2 + y3\n"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("y ~ 1 + x + (1 + x | g)", {"y.1[g]", "y.x[g]"}),
        ("cluster: g\ny ~ 1 + x + y[g]", {"y[g]"}),
        ("cluster: g\nf =~ y1 + y2 + y3\nb[g] =~ y1 + y2 + y3", {"b[g]"}),
        ("cluster: g\nlevel: 1\nf =~ y1 + y2 + y3\nlevel: 2\nb =~ y1 + y2 + y3", set()),
        ("f =~ y1 + y2 + y3", set()),
    ],
)
def test_which_variances_are_never_negative(text, keys):
    assert never_negative(Model(text).parameter_table) == keys


def test_blocks_may_have_negative_variances_whatever_is_missing():
    frame = pd.read_csv(INPUTS / "two_levels.csv")
    complete = Model(BLOCKS).fit(frame)
    frame.loc[5, "y2"] = np.nan
    missing = Model(BLOCKS).fit(frame)
    for fit, loglik, variance in ((complete, -5080.03124727, -0.00892238), (missing, -5078.890948, -0.00867638)):
        assert fit.converged
        assert fit.loglik == pytest.approx(loglik, abs=1e-5)
        row = fit.params.query("lhs == 'y1' and rhs == 'y1' and level == 'cluster'")
        assert float(row.est.iloc[0]) == pytest.approx(variance, abs=5e-6)  # lavaan ends at 1e-6 of a gradient


def test_negative_residual_variance_with_many_missing_patterns():
    fit = Model("f =~ y1 + y2 + y3 + y4 + y5 + y6").fit(pd.read_csv(INPUTS / "heywood.csv"))
    assert fit.converged
    assert "ByRow" in fit.estimate.method
    assert fit.loglik == pytest.approx(-592.9790994, abs=1e-5)
    variance = float(fit.params.query("lhs == 'y1' and rhs == 'y1'").est.iloc[0])
    assert variance == pytest.approx(-1.283, abs=6e-4)  # lavaan shows three digits


def _negative_correlation(seed: int) -> pd.DataFrame:
    """Clusters whose members differ more than they would by chance: the covariance within clusters is negative."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(30, 6))
    x = rng.normal(size=(30, 6))
    y = 1 + 0.5 * x + z - 0.95 * z.mean(axis=1, keepdims=True)
    return pd.DataFrame({"y": y.ravel(), "x": x.ravel(), "g": np.repeat(np.arange(30), 6)})


def _regression(frame: pd.DataFrame) -> float:
    """Log-likelihood of least squares, which is that of a random intercept without variance."""
    frame = frame.dropna()
    X = np.column_stack([np.ones(len(frame)), frame.x])
    residual = frame.y - X @ np.linalg.lstsq(X, frame.y, rcond=None)[0]
    return float(-0.5 * len(frame) * (np.log(2 * np.pi * np.mean(residual**2)) + 1))


@pytest.mark.parametrize(
    "text",
    ["y ~ 1 + x + (1 | g)", "cluster: g\ny ~ 1 + x + y[g]", "y ~ 1 + x + (1 + x || g)", "y ~ 1 + x + (1 + x | g)"],
)
@pytest.mark.parametrize("missing", [False, True])
def test_effects_of_clusters_stop_at_zero(text, missing):
    frame = _negative_correlation(5)
    if missing:
        frame.loc[3, "y"] = np.nan
    fit = Model(text).fit(frame)
    variances = fit.params.query("op == '~~' and lhs == rhs and lhs != 'y'")
    assert fit.converged
    assert (variances.est > -1e-12).all()
    least = _regression(frame)
    # lme4's space: a slope may gain, an intercept of negative variance may not
    assert fit.loglik == pytest.approx(least, abs=1e-6) if "x |" not in text else fit.loglik >= least - 1e-6


def test_the_larger_model_is_not_less_likely():
    frame = _negative_correlation(5)
    one, two = (Model(f"y ~ 1 + x + ({effects} || g)").fit(frame) for effects in ("1", "1 + x"))
    compared = compare_fits(one, two)
    assert two.loglik >= one.loglik - 1e-6
    assert compared.statistic == pytest.approx(0.0, abs=1e-6)
