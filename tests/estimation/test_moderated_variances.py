"""Variances and covariances of latent variables that depend on covariates (``log(v) :~``, ``c :~``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from semlang.api import Model
from semlang.errors import SemlangError
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints

SHIPPED = Path(__file__).parents[1] / "reference" / "data"
GROWTH = "cluster: i\ng ~ 1 + t + a[i] + s[i]:t\n"
TEXTS = {
    "random intercept": "cluster: i\ny :: binomial(logit)\ny ~ 1 + x + u[i]\nu ~~ v*u\nlog(v) :~ v0 + v1*data(z)",
    "no constant": "cluster: i\nc :: poisson\nc ~ 1 + u[i]\nu ~~ v*u\nlog(v) :~ v1*data(z) + v2*data(z)*data(b)",
    "growth": GROWTH + "a ~~ c*s\ns ~~ v*s\nlog(v) :~ v0 + v1*data(b)\nc :~ c0 + c1*data(b)",
    "constant covariance": GROWTH + "a ~~ s\ns ~~ v*s\nlog(v) :~ v0 + v1*data(b)",
    "covariance alone": "o :: ordinal(logit)\ncluster: i\no ~ t + a[i] + s[i]:t\na ~~ c*s\nc :~ c0 + c1*data(z)",
    "no constant covariance": GROWTH + "a ~~ c*s\nc :~ c1*data(b)",
    "disturbance": "y :: binomial(logit)\nc :: poisson\nf =~ y + g + c\nf ~ x\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)",
    "residual covariances": "y :: binomial(logit)\nf =~ y + g + h\ng ~~ h\nf ~~ v*f\nlog(v) :~ v0 + v1*data(x)",
    "two factors": (
        "y :: binomial(logit)\no :: ordinal(probit)\no ~*~ NA*o\nf =~ y + c\nk =~ g + o\nf ~~ q*k\nf ~~ v*f\n"
        "log(v) :~ v0 + v1*data(z) + v2*data(x)\nq :~ q0 + q1*data(b)"
    ),
    "two levels": (
        "cluster: i\ny :: binomial(logit)\nf =~ y + g + c\nf ~ u[i]\nu ~~ v*u\nf ~~ e*f\n"
        "log(v) :~ v0 + v1*data(z)\nlog(e) :~ e0 + e1*data(x)"
    ),
    "groups": "groups: b\ny :: binomial(logit)\nf =~ y + g + c\nf ~~ c(v, w)*f\nlog(v) :~ v0 + v1*data(z)\n"
    "log(w) :~ w0 + v1*data(z)",
    "classes": "y :: binomial(logit)\nk :: class(2)\nf =~ y + g + c\nk =~ y\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)",
    "bifactor": "y + o :: binomial(logit)\nf =~ y + o + g + c\nk =~ y + o\nm =~ g + c\nm ~~ 0*k + 0*f\nk ~~ 0*f\n"
    "k ~~ v*k\nlog(v) :~ v0 + v1*data(z)",
}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Return 50 units of 4 rows; z and b are the units'."""
    rng = np.random.default_rng(5)
    n, waves = 50, 4
    i = np.repeat(np.arange(n), waves)
    z, b = rng.normal(size=n)[i], (np.arange(n) % 2)[i]
    t, x = np.tile(np.arange(waves), n).astype(float), rng.normal(size=i.size)
    eta = 1.2 * np.exp(0.4 * z) * rng.normal(size=n)[i] + 0.5 * rng.normal(size=n)[i] * t + 0.3 * x
    return pd.DataFrame(
        {"i": i, "z": z, "b": b, "t": t, "x": x, "y": (eta + rng.logistic(size=i.size) > 0.2).astype(int),
         "g": eta + rng.normal(size=i.size), "h": eta + rng.normal(size=i.size), "k": eta + rng.normal(size=i.size),
         "c": rng.poisson(np.exp(0.3 * eta)),
         "o": (eta + rng.logistic(size=i.size) > -0.5).astype(int)}
    )  # fmt: skip


def values(fit) -> dict[str, float]:
    p = fit.params
    return {f"{a} {op} {b}".strip() if op != "~1" else f"{a} ~1": e for a, op, b, e in zip(p.lhs, p.op, p.rhs, p.est)}


@pytest.mark.parametrize("name", TEXTS)
def test_gradient_is_that_of_the_value(data, name):
    model, designs, _ = Model(TEXTS[name]).bind(data)
    table = model.parameter_table
    rng = np.random.default_rng(11)
    objective = assemble(table, model.graphs, designs, Constraints(table), True, 3, 1)
    theta = np.zeros(table.n_parameters)
    for row in table.rows:
        if row.parameter >= 0:
            size = 1.0 if row.op in ("=~", "~*~") or (row.op == "~~" and row.lhs == row.rhs) else 0.1
            theta[row.parameter] = size * rng.uniform(0.7, 1.3) + (row.threshold - 1.5) * (row.op == "|")
    z = objective.z(objective.within.coordinates(theta))
    objective.move(z)
    gradient = objective.value_and_gradient(z)[1]
    scores = objective.value_and_scores(z)[1]
    np.testing.assert_allclose(scores.sum(axis=0), gradient, atol=1e-9 * max(1.0, np.abs(gradient).max()))
    h = 1e-4  # of order four: an error of h^4 = 1e-16 beside rounding of 1e-13 / h
    for k, e in enumerate(np.eye(z.size) * h):
        near = objective.value(z + e) - objective.value(z - e)
        difference = (8.0 * near - (objective.value(z + 2 * e) - objective.value(z - 2 * e))) / (12.0 * h)
        assert gradient[k] == pytest.approx(difference, abs=1e-6 * max(1.0, np.abs(gradient).max())), name


def test_a_growth_model_is_the_normal_density_that_it_says(data):
    fit = Model(TEXTS["growth"]).fit(data)
    e = values(fit)
    units = data.g.to_numpy().reshape(-1, 4)
    t, total = np.arange(4.0), 0.0
    Z = np.column_stack([np.ones(4), t])
    for y, b in zip(units, data.b.to_numpy()[::4], strict=True):
        c = e["a[i]~~s[i] ~1"] + e["a[i]~~s[i] ~ b"] * b
        psi = [[e["a[i] ~~ a[i]"], c], [c, np.exp(2 * (e["sigma(s[i]) ~1"] + e["sigma(s[i]) ~ b"] * b))]]
        total += multivariate_normal(e["g ~1"] + e["g ~ t"] * t, Z @ psi @ Z.T + e["g ~~ g"] * np.eye(4)).logpdf(y)
    assert fit.loglik == pytest.approx(total, abs=1e-6)
    defined = {d.name: d.est for d in fit.estimate.defined}
    assert defined["v1"] == pytest.approx(2 * e["sigma(s[i]) ~ b"])
    assert fit.estimate.method == "maximum likelihood, one node at the mode (exact)"


def test_a_binary_moderator_is_two_groups(data):
    """A covariate with two values says what groups with parameters in common say."""
    declared = "o :: binomial(logit)\ncluster: i\n"
    text = declared + "o ~ t + u[i]\nu ~~ v*u\nlog(v) :~ v0 + v1*data(b)"
    one = Model(text).fit(data)
    two = Model(declared + "groups: b\no ~ c(a, a)*1 + c(s, s)*t + u[i]\nu ~~ c(v, w)*u").fit(data)
    assert one.loglik == pytest.approx(two.loglik, abs=1e-5)
    e = values(one)
    sd = [e["sigma(u[i]) ~1"], e["sigma(u[i]) ~1"] + e["sigma(u[i]) ~ b"]]
    variances = two.params[two.params.op == "~~"]["est"].to_numpy()
    np.testing.assert_allclose(np.exp(2 * np.array(sd)), variances, rtol=1e-3)


def test_two_groups_of_lavaan():
    """A variance differs between two groups, covariances do not: logLik and estimates of lavaan 0.6-14, 2026-11-28."""
    hs = pd.read_csv(SHIPPED / "hs1939.csv")
    fit = Model(
        "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nvisual ~~ v*visual\n"
        "log(v) :~ v0 + v1*data(sex)"
    ).fit(hs)
    e = values(fit)
    assert fit.loglik == pytest.approx(-3737.74078915, abs=1e-5)
    for sex, variance in ((1, 0.815), (2, 0.799)):
        assert np.exp(2 * (e["sigma(visual) ~1"] + e["sigma(visual) ~ sex"] * sex)) == pytest.approx(variance, abs=5e-4)
    assert e["visual ~~ textual"] == pytest.approx(0.407, abs=5e-4)
    assert e["visual ~~ speed"] == pytest.approx(0.262, abs=5e-4)


@pytest.mark.parametrize("name", ["random intercept", "growth", "disturbance"])
def test_units_and_origins_of_moderators_do_not_matter(data, name):
    moved = data.assign(z=2000.0 + 10.0 * data.z, b=3.0 + 0.01 * data.b)
    one, two = Model(TEXTS[name]).fit(data), Model(TEXTS[name]).fit(moved)
    assert two.loglik == pytest.approx(one.loglik, abs=1e-5)
    a, b = ({d.name: (d.est, d.se) for d in fit.estimate.defined} for fit in (one, two))
    scale = 0.01 if name == "growth" else 10.0
    np.testing.assert_allclose(np.array(b["v1"]) * scale, a["v1"], rtol=2e-3, atol=2e-3)


def test_scores_are_regressions_by_unit(data):
    fit = Model("f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)").fit(data)
    e = values(fit)
    loading = np.array([1.0, e["f =~ h"], e["f =~ k"]])
    residual = np.array([e["g ~~ g"], e["h ~~ h"], e["k ~~ k"]])
    mean = np.array([e["g ~1"], e["h ~1"], e["k ~1"]])
    variance = np.exp(2 * (e["sigma(f) ~1"] + e["sigma(f) ~ z"] * data.z.to_numpy()))
    precision = 1.0 / variance + (loading**2 / residual).sum()
    expected = ((data[["g", "h", "k"]].to_numpy() - mean) @ (loading / residual)) / precision
    found = fit.scores()["rows"]
    np.testing.assert_allclose(found["f"], expected, atol=1e-6)
    np.testing.assert_allclose(found["f.se"], precision**-0.5, atol=1e-6)
    standard = fit.standardized().set_index(["lhs", "op", "rhs"])["est.std"]
    total = variance.mean() + residual[0]
    assert standard["f", "=~", "g"] == pytest.approx(np.sqrt(variance.mean() / total), abs=1e-6)
    assert fit.r_squared()["r2"].iloc[0] == pytest.approx(variance.mean() / total, abs=1e-6)


def test_posterior_covariances_of_two_random_effects(data):
    fit = Model(TEXTS["growth"]).fit(data)
    e = values(fit)
    found = fit.scores(covariance=True)["i"]
    Z = np.column_stack([np.ones(4), np.arange(4.0)])
    residual = data.g.to_numpy().reshape(-1, 4) - e["g ~1"] - e["g ~ t"] * np.arange(4.0)
    for unit, b in ((0, 0), (1, 1)):
        c = e["a[i]~~s[i] ~1"] + e["a[i]~~s[i] ~ b"] * b
        psi = np.array([[e["a[i] ~~ a[i]"], c], [c, np.exp(2 * (e["sigma(s[i]) ~1"] + e["sigma(s[i]) ~ b"] * b))]])
        gain = psi @ Z.T @ np.linalg.inv(Z @ psi @ Z.T + e["g ~~ g"] * np.eye(4))
        np.testing.assert_allclose(found.iloc[unit][["a", "s"]].astype(float), gain @ residual[unit], atol=1e-6)
        assert found.iloc[unit]["a~~s"] == pytest.approx((psi - gain @ Z @ psi)[0, 1], abs=1e-6)


def test_draws_have_the_variance_of_their_unit(data):
    people = pd.DataFrame({"b": np.repeat([0, 1], 20_000), "g": 0.0, "h": 0.0, "k": 0.0})
    text = "f =~ 1*g + 1*h + 1*k\ng ~~ 1*g\nh ~~ 1*h\nk ~~ 1*k\nf ~~ v*f\nlog(v) :~ 0 + 1*data(b)\n"
    drawn = Model(text).simulate(data=people, seed=3)
    for b, variance in ((0, 1.0), (1, np.e)):
        own = drawn[people.b.to_numpy() == b]
        # of 20,000 draws: a standard error of 2 variance / 200, about
        assert own.g.cov(own.h) == pytest.approx(variance, abs=0.06 * (1 + variance))


def test_a_maximum_on_the_border_is_found_and_told():
    """Where z is large the covariance is as large as it can be; scipy (Nelder-Mead) found -477.3493157, 2026-11-28."""
    rng = np.random.default_rng(5)
    n, waves = 60, 5
    i = np.repeat(np.arange(n), waves)
    z, b = rng.normal(size=n)[i], rng.integers(0, 2, n)[i]
    t, x = np.tile(np.arange(waves), n).astype(float), rng.normal(size=i.size)
    eta = 0.5 * np.exp(0.4 * z) * rng.normal(size=n)[i] + 0.3 * rng.normal(size=n)[i] * t + 0.3 * x
    rng.logistic(size=i.size)
    d = pd.DataFrame({"i": i, "z": z, "b": b, "t": t, "g": eta + rng.normal(size=i.size)})
    fit = Model(GROWTH + "a ~~ c*s\ns ~~ v*s\nlog(v) :~ v0 + v1*data(b)\nc :~ c0 + c1*data(z)").fit(d)
    assert fit.converged
    assert fit.loglik == pytest.approx(-477.3493157, abs=1e-4)
    assert [w.slug for w in fit.diagnostics if "some values of z" in w.message] == ["singular-covariance"]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("cluster: i\ng ~ 1 + u[i]\nu ~~ v*u\nlog(v) :~ v0 + v1*data(x)", "varies-within"),
        ("cluster: i\nk :: class(2)\ng ~ k + u[i]\nu ~~ v*u\nlog(v) :~ v0 + v1*data(b)", "not-estimable"),
        ("cluster: i\ng ~ 1 + u[i]\nsigma(g) ~ 1 + u\nu ~~ v*u\nlog(v) :~ v0 + v1*data(b)", "not-estimable"),
        ("f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(g)", "cyclic-paths"),
        ("f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(b)\nv > 0", "unknown-label"),
        ("f <~ g + h\nk ~ f\nf ~~ v*f\nlog(v) :~ v0 + v1*data(b)", "data-defined-parameter"),
        (
            "f =~ g + h\nm =~ k + x\nc ~ f + m + f:m\nf ~~ v*f\nm ~~ w*m\nlog(v) :~ v0 + v1*data(b)\n"
            "log(w) :~ w0 + v1*data(b)",
            "not-estimable",
        ),
        ("options: std.lv = true\nf =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(b)", "unscaled-latent"),
    ],
)
def test_what_is_refused(data, text, slug):
    with pytest.raises(SemlangError) as problem:
        Model(text).fit(data)
    assert slug in {d.slug for d in problem.value.diagnostics}


def test_a_constraint_on_what_depends_on_the_data_leaves_identification_open():
    """It has no one value; ``check`` says that no parameter has the label."""
    model = Model("f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(b)\nv > 0")
    assert model.identify().verdict == "undetermined"
    assert "unknown-label" in {d.slug for d in model.check()}


def test_identification_is_decided_by_simulated_units(data):
    text = "f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)"
    assert Model(text).identify().verdict == "identified"
    assert Model(text).identify(data).verdict == "identified"
    twice = Model("f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v00 + v1*data(z)")
    assert twice.identify().verdict == "not identified"


def test_constraints_and_labels_in_common(data):
    """The text's names stand in constraints, and one name is one parameter of residuals and latent variables alike."""
    text = "f =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)\n"
    held = Model(text + "v1 == 0").fit(data)
    assert held.loglik == pytest.approx(Model("f =~ g + h + k").fit(data).loglik, abs=1e-5)
    shared = Model(text + "g ~~ w*g\nlog(w) :~ w0 + v1*data(z)").fit(data)
    e = values(shared)
    assert e["sigma(f) ~ z"] == e["sigma(g) ~ z"]
    assert shared.n_free == 10


def test_the_matrices_equations_and_picture_show_it(data):
    model = Model(TEXTS["growth"])
    assert r"\psi_{21j} &= c_{0} + c_{1}" in model.equations()
    assert r"\tfrac{1}{2} \log \psi_{22j} &=" in model.equations()
    assert model.matrices.Psi["i"].text(1, 1) == "exp(2*sigma(s[i]))"
    assert "c0 + c1 b" in model.draw().svg


ONE_LEVEL = {
    "missing": (
        "f =~ g + h\nk =~ o + c\nf ~~ v*f\nf ~~ q*k\nlog(v) :~ v0 + v1*data(z)\nq :~ q0 + q1*data(b)\ng ~~ o\nf ~ b"
    ),
    "predictor": "f =~ g + L*h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)\nL :~ L0 + L1*data(b)\nc ~ f + g",
    "frequencies": "frequency: t\nf =~ g + h + k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)",
}


@pytest.mark.parametrize("name", ONE_LEVEL)
def test_the_closed_form_is_one_node(data, name):
    """Two computations of one likelihood: a covariance matrix for each pattern, and integrals by one node."""
    rng = np.random.default_rng(2)
    gone = data.assign(t=data.t + 1.0)
    for key in ("g", "h", "c", "z") if name != "predictor" else ("h", "k"):
        gone.loc[rng.random(len(gone)) < 0.15, key] = np.nan
    model, designs, _ = Model(ONE_LEVEL[name]).bind(gone)
    table = model.parameter_table
    theta = np.zeros(table.n_parameters)
    for row in table.rows:
        if row.parameter >= 0:
            size = 1.0 if row.op == "=~" or (row.op == "~~" and row.lhs == row.rhs) else 0.1
            theta[row.parameter] = size * rng.uniform(0.8, 1.2)
    found = []
    for quadrature in (False, True):
        objective = assemble(table, model.graphs, designs, Constraints(table), quadrature, 1, 1, scaled=False)
        z = objective.z(objective.within.coordinates(theta))
        value, gradient = objective.value_and_gradient(z)
        back = np.linalg.inv(objective.jacobian(z))
        np.testing.assert_allclose(objective.value_and_scores(z)[1].sum(axis=0), gradient, atol=1e-9)
        found.append((value, gradient @ back))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-8)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-8)


def test_a_residual_variance_may_be_zero_or_negative(data):
    """Of gaussian responses of one level, as in lavaan without moderation."""
    text = "f =~ 1*g\ng ~~ 0*g\nh ~ f\nf ~~ v*f\nlog(v) :~ v0 + v1*data(b)"
    e = values(Model(text).fit(data))
    for b in (0, 1):  # the factor is the response
        variance = data.g[data.b == b].sub(e["g ~1"]).pow(2).mean()
        assert np.exp(2 * (e["sigma(f) ~1"] + e["sigma(f) ~ b"] * b)) == pytest.approx(variance, rel=1e-4)


def test_beside_classes_it_is_the_mixture_that_it_says():
    rng = np.random.default_rng(4)
    z, c = rng.normal(size=400), rng.random(400) < 0.4
    f = np.exp(0.3 * z) * rng.normal(size=400)
    data = pd.DataFrame({"z": z} | {f"x{k}": f + (k < 3) * 3 * c + 0.6 * rng.normal(size=400) for k in range(1, 5)})
    model = Model("k :: class(2)\nf =~ x1 + x2 + x3 + x4\nx1 + x2 ~ k\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)")
    assert model.identify(data).verdict == "identified"
    fit = model.fit(data)
    e = dict(zip(fit.params.name, fit.params.est, strict=True))
    loading = np.array([1.0, e["f =~ x2"], e["f =~ x3"], e["f =~ x4"]])
    residual = np.diag([e[f"x{k} ~~ x{k}"] for k in range(1, 5)])
    share = 1.0 / (1.0 + np.exp(-e["k ~1 (class 1)"]))
    total = 0.0
    for y, at in zip(data[["x1", "x2", "x3", "x4"]].to_numpy(), z, strict=True):
        V = np.exp(2 * (e["v0/2"] + e["v1/2"] * at)) * np.outer(loading, loading) + residual
        means = [[e[f"x1 ~1 (class {g})"], e[f"x2 ~1 (class {g})"], e["x3 ~1"], e["x4 ~1"]] for g in (1, 2)]
        first, second = (multivariate_normal(mean, V).pdf(y) for mean in means)
        total += np.log(share * first + (1.0 - share) * second)
    assert fit.loglik == pytest.approx(total, abs=1e-6)
