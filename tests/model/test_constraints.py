"""Constraints: which contradict each other, and which bounds hold."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from semlang.api import Model
from semlang.model.feasibility import Fact, contradiction

TEXT = "y ~ a*x1 + b*x2 + c*x3\n"


def contradictions(text: str) -> list[str]:
    """Return the messages about constraints behind the regression of `TEXT`."""
    return [d.message for d in Model(TEXT + text).findings if d.slug == "contradictory-constraints"]


@pytest.mark.parametrize(
    "text",
    [
        "a < 0.1\na > 0.2",
        "b == 1\nb > 2",
        "0.2 < a < 0.1",
        "a == b\nb == c\nc == a + 1",
        "q := a + b\nq > 3\na < 1\nb < 1",
        "2*a - b/2 >= 1\na == 0.25*b\n",
        "y ~ lower(1)*d*z\nd < 0.5",
        "1 > 2",
    ],
)
def test_contradictions_are_found(text: str) -> None:
    assert len(contradictions(text)) == 1


def test_each_contradiction_is_shown() -> None:
    assert set(contradictions("a < 0.1\na > 0.2\nb == 1\nb > 2")) == {
        "these constraints can't hold together: 'a < 0.1', 'a > 0.2'",
        "these constraints can't hold together: 'b == 1', 'b > 2'",
    }


@pytest.mark.parametrize("text", ["a < 1\na > 1", "a < b\nb < c\nc < 1", "a == b\nb == 2*c", "a*b == 2\na*b == 3"])
def test_what_can_hold_is_left_alone(text: str) -> None:
    """The last one is a contradiction that no linear argument shows: nothing is claimed."""
    assert contradictions(text) == []


@pytest.mark.parametrize(("text", "upper"), [("a < 1\na < 5", 1.0), ("a < 5\na < 1", 1.0), ("a < 5", 5.0)])
def test_the_narrowest_bound_holds(text: str, upper: float) -> None:
    (row,) = (r for r in Model(TEXT + text).parameter_table.rows if r.label == "a")
    assert row.upper == upper


def solvable(coefficients: np.ndarray, constants: np.ndarray, equal: np.ndarray) -> bool:
    """Whether ``coefficients @ p + constants`` can be 0 where `equal`, and at most 0 elsewhere."""
    system = {
        "A_ub": coefficients[~equal],
        "b_ub": -constants[~equal],
        "A_eq": coefficients[equal],
        "b_eq": -constants[equal],
    }
    given = {key: value for key, value in system.items() if len(value)}
    return linprog(np.zeros(coefficients.shape[1]), bounds=(None, None), **given).status == 0


def test_random_systems_agree_with_linear_programming() -> None:
    rng = np.random.default_rng(8)
    decided = {True: 0, False: 0}
    for _ in range(150):
        n, m = rng.integers(1, 4), rng.integers(2, 7)
        coefficients = rng.integers(-2, 3, size=(m, n))
        constants = rng.integers(-3, 4, size=m)
        equal = rng.random(m) < 0.25
        facts = []
        for k in range(m):
            form = {f"p{j}": Fraction(int(v)) for j, v in enumerate(coefficients[k]) if v}
            form |= {"": Fraction(int(constants[k]))} if constants[k] else {}
            facts.append(Fact(form, bool(equal[k]), frozenset([k])))
        feasible = solvable(coefficients, constants, equal)
        places = contradiction(facts)
        assert (places is None) == feasible
        decided[places is None] += 1
        if places is not None:  # and those that are named can't hold by themselves
            chosen = np.array(sorted(places))
            assert not solvable(coefficients[chosen], constants[chosen], equal[chosen])
    assert min(decided.values()) > 20
