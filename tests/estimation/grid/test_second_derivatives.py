"""Louis' formula of the shared grid beside differences of the exact gradient, for models of one and two layers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.grid import louis
from semlang.estimation.grid.sections import sections
from semlang.estimation.grid.shared_grid import SharedGrid
from semlang.estimation.kernels.shared_grid import Lists
from semlang.estimation.objective import Objective
from semlang.estimation.start import start_values

N = 300
APART = "options: std.lv = true, auto.cov.lv.x = false\n"
TESTLETS = "s1 =~ i{1..3}\ns2 =~ i{4..6}"

MODELS = {
    "one layer": "i{1..6} :: binomial(logit)\nf =~ i{1..6}",
    "bifactor": APART + "i{1..6} :: binomial(logit)\ng =~ i{1..6}\n" + TESTLETS,
    "testlets, equal loadings": APART + "i{1..6} :: binomial(probit)\ng =~ a*i1 + a*i2 + b*i3 + b*i4 + i5 + i6\n"
    "s1 =~ c*i1 + c*i2 + c*i3\ns2 =~ d*i4 + d*i5 + d*i6\nd == 2*c",
    "items of no specific factor": APART + "i{1..6} :: binomial(logit)\ng =~ i{1..6}\ns1 =~ i{1..2}\ns2 =~ i{3..4}",
    "second order": "i{1..6} :: binomial(logit)\nf1 =~ i{1..3}\nf2 =~ i{4..6}\ng =~ f1 + l*f2\ng ~~ 1*g",
    "polytomous and binary": APART + "o{1..3} :: ordinal(logit)\ni{4..6} :: binomial(logit)\n"
    "g =~ o{1..3} + i{4..6}\ns1 =~ o{1..3}\ns2 =~ i{4..6}\no2 ~ x",
    "counts": APART + "k{1..4} :: poisson(log)\ng =~ k{1..4}\ns1 =~ k{1..2}\ns2 =~ k{3..4}",
    "persons in schools": "cluster: school\ni{1..4} :: binomial(logit)\no{1..2} :: ordinal(logit)\n"
    "f =~ i{1..4} + o{1..2}\nf ~ x + u[school]",
    "schools with weights": "cluster: school\nweights: school = w\ni{1..4} :: binomial(logit)\n"
    "f =~ i{1..4}\nf ~ u[school]",
    "two groups": APART
    + "groups: x\noptions: group.equal = [loadings]\ni{1..6} :: binomial(logit)\ng =~ i{1..6}\n"
    + TESTLETS,
    "frequencies": APART + "frequency: rows = n\ni{1..6} :: binomial(logit)\ng =~ i{1..6}\n" + TESTLETS,
}  # fmt: skip


def frame() -> pd.DataFrame:
    """Items of a general and two specific factors, a tenth of the responses missing; schools, groups, frequencies."""
    rng = np.random.default_rng(20261128)
    school = np.repeat(np.arange(15), N // 15)
    f, special = rng.normal(size=N) + 0.7 * rng.normal(size=15)[school], rng.normal(size=(N, 2))
    out: dict[str, np.ndarray] = {}
    for j in range(1, 7):
        nu = f + special[:, (j - 1) // 3] + 0.3 * (j % 3) + rng.logistic(size=N)
        out[f"i{j}"] = (nu > 0).astype(float)
        out[f"o{j}"] = np.digitize(nu, [-1.0, 0.3, 1.2]).astype(float)
        out[f"k{j}"] = rng.poisson(np.exp(0.4 * f + 0.3 * special[:, (j - 1) % 2])).clip(max=6).astype(float)
    data = pd.DataFrame(out)
    data[rng.random(data.shape) < 0.1] = np.nan
    w = rng.uniform(0.3, 2.0, 15)[school]
    return data.assign(school=school, x=rng.integers(0, 2, N), n=rng.integers(1, 4, N), w=w)


def objective_of(name: str) -> tuple[Objective, np.ndarray]:
    """Return a model's objective by the shared grid, and a point near its start."""
    model, designs, _ = sl.Model(MODELS[name]).bind(frame())
    table = model.parameter_table
    objective = assemble(
        table, model.graphs, designs, Constraints(table), True, None, 1, engines=["shared grid"] * len(designs)
    )
    assert all(isinstance(m, SharedGrid) and {layer.dims for layer in m.layers} == {1} for m in objective.members)
    theta = start_values(table, model.graphs, [m.reduced for m in objective.members], designs, {})
    z = objective.z(objective.parametrisation.coordinates(theta))
    return objective, z + 0.1 * np.random.default_rng(3).uniform(0.5, 1.0, z.size)


@pytest.mark.parametrize("name", MODELS)
def test_second_derivatives_are_those_of_the_gradient(name: str) -> None:
    objective, z = objective_of(name)
    hessian, numeric = objective.hessian(z), []
    for k in range(z.size):
        h = np.zeros(z.size)
        h[k] = 1e-4
        ends = [objective.value_and_gradient(z + s * h)[1] for s in (2.0, 1.0, -1.0, -2.0)]
        numeric.append((8.0 * (ends[1] - ends[2]) - ends[0] + ends[3]) / 12e-4)
    # Differences of fourth order, steps of 1e-4: errors of 1e-16 of the slopes of single units' sums over 1e-4.
    np.testing.assert_allclose(hessian, numeric, rtol=1e-6, atol=1e-8 * np.abs(numeric).max())


@pytest.mark.parametrize("name", ["bifactor", "persons in schools", "schools with weights"])
def test_scores_are_those_of_single_units(name: str) -> None:
    objective, z = objective_of(name)
    _, scores = objective.value_and_scores(z)
    for k in (0, z.size - 1):
        h = np.zeros(z.size)
        h[k] = 1e-4
        up, down = (objective.members[0].values(objective.x(z + s * h)) for s in (1.0, -1.0))
        np.testing.assert_allclose(scores[:, k], (up - down) / 2e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["polytomous and binary", "one layer"])
@pytest.mark.parametrize(("numbers", "sums"), [(1, 10**7), (700, 3_000), (1_000_000, 1)])
def test_how_much_is_worked_on_at_a_time_does_not_matter(
    name: str, numbers: int, sums: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective, z = objective_of(name)
    expected = objective.hessian(z)
    monkeypatch.setattr(louis, "CELLS", numbers)
    monkeypatch.setattr(louis, "SUMS", sums)
    np.testing.assert_allclose(objective.hessian(z), expected, rtol=1e-9, atol=1e-9)


def test_units_that_share_no_type_are_apart() -> None:
    rng = np.random.default_rng(5)
    units = [rng.integers(5 * k, 5 * k + 5, rng.integers(1, 6)) for k in rng.integers(0, 3, 40)]
    first = np.cumsum([0, *(u.size for u in units)])
    found = sections(Lists(first, np.concatenate(units)), 15)
    assert sorted(np.concatenate([s.units for s in found]).tolist()) == list(range(40))
    assert sum(s.types.size for s in found) == np.unique(np.concatenate(units)).size
    for s in found:
        for u, counts in zip(s.units, s.present, strict=True):
            assert np.repeat(s.types, counts).tolist() == sorted(units[u].tolist())
