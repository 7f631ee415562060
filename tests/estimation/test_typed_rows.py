"""Independent rows by their types: the same log-likelihoods and scores of units as row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.likelihood import QuadratureLikelihood

MODELS = {
    "binary": "y{1..3} :: binomial(logit)\ny{1..3} ~ 1",
    "with a covariate": "y{1..3} :: binomial(probit)\ny{1..3} ~ 1 + g",
    "ordinal, counts, missing": "o :: ordinal(logit)\nk :: poisson(log)\no ~ g\nk ~ 1 + g",
    "frequencies": "frequency: rows = n\ny{1..3} :: binomial(logit)\no :: ordinal(probit)\ny{1..3} ~ 1",
}


def frame(n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    out = {f"y{j}": (rng.random(n) < 0.2 * j).astype(float) for j in (1, 2, 3)}
    out |= {"o": rng.integers(0, 4, n).astype(float), "k": rng.poisson(1.5, n).astype(float)}
    data = pd.DataFrame(out)
    data[rng.random(data.shape) < 0.1] = np.nan
    return data.assign(g=rng.integers(0, 3, n), n=rng.integers(1, 5, n), x=rng.normal(size=n))


def member_of(text: str) -> tuple[QuadratureLikelihood, np.ndarray]:
    model, designs, _ = sl.Model(text).bind(frame())
    table = model.parameter_table
    member = assemble(table, model.graphs, designs, Constraints(table), True, 1, 1, engines=[""]).members[0]
    assert isinstance(member, QuadratureLikelihood)
    x = np.random.default_rng(3).uniform(-0.5, 0.5, member.n_parameters)
    for k, row in enumerate(r for r in table.rows if r.op == "|"):  # thresholds are in order
        x[row.parameter] = k - 1.0
    return member, x


@pytest.mark.parametrize("name", MODELS)
def test_units_by_types_are_units_row_by_row(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    member, x = member_of(MODELS[name])
    assert member._typed is not None
    typed = member.units(x)
    monkeypatch.setitem(member.__dict__, "_typed", None)
    plain = member.units(x)
    np.testing.assert_allclose(typed.values, plain.values, rtol=1e-12)
    rng = np.random.default_rng(5)
    weights = rng.random(plain.values.size)
    first = member.rows.first
    for begins in (first, first[::7] if first.size % 7 == 1 else np.append(first[:-1:7], first[-1]), first[[0, -1]]):
        expected = plain.scores(weights, begins)
        found = np.zeros_like(expected)
        found[:, typed.columns] = typed.scores(weights, begins)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_rows_of_many_types_are_left_as_they_are() -> None:
    assert member_of("y1 :: binomial(logit)\ny1 ~ 1 + x")[0]._typed is None
    assert member_of("k :: poisson(log)\nk ~ 1 + x:g")[0]._typed is None
