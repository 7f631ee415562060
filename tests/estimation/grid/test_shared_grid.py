"""The shared grid beside adaptive quadrature, differences and itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation import ways
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.grid import suits as choice
from semlang.estimation.grid.nodes import shared_nodes
from semlang.estimation.grid.patterns import blocks, distinct, taken
from semlang.estimation.grid.shared_grid import SharedGrid
from semlang.estimation.start import start_values

N = 400


def binary(nu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(nu.shape) < 1.0 / (1.0 + np.exp(-nu))).astype(float)


def frame() -> pd.DataFrame:
    """Twelve binary items of a general and three specific factors, four ordinal ones, a group, schools, weights."""
    rng = np.random.default_rng(20261128)
    f, special = rng.normal(size=N) + np.repeat(rng.normal(size=20), N // 20), rng.normal(size=(N, 3))
    out = {
        f"i{j}": binary(0.3 * (j % 4) - 0.5 + f + special[:, (j - 1) // 4], rng) for j in range(1, 13)
    }  # fmt: skip
    out["i3"][::7] = np.nan
    out |= {f"o{j}": np.digitize(f + rng.logistic(size=N), [-1.0, 0.3, 1.2]).astype(float) for j in range(1, 5)}
    out |= {"x": rng.integers(0, 2, N), "school": np.repeat(np.arange(20), N // 20), "k": rng.integers(1, 4, N)}
    return pd.DataFrame(out)


MODELS = {
    "binary, a response missing": "i{1..6} :: binomial(logit)\nf =~ i{1..6}",
    "probit, latent regression": "i{1..6} :: binomial(probit)\nf =~ i{1..6}\nf ~ x",
    "ordinal, direct effect": "o{1..4} :: ordinal(logit)\nf =~ o{1..4}\no2 ~ x",
    "mixed": "o{1..2} :: ordinal(probit)\ni{1..4} :: binomial(logit)\nf =~ o{1..2} + i{1..4}",
    "bifactor": "options: std.lv = true, auto.cov.lv.x = false\ni{1..12} :: binomial(logit)\n"
    "g =~ i{1..12}\ns1 =~ i{1..4}\ns2 =~ i{5..8}\ns3 =~ i{9..12}",
    "two levels": "cluster: school\ni{1..6} :: binomial(logit)\nf =~ i{1..6}\nf ~ u[school]",
    "frequencies": "frequency: rows = k\ni{1..4} :: binomial(logit)\nf =~ i{1..4}",
}


class Pair:
    """One model's member by shared nodes and by adaptive ones, at one point of the parameters."""

    def __init__(self, text: str, data: pd.DataFrame) -> None:
        model, designs, _ = sl.Model(text).bind(data)
        constraints = Constraints(model.parameter_table)
        grid, adaptive = (
            assemble(model.parameter_table, model.graphs, designs, constraints, True, 31, 1, engines=engines)
            for engines in (["shared grid"], [])
        )
        self.grid, self.adaptive = grid.members[0], adaptive.members[0]
        assert isinstance(self.grid, SharedGrid)
        if len(self.grid.layers) == 2:
            self.adaptive.points = 15
        forms = [m.reduced for m in (self.grid,)]
        theta = start_values(model.parameter_table, model.graphs, forms, designs, {})
        rng = np.random.default_rng(3)
        x = grid.parametrisation.coordinates(theta)
        x = x + 0.05 * rng.normal(size=x.size)
        if len(self.grid.layers) == 2:  # no variance near zero, where a school is many prior SDs away
            x = np.where(np.abs(x) < 0.2, 1.0, x)
        self.x = x


@pytest.fixture(scope="module", params=MODELS, ids=list(MODELS))
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(MODELS[request.param], frame())


# Adaptive quadrature with 31 (15 x 15) points and the shared nodes both have errors of about 1e-5 here.


def test_value_and_gradient_are_those_of_adaptive_quadrature(pair: Pair) -> None:
    value, gradient = pair.grid.value_and_gradient(pair.x)
    expected, slope = pair.adaptive.value_and_gradient(pair.x)
    assert value == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(gradient, slope, atol=1e-4)
    assert pair.grid.value(pair.x) == value


def test_gradient_is_that_of_the_value(pair: Pair) -> None:
    gradient = pair.grid.value_and_gradient(pair.x)[1]
    for p in range(pair.x.size):
        h = np.zeros(pair.x.size)
        h[p] = 1e-5
        difference = (pair.grid.value(pair.x + h) - pair.grid.value(pair.x - h)) / 2e-5
        assert gradient[p] == pytest.approx(difference, rel=1e-6, abs=1e-5)


def test_units_scores_and_posterior(pair: Pair) -> None:
    values, scores = pair.grid.values_and_scores(pair.x)
    expected, slopes = pair.adaptive.values_and_scores(pair.x)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    np.testing.assert_allclose(scores, slopes, atol=1e-4)
    ours, theirs = pair.grid.posterior(pair.x), pair.adaptive.posterior(pair.x)
    for level, moments in theirs.levels.items():
        np.testing.assert_allclose(ours.levels[level].means, moments.means, atol=1e-4)
        np.testing.assert_allclose(ours.levels[level].covariances, moments.covariances, atol=1e-4)


def test_second_derivatives_are_those_of_the_gradient(pair: Pair) -> None:
    hessian = pair.grid.hessian(pair.x)
    numeric = np.empty_like(hessian)
    for p in range(pair.x.size):
        h = np.zeros(pair.x.size)
        h[p] = 1e-5
        up, down = (pair.grid.value_and_gradient(pair.x + s * h)[1] for s in (1.0, -1.0))
        numeric[p] = (up - down) / 2e-5
    np.testing.assert_allclose(hessian, numeric, atol=1e-7 * np.abs(numeric).max())


def test_complete_information_is_not_below_the_observed(pair: Pair) -> None:
    x, information = pair.grid.start(pair.x)
    assert x is pair.x
    assert information is not None
    assert np.linalg.eigvalsh(information)[0] > 0


def test_results_do_not_depend_on_threads() -> None:
    model, designs, _ = sl.Model(MODELS["bifactor"]).bind(frame())
    table = model.parameter_table
    members = [
        assemble(table, model.graphs, designs, Constraints(table), True, 7, threads, engines=["shared grid"]).members[0]
        for threads in (1, 3)
    ]
    x = np.full(members[0].n_parameters, 0.7)
    one, three = (m.value_and_gradient(x) for m in members)
    assert one[0] == three[0]
    assert np.array_equal(one[1], three[1])


def test_nodes_between_tell_the_error() -> None:
    pair = Pair(MODELS["binary, a response missing"], frame())
    true = pair.adaptive
    true.points = 121
    for count in (10, 13, 16):
        pair.grid.nodes = shared_nodes(count)
        actual = abs(pair.grid.value(pair.x) - true.value(pair.x))
        error = pair.grid.error(pair.x)
        assert 0.5 * actual - 1e-5 < error < 2.0 * actual + 1e-5


def test_whole_fits_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame()
    for name in ("ordinal, direct effect", "two levels"):
        adaptive = sl.Model(MODELS[name]).fit(data, points=15)
        with monkeypatch.context() as patch:
            patch.setattr(choice, "LARGE", 0)
            patch.setattr(choice, "ROWS_A_TYPE", 1)
            patch.setattr(choice, "ADAPTIVE", 100)
            patch.setattr(ways, "SHARED", 0.0)
            shared = sl.Model(MODELS[name]).fit(data)
        assert shared.estimate.method.endswith("shared grid of nodes")
        assert shared.converged
        assert shared.loglik == pytest.approx(adaptive.loglik, abs=1e-3)
        np.testing.assert_allclose(shared.params["est"], adaptive.params["est"], atol=2e-3)
        np.testing.assert_allclose(shared.params["se"], adaptive.params["se"], rtol=5e-3)


def test_units_that_need_nodes_of_their_own_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    school = np.repeat(np.arange(30), 1500)
    data = pd.DataFrame({"y": rng.poisson(np.exp(3.0 + rng.normal(size=30)[school])), "school": school})
    text = "y :: poisson(log)\ny ~ 1 + (1 | school)"
    monkeypatch.setattr(choice, "LARGE", 0)
    monkeypatch.setattr(choice, "ROWS_A_TYPE", 1)
    monkeypatch.setattr(choice, "ADAPTIVE", 10_000)
    lines: list[str] = []
    fit = sl.Model(text).fit(data, progress=lines.append, se="none")
    assert any("the shared ones do not settle" in line for line in lines)
    assert fit.estimate.method.endswith("adaptive Gauss-Hermite at the mode")
    assert fit.loglik == pytest.approx(sl.Model(text).fit(data, points=15, se="none").loglik, abs=1e-3)


def test_blocks_sum_to_the_same() -> None:
    rng = np.random.default_rng(8)
    sizes = rng.integers(0, 9, 60)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    response = np.concatenate([np.sort(rng.choice(9, n, replace=False)) for n in sizes]).astype(np.int64)
    entry = 2 * response + rng.integers(0, 2, response.size)
    table = rng.normal(size=18)
    lists, begins, number = blocks(first, entry, response, np.full(9, 2))
    sums = np.array([table[lists.entry[a:b]].sum() for a, b in zip(lists.first, lists.first[1:])])
    for u in range(60):
        assert sums[number[begins[u] : begins[u + 1]]].sum() == pytest.approx(
            table[entry[first[u] : first[u + 1]]].sum()
        )
    same, representative = distinct(first, entry)
    for u in range(60):
        one = taken(first, entry, np.array([representative[same[u]]])).entry
        assert one.tolist() == entry[first[u] : first[u + 1]].tolist()
