"""Rotation: reference values, invariance of the likelihood, and derivatives against brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.errors import FitError
from semlang.estimation.estimate import estimate
from semlang.estimation.gaussian import choose
from semlang.estimation.rotation import rotate
from semlang.estimation.rotation.criteria import criterion
from semlang.graph.build import build_graph
from semlang.matrices.build import reduced_form
from semlang.model.option_table import defaults

DATA = Path(__file__).parents[3] / "examples/holzinger-swineford/holzinger-swineford.csv"
EFA3 = 'efa("e")*f1 + efa("e")*f2 + efa("e")*f3 =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9'
EFA2 = 'efa("e")*f1 + efa("e")*f2 =~ x1 + x2 + x3 + x4 + x5 + x6'
ESEM = EFA2 + "\nf1 + f2 ~ ageyr\nx9 ~ f1 + f2"

SE_OBLIMIN = ((0.091482, 0.086552, 0.079213), (0.070228, 0.080511, 0.067960))

# lavaan 0.6-14 on 2026-11-22: cfa(EFA3, HolzingerSwineford1939, meanstructure = TRUE, rotation = ...)
LOGLIK = -3706.540533
LOADINGS = {
    "geomin": """
        .711644 .627548 .796101 .010648 -.107397 .075540 -.277536 .011516 .313971 .198442 .039067 -.106485 .981348
        1.153431 .886289 .010926 -.074911 -.002201 .014512 -.165998 .001738 .004245 .011555 -.016910 .843009 .751685
        .484475 .373354 .432175 .306157""",
    "oblimin": """
        .701674 .594130 .778317 .025290 -.086878 .084775 -.164888 .105375 .368803 .222648 .051355 -.078469 .976782
        1.144302 .883296 .047414 -.033028 .035086 .036051 -.137094 .026043 .006169 .009738 -.011956 .786529 .709169
        .466632 .325775 .270479 .216435""",
    "varimax": """
        .725781 .575428 .748192 .192003 .111531 .232366 -.079082 .163547 .409406 .322845 .122868 .038007 .960984
        1.109218 .876259 .098376 .051149 .132539 .176578 -.031278 .147191 .114946 .117719 .096892 .756984 .716777
        .527661 0 0 0""",
    "promax": """
        .727146 .620933 .808558 .021288 -.096210 .084063 -.192983 .090393 .370423 .169759 .008057 -.137848 .977402
        1.153815 .879367 .051332 -.048917 .002126 .010276 -.160422 -.001744 .002433 .009627 -.017787 .801340 .713505
        .458422 .399386 .339029 .239513""",
}


@pytest.fixture(scope="module")
def pupils() -> pd.DataFrame:
    return pd.read_csv(DATA)


def of_factors(fit):
    p = fit.params
    p = p[(p.op == "=~") | ((p.op == "~~") & p.lhs.str.startswith("f") & (p.lhs != p.rhs))]
    return p.est.to_numpy(), p.se.to_numpy()


@pytest.mark.parametrize("name", LOADINGS)
def test_loadings_are_lavaans(pupils, name):
    fit = Model(EFA3, rotation=name).fit(pupils)
    assert fit.loglik == pytest.approx(LOGLIK, abs=1e-5)
    assert fit.n_free == 42
    np.testing.assert_allclose(of_factors(fit)[0], np.fromstring(LOADINGS[name], sep=" "), atol=5e-5)


def test_standard_errors_are_lavaans_without_scaling(pupils):
    # lavaan 0.6-14 on 2026-11-22, as above, information = "observed", rotation.args = list(std.ov = FALSE); with std.ov
    # lavaan's bordered information takes the SDs of rotated loadings for granted, so those standard errors differ
    _, se = of_factors(Model(EFA3, rotation="oblimin", rotation_std_ov=False).fit(pupils))
    first, last = SE_OBLIMIN
    np.testing.assert_allclose(se[:3], first, atol=2e-5)
    np.testing.assert_allclose(se[-3:], last, atol=2e-5)


@pytest.mark.parametrize(("text", "name"), [(ESEM, "geomin"), (ESEM, "promax"), (EFA3, "varimax")])
def test_derivatives_and_likelihood(pupils, text, name):
    """Standard errors are those of brute-force differences, and the rotated model has the same likelihood."""
    model, designs, _ = Model(text, rotation=name).bind(pupils)
    table = model.parameter_table
    found = estimate(table, model.graphs, designs, threads=1)
    new, result = rotate(table, found)
    slopes = []
    for k in range(found.theta.size):
        step = np.zeros(found.theta.size)
        step[k] = 1e-5
        up, down = (rotate(table, replace(found, theta=found.theta + s))[1].theta for s in (step, -step))
        slopes.append((up - down) / 2e-5)
    J = np.array(slopes).T
    np.testing.assert_allclose(np.diag(result.vcov), np.diag(J @ found.vcov @ J.T), atol=1e-7)
    form = reduced_form(build_graph(new, 1), lift=True)
    engine = choose(form, designs[0])
    assert engine(form, designs[0]).value(result.theta) == pytest.approx(found.loglik, abs=1e-7)


def test_groups(pupils):
    # lavaan 0.6-14 on 2026-11-22: group = "school", meanstructure = TRUE
    fit = Model("groups: school\n" + EFA2).fit(pupils)
    assert fit.loglik == pytest.approx(-2468.113592, abs=1e-5)
    equal = Model("groups: school\n" + EFA2, group_equal=["loadings", "intercepts"]).fit(pupils)
    assert equal.loglik == pytest.approx(-2479.602421, abs=1e-5)
    p = equal.params
    loadings = p[p.op == "=~"]
    assert (loadings[loadings.group == "Pasteur"].est.to_numpy() == loadings[loadings.group != "Pasteur"].est).all()
    assert ((p.lhs == "f1") & (p.rhs == "f1") & (p.free > 0)).sum() == 1


@pytest.fixture(scope="module")
def two_blocks() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    f = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 500)
    g = f @ [[0.5, 0.2], [0.1, 0.6]] + rng.normal(size=(500, 2))
    simple = np.array([[0.9, 0.8, 0.7, 0.1, 0.0, 0.0], [0.0, 0.1, 0.0, 0.8, 0.7, 0.9]])
    values = np.column_stack([f @ simple, g @ simple]) + rng.normal(size=(500, 12)) * 0.7
    return pd.DataFrame(values, columns=[f"y{k}" for k in range(1, 13)])


BLOCKS = """efa("a")*f1 + efa("a")*f2 =~ y{1..6}
efa("b")*g1 + efa("b")*g2 =~ y{7..12}
g1 + g2 ~ f1 + f2"""


def test_several_sets(two_blocks):
    model, designs, _ = Model(BLOCKS).bind(two_blocks)
    found = estimate(model.parameter_table, model.graphs, designs, threads=1)
    new, result = rotate(model.parameter_table, found)
    form = reduced_form(build_graph(new, 1))
    assert choose(form, designs[0])(form, designs[0]).value(result.theta) == pytest.approx(found.loglik, abs=1e-7)
    p = Model(BLOCKS).fit(two_blocks).params.set_index(["lhs", "op", "rhs"]).est
    assert abs(p["g1", "~", "f1"]) > abs(p["g1", "~", "f2"])
    assert abs(p["f1", "=~", "y5"]) < 0.15 < p["f2", "=~", "y5"]


def test_binary_items(two_blocks):
    items = (two_blocks.iloc[:, :6] > 0).astype(float)
    text = 'y{1..6} :: binomial(probit)\nefa("a")*f1 + efa("a")*f2 =~ y{1..6}'
    fit = Model(text).fit(items, points=5)
    plain = Model(text, rotation="none").fit(items, points=5)
    assert fit.loglik == plain.loglik
    values, se = of_factors(fit)
    assert np.isfinite(se).all()
    assert values[:3].min() > 0.5 > np.abs(values[3:6]).max()
    assert fit.estimate.rotation.startswith("geomin (oblique)")
    assert plain.estimate.rotation == ""


@pytest.mark.parametrize("line", ["x9 ~ f1", "f1 ~ ageyr", "f1 ~~ x9"])
def test_what_no_rotation_allows(pupils, line):
    with pytest.raises(FitError) as problem:
        Model(EFA2 + "\n" + line).fit(pupils)
    assert "not-estimable" in {d.slug for d in problem.value.diagnostics}
    assert Model(EFA2 + "\n" + line, rotation="none").fit(pupils).estimate.rotation == ""


@pytest.mark.parametrize(
    "name", ["geomin", "oblimin", "quartimin", "varimax", "quartimax", "equamax", "parsimax", "bentler"]
)
def test_gradients_of_criteria(name):
    function = criterion(name, defaults("sem") | {"oblimin.gamma": 0.3}, False).function
    L = np.random.default_rng(2).normal(size=(7, 3))
    gradient = function(L)[1]
    step = np.zeros((7, 3), dtype=complex)
    for place in np.ndindex(7, 3):
        step[:] = 0
        step[place] = 1e-30j
        assert function(L + step)[0].imag / 1e-30 == pytest.approx(gradient[place], rel=1e-10, abs=1e-12)


def test_orthogonal_geomin(pupils):
    p = Model(EFA2, orthogonal_efa=True).fit(pupils).params
    assert float(p[(p.lhs == "f1") & (p.rhs == "f2")].est.iloc[0]) == 0.0


@pytest.mark.parametrize("name", ["geomin", "varimax", "promax"])
@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_of_items_do_not_matter(pupils, name, unit):
    """Loadings and their standard errors are those in other units, one item in units of its own."""
    items = [f"x{k}" for k in range(1, 7)]
    scale = pd.Series(unit, index=items)
    scale["x2"] = 1.0
    text = f"options: rotation = {name}\n{EFA2}"
    one, other = Model(text).fit(pupils[items]), Model(text).fit(pupils[items] * scale)
    assert one.converged
    assert other.converged
    loadings = [f.params.query("op == '=~'").reset_index(drop=True) for f in (one, other)]
    by = loadings[0].rhs.map(scale)
    np.testing.assert_allclose(loadings[1].est / by, loadings[0].est, atol=1e-5)
    np.testing.assert_allclose(loadings[1].se / by, loadings[0].se, rtol=1e-4)
