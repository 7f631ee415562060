"""Every member of an objective offers the same: unit values that sum to the value, scores, posterior moments."""

from __future__ import annotations

import numpy as np
import pytest

from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints

CLOSED = {
    "one level": "f =~ g1 + g2 + g3\nf ~ x",
    "one level, weights": "weights: rows = z\nf =~ g1 + g2 + g3\nf ~ x",
    "two levels": "cluster: person\nf =~ g1 + g3\nf ~ u[person]\ng1 ~~ 0.4*g1",
    "slopes": "g1 ~ x + (1 + x | person)",
    "three levels": "cluster: school/person\ng1 ~ x + (1 | school/person)",
    "no residual variance": "f =~ g1 + g2 + g3\ng1 ~~ 0*g1",
}


def objective_of(bound, quadrature, factored=False):
    constraints = Constraints(bound.table)
    return assemble(
        bound.table, bound.model.graphs, bound.designs, constraints, quadrature, 1, 1, scaled=False, factored=factored
    )


@pytest.mark.parametrize("factored", [False, True])
@pytest.mark.parametrize("text", CLOSED.values(), ids=CLOSED)
def test_unit_values_sum_to_the_value_and_scores_to_the_gradient(bind, frame, text, factored):
    bound = bind(text, frame)
    objective = objective_of(bound, False, factored)
    quadrature = objective_of(bound, True)
    theta = quadrature.theta(np.linspace(0.35, 0.75, objective.n))
    x = objective.parametrisation.coordinates(theta)
    (member,) = objective.members
    values, scores = member.values_and_scores(x)
    value, gradient = member.value_and_gradient(x)
    assert values.sum() == pytest.approx(value, rel=1e-10)
    np.testing.assert_allclose(scores.sum(axis=0), gradient, atol=1e-7 * np.abs(gradient).max())
    assert len(values) == len(scores) == len(member.multiplicity) == len(member.records)
    assert member.used > 0


@pytest.mark.parametrize("text", [t for k, t in CLOSED.items() if k != "no residual variance"])
def test_closed_forms_and_quadrature_have_the_same_units(bind, frame, text):
    bound = bind(text, frame.dropna())
    closed, quadrature = objective_of(bound, False, True), objective_of(bound, True)
    theta = quadrature.theta(np.linspace(0.35, 0.75, quadrature.n))
    values = [o.members[0].values(o.parametrisation.coordinates(theta)) for o in (closed, quadrature)]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9, atol=1e-9)


def test_posterior_of_a_factor_is_that_of_the_normal_distribution(bind, frame):
    bound = bind("f =~ g1 + g2 + g3\nf ~ x", frame)
    objective = objective_of(bound, False)
    names = ["f=~g2", "f=~g3", "f~x", "g1~~g1", "g2~~g2", "g3~~g3", "f~~f", "g1~1", "g2~1", "g3~1"]
    at = dict(zip(names, [0.8, 1.3, 0.5, 0.6, 0.9, 1.1, 0.7, 0.2, -0.1, 0.3], strict=True))
    theta = np.zeros(bound.table.n_parameters)
    for row in bound.table.rows:
        if row.parameter >= 0:
            theta[row.parameter] = at[f"{row.lhs}{row.op}{row.rhs}"]
    moments = objective.members[0].posterior(theta).levels["rows"]
    design = bound.designs[0]
    loading = np.array([1.0, 0.8, 1.3])
    residual = np.array([0.6, 0.9, 1.1])
    y = np.array([design.responses[k] for k in ("g1", "g2", "g3")]).T
    x = design.columns[next(c for c in design.columns if c)]
    r = y - np.array([0.2, -0.1, 0.3]) - 0.5 * x[:, None] * loading
    seen = ~np.isnan(r)
    precision = 1 / 0.7 + (seen * loading**2 / residual).sum(axis=1)
    mean = np.where(seen, np.nan_to_num(r) * loading / residual, 0.0).sum(axis=1) / precision
    assert moments.keys == ("f",)
    np.testing.assert_allclose(moments.means[:, 0], mean, atol=1e-10)
    np.testing.assert_allclose(moments.covariances[:, 0, 0], 1 / precision, atol=1e-10)


def test_posterior_of_specific_factors_and_units_without_responses(bind, frame):
    """Bifactor: dimensions that are integrated in turns come back by name; nothing seen leaves the prior."""
    data = frame.copy()
    data.loc[3, ["b1", "b2", "b3", "m1"]] = np.nan
    text = (
        "options: std.lv = true\nb{1..3} :: binomial(logit)\nm1 :: binomial(logit, trials=size)\n"
        "f =~ b1 + b2 + b3 + m1\ns =~ b1 + b2\nt =~ b3 + m1\nf ~~ 0*s + 0*t\ns ~~ 0*t"
    )
    bound = bind(text, data)
    objective = bound.objective(7)
    z = np.linspace(0.35, 0.75, objective.n)
    moments = objective.members[0].posterior(objective.x(z)).levels["rows"]
    assert set(moments.keys) == {"f", "s", "t"}
    empty = int(np.flatnonzero(bound.designs[0].row == 3)[0])
    np.testing.assert_allclose(moments.means[empty], 0.0)
    np.testing.assert_allclose(np.diag(moments.covariances[empty]), 1.0)
    others = np.delete(moments.covariances, empty, axis=0)
    assert (others[:, range(3), range(3)] < 1.0).all()
