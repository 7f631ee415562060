"""What people read of a fit, against lavaan: estimates, three kinds of standard errors, z, p, AIC, BIC, JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import semlang as sl

EXAMPLES = Path(__file__).parents[2] / "examples"
HS = EXAMPLES / "holzinger-swineford" / "holzinger-swineford.csv"
SLEEP = EXAMPLES / "sleepstudy" / "sleepstudy.csv"
CFA = "visual =~ x1 + a*x2 + x3\ntextual =~ x4 + x5 + x6\ntwice := 2*a\n"
KEY = ["lhs", "op", "rhs"]


@pytest.fixture(scope="module")
def lavaan() -> pd.DataFrame:
    """lavaan 0.6-14 (R 4.2.2, 2026-11-28): cfa(meanstructure = TRUE), information = "observed" (`observed`), with
    missing = "ml" and se = "robust.huber.white" (`robust`) and information = "first.order" (`opg`)."""
    frame = pd.read_csv(Path(__file__).with_name("lavaan.csv"), skipinitialspace=True, keep_default_na=False)
    frame[KEY] = frame[KEY].apply(lambda column: column.str.strip())
    return frame.set_index(KEY)


@pytest.fixture(scope="module")
def fits() -> dict[str, sl.Fit]:
    model = sl.Model(CFA)
    return {se: model.fit(HS, se=se, threads=1) for se in ("observed", "robust", "opg", "none")}


@pytest.mark.parametrize("kind", ["observed", "robust", "opg"])
def test_estimates_and_standard_errors(kind: str, fits: dict[str, sl.Fit], lavaan: pd.DataFrame) -> None:
    """The sandwich has the factor J / (J - 1) here, and not in lavaan."""
    mine = fits[kind].params.set_index(KEY)
    assert set(mine.index) == set(lavaan.index)
    both = mine.join(lavaan.rename(columns={"est": "est.lavaan", "label": "label.lavaan"}))
    factor = math.sqrt(301 / 300) if kind == "robust" else 1.0

    # lavaan stops at a gradient of about 1e-6; the estimates agree to 2e-5 of their standard errors or so
    np.testing.assert_allclose(both["est"], both["est.lavaan"], atol=2e-5)
    free = both[kind] > 0
    assert free.sum() == 20
    np.testing.assert_allclose(both["se"][free], both[kind][free] * factor, rtol=2e-4)
    assert both["se"][~free].isna().all()


def test_z_and_p(fits: dict[str, sl.Fit], lavaan: pd.DataFrame) -> None:
    params = fits["robust"].params.set_index(KEY)
    row = params.loc[("visual", "=~", "x3")]
    assert row["z"] == pytest.approx(4.369 / math.sqrt(301 / 300), abs=1e-3)
    assert row["p"] == pytest.approx(2 * stats.norm.sf(row["z"]), rel=1e-12, abs=0)
    fixed = params.loc[("visual", "=~", "x1")]
    assert math.isnan(fixed["z"])
    assert math.isnan(fixed["p"])


def test_information_criteria(fits: dict[str, sl.Fit]) -> None:
    """lavaan 0.6-14: logLik, AIC, BIC."""
    fit = fits["observed"]
    assert fit.loglik == pytest.approx(-2520.251721, abs=1e-5)
    assert fit.aic == pytest.approx(5078.503442, abs=1e-5)
    assert fit.bic == pytest.approx(5148.938537, abs=1e-5)
    assert dict(fit.tests["value"]) == {"loglik": fit.loglik, "n_free": 19.0, "aic": fit.aic, "bic": fit.bic}


def test_bic_counts_units_of_the_top_level() -> None:
    """lme4 1.1-31: AIC 1763.939344 with 6 parameters; its BIC counts 180 rows, ours the 18 subjects."""
    fit = sl.read_model(EXAMPLES / "sleepstudy" / "model.sem").fit(threads=1)
    assert fit.aic == pytest.approx(1763.939344, abs=1e-4)
    assert fit.bic == pytest.approx(1763.939344 - 12 + 6 * math.log(18), abs=1e-4)
    assert "(n = 18)" in fit.summary()
    assert fit.to_json()["information"]["n"] == 18


def test_frequencies_are_rows_written_out() -> None:
    frame = pd.read_csv(HS)[["x1", "x2", "x3"]].round(0)
    counts = frame.value_counts().reset_index(name="k")
    text = "f =~ x1 + x2 + x3\nf ~~ 1*f\n".replace("x1", "NA*x1", 1)
    for se in ("observed", "robust", "opg"):
        short = sl.Model("frequency: k\n" + text).fit(counts, se=se, threads=1)
        long = sl.Model(text).fit(frame, se=se, threads=1)
        np.testing.assert_allclose(short.params[["est", "se"]], long.params[["est", "se"]], rtol=1e-4)
        assert (short.loglik, short.bic) == pytest.approx((long.loglik, long.bic), rel=1e-9)
        assert short.estimate.n_rows == 301


def test_one_name_joins_everything(fits: dict[str, sl.Fit]) -> None:
    fit = fits["observed"]
    free = fit.params[fit.params["free"] > 0]
    assert list(fit.vcov.index) == list(fit.vcov.columns) == fit.parameter_names
    se = pd.Series(np.sqrt(np.diag(fit.vcov)), fit.vcov.index)
    np.testing.assert_allclose(free["se"], se[free["name"]], rtol=1e-12)
    assert [p["name"] for p in fit.to_json()["parameters"]] == list(fit.params["name"])[:-1]
    for name in free["name"]:
        assert any(line.split("  ")[1:2] == [name] or f" {name} " in line for line in fit.summary().splitlines()), name
    again = sl.Model(CFA).fit(HS, start=dict(zip(free["name"], free["est"], strict=True)), threads=1)
    assert len(again.estimate.log) <= 2


def test_covariances_of_estimates(fits: dict[str, sl.Fit]) -> None:
    """lavaan 0.6-14: vcov(cfa(..., information = "observed"))."""
    v = fits["observed"].vcov
    assert v.loc["a", "visual =~ x3"] == pytest.approx(0.010140506, rel=1e-4)
    assert v.loc["a", "textual =~ x5"] == pytest.approx(0.00011722957, rel=1e-3)
    assert fits["none"].vcov is None
    assert fits["none"].params["se"].isna().all()


def test_json_is_plain_and_whole(fits: dict[str, sl.Fit]) -> None:
    result = json.loads(json.dumps(fits["observed"].to_json(), allow_nan=False))
    assert result["converged"] is True
    assert (result["n_rows"], result["n_free"]) == (301, 19)
    assert result["information"] == {
        "aic": pytest.approx(5078.503442, abs=1e-5),
        "bic": pytest.approx(5148.938537, abs=1e-5),
        "n": 301,
    }
    by_name = {p["name"]: p for p in result["parameters"]}
    assert by_name["a"] | {"est": 0, "se": 0, "std_all": 0, "std_lv": 0} == {
        "name": "a", "lhs": "visual", "op": "=~", "rhs": "x2", "level": "rows", "group": "", "label": "a", "free": 1,
        "est": 0, "se": 0, "std_all": 0, "std_lv": 0,
    }  # fmt: skip
    assert by_name["a"]["se"] == pytest.approx(0.1243, abs=1e-4)
    assert by_name["visual =~ x1"]["se"] is None
    (defined,) = result["defined"]
    assert (defined["lhs"], defined["op"], defined["rhs"]) == ("twice", ":=", "2*a")
    assert defined["est"] == pytest.approx(2 * by_name["a"]["est"])
    assert defined["se"] == pytest.approx(2 * by_name["a"]["se"])


def test_params_end_with_defined_parameters(fits: dict[str, sl.Fit]) -> None:
    last = fits["observed"].params.iloc[-1]
    assert (last["name"], last["op"], last["rhs"]) == ("twice", ":=", "2*a")
    assert last["z"] == pytest.approx(4.498, abs=1e-3)


def test_sleepstudy_against_lme4() -> None:
    """lme4 1.1-31, lmer(REML = FALSE): fixed effects and the covariance matrix of the random ones."""
    fit = sl.read_model(EXAMPLES / "sleepstudy" / "model.sem").fit(threads=1)
    est = fit.params.set_index("name")["est"]
    expected = {
        "Reaction ~1": 251.40510485,
        "Reaction ~ Days": 10.46728596,
        "Reaction.1[Subject] ~~ Reaction.1[Subject]": 565.47696613,
        "Reaction.1[Subject] ~~ Reaction.Days[Subject]": 11.05512239,
        "Reaction.Days[Subject] ~~ Reaction.Days[Subject]": 32.68178525,
        "Reaction ~~ Reaction": 654.94570576,
    }
    # lmer's optimiser stops at about 1e-5 of the standard deviations
    for name, value in expected.items():
        assert est[name] == pytest.approx(value, rel=2e-3 if "Reaction.1[Subject] ~~ Reaction.Days" in name else 2e-4)


def test_predictors_that_are_almost_collinear_have_the_standard_errors_of_least_squares() -> None:
    """Correlation 1 - 1e-6: the information is near singular, and right."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    frame = pd.DataFrame({"x": x, "z": x + 1e-3 * rng.normal(size=200)})
    frame["y"] = x + rng.normal(size=200)
    X = np.column_stack([np.ones(200), frame[["x", "z"]]])
    beta, (rss,), *_ = np.linalg.lstsq(X, frame["y"].to_numpy(), rcond=None)
    se = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * rss / 200)
    found = sl.Model("y ~ x + z").fit(frame, threads=1).params.set_index("name").loc[["y ~1", "y ~ x", "y ~ z"]]
    # the condition number of the information is 1e6, and estimates end at 1e-6 of their standard errors
    assert found["est"].to_numpy() == pytest.approx(beta, abs=1e-4 * se[1])
    assert found["se"].to_numpy() == pytest.approx(se, rel=1e-5)
