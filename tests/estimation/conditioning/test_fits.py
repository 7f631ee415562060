"""Fits of models with discrete latent variables: published results, starts, sizes, limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.conditioning.assemble import conditional_members
from semlang.estimation.conditioning.ordering import interchangeable, renumbering
from semlang.estimation.constraints import Constraints
from semlang.model.parameter_names import parameter_names
from semlang.results.mass_points import directional_derivative


def binary(n, pi, p, seed):
    rng = np.random.default_rng(seed)
    c = rng.choice(len(pi), n, p=pi)
    return pd.DataFrame(
        (rng.random((n, p.shape[1])) < p[c]).astype(int), columns=[f"y{j + 1}" for j in range(p.shape[1])]
    )


LCA = "y{1..6} :: binomial(logit)\nc :: class(3)\nc =~ y{1..6}"
P = np.array([[0.9, 0.8, 0.85, 0.9, 0.1, 0.2], [0.1, 0.2, 0.15, 0.1, 0.2, 0.1], [0.2, 0.1, 0.9, 0.8, 0.85, 0.9]])


def test_latent_classes_recover_the_truth():
    data = binary(3000, [0.5, 0.3, 0.2], P, 2)
    fit = sl.Model(LCA).fit(data)
    e = fit.estimate
    assert fit.converged
    assert e.starts == 20
    assert e.agreed > 1
    assert fit.n_free == 20
    assert sorted(e.class_sizes["c"]) == pytest.approx([0.2, 0.3, 0.5], abs=0.05)
    assert fit.to_json()["class_sizes"]["c"] == pytest.approx(list(e.class_sizes["c"]))


def test_equal_units_count_as_often_as_they_occur():
    """Steps by the outer product of 6,000 scores, of 256 different units, are six; by known classes 13."""
    p = np.vstack([np.tile(P[0], 2)[:8], np.tile(P[1], 2)[:8], np.tile(P[2], 2)[:8]])
    data = binary(6000, [0.5, 0.3, 0.2], 0.25 + 0.5 * p, 12)
    text = "y{1..8} :: binomial(logit)\nc :: class(3)\nc =~ y{1..8}"
    fit = sl.Model(text).fit(data, se="none")
    assert fit.converged
    assert fit.to_json()["iterations"] <= 8
    counted = data.groupby(list(data)).size().rename("n").reset_index()
    again = sl.Model("frequency: rows = n\n" + text).fit(counted, se="none")
    assert again.loglik == pytest.approx(fit.loglik, abs=1e-7)
    assert again.to_json()["iterations"] == fit.to_json()["iterations"]


def test_em_and_generic_starts_find_the_same():
    """A constraint that holds everywhere keeps the model out of the batch."""
    data = binary(800, [0.5, 0.3, 0.2], P, 3)
    one = sl.Model(LCA).fit(data, se="none")
    other = sl.Model(LCA.replace("c =~ y{1..6}", "c =~ y{1..5} + upper(50)*y6")).fit(data, se="none")
    assert other.loglik == pytest.approx(one.loglik, abs=1e-4)


def test_probabilities_at_the_limit_are_infinite_logits(tmp_path):
    data = binary(400, [0.6, 0.4], np.array([[0.0, 0.1, 0.2, 0.1, 0.2, 0.1], [0.9, 0.8, 0.9, 0.8, 0.9, 0.8]]), 4)
    fit = sl.Model(LCA.replace("class(3)", "class(2)")).fit(data)
    assert fit.converged
    assert "probability-at-limit" in {d.slug for d in fit.diagnostics}
    at = fit.params[np.isinf(fit.params.est)]
    assert len(at) == 1
    assert at.est.iloc[0] < 0
    assert at.se.isna().all()
    assert fit.params.se[np.isfinite(fit.params.est)].notna().all()
    assert "-Inf" in fit.summary()
    fit.save(tmp_path / "fit.json")
    again = sl.load(tmp_path / "fit.json")
    assert again.estimate.limits == fit.estimate.limits
    assert again.estimate.class_sizes == fit.estimate.class_sizes
    assert again.summary().splitlines()[:9] == fit.summary().splitlines()[:9]


def test_one_start_that_stands_alone_is_said_first(monkeypatch):
    from semlang.estimation.conditioning.starts import Starts

    monkeypatch.setattr(Starts, "agreed", property(lambda self: 1))
    fit = sl.Model(LCA).fit(binary(300, [0.5, 0.3, 0.2], P, 5), se="none")
    assert fit.summary().startswith("WARNING: only 1 of")
    assert "starts-disagree" in {d.slug for d in fit.diagnostics}


def test_mass_points_are_classes_with_an_intercept_each():
    rng = np.random.default_rng(6)
    y = rng.poisson(np.exp(np.where(rng.random(400) < 0.3, 1.5, 0.0)))
    data = pd.DataFrame({"y": y, "x": rng.normal(size=400)})
    npml = sl.Model("y :: poisson(log)\nu :: masspoints(2)\ny ~ 1 + x + u").fit(data)
    classes = sl.Model("y :: poisson(log)\nc :: class(2)\ny ~ c + x").fit(data)
    assert npml.loglik == pytest.approx(classes.loglik, abs=1e-6)
    assert npml.n_free == classes.n_free == 4
    assert sorted(npml.estimate.class_sizes["u"]) == pytest.approx(sorted(classes.estimate.class_sizes["c"]), abs=1e-3)


def test_robust_errors_of_classes_in_clusters():
    data = binary(600, [0.6, 0.4], P[:2], 7).assign(g=np.repeat(np.arange(60), 10))
    model = sl.Model("cluster: g\n" + LCA.replace("class(3)", "class(2)"))
    fit = model.fit(data, se="robust")
    assert fit.params.se.notna().all()


def test_latent_interaction_has_24_parameters():
    rng = np.random.default_rng(8)
    f = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 200)
    x = np.c_[f[:, [0]] * [1, 0.8, 0.9], f[:, [1]] * [1, 0.8, 0.9]] + 0.6 * rng.normal(size=(200, 6))
    y = 0.4 * f[:, 0] + 0.5 * f[:, 1] + 0.4 * f[:, 0] * f[:, 1] + 0.7 * rng.normal(size=200)
    data = pd.DataFrame(np.c_[x, y], columns=[f"x{k}" for k in range(1, 7)] + ["y"])
    fit = sl.Model("f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\ny ~ f1 + f2 + f1:f2").fit(data)
    assert fit.converged
    assert fit.n_free == 24
    row = fit.params.set_index("name").loc["y ~ f1:f2"]
    assert abs(row.est - 0.4) < 3 * row.se
    assert "f1:f2 ~~ f1:f2" not in set(fit.params.name)


ORDERED = {
    "classes": ("y{1..4} :: binomial(logit)\nc :: class(3)\nc =~ y{1..4}\nc ~ x", "c"),
    "mass points": ("z :: poisson(log)\nu :: masspoints(2)\nz ~ 1 + u", "u"),
    "means of a factor": ("f =~ w1 + w2 + w3 + w4\nc :: class(2)\nf ~ c\nf ~ x", "c"),
    "thresholds": ("o1 + o2 + o3 :: ordinal(logit)\nc :: class(2)\no1 + o2 + o3 ~ c\nc ~ x", "c"),
    "transition": ("y{1..6} :: binomial(logit)\nc + e :: class(2)\nc =~ y1 + y2 + y3\ne =~ y4 + y5 + y6\ne ~ c", "e"),
}


@pytest.mark.parametrize(("text", "key"), ORDERED.values(), ids=ORDERED)
def test_classes_are_numbered_by_size(text, key):
    """The log-likelihood at the renumbered estimates is that of the fit, and probabilities follow the numbers."""
    data = binary(500, [0.25, 0.35, 0.4], P, 9)
    rng = np.random.default_rng(9)
    latent = rng.random(500) < 0.3
    data = data.assign(x=rng.normal(size=500), z=rng.poisson(np.where(latent, 5.0, 1.0)))
    for k in (1, 2, 3, 4):
        data[f"w{k}"] = 3.0 * latent + rng.normal(size=500)
    for k in (1, 2, 3):
        data[f"o{k}"] = np.digitize(2.0 * latent + rng.logistic(size=500), [0.0, 1.5])
    fit = sl.Model(text).fit(data)
    sizes = fit.estimate.class_sizes[key]
    assert list(sizes) == sorted(sizes, reverse=True)
    assert fit.unit_logliks is not None
    assert fit.unit_logliks.sum() == pytest.approx(fit.loglik, abs=1e-6)
    assert fit.params.se[(fit.params.free > 0) & np.isfinite(fit.params.est)].notna().all()


def test_classes_that_the_text_tells_apart_keep_their_numbers():
    data = binary(500, [0.3, 0.7], P[:2], 10)
    block = "y{1..6} :: binomial(logit)\nc :: class(2)\nclass: 1\ny{1..6} ~ 1\nclass: 2\ny{1..6} ~ 1\n"
    table = sl.Model(block).parameter_table
    assert not interchangeable(table, "c")
    assert interchangeable(sl.Model(LCA).parameter_table, "c")
    assert not interchangeable(sl.Model(LCA + "\ny1 ~ c@2:x").parameter_table, "c")
    fit = sl.Model(block).fit(data, se="none")
    assert fit.n_free == 13


def test_a_class_that_shrinks_to_a_point_is_not_the_maximum():
    """Two values of y occur twice among 150 that differ: a spike there has a likelihood without bound."""
    rng = np.random.default_rng(12)
    y = np.r_[rng.normal(0, 1, 100), rng.normal(4, 0.7, 50)]
    y[10] = y[11]
    fit = sl.Model("c :: class(2)\ny ~ c\nsigma(y) ~ c").fit(pd.DataFrame({"y": y}))
    sigma = fit.params.query("lhs == 'sigma(y)'").est
    assert fit.converged
    assert np.exp(sorted(sigma)) == pytest.approx([0.7, 1.0], abs=0.2)


def test_as_many_mass_points_as_raise_the_likelihood():
    """Three well separated intensities; no distribution could gain more than 0.1, by the directional derivative."""
    rng = np.random.default_rng(14)
    y = rng.poisson(np.exp(rng.choice([-1.5, 0.5, 2.2], 600)))
    fit = sl.Model("y :: poisson(log)\nu :: masspoints()\ny ~ 1 + u").fit(pd.DataFrame({"y": y}), se="none")
    two = sl.Model("y :: poisson(log)\nu :: masspoints(2)\ny ~ 1 + u").fit(pd.DataFrame({"y": y}), se="none")
    assert len(fit.estimate.class_sizes["u"]) >= 3
    assert directional_derivative(fit) < 0.1 < directional_derivative(two)
    assert fit.loglik - two.loglik <= directional_derivative(two)


def test_a_mean_for_each_combination_of_classes():
    """Two class variables: y ~ c:e has four means and no other intercept; parameters have names of their own."""
    model = sl.Model("y{1..6} :: binomial(logit)\nc + e :: class(2)\nc =~ y1 + y2 + y3\ne =~ y4 + y5 + y6\nz ~ c:e")
    rows = [r for r in model.parameter_table.rows if r.target == "z" and r.op == "~1"]
    assert sorted((r.klass, *r.also) for r in rows) == [(j, ("e", k)) for j in (1, 2) for k in (1, 2)]
    assert model.parameter_table.n_parameters == 12 + 4 + 1 + 2
    names = parameter_names(model.parameter_table)
    assert len(set(names)) == len(names)


def test_a_row_that_every_class_replaces_is_none():
    """A general model whose loadings each class has for itself: those of all classes are gone, as if never written."""
    rng = np.random.default_rng(3)
    k = (rng.random(300) < 0.5).astype(int)
    loadings = np.array([[1.0, 0.3, 1.4], [1.0, 0.9, 0.8]])[k]
    f = rng.normal(size=300)[:, None]
    data = pd.DataFrame(3.0 * k[:, None] + loadings * f + 0.5 * rng.normal(size=(300, 3)), columns=["y1", "y2", "y3"])
    blocks = "".join(f"class: {j}\nf =~ y2 + y3\n" for j in (1, 2))
    both = sl.Model("c :: class(2)\nf =~ y1 + y2 + y3\nc =~ y1 + y2 + y3\n" + blocks).fit(data)
    one = sl.Model("c :: class(2)\nf =~ y1 + y2 + y3\nc =~ y1 + y2 + y3\nclass: 2\nf =~ y2 + y3\n").fit(data)
    assert both.estimate.n_free == one.estimate.n_free
    assert both.loglik == pytest.approx(one.loglik, abs=1e-5)


def test_growth_without_variation_inside_classes():
    """Latent class growth: what is written not to vary does not covary, and more than one start finds the maximum."""
    rng = np.random.default_rng(11)
    k = rng.choice(3, 300, p=[0.5, 0.3, 0.2])
    level, slope = np.array([0.0, 2.0, 4.0])[k], np.array([0.6, 0.0, -0.6])[k]
    data = pd.DataFrame({f"y{t}": level + slope * t + 0.6 * rng.normal(size=300) for t in range(4)})
    fit = sl.Model(
        "c :: class(3)\ni =~ 1*y0 + 1*y1 + 1*y2 + 1*y3\ns =~ 0*y0 + 1*y1 + 2*y2 + 3*y3\ny{0..3} ~ 0\ni ~ c\ns ~ c\n"
        "i ~~ 0*i\ns ~~ 0*s"
    ).fit(data)
    assert fit.converged
    assert fit.estimate.n_free == 12
    assert fit.estimate.agreed > 1
    p = fit.params
    means = np.sort(p[(p.lhs == "i") & (p.op == "~1")].est)
    np.testing.assert_allclose(means, [0.0, 2.0, 4.0], atol=0.2)  # standard errors are 0.04 to 0.08


@pytest.mark.parametrize("kind", ["class", "masspoints"])
def test_start_values_number_the_classes(kind):
    """Whichever of many starts is the best, a class has the number of the start values that it is nearest to."""
    rng = np.random.default_rng(1)
    c = np.repeat(rng.random(150) < 0.35, 4)
    y = np.where(c, 1.5, -1.0) + 0.5 * rng.normal(size=c.size)
    data = pd.DataFrame({"g": np.repeat(np.arange(150), 4), "y": y})
    text = "c[g] :: class(2)\ny ~ c" if kind == "class" else "u[g] :: masspoints(2)\ny ~ 0 + u"
    name = "y ~1 (class {})" if kind == "class" else "u[g] ~1 (class {})"
    plain = sl.Model(text).fit(data)
    p = plain.params.set_index("name").est
    large, small = p[name.format(1)], p[name.format(2)]  # by size
    assert large < 0.0 < small
    for start, first in (({name.format(1): 2.0}, small), ({name.format(2): 2.0}, large),
                         ({name.format(1): -3.0, name.format(2): 3.0}, large)):  # fmt: skip
        fit = sl.Model(text).fit(data, start=start)
        assert fit.loglik == pytest.approx(plain.loglik, abs=1e-6)
        assert fit.params.set_index("name").est[name.format(1)] == pytest.approx(first, abs=1e-4)


def test_the_scale_of_a_random_effect_moves_to_the_new_first_class():
    """Logits u[g] with paths 1 and L: after the classes change places so does the path that is 1."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(12), 12)
    text = "cluster: g\ny{1..4} :: binomial(logit)\nc :: class(3)\nc =~ y{1..4}\nc ~ x + u[g]"
    data = pd.DataFrame((rng.random((g.size, 4)) < 0.5) * 1, columns=[f"y{j}" for j in range(1, 5)]).assign(
        g=g, x=rng.normal(size=g.size)
    )
    model, designs, _ = sl.Model(text).bind(data)
    table = model.parameter_table
    constraints = Constraints(table)
    members, parametrisation = conditional_members(table, designs, constraints.pinned, 41, 1)

    def value(theta):
        return members[0].value(parametrisation.coordinates(theta))

    theta = 0.5 * rng.normal(size=table.n_parameters)
    variance = next(r.parameter for r in table.rows if r.op == "~~")
    theta[variance] = 0.7
    new, T, orders, _ = renumbering(table, theta, {"c": [0.2, 0.3, 0.5]}, {}, {})

    assert orders == {"c": [2, 1, 0]}
    assert value(new) == pytest.approx(value(theta), abs=1e-6)  # 41 nodes at the prior
    for p in range(theta.size):
        step = np.zeros(theta.size)
        step[p] = 1e-5
        ends = [renumbering(table, theta + s * step, {"c": [0.2, 0.3, 0.5]}, {}, {})[0] for s in (1.0, -1.0)]
        assert T[:, p] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_start_values_do_not_depend_on_how_often_a_variance_is_used():
    """Residual variances held equal over six waves were halved once a wave and class, and no start moved away."""
    rng = np.random.default_rng(507)
    n, t = 300, np.arange(6.0)
    c = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    curves = np.array([[10, 0], [10, 1.5], [16, -1.2]])[c]
    data = pd.DataFrame(
        curves[:, :1] + curves[:, 1:] * t + 1.3 * rng.normal(size=(n, 6)), columns=[f"y{j}" for j in range(1, 7)]
    )
    text = (
        "c :: class(3)\ni =~ 1*y{1..6}\ns =~ 0*y1 + 1*y2 + 2*y3 + 3*y4 + 4*y5 + 5*y6\ny{1..6} ~ 0\n"
        "i ~~ 0*i\ns ~~ 0*s\ni ~~ 0*s\ni ~ c\ns ~ c\n" + "".join(f"y{j} ~~ v*y{j}\n" for j in range(1, 7))
    )
    fit = sl.Model(text).fit(data, se="none")
    assert sorted(fit.estimate.class_sizes["c"]) == pytest.approx([0.2, 0.3, 0.5], abs=0.05)
    assert fit.params.est[fit.params.label == "v"].iloc[0] == pytest.approx(1.3**2, rel=0.1)


def test_equal_starts_of_all_classes_end_at_a_saddle_and_the_first_line_says_so() -> None:
    rng = np.random.default_rng(0)
    c = rng.integers(0, 2, 300)
    data = pd.DataFrame({f"i{k}": (rng.random(300) < np.where(c, 0.8, 0.3)).astype(int) for k in range(1, 6)})
    text = "i{1..5} :: binomial(logit)\nk :: class(2)\nk =~ start(0)*i{1..5}\n"
    with pytest.warns(sl.errors.NotConvergedWarning):
        fit = sl.Model(text + "options: starts = 1").fit(data)
    assert fit.summary().startswith("NOT CONVERGED: the classes of 'k' do not differ")
    assert sl.Model(text).fit(data).loglik > fit.loglik + 10.0
