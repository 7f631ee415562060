"""Every closed form against the density of the stacked responses, and its derivatives against differences."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from semlang.estimation.gaussian import ByRow, Engine, FreeResiduals, Nested, OneLevel, TwoLevel, choose, differences

Case = tuple[Any, Any, np.ndarray]


def structural(h: types.SimpleNamespace, seed: int, missing: float = 0.0, spread: bool = False) -> Case:
    """One level: chain of regressions, covariates far from zero, residual covariance, cross-loading."""
    g = np.random.default_rng(seed)
    n = 60
    x, w = g.normal(size=(2, n)) + 1000
    y = {f"y{i}": np.where(g.uniform(size=n) < missing, np.nan, g.normal(size=n) + 50) for i in range(1, 5)}
    m = h.Model(list(y), [("f3", "rows"), ("f2", "rows"), ("f1", "rows")])
    m.path("f2", "f1", "b21", 0.3).path("f3", "f2", "b32", 0.2).path("f3", "f1", "b21")
    m.path("f1", "", "g1", 0.001, h.column("x")).path("f2", "", "g2", 0.0005, h.column("w"))
    for to, source, c in (
        ("y1", "f1", 1.0),
        ("y2", "f1", "l2"),
        ("y3", "f2", 1.0),
        ("y4", "f3", "l4"),
        ("y4", "f2", "l5"),
    ):
        m.path(to, source, c, 0.7)
    for k in y:
        m.path(k, "", f"{k}~1", 49.0).variance(k, k, f"{k}~~{k}", 0.6)
    m.path("y1", "", "d1", 0.0002, h.column("w"))
    for f in ("f1", "f2", "f3"):
        m.variance(f, f, f"{f}~~{f}", 0.5)
    m.variance("f3", "f2", "f3~~f2", 0.1)
    if spread:
        m.variance("y1", "y2", "y1~~y2", 0.1)
    reduced = m.reduced()
    return reduced, h.design(y, {"x": x, "w": w}, reduced=reduced), m.theta0


def heywood(h: types.SimpleNamespace, seed: int) -> Case:
    """One level, one disturbance with a negative variance and two whose covariance matrix is indefinite."""
    reduced, data, theta = structural(h, seed, 0.3)
    psi = reduced.psi
    for i, j, value in ((2, 2, -0.05), (1, 0, 0.52)):
        theta[psi.parameter[(psi.i == i) & (psi.j == j)]] = value
    return reduced, data, theta


def below(case: Case, value: float = -0.05) -> Case:
    """The same with a residual variance of zero or below."""
    reduced, data, theta = case
    last = (reduced.theta.i == reduced.theta.j) & (reduced.theta.i == 1)
    theta[reduced.theta.parameter[last]] = value
    return reduced, data, theta


def two_levels(h: types.SimpleNamespace, seed: int, missing: float = 0.0, between: float = 0.2) -> Case:
    """Factors at both levels, level-2 residuals, covariates at both levels, a path across levels."""
    g = np.random.default_rng(seed)
    cluster = g.permutation(np.repeat(np.arange(20), g.integers(1, 6, 20)))
    n = len(cluster)
    x, w = g.normal(size=n) + 5, g.normal(size=20)[cluster]
    m = h.Model(["y1", "y2", "y3"], [("fw", "rows"), *((f"c{i}", "cl") for i in (1, 2, 3)), ("fb", "cl")])
    for i in (1, 2, 3):
        y, c = f"y{i}", f"c{i}"
        m.path(y, "fw", 1.0 if i == 1 else f"lw{i}", 0.7).path(y, c, 1.0)
        m.path(c, "fb", 1.0 if i == 1 else f"lb{i}", 0.6).path(c, "", f"{y}~1", 10.0)
        m.variance(y, y, f"{y}~~{y}", 0.6).variance(c, c, f"{c}~~{c}", between)
    m.path("fw", "", "bx", 0.3, h.column("x")).path("fb", "", "bw", 0.3, h.column("w"))
    m.path("y2", "", "dx", 0.3, h.column("x")).path("fw", "fb", "cross", 0.3)
    m.variance("y1", "y2", "y1~~y2", 0.05).variance("fw", "fw", "fw~~fw", 0.5).variance("fb", "fb", "fb~~fb", 0.4)
    y = {f"y{i}": np.where(g.uniform(size=n) < missing, np.nan, g.normal(size=n) + 10) for i in (1, 2, 3)}
    reduced = m.reduced()
    return reduced, h.design(y, {"x": x, "w": w}, {"cl": cluster}, reduced), m.theta0


def three_levels(h: types.SimpleNamespace, seed: int, rows: bool, spread: bool, size: int = 6) -> Case:
    """Three kinds of responses, one of the middle level, random slopes at two levels, paths across levels."""
    g = np.random.default_rng(seed)
    top = np.repeat(np.arange(size), g.integers(1, 5, size))
    cluster = np.repeat(np.arange(len(top)), g.integers(1, 6, len(top)))
    top = top[cluster]
    n = len(cluster)
    t, w, v = g.normal(size=n) * 3 + 100, g.normal(size=n)[cluster], g.normal(size=size)[top]
    latent = [("fr", "rows")] if rows else []
    latent += [("u1", "cl"), ("u0", "cl"), ("c2", "cl"), ("fb", "cl"), ("s1", "top"), ("s0", "top")]
    m = h.Model(["y1", "y2", "y3"], latent)
    if rows:
        m.path("y1", "fr", 1.0).path("y2", "fr", "r2", 0.6).path("fr", "", "rx", 0.02, h.column("t"))
        m.path("fr", "fb", "rfb", 0.3).variance("fr", "fr", "fr~~fr", 0.5)
    m.path("y1", "u0", 1.0).path("y1", "u1", 1.0, via=h.column("t")).path("y2", "c2", 1.0).path("c2", "fb", "l2", 0.5)
    m.path("y3", "fb", 1.0).path("u0", "fb", "b0", 0.4).path("u0", "s0", 1.0).path("u1", "s1", 1.0)
    m.path("u1", "", "g1", 0.3, h.column("w")).path("u1", "", "g0", 0.3).path("fb", "", "gv", 0.2, h.column("v"))
    m.path("fb", "s0", "bs", 0.3)
    for y in ("y1", "y2", "y3"):
        m.path(y, "", f"{y}~1", 3.0).variance(y, y, f"{y}~~{y}", 0.7)
    if spread:
        m.variance("y1", "y2", "y1~~y2", 0.2)
    for f, x in (("u1", 0.01), ("u0", 0.5), ("c2", 0.2), ("fb", 0.6), ("s1", 0.005), ("s0", 0.4)):
        m.variance(f, f, f"{f}~~{f}", x)
    m.variance("u1", "u0", "u1~~u0", 0.02).variance("s1", "s0", "s1~~s0", 0.01)
    y = {f"y{i}": np.where(g.uniform(size=n) < 0.2, np.nan, g.normal(size=n) * 2 + 3 + 0.3 * t) for i in (1, 2, 3)}
    y["y3"][np.r_[False, cluster[1:] == cluster[:-1]]] = np.nan
    for values in y.values():
        values[cluster == 3] = np.nan
    y["y1"][cluster == 2] = np.nan
    reduced = m.reduced()
    return reduced, h.design(y, {"t": t, "w": w, "v": v}, {"cl": cluster, "top": top}, reduced), m.theta0


def unequal(h: types.SimpleNamespace, seed: int) -> Case:
    """Residual SDs that depend on a covariate, random slope, two responses of which one is homogeneous."""
    g = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(25), g.integers(1, 6, 25))
    n = len(cluster)
    x, z = g.normal(size=n), g.integers(0, 3, n).astype(float)
    m = h.Model(["y1", "y2"], [("u1", "cl"), ("u0", "cl")])
    m.path("y1", "u0", 1.0).path("y2", "u0", "l2", 0.5).path("y1", "u1", 1.0, via=h.column("x"))
    m.path("y1", "", "a1", 0.2).path("y2", "", "a2", 0.2).path("y1", "", "b", 0.3, h.column("x"))
    m.sigma("y1", "s0", -0.2).sigma("y1", "s1", 0.3, h.column("z")).variance("y2", "y2", "y2~~y2", 0.8)
    m.variance("u0", "u0", "u0~~u0", 0.5).variance("u1", "u1", "u1~~u1", 0.3).variance("u1", "u0", "u1~~u0", 0.1)
    y = {k: np.where(g.uniform(size=n) < 0.2, np.nan, g.normal(size=n)) for k in ("y1", "y2")}
    reduced = m.reduced()
    return reduced, h.design(y, {"x": x, "z": z}, {"cl": cluster}, reduced), m.theta0


CASES = {
    "unequal residual variances": (Nested, lambda h: unequal(h, 14)),
    "one level": (OneLevel, lambda h: structural(h, 1)),
    "one level, residual covariance": (OneLevel, lambda h: structural(h, 2, spread=True)),
    "one level, patterns": (OneLevel, lambda h: structural(h, 3, 0.3)),
    "one level, by row": (ByRow, lambda h: structural(h, 4, 0.3, True)),
    "one level, recursion": (Nested, lambda h: structural(h, 5, 0.3)),
    "one level, recursion, residual covariance": (Nested, lambda h: structural(h, 6, 0.3, True)),
    "two levels": (TwoLevel, lambda h: two_levels(h, 7)),
    "two levels, negative variances": (TwoLevel, lambda h: two_levels(h, 8, between=-0.02)),
    "two levels, recursion": (Nested, lambda h: two_levels(h, 9, 0.3)),
    "two levels, recursion, negative variances": (Nested, lambda h: two_levels(h, 9, 0.3, between=-0.02)),
    "two levels, negative residual variance": (FreeResiduals, lambda h: below(two_levels(h, 17, 0.3))),
    "three levels, residual variance of zero": (FreeResiduals, lambda h: below(three_levels(h, 18, True, False), 0.0)),
    "one level, recursion, negative variance": (Nested, lambda h: heywood(h, 15)),
    "three levels": (Nested, lambda h: three_levels(h, 10, False, False)),
    "three levels, rows": (Nested, lambda h: three_levels(h, 11, True, False)),
    "three levels, residual covariance": (Nested, lambda h: three_levels(h, 12, False, True)),
    "three levels, rows, residual covariance": (Nested, lambda h: three_levels(h, 13, True, True)),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, by_hand: types.SimpleNamespace) -> tuple[Engine, Any, Any, np.ndarray]:
    engine, make = CASES[request.param]
    reduced, data, theta = make(by_hand)
    assert engine.supports(reduced, data)
    return engine(reduced, data), reduced, data, theta


def test_density_and_derivatives(case: Any, by_hand: types.SimpleNamespace) -> None:
    engine, reduced, data, theta = case
    expected = by_hand.dense(reduced, data, theta)
    assert engine.value(theta) == pytest.approx(expected, abs=1e-9 * abs(expected))
    assert by_hand.gradient_error(engine, theta) < 1e-8
    value, gradient = engine.value_and_gradient(theta)
    assert value == pytest.approx(expected, abs=1e-9 * abs(expected))
    scores = engine.scores(theta)
    top = list(data.clusters)[-1:]
    assert scores.shape == (data.n_units(top[0] if top else "rows"), len(theta))
    np.testing.assert_allclose(scores.sum(0), gradient, atol=1e-9 * np.abs(gradient).max())
    hessian = engine.hessian(theta)
    scale = np.sqrt(np.abs(np.diag(hessian)))
    near = differences(engine, theta, 1e-3)
    assert np.abs((hessian - near) / np.outer(scale, scale)).max() < 2e-4


def test_scores_are_those_of_the_units_alone(case: Any, by_hand: types.SimpleNamespace) -> None:
    engine, reduced, data, theta = case
    top = list(data.clusters)[-1:]
    unit = data.clusters[top[0]] if top else np.arange(data.n_rows)
    mine = unit == 4
    alone = type(engine)(reduced, _without(data, ~mine))
    gradient = alone.value_and_gradient(theta)[1]
    np.testing.assert_allclose(engine.scores(theta)[4], gradient, atol=1e-7 * np.abs(gradient).max())


def _without(data: Any, rows: np.ndarray) -> Any:
    """The same design without some rows."""
    from dataclasses import replace

    keep = ~rows
    clusters = {k: np.unique(v[keep], return_inverse=True)[1] for k, v in data.clusters.items()}
    return replace(
        data,
        n_rows=int(keep.sum()),
        responses={k: v[keep] for k, v in data.responses.items()},
        columns={k: v[keep] for k, v in data.columns.items()},
        clusters=clusters,
        row=data.row[keep],
    )


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_engines_agree(by_hand: types.SimpleNamespace, missing: float) -> None:
    reduced, data, theta = structural(by_hand, 21, missing)
    engines = [E(reduced, data) for E in (OneLevel, ByRow, Nested)]
    values = [e.value(theta) for e in engines]
    np.testing.assert_allclose(values, values[0], rtol=1e-12)
    for e in engines[1:]:
        np.testing.assert_allclose(e.scores(theta), engines[0].scores(theta), atol=1e-6)
    exact = engines[0].hessian(theta)
    np.testing.assert_allclose(engines[2].hessian(theta), exact, atol=1e-8 * np.abs(exact).max())


def test_two_levels_by_size_and_by_recursion(by_hand: types.SimpleNamespace) -> None:
    reduced, data, theta = two_levels(by_hand, 22)
    a, b = TwoLevel(reduced, data), Nested(reduced, data)
    assert a.value(theta) == pytest.approx(b.value(theta), rel=1e-12)
    np.testing.assert_allclose(a.scores(theta), b.scores(theta), atol=1e-8)


@pytest.mark.parametrize("rows", [False, True])
def test_zero_variance(by_hand: types.SimpleNamespace, rows: bool) -> None:
    """At a variance of zero the gradient is the one-sided derivative."""
    reduced, data, theta = three_levels(by_hand, 23, rows, False)
    k = int(
        reduced.psi.parameter[(reduced.psi.i == len(reduced.disturbances) - 1) & (reduced.psi.j == reduced.psi.i)][0]
    )
    theta[[k, reduced.n_parameters - 1]] = 0.0
    engine = Nested(reduced, data)
    assert engine.value(theta) == pytest.approx(by_hand.dense(reduced, data, theta), rel=1e-10)

    def at(h: float) -> float:
        x = theta.copy()
        x[k] = h
        return engine.value(x)

    h = 1e-3
    coarse, fine = (-3 * at(0) + 4 * at(s) - at(2 * s) for s in (h, h / 2))
    derivative = (4 * fine / h - coarse / (2 * h)) / 3
    assert engine.value_and_gradient(theta)[1][k] == pytest.approx(derivative, rel=1e-6)
    np.testing.assert_allclose(engine.scores(theta).sum(0), engine.value_and_gradient(theta)[1], rtol=1e-7, atol=1e-7)


def test_permutations_change_nothing(by_hand: types.SimpleNamespace) -> None:
    for make in (lambda: two_levels(by_hand, 24, 0.2), lambda: two_levels(by_hand, 24)):
        reduced, data, theta = make()
        g = np.random.default_rng(0)
        p = g.permutation(data.n_rows)
        names = g.permutation(data.n_units("cl"))
        other = by_hand.design(
            {k: v[p] for k, v in data.responses.items()},
            {c[0].name: v[p] for c, v in data.columns.items() if len(c) == 1},
            {"cl": names[data.clusters["cl"]][p]},
            reduced,
        )
        engine = choose(reduced, data)
        assert engine is not None
        value, gradient = engine(reduced, data).value_and_gradient(theta)
        value2, gradient2 = engine(reduced, other).value_and_gradient(theta)
        assert value2 == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(gradient2, gradient, atol=1e-10 * np.abs(gradient).max())


def test_origin_of_covariates_does_not_matter(by_hand: types.SimpleNamespace) -> None:
    """A random intercept and slope in t and in t + 10,000 are one model."""
    g = np.random.default_rng(5)
    cluster = np.repeat(np.arange(30), 4)
    t, y = g.normal(size=120), g.normal(size=120)
    values = []
    for shift in (0.0, 1e4):
        m = by_hand.Model(["y"], [("u1", "cl"), ("u0", "cl")])
        m.path("y", "u0", 1.0).path("y", "u1", 1.0, via=by_hand.column("t")).variance("y", "y", 1.0)
        for f in ("u0", "u1"):
            m.variance(f, f, f"{f}~~{f}")
        m.variance("u1", "u0", "u1~~u0").path("y", "", "a").path("y", "", "b", via=by_hand.column("t"))
        reduced = m.reduced()
        A = np.array([[1.0, -shift], [0.0, 1.0]])
        V = A @ np.array([[0.7, 0.1], [0.1, 0.4]]) @ A.T
        theta = dict(zip(("u0~~u0", "u1~~u1", "u1~~u0", "a", "b"), (V[0, 0], V[1, 1], V[0, 1], -0.3 * shift, 0.3)))
        data = by_hand.design({"y": y}, {"t": t + shift}, {"cl": cluster}, reduced)
        values.append(Nested(reduced, data).value(np.array([theta[k] for k in m.names])))
    assert values[1] == pytest.approx(values[0], rel=1e-6)


def test_expected_information(by_hand: types.SimpleNamespace) -> None:
    """It is minus the mean of the Hessian over data drawn from the model."""
    for make, size in ((lambda: two_levels(by_hand, 31), 400), (lambda: structural(by_hand, 32, 0.3), 400)):
        reduced, data, theta = make()
        engine = choose(reduced, data)
        assert engine in (OneLevel, TwoLevel)
        total = np.zeros((len(theta),) * 2)
        g = np.random.default_rng(1)
        for _ in range(size):
            total -= engine(reduced, _drawn(by_hand, reduced, data, theta, g)).hessian(theta) / size
        expected = engine(reduced, data).expected_information(theta)
        scale = np.sqrt(np.diag(expected))
        assert np.abs((total - expected) / np.outer(scale, scale)).max() < 0.15


def _drawn(h: types.SimpleNamespace, reduced: Any, data: Any, theta: np.ndarray, g: np.random.Generator) -> Any:
    from dataclasses import replace

    slots = reduced.slots(theta)
    m, L = reduced.mean(slots), reduced.loadings(slots)
    X = np.array([data.columns[p] for p in reduced.mean_columns])
    D = np.array([data.columns[p] for p in reduced.random_columns])
    y = m @ X + np.linalg.cholesky(reduced.theta.matrix(theta)) @ g.normal(size=(len(m), data.n_rows))
    root = np.linalg.cholesky(reduced.psi.matrix(theta))
    for level in {z.level for z in reduced.disturbances}:
        j = [i for i, z in enumerate(reduced.disturbances) if z.level == level]
        code = np.arange(data.n_rows) if level == "rows" else data.clusters[level]
        zeta = (root @ g.normal(size=(len(root), code.max() + 1)))[j][:, code]
        y += np.einsum("kaj,ai,ji->ki", L[:, :, j], D, zeta)
    names = reduced.responses
    kept = {k: np.where(np.isnan(data.responses[k]), np.nan, y[i]) for i, k in enumerate(names)}
    return replace(data, responses=kept)
