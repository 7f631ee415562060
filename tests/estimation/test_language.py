"""What lavaan's language says, estimated: composites, random slopes, groups, constraints, options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.errors import FitError, ModelError

DATA = Path(__file__).parents[2] / "examples/holzinger-swineford/holzinger-swineford.csv"
CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
LABELLED = "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + e*x5 + x6\nspeed =~ x7 + x8 + x9\n"


@pytest.fixture(scope="module")
def pupils() -> pd.DataFrame:
    return pd.read_csv(DATA)


def estimates(fit):
    return fit.params.set_index(["lhs", "op", "rhs"])


def slugs(problem):
    return {d.slug for d in problem.value.diagnostics}


# lavaan 0.6-14 on 2026-11-22: cfa(CFA, group = "school", meanstructure = TRUE, group.equal = ..., group.partial = ...)
@pytest.mark.parametrize(
    ("equal", "partial", "loglik"),
    [
        ([], [], -3682.197512),
        (["loadings"], [], -3686.293612),
        (["loadings", "intercepts"], [], -3706.323256),
        (["loadings", "intercepts"], ["x3~1", "x7~1"], -3688.983080),
        (["loadings", "intercepts", "residuals"], [], -3715.027513),
        (["loadings", "intercepts", "means"], [], -3726.574480),
    ],
)
def test_group_equal(pupils, equal, partial, loglik):
    fit = Model("groups: school\n" + CFA, group_equal=equal, group_partial=partial).fit(pupils)
    assert fit.loglik == pytest.approx(loglik, abs=2e-5)
    assert fit.table.groups == ("Pasteur", "Grant-White")


def test_named_vectors_and_blocks(pupils):
    named = CFA.replace("x2", 'c("Grant-White"=a, Pasteur=b)*x2')
    fit = Model("groups: school\n" + named + "d := a - b").fit(pupils)
    p = fit.params
    own = p[(p.rhs == "x2") & (p.op == "=~")].set_index("group").est
    assert fit.estimate.defined[0].est == pytest.approx(own["Grant-White"] - own["Pasteur"])
    equal = Model("groups: school\n" + named + "a == b").fit(pupils)
    shared = Model("groups: school\n" + CFA.replace("x2", "c(a, a)*x2")).fit(pupils)
    assert equal.loglik == pytest.approx(shared.loglik, abs=1e-6)
    blocks = Model(f'groups: school\ngroup: Pasteur\n{CFA}group: "Grant-White"\n{CFA}').fit(pupils)
    assert blocks.loglik == pytest.approx(-3682.197512, abs=2e-5)


# lavaan 0.6-14 on 2026-11-22: cfa with the same lines, meanstructure = TRUE (chains written as two constraints)
@pytest.mark.parametrize(
    ("line", "loglik"),
    [
        ("a == b == e", -3744.711769),
        ("0 < a < 0.5", -3737.870321),
        ("a*b == 0.5", -3737.982923),
        ("a - b > 0.2", -3743.554523),
    ],
)
def test_constraints(pupils, line, loglik):
    assert Model(LABELLED + line).fit(pupils).loglik == pytest.approx(loglik, abs=2e-5)


def test_effect_coding(pupils):
    # lavaan 0.6-14 on 2026-11-22: cfa(effect.coding = TRUE, meanstructure = TRUE)
    fit = Model(CFA, effect_coding=True).fit(pupils)
    assert fit.loglik == pytest.approx(-3737.744927, abs=2e-5)
    p = estimates(fit).est
    np.testing.assert_allclose([p["visual", "=~", f"x{k}"] for k in (1, 2, 3)], [1.314, 0.727, 0.958], atol=1e-3)
    assert p["visual", "~1", ""] == pytest.approx(4.425, abs=1e-3)


def test_composites(pupils):
    # lavaan 0.6-14 on 2026-11-22: sem(..., meanstructure = TRUE, information = "observed"), markers written 1*x
    fit = Model("comp <~ x1 + x2 + x3\nx4 ~ comp\nx5 ~ comp").fit(pupils)
    assert fit.loglik == pytest.approx(-836.4691054, abs=1e-5)
    p = estimates(fit)
    np.testing.assert_allclose(p.loc[("comp", "<~", "x3"), ["est", "se"]].astype(float), [-0.086, 0.171], atol=1e-3)
    np.testing.assert_allclose(p.loc[("x4", "~", "comp"), ["est", "se"]].astype(float), [0.367, 0.060], atol=1e-3)
    two = """comp <~ x1 + x2 + x3
        c2 <~ x7 + x8
        x4 ~ comp + c2
        x5 ~ comp
        textual =~ x6 + x9
        textual ~ c2 + comp"""
    assert Model(two).fit(pupils).loglik == pytest.approx(-1564.153193, abs=1e-5)


def test_a_composite_is_a_regression(pupils):
    """With one response the weights are free: the composite's coefficient times its weights are the slopes."""
    composite = Model("comp <~ x1 + x2\nx4 ~ comp").fit(pupils)
    plain = Model("x4 ~ x1 + x2").fit(pupils)
    assert composite.loglik == pytest.approx(plain.loglik, abs=1e-7)
    p, q = estimates(composite).est, estimates(plain).est
    assert p["x4", "~", "comp"] * p["comp", "<~", "x2"] == pytest.approx(q["x4", "~", "x2"], abs=1e-5)


@pytest.mark.parametrize("line", ["comp ~ x9", "x2 ~ x9", "x4 ~ t\nt =~ x5 + x6 + x7"])
def test_composites_that_are_not_sums_of_columns(pupils, line):
    with pytest.raises(FitError) as problem:
        Model("comp <~ x1 + x2 + x3\nx4 ~ comp\n" + line).fit(pupils)
    assert "not-estimable" in slugs(problem)


def test_random_slopes_of_lavaan():
    """``rv()`` is a random slope: the same model with bars."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(60), 8)
    x, w = rng.normal(size=g.size), rng.normal(size=60)
    u = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 0.5]], 60)
    y = 1 + 0.5 * x + u[g, 0] + (0.3 * w[g] + u[g, 1]) * x + rng.normal(size=g.size)
    data = pd.DataFrame({"g": g, "x": x, "y": y, "w": w[g]})
    rv = Model('cluster: g\nlevel: 1\ny ~ rv("s")*x\nlevel: 2\ny ~~ s\n').fit(data)
    # lme4 1.1-31 on 2026-11-22: logLik(lmer(y ~ x + (x | g), REML = FALSE)), and with w*x
    assert rv.loglik == pytest.approx(-801.3623047, abs=1e-5)
    assert Model("y ~ 1 + x + (1 + x | g)").fit(data).loglik == pytest.approx(rv.loglik, abs=1e-6)
    cross = Model('cluster: g\nlevel: 1\ny ~ rv("s")*x\nlevel: 2\ny + s ~ w\ny ~~ s\n').fit(data)
    assert cross.loglik == pytest.approx(-797.083756, abs=1e-5)


def test_listwise(pupils):
    # lavaan 0.6-14 on 2026-11-22: x2[seq(1, 301, 7)] <- NA
    data = pupils.copy()
    data.loc[::7, "x2"] = np.nan
    fit = Model("options: missing = listwise\n" + CFA).fit(data)
    assert fit.loglik == pytest.approx(-3198.370760, abs=2e-5)
    assert fit.estimate.n_rows == 258
    assert Model(CFA, missing="fiml").fit(data).loglik == pytest.approx(-3675.239652, abs=2e-5)


@pytest.mark.parametrize(
    ("options", "kind"), [({"se": "robust"}, "robust"), ({"estimator": "MLR"}, "robust"), ({"se": "none"}, "none")]
)
def test_standard_errors_by_option(pupils, options, kind):
    assert Model(CFA, **options).fit(pupils).estimate.se == kind
    assert Model(CFA, **options).fit(pupils, se="opg").estimate.se == "opg"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotation", "geomim"),
        ("estimator", "WLSMV"),
        ("information", "expected"),
        ("missing", "pairwise"),
        ("ordered", "x1"),
    ],
)
def test_unknown_values(name, value):
    with pytest.raises(ModelError) as problem:
        Model(CFA, **{name: value})
    assert slugs(problem) == {"unknown-option"}
    with pytest.raises(ModelError) as problem:
        Model(f"options: {name} = {value}\n{CFA}")
    assert problem.value.diagnostics[0].span is not None


@pytest.mark.parametrize(
    "option",
    [
        "std.lv", "orthogonal", "orthogonal.x", "orthogonal.y", "auto.fix.first", "auto.fix.single", "auto.var",
        "auto.cov.lv.x", "auto.cov.y", "auto.cov.x", "auto.th", "auto.delta", "auto.efa", "int.ov.free", "int.lv.free",
        "effect.coding", "meanstructure", "fixed.x", "orthogonal.efa",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [True, False])
def test_options_in_the_file_and_as_arguments(option, value):
    text = CFA + "visual ~ ageyr\nspeed ~ visual\n" + 'efa("e")*f + efa("e")*g =~ y1 + y2 + y3 + y4\n'
    written = Model(f"options: {option} = {str(value).lower()}\n{text}").table.drop(columns="rule")
    given = Model(text, **{option.replace(".", "_"): value}).table.drop(columns="rule")
    pd.testing.assert_frame_equal(written, given)
    against = Model(f"options: {option} = {str(not value).lower()}\n{text}", **{option.replace(".", "_"): value})
    pd.testing.assert_frame_equal(against.table.drop(columns="rule"), given)


def test_scale_of_an_ordinal_response(pupils):
    data = pupils.assign(x4=(pupils.x4 > 3).astype(int))
    text = "f =~ x4 + x5 + x6\nx4 | t1\n"
    fixed = Model(text + "x4 ~*~ 1*x4").fit(data, points=5)
    assert fixed.loglik == pytest.approx(Model(text).fit(data, points=5).loglik, abs=1e-8)
    with pytest.raises(FitError) as problem:  # two categories have no scale of their own
        Model(text + "x4 ~*~ NA*x4").fit(data)
    assert slugs(problem) == {"not-identified"}
