"""Identification that depends on the data: cluster sizes and distinct values of covariates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semlang.checks.identification import Identification, identify
from semlang.data.design import Design
from semlang.graph.build import build_graphs
from semlang.model.elaborate import elaborate
from semlang.model.table import Covariate, ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse


def table_of(text: str) -> ParameterTable:
    ast, _ = parse(Source(text))
    table, findings = elaborate(ast).answer
    assert table is not None, findings
    return table


def with_data(text: str, x: Sequence[float], clusters: Sequence[int]) -> Identification:
    table = table_of(text)
    n = len(x)
    design = Design(
        n_rows=n,
        responses={v.key: np.zeros(n) for v in table.responses},
        columns={(): np.ones(n), (Covariate("x"),): np.array(x, dtype=float)},
        clusters={table.clusters[0]: np.array(clusters)} if table.clusters else {},
        row=np.arange(n),
    )
    return identify(table, build_graphs(table), [design])


SLOPE = "y ~ 1 + x + (1 + x | g)"
INTERCEPT = "y ~ 1 + (1 | g)"


def test_clusters_of_size_one() -> None:
    assert identify(table_of(INTERCEPT), build_graphs(table_of(INTERCEPT))).verdict == "identified"
    found = with_data(INTERCEPT, [0.0, 0.0, 0.0], [0, 1, 2])
    assert found.verdict == "not identified"
    assert {t[1] for t in found.unidentified} == {"~~"}
    assert with_data(INTERCEPT, [0.0, 0.0, 0.0], [0, 1, 1]).verdict == "identified"


def test_random_slope_with_clusters_of_size_one() -> None:
    """Var(y | x) is a quadratic: three coefficients for four variances and covariances."""
    x = [0.1, 0.7, 1.3, 2.0, 2.9, 4.5]
    found = with_data(SLOPE, x, list(range(6)))
    assert found.verdict == "not identified"
    unidentified = {" ".join(t) for t in found.unidentified}
    assert len(unidentified) == 2
    assert "y ~~ y" in unidentified
    assert with_data(SLOPE, x, [0, 0, 1, 1, 2, 2]).verdict == "identified"


def test_random_slope_of_a_covariate_with_two_values() -> None:
    """Three distinct pairs give three covariances and two variances."""
    text = "y ~ 1 + x + (1 + x | g)"
    assert with_data(text, [0, 1, 0, 0, 1, 1], [0, 0, 1, 1, 2, 2]).verdict == "identified"
    assert with_data(text, [0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2]).verdict == "not identified"


def test_a_covariate_without_variation() -> None:
    found = with_data("y ~ 1 + x", [3.0, 3.0, 3.0], [0, 1, 2])
    assert found.verdict == "not identified"
    assert {t[1] for t in found.unidentified} == {"~", "~1"}


def test_logit_with_two_covariate_patterns() -> None:
    """Two probabilities for three parameters; a continuous covariate would identify by shape."""
    text = "y :: binomial(logit)\nu :: normal\ny ~ 1 + x + u"
    assert with_data(text, [0.0, 1.0, 0.0, 1.0], [0, 1, 2, 3]).verdict == "not identified"


def test_classes_of_clusters_need_three_rows() -> None:
    """Blischke (1964): a mixture of two binomials with n trials is identified from n = 3."""
    text = "c[g] :: class(2)\ny :: binomial(logit)\nc[g] =~ y"
    assert with_data(text, [0.0] * 6, [0, 0, 0, 1, 1, 1]).verdict == "identified"
    assert with_data(text, [0.0] * 6, [0, 0, 1, 1, 2, 2]).verdict == "not identified"
