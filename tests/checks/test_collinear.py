"""Exact collinearity is found in every unit and origin, and near collinearity is not; the judge is numpy's rank."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl


def found(text: str, data: pd.DataFrame) -> list[str]:
    """Messages of the finding, through a fit that stops there or goes on."""
    try:
        diagnostics = sl.Model(text).fit(data).diagnostics
    except sl.FitError as problem:
        diagnostics = problem.diagnostics
    return [d.message for d in diagnostics if d.slug == "collinear-covariates"]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 120
    out = pd.DataFrame(rng.normal(size=(n, 6)), columns=["y", "u", "v", "x", "a", "b"])
    out["g"] = np.arange(n) // 6
    out["w"] = rng.normal(size=20)[out.g]
    out["q"] = (out.y > 0).astype(int)
    out["o"] = np.digitize(out.y, [-0.5, 0.5])
    return out.assign(z=2 * out.x + 1, s=out.a + out.b, w2=3 - out.w)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("y ~ 1 + x + z", ["'z' is a linear combination of the intercept and 'x'"]),
        ("y ~ 1 + a + b + s", ["'s' is a linear combination of 'a' and 'b'"]),
        ("q :: binomial(logit)\nq ~ 1 + x + z + (1 | g)", ["'z' is a linear combination of the intercept and 'x'"]),
        ("o :: ordinal(probit)\no ~ x + z", ["'z' is a linear combination of the intercept and 'x'"]),
        ("cluster: g\ny ~ 1 + x + w + y[g]\ny[g] ~ w2", ["'w2' is a linear combination of the intercept and 'w'"]),
        ("cluster: g\ny ~ 1 + x + w + r[g]\nr ~ w2", ["'w2' is a linear combination of the intercept and 'w'"]),
        ("f =~ y + u + v\nf ~ x + z", ["'z' is a linear combination of the intercept and 'x'"]),
        ("y ~ 1 + x + (1 + x + z | g)",
         ["'z' is a linear combination of the intercept and 'x' in the random effects of g"]),
        ("y ~ 0 + x + z", []),
        ("y ~ 1 + x\nu ~ 1 + z", []),
        ("y ~ 1 + x + x^2 + x^3", []),
    ],
)  # fmt: skip
def test_named(data, text, names):
    assert found(text, data) == names


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("origin", [0.0, 2015.0, 1.5e9])
def test_units_and_origins(data, scale, origin):
    x = (data.x.round(3) + (origin if origin < 1e6 else 0.0)) * scale + (origin if origin > 1e6 and scale >= 1 else 0.0)
    other = data.assign(x=x, z=5.0 * (x - x.mean()) + 7.0 * scale)
    assert found("y ~ 1 + x + z", other)
    assert not found("y ~ 1 + x + z", other.assign(z=other.z + 1e-3 * other.z.std() * data.a))


def test_a_relation_holds_in_all_rows(data):
    """The last row alone tells the two apart."""
    other = data.copy()
    other.loc[len(other) - 1, "z"] += 1.0
    assert not found("y ~ 1 + x + z", other)
    other.loc[len(other) - 1, "y"] = np.nan  # and it does not count
    assert found("y ~ 1 + x + z", other)


def test_random_designs_against_numpy():
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(30):
        X = rng.integers(0, 3, size=(12, 4)).astype(float)
        if (X.std(axis=0) == 0).any():
            continue
        data = pd.DataFrame(X, columns=list("abcd")).assign(y=rng.normal(size=12))
        if rng.uniform() < 0.5:
            data["d"] = data.a - 2 * data.c + 1
        rank = np.linalg.matrix_rank(np.column_stack([np.ones(12), data[list("abcd")]]))
        messages = found("y ~ 1 + a + b + c + d", data)
        assert len(messages) == 5 - rank
        seen.add(int(rank))
    assert seen == {4, 5}
