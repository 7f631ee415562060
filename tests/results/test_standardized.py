"""Standardised solutions beside lavaan's, and of residuals whose scale depends on covariates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl

from .conftest import CFA, HS

LINES = (Path(__file__).parent / "lavaan_standardized.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("which", "of_lavaan"), [("lv", "std.lv"), ("all", "std.all"), ("nox", "std.nox")])
def test_three_ways_to_standardise_beside_lavaan(which: str, of_lavaan: str) -> None:
    """Loadings, covariates, residual covariances and intercepts; covariates' own moments are no parameters here."""
    text = CFA + "visual ~ ageyr\nspeed ~ visual + ageyr\nx9 ~ sex\nvisual ~~ textual\nx1 ~~ x9\n"
    found = sl.Model(text).fit(pd.read_csv(HS), threads=1).standardized(which)
    rows = {(r.lhs, r.op, r.rhs or ""): (r.est, r.se) for r in found.set_axis(
        ["est" if c.startswith("est") else c for c in found.columns], axis=1).itertuples()}  # fmt: skip
    compared = 0
    for line in LINES[1:]:
        kind, lhs, op, rest = line.split(maxsplit=3)
        *rhs, est, se = rest.split()
        if kind == of_lavaan and lhs not in ("ageyr", "sex"):
            mine = rows[lhs, op, "".join(rhs)]
            # lavaan's optimiser stops at 1e-9 of its objective: five digits of estimates, four of standard errors
            assert mine[0] == pytest.approx(float(est), abs=2e-5)
            assert np.nan_to_num(mine[1]) == pytest.approx(float(se), abs=1e-4)
            compared += 1
    assert compared == 39


def test_a_residual_scale_that_depends_on_a_covariate_is_averaged_over_the_data() -> None:
    """R-squared is 1 less the mean of exp(2 log sigma) over the rows, by the variance that model and data imply."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    frame = pd.DataFrame({"x": x, "y": 1 + 0.5 * x + np.exp(0.2 + 0.4 * x) * rng.normal(size=400)})
    fit = sl.Model("y :: gaussian\ny ~ x\nsigma(y) ~ 1 + x").fit(frame, threads=1)
    e = fit.params.set_index("name")["est"]
    residual = np.exp(2 * (e["sigma(y) ~1"] + e["sigma(y) ~ x"] * x)).mean()
    explained = e["y ~ x"] ** 2 * x.var()
    assert fit.r_squared().loc["y", "r2"] == pytest.approx(explained / (explained + residual), rel=1e-8)
    std = fit.standardized().set_index(["lhs", "op", "rhs"])["est.std"]
    assert std["y", "~", "x"] ** 2 == pytest.approx(explained / (explained + residual), rel=1e-8)


def test_the_unit_of_a_covariate_is_no_matter() -> None:
    """A covariate in thousandths, and one whose variance is a billionth of its mean square."""
    frame = pd.read_csv(HS)
    text = CFA + "visual ~ ageyr\n"
    one = sl.Model(text).fit(frame, threads=1).standardized()
    for age in (frame["ageyr"] / 1000.0, 3e4 + frame["ageyr"]):
        other = sl.Model(text).fit(frame.assign(ageyr=age), threads=1).standardized()
        # both searches end at 1e-6 of the standard errors; of a mean of 30000 intercepts follow
        row = [(t.op == "~") | (t.op == "=~") for t in (one, other)]
        np.testing.assert_allclose(other["est.std"][row[1]], one["est.std"][row[0]], atol=2e-5)
        np.testing.assert_allclose(other["se"][row[1]], one["se"][row[0]], rtol=1e-3)
