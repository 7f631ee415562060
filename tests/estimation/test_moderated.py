"""Moderated parameters (``:~``) and the scales of ordinal responses (``~*~``)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from semlang.api import Model

Z = np.linspace(-5, 5, 201)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Return 400 rows in two groups; loadings and residuals depend on z, scales on the group."""
    rng = np.random.default_rng(3)
    n = 400
    g, z = np.repeat(["a", "b"], n // 2), rng.normal(size=n)
    f = rng.normal(size=n) + 0.3 * (g == "b")
    d = {"g": g, "z": z, "w": rng.integers(0, 2, n).astype(float)}
    for k, loading in enumerate((1.0, 0.8, 1.2), 1):
        d[f"x{k}"] = (loading + 0.3 * z * (k == 2)) * f + np.exp(0.25 * z * (k == 1)) * rng.normal(size=n)
        sd = np.where(g == "b", (1.3, 0.8, 1.1)[k - 1], 1.0)
        d[f"o{k}"] = ((loading * f + sd * rng.normal(size=n))[:, None] > np.array([-0.8, 0.5])).sum(axis=1)
    return pd.DataFrame(d)


def values(fit):
    p = fit.params
    return {f"{a} {op} {b}".strip() if op != "~1" else f"{a} ~1": e for a, op, b, e in zip(p.lhs, p.op, p.rhs, p.est)}


def test_a_moderated_factor_model_is_the_normal_density_that_it_says(people):
    text = (
        "f =~ NA*x1 + L*x2 + x3\nf ~~ 1*f\nx1 ~~ v*x1\nx2 ~ m*1\n"
        "L :~ L0 + L1*data(z)\nlog(v) :~ v0 + v1*data(z)\nm :~ m0 + m1*data(z)"
    )
    fit = Model(text).fit(people)
    e = values(fit)
    defined = {d.name: d.est for d in fit.estimate.defined}
    assert fit.n_free == 12
    assert defined["v1"] == pytest.approx(2 * e["sigma(x1) ~ z"])
    total = 0.0
    for z, x in zip(people.z, people[["x1", "x2", "x3"]].to_numpy(), strict=True):
        loading = np.array([e["f =~ x1"], e["f =~ x2"] + e["f =~ x2:z"] * z, e["f =~ x3"]])
        residual = [np.exp(defined["v0"] + defined["v1"] * z), e["x2 ~~ x2"], e["x3 ~~ x3"]]
        mean = [e["x1 ~1"], e["x2 ~1"] + e["x2 ~ z"] * z, e["x3 ~1"]]
        total += multivariate_normal(mean, np.outer(loading, loading) + np.diag(residual)).logpdf(x)
    assert fit.loglik == pytest.approx(total, abs=1e-6)
    # the truth is 0.3, 0.5 on the log variance scale and 0; standard errors are about 0.07
    assert e["f =~ x2:z"] == pytest.approx(0.3, abs=0.25)
    assert defined["v1"] == pytest.approx(0.5, abs=0.3)


def test_moderated_paths_thresholds_and_several_columns(people):
    one = Model("x1 ~ 1 + b*x3\nb :~ b0 + b1*data(z) + b2*data(z)^2 + b3*data(z)*data(w)").fit(people)
    two = Model("x1 ~ 1 + x3 + x3:z + x3:z^2 + x3:z:w").fit(people)
    assert one.loglik == pytest.approx(two.loglik, abs=1e-8)
    one = Model("o1 :: ordinal(logit)\no1 ~ z\no1 | a*t1 + t2\na :~ a0 + a1*data(w)").fit(people)
    two = Model("o1 :: ordinal(logit)\no1 ~ z\no1 | t1 + t2\no1 | t1 ~ w").fit(people)
    assert one.loglik == pytest.approx(two.loglik, abs=1e-8)
    held = Model("x1 ~ 1 + b*x3\nb :~ 0.5 + b1*data(z)").fit(people)
    assert held.n_free == 3
    assert values(held)["x1 ~ x3"] == 0.5


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("y ~ b*x\nc :~ c0", "unknown-label"),
        ("y ~ b*x\nb :~ b0*b1*data(z)", "data-defined-parameter"),
        ("y ~ b*x\nb :~ exp(b0)", "data-defined-parameter"),
        ("y ~ b*x\nb :~ b0 - b1*data(z)", "data-defined-parameter"),
        ("y ~~ v*y\ny ~ x\nv :~ v0 + v1*data(z)", "data-defined-parameter"),
        (
            "k :: class(2)\nk =~ a\nf =~ a + b + c\nf ~~ v*f\nclass k: 2\nf ~~ w*f\nlog(w) :~ v0 + v1*data(z)",
            "data-defined-parameter",
        ),
        ("y ~~ c*x\nc :~ c0 + c1*data(z)", "data-defined-parameter"),
        ("f =~ a + b + c\nf ~~ v*f\nv :~ v0 + v1*data(z)", "data-defined-parameter"),
        ("f =~ a + b\ng =~ c + d\nf ~~ c*g\nlog(c) :~ v0 + v1*data(z)", "data-defined-parameter"),
        ("y ~ b*x\nlog(b) :~ b0 + b1*data(z)", "data-defined-parameter"),
        ("y ~ b*x\nb :~ b0 + b1*data(2)", "data-defined-parameter"),
    ],
)
def test_what_cannot_be_moderated(text, slug):
    assert slug in {d.slug for d in Model(text).check() if d.is_error}


def test_a_column_of_a_moderator_is_looked_for(people):
    with pytest.raises(Exception, match="no column 'age'"):
        Model("x1 ~ b*x2\nb :~ b0 + b1*data(age)").fit(people)


COMMON = (
    "groups: g\nf =~ NA*o1 + l1*o1 + l2*o2 + l3*o3\nf ~~ c(1, NA)*f\nf ~ c(0, NA)*1\n"
    "o1 | a1*t1 + b1*t2\no2 | a2*t1 + b2*t2\no3 | a3*t1 + b3*t2\n"
)


def test_scales_of_ordinal_responses_in_groups(people):
    declared = "o{1..3} :: ordinal(probit)\n" + COMMON + "".join(f"o{k} ~*~ c(1, NA)*o{k}\n" for k in (1, 2, 3))
    model = Model(declared)
    fit = model.fit(people)
    assert fit.n_free == 14
    assert model.identify().verdict == "identified"
    assert r"\Delta" in model.equations()

    def loglik(scale):
        total = 0.0
        for group, rows in people.groupby("g"):
            p = fit.params[fit.params["group"] == group].set_index(["lhs", "op", "rhs"])["est"]
            f = p["f", "~1", ""] + np.sqrt(p["f", "~~", "f"]) * Z
            log = np.zeros((len(rows), Z.size))
            for k in (1, 2, 3):
                delta = p[f"o{k}", "~*~", f"o{k}"] * (scale[k - 1] if group == "b" else 1.0)
                tau = [-np.inf, *(p[f"o{k}", "|", f"t{s}"] for s in (1, 2)), np.inf]
                above = [norm.cdf(delta * (p["f", "=~", f"o{k}"] * f - t)) for t in tau]
                log += np.log(1e-300 + np.array([above[c] - above[c + 1] for c in range(3)]))[rows[f"o{k}"].to_numpy()]
            total += logsumexp(log + norm.logpdf(Z) + np.log(Z[1] - Z[0]), axis=1).sum()
        return total

    assert loglik([1, 1, 1]) == pytest.approx(fit.loglik, abs=1e-3)
    for k in range(3):
        for factor in (0.97, 1.03):  # no other scale is better
            assert loglik([factor if i == k else 1.0 for i in range(3)]) < loglik([1, 1, 1])
    # lavaan's theta parametrisation of the same model: residual variances in the place of scales
    theta = Model(
        "options: parameterization = theta\n" + COMMON + "".join(f"o{k} ~~ c(1, NA)*o{k}\n" for k in (1, 2, 3))
    )
    other = theta.fit(people)
    assert other.loglik == pytest.approx(fit.loglik, abs=1e-6)
    a = fit.params[fit.params.op == "~*~"]["est"].to_numpy()
    b = other.params[(other.params.op == "~~") & other.params.lhs.str.startswith("o")]["est"].to_numpy()
    np.testing.assert_allclose(b, a**-2.0, rtol=1e-3)
    drawn = fit.simulate(seed=1)
    assert set(drawn["o1"].unique()) <= {0, 1, 2}
    shares = fit.predict().mean()
    assert shares["o1=2"] == pytest.approx((people.o1 == 2).mean(), abs=0.03)


def test_a_fixed_scale_is_a_unit(people):
    plain = Model("o{1..3} :: ordinal(probit)\nf =~ o{1..3}").fit(people)
    twice = Model("o{1..3} :: ordinal(probit)\nf =~ o{1..3}\no1 ~*~ 2*o1").fit(people)
    assert twice.loglik == pytest.approx(plain.loglik, abs=1e-6)
    assert values(twice)["o1 | t1"] == pytest.approx(0.5 * values(plain)["o1 | t1"], rel=1e-3)
    with pytest.raises(Exception, match="not positive"):
        Model("o{1..3} :: ordinal(probit)\nf =~ o{1..3}\no1 ~*~ 0*o1").fit(people)
