"""Functions of parameters: each has its derivative, and what has no value is a finding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semlang.estimation.expressions import Dual, evaluate
from semlang.model.elaborate import elaborate
from semlang.source import Source, Span
from semlang.syntax import ast
from semlang.syntax.functions import FUNCTIONS
from semlang.syntax.parser import parse

SPAN = Span(0, 1)


ARGUMENTS = [(name, n) for name, f in FUNCTIONS.items() for n in (1, 2) if f.least <= n <= f.most]


@pytest.mark.parametrize(("name", "n"), [a for a in ARGUMENTS if a != ("round", 2)])
def test_derivative_is_the_slope_of_the_value(name: str, n: int) -> None:
    f = FUNCTIONS[name]
    point = np.array([1.3 if name == "acosh" else 0.37, 2.2][:n])
    step = 1e-6
    for k, slope in enumerate(f.slopes(*point)):
        e = np.eye(n)[k] * step
        assert slope == pytest.approx((f.value(*(point + e)) - f.value(*(point - e))) / (2 * step), abs=1e-8)


def test_values_are_those_of_r() -> None:  # R 4.2
    values = {
        "log10(1000)": 3,
        "max(1, 4, 2)": 4,
        "min(3, 2)": 2,
        "log(8, 2)": 3,
        "ceiling(1.2)": 2,
        "sinh(1)": 1.1752011936,
    }
    for text, value in values.items():
        definition = parse(Source(f"q := {text}"))[0].statements[0]
        assert isinstance(definition, ast.Definition)
        assert evaluate(definition.expression, {}, 1).value == pytest.approx(value)


def test_gradient_of_the_larger_label() -> None:
    definition = parse(Source("q := 2 * max(a, b)"))[0].statements[0]
    assert isinstance(definition, ast.Definition)
    names = {"a": Dual(1.0, np.array([1.0, 0.0])), "b": Dual(3.0, np.array([0.0, 1.0]))}
    found = evaluate(definition.expression, names, 2)
    assert found.value == 6.0
    assert found.gradient.tolist() == [0.0, 2.0]


def _errors(text: str) -> list[str]:
    """Return the slugs of errors that the parser or elaboration finds."""
    model, found = parse(Source(text))
    wrong = [d.slug for d in found if d.is_error]
    return wrong or [d.slug for d in elaborate(model).answer[1] if d.is_error]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("foo(b)", "unknown-function"),
        ("data(b)", "not-an-expression"),
        ("sqr(b)", "unknown-function"),
        ("sqrt(b, 2)", "malformed-call"),
        ("max()", "malformed-call"),
        ("1/0", "not-an-expression"),
        ("b/(2 - 2)", "not-an-expression"),
        ("b + log(-1)", "not-an-expression"),
        ("(-8)^0.5", "not-an-expression"),
    ],
)
@pytest.mark.parametrize("shape", ["q := {}", "b == {}"])
def test_what_has_no_value_is_found_by_check(text: str, slug: str, shape: str) -> None:
    model = f"f =~ x1 + b*x2 + x3\n{shape.format(text)}\n"
    assert slug in _errors(model)


@pytest.mark.parametrize("text", ["max(b, 0)", "abs(b)", "sinh(b) + log10(2)", "1 + 0", "0/b", "b/pi"])
def test_what_has_a_value_is_not(text: str) -> None:
    assert not _errors(f"f =~ x1 + b*x2 + x3\nq := {text}\n")


def test_outside_the_domain_at_estimates_is_nan() -> None:
    call = ast.Call("log", (ast.Name("a", SPAN),), SPAN)
    assert math.isnan(evaluate(call, {"a": Dual(-1.0, np.ones(1))}, 1).value)
