"""Findings after a fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.checks.identification.curvature import Curvature
from semlang.checks.identification.empirical import after_fit, condition
from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse


@pytest.fixture(scope="module")
def table() -> ParameterTable:
    ast, _ = parse(Source("f =~ x1 + x2\ng =~ x3 + x4"))
    table, _ = elaborate(ast).answer
    assert table is not None
    return table


def estimates(table: ParameterTable, **known: float) -> np.ndarray:
    out = np.full(table.n_parameters, 0.8)
    for row in table.rows:
        if row.parameter >= 0 and f"{row.lhs}{row.rhs}" in known:
            out[row.parameter] = known[f"{row.lhs}{row.rhs}"]
    return out


def slugs(table: ParameterTable, theta: np.ndarray, information: np.ndarray | None = None) -> list[str]:
    information = 100 * np.eye(theta.size) if information is None else information
    return [d.slug for d in after_fit(table, theta, Curvature(information))]


def test_a_good_fit_has_no_findings(table: ParameterTable) -> None:
    assert slugs(table, estimates(table, fg=0.2)) == []


def test_weak_direction_names_its_parameters(table: ParameterTable) -> None:
    n = table.n_parameters
    v = np.zeros(n)
    v[[0, 2]] = 1, -1
    information = 100 * (np.eye(n) - 0.4999999999 * np.outer(v, v))
    (finding,) = after_fit(table, estimates(table, fg=0.2), Curvature(information))
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
        ({"fg": 0.9}, "correlation-beyond-one"),
        ({"fg": 0.7999}, "correlation-at-one"),
    ],
)
def test_correlations(table: ParameterTable, known: dict[str, float], slug: str) -> None:
    assert slugs(table, estimates(table, **{"fg": 0.2, **known})) == [slug]


def test_curvature_of_a_covariance_matrix() -> None:
    rng = np.random.default_rng(0)
    A = rng.normal(size=(4, 4)) * np.array([1e-4, 1.0, 1e3, 1.0])[:, None]
    vcov = A @ A.T

    curvature = Curvature.of_covariance(vcov)
    assert curvature is not None
    assert curvature.information == pytest.approx(np.linalg.inv(vcov), rel=1e-6)
    assert curvature.inverse() == pytest.approx(vcov)
    assert Curvature.of_covariance(None) is None
    assert Curvature.of_covariance(np.ones((2, 2))) is None


@pytest.mark.parametrize("smallest", [1e-13, 1e-11, 1e-9, 1e-3, -1e-9])
def test_curvature_agrees_with_eigenvalues(smallest: float) -> None:
    rng = np.random.default_rng(1)
    Q, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    information = (Q * np.array([smallest, 0.1, 0.5, 1.0, 2.0, 3.0])) @ Q.T
    least = np.linalg.eigvalsh(information / np.outer(*2 * [np.sqrt(np.diag(information))]))[0]

    for value in (0.5 * least, 2.0 * least, 1e-10, 1e-5):
        assert Curvature(information).exceeds(value) == (least > value)
    inverse = Curvature(information).inverse()
    assert (inverse is None) == (least <= 1e-10)
    if inverse is not None:
        assert inverse @ information == pytest.approx(np.eye(6), abs=1e-5)  # 1e-16 times the condition number
        g = rng.normal(size=6)
        assert Curvature(information).solve(g) == pytest.approx(inverse @ g, rel=1e-5)


@pytest.mark.parametrize("origin", [0.0, 2012.0])
def test_far_origins_where_nothing_is_centred(origin: float) -> None:
    """In a model with classes covariates stay where they are; intercepts and slopes are judged at the mean."""
    rng = np.random.default_rng(2)
    g, time = np.repeat(np.arange(60), 6), np.tile(np.arange(6.0), 60) - 2.5
    u = rng.normal(size=(60, 2))
    y = np.where(g < 25, 3.0, 0.0) + u[g, 0] + (0.3 + 0.2 * u[g, 1]) * time + 0.5 * rng.normal(size=360)
    data = pd.DataFrame({"g": g, "year": time + origin, "y": y})
    fit = sl.Model("cluster: g\nk[g] :: class(2)\ny ~ k + year + (1 + year | g)\noptions: starts = 3").fit(data)
    assert fit.loglik == pytest.approx(-432.84378, abs=1e-4)  # of both origins: rounding is all that differs
    assert [d.slug for d in fit.diagnostics] == (["far-origin"] if origin else [])
    if origin:
        assert "centre 'year'" in str(fit.diagnostics[0].help)
