"""Findings after a fit."""

from __future__ import annotations

import numpy as np
import pytest

from semlang.checks.identification.empirical import Evidence, after_fit, condition
from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse


@pytest.fixture(scope="module")
def table() -> ParameterTable:
    ast, _ = parse(Source("f =~ x1 + x2\ng =~ x3 + x4"))
    table, _ = elaborate(ast)
    assert table is not None
    return table


def estimates(table: ParameterTable, **known: float) -> np.ndarray:
    out = np.full(table.n_parameters, 0.8)
    for row in table.rows:
        if row.parameter >= 0 and f"{row.lhs}{row.rhs}" in known:
            out[row.parameter] = known[f"{row.lhs}{row.rhs}"]
    return out


def slugs(table: ParameterTable, theta: np.ndarray, information: np.ndarray | None = None, **more: object) -> list[str]:
    information = 100 * np.eye(theta.size) if information is None else information
    return [d.slug for d in after_fit(table, theta, information, Evidence(**more))]  # type: ignore[arg-type]


def test_a_good_fit_has_no_findings(table: ParameterTable) -> None:
    assert slugs(table, estimates(table, fg=0.2)) == []


def test_weak_direction_names_its_parameters(table: ParameterTable) -> None:
    n = table.n_parameters
    v = np.zeros(n)
    v[[0, 2]] = 1, -1
    information = 100 * (np.eye(n) - 0.4999999999 * np.outer(v, v))
    (finding,) = after_fit(table, estimates(table, fg=0.2), information)
    assert finding.slug == "empirically-unidentified"
    assert "f =~ x2" in finding.message
    assert condition(information) > 1e8


def test_not_a_maximum(table: ParameterTable) -> None:
    information = np.eye(table.n_parameters)
    information[0, 1] = information[1, 0] = 1.5
    assert slugs(table, estimates(table, fg=0.2), information) == ["not-a-maximum"]


@pytest.mark.parametrize(
    ("known", "slug"),
    [
        ({"x1x1": 0.0}, "boundary-variance"),
        ({"x1x1": -0.3}, "negative-variance"),
        ({"fg": 0.9}, "correlation-beyond-one"),
        ({"fg": 0.7999}, "correlation-at-one"),
    ],
)
def test_variances_and_correlations(table: ParameterTable, known: dict[str, float], slug: str) -> None:
    assert slugs(table, estimates(table, **{"fg": 0.2, **known})) == [slug]


def test_the_rest(table: ParameterTable) -> None:
    theta = estimates(table, fg=0.2)
    y = np.array([0.0, 1.0, 1.0])
    assert slugs(table, theta, binary={"y": (y, np.array([1e-9, 0.5, 1 - 1e-9]))}) == ["separation"]
    assert slugs(table, theta, binary={"y": (y, np.array([0.1, 0.5, 0.9]))}) == []
    assert slugs(table, theta, class_sizes={"c": [0.6, 0.4, 1e-6]}, n_units=500) == ["empty-class"]
    assert slugs(table, theta, loglik_by_points={7: -100.0, 11: -100.2}) == ["quadrature-not-converged"]
    assert slugs(table, theta, loglik_by_points={7: -100.0, 11: -100.0001}) == []
