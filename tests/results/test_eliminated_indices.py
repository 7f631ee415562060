"""Modification indices of models of many latent variables: one pass over nodes, equal to the freed models' own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.elimination.louis import second_derivatives
from semlang.estimation.freed import with_own_parameters
from semlang.graph.build import build_graphs
from semlang.results.candidates import candidates


@pytest.fixture(scope="module")
def fit() -> sl.Fit:
    """Four factors of a factor, three ordinal items each."""
    rng = np.random.default_rng(7)
    f = 0.9 * rng.normal(size=(400, 1)) + 0.6 * rng.normal(size=(400, 4))
    nu = np.repeat(f, 3, axis=1) * 1.3
    nu[:, 4] += 0.5 * f[:, 0]
    y = np.digitize(nu + rng.logistic(size=nu.shape), [-1.0, 0.8])
    text = "".join(f"y{t}{{1..3}} :: ordinal(logit)\nf{t} =~ y{t}{{1..3}}\n" for t in range(1, 5))
    data = pd.DataFrame(y, columns=[f"y{t}{j}" for t in range(1, 5) for j in (1, 2, 3)])
    return sl.Model(text + "g =~ f1 + f2 + f3 + f4").fit(data, threads=1)


@pytest.fixture(scope="module")
def indices(fit: sl.Fit) -> pd.DataFrame:
    return fit.modification_indices().set_index(["lhs", "op", "rhs"])


def _eliminated(fit: sl.Fit, what: tuple[str, str, str]) -> tuple[float, float]:
    """The score test of one parameter, by eliminating the latent variables of the model in which it is free."""
    row = next(r for r in candidates(fit.table, fit.graphs) if (r.lhs, r.op, r.rhs) == what)
    table, values = with_own_parameters(fit.table, [row])
    x = np.append(fit.estimate.theta, values)
    free = Constraints(replace(table, relations=()))
    member = assemble(
        table, build_graphs(table), fit.designs, free, True, 7, 1, own=True, engines=["variable elimination"]
    ).members[0]
    score = member.value_and_gradient(x)[1]
    V = np.linalg.inv(-second_derivatives(member, x))
    return float(score @ V @ score), float(V[-1] @ score)


@pytest.mark.parametrize("what", [("f1", "=~", "y22"), ("g", "=~", "y31"), ("f1", "~~", "f2")])
def test_as_the_freed_model_eliminated(fit: sl.Fit, indices: pd.DataFrame, what: tuple[str, str, str]) -> None:
    mi, epc = _eliminated(fit, what)
    # gradients of the other parameters, which are not quite zero, and the rules' errors
    assert indices.loc[what, "mi"] == pytest.approx(mi, rel=2e-3, abs=2e-3)
    assert indices.loc[what, "epc"] == pytest.approx(epc, rel=2e-3, abs=1e-3)


def test_what_is_not_identified_is_left_out(indices: pd.DataFrame) -> None:
    """A marker's loading, the covariance of a factor with its disturbance, means beside thresholds."""
    assert not indices.index.isin([("f1", "=~", "y11"), ("f1", "~~", "g"), ("g", "~1", ""), ("g", "=~", "f1")]).any()


def test_bifactor_models_have_them() -> None:
    """Loadings on the specific factor of other items, with which specific factors depend on each other."""
    rng = np.random.default_rng(3)
    nu = 1.1 * rng.normal(size=(300, 1)) + np.repeat(rng.normal(size=(300, 3)), 4, axis=1)
    y = np.digitize(nu + rng.logistic(size=nu.shape), [-1.0, 1.0])
    text = (
        "options: std.lv = true, auto.cov.lv.x = false\ny{1..12} :: ordinal(logit)\ng =~ y{1..12}\n"
        "s1 =~ y{1..4}\ns2 =~ y{5..8}\ns3 =~ y{9..12}"
    )
    fit = sl.Model(text).fit(pd.DataFrame(y, columns=[f"y{j}" for j in range(1, 13)]), threads=1)
    found = fit.modification_indices().set_index(["lhs", "op", "rhs"])
    assert {("s1", "=~", f"y{j}") for j in range(5, 13)} <= set(found.index)
    mi, epc = _eliminated(fit, ("s1", "=~", "y5"))
    assert found.loc[("s1", "=~", "y5"), "mi"] == pytest.approx(mi, rel=0.01, abs=5e-3)
    assert found.loc[("s1", "=~", "y5"), "epc"] == pytest.approx(epc, rel=0.01, abs=2e-3)
