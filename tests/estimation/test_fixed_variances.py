"""Factors of fixed variance that correlate: angles as coordinates, and maxima where correlations tend to one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.assemble import assemble, start_parts
from semlang.estimation.border import empty_columns, lacking
from semlang.estimation.constraints import Constraints
from semlang.estimation.factors import Block
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.objective import Objective
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.start import start_values

LOADINGS = (1.2, 1.5, 0.9, 1.8)


def items(n: int, R: np.ndarray, categories: int, seed: int, each: int = 4) -> pd.DataFrame:
    """Ordinal items (or binary ones) of correlated factors."""
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(R)
    eta = rng.standard_normal((n, len(R))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    cuts = np.linspace(-1.5, 1.5, categories - 1) if categories > 2 else np.array([0.3])
    return pd.DataFrame(
        {
            f"y{f + 1}{k + 1}": np.searchsorted(cuts, LOADINGS[k] * eta[:, f] + rng.logistic(size=n))
            for f in range(len(R)) for k in range(each)
        }
    )  # fmt: skip


def text(factors: int, categories: int, unit: bool, each: int = 4) -> str:
    kind = "binomial(logit)" if categories == 2 else "ordinal(logit)"
    lines = ["options: std.lv = true"] if unit else []
    lines += [f"y{f}{{1..{each}}} :: {kind}\nf{f} =~ y{f}{{1..{each}}}" for f in range(1, factors + 1)]
    return "\n".join(lines)


def equal(r: float, factors: int) -> np.ndarray:
    return np.where(np.eye(factors, dtype=bool), 1.0, r)


def correlations(fit: sl.Fit) -> np.ndarray:
    """Correlations below the diagonal."""
    rows = fit.params.query("op == '~~'")
    size = len(rows.query("lhs == rhs"))
    V = np.zeros((size, size))
    for row in rows.itertuples():
        i, j = int(row.lhs[1:]) - 1, int(row.rhs[1:]) - 1
        V[i, j] = V[j, i] = row.est
    sd = np.sqrt(np.diag(V))
    return np.asarray((V / np.outer(sd, sd))[np.tril_indices(size, -1)])


def block(diagonal: list[int], variances: list[float]) -> Block:
    """A block with the parameters of the variances, -1 where one is fixed; those of covariances are 10, 11, ..."""
    size = len(diagonal)
    parameter = np.diag(diagonal)
    parameter[np.tril_indices(size, -1)] = range(10, 10 + size * (size - 1) // 2)
    parameter = np.maximum(parameter, parameter.T) + np.diag([min(d, 0) for d in diagonal])
    return Block(tuple(range(size)), parameter, np.diag(np.where(np.array(diagonal) < 0, variances, 0.0)))


@pytest.mark.parametrize("diagonal", [[-1, -1, -1], [0, -1, 1], [-1, 2, -1, -1]])
@pytest.mark.parametrize("size", [1e-4, 0.5, 3.0])
def test_coordinates_of_lines_of_fixed_variance(diagonal: list[int], size: float) -> None:
    one = block(diagonal, [1.0, 2.25, 0.5, 4.0][: len(diagonal)])
    assert one.has_factor
    assert not one.is_free
    P = Parametrisation([])
    P.n_parameters, P.blocks = 20, (one,)
    rng = np.random.default_rng(1)
    x, slope, h = size * rng.normal(size=20), rng.normal(size=20), 1e-5
    F = one.factor(x)[0]
    np.testing.assert_allclose(np.diag(F @ F.T)[one.fixed], np.diag(one.constant)[one.fixed], rtol=1e-12)
    np.testing.assert_allclose(P.theta(P.coordinates(P.theta(x))), P.theta(x), atol=1e-12)
    steps = h * np.eye(20)
    numeric = np.array([(P.theta(x + e) - P.theta(x - e)) / (2 * h) for e in steps]).T
    np.testing.assert_allclose(P.jacobian(x), numeric, atol=1e-8)
    bend = np.array([slope @ (P.jacobian(x + e) - P.jacobian(x - e)) / (2 * h) for e in steps])
    np.testing.assert_allclose(P.curvature(x, slope), bend, atol=1e-8)


def test_a_correlation_of_one_is_an_inner_point() -> None:
    one = block([-1, -1], [1.0, 4.0])
    P = Parametrisation([])
    P.n_parameters, P.blocks = 11, (one,)
    x = P.coordinates(np.where(np.arange(11) == 10, 2.0, 0.0))  # of SDs 1 and 2
    assert P.theta(x)[10] == pytest.approx(2.0, abs=1e-12)
    beyond = [P.theta(x + np.eye(11)[10] * h)[10] for h in (-1e-3, 1e-3)]
    assert beyond[0] == pytest.approx(beyond[1], abs=1e-12)  # the mirrored line
    assert beyond[0] < 2.0
    np.testing.assert_allclose(np.abs(empty_columns([one], x)[:, 10]), [2.0], atol=1e-8)


def test_what_scores_lack_at_a_border() -> None:
    """Of l(F^2), F next to zero, the second derivative is 2 l' while the square of the slope vanishes."""
    one = block([0], [0.0])
    x = np.array([1e-3])
    for slope, scores in ((-50.0, 3.0), (2.0, 3.0)):  # of l in the variance; sum of squares of units' slopes in it
        more = lacking(one, x, np.array([slope * 2 * x[0]]), np.array([[scores * 4 * x[0] ** 2]]))
        if slope > 0:
            assert more is None  # a way inwards
        else:
            assert more is not None
            assert float(more[0, 0]) == pytest.approx(2 * 50.0, rel=1e-6)
    assert lacking(one, np.array([1.0]), np.array([-100.0]), np.array([[500.0]])) is None  # the variance stays positive


@pytest.mark.parametrize(("factors", "categories", "n", "seed"), [(2, 4, 300, 1), (3, 3, 150, 5)])
def test_all_correlations_are_one(factors: int, categories: int, n: int, seed: int) -> None:
    """The maximum is that of one factor, and said to be at the border; scales of factors do not matter."""
    data = items(n, equal(1.0, factors), categories, seed)
    alone = "\n".join(
        [f"{y} :: ordinal(logit)" for y in data] + ["f =~ " + " + ".join(data)]
    )  # fmt: skip
    reference = sl.Model(alone).fit(data, se="none")
    for unit in (True, False) if factors == 2 else (True,):
        fit = sl.Model(text(factors, categories, unit)).fit(data, se="none")
        assert fit.converged
        assert fit.loglik == pytest.approx(reference.loglik, abs=2e-3)  # two rules within 1e-3 each
        np.testing.assert_allclose(correlations(fit), 1.0, atol=1e-6)
        assert {d.slug for d in fit.diagnostics} == {"correlation-at-one"}


def test_rank_two_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A singular matrix without a correlation of one: found in few evaluations, and the same at either scale."""
    data = items(250, equal(0.98, 3), 2, 6)
    count, before = [0], Objective.value_and_gradient

    def counted(self: Objective, z: np.ndarray) -> tuple[float, np.ndarray]:
        count[0] += 1
        return before(self, z)

    monkeypatch.setattr(Objective, "value_and_gradient", counted)
    fits = [sl.Model(text(3, 2, unit)).fit(data) for unit in (True, False)]
    assert all(f.converged for f in fits)
    assert fits[0].loglik == pytest.approx(fits[1].loglik, abs=1e-4)
    np.testing.assert_allclose(correlations(fits[0]), correlations(fits[1]), atol=1e-3)
    assert count[0] < 600
    for f in fits:
        said = {d.slug for d in f.diagnostics}
        assert said & {"singular-covariance", "correlation-at-one"}
        assert all(x.message.count("f") >= 2 for x in f.diagnostics if x.slug == "singular-covariance")


def test_many_parameters_and_nodes_take_second_derivatives_at_nodes() -> None:
    """As differences of the gradient, which moves its nodes: two rules with one limit."""
    data = items(120, equal(0.5, 3), 4, 2)
    model, designs, _ = sl.Model(text(3, 4, True)).bind(data)
    table = model.parameter_table
    objective = assemble(table, model.graphs, designs, Constraints(table), True, 9, 1)
    (member,) = objective.members
    assert isinstance(member, QuadratureLikelihood)
    x = objective.parametrisation.coordinates(start_values(table, *start_parts(table, model.graphs, designs), {}, None))
    found = member.hessian(x)
    assert found is not None
    size = np.sqrt(np.abs(np.diag(found)))
    for k in range(0, x.size, 5):
        step = 1e-4 * np.eye(x.size)[k]
        line = (member.value_and_gradient(x + step)[1] - member.value_and_gradient(x - step)[1]) / 2e-4
        np.testing.assert_allclose(found[k] / size / size[k], line / size / size[k], atol=2e-3)
    member.points = 1
    assert member.hessian(x) is None  # Laplace has no nodes
