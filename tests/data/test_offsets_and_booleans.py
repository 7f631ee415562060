"""Offsets of logarithms, and booleans as binary responses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl


def frame(n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x, t = rng.normal(size=n), rng.uniform(0.5, 3.0, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-x))
    return pd.DataFrame({"x": x, "t": t, "logt": np.log(t), "k": rng.poisson(t * np.exp(0.3 * x)), "b": truth})


def test_offset_of_a_logarithm_is_the_exposure() -> None:
    data = frame()
    values = [
        sl.Model(f"k :: poisson{exposure}\nk ~ {right}").fit(data).loglik
        for exposure, right in (("", "x + offset(log(t))"), ("", "x + offset(logt)"), ("(exposure=t)", "x"))
    ]
    assert values == pytest.approx([values[0]] * 3, abs=1e-7)


def test_offset_and_effect_of_one_logarithm_are_two_terms() -> None:
    model = sl.Model("k :: poisson\nk ~ log(t) + offset(log(t))")
    rows = [(r.rhs, bool(r.free)) for r in model.parameter_table.rows if r.op == "~"]
    assert rows == [("log(t)", True), ("offset(log(t))", False)]
    assert "offset(log(t))" in sl.Model("k :: poisson\nk ~ offset(log(t)) + (1 | g)").convert("lme4").text


@pytest.mark.parametrize("dtype", [bool, "boolean", object])
def test_booleans_are_binary(dtype: object) -> None:
    data = frame()
    numbers = sl.Model("b :: binomial(logit)\nb ~ x").fit(data.assign(b=data["b"].astype(int)))
    booleans = sl.Model("b :: binomial(logit)\nb ~ x").fit(data.assign(b=data["b"].astype(dtype)))  # type: ignore[arg-type]
    assert booleans.loglik == pytest.approx(numbers.loglik, abs=1e-9)
    assert list(booleans.params["est"]) == pytest.approx(list(numbers.params["est"]), abs=1e-9)
