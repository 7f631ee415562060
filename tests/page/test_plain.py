"""The estimator in numpy alone, and with it the kernels: two programs that share the reduced form and nothing else."""

from __future__ import annotations

from pathlib import Path

import mpmath
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from semlang.api import Model
from semlang.data.sheet import SheetFacts, read_sheet
from semlang.data.sheet_binding import bind_sheet
from semlang.errors import DataError, FitError
from semlang.page.files import GALLERY
from semlang.plain.climb import climb
from semlang.plain.densities import KNOWN, density
from semlang.plain.fit import Likelihood, plain_fit
from semlang.plain.nodes import of_factor

Floats = NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[2]


def bound(name: str) -> tuple[Model, Likelihood]:
    """Return a model of the gallery with its data, and its log-likelihood."""
    model = Model((GALLERY / f"{name}.sem").read_text(encoding="utf-8"))
    sheet = read_sheet(name, (GALLERY / f"{name}.csv").read_text(encoding="utf-8"))
    model = model.with_facts(SheetFacts(sheet, model.parameter_table.group_column))
    designs = bind_sheet(model.parameter_table, sheet)
    return model, Likelihood(model.parameter_table, model.graphs, designs)


def numerical(likelihood: Likelihood, theta: Floats, h: float = 1e-5) -> Floats:
    """Return the gradient by central differences."""
    up, down = ([likelihood.value_and_gradient(theta + s * h * e)[0] for e in np.eye(theta.size)] for s in (1, -1))
    return (np.array(up) - np.array(down)) / (2 * h)


@pytest.mark.parametrize("name", ["democracy", "invariance", "moderation", "mixed-responses", "two-occasions", "dif"])
def test_the_gradient_belongs_to_the_value(name: str) -> None:
    model, likelihood = bound(name)
    sheet = read_sheet(name, (GALLERY / f"{name}.csv").read_text(encoding="utf-8"))
    theta = plain_fit(model.parameter_table, model.graphs, bind_sheet(model.parameter_table, sheet)).theta
    theta = theta + 0.02 * np.cos(np.arange(theta.size))
    # differences err by about 1e-16 |l| / 1e-5 = 4e-8, and by h^2 / 6 times the third derivative
    np.testing.assert_allclose(
        likelihood.value_and_gradient(theta)[1], numerical(likelihood, theta), rtol=1e-5, atol=1e-4
    )


NATIVE = [
    ("three-factors", None),
    ("second-order", None),
    ("invariance", None),
    ("mediation", None),
    ("growth-covariate", None),
    ("ri-clpm", None),
    ("two-parameters", 25),
    ("rasch", 25),
    ("graded-response", 25),
    ("dif", 25),
    ("mixed-responses", 25),
    ("discrete-time", None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "points"), NATIVE, ids=[n for n, _ in NATIVE])
def test_the_fit_is_that_of_the_kernels(name: str, points: int | None) -> None:
    """Log-likelihood, estimates in units of their standard errors, and standard errors."""
    model, _ = bound(name)
    frame = pd.read_csv(GALLERY / f"{name}.csv")
    native = model.fit(frame, points=points)
    whole, designs, _ = model.bind(frame)
    here = plain_fit(whole.parameter_table, whole.graphs, designs)
    assert here.converged
    assert here.loglik == pytest.approx(native.loglik, abs=1e-6)
    se = np.sqrt(np.diag(here.vcov))
    assert np.abs((here.theta - native.estimate.theta) / se).max() < 2e-3  # where the native climb may end
    np.testing.assert_allclose(se, np.sqrt(np.diag(native.estimate.vcov)), rtol=2e-3)


def test_published_likelihoods() -> None:
    """LSAT 6: ltm 1.2-0 has -2466.653, and -2466.938 for the Rasch model; Holzinger-Swineford: lavaan has -3737.745."""
    for path, expected in (
        ("lsat/model", -2466.653),
        ("lsat/rasch", -2466.938),
        ("holzinger-swineford/model", -3737.745),
    ):
        file = ROOT / "examples" / f"{path}.sem"
        model = Model(file.read_text(encoding="utf-8"))
        sheet = read_sheet("d", (file.parent / model.parameter_table.data).read_text(encoding="utf-8"))
        model = model.with_facts(SheetFacts(sheet))
        fit = plain_fit(model.parameter_table, model.graphs, bind_sheet(model.parameter_table, sheet))
        assert fit.loglik == pytest.approx(expected, abs=6e-4)  # three digits are published


def test_an_integral_by_quadrature() -> None:
    """One person's likelihood under a two-parameter model, by scipy's adaptive quadrature."""
    model = Model("options: std.lv = true\na + b :: binomial(logit)\nf =~ a + b")
    sheet = read_sheet("d", "a,b\n1,0\n")
    model = model.with_facts(SheetFacts(sheet))
    likelihood = Likelihood(model.parameter_table, model.graphs, bind_sheet(model.parameter_table, sheet))
    names = [next(r for r in model.parameter_table.rows if r.parameter == p) for p in range(4)]
    theta = np.array([{"=~": 1.3, "~1": -0.4}[r.op] * (1 if r.target == "a" else 0.7) for r in names])

    def integrand(z: float) -> float:
        p, q = 1 / (1 + np.exp(-(-0.4 + 1.3 * z))), 1 / (1 + np.exp(-(-0.28 + 0.91 * z)))
        return float(p * (1 - q) * stats.norm.pdf(z))

    expected = np.log(integrate.quad(integrand, -12, 12, epsabs=1e-13)[0])
    assert likelihood.value_and_gradient(theta)[0] == pytest.approx(expected, abs=1e-9)


def between(link: str, upper: Floats, lower: Floats) -> Floats:
    """Return log(F(upper) - F(lower)) with 60 digits on the way."""
    with mpmath.workdps(60):
        cdf = {"logit": lambda x: 1 / (1 + mpmath.exp(-x)), "probit": mpmath.ncdf}[link]
        pairs = zip(upper.ravel().tolist(), lower.ravel().tolist(), strict=True)
        values = [float(mpmath.log(cdf(mpmath.mpf(a)) - cdf(mpmath.mpf(b)))) for a, b in pairs]
    return np.array(values).reshape(upper.shape)


@pytest.mark.parametrize(("kind", "link"), [(k, link) for k, links in KNOWN.items() for link in links])
def test_densities(kind: str, link: str) -> None:
    """Values against scipy, slopes against differences, at moderate and extreme predictors."""
    eta = np.array([[-8.0, -1.0, 0.3, 2.0, 9.0]])
    inverse = {"logit": stats.logistic.cdf, "probit": stats.norm.cdf, "log": np.exp, "identity": lambda e: e}[link]
    expected = {
        "gaussian": lambda y: stats.norm.logpdf(y, eta, np.sqrt(1.7)),
        "poisson": lambda y: stats.poisson.logpmf(y, np.exp(eta)),
        "binomial": lambda y: np.log(inverse(eta if y else -eta)),
        "ordinal": lambda y: between(link, 0.8 - eta, -0.5 - eta),
    }[kind]
    for y in (0.0, 1.0):
        more = {"upper": np.array([0.8]), "lower": np.array([-0.5])} if kind == "ordinal" else {"variance": 1.7}
        found = density(kind, link, np.array([y]), eta, **more)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.log, expected(y), rtol=1e-10)
        up, down = (density(kind, link, np.array([y]), eta + h, **more).log for h in (1e-6, -1e-6))  # type: ignore[arg-type]
        np.testing.assert_allclose(found.slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


def test_categories_far_out_have_a_density() -> None:
    found = density(
        "ordinal", "probit", np.array([1.0]), np.array([[60.0, -60.0]]), 1.0, np.array([1.0]), np.array([0.0])
    )
    assert np.isfinite(found.log).all()
    # log(Phi(-59) - Phi(-60)) is log Phi(-59) but for e^-59
    assert found.log[0, 0] == pytest.approx(stats.norm.logcdf(-59.0), rel=1e-12)
    assert np.isfinite(found.slope).all()


def test_the_derivative_in_a_covariance_matrix_goes_through_its_factor() -> None:
    r = np.random.default_rng(3)
    a, c = r.normal(size=(2, 3, 3))
    psi = a @ a.T + np.eye(3)

    def value(s: Floats) -> float:
        return float(np.sum(c * np.linalg.cholesky(s)))

    bar = of_factor(np.linalg.cholesky(psi), np.tril(c))
    turn = r.normal(size=(3, 3))
    turn += turn.T
    expected = (value(psi + 1e-6 * turn) - value(psi - 1e-6 * turn)) / 2e-6
    assert np.sum(bar * turn) == pytest.approx(expected, rel=1e-6)


def test_a_climb_leaves_saddles_and_says_where_it_ends() -> None:
    def saddle(x: Floats) -> tuple[float, Floats]:  # maxima at (+-1, 0), a saddle at 0
        return float(x[0] ** 2 / 2 - x[0] ** 4 / 4 - x[1] ** 2), np.array([x[0] - x[0] ** 3, -2 * x[1]])

    top = climb(saddle, np.array([1e-3, 2.0]))
    assert top.converged
    np.testing.assert_allclose(np.abs(top.theta), [1, 0], atol=1e-5)

    assert not climb(lambda x: (float(x[0]), np.ones(1)), np.zeros(1), rounds=5).converged  # it has no maximum


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("y ~ x + (1 | g)", "several levels"),
        ("c :: class(2)\nc =~ x + y", "discrete"),
        ("f =~ x + a*y + b*z\na + b == 1", "constraints"),
        ("f =~ x + y + z\nf ~~ a*f\na > 0.1", "bounds"),
        ("y :: gamma(log)\ny ~ x", "gamma"),
        (
            "x :: binomial(logit)\ny :: binomial(logit)\nz :: binomial(logit)\na =~ x\nb =~ y\nc =~ z",
            "3 latent variables",
        ),
    ],
)
def test_what_it_does_not_know_is_said(text: str, why: str) -> None:
    model = Model(text)
    with pytest.raises(FitError) as caught:
        Likelihood(model.parameter_table, model.graphs, ())
    assert [d.slug for d in caught.value.diagnostics] == ["not-here"]
    assert why in str(caught.value)


def test_a_sheet_is_read_as_pandas_reads_it(tmp_path: Path) -> None:
    text = 'x;g;t\n1,5;b;"a;b"\nNA;a;\n-2;;c\n'
    sheet = read_sheet("d.csv", text)
    assert sheet.columns["x"].tolist() == pytest.approx([1.5, np.nan, -2.0], nan_ok=True)  # type: ignore[union-attr]
    assert sheet.columns["t"] == ["a;b", None, "c"]
    assert sheet.levels("g")[1].tolist() == [1, 0, -1]
    from semlang.data.delimited import read_delimited
    from semlang.data.facts import FrameFacts

    (tmp_path / "d.csv").write_text(text)
    frame, _ = read_delimited(tmp_path / "d.csv")
    assert frame is not None
    facts, own = FrameFacts(frame, "g"), SheetFacts(sheet, "g")
    assert own.columns == facts.columns
    assert [own.levels[c] for c in own.columns] == [facts.levels[c] for c in facts.columns]


@pytest.mark.parametrize(
    ("text", "slug"),
    [("", "empty-data"), ("x,y\n", "empty-data"), ("1,2\n3,4\n", "no-header"), ("x,x\n1,2\n", "duplicate-columns"),
     ("x,y\n1,2,3\n", "extra-fields")],
)  # fmt: skip
def test_what_is_wrong_with_a_sheet_is_said(text: str, slug: str) -> None:
    with pytest.raises(DataError) as caught:
        read_sheet("d.csv", text)
    assert [d.slug for d in caught.value.diagnostics] == [slug]


def test_nodes_get_finer_until_they_see_what_is_there() -> None:
    """Precise indicators leave little room for the factor: 61 nodes step over it, the closed form knows."""
    r = np.random.default_rng(5)
    f = r.normal(size=60)
    frame = pd.DataFrame({f"x{k}": f + 0.05 * r.normal(size=60) for k in (1, 2, 3)} | {"y": r.poisson(np.exp(0.5 * f))})
    text = "y :: poisson(log)\nf =~ x1 + x2 + x3\ny ~ f"
    model, designs, _ = Model(text).bind(frame)
    fit = plain_fit(model.parameter_table, model.graphs, designs)
    assert fit.converged
    assert fit.settled
    assert "61 nodes" not in fit.method
    native = model.fit(frame, points=15)  # adaptive: near the mode, whatever the precision
    assert fit.loglik == pytest.approx(native.loglik, abs=2e-5)


def test_missing_responses_and_covariates_count_as_in_the_kernels() -> None:
    frame = pd.read_csv(GALLERY / "mimic.csv")
    frame.loc[::7, "x2"] = np.nan
    frame.loc[3::11, "age"] = np.nan
    model, designs, _ = Model((GALLERY / "mimic.sem").read_text()).bind(frame)
    sheet = read_sheet("d", frame.to_csv(index=False))
    own = bind_sheet(model.parameter_table, sheet)
    a, b = (plain_fit(model.parameter_table, model.graphs, d) for d in (designs, own))
    assert a.loglik == b.loglik
    from semlang.estimation.gaussian.one_level import OneLevel
    from semlang.matrices.build import reduced_form

    engine = OneLevel(reduced_form(model.graphs[0], lift=True), designs[0])
    assert engine.value(a.theta) == pytest.approx(a.loglik, abs=1e-8)
