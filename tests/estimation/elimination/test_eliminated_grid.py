"""Latent variables eliminated in turn: the same likelihood as by adaptive nodes, with exact derivatives."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.elimination import eliminated_grid
from semlang.estimation.elimination.eliminated_grid import EliminatedGrid
from semlang.estimation.elimination.outline import outline
from semlang.estimation.start import start_values

BINARY = "options: std.lv = true, auto.cov.lv.x = false\n"

MODELS = {
    "autoregression": "".join(f"y{t}{{1..2}} :: ordinal(logit)\n" for t in (1, 2, 3, 4))
    + "".join(f"f{t} =~ y{t}{{1..2}}\n" for t in (1, 2, 3, 4))
    + "f2 ~ f1\nf3 ~ f2\nf4 ~ f3",
    "growth": "".join(f"y{t}{{1..2}} :: binomial(logit)\n" for t in (1, 2, 3, 4))
    + "".join(f"f{t} =~ 1*y{t}1 + l*y{t}2\n" for t in (1, 2, 3, 4))
    + "i =~ 1*f1 + 1*f2 + 1*f3 + 1*f4\ns =~ 0*f1 + 1*f2 + 2*f3 + 3*f4",
    "second order": "".join(f"y{t}{{1..2}} :: binomial(probit)\n" for t in (1, 2, 3, 4))
    + "".join(f"f{t} =~ y{t}{{1..2}}\n" for t in (1, 2, 3, 4))
    + "g =~ f1 + f2 + f3 + f4",
    "two tiers": BINARY
    + "".join(f"y{t}{{1..2}} :: binomial(logit)\n" for t in (1, 2, 3, 4))
    + "g =~ y1{1..2} + y2{1..2}\nh =~ y3{1..2} + y4{1..2}\ng ~~ h\ns =~ y11 + y21 + y31\nr =~ y12 + y22 + y42",
    "correlated factors": "options: std.lv = true\n"
    + "".join(f"y{t}{{1..2}} :: ordinal(logit)\n" for t in (1, 2, 3))
    + "".join(f"f{t} =~ y{t}{{1..2}}\n" for t in (1, 2, 3)),
    "levels": BINARY
    + "cluster: school\n"
    + "".join(f"y{t}{{1..2}} :: binomial(logit)\n" for t in (1, 2, 3, 4))
    + "g =~ y1{1..2} + y2{1..2} + y3{1..2} + y4{1..2}\ns =~ y1{1..2} + y2{1..2}\n"
    + "r =~ y3{1..2} + y4{1..2}\ng ~ u[school]",
    "covariates": "".join(f"y{t}{{1..2}} :: binomial(logit)\n" for t in (1, 2, 3))
    + "".join(f"f{t} =~ y{t}{{1..2}}\n" for t in (1, 2, 3))
    + "f2 ~ f1 + x\nf3 ~ f2\ny31 ~ x",
}


def frame(n: int = 60, seed: int = 1) -> pd.DataFrame:
    """Return ordinal responses of three categories, or binary ones, with some missing, a group and a covariate."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    x = rng.integers(0, 2, size=n)
    data: dict[str, object] = {"school": np.arange(n) // 12, "x": x}
    for t in (1, 2, 3, 4):
        f = 0.8 * common + 0.6 * rng.normal(size=n) + 0.3 * x
        for j in (1, 2):
            nu = 1.2 * f + rng.logistic(size=n)
            y = (nu > -0.5).astype(float) + (nu > 0.9)
            y[rng.random(n) < 0.05] = np.nan
            data[f"y{t}{j}"] = y
    return pd.DataFrame(data)


def data_of(name: str, n: int = 60) -> pd.DataFrame:
    """Return the data of a model: binary responses where the model has them."""
    data = frame(n)
    if "binomial" in MODELS[name]:
        for column in [c for c in data if c.startswith("y")]:
            data[column] = data[column].clip(upper=1.0)
    return data


@dataclass
class Case:
    """A model's member by elimination and by adaptive nodes, at one point of the parameters."""

    grid: EliminatedGrid
    adaptive: object
    x: np.ndarray


@pytest.fixture(scope="module", params=MODELS, ids=list(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    model, designs, _ = sl.Model(MODELS[request.param]).bind(data_of(request.param))
    table = model.parameter_table
    grid, adaptive = (
        assemble(table, model.graphs, designs, Constraints(table), True, 9, 1, scaled=False, engines=engines)
        for engines in (["variable elimination"], [])
    )
    member = grid.members[0]
    assert isinstance(member, EliminatedGrid)
    theta = start_values(table, model.graphs, [member.outline.structure.reduced], designs, {})
    x = grid.parametrisation.coordinates(theta)
    x = x + 0.05 * np.random.default_rng(3).normal(size=x.size)
    return Case(member, adaptive.members[0], np.where(np.abs(x) < 0.2, 0.6, x))


def test_the_value_is_that_of_adaptive_nodes(case: Case) -> None:
    """To the error that each of the two states, which is below 0.001 in these models."""
    while case.grid.error(case.x) > 1e-3:
        assert case.grid.refine()
    assert case.grid.value(case.x) == pytest.approx(case.adaptive.value(case.x), abs=2e-3)


def test_units_add_up(case: Case) -> None:
    values, scores = case.grid.values_and_scores(case.x)
    value, gradient = case.grid.value_and_gradient(case.x)
    assert values.sum() == pytest.approx(value, abs=1e-9)
    assert case.grid.values(case.x).sum() == pytest.approx(value, abs=1e-9)
    assert scores.sum(axis=0) == pytest.approx(gradient, abs=1e-9 * np.abs(gradient).max())
    assert case.grid.values(case.x) == pytest.approx(case.adaptive.values(case.x), abs=1e-3)


def test_the_gradient_is_that_of_the_value(case: Case) -> None:
    x, gradient = case.x, case.grid.value_and_gradient(case.x)[1]
    for p in range(0, x.size, 2):
        step = np.zeros(x.size)
        step[p] = 1e-5
        numeric = (case.grid.value(x + step) - case.grid.value(x - step)) / 2e-5
        assert gradient[p] == pytest.approx(numeric, rel=1e-6, abs=1e-6 * np.abs(gradient).max())


def test_louis_formula_is_the_second_derivative(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """At equal nodes; differences of the exact gradient have an error of the square of the step."""
    monkeypatch.setattr(eliminated_grid, "FEW", 0)
    monkeypatch.setattr(eliminated_grid, "SECOND", dict.fromkeys(range(1, 6), (10**6, 6.0)))
    x, hessian = case.x, case.grid.hessian(case.x)
    assert hessian is not None
    for p in range(0, x.size, 5):
        step = np.zeros(x.size)
        step[p] = 1e-4
        numeric = case.grid.value_and_gradient(x + step)[1] - case.grid.value_and_gradient(x - step)[1]
        assert hessian[p] == pytest.approx(numeric / 2e-4, abs=1e-6 * np.abs(hessian).max())


def test_information_to_start_from(case: Case) -> None:
    x, information = case.grid.start(case.x)
    assert x is case.x
    assert information is not None
    assert np.linalg.eigvalsh(information)[0] > 0


def test_posterior_moments(case: Case) -> None:
    found = case.grid.posterior(case.x)
    assert {m.means.shape[1] for m in found.levels.values()} <= set(range(1, 7))
    assert all(np.isfinite(m.means).all() for m in found.levels.values())


def test_runs_of_units_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    values = []
    for cells in (eliminated_grid.CELLS, 1):
        monkeypatch.setattr(eliminated_grid, "CELLS", cells)
        model, designs, _ = sl.Model(MODELS["levels"]).bind(data_of("levels"))
        table = model.parameter_table
        member = assemble(table, model.graphs, designs, Constraints(table), True, 7, 1, scaled=False,
                          engines=["variable elimination"]).members[0]  # fmt: skip
        assert isinstance(member, EliminatedGrid)
        x = np.full(member.n_parameters, 0.7)
        values.append((len(member.runs), *member.value_and_gradient(x)))
    (one, value, gradient), (many, again, other) = values
    assert one < many
    assert again == pytest.approx(value, abs=1e-9)
    assert other == pytest.approx(gradient, abs=1e-9)


def test_memory_is_that_of_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass, and Louis' formula, over eight times as many units takes the memory of a run, not of all."""
    monkeypatch.setattr(eliminated_grid, "FEW", 0)
    model = sl.Model(MODELS["levels"])
    peaks = {}
    for cells, scores in ((60_000, 200_000), (10**9, 10**9)):
        monkeypatch.setattr(eliminated_grid, "CELLS", cells)
        monkeypatch.setattr(eliminated_grid, "SCORE_CELLS", scores)
        for n in (120, 960):
            designs = model.bind(data_of("levels", n))[1]
            table = model.parameter_table
            member = assemble(table, model.graphs, designs, Constraints(table), True, 7, 1, scaled=False,
                              engines=["variable elimination"]).members[0]  # fmt: skip
            assert isinstance(member, EliminatedGrid)
            x = np.full(member.n_parameters, 0.7)
            member.value_and_gradient(x)
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            member.value_and_gradient(x)
            member.hessian(x)
            after, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            peaks[cells, n] = peak - before
            assert after - before < 0.1 * (peak - before)
    assert peaks[60_000, 960] < 2 * peaks[60_000, 120]  # patterns of units differ between runs
    assert peaks[10**9, 960] > 2 * peaks[60_000, 960]


def test_fits_are_those_of_adaptive_nodes() -> None:
    """Log-likelihood, estimates and standard errors; the plan says what was chosen and what was not."""
    data = data_of("second order", 400)
    model = sl.Model(MODELS["second order"])
    found, reference = model.fit(data), model.fit(data, points=11)
    assert "eliminated in turn" in found.estimate.method
    assert found.loglik == pytest.approx(reference.loglik, abs=2e-3)
    assert found.estimate.theta == pytest.approx(reference.estimate.theta, abs=2e-3)
    assert np.diag(found.estimate.vcov) == pytest.approx(np.diag(reference.estimate.vcov), rel=1e-2, abs=1e-6)
    shown = str(model.plan(data))
    assert "1. f1 given g" in shown
    assert "rejected: nested quadrature" in shown
    assert found.unit_logliks is not None


WIDTHS = {"autoregression": 2, "growth": 3, "second order": 2, "two tiers": 3, "correlated factors": 3, "levels": 2,
          "covariates": 2}  # fmt: skip


@pytest.mark.parametrize("name", WIDTHS)
def test_width(name: str) -> None:
    """One more than the treewidth of the moral graph."""
    model, _, _ = sl.Model(MODELS[name]).bind(data_of(name))
    found = outline(model.graphs[0], model.parameter_table.levels)
    assert found is not None
    assert found.width == WIDTHS[name]


def test_lower_levels_come_first() -> None:
    model, _, _ = sl.Model(MODELS["levels"]).bind(data_of("levels"))
    found = outline(model.graphs[0], model.parameter_table.levels)
    assert found is not None
    assert found.keys[found.steps[-1].variable] == "u[school]"


def test_a_variance_at_zero_is_found() -> None:
    """Tables do not see how narrow a distribution is below the distance of the nodes: adaptive nodes finish."""
    rng = np.random.default_rng(5)
    g = rng.normal(size=200)
    data = {}
    for t in (1, 2, 3, 4):
        f = g if t == 1 else 0.8 * g + 0.6 * rng.normal(size=200)
        for j in (1, 2, 3):
            nu = f + rng.logistic(size=200)
            data[f"y{t}{j}"] = (nu[:, None] > np.array([-1.0, 0.0, 1.0])).sum(axis=1)
    text = (
        "".join(f"y{t}{{1..3}} :: ordinal(logit)\nf{t} =~ y{t}{{1..3}}\n" for t in (1, 2, 3, 4))
        + "g =~ f1 + f2 + f3 + f4"
    )
    frame = pd.DataFrame(data)
    found, reference = sl.Model(text).fit(frame), sl.Model(text).fit(frame, points=9)
    assert found.loglik == pytest.approx(reference.loglik, abs=2e-3)
    assert {d.slug for d in found.diagnostics} == {d.slug for d in reference.diagnostics}


def test_a_correlation_next_to_one() -> None:
    """Second derivatives ask no neighbour whose covariance matrix is none, or give way to differences of gradients."""
    model, designs, _ = sl.Model(MODELS["two tiers"]).bind(data_of("two tiers"))
    table = model.parameter_table
    objective = assemble(
        table, model.graphs, designs, Constraints(table), True, 9, 1, own=True, engines=["variable elimination"]
    )
    (grid,) = objective.members
    assert isinstance(grid, EliminatedGrid)
    x = np.linspace(0.4, 0.9, table.n_parameters)
    x[next(row.parameter for row in table.rows if row.op == "~~" and row.parameter >= 0)] = 0.999
    second = grid.chain.second_derivatives(x, grid.bars(grid.evaluate(x)))
    assert np.isfinite(second).all()
    np.testing.assert_allclose(second, second.T, atol=1e-5 * np.abs(second).max())
