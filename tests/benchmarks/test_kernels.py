"""Value and gradient of a two-level logit, 100,000 rows: beside the exponentials of all rows and nodes in the same run,
with two threads, and as rows, clusters and points grow. They print ratios and assert no time.
"""

import time

import numba
import numpy as np
import pytest

from semlang.estimation.kernels import compiling  # noqa: F401  numba learns what our functions are
from semlang.estimation.kernels.families import CODES
from semlang.estimation.kernels.vector_math import vexp
from semlang.estimation.quadrature import NestedQuadrature, Tree

pytest.importorskip("pytest_benchmark")
pytestmark = pytest.mark.slow


exponential = vexp.compiled


@numba.njit(fastmath=True, error_model="numpy")
def exponentials(x, out):
    """Fill out with exp(x)."""
    for i in range(x.size):
        out[i] = exponential(x[i])


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


def logit(clusters=5000, size=20, dims=2, threads=1):
    """Rows in clusters, with an intercept and perhaps a slope."""
    rng = np.random.default_rng(2)
    ids = np.repeat(np.arange(clusters), size)
    n = ids.size
    x = rng.normal(size=n)
    Lam = np.array([[1.0, 0.0], [0.3, 0.6]])[:, :dims]
    A = np.ascontiguousarray((np.column_stack([np.ones(n), x])[:, :dims] @ Lam[:dims]).T)
    o = -0.5 + 0.8 * x
    nu = o + (A * rng.normal(size=(clusters, dims))[ids].T).sum(0)
    y = (rng.random(n) < 1 / (1 + np.exp(-nu))).astype(float)
    codes = np.full(n, CODES["binomial", "logit"])
    model = NestedQuadrature(y, codes, Tree.from_ids([ids]), [dims], threads=threads)
    ones = np.ones(n)
    ones.flags.writeable = False  # as those of a fit, whose constants are known
    return model, (o, A, ones, ones)


def seconds(cases, points, clock=time.process_time, turns=6):
    """Least time of an evaluation with gradient of each model, three by three: the speed of machines moves."""
    best = np.full(len(cases), np.inf)
    for _ in range(turns):
        for k, (model, inputs) in enumerate(cases):
            for _ in range(3):
                begin = clock()
                assert model.evaluate(*inputs, points).converged
                best[k] = min(best[k], clock() - begin)
    return best


def power(sizes, times):
    """Slope of the regression of the logarithm of the time on that of the size."""
    return np.polyfit(np.log(sizes), np.log(times), 1)[0]


@pytest.mark.parametrize(("dims", "points"), [(2, 1), (2, 7), (1, 7)])
def test_two_level_logit(benchmark, dims, points):
    model, inputs = logit(dims=dims)
    assert model.evaluate(*inputs, points).converged
    benchmark.pedantic(model.evaluate, args=(*inputs, points), rounds=15, warmup_rounds=2)
    limit = nanoseconds_of_exp() * inputs[0].size * points**dims
    best = benchmark.stats.stats.min * 1e9
    nodes = " x ".join([str(points)] * dims)
    print(f"\n{nodes} points: {best / 1e6:.1f} ms, {best / limit:.2f} times the exponentials alone (must: 6)")


@pytest.mark.parametrize("points", [1, 7])
def test_two_threads(points):
    """Wall time, so the other processor has to be idle."""
    one, two = seconds([logit(threads=1), logit(threads=2)], points, time.perf_counter)
    print(f"\n{points} x {points} points: two threads are {one / two:.2f} times as fast as one (must: 1.6)")


@pytest.mark.parametrize("points", [1, 7])
def test_growth_with_clusters_and_rows(points):
    """Slopes of logarithms, from 50,000 rows, which the caches hold, to 800,000."""
    factors = np.array([1, 2, 4, 8, 16])
    by_clusters, by_rows = (
        seconds([logit(*size) for size in sizes], points)
        for sizes in ([(2500 * k, 20) for k in factors], [(2500, 20 * k) for k in factors])
    )
    print(
        f"\n{points} x {points} points: cost grows with clusters to the power {power(factors, by_clusters):.2f} "
        f"({power(factors[1:4], by_clusters[1:4]):.2f} from 5,000 to 20,000), with rows of a cluster "
        f"{power(factors, by_rows):.2f} (must: 1.05)"
    )


def test_growth_with_points():
    """Of one dimension, above what modes cost."""
    case = logit(dims=1)
    modes, few, many = (seconds([case], points)[0] for points in (1, 8, 32))
    print(f"\ncost above modes grows with points to the power {power([8, 32], [few - modes, many - modes]):.2f}")
