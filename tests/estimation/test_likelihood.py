"""What the likelihood must not depend on, and what it must equal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.gaussian import choose
from semlang.estimation.quadrature import Tree
from semlang.matrices.build import reduced_form

LOGIT = "b1 :: binomial(logit)\nb1 ~ x + (1 + x | person)"
MIXED = "b1 :: binomial(logit)\np2 :: poisson(log)\nf =~ b1 + p2 + g1\nf ~ x + u[person]"


def some_point(objective):
    return np.linspace(0.35, 0.75, objective.n)


@pytest.mark.parametrize(
    "text",
    [
        "f =~ g1 + g2 + g3\nf ~ x",
        "g1 ~ x + (1 + x | person)",
        "cluster: school/person\ng1 ~ x + (1 | school/person)",
        "cluster: person\nf =~ g1 + g2 + g3\nf ~ u[person]",
    ],
)
@pytest.mark.parametrize("points", [1, 5])
def test_gaussian_quadrature_equals_the_closed_form(bind, frame, text, points):
    bound = bind(text, frame)
    form = reduced_form(bound.model.graphs[0], lift=True)
    engine = choose(form, bound.designs[0])
    assert engine is not None
    objective = bound.objective(points)
    z = some_point(objective)
    exact = engine(form, bound.designs[0])
    value, gradient = exact.value_and_gradient(objective.theta(z))
    mine = objective.value_and_gradient(z)
    assert mine[0] == pytest.approx(value, rel=1e-10)
    np.testing.assert_allclose(mine[1], gradient @ objective.jacobian(z), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("text", [LOGIT, MIXED])
def test_rows_and_clusters_in_any_order(bind, frame, text):
    value = [
        bind(text, data).objective(5).value(np.linspace(0.35, 0.75, bind(text, frame).objective(1).n))
        for data in (frame, frame.sample(frac=1.0, random_state=3))
    ]
    assert value[1] == pytest.approx(value[0], rel=1e-12)


def test_two_threads_give_the_same_bits(bind, frame):
    bound = bind(MIXED, frame)
    one, two = bound.objective(7, threads=1), bound.objective(7, threads=2)
    z = some_point(one)
    a, b = one.value_and_gradient(z), two.value_and_gradient(z)
    assert a[0] == b[0]
    assert (a[1] == b[1]).all()


def test_variance_of_zero_is_independence(bind, frame):
    objective = bind("b1 :: binomial(logit)\nb1 ~ x + (1 | person)", frame).objective(7)
    alone = bind("b1 :: binomial(logit)\nb1 ~ x", frame).objective(1)
    root = objective.parametrisation.blocks[0].parameter[0, 0]
    z = np.full(3, 0.3)
    z[root] = 0.0
    value, gradient = objective.value_and_gradient(z)
    assert value == pytest.approx(alone.value(np.full(2, 0.3)), rel=1e-12)
    assert gradient[root] == pytest.approx(0.0, abs=1e-9)


def test_sign_of_the_factor_does_not_matter(bind, frame):
    objective = bind(LOGIT, frame).objective(5)
    z = some_point(objective)
    turned = z.copy()
    turned[np.unique(objective.parametrisation.blocks[0].parameter)] *= -1.0
    assert objective.value(turned) == pytest.approx(objective.value(z), rel=1e-12)


def test_cluster_with_everything_missing_contributes_nothing(bind, frame):
    lost = frame.copy()
    lost.loc[lost["person"] == 3, ["b1", "p2", "g1"]] = np.nan
    without = frame[frame["person"] != 3]
    values = [bind(MIXED, data).objective(5) for data in (lost, without)]
    z = some_point(values[0])
    assert values[0].value(z) == pytest.approx(values[1].value(z), rel=1e-12)


def test_missing_covariate_drops_the_response_that_needs_it(bind, frame):
    data = frame.copy()
    data.loc[[2, 5], "x"] = np.nan
    bound = bind("b1 :: binomial(logit)\nb1 ~ x + u[person]\ng1 ~ u", data)
    rows = bound.objective(1).members[0].rows
    assert rows.dropped["x missing"] == 2
    assert (rows.response == 0).sum() == len(frame) - 2
    assert (rows.response == 1).sum() == len(frame)


def test_frequencies_repeat(bind, frame):
    data = frame.assign(n=np.where(frame.index % 3 == 0, 2, 1))
    repeated = data.loc[data.index.repeat(data["n"])]
    text = "b1 + b2 + b3 :: binomial(logit)\nf =~ b1 + b2 + b3"
    a = bind("frequency: n\n" + text, data).objective(5)
    b = bind(text, repeated).objective(5)
    z = some_point(a)
    assert a.value(z) == pytest.approx(b.value(z), rel=1e-12)
    first, second = (o.outer_product(o.value_and_scores(z)[1]) for o in (a, b))
    np.testing.assert_allclose(first, second, rtol=1e-9)


def test_cluster_weights_multiply_log_likelihoods(bind, frame):
    data = frame.assign(wp=1.0 + frame["person"] % 3)
    text = "b1 :: binomial(logit)\nb1 ~ x + (1 | person)"
    a, b = bind("weights: person = wp\n" + text, data).objective(5), bind(text, data).objective(5)
    z = some_point(a)
    values = b.members[0].values(z)
    weight = data.groupby("person")["wp"].first().to_numpy()
    assert a.value(z) == pytest.approx(float(values @ weight), rel=1e-12)


def test_residual_covariance_equals_a_shared_latent_variable(bind, frame):
    """Three residuals with one covariance are a common random effect of the rows."""
    head = "b1 :: binomial(logit)\nb1 ~ u[person]\n"
    joined = bind(head + "g1 ~ 1 + u\ng3 ~ 1 + u\ng1 ~~ c*g3\ng1 ~~ v*g1\ng3 ~~ v*g3", frame)
    shared = bind(head + "g1 ~ 1 + u + e\ng3 ~ 1 + u + 1*e\ne :: normal\ne ~~ c*e\ng1 ~~ r*g1\ng3 ~~ r*g3", frame)
    values = []
    for bound, variances in ((joined, {"c": 0.3, "v": 0.9}), (shared, {"c": 0.3, "r": 0.6})):
        theta = np.zeros(bound.table.n_parameters)
        for row in bound.table.rows:
            if row.parameter >= 0:
                kind = {"~1": 0.2, "~": 0.7, "=~": 0.7, "~~": 0.5}[row.op]
                theta[row.parameter] = variances.get(row.label, kind)
        objective = bound.objective(9)
        values.append(objective.value(objective.z(objective.parametrisation.coordinates(theta))))
    assert values[0] == pytest.approx(values[1], rel=1e-10)


@pytest.mark.parametrize("points", [3, 7])
def test_reduced_plan_equals_the_whole_grid(bind, frame, points, monkeypatch):
    """Specific factors one at a time, given the general one: the same nodes, so the same value."""
    text = (
        "options: std.lv = true\nb1 + b2 + b3 :: binomial(logit)\np1 + p3 :: poisson(log)\n"
        "s =~ b1 + b2\nt =~ b3 + p1\nf =~ b1 + b2 + b3 + p1 + p3\nf ~~ 0*s + 0*t\ns ~~ 0*t"
    )
    bound = bind(text, frame)
    reduced = bound.objective(points)
    assert [layer.dims for layer in reduced.members[0].layers] == [1, 1]
    monkeypatch.setattr("semlang.estimation.layers._specific", lambda *_: ())
    whole = bound.objective(points)
    assert [layer.dims for layer in whole.members[0].layers] == [3]
    z = some_point(reduced)
    np.testing.assert_allclose(reduced.value(z), whole.value(z), rtol=1e-10)


def test_tree_of_one_row_per_cluster():
    tree = Tree.from_ids([np.arange(4), np.array([0, 0, 1, 1])])
    assert tree.sizes == (4, 2)


def test_a_guess_next_to_one_has_a_likelihood_and_its_gradient():
    """``guess(i1) ~ 1 + f`` with a slope of 25: at the outer nodes no digit is left of 1 - g."""
    rng = np.random.default_rng(0)
    f = rng.normal(size=60)
    data = pd.DataFrame({f"i{k}": (f + rng.logistic(size=60) > 0).astype(int) for k in range(1, 4)})
    model, designs, _ = Model("i{1..3} :: binomial(logit)\nf =~ i{1..3}\nguess(i1) ~ 1 + f").bind(data)
    table = model.parameter_table
    objective = assemble(table, model.graphs, designs, Constraints(table), True, 7, 1)
    theta = np.zeros(table.n_parameters)
    for row in table.rows:
        if row.parameter >= 0:
            of_guess = 25.0 if row.source else -5.0
            theta[row.parameter] = of_guess if row.quantity else float(row.op in ("=~", "~~"))
    z = objective.z(objective.within.coordinates(theta))
    objective.move(z)
    value, gradient = objective.value_and_gradient(z)
    assert np.isfinite(value)
    h = 1e-5
    near = [(objective.value(z + h * e) - objective.value(z - h * e)) / (2.0 * h) for e in np.eye(z.size)]
    np.testing.assert_allclose(gradient, near, atol=1e-6)
