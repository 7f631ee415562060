"""What expressions can be: intervals hold the values at random points, and constraints outside of them are errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semlang import Model
from semlang.estimation.expressions import Dual, evaluate
from semlang.model.intervals import interval
from semlang.source import Source
from semlang.syntax.parser import parse

EXPRESSIONS = [
    "a", "-a", "a + b", "a - 2*b", "a*b", "a*a", "a^2 - b^2", "a^3", "(a + 1)^4", "a^-2", "a^0.5", "2^a", "1/a",
    "1/(1 + a^2)",
    "exp(a)*exp(b)", "exp(-a^2)", "log(1 + a^2)", "sqrt(a^2 + b^2)", "abs(a) - abs(b)", "min(a, b, 1)", "max(a^2, b)",
    "tanh(a) + 1", "plogis(a)*plogis(b)", "pnorm(a) - 1", "sin(a)*cos(b)", "-exp(a)/(1 + exp(a))", "cosh(a) - 1",
    "1/exp(a) - 1/exp(b)", "(a*b)^2", "floor(a)", "acos(tanh(a))", "sign(a)*exp(b)",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_values_lie_inside(text: str) -> None:
    expression = parse(Source(f"q := {text}"))[0].statements[0].expression
    found = interval(expression, {})
    rng = np.random.default_rng(1)
    for _ in range(200):
        names = {k: Dual(float(10.0 ** rng.uniform(-3, 1) * rng.choice([-1, 1])), np.zeros(1)) for k in "ab"}
        value = evaluate(expression, names, 1).value
        if math.isfinite(value):
            slack = 1e-12 * max(1.0, abs(value))  # of rounding
            assert found.low - slack <= value <= found.high + slack


@pytest.mark.parametrize(
    ("constraint", "side"),
    [
        ("exp(a) == 0", "'exp(a)' is above 0"),
        ("exp(a) < 0", "'exp(a)' is above 0"),
        ("a^2 == -1", "'a^2' is 0 or more"),
        ("a^2 + b^2 < -0.5", "0 or more"),
        ("1/(1 + exp(-a)) == 2", "between 0 and 1"),
        ("exp(a) == -exp(b)", "'-exp(b)' is below 0"),
        ("sqrt(a) == -1", "0 or more"),
        ("2^a == 0", "above 0"),
        ("a^-2 == 0", "above 0"),
        ("tanh(a) == 1", "between -1 and 1"),
        ("max(a, 1) < 0", "1 or more"),
        ("0 > exp(b)", "'exp(b)' is above 0"),
    ],
)
def test_never_true(constraint: str, side: str) -> None:
    found = [d for d in Model(f"y ~ a*x + b*z\n{constraint}").check() if d.slug == "contradictory-constraints"]
    assert len(found) == 1
    assert side in found[0].message


@pytest.mark.parametrize(
    "constraint",
    ["exp(a) > 0", "a^2 < 0.5", "a^2 + b^2 == 0", "1/(1 + exp(-a)) == 0.3", "a^3 == -8", "log(a) == -5", "a/b == 0",
     "tanh(a) == 0.5", "a*b == -4", "exp(a) == exp(b)", "min(a, 1) < 0", "a^b == 2", "abs(a) == abs(b)"],
)  # fmt: skip
def test_may_be_true(constraint: str) -> None:
    assert not [d for d in Model(f"y ~ a*x + b*z\n{constraint}").check() if d.is_error]


def test_bounds_count() -> None:
    model = Model("y ~ lower(0)*upper(2)*a*x + b*z\na^2 == 5\nb == a*a*b")
    assert ["'a^2' is between 0 and 4" in d.message for d in model.check() if d.is_error] == [True]
