"""Smolyak's rule: exact to its degree, near a dense grid, its gradient that of its value; where the plan takes it."""

from __future__ import annotations

from math import prod

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.kernels import workspace
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.sparse import FINEST, WIDE, node_count, sparse_rule
from semlang.matrices.build import reduced_form

FACTORS = "options: std.lv = true\n" + "\n".join(
    f"y{t}{{1..3}} :: binomial(logit)\nf{t} =~ y{t}{{1..3}}" for t in range(1, 5)
)


def _moment(power: int) -> int:
    return 0 if power % 2 else prod(range(1, power, 2))


@pytest.mark.parametrize("dims", [2, 4, 7])
@pytest.mark.parametrize("points", [1, 3, 4, 5])
def test_exact_to_its_degree(dims: int, points: int) -> None:
    nodes, weights = sparse_rule(dims, points)
    rng = np.random.default_rng(dims * points)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    for _ in range(60):
        powers = rng.multinomial(rng.integers(0, 2 * points), np.ones(dims) / dims)
        exact = prod(_moment(int(p)) for p in powers)
        assert weights @ np.prod(nodes**powers, axis=1) == pytest.approx(exact, rel=1e-10, abs=1e-9)
    beyond = weights @ nodes[:, 0] ** (2 * points)
    assert points > 2 or beyond != pytest.approx(_moment(2 * points))


def test_number_of_nodes() -> None:
    assert [node_count(5, p) for p in (1, 2, 3)] == [1, 11, 51]  # 2 m + 1, 2 m^2 + 1
    assert node_count(8, 5) < 3**8
    assert node_count(40, 5) > 1_000_000  # counted, not made
    with pytest.raises(ValueError, match="from 1 to 8"):
        sparse_rule(5, FINEST + 1)


@pytest.mark.parametrize(("dims", "points"), [(4, 3), (4, 8), (6, 5), (7, 6)])
def test_first_nodes_are_those_of_fewer_dimensions(dims: int, points: int) -> None:
    """Rows that see the last coordinates alone are looked at with the first nodes: with a node there is its parent."""
    nodes, _ = sparse_rule(dims, points)
    within, parent = workspace._parents(nodes.T, len(nodes))
    for s in range(1, dims):
        first = nodes[: within[s]]
        assert not first[:, :s].any()
        assert nodes[within[s] :, :s].any(axis=1).all()
        assert {tuple(node) for node in nodes[:, s:]} == {tuple(node) for node in first[:, s:]}
    for k, node in enumerate(nodes):
        if node.any():
            d = int((node != 0.0).argmax())
            np.testing.assert_array_equal(nodes[parent[k]], np.where(np.arange(dims) <= d, 0.0, node))


def _frame(n: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, 4)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(4)).T
    a, b = rng.uniform(0.8, 1.8, 12), rng.uniform(-1.0, 1.0, 12)
    nu = np.repeat(f, 3, axis=1) * a + b
    y = (rng.random((n, 12)) < 1.0 / (1.0 + np.exp(-nu))) * 1.0
    return pd.DataFrame(y, columns=[f"y{t}{j}" for t in range(1, 5) for j in range(1, 4)])


def _member(fit: sl.Fit, points: int, sparse: bool) -> tuple[QuadratureLikelihood, np.ndarray]:
    form = reduced_form(fit.graphs[0], lift=False)
    parametrisation = Parametrisation([form])
    member = QuadratureLikelihood(
        form, fit.designs[0], fit.table.variables, fit.table.levels, parametrisation.factored[0], points, sparse=sparse
    )
    return member, parametrisation.coordinates(fit.estimate.theta)


@pytest.fixture(scope="module")
def fitted() -> sl.Fit:
    return sl.Model(FACTORS).fit(_frame(200), points=3, se="none", threads=1)


def _dense(fit: sl.Fit, y: np.ndarray) -> float:
    """Log-likelihood of one person over 29^4 equispaced nodes, by numpy alone."""
    est = {(p["lhs"], p["op"], p["rhs"]): p["est"] for p in fit.parameters}
    R = np.array([[est.get((f"f{min(i, j)}", "~~", f"f{max(i, j)}"), 1.0) for j in range(1, 5)] for i in range(1, 5)])
    z = np.linspace(-5.6, 5.6, 29)
    F = np.linalg.cholesky(R)
    v = np.stack(np.meshgrid(z, z, z, z, indexing="ij")).reshape(4, -1)
    log = -0.5 * (v**2).sum(axis=0) + 4 * np.log((z[1] - z[0]) / np.sqrt(2 * np.pi))
    f = F @ v
    for t in range(1, 5):
        for j in range(1, 4):
            nu = est[f"f{t}", "=~", f"y{t}{j}"] * f[t - 1] + est[f"y{t}{j}", "~1", ""]
            log -= np.logaddexp(0.0, -nu if y[3 * (t - 1) + j - 1] else nu)
    return float(np.log(np.exp(log - log.max()).sum()) + log.max())


def test_values_beside_a_dense_grid(fitted: sl.Fit) -> None:
    member, x = _member(fitted, 8, sparse=True)
    values = member.values(x)
    frame = _frame(200).to_numpy()
    for unit in (0, 17):
        assert values[unit] == pytest.approx(_dense(fitted, frame[unit]), abs=2e-4)


def test_gradient_is_that_of_the_value(fitted: sl.Fit) -> None:
    for points in (3, 4, 6):
        member, x = _member(fitted, points, sparse=True)
        value, gradient = member.value_and_gradient(x)
        assert member.values(x).sum() == pytest.approx(value, abs=1e-9)
        for k in range(0, x.size, 3):
            h = np.zeros(x.size)
            h[k] = 1e-5
            slope = (member.value(x + h) - member.value(x - h)) / 2e-5
            assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-5)


MIXED = "options: std.lv = true\n" + "\n".join(
    f"y{t}{{1..3}} :: {kind}\nf{t} =~ y{t}{{1..3}}" for t, kind in enumerate(
        ("binomial(logit)", "ordinal(probit)", "poisson(log)", "binomial(probit)"), 1
    )
) + "\nf1 =~ y42\nf3 =~ y21"  # fmt: skip


@pytest.mark.parametrize("points", [4, 5])
@pytest.mark.parametrize("stand", [False, True])
def test_rows_at_few_nodes(monkeypatch: pytest.MonkeyPatch, points: int, stand: bool) -> None:
    """A row is looked at where its linear predictor differs; values and gradients are those of all nodes."""
    model, designs, _ = sl.Model(MIXED).bind(_frame(40))
    form, table = reduced_form(model.graphs[0], lift=False), model.parameter_table
    parametrisation = Parametrisation([form])

    def member() -> QuadratureLikelihood:
        return QuadratureLikelihood(
            form, designs[0], table.variables, table.levels, parametrisation.factored[0], points, sparse=True
        )

    x = np.linspace(0.3, 1.1, form.n_parameters)
    few = member()
    rng = np.random.default_rng(1)
    if stand:
        few.place(x)
    value, gradient = few.value_and_gradient(x)
    direction = rng.normal(size=x.size)
    h = 1e-5
    slope = (few.value(x + h * direction) - few.value(x - h * direction)) / (2 * h)
    assert gradient @ direction == pytest.approx(slope, rel=1e-6, abs=1e-5)
    nothing = np.zeros(0, dtype=np.int64)
    monkeypatch.setattr(workspace, "_parents", lambda *_: (nothing, nothing))
    every = member()
    if stand:
        every.place(x)
    there = every.value_and_gradient(x)
    assert there[0] == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(there[1], gradient, atol=1e-8)


def test_responses_of_one_factor_see_few_coordinates(fitted: sl.Fit) -> None:
    """Those of the first factor the last alone, those of the last all: zeta is F v, nodes c + T z with T upper."""
    member, x = _member(fitted, 4, sparse=True)
    A = member.chain.forward(member.chain.cells(x)[0]).A
    first = (A != 0.0).argmax(axis=0)
    for t in range(4):
        assert set(first[member.rows.response // 3 == t]) == {3 - t}


def test_steep_items_by_a_sparse_rule_that_the_text_asks_for() -> None:
    """It is taken, and what it leaves uncertain is said; products of rules are for those who do not ask."""
    rng = np.random.default_rng(2)
    f = rng.normal(size=(300, 4)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(4)).T
    nu = 3.0 * np.repeat(f, 3, axis=1) + rng.logistic(size=(300, 12))
    frame = pd.DataFrame((nu > 0.0) * 1.0, columns=_frame(2).columns)
    fit = sl.Model(FACTORS.replace("std.lv = true", "std.lv = true, rule = sparse")).fit(frame, se="none", threads=1)
    assert "Smolyak" in fit.summary()
    (said,) = [d for d in fit.diagnostics if d.slug == "points-not-settled"]
    assert "uncertain by about" in said.message


def test_more_points_come_nearer(fitted: sl.Fit) -> None:
    exact = _member(fitted, 9, sparse=False)[0].value(_member(fitted, 1, sparse=False)[1])
    errors = []
    for points in (3, 5, 7):
        member, x = _member(fitted, points, sparse=True)
        errors.append(abs(member.value(x) - exact))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


WITH_COVARIATE = FACTORS + "\n" + "\n".join(f"f{t} ~ x" for t in range(1, 5))


def _with_covariate() -> pd.DataFrame:
    return _frame(200).assign(x=np.random.default_rng(1).normal(size=200))


@pytest.fixture(scope="module")
def wide() -> sl.Fit:
    return sl.Model(WITH_COVARIATE).fit(_with_covariate(), threads=1)


def test_the_plan_takes_it_where_rows_have_no_types(wide: sl.Fit) -> None:
    """With a covariate of many values no nodes can be shared: 7^4 nodes, or a few hundred."""
    plan = sl.Model(WITH_COVARIATE).plan(_with_covariate())
    assert plan.groups[0].engine == "sparse quadrature"
    assert "nodes, exact to degree 5" in str(plan)
    assert wide.converged
    assert "Smolyak" in wide.summary()
    member, x = _member(wide, 9, sparse=False)
    assert wide.loglik == pytest.approx(member.value(x), abs=0.01)  # what the next finer rule may change
    assert all(p["se"] > 0 for p in wide.parameters if p["free"])


def test_user_points_are_a_product_rule() -> None:
    plan = sl.Model(FACTORS).fit(_frame(60), points=3, se="none", threads=1).estimate.plan
    assert plan is not None
    assert plan.groups[0].nodes == 3**4
    assert WIDE == 4


def test_after_the_fit(wide: sl.Fit) -> None:
    """Scores and units' log-likelihoods are those of the product rule at the same parameters."""
    member, x = _member(wide, 9, sparse=False)
    assert wide.unit_logliks is not None
    np.testing.assert_allclose(wide.unit_logliks, member.values(x), atol=2e-3)
    moments = member.posterior(x).levels["rows"].means
    found = wide.scores()["rows"][[f"f{t}" for t in range(1, 5)]].to_numpy()
    slope = np.array([next(p["est"] for p in wide.parameters if p["lhs"] == f"f{t}" and p["op"] == "~")
                      for t in range(1, 5)])  # fmt: skip
    shift = _with_covariate()["x"].to_numpy()[:, None] * slope
    np.testing.assert_allclose(found, moments + shift, atol=5e-3)
    assert np.isfinite(wide.predict().to_numpy(dtype=float)).all()
