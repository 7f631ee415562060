"""Whole fits of gaussian models: sufficient statistics, maximum, standard errors by the exact Hessian.

The data are simulated as in the tasks of the same names. Each test prints its evaluations, and the ratio
of its time to that of a matrix product of the data with themselves.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semlang.estimation.gaussian import Engine, Nested, OneLevel, TwoLevel

pytestmark = pytest.mark.slow
Floats = np.ndarray


def _by_hand() -> Any:
    path = Path(__file__).parents[1] / "estimation" / "gaussian" / "conftest.py"
    spec = importlib.util.spec_from_file_location("gaussian_by_hand", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


h = _by_hand()


def fit(engine: type[Engine], reduced: Any, data: Any, start: Floats) -> tuple[Floats, float, int, Floats]:
    """From the design to standard errors; Newton's method where the engine has starting values."""
    e = engine(reduced, data)
    theta, information = e.start(start)
    if isinstance(e, Nested) and information is not None:
        theta, value, steps = newton(e, theta)
    else:
        theta, value, steps = h.maximise(e, theta)
    return theta, value, steps, np.sqrt(np.diag(np.linalg.inv(-e.hessian(theta))))


def newton(e: Engine, theta: Floats) -> tuple[Floats, float, int]:
    """Steps by the Hessian at the start, which is near."""
    inverse = np.linalg.inv(-e.hessian(theta))
    for evaluations in range(1, 50):  # noqa: B007
        value, gradient = e.value_and_gradient(theta)
        change = inverse @ gradient
        if gradient @ change < 1e-9:
            break
        theta = theta + change
    return theta, value, evaluations


def report(benchmark: Any, data: Floats, run: Any) -> None:
    _, value, evaluations, errors = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    begin = time.perf_counter()
    data @ data.T
    limit = time.perf_counter() - begin
    seconds = benchmark.stats.stats.min
    print(
        f"\nlog-likelihood {value:.4f}, {evaluations} evaluations, {seconds:.4f} s, "
        f"{seconds / limit:.0f} times the product of the data with themselves"
    )
    assert np.all(np.isfinite(errors))


def factors(missing: float) -> Floats:
    g = np.random.default_rng(107)
    eta = g.normal(size=(5000, 10)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(10)).T
    loading = g.uniform(0.5, 1, 50)
    y = np.array([eta[:, j // 5] * loading[j] + g.normal(size=5000) * 0.7 + j / 50 for j in range(50)])
    return np.where(g.uniform(size=y.shape) < missing, np.nan, y)


@pytest.mark.parametrize(("missing", "engine"), [(0.0, OneLevel), (0.05, Nested), (0.2, Nested)])
def test_cfa_5000x50(benchmark: Any, missing: float, engine: type[Engine]) -> None:
    y = factors(missing)
    m = h.factor_model(50, 10, y)
    reduced = m.reduced()
    data = h.design({f"y{i + 1}": y[i] for i in range(50)}, reduced=reduced)
    report(benchmark, np.nan_to_num(y), lambda: fit(engine, reduced, data, m.theta0))


@pytest.mark.parametrize(("missing", "engine"), [(0.0, TwoLevel), (0.0, Nested), (0.2, Nested)])
def test_two_level_cfa(benchmark: Any, missing: float, engine: type[Engine]) -> None:
    g = np.random.default_rng(108)
    cluster = np.repeat(np.arange(2000), g.integers(1, 21, 2000))
    n = len(cluster)
    fw, fb, u = (
        g.normal(size=n),
        g.normal(size=2000)[cluster] * 0.6,
        g.normal(size=(6, 2000))[:, cluster] * 0.3,
    )
    y = np.array([(0.6 + 0.1 * i) * (fw + fb) + u[i] + g.normal(size=n) for i in range(6)])
    y = np.where(g.uniform(size=y.shape) < missing, np.nan, y)
    names = [f"y{i}" for i in range(6)]
    m = h.Model(names, [("fw", "rows"), *((f"c{k}", "cl") for k in names), ("fb", "cl")])
    for k in names:
        m.path(k, "", f"{k}~1", 0.0).path(k, f"c{k}", 1.0).variance(f"c{k}", f"c{k}", f"b{k}", 0.2)
        m.path(k, "fw", 1.0 if k == "y0" else f"lw{k}", 1.0).variance(k, k, f"w{k}", 0.8)
        m.path(f"c{k}", "fb", 1.0 if k == "y0" else f"lb{k}", 1.0)
    m.variance("fw", "fw", "fw", 0.5).variance("fb", "fb", "fb", 0.3)
    reduced = m.reduced()
    data = h.design({k: y[i] for i, k in enumerate(names)}, None, {"cl": cluster}, reduced)
    report(benchmark, np.nan_to_num(y), lambda: fit(engine, reduced, data, m.theta0))


@pytest.mark.parametrize("clusters", [5000, 50000])
def test_lmm_100000(benchmark: Any, clusters: int) -> None:
    """Random intercept and slope, 20 rows a cluster."""
    g = np.random.default_rng(110)
    cluster, t = np.repeat(np.arange(clusters), 20), np.tile(np.arange(20) / 10, clusters)
    u = g.normal(size=(clusters, 2)) * [1, 0.5]
    y = 1 + 0.5 * t + u[cluster, 0] + u[cluster, 1] * t + g.normal(size=len(t))
    m = h.Model(["y"], [("u1", "id"), ("u0", "id")])
    slope = h.column("t")
    m.path("y", "u0", 1.0).path("y", "u1", 1.0, via=slope).path("y", "", "a", 0.0).path("y", "", "b", 0.0, slope)
    m.variance("u0", "u0", "v0", 0.5).variance("u1", "u1", "v1", 0.5).variance("u1", "u0", "c", 0.0)
    m.variance("y", "y", "s", 1.0)
    reduced = m.reduced()
    data = h.design({"y": y}, {"t": t}, {"id": cluster}, reduced)
    report(benchmark, np.vstack([y, t]), lambda: fit(Nested, reduced, data, m.theta0))
