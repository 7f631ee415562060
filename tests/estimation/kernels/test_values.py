"""Values against independent references, and invariances."""

import itertools

import numpy as np
import pytest
from designs import ALONE, STRUCTURES, Design, ids_of
from numpy.polynomial.hermite_e import hermegauss
from scipy import optimize, stats

from semlang.estimation.kernels.families import CODES, NO_THRESHOLD
from semlang.estimation.kernels.workspace import rule_of_levels
from semlang.estimation.quadrature import NestedQuadrature, Tree

LOGIT, POISSON, GAUSS = CODES["binomial", "logit"], CODES["poisson", "log"], CODES["gaussian", "identity"]
ORDINAL = CODES["ordinal", "probit"]
CDF = {
    "logit": lambda x: 1 / (1 + np.exp(-x)),
    "probit": stats.norm.cdf,
    "cloglog": lambda x: -np.expm1(-np.exp(x)),
    "cauchit": stats.cauchy.cdf,
    "loglog": lambda x: np.exp(-np.exp(-x)),
}
REST = {
    **{link: lambda x, f=CDF[link]: f(-x) for link in ("logit", "probit", "cauchit")},
    "cloglog": lambda x: np.exp(-np.exp(np.minimum(x, 5.2))),
    "loglog": lambda x: -np.expm1(-np.exp(-x)),
}
"""1 - CDF; of cloglog to where the kernel holds it, below 1e-78."""
MEAN = {"identity": lambda x: x, "log": np.exp, "reciprocal": lambda x: 1 / x, "sqrt": lambda x: x**2}


def log_density(pair, y, f1, f2, nu):
    """Log density by scipy."""
    family, link = pair
    if family == "binomial":
        p = CDF[link](nu)
        return stats.binom.logpmf(y, f1, p)
    if family == "ordinal":
        upper = np.where(f1 >= NO_THRESHOLD, 0.0, CDF[link](nu - np.minimum(f1, 100)))
        lower = np.where(f2 <= -NO_THRESHOLD, 1.0, CDF[link](nu - np.maximum(f2, -100)))
        return np.log(lower - upper)
    if family == "poisson":
        return stats.poisson.logpmf(y, MEAN[link](nu))
    if family == "gamma":
        return stats.gamma.logpdf(y, f1, scale=MEAN[link](nu) / f1)
    if family == "beta":
        return stats.beta.logpdf(y, CDF[link](nu) * f1, REST[link](nu) * f1)
    if family == "negbinomial":
        return stats.nbinom.logpmf(y, f1, f1 / (f1 + MEAN[link](nu)))
    if family.startswith("interval") and f2 > y:
        u, v = ((x - MEAN[link](nu)) / f1 for x in (f2, y))
        if f2 - y < 1e-5:  # a difference of probabilities has no digits left
            return stats.norm.logpdf((u + v) / 2) + np.log(u - v)
        inside = np.where(u + v > 0, stats.norm.sf(v) - stats.norm.sf(u), stats.norm.cdf(u) - stats.norm.cdf(v))
        return np.log(np.maximum(inside, 1e-300))
    if family.endswith("lognormal"):
        return stats.lognorm.logpdf(np.exp(y), f1, scale=np.exp(nu))
    if family == "guessed binomial":
        p = np.exp(log_density(("binomial", link), 1.0, 1, np.nan, nu))
        return stats.binom.logpmf(y, 1, f1 + (1 - f1 - f2) * p)
    if family == "sequential":
        return stats.binom.logpmf(y, 1, CDF["logit"](nu - f1))
    if family == "censored gaussian" and f2:
        return stats.norm.logcdf(f2 * (MEAN[link](nu) - y) / f1)
    if family.startswith("inflated"):
        zero = f1 if family.endswith("poisson") else f2
        counts = log_density((family.removeprefix("inflated "), link), y, f1, np.nan, nu)
        return np.log(zero * (y == 0) + (1 - zero) * np.exp(counts))
    if family in ("exponential", "weibull", "loglogistic"):
        scale = np.exp(nu if link == "aft" else -nu / f1)
        law = stats.fisk(f1, scale=scale) if family == "loglogistic" else stats.weibull_min(f1, scale=scale)
        return law.logpdf(np.exp(y)) if f2 else law.logsf(np.exp(y))
    return stats.norm.logpdf(y, MEAN[link](nu), f1)


def dense(design, points, cluster):
    """Cluster's log-likelihood on the full tensor grid over all its units, with numerical derivatives of l."""
    o, A, f1, f2 = design.inputs(design.theta)
    rows = np.flatnonzero(design.ids[-1] == cluster)
    columns, d = [], 0
    for level, m in enumerate(design.dims):
        for unit in np.unique(design.ids[level][rows]):
            inside = design.ids[level][rows] == unit
            columns += [np.where(inside, A[d + k, rows], 0.0) for k in range(m)]
        d += m
    B = np.array(columns).T
    names = {code: pair for pair, code in CODES.items()}

    def log_densities(nu):
        return np.array([log_density(names[design.codes[i]], design.y[i], f1[i], f2[i], x)
                         for i, x in zip(rows, nu)])  # fmt: skip

    def derivatives(nu, h=1e-3):
        a, b, c, d_, e = (log_densities(nu + k * h) for k in (-2, -1, 0, 1, 2))
        return (a - 8 * b + 8 * d_ - e) / (12 * h), -(-a + 16 * b - 30 * c + 16 * d_ - e) / (12 * h * h)

    v = np.zeros(B.shape[1])
    step = np.ones(1)
    while np.abs(step).max() > 1e-10:
        r, w = derivatives(o[rows] + B @ v)
        H = B.T @ (w[:, None] * B) + np.eye(v.size)
        step = np.linalg.solve(H, B.T @ r - v)
        v = v + step
    L = np.linalg.cholesky(H)
    x, weight = hermegauss(points)
    log_weight = np.log(weight / weight.sum())
    terms = []
    for index in itertools.product(range(points), repeat=v.size):
        z = x[list(index)]
        at = v + np.linalg.solve(L.T, z)
        prior = 0.5 * (z @ z - at @ at) + log_weight[list(index)].sum()
        terms.append(log_densities(o[rows] + B @ at).sum() + prior)
    return np.logaddexp.reduce(terms) - np.log(np.diag(L)).sum()


@pytest.mark.parametrize("pair", ALONE, ids="-".join)
@pytest.mark.parametrize("points", [1, 3])
def test_dense_reference(pair, points):
    design = Design([pair], ([1, 1], [2, 2, 3]), seed=2)
    values = design.model.evaluate(*design.inputs(design.theta), points).values
    for cluster in range(2):
        assert values[cluster] == pytest.approx(dense(design, points, cluster), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("structure", ["r=2", "(1,1,1)"])
def test_dense_reference_of_mixed_families(structure):
    dims, sizes = STRUCTURES[structure]
    pairs = [p for p in ALONE if p[0] != "gaussian"][:5] + [("ordinal", "logit"), ("ordinal", "probit")]
    design = Design(pairs, (dims, [2] * len(sizes)), seed=4)
    values = design.model.evaluate(*design.inputs(design.theta), 2).values
    for cluster in range(2):
        assert values[cluster] == pytest.approx(dense(design, 2, cluster), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("points", [1, 2, 5])
@pytest.mark.parametrize("structure", ["r=2", "(2,1)", "(1,1,1)"])
def test_gaussian_is_exact(structure, points):
    design = Design([("gaussian", "identity")], structure)
    o, A, f1, f2 = design.inputs(design.theta)
    values = design.model.evaluate(o, A, f1, f2, points).values
    for cluster in range(design.ids[-1].max() + 1):
        rows = np.flatnonzero(design.ids[-1] == cluster)
        V, d = np.diag(f1[rows] ** 2), 0
        for ids, m in zip(design.ids, design.dims):
            same = ids[rows][:, None] == ids[rows]
            V = V + same * (A[d : d + m, rows].T @ A[d : d + m, rows])
            d += m
        expected = stats.multivariate_normal(o[rows], V).logpdf(design.y[rows])
        assert values[cluster] == pytest.approx(expected, rel=1e-10)


def test_one_point_is_laplace():
    rng = np.random.default_rng(0)
    ids, y = np.repeat(np.arange(4), 6), rng.integers(0, 2, 24).astype(float)
    A, o, one = rng.normal(size=(1, 24)), rng.normal(size=24), np.ones(24)
    values = NestedQuadrature(y, np.full(24, LOGIT), Tree.from_ids([ids]), [1]).evaluate(o, A, one, one, 1).values
    for c in range(4):
        k = ids == c

        def minus(v, k=k):
            nu = o[k] + A[0, k] * v
            return (np.logaddexp(0, nu) - y[k] * nu).sum() + 0.5 * v * v

        v = optimize.minimize_scalar(minus, tol=1e-12).x
        p = 1 / (1 + np.exp(-o[k] - A[0, k] * v))
        expected = -minus(v) - 0.5 * np.log(1 + (p * (1 - p) * A[0, k] ** 2).sum())
        assert values[c] == pytest.approx(expected, abs=1e-8)


def test_order_of_rows_and_clusters():
    design = Design([("binomial", "logit"), ("poisson", "log"), ("ordinal", "probit")], "(1,1)")
    inputs = design.inputs(design.theta)
    first = design.model.evaluate(*inputs, 5)
    rng = np.random.default_rng(1)
    top, low = rng.permutation(design.ids[1].max() + 1), rng.permutation(design.ids[0].max() + 1)
    order = np.lexsort((rng.random(design.n), low[design.ids[0]], top[design.ids[1]]))
    tree = Tree.from_ids([i[order] for i in design.ids])
    model = NestedQuadrature(design.y[order], design.codes[order], tree, [1, 1])
    again = model.evaluate(*(np.ascontiguousarray(x[..., order]) for x in inputs), 5)
    clusters = design.ids[1][order][np.r_[True, np.diff(design.ids[1][order]) != 0]]
    np.testing.assert_allclose(again.values, first.values[clusters], rtol=1e-12)
    np.testing.assert_allclose(again.A_bar, first.A_bar[:, order], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(again.f1_bar, first.f1_bar[order], rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("points", [1, 5])
def test_threads_are_bitwise_equal(points):
    rng = np.random.default_rng(3)
    ids = ids_of([300, 3, 5], rng)
    n = ids[0].size
    y = rng.integers(0, 2, n).astype(float)
    A, o, one = rng.normal(size=(2, n)), rng.normal(size=n), np.ones(n)
    a, b = (
        NestedQuadrature(y, np.full(n, LOGIT), Tree.from_ids(ids), [1, 1], threads=t).evaluate(o, A, one, one, points)
        for t in (1, 2)
    )
    for x, z in zip((a.values, a.o_bar, a.A_bar), (b.values, b.o_bar, b.A_bar)):
        assert np.array_equal(x, z)


@pytest.mark.parametrize("points", [1, 5])
def test_weights_are_copies(points):
    rng = np.random.default_rng(5)
    low, high = ids_of([4, 2, 4], rng)
    n = low.size
    y, A, o, one = rng.integers(0, 2, n).astype(float), rng.normal(size=(2, n)), rng.normal(size=n), np.ones(n)
    code = np.full(n, LOGIT)
    for what in range(3):
        row_weights, units = np.ones(n), [np.ones(low.max() + 1), np.ones(high.max() + 1)]
        if what == 0:
            row_weights[2] = 2
            copies, ids = np.array([2]), [low, high]
        else:
            units[what - 1][1] = 2
            copies, ids = np.flatnonzero((low, high)[what - 1] == 1), [low + 0.0, high + 0.0]
        new = [level[copies].astype(float) + (1000 if 0 < what > k else 0) for k, level in enumerate(ids)]
        both = [np.r_[level, extra] for level, extra in zip(ids, new)]
        order = np.lexsort((np.arange(both[0].size), both[0], both[1]))
        pick = np.r_[np.arange(n), copies][order]
        ranks = [np.unique(level[order], return_inverse=True)[1] for level in both]
        weighted = NestedQuadrature(y, code, Tree.from_ids([low, high]), [1, 1], row_weights, units)
        copied = NestedQuadrature(y[pick], code[pick], Tree.from_ids(ranks), [1, 1])
        a = weighted.evaluate(o, A, one, one, points).values.sum()
        b = copied.evaluate(o[pick], A[:, pick], one[pick], one[pick], points).values.sum()
        assert a == pytest.approx(b, rel=1e-12)


def test_zero_weights_drop_units():
    design = Design([("binomial", "logit")], "(1,1)", seed=2)
    o, A, f1, f2 = design.inputs(design.theta)
    units = [np.ones(design.ids[0].max() + 1), np.ones(design.ids[1].max() + 1)]
    units[0][2] = units[1][3] = 0.0
    keep = (design.ids[0] != 2) & (design.ids[1] != 3)
    tree = Tree.from_ids(design.ids)
    model = NestedQuadrature(design.y, design.codes, tree, [1, 1], None, units)
    e = model.evaluate(o, A, f1, f2, 5)
    small = NestedQuadrature(design.y[keep], design.codes[keep], Tree.from_ids([i[keep] for i in design.ids]), [1, 1])
    assert e.values.sum() == pytest.approx(small.evaluate(o[keep], A[:, keep], f1[keep], f2[keep], 5).values.sum())
    assert e.values[3] == 0.0
    assert e.values.size == 4
    assert not e.o_bar[~keep].any()


@pytest.mark.parametrize("dims", [(1, 0), (0, 1), (0, 0)])
def test_levels_without_latent_variables(dims):
    rng = np.random.default_rng(6)
    ids = ids_of([5, 2, 4], rng)
    n = ids[0].size
    y, o, one = rng.integers(0, 2, n).astype(float), rng.normal(size=n), np.ones(n)
    A = rng.normal(size=(sum(dims), n))
    w = [rng.uniform(0.5, 2, i.max() + 1) for i in ids]
    e = NestedQuadrature(y, np.full(n, LOGIT), Tree.from_ids(ids), dims, None, w).evaluate(o, A, one, one, 5)
    full = np.zeros((2, n))
    full[[k for k in range(2) if dims[k]]] = A
    f = NestedQuadrature(y, np.full(n, LOGIT), Tree.from_ids(ids), [1, 1], None, w).evaluate(o, full, one, one, 5)
    np.testing.assert_allclose(e.values, f.values, rtol=1e-10)
    np.testing.assert_allclose(e.o_bar, f.o_bar, rtol=1e-7, atol=1e-10)


def test_no_level_is_a_generalized_linear_model():
    y, o = np.array([0.0, 1.0, 3.0]), np.array([0.1, -0.3, 1.0])
    code, none = np.array([LOGIT, LOGIT, POISSON]), np.zeros((0, 3))
    e = NestedQuadrature(y, code, Tree.from_ids([], rows=3), []).evaluate(o, none, np.ones(3), np.ones(3), 7)
    p = 1 / (1 + np.exp(-o[:2]))
    np.testing.assert_allclose(e.values, [np.log(1 - p[0]), np.log(p[1]), stats.poisson.logpmf(3, np.exp(1.0))])
    np.testing.assert_allclose(e.o_bar, [-p[0], 1 - p[1], 3 - np.exp(1.0)])


def test_long_cluster_in_two_sweeps(monkeypatch):
    from semlang.estimation.kernels import workspace

    design = Design([("binomial", "logit"), ("gaussian", "identity")], ([2], [3, 60]))
    e = design.model.evaluate(*design.inputs(design.theta), 7)
    monkeypatch.setattr(workspace, "LARGEST_TABLE", 1)
    design.model._rules.clear()
    f = design.model.evaluate(*design.inputs(design.theta), 7)
    np.testing.assert_allclose(e.values, f.values, rtol=1e-13)
    np.testing.assert_allclose(e.A_bar, f.A_bar, rtol=1e-9, atol=1e-12)


def test_rule_is_exact_for_polynomials():
    rule = rule_of_levels([2], [4])
    z, w = rule.z[0], np.exp(rule.log_weight[0] - 0.5 * (rule.z[0] ** 2).sum(0))
    for k, moment in enumerate([1, 0, 1, 0, 3, 0, 15, 0]):
        assert (w * z[1] ** k).sum() == pytest.approx(moment, abs=1e-12)
