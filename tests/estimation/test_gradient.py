"""The gradient and the scores are those of the value, through the whole chain from the table to the kernel."""

from __future__ import annotations

import numpy as np
import pytest

LINKS = {
    "binomial": ("b", ["logit", "probit", "cloglog", "loglog", "cauchit"]),
    "poisson": ("p", ["log"]),
    "gaussian": ("s", ["identity", "log"]),
    "ordinal": ("o", ["logit", "probit", "cloglog", "loglog"]),
    "adjacent": ("o", ["logit"]),
}
FAMILIES = [(kind, link) for kind, (_, links) in LINKS.items() for link in links]

STRUCTURES = {
    "two-level": "{y}1 :: {kind}({link})\n{y}1 ~ x + (1 + x | person)",
    "three-level": "cluster: school/person\n{y}1 :: {kind}({link})\n{y}1 ~ x + (1 | school/person)",
    "factor": ("{y}1 + {y}2 + {y}3 :: {kind}({link})\nf =~ {y}1 + {y}2 + {y}3\nf ~ x"),
    "factor over persons": (
        "cluster: school/person\n{y}1 + {y}2 + {y}3 :: {kind}({link})\n"
        "f[person] =~ {y}1 + {y}2 + {y}3\nf ~ u[school] + w"
    ),
}

OTHERS = {
    "threshold covariates": "o1 :: ordinal(logit)\no1 | t1 ~ x\no1 | t2 ~ x\no1 ~ z + (1 | person)",
    "scaled probit": "o1 :: ordinal(probit)\nsigma(o1) ~ z\no1 ~ x + (1 | person)",
    "residual SD by covariate": "b1 :: binomial(logit)\nb1 ~ x + u[person]\ng1 ~ x + u\nsigma(g1) ~ 1 + z",
    "trials": "m1 :: binomial(logit, trials=size)\nm1 ~ x + (1 | person)",
    "exposure": "p1 :: poisson(log, exposure=z)\np1 ~ x + (1 | person)",
    "mixed": (
        "cluster: school/person\nb1 :: binomial(probit)\np2 :: poisson(log)\no3 :: ordinal(logit)\n"
        "f =~ b1 + p2 + o3 + g1\nf ~ x + u[person] + v[school]"
    ),
    "two correlated factors": (
        "b1 + b2 + b3 :: binomial(logit)\np1 :: poisson(log)\noptions: std.lv = true\n"
        "f =~ b1 + b2\ng =~ b3 + p1\nf ~~ g"
    ),
    "labels": "b1 + b2 + b3 :: binomial(logit)\nf =~ b1 + a*b2 + a*b3\nb1 ~ i*1\nb2 ~ i*1\nf ~~ v*f",
    "equal variances": "b1 + b2 :: binomial(logit)\nb1 ~ x + u[person]\nb2 ~ x + w[person]\nu ~~ v*u\nw ~~ v*w",
    "constraint": "b1 + b2 + b3 :: binomial(logit)\nf =~ b1 + a*b2 + c*b3\na + c == 2",
    "weights": "weights: rows = z\nb1 :: binomial(logit)\nb1 ~ x + (1 | person)",
    "groups": "b1 + b2 :: binomial(logit)\ngroups: grp\nf =~ b1 + b2\nf ~~ 1*f",
    "residual covariance": "b1 :: binomial(logit)\nb1 ~ x + u[person]\ng1 ~ x + u\ng2 ~ z + u\ng1 ~~ g2",
    "bifactor": (
        "options: std.lv = true\nb{1..3} :: binomial(logit)\n"
        "m1 :: binomial(logit, trials=size)\nm3 :: binomial(logit, trials=size)\n"
        "f =~ b1 + b2 + b3 + m1 + m3 + p1\np1 :: poisson(log)\ns =~ b1 + b2\nt =~ b3 + m1\n"
        "f ~~ 0*s + 0*t\ns ~~ 0*t"
    ),
    "adjacent with moved thresholds": "o1 :: adjacent\no1 | t1 ~ x\no1 ~ z + offset(w) + (1 + z | person)",
    "adjacent factor": (
        "cluster: school/person\no1 + o2 + o3 :: adjacent\nb1 :: binomial(probit)\nf =~ o1 + o2 + o3 + b1\n"
        "f ~ x + u[school]"
    ),
    "nominal": "cluster: school/person\no1 :: multinomial\no1 ~ x + u[person]\no1@2 ~ v[school]",
    "nominal factor": (
        "o1 + o2 :: multinomial\nb1 :: binomial(logit)\noptions: std.lv = true\nf =~ o1 + o2 + b1\ng =~ o2 + p1\n"
        "p1 :: poisson\nf ~~ g"
    ),
    "alternative-specific": (
        "cluster: school/person\no1 :: multinomial(base=0)\no1@0 ~ 0 + p*x\no1@1 ~ 1 + p*z + u[person]:z + v[school]\n"
        "o1@2 ~ 1 + z + 1*u:z + offset(w)\no1@3 ~ 1 + 1*u:z + a*v"
    ),
    "choice": "cluster: school/person\nchosen :: choice(set=trip)\nchosen ~ x + u[person]:z + v[school]:x",
    "ranking and others": (
        "cluster: school/person\nrank :: ranking(set=trip)\nb1 :: binomial(logit)\nf[person] =~ b1 + rank:z + g1\n"
        "f ~ v[school]\nrank ~ x"
    ),
    "beta": "q1 :: beta(cloglog)\nq1 ~ x + (1 + z | person)\nshape(q1) ~ 1 + z",
    "beta factor": "q1 + q2 :: beta\nb1 :: binomial(probit)\nf =~ q1 + q2 + b1\nf ~ x + u[school]",
    "interval": "v :: gaussian(log, interval=[low, high])\nv ~ x + (1 + z | person)\nsigma(v) ~ 1 + x",
    "no latent variable": "b1 :: binomial(cloglog)\nb1 ~ x",
}


def point(bound, objective, seed, shift=0.0):
    """Return coordinates at which every density is defined: thresholds rise, variances are positive."""
    rng = np.random.default_rng(seed)
    theta = np.zeros(bound.table.n_parameters)
    for row in bound.table.rows:
        if row.parameter < 0:
            continue
        value = 0.3 * rng.normal()
        if row.threshold and not row.via:
            value = -1.2 + 1.1 * (row.threshold - 1) + 0.2 * rng.normal()
        elif row.op == "~~":
            value = 0.6 + 0.3 * rng.random() if row.target == row.source else 0.15 * rng.normal()
        elif row.op == "=~":
            value = 0.8 + 0.3 * rng.normal()
        elif row.op == "~1" and not row.quantity:
            value += shift
        theta[row.parameter] = value
    return objective.z(objective.parametrisation.coordinates(theta))


def check(bound, gradient_by_differences, points, seed=1, factored=True, shift=0.0):
    objective = bound.objective(points, factored=factored)
    z = point(bound, objective, seed, shift)
    value, gradient = objective.value_and_gradient(z)
    expected = gradient_by_differences(objective.value, z)
    assert np.abs(gradient - expected).max() < 1e-6 * max(1.0, np.abs(expected).max())
    again, scores = objective.value_and_scores(z)
    assert again == pytest.approx(value, rel=1e-11)
    np.testing.assert_allclose(scores.sum(axis=0), gradient, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("points", [1, 3, 7, 15])
@pytest.mark.parametrize(("kind", "link"), FAMILIES)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_family_link_and_structure(bind, frame, gradient_by_differences, structure, kind, link, points):
    text = STRUCTURES[structure].format(y=LINKS[kind][0], kind=kind, link=link)
    shift = 1.4 if (kind, link) == ("gaussian", "log") else 0.0
    check(bind(text, frame), gradient_by_differences, points, shift=shift)


@pytest.mark.parametrize("points", [1, 5])
@pytest.mark.parametrize("what", OTHERS)
def test_other_models(bind, frame, gradient_by_differences, what, points):
    data = frame.assign(
        grp=np.where(frame["x"] > 0, "a", "b"), trip=np.arange(len(frame)) // 4, q1=1 / (1 + np.exp(-frame.g1)),
        q2=1 / (1 + np.exp(frame.g2)), low=np.floor(frame.g1), high=(np.floor(frame.g1) + 1).where(frame.g1 < 1),
    )  # fmt: skip
    data["rank"] = data.groupby(["school", "person", "trip"]).cumcount() + 1
    data["chosen"] = (data["rank"] == 1).astype(int)
    check(bind(OTHERS[what], data), gradient_by_differences, points)


@pytest.mark.parametrize("points", [3, 7, 15])
@pytest.mark.parametrize("what", ["nominal", "nominal factor", "alternative-specific"])
def test_several_linear_predictors(bind, frame, gradient_by_differences, what, points):
    check(bind(OTHERS[what], frame), gradient_by_differences, points)


def test_covariances_from_parameters(bind, frame, gradient_by_differences):
    """The road by Cholesky of Psi(theta), which patterned blocks take."""
    bound = bind("b1 :: binomial(logit)\nb1 ~ x + (1 + x | person)", frame)
    check(bound, gradient_by_differences, 5, factored=False)
    there, here = bound.objective(5, factored=False), bound.objective(5)
    theta = there.theta(point(bound, there, 3))
    assert here.value(here.z(here.parametrisation.coordinates(theta))) == pytest.approx(there.value(theta), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_random_points(bind, frame, gradient_by_differences, seed):
    check(bind(OTHERS["mixed"], frame), gradient_by_differences, 3, seed=seed + 10)
