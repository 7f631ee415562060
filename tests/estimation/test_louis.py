"""Second derivatives at nodes that stand still: those of the log-likelihood, for every kind and nesting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.at_nodes import not_identified
from semlang.estimation.constraints import Constraints
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.louis import Louis, has_louis
from semlang.matrices.build import reduced_form

from .test_gradient import OTHERS, STRUCTURES, point

MODELS = {
    "random slope": STRUCTURES["two-level"].format(y="b", kind="binomial", link="cloglog"),
    "three levels": STRUCTURES["three-level"].format(y="o", kind="ordinal", link="probit"),
    "factor over persons": STRUCTURES["factor over persons"].format(y="p", kind="poisson", link="log"),
    "weights": "weights: rows = z, person = often\ncluster: school/person\n"
    "b1 :: binomial(logit)\nb1 ~ x + (1 | school/person)",
    **{k: OTHERS[k] for k in ("mixed", "threshold covariates", "scaled probit", "labels", "bifactor", "groups")},
    "residual SD": "b1 :: binomial(logit)\nb1 ~ x + u[person]\ng1 ~ x + u\nsigma(g1) ~ 1 + z",
}


def _hessian(member: QuadratureLikelihood, x: np.ndarray) -> np.ndarray:
    out = np.empty((x.size, x.size))
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = 1e-4
        out[k] = (member.value_and_gradient(x + e)[1] - member.value_and_gradient(x - e)[1]) / 2e-4
    return out


@pytest.mark.parametrize("what", MODELS)
def test_as_differences_of_the_gradient(bind, frame, what: str) -> None:
    data = frame.assign(grp=np.where(frame["x"] > 0, "a", "b"), often=1.0 + frame["person"] % 3)
    bound = bind(MODELS[what], data)
    objective = bound.objective(15)
    z = point(bound, objective, 1)
    x = objective.x(z)
    for member in objective.members:
        assert has_louis(member)
        found = Louis(member, x)
        found.run()
        H = _hessian(member, x)
        gradient = member.value_and_gradient(x)[1]
        size = np.sqrt(np.abs(np.diag(H)) + 1e-12)
        # nodes that stand still and nodes that move are two rules with one limit
        np.testing.assert_allclose(found.scores.sum(axis=0), gradient, atol=1e-4 * size.max())
        np.testing.assert_allclose(found.hessian / np.outer(size, size), H / np.outer(size, size), atol=2e-3)


def test_directions_without_loadings() -> None:
    """Four factors of a factor: nodes in four dimensions say what nodes in five do."""
    text = "".join(f"y{t}{{1..2}} :: binomial(logit)\nf{t} =~ y{t}{{1..2}}\n" for t in (1, 2, 3))
    model = sl.Model(text + "g =~ f1 + f2 + f3\nf1 ~~ f2")
    rng = np.random.default_rng(2)
    f = rng.normal(size=(60, 1)) + 0.6 * rng.normal(size=(60, 3))
    y = (np.repeat(f, 2, axis=1) + rng.logistic(size=(60, 6)) > 0) * 1.0
    data = pd.DataFrame(y, columns=[f"y{t}{j}" for t in (1, 2, 3) for j in (1, 2)])
    bound, designs, _ = model.bind(data)
    table = bound.parameter_table
    objective = assemble(table, bound.graphs, designs, Constraints(table), True, 9, 1, own=True)
    theta = np.zeros(table.n_parameters)
    for row in table.rows:
        if row.parameter >= 0:
            theta[row.parameter] = (0.8 if row.target == row.source else 0.1) if row.op == "~~" else 0.9
    member = objective.members[0]
    plain, own = Louis(member, theta), Louis(member, theta, own=True)
    assert sum(own.dims) == 3 < sum(plain.dims)
    for found in (plain, own):
        found.run()
    # the two rules differ by about 1e-4 of a score's standard deviation
    size = np.sqrt(np.maximum(np.abs(np.diag(plain.hessian)), 1.0))
    np.testing.assert_allclose(own.scores.sum(axis=0), plain.scores.sum(axis=0), atol=2e-3 * size.max())
    np.testing.assert_allclose(own.hessian / np.outer(size, size), plain.hessian / np.outer(size, size), atol=5e-3)


def test_sets_and_modes_have_none(bind, frame) -> None:
    nominal = bind("o1 :: multinomial\no1 ~ x + u[person]", frame).objective(7).members[0]
    laplace = bind(MODELS["random slope"], frame).objective(1).members[0]
    assert not has_louis(nominal)
    assert not has_louis(laplace)


def test_what_is_not_identified() -> None:
    moments = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert not_identified(moments, 2).tolist() == [True, False]


def test_sparse_rule_has_second_derivatives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a product rule with many nodes; differences of the gradient are not needed."""
    text = "options: std.lv = true\n" + "".join(
        f"y{t}{{1..3}} :: ordinal(logit)\nf{t} =~ y{t}{{1..3}}\n" for t in range(1, 5)
    )
    rng = np.random.default_rng(4)
    f = rng.normal(size=(60, 4)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(4)).T
    y = np.digitize(np.repeat(f, 3, axis=1) + rng.logistic(size=(60, 12)), [-1.0, 1.0])
    bound, designs, _ = sl.Model(text).bind(
        pd.DataFrame(y, columns=[f"y{t}{j}" for t in range(1, 5) for j in (1, 2, 3)])
    )
    table = bound.parameter_table
    form = reduced_form(bound.graphs[0], lift=False)
    members = [
        QuadratureLikelihood(form, designs[0], table.variables, table.levels, None, points, 1, sparse=sparse)
        for points, sparse in ((7, True), (9, False))
    ]
    x = np.full(table.n_parameters, 0.9)
    for row in table.rows:
        if row.parameter >= 0 and row.op in ("~~", "|"):
            x[row.parameter] = 0.4 if row.op == "~~" else {"t1": -1.0, "t2": 1.0}[row.rhs]
    found = Louis(members[1], x)
    found.run()
    size = np.sqrt(np.abs(np.diag(found.hessian)))
    # fewer points are taken, which errs by up to 2 %; with none to choose from the rule's own error is left
    for nearly, tolerance in ((2e-4, 2e-2), (0.0, 5e-3)):
        monkeypatch.setattr("semlang.estimation.nearly.NEARLY", nearly)
        H = members[0].hessian(x)
        assert H is not None
        assert members[0].points == 7
        np.testing.assert_allclose((H - found.hessian) / np.outer(size, size), 0.0, atol=tolerance)
