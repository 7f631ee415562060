"""Value and gradient of a two-level logit, intercept and slope, 100,000 rows; run with ``--benchmark-only``.

Each prints the ratio to what the exponentials of all rows and nodes alone would take in the same run.
"""

import time

import numba
import numpy as np
import pytest

from semlang.estimation.kernels.families import CODES
from semlang.estimation.kernels.vector_math import vexp
from semlang.estimation.quadrature import NestedQuadrature, Tree

pytest.importorskip("pytest_benchmark")
pytestmark = pytest.mark.slow


@numba.njit(fastmath=True, error_model="numpy")
def exponentials(x, out):
    """Fill out with exp(x)."""
    for i in range(x.size):
        out[i] = vexp(x[i])


def nanoseconds_of_exp():
    """Least time of one exponential, in cache."""
    x = np.linspace(-3, 3, 2048)
    out = np.empty_like(x)
    exponentials(x, out)
    best = np.inf
    for _ in range(200):
        begin = time.perf_counter_ns()
        exponentials(x, out)
        best = min(best, time.perf_counter_ns() - begin)
    return best / x.size


def logit_with_slope(clusters=5000, size=20):
    rng = np.random.default_rng(2)
    ids = np.repeat(np.arange(clusters), size)
    n = ids.size
    x = rng.normal(size=n)
    Lam = np.array([[1.0, 0.0], [0.3, 0.6]])
    A = np.ascontiguousarray((np.column_stack([np.ones(n), x]) @ Lam).T)
    o = -0.5 + 0.8 * x
    nu = o + (A * rng.normal(size=(clusters, 2))[ids].T).sum(0)
    y = (rng.random(n) < 1 / (1 + np.exp(-nu))).astype(float)
    model = NestedQuadrature(y, np.full(n, CODES["binomial", "logit"]), Tree.from_ids([ids]), [2])
    return model, (o, A, np.ones(n), np.ones(n))


@pytest.mark.parametrize("points", [1, 7])
def test_two_level_logit(benchmark, points):
    model, inputs = logit_with_slope()
    assert model.evaluate(*inputs, points).converged
    benchmark.pedantic(model.evaluate, args=(*inputs, points), rounds=15, warmup_rounds=2)
    limit = nanoseconds_of_exp() * inputs[0].size * points**2
    best = benchmark.stats.stats.min * 1e9
    print(f"\n{points} x {points} points: {best / 1e6:.1f} ms, {best / limit:.2f} times the exponentials alone")
