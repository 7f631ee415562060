"""Codings of factors: columns of a formula span what its terms say, and are independent."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from semlang.diagnostics import Diagnostic
from semlang.model.elaborate import elaborate
from semlang.model.facts import DataFacts
from semlang.model.slope_findings import slope_findings
from semlang.model.table import ParameterTable, Product
from semlang.source import Source
from semlang.syntax.parser import parse

LEVELS = {"A": ("a", "b", "c"), "B": ("u", "v")}
FACTS = DataFacts(("y", "x", "A", "B", "g"), LEVELS)
ROWS = [
    {"A": a, "B": b, "x": float(x)}
    for (a, b), x in zip(itertools.product(LEVELS["A"] * 4, LEVELS["B"] * 2), np.random.default_rng(1).normal(size=48))
]


def _table(text: str) -> tuple[ParameterTable, list[Diagnostic]]:
    model = parse(Source(text))[0]
    table, findings = elaborate(model, facts=FACTS).answer
    return table, findings


def _column(via: Product) -> list[float]:
    out = []
    for row in ROWS:
        value = 1.0
        for c in via:
            value *= float(row[c.column] == c.argument) if c.function == "level" else float(row[c.column])
        out.append(value)
    return out


def _columns(text: str) -> np.ndarray:
    table, _ = _table(text)
    found = [_column(r.via) for r in table.rows if r.target == "y" and (r.op == "~" or (r.op == "~1" and r.free))]
    return np.array(found).T


@pytest.mark.parametrize(
    ("right", "n"),  # ncol of R 4.2's model.matrix, or its rank where R's columns are dependent
    [
        ("0 + factor(A) + factor(A):x", 6),
        ("1 + factor(A):x", 4),
        ("1 + x + factor(A):x", 4),
        ("0 + factor(A) + factor(B)", 4),
        ("0 + x + factor(A):x", 3),
        ("1 + factor(A) + factor(B) + factor(A):factor(B)", 6),
        ("1 + factor(A):factor(B)", 6),
        ("0 + factor(A):factor(B)", 6),
        ("factor(A):x + factor(A) + x", 6),
        ("1 + factor(A) + factor(A):factor(B):x", 9),
    ],
)
def test_columns_are_independent_and_as_many_as_the_terms_span(right: str, n: int) -> None:
    columns = _columns(f"y ~ {right}")
    assert columns.shape[1] == n
    assert np.linalg.matrix_rank(columns) == n


def test_terms_of_several_formulas_count_together() -> None:
    assert _columns("y ~ 1 + x\ny ~ factor(A):x").shape[1] == _columns("y ~ 1 + x + factor(A):x").shape[1] == 4


@pytest.mark.parametrize(
    ("right", "warned"),
    [
        ("1 + factor(A) + (0 + factor(A) | g)", False),
        ("0 + factor(A) + (1 + factor(A) | g)", False),
        ("1 + x + factor(A):x + (0 + factor(A):x | g)", False),
        ("1 + factor(A) + (0 + factor(B) | g)", True),
        ("1 + factor(A) + (1 + x | g)", True),
    ],
)
def test_a_random_slope_has_a_mean_where_fixed_terms_span_it(right: str, warned: bool) -> None:
    table, _ = _table(f"y ~ {right}")
    assert any(d.slug == "random-slope-without-mean" for d in slope_findings(table)) is warned


def test_factors_of_thresholds_have_a_reference() -> None:
    """A threshold has a constant of its own: beside it a factor of three levels is two columns, of each threshold."""
    table, findings = _table("y :: ordinal(logit)\ny | t1 + t2 ~ factor(A)\ny ~ x")
    assert not findings
    rows = [(r.lhs, r.rhs) for r in table.rows if r.op == "~" and r.threshold]
    assert rows == [(f"y|t{k}", f"A={level}") for k in (1, 2) for level in ("b", "c")]
