"""Tests of what is read off a fit, beside lavaan's numbers and beside fits of larger models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import semlang as sl

from .conftest import CFA, EQUAL, HS, POLDEM, ROOT

CASES = ("complete", "equal", "missing")


def of(frame: pd.DataFrame, lhs: str, op: str, rhs: str) -> pd.Series:
    ends = ((frame.lhs == lhs) & (frame.rhs == rhs)) | ((op == "~~") & (frame.lhs == rhs) & (frame.rhs == lhs))
    found = frame[(frame.op == op) & ends]
    assert len(found) == 1, (lhs, op, rhs)
    return found.iloc[0]


@pytest.mark.parametrize("case", CASES)
def test_measures(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    measures = fits[case].measures()
    for name, value in lavaan[case]["measures"].items():
        assert measures[name] == pytest.approx(value, rel=1e-5, abs=1e-10), name


# lavaan 0.6-14, cfa(..., missing = "ml", meanstructure = TRUE), HolzingerSwineford1939, 2026-11-28
ALL_MEASURES = {
    "": {
        "nfi": 0.907160718048, "rfi": 0.860741077073, "ifi": 0.931490849987, "rni": 0.930559651799,
        "tli": 0.895839477699, "cfi": 0.930559651799, "bic2": 7551.56022251, "rmsea.ci.lower": 0.0714184904399,
        "rmsea.ci.upper": 0.113678016812, "rmsea.pvalue": 6.61236778052e-04, "rmsea.notclose.pvalue": 0.839552896763,
    },
    "groups: school\n": {
        "nfi": 0.879040418180, "rfi": 0.818560627269, "ifi": 0.925419155767, "rni": 0.923398380419,
        "tli": 0.885097570629, "cfi": 0.923398380419, "bic2": 7516.53576265, "rmsea.ci.lower": 0.0745052867676,
        "rmsea.ci.upper": 0.119582825876, "rmsea.pvalue": 5.92538787401e-04, "rmsea.notclose.pvalue": 0.896599254255,
    },
}  # fmt: skip


@pytest.mark.parametrize("groups", ALL_MEASURES)
def test_every_measure_beside_lavaan(groups: str) -> None:
    fit = sl.Model(groups + CFA).fit(HS, threads=1)
    measures = fit.measures()
    for name, value in ALL_MEASURES[groups].items():
        # both are at their maxima to 1e-7 of the log-likelihood; p values of 1e-4 move by 1e-5 of themselves with that
        assert measures[name] == pytest.approx(value, rel=2e-5), name


def test_standardised_loadings_of_groups_are_those_of_their_group() -> None:
    """lavaan 0.6-14, standardizedSolution of the same fit, rounded to three decimals."""
    fit = sl.Model("groups: school\n" + CFA).fit(HS, threads=1)
    found = fit.standardized()
    shown = {"Pasteur": [0.887, 0.336, 0.515], "Grant-White": [0.677, 0.517, 0.694]}
    for group, values in shown.items():
        rows = found[(found["op"] == "=~") & (found["lhs"] == "visual") & (found["group"] == group)]
        assert rows["est.std"].to_list() == pytest.approx(values, abs=6e-4)


@pytest.mark.parametrize("case", CASES)
def test_standardized(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    """Estimates and delta standard errors."""
    found = fits[case].standardized()
    assert lavaan[case]["standardized"]
    for row in lavaan[case]["standardized"]:
        mine = of(found, row["lhs"], row["op"], row["rhs"])
        assert mine["est.std"] == pytest.approx(row["est.std"], abs=1e-4)
        assert np.nan_to_num(mine["se"]) == pytest.approx(row["se"], abs=1e-4)


@pytest.mark.parametrize("case", ["complete", "equal"])
def test_latent_variables_standardized(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    found = fits[case].standardized("lv")
    for row in lavaan[case]["std_lv"]:
        assert of(found, row["lhs"], row["op"], row["rhs"])["est.std"] == pytest.approx(row["est.std"], abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_r_squared(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    found = fits[case].r_squared()["r2"]
    assert found.to_dict() == pytest.approx(lavaan[case]["r2"], abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_modification_indices(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    found = fits[case].modification_indices()
    for row in lavaan[case]["modification"]:
        mine = of(found, row["lhs"], row["op"], row["rhs"])
        assert mine["mi"] == pytest.approx(row["mi"], rel=1e-3)
        assert mine["epc"] == pytest.approx(row["epc"], rel=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_residual_correlations(case: str, fits: dict[str, sl.Fit], lavaan: dict[str, Any]) -> None:
    found, given = fits[case].residuals("correlation"), lavaan[case]["residual_correlations"]
    size = len(given["cov"])
    assert found.iloc[:size, :size].to_numpy() == pytest.approx(np.array(given["cov"]), abs=1e-4)
    assert found["mean"][:size].to_numpy() == pytest.approx(np.array(given["mean"]), abs=1e-4)


def test_standardized_residuals(fits: dict[str, sl.Fit]) -> None:
    """lavaan 0.6.14, 2026-11-28: resid(fit, type = "standardized"), printed with three decimals."""
    found = fits["complete"].residuals("standardized")
    given = {"x2": (-1.996,), "x3": (-0.997, 2.689), "x4": (2.679, -0.284, -1.899), "x8": (-1.380, -1.119, -0.300)}
    for row, values in given.items():
        assert found.loc[row].to_numpy()[: len(values)] == pytest.approx(np.array(values), abs=2e-3)


def test_measures_do_not_depend_on_units(fits: dict[str, sl.Fit]) -> None:
    frame = pd.read_csv(HS)
    frame["x2"] = 1000.0 * frame["x2"] - 7.0
    other = sl.Model(CFA).fit(frame, threads=1)
    names = ["chisq", "cfi", "tli", "rmsea", "srmr"]
    assert other.measures()[names].to_numpy() == pytest.approx(fits["complete"].measures()[names].to_numpy(), rel=1e-5)


def test_groups_add_up() -> None:
    """Without constraints between groups the chi-squared of a model of two groups is the sum of the two."""
    frame = pd.read_csv(HS)
    both = sl.Model("groups: school\n" + CFA).fit(frame, threads=1)
    alone = [sl.Model(CFA).fit(part, threads=1).measures("chisq") for _, part in frame.groupby("school")]
    assert both.measures("chisq") == pytest.approx(sum(alone), rel=1e-6)
    assert both.measures("df") == 48


def test_what_is_not_defined_says_why() -> None:
    fit = sl.read_model(ROOT / "examples" / "lsat" / "model.sem").fit(threads=1)
    assert "cfi" not in fit.measures()
    with pytest.raises(sl.FitError, match="'item1' is not gaussian") as problem:
        fit.measures("cfi")
    assert problem.value.diagnostics[0].slug == "undefined-measure"
    with pytest.raises(sl.FitError, match="did you mean 'cfi'") as problem:
        fit.measures("cfy")
    assert problem.value.diagnostics[0].slug == "unknown-measure"


def test_a_saturated_model_fits_perfectly() -> None:
    fit = sl.Model("x1 ~ x4 + x5\nx2 ~ x4 + x5\nx1 ~~ x2").fit(HS, threads=1)
    measures = fit.measures()
    assert measures["chisq"] == pytest.approx(0.0, abs=1e-6)
    assert measures["df"] == 0
    assert measures[["rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "tli"]].to_list() == [0.0, 0.0, 0.0, 1.0]
    assert measures["srmr"] == pytest.approx(0.0, abs=1e-6)
    assert "pvalue" not in measures


def test_probit_loadings_become_correlations() -> None:
    """A probit item with slope a on a unit latent variable has the standardised loading a / sqrt(1 + a^2)."""
    rng = np.random.default_rng(3)
    f = rng.normal(size=(500, 1))
    frame = pd.DataFrame((f + rng.normal(size=(500, 4)) > 0).astype(int), columns=["i1", "i2", "i3", "i4"])
    fit = sl.Model("options: std.lv = true\ni{1..4} :: binomial(probit)\nf =~ i{1..4}").fit(frame, threads=1)
    slopes = fit.params.loc[fit.params.op == "=~", "est"].to_numpy()
    table = fit.standardized()
    expected = slopes / np.sqrt(1 + slopes**2)
    assert table.loc[table.op == "=~", "est.std"].to_numpy() == pytest.approx(expected, rel=1e-10)
    assert fit.r_squared()["r2"].to_numpy() == pytest.approx(expected**2, rel=1e-10)


def test_a_random_intercept_gives_the_intraclass_correlation() -> None:
    fit = sl.Model("Reaction ~ Days + (1 | Subject)").fit(
        ROOT / "examples" / "sleepstudy" / "sleepstudy.csv", threads=1
    )
    p = fit.params.set_index("name")["est"]
    between, within = p["Reaction.1[Subject] ~~ Reaction.1[Subject]"], p["Reaction ~~ Reaction"]
    assert fit.icc()["icc"].to_list() == pytest.approx([between / (between + within)])


# ---------------------------------------------------------------------- tests of parameters


def test_score_tests_predict_larger_fits() -> None:
    """A score test and the likelihood ratio of the larger fit are asymptotically equal."""
    fit = sl.Model(EQUAL).fit(POLDEM, threads=1)
    larger = sl.Model(EQUAL + "ind60 =~ y5").fit(POLDEM, threads=1)
    test = fit.score_test("ind60 =~ y5").iloc[0]
    assert test["statistic"] == pytest.approx(2 * (larger.loglik - fit.loglik), rel=0.1)
    assert test["epc"] == pytest.approx(larger.params.set_index("name").loc["ind60 =~ y5", "est"], rel=0.1)


def test_single_score_tests_are_the_modification_indices(fits: dict[str, sl.Fit]) -> None:
    fit = fits["complete"]
    tests = fit.score_test("visual =~ x7; x8 ~~ x9").set_index("test")
    indices = fit.modification_indices()
    for name, place in (("visual =~ x7", ("visual", "=~", "x7")), ("x8 ~~ x9", ("x8", "~~", "x9"))):
        index = of(indices, *place)
        one = tests.loc[name]
        assert (one["df"], one["statistic"]) == (1, pytest.approx(index["mi"], rel=1e-8))
        assert one["epc"] == pytest.approx(index["epc"], rel=1e-8)
        assert one["p"] == pytest.approx(stats.chi2.sf(one["statistic"], 1), rel=1e-10, abs=0)
    joint = tests.loc["all"]
    assert joint["p"] == pytest.approx(stats.chi2.sf(joint["statistic"], 2), rel=1e-10, abs=0)


def test_indices_of_fit_with_one_degree_of_freedom() -> None:
    """By the definitions of Tucker & Lewis and of Bollen, from the two chi-squared values."""
    text = "visual =~ x1 + x2 + x3 + x4\nx1 ~~ x2"
    m = sl.Model(text).fit(HS, threads=1).measures()
    assert m["df"] == 1
    base, own = m["baseline.chisq"] / m["baseline.df"], m["chisq"] / m["df"]
    assert m["tli"] == pytest.approx((base - own) / (base - 1), rel=1e-10)
    assert m["rfi"] == pytest.approx(1 - own / base, rel=1e-10)


def test_a_product_with_an_observed_cause_is_standardised_by_its_parts() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(size=400)
    m = 0.5 * x + rng.normal(size=400)
    frame = pd.DataFrame({"x": x, "m": m, "y": m + 0.4 * m * x + rng.normal(size=400)})
    fit = sl.Model("m ~ x\ny ~ m + x + m:x").fit(frame, threads=1)
    table = fit.standardized().set_index(["lhs", "op", "rhs"])["est.std"]
    plain = fit.params.set_index("name")["est"]
    ratio = {r: table["y", "~", r] / plain[f"y ~ {r}"] for r in ("m", "x", "m:x")}
    assert ratio["m:x"] == pytest.approx(ratio["m"] * x.std(), rel=1e-6)


def test_score_test_of_a_constraint_and_wald_test_of_the_equation() -> None:
    text = "visual =~ x1 + x2 + x3\ntextual =~ x4 + a*x5 + b*x6\n"
    free, equal = (sl.Model(t).fit(HS, threads=1) for t in (text, text + "a == b"))
    ratio = 2 * (free.loglik - equal.loglik)
    assert free.wald("a == b")["statistic"].item() == pytest.approx(ratio, rel=0.05)
    assert equal.score_test("b == a")["statistic"].item() == pytest.approx(ratio, rel=0.05)
    assert free.wald("a == b; b == 1")["df"].to_list() == [1, 1, 2]


def test_modification_indices_of_item_response_models() -> None:
    """Freeing the slopes of a Rasch model: score tests beside the likelihood ratio of the two-parameter model."""
    rasch, free = (sl.read_model(ROOT / "examples" / "lsat" / f"{n}.sem").fit(threads=1) for n in ("rasch", "model"))
    joint = rasch.score_test("ability =~ item1 + item2 + item3 + item4 + item5").iloc[-1]
    assert joint["df"] == 4
    assert joint["statistic"] == pytest.approx(2 * (free.loglik - rasch.loglik), abs=0.15)


def test_a_parameter_that_moves_nothing_else_has_no_index(fits: dict[str, sl.Fit]) -> None:
    """Markers are not identified beside the other loadings; neither are means of latent variables."""
    found = fits["complete"].modification_indices()
    assert not ((found.lhs == "visual") & (found.rhs == "x1") & (found.op == "=~")).any()
    assert not (found.op == "~1").any()


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda fit: fit.wald("a == 0"), "unknown-label"),
        (lambda fit: fit.wald("visual =~ x1"), "not-an-equation"),
        (lambda fit: fit.score_test("visual =~ x2"), "not-testable"),
        (lambda fit: fit.score_test("a == b"), "not-testable"),
        (lambda fit: fit.standardized("std.all"), "not-a-choice"),
        (lambda fit: fit.residuals("cor"), "not-a-choice"),
    ],
)
def test_wrong_questions(call: Any, slug: str, fits: dict[str, sl.Fit]) -> None:
    with pytest.raises(sl.SemlangError) as problem:
        call(fits["complete"])
    assert [d.slug for d in problem.value.diagnostics] == [slug]


def test_no_covariance_matrix() -> None:
    fit = sl.Model("x1 ~ a*x2").fit(HS, se="none", threads=1)
    with pytest.raises(sl.FitError) as problem:
        fit.wald("a == 0")
    assert problem.value.diagnostics[0].slug == "no-covariance-matrix"


def test_no_score_test() -> None:
    """A variance at zero has no derivative in its own parameter."""
    rng = np.random.default_rng(5)
    y, g = np.tile([0, 1, 0, 1, 1, 0], 40), np.repeat(range(40), 6)
    frame = pd.DataFrame(
        {"y": y, "z": rng.integers(0, 2, 240), "x": rng.normal(size=240), "w": 1 - y % 2 + g % 2, "g": g}
    )
    fit = sl.Model("y :: binomial(logit)\nz :: binomial(logit)\ny ~ x + (1 | g)\nz ~ w").fit(frame, threads=1)
    theta = np.where(np.abs(fit.estimate.theta) < 1e-9, 0.0, fit.estimate.theta)
    fit = replace(fit, estimate=replace(fit.estimate, theta=theta))
    with pytest.raises(sl.FitError) as problem:
        fit.modification_indices()
    assert problem.value.diagnostics[0].slug == "no-score-test"


# ---------------------------------------------------------------------- covariates, groups, levels


def test_covariates_and_groups_beside_lavaan() -> None:
    """lavaan 0.6.14, 2026-11-28, information = "observed": covariates in the moments, equal loadings over groups."""
    frame = pd.read_csv(HS).assign(sexn=lambda d: d["sex"] - 1)
    text = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ sexn + ageyr\ntextual ~ sexn + visual\nx1 ~ ageyr"
    fit = sl.Model(text).fit(frame, threads=1)
    measures = fit.measures()[["chisq", "df", "baseline.chisq", "baseline.df", "cfi", "rmsea", "srmr", "logl"]]
    given = [46.57245432, 16, 705.45944320, 27, 0.95493842, 0.07967497, 0.05548275, -2512.94928068]
    assert measures.to_numpy() == pytest.approx(given, rel=1e-5)
    rows = {"sexn": (-0.203, 0.072, -0.405), "ageyr": (-0.118, 0.084, -0.112)}
    for name, (std_all, se, nox) in rows.items():
        found = of(fit.standardized(), "visual", "~", name)
        assert (found["est.std"], found["se"]) == (pytest.approx(std_all, abs=6e-4), pytest.approx(se, abs=6e-4))
        assert of(fit.standardized("nox"), "visual", "~", name)["est.std"] == pytest.approx(nox, abs=6e-4)
    groups = "groups: school\nvisual =~ x1 + c(a,a)*x2 + c(b,b)*x3\ntextual =~ x4 + c(e,e)*x5 + c(g,g)*x6"
    measures = sl.Model(groups).fit(frame, threads=1).measures()[["chisq", "df", "cfi", "tli", "rmsea", "srmr"]]
    assert measures.to_numpy() == pytest.approx(
        [38.94708517, 20, 0.97046163, 0.95569244, 0.07933923, 0.05706281], rel=1e-5
    )


def test_parts_of_levels() -> None:
    """Inside level blocks a response stands for its part of the level: covariates of clusters are no part within."""
    rng = np.random.default_rng(14)
    g = np.repeat(np.arange(60), 6)
    w, u, f = rng.normal(size=60), rng.normal(size=60), rng.normal(size=360)
    frame = pd.DataFrame({f"y{k}": f + (2 * w + u)[g] + rng.normal(size=360) for k in (1, 2, 3)})
    frame = frame.assign(w=w[g], g=g)
    text = "level: 1\nfw =~ y1 + y2 + y3\nlevel: 2\nfb =~ y1 + y2 + y3\nfb ~ w"
    fit = sl.Model(text, cluster="g").fit(frame, threads=1)
    p = fit.params.set_index(["lhs", "op", "rhs", "level"])["est"]
    within = p["fw", "~~", "fw", "rows"] * p["fw", "=~", "y2", "rows"] ** 2
    share = within / (within + p["y2", "~~", "y2", "rows"])
    found = fit.standardized().set_index(["lhs", "op", "rhs", "level"])["est.std"]
    assert found["fw", "=~", "y2", "rows"] == pytest.approx(np.sqrt(share))
    slope = p["fb", "~", "w", "g"]
    total = slope**2 * np.var(w) + p["fb", "~~", "fb", "g"]
    assert found["fb", "~", "w", "g"] == pytest.approx(slope * np.std(w) / np.sqrt(total))
    r2 = fit.r_squared().reset_index().set_index(["variable", "level"])["r2"]
    assert r2["y2", "rows"] == pytest.approx(share)


def test_reliability(fits: dict[str, sl.Fit]) -> None:
    """omega by the estimates; with two parallel items both reliabilities of scores are that of the sum."""
    fit = fits["complete"]
    p = fit.params.set_index("name")["est"]
    loadings = [1.0, p["textual =~ x5"], p["textual =~ x6"]]
    common = sum(loadings) ** 2 * p["textual ~~ textual"]
    errors = p["x4 ~~ x4"] + p["x5 ~~ x5"] + p["x6 ~~ x6"]
    found = fit.reliability()
    assert found.loc["textual", "omega"] == pytest.approx(common / (common + errors))
    assert found.loc["textual", "omega"] == pytest.approx(found.loc["textual", "composite"])
    parallel = sl.Model("f =~ 1*x4 + 1*x5\nx4 ~~ e*x4\nx5 ~~ e*x5").fit(HS, threads=1).reliability().loc["f"]
    assert parallel["marginal"] == pytest.approx(parallel["omega"], rel=1e-6)
    assert parallel["empirical"] == pytest.approx(parallel["omega"], abs=0.02)
    items = sl.read_model(ROOT / "examples" / "lsat" / "model.sem").fit(threads=1).reliability().loc["ability"]
    assert 0.2 < items["empirical"] < items["omega"]


def test_a_fit_closer_than_chance_has_no_misfit() -> None:
    """With T below its degrees of freedom CFI is 1 and RMSEA 0, whatever the baseline (Bentler 1990)."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)), columns=list("abcd"))
    m = sl.Model("f =~ a + b + c + d").fit(frame, threads=1).measures()
    assert m["chisq"] < m["df"]
    assert (m["cfi"], m["rmsea"]) == (1.0, 0.0)
    assert m["tli"] > 1.0


def test_residual_moments_beside_covariates() -> None:
    """Observed less implied by hand: the path from z to y that the model leaves out is all that is wrong."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 200))
    z = z + 0.3 * x
    frame = pd.DataFrame({"x": x, "z": z, "m": 0.5 * x + rng.normal(size=200)})
    frame["y"] = 1.0 + frame.m + 0.4 * z + rng.normal(size=200)
    fit = sl.Model("m ~ x + z\ny ~ b*m + 0*z").fit(frame, threads=1)
    found = fit.residuals("raw")
    p = fit.params.set_index("name")["est"]
    S = frame[["m", "y", "x", "z"]].cov(ddof=0)
    # m is saturated given x and z; y is b m + e
    expected = {c: S.loc["y", c] - p["b"] * S.loc["m", c] for c in ("m", "x", "z")}
    assert found.columns.tolist() == ["m", "y", "x", "z", "mean"]
    for c, value in expected.items():
        # the search ends at 1e-6 of the standard errors
        assert found.loc["y", c] == pytest.approx(value, abs=1e-5), c
        assert found.loc[c, "y"] == pytest.approx(value, abs=1e-5), c
    assert found.loc["y", "z"] > 0.1
    assert found.loc[["m", "x", "z"], ["m", "x", "z", "mean"]].to_numpy() == pytest.approx(0.0, abs=1e-5)


def test_a_wald_test_needs_the_standard_errors_of_its_own_parameters_alone() -> None:
    """One parameter without a variance: the test of another is (b / se)^2, and its own is refused."""
    fit = sl.Model("x1 ~ a*x2 + b*x3").fit(HS, threads=1)
    vcov = fit.estimate.vcov.copy()
    vcov[0], vcov[:, 0] = np.nan, np.nan
    fit = replace(fit, estimate=replace(fit.estimate, vcov=vcov))
    row = fit.params.set_index("name").loc["b"]
    test = fit.wald("b == 0").iloc[0]
    assert test["statistic"] == pytest.approx((row["est"] / row["se"]) ** 2, rel=1e-10)
    with pytest.raises(sl.FitError, match="a parameter of the test has no standard error"):
        fit.wald("a == 0")


def test_score_tests_name_their_groups() -> None:
    fit = sl.Model("groups: school\n" + CFA).fit(HS, threads=1)
    tests = fit.score_test("visual =~ x9").set_index("test")["statistic"]
    indices = fit.modification_indices()
    indices = indices[(indices["lhs"] == "visual") & (indices["rhs"] == "x9") & (indices["op"] == "=~")]
    assert len(indices) == 2
    for group, mi in indices.set_index("group")["mi"].items():
        assert tests[f"visual =~ x9 ({group})"] == pytest.approx(mi, rel=1e-8)
    # groups share nothing: the joint statistic is the sum
    assert tests["all"] == pytest.approx(indices["mi"].sum(), rel=1e-6)


def test_a_score_test_is_of_the_constraint_that_it_names() -> None:
    """Of two constraints one at a time: beside the likelihood ratio of the model without that one."""
    text = "visual =~ x1 + c*x2 + d*x3\ntextual =~ x4 + a*x5 + b*x6\n"
    both = sl.Model(text + "c == d\na == b").fit(HS, threads=1)
    for asked, left in (("c == d", "a == b"), ("a == b", "c == d")):
        free = sl.Model(text + left).fit(HS, threads=1)
        ratio = 2 * (free.loglik - both.loglik)
        # the two statistics differ by some n^(-1/2) = 0.06 of themselves
        assert both.score_test(asked)["statistic"].item() == pytest.approx(ratio, rel=0.12)


@pytest.mark.parametrize("excess", [0.05, -0.05])
def test_cfi_of_a_model_that_is_its_baseline(excess: float) -> None:
    """Two responses whose correlation makes T0 = 1 + excess: CFI is 0 above the one degree of freedom, and 1 below."""
    rng = np.random.default_rng(1)
    e = np.linalg.qr(np.column_stack([np.ones(100), rng.normal(size=(100, 2))]))[0][:, 1:]
    r = np.sqrt(1 - np.exp(-(1 + excess) / 100))
    frame = pd.DataFrame({"a": e[:, 0], "b": r * e[:, 0] + np.sqrt(1 - r**2) * e[:, 1]}) * 10.0
    m = sl.Model("a ~ 1\nb ~ 1\na ~~ 0*b").fit(frame, threads=1).measures()
    assert (m["chisq"], m["baseline.chisq"]) == (pytest.approx(1 + excess, abs=1e-6),) * 2
    assert (m["df"], m["baseline.df"]) == (1, 1)
    assert m["cfi"] == pytest.approx(0.0 if excess > 0 else 1.0, abs=1e-9)


def test_reliability_is_that_of_a_sum_of_responses() -> None:
    """One response is no sum, and a sum of responses and latent variables has no omega."""
    fit = sl.Model("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ f + g + x7 + x8\no =~ 1*x9\nx9 ~~ 0.3*x9").fit(
        HS, threads=1
    )
    found = fit.reliability()
    assert found.loc[["f", "g"], ["omega", "composite", "ave"]].notna().all(axis=None)
    assert found.reindex(["h", "o"])[["omega", "composite", "ave"]].isna().all(axis=None)


def test_a_response_without_random_effects_has_no_intraclass_correlation() -> None:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(30), 5)
    frame = pd.DataFrame({"y": rng.normal(size=30)[g] + rng.normal(size=150), "z": rng.normal(size=150), "g": g})
    fit = sl.Model("y ~ (1 | g)\nz ~ 1").fit(frame, threads=1)
    assert fit.icc().reset_index()["variable"].tolist() == ["y"]
