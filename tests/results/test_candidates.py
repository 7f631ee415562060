"""Which parameters modification indices are computed for, and their values beside lavaan."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

from .conftest import CFA, HS

# lavaan 0.6-14, modindices() of cfa(..., orthogonal = TRUE) and sem(): the twelve largest, 2026-11-28.
ORTHOGONAL = """visual =~ x9 40.044251 0.551667; textual =~ x1 31.474898 0.359511; visual ~~ textual 26.551871 0.276720;
visual ~~ speed 22.633366 0.187822; x1 ~~ x9 14.396225 0.200304; textual ~~ speed 12.151831 0.161548;
speed =~ x1 10.503701 0.338615; textual =~ x9 10.297982 0.177493; visual =~ x6 9.911899 0.217301;
x4 ~~ x7 7.095004 0.105599; x1 ~~ x4 6.547360 0.111348; x2 ~~ x7 6.278540 -0.147536"""
COVARIATE = """visual =~ x9 43.204904 0.444798; visual ~~ speed 14.000652 0.167817; textual =~ x9 12.038497 0.190454;
textual =~ x1 11.121633 0.439446; x1 ~~ x9 10.542615 0.163271; x2 ~~ x3 9.882604 0.260971;
textual =~ x3 9.866860 -0.299597; x1 ~~ x2 8.563707 -0.337505; x4 ~~ x7 8.493253 0.114228;
visual =~ x5 8.341390 -0.223776; textual ~~ speed 7.787884 0.118464; x3 ~~ x5 7.093866 -0.124781"""


@pytest.mark.parametrize(
    ("more", "table"), [("options: orthogonal = true\n", ORTHOGONAL), ("visual ~ ageyr\ntextual ~ ageyr\n", COVARIATE)]
)
def test_the_largest_are_those_of_lavaan(more: str, table: str) -> None:
    """Regressions on covariates are left to lavaan's users to ask for; here they are candidates, too."""
    found = sl.Model(CFA + more).fit(pd.read_csv(HS), threads=1).modification_indices()
    found = found[found["op"] != "~"].head(12)
    expected = [line.split() for line in table.replace("\n", " ").split(";")]
    assert [[*row] for row in found[["lhs", "op", "rhs"]].itertuples(index=False)] == [e[:3] for e in expected]
    # lavaan stops at a relative change of 1e-9 of its own objective: indices differ in the sixth digit
    np.testing.assert_allclose(found["mi"], [float(e[3]) for e in expected], rtol=5e-5)
    np.testing.assert_allclose(found["epc"], [float(e[4]) for e in expected], rtol=3e-5)


@pytest.fixture(scope="module")
def two_levels() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(40), 6)
    f = rng.normal(size=40)[g] + rng.normal(size=240)
    columns = {f"y{j}": f + rng.normal(size=240) for j in (1, 2, 3)}
    return pd.DataFrame(columns | {"x": rng.normal(size=240), "w": rng.normal(size=40)[g], "g": g})


@pytest.mark.parametrize(
    ("effect", "targets"),
    [("f ~ x", {"y1", "y2", "y3"}), ("fb ~ w", {"y1", "y2", "y3", "f"})],
)
def test_covariates_are_no_candidates_above_their_level(
    effect: str, targets: set[str], two_levels: pd.DataFrame
) -> None:
    """What acts on units of rows may vary among rows: no latent variable of clusters can depend on it."""
    text = f"cluster: g\nf =~ y1 + y2 + y3\nfb[g] =~ y1 + y2 + y3\n{effect}\n"
    found = sl.Model(text).fit(two_levels, threads=1).modification_indices()
    assert set(found.loc[found["op"] == "~", "lhs"]) == targets


def test_only_what_has_a_variance_may_covary() -> None:
    """A residual whose SD covariates move has no covariance that one number could say."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 3))
    frame = pd.DataFrame({"y1": x[:, 0], "y2": x[:, 0] + x[:, 1], "y3": x[:, 2], "x": rng.normal(size=200)})
    free = sl.Model("y1 ~ x\ny2 ~ x\ny3 ~ x\ny1 ~~ 0*y2\ny1 ~~ 0*y3\ny2 ~~ 0*y3").fit(frame, threads=1)
    scaled = sl.Model("y1 ~ x\ny2 ~ x\ny3 :: gaussian\ny3 ~ x\nsigma(y3) ~ 1 + x\ny1 ~~ 0*y2").fit(frame, threads=1)
    pairs = [{frozenset((r.lhs, r.rhs)) for r in f.modification_indices().itertuples() if r.op == "~~"}
             for f in (free, scaled)]  # fmt: skip
    assert pairs[0] == {frozenset(p) for p in (("y1", "y2"), ("y1", "y3"), ("y2", "y3"))}
    assert pairs[1] == {frozenset(("y1", "y2"))}


def test_information_that_is_known_is_not_looked_for_again() -> None:
    """Fits with and without standard errors have the same indices; what is not identified is left out in both."""
    rng = np.random.default_rng(3)
    f = rng.normal(size=(400, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    y = 1.2 * np.repeat(f, 4, axis=1) + rng.logistic(size=(400, 8)) > 0
    data = pd.DataFrame(y.astype(int), columns=[f"y{j}" for j in range(1, 9)])
    model = sl.Model("y{1..8} :: binomial(logit)\noptions: std.lv = true\nf =~ y{1..4}\ng =~ y{5..8}")
    one, other = (model.fit(data, threads=1, se=se).modification_indices() for se in ("observed", "none"))
    columns = ["lhs", "op", "rhs"]
    one, other = one.sort_values(columns), other.sort_values(columns)
    assert one[columns].to_numpy().tolist() == other[columns].to_numpy().tolist()
    assert not ((one["op"] == "~~") & (one["lhs"] == one["rhs"])).any()
    # differences of 1e-3 standard errors to one side and to both, and nodes of two kinds
    np.testing.assert_allclose(one["mi"], other["mi"], rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(one["epc"], other["epc"], rtol=2e-3, atol=1e-4)
