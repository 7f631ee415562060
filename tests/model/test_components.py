"""``y ~ x + y[g]``: the part of a response that varies over clusters, as a term of its own response."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model


@pytest.mark.parametrize("text", ["y ~ x + y[g]", "y ~ y[g]", "b :: binomial(logit)\nb ~ 1 + b[g]"])
def test_a_component_has_a_variance(text: str) -> None:
    """Its path is part of the response and has no row; without the variance the term would be dropped."""
    rows = [(r.lhs, r.op, r.rhs) for r in Model(text).parameter_table.rows]
    name = text.split("~")[-1].split()[-1]
    assert (name, "~~", name) in rows
    assert (name.split("[")[0], "~1", "") in rows


def test_three_ways_to_write_a_random_intercept() -> None:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(12), 5)
    frame = pd.DataFrame({"g": g, "y": rng.normal(size=12)[g] + rng.normal(size=60)})
    values = [Model(f"y ~ 1 + {term}").fit(frame, se="none").loglik for term in ("y[g]", "u[g]", "(1 | g)")]
    assert values == pytest.approx([values[0]] * 3, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "free"), [("ordinal(logit)", 0), ("adjacent", 0), ("binomial(logit)", 1), ("gaussian", 1)]
)
def test_thresholds_are_the_origin_at_every_level(kind: str, free: int) -> None:
    text = f"cluster: g\ny1 + y2 + y3 :: {kind}\nlevel: 1\nf =~ y1 + y2 + y3\nlevel: 2\nh =~ y1 + y2 + y3"
    rows = Model(text).parameter_table.rows
    assert [sum(r.op == "~1" and r.lhs == y and r.free > 0 for r in rows) for y in ("y1", "y2", "y3")] == [free] * 3


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        ("f ~ 0*1", "f ~ 1", [0, 1]),
        ("f ~ 1", "f ~ 0*1", [1, 0]),
        ("f ~ 1", "f ~ 1", [1, 0]),
        ("f ~ 2*1", "f ~ 1", [0, 1]),
    ],
)
def test_the_class_whose_mean_is_fixed_is_the_origin(first: str, second: str, free: list[int]) -> None:
    """The last is where the text fixes none."""
    text = f"c :: class(2)\nf =~ y1 + y2 + y3\nclass: 1\n{first}\nclass: 2\n{second}"
    rows = [r for r in Model(text).parameter_table.rows if r.lhs == "f" and r.op == "~1"]
    assert [int(r.parameter >= 0) for r in sorted(rows, key=lambda r: r.klass)] == free


def test_random_intercepts_of_memberships_belong_to_their_logits() -> None:
    """Each logit of three classes has one of its own, with the row of its class as a covariate's effect has it."""
    table = Model("c :: class(3)\nc =~ i1 + i2\ni{1..2} :: binomial(logit)\nc ~ x + (1 | g)").parameter_table
    found = [(r.lhs, r.rhs, r.klass, r.class_variable) for r in table.rows if r.op == "~"]
    assert found == [
        ("c", "x", 1, "c"), ("c", "c@1.1[g]", 1, "c"), ("c", "x", 2, "c"), ("c", "c@2.1[g]", 2, "c"),
    ]  # fmt: skip
