"""Every change of coordinates is the same model, also where groups, levels or latent variables share parameters.

For each: theta(coordinates(theta)) = theta, the Jacobian is that of differences, and the log-likelihood in the new
coordinates is that in the table's own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.rotation import rotate
from semlang.estimation.scaling import rescale
from semlang.estimation.signs import reporting_signs
from semlang.graph.build import build_graphs

F1, F2 = "f1 =~ y1 + y2 + y3", "f2 =~ y4 + y5 + y6"
CASES = {
    "alone": f"{F1}\n{F2}",
    "within a group": f"{F1}\n{F2}\nf1 ~~ v*f1\nf2 ~~ v*f2",
    "within a group, uncorrelated": f"{F1}\n{F2}\nf1 ~~ v*f1 + 0*f2\nf2 ~~ v*f2",
    "other markers": "f1 =~ 2*y1 + y2 + y3\nf2 =~ y4 + y5 + y6\nf1 ~~ v*f1\nf2 ~~ v*f2",
    "across groups": f"groups: g\noptions: group.equal = [lv.variances]\n{F1}",
    "across groups, two": f"groups: g\noptions: group.equal = [lv.variances]\n{F1}\n{F2}",
    "across groups, loadings too": f"groups: g\noptions: group.equal = [loadings, lv.variances]\n{F1}\n{F2}",
    "loadings across groups": f"groups: g\noptions: group.equal = [loadings]\n{F1}",
    "across groups and within": f"groups: g\n{F1}\n{F2}\nf1 ~~ c(v, v)*f1\nf2 ~~ c(v, v)*f2",
    "variance of a latent and of a residual": f"{F1}\nf1 ~~ v*f1\ny1 ~~ v*y1",
    "loading and regression": f"f1 =~ y1 + l*y2 + y3\n{F2}\nf2 ~ l*f1",
    "higher order": f"{F1}\n{F2}\nh =~ f1 + f2\nf1 ~~ v*f1\nf2 ~~ v*f2\nh ~~ v*h",
    "residual variances of factors": f"{F1}\n{F2}\nf2 ~ f1\nf1 ~~ v*f1\nf2 ~~ v*f2",
    "across levels": "cluster: c\nlevel: 1\nw =~ y1 + y2 + y3\nw ~~ v*w\nlevel: 2\nb =~ y1 + y2 + y3\nb ~~ v*b",
    "loadings across levels": "cluster: c\nlevel: 1\nw =~ y1 + l2*y2 + l3*y3\nw ~~ v*w\n"
                              "level: 2\nb =~ y1 + l2*y2 + l3*y3\nb ~~ v*b",
    "random effects": "y1 ~ x + (1 + x | c)\nf1 =~ y2 + y3 + y4\nf1 ~~ v*f1",
}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 120
    c = np.repeat(np.arange(30), 4)
    eta = rng.multivariate_normal([0, 0], [[1.5, 0.5], [0.5, 1.2]], n) + 0.5 * rng.normal(size=(30, 2))[c]
    out = {f"y{k + 1}": eta[:, k // 3] * (0.8 + 0.1 * k) + rng.normal(size=n) for k in range(6)}
    return pd.DataFrame(out | {"g": np.where(np.arange(n) % 2, "A", "B"), "c": c, "x": rng.normal(size=n)})


def _theta(table, rng):
    """Parameters at which every covariance matrix is positive definite."""
    theta = rng.uniform(0.5, 0.9, table.n_parameters)
    for row in table.rows:
        if row.parameter >= 0 and row.op == "~~":
            theta[row.parameter] = rng.uniform(1.0, 2.0) if row.target == row.source else rng.uniform(-0.2, 0.2)
    for row in table.rows:  # a shared parameter that is a variance somewhere stays one
        if row.parameter >= 0 and row.op == "~~" and row.target == row.source:
            theta[row.parameter] = max(theta[row.parameter], 1.0)
    return theta


ROADS = {
    "scaled": {"quadrature": False, "scaled": True},
    "factored": {"quadrature": False, "scaled": False, "factored": True},
    "quadrature, scaled": {"quadrature": True, "scaled": True},
    "quadrature": {"quadrature": True, "scaled": False},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("road", ROADS)
def test_coordinates_and_jacobian(bind, data, case, road):
    bound = bind(CASES[case], data)
    constraints = Constraints(bound.table)

    def build(quadrature, **more):
        args = (bound.table, bound.model.graphs, bound.designs, constraints, quadrature, 1, 1)
        return assemble(*args, **more)

    plain = build(False, own=True)
    objective = build(**ROADS[road])
    q = objective.parametrisation
    rng = np.random.default_rng(7)
    theta = _theta(bound.table, rng)
    x = q.coordinates(theta)
    np.testing.assert_allclose(q.theta(x), theta, rtol=1e-11, atol=1e-12)
    D = q.jacobian(x)
    for k in range(x.size):
        h = np.zeros(x.size)
        h[k] = 1e-6
        np.testing.assert_allclose(D[:, k], (q.theta(x + h) - q.theta(x - h)) / 2e-6, rtol=1e-6, atol=1e-7)
    here, there = (sum(m.value(at) for m in o.members) for o, at in ((plain, theta), (objective, x)))
    assert there == pytest.approx(here, rel=1e-9)  # one point is exact for gaussian responses; modes end at 1e-14


def test_shared_variances_are_scaled_where_they_are_one_scale(bind, data):
    """The cases above are not all refused: equal markers have one scale, unequal ones keep theirs."""

    def scaled(case: str) -> int:
        bound = bind(CASES[case], data)
        found = rescale(bound.model.graphs, Constraints(bound.table).pinned, single=())
        return 0 if found is None else len(found[1])

    assert [scaled(c) for c in ("within a group", "across groups, two", "loadings across levels")] == [2, 4, 2]
    assert [scaled(c) for c in ("other markers", "variance of a latent and of a residual")] == [0, 0]


@pytest.mark.parametrize("case", CASES)
def test_signs_turn_over_without_change(bind, data, case):
    bound = bind(CASES[case].replace("f1 =~ y1", "f1 =~ NA*y1"), data)
    objective = assemble(bound.table, bound.model.graphs, bound.designs, Constraints(bound.table), False, 1, 1,
                         own=True)  # fmt: skip
    theta = _theta(bound.table, np.random.default_rng(2))
    for row in bound.table.rows:
        if row.op == "=~" and row.parameter >= 0:
            theta[row.parameter] *= -1.0
    signs = reporting_signs(bound.model.graphs, theta)
    here, there = (sum(m.value(at) for m in objective.members) for at in (theta, theta * signs))
    assert there == pytest.approx(here, rel=1e-12)


@pytest.mark.parametrize("equal", ["", "options: group.equal = [loadings]", "options: group.equal = [lv.variances]"])
def test_rotation_with_groups(bind, data, equal):
    """Rotated parameters have the likelihood of those before, with loadings of groups shared or not."""
    text = f"groups: g\n{equal}\n" + 'efa("a")*f1 + efa("a")*f2 =~ y1 + y2 + y3 + y4 + y5 + y6'
    bound = bind(text, data)
    found = bound.fit(se="none")
    table, turned = rotate(bound.table, found)
    assert not np.allclose(turned.theta[: found.theta.size], found.theta)
    objective = assemble(table, build_graphs(table), bound.designs, Constraints(table), False, 1, 1, scaled=False)
    assert sum(m.value(turned.theta) for m in objective.members) == pytest.approx(found.loglik, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "loglik", "variance"),
    [
        ("groups: g\noptions: group.equal = [lv.variances]\nf1 =~ y1 + y2 + y3", -1572.0008, 3.632),
        # two factors with one variance: the model with unit variances and one loading held equal instead, below
        (f"{F1}\n{F2}\nf1 ~~ v*f1\nf2 ~~ v*f2", None, None),
    ],
)
def test_shared_variance_is_reported_once(text, loglik, variance):
    """lavaan 0.6-14: 3.632 for the first; the second is a reparametrisation of l*y1, l*y4 with variances of 1."""
    frame = pd.read_csv(Path(__file__).parent / "inputs" / "squared.csv")
    fit = Model(text).fit(frame, threads=1)
    if variance is None:
        other = Model("f1 =~ NA*y1 + l*y1 + y2 + y3\nf2 =~ NA*y4 + l*y4 + y5 + y6\nf1 ~~ 1*f1\nf2 ~~ 1*f2").fit(frame)
        loading = next(p for p in other.parameters if p["op"] == "=~" and p["rhs"] == "y1")
        loglik, variance = other.loglik, loading["est"] ** 2
        se = 2 * abs(loading["est"]) * loading["se"]
        assert next(p["se"] for p in fit.parameters if p["lhs"] == p["rhs"] == "f1") == pytest.approx(se, rel=1e-4)
    found = [p["est"] for p in fit.parameters if p["op"] == "~~" and p["lhs"] == p["rhs"] and p["lhs"][0] == "f"]
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=1e-3)
    assert found == pytest.approx([variance, variance], rel=1e-3)
