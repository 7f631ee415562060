"""Responses that predict others are drawn first, and then predict with what was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.results.simulate import Population

TEXTS = {
    "binary": "m :: binomial(logit)\nm ~ x\ny ~ m",
    "text": 'm :: binomial(logit, success="yes")\nm ~ x\ny ~ m',
    "numbers of categories": "m :: ordinal(logit)\nm ~ x\ny ~ m",
    "categories": "m :: ordinal(logit)\nm ~ x\ny ~ factor(m)",
    "square": "m :: poisson(log)\nm ~ x\ny ~ m + m^2",
    "in classes": "c :: class(2)\nm :: binomial(logit)\nm ~ x + c\ny ~ m + c",
}


def data(name: str, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(size=n)
    if "categories" in name:
        m = np.digitize(x + rng.normal(size=n), [-1, 0, 1]) + 3  # 3 to 6: not the codes
    else:
        m = rng.poisson(np.exp(0.3 * x)) if name == "square" else (rng.logistic(size=n) < x).astype(int)
    return pd.DataFrame({"x": x, "m": np.where(m, "yes", "no") if name == "text" else m, "y": 0.5 * m + x})


@pytest.mark.parametrize("name", list(TEXTS))
def test_predictors_follow_the_draws(name: str) -> None:
    """With a residual variance next to zero, y is its linear predictor at the drawn m, and the design has that m."""
    frame = data(name, 60)
    model, designs, _ = sl.Model(TEXTS[name]).bind(frame)
    table = model.parameter_table
    theta = np.arange(1.0, table.n_parameters + 1.0) / 4.0
    for row in table.rows:
        if row.parameter >= 0 and row.op == "~~":
            theta[row.parameter] = 1e-16
    (new,) = Population(table, model.graphs, designs, theta).draw_designs(np.random.default_rng(3))
    drawn = new.responses["m"]
    assert (drawn != designs[0].responses["m"]).any()
    values = {0.0: 3.0, 1.0: 4.0, 2.0: 5.0, 3.0: 6.0} if "categories" in name else {}
    m = np.array([values.get(v, v) for v in drawn])
    rows = [r for r in table.rows if r.target == "y" and r.parameter >= 0 and r.op in ("~", "~1")]

    def predicted(klass: int) -> np.ndarray:
        out = np.zeros(60)
        for r in rows:
            if r.klass in (0, klass):
                levels = [c.argument for c in r.via if c.function == "level"]
                power = 2.0 if "^" in r.rhs else 1.0
                out += theta[r.parameter] * ((m == float(levels[0])) if levels else m**power if r.via else 1.0)
                for via in [r.via] if r.via else []:
                    seen = (m == float(levels[0])).astype(float) if levels else m**power
                    np.testing.assert_array_equal(new.columns[via], seen)
        return out

    gap = np.min([np.abs(new.responses["y"] - predicted(k)) for k in (1, 2)], axis=0)
    assert gap.max() < 1e-6


def test_a_missing_predictor_stays_missing() -> None:
    frame = data("binary", 40)
    frame["m"] = frame.m.astype(float).where(frame.index % 4 > 0)
    model, designs, _ = sl.Model(TEXTS["binary"]).bind(frame)
    population = Population(model.parameter_table, model.graphs, designs, np.ones(model.parameter_table.n_parameters))
    (new,) = population.draw_designs(np.random.default_rng(3))
    for product in new.columns:
        if any(c.column == "m" for c in product):
            np.testing.assert_array_equal(np.isnan(new.columns[product]), np.arange(40) % 4 == 0)
