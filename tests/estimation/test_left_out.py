"""What is left out for missing covariates; residual covariances beside responses that are not gaussian."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n = 300
    e = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.4], [0.0, 0.8]])
    z = rng.normal(size=n)
    b = rng.binomial(1, 1 / (1 + np.exp(-z)))
    out = pd.DataFrame({"y1": 0.5 * z + e[:, 0], "y2": -z + e[:, 1], "b": b, "z": z, "x": rng.normal(size=n)})
    out.loc[:19, "x"] = np.nan
    return out


def test_closed_forms_count_missing_covariates(frame: pd.DataFrame) -> None:
    closed = sl.Model("y1 ~ x").fit(frame)
    quadrature = sl.Model("b :: binomial(logit)\nb ~ x").fit(frame)

    assert closed.estimate.dropped == quadrature.estimate.dropped == {"x missing": 20}


def test_residual_covariance_beside_a_binary_response(frame: pd.DataFrame) -> None:
    """Without a path between them the likelihood is the product of the two parts."""
    together = sl.Model("b :: binomial(logit)\ny1 ~ z\ny2 ~ z\ny1 ~~ y2\nb ~ z").fit(frame)
    gaussian = sl.Model("y1 ~ z\ny2 ~ z\ny1 ~~ y2").fit(frame)
    binary = sl.Model("b :: binomial(logit)\nb ~ z").fit(frame)

    assert together.loglik == pytest.approx(gaussian.loglik + binary.loglik, abs=1e-6)


def test_rows_read_and_left_out(frame: pd.DataFrame) -> None:
    """Rows without any response that counts are told apart from single responses; sizes are those of what counts."""
    few = frame.copy()
    few.loc[30:39, ["y1", "y2"]] = np.nan
    few.loc[50:54, "y2"] = np.nan
    fit = sl.Model("y1 ~ x\ny2 ~ z").fit(few)
    content = fit.to_json()

    assert (content["n_rows_read"], content["n_rows"], content["information"]["n"]) == (300, 290, 290)
    assert content["left_out"] == [
        {"what": "rows", "n": 10, "reason": "no response"},
        {"what": "responses", "n": 20, "reason": "x missing"},
    ]
    assert "Rows             290 of 300" in fit.summary()
    assert sl.Model("y1 ~ x\ny2 ~ x").fit(few).to_json()["left_out"] == [
        {"what": "rows", "n": 20, "reason": "x missing"},
        {"what": "rows", "n": 10, "reason": "no response"},
    ]
