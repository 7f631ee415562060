"""Composite links: means that are sums of means, against published values and scipy alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logsumexp
from scipy.stats import binom, norm

from semlang.api import Model
from semlang.errors import DataError, FitError, ModelError
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints

SETS, TERMS, UNITS = 8, 3, 40
GRID = np.linspace(-6.0, 6.0, 401)
LOG_WEIGHTS = norm.logpdf(GRID) - logsumexp(norm.logpdf(GRID))


def estimates(fit):
    p = fit.params
    return {(r.lhs, r.op, r.rhs, getattr(r, "_class", 0) or 0): r.est for r in p.itertuples()} | {
        "values": p.est.to_numpy(dtype=float)
    }


@pytest.fixture(scope="module")
def cells():
    """Cells of sets in clusters, with a random intercept; the responses stand in one cell of each set."""
    rng = np.random.default_rng(11)
    n = UNITS * SETS * TERMS
    g, s = np.repeat(np.arange(UNITS), SETS * TERMS), np.repeat(np.arange(UNITS * SETS), TERMS)
    x, u = rng.normal(size=n), 0.6 * rng.normal(size=UNITS)
    w, share = rng.uniform(0.3, 1.5, n), rng.dirichlet(np.ones(TERMS), UNITS * SETS).ravel()
    k = rng.random(UNITS) < 0.4
    of_set = lambda terms: np.bincount(s, terms)  # noqa: E731
    count = rng.poisson(of_set(w * np.exp(0.3 + 0.5 * x + u[g])))
    value = of_set(w * np.exp(0.2 + 0.4 * x + u[g])) + 0.7 * rng.normal(size=UNITS * SETS)
    successes = rng.binomial(4, of_set(share * expit(np.where(k[g], 1.2, -1.0) + 0.6 * x)))
    yes = 1.0 * (rng.random(UNITS * SETS) < of_set(share * expit(-0.2 + 0.8 * x + u[g])))
    here = np.arange(n) % TERMS == 1
    spread = {
        name: np.where(here, y[s], np.nan)
        for name, y in (("count", count), ("value", value), ("successes", successes), ("yes", yes))
    }
    return pd.DataFrame({"g": g, "s": s, "x": x, "w": w, "share": share} | spread)


def maximum(nll, start):
    found = minimize(nll, start, method="BFGS", options={"gtol": 1e-6})
    return -found.fun, found.x


def summed(cells, terms):
    out = np.zeros((UNITS * SETS, *terms.shape[1:]))
    np.add.at(out, cells.s.to_numpy(), terms)
    return out


def of_units(cells, logs):
    out = np.zeros((UNITS, *logs.shape[1:]))
    np.add.at(out, np.repeat(np.arange(UNITS), SETS), logs)
    return out


def test_blood_groups():
    """A 186, B 38, AB 13, O 284 (Clarke 1959); allele frequencies 0.2136, 0.0501, 0.7363 (Lange 2002, ch. 2)."""
    rows = [("A", 186, 2, 0, 1), ("A", np.nan, 1, 0, 2), ("B", 38, 0, 2, 1), ("B", np.nan, 0, 1, 2),
            ("AB", 13, 1, 1, 2), ("O", 284, 0, 0, 1)]  # fmt: skip
    data = pd.DataFrame(rows, columns=["group", "n", "a", "b", "w"])
    fit = Model("n :: composite(poisson, set=group, weight=w)\nn ~ 1 + a + b").fit(data)
    p = estimates(fit)
    ratios = np.exp([p["n", "~", "a", 0], p["n", "~", "b", 0], 0.0])
    np.testing.assert_allclose(ratios / ratios.sum(), [0.2136, 0.0501, 0.7363], atol=1e-4)
    expected = fit.predict()["n"].to_numpy()
    assert expected[0] == expected[1]
    assert expected[[0, 2, 4, 5]].sum() == pytest.approx(521.0, abs=1e-4)


def test_a_misclassified_response():
    """P(1) = 0.9 p + 0.15 (1 - p): two terms a response, 1 - expit(nu) = expit(-nu); the weights exceed 1 together."""
    rng = np.random.default_rng(2)
    n = 700
    x = rng.normal(size=n)
    y = np.where(rng.random(n) < expit(-0.3 + 0.9 * x), rng.random(n) < 0.9, rng.random(n) < 0.15) * 1.0
    sign = np.tile([1.0, -1.0], n)
    data = pd.DataFrame(
        {"id": np.repeat(np.arange(n), 2), "one": sign, "sx": sign * np.repeat(x, 2), "w": np.tile([0.9, 0.15], n),
         "y": np.repeat(y, 2)}
    )  # fmt: skip
    fit = Model("y :: composite(binomial, set=id, weight=w)\ny ~ 0 + one + sx").fit(data)

    def nll(b):
        p = expit(b[0] + b[1] * x)
        q = 0.9 * p + 0.15 * (1.0 - p)
        return -(y * np.log(q) + (1.0 - y) * np.log(1.0 - q)).sum()

    value, at = maximum(nll, [0.0, 0.0])
    assert fit.loglik == pytest.approx(value, abs=1e-5)
    p = estimates(fit)
    np.testing.assert_allclose([p["y", "~", "one", 0], p["y", "~", "sx", 0]], at, atol=1e-3)
    assert "n = 700" in fit.summary()


def test_counts_in_clusters(cells):
    fit = Model("cluster: g\ncount :: composite(poisson, set=s, weight=w)\ncount ~ 1 + x + (1 | g)").fit(cells)
    y = cells["count"].dropna().to_numpy()[:, None]

    def nll(b):
        terms = cells.w.to_numpy()[:, None] * np.exp((b[0] + b[1] * cells.x.to_numpy())[:, None] + np.exp(b[2]) * GRID)
        m = summed(cells, terms)
        return -logsumexp(of_units(cells, y * np.log(m) - m - gammaln(y + 1)) + LOG_WEIGHTS, axis=1).sum()

    value, at = maximum(nll, [0.3, 0.5, -0.5])
    assert fit.loglik == pytest.approx(value, abs=1e-3)
    p = estimates(fit)
    found = [p["count", "~1", "", 0], p["count", "~", "x", 0], p["count.1[g]", "~~", "count.1[g]", 0]]
    np.testing.assert_allclose(found, [*at[:2], np.exp(2.0 * at[2])], rtol=5e-3)


def test_gaussian_in_clusters(cells):
    fit = Model("cluster: g\nvalue :: composite(gaussian, log, set=s, weight=w)\nvalue ~ 1 + x + (1 | g)").fit(cells)
    y = cells["value"].dropna().to_numpy()[:, None]

    def nll(b):
        terms = cells.w.to_numpy()[:, None] * np.exp((b[0] + b[1] * cells.x.to_numpy())[:, None] + np.exp(b[2]) * GRID)
        logs = norm.logpdf(y, summed(cells, terms), np.exp(b[3]))
        return -logsumexp(of_units(cells, logs) + LOG_WEIGHTS, axis=1).sum()

    value, at = maximum(nll, [0.2, 0.4, -0.5, -0.3])
    assert fit.loglik == pytest.approx(value, abs=1e-3)
    p = estimates(fit)
    found = [p["value", "~", "x", 0], p["value.1[g]", "~~", "value.1[g]", 0], p["value", "~~", "value", 0]]
    np.testing.assert_allclose(found, [at[1], *np.exp(2.0 * at[2:])], rtol=5e-3)


def test_trials_in_classes_of_clusters(cells):
    text = (
        "cluster: g\nc[g] :: class(2)\nsuccesses :: composite(binomial, set=s, weight=share, trials=4)\n"
        "successes ~ c + x"
    )
    fit = Model(text).fit(cells)
    y = cells["successes"].dropna().to_numpy()

    def nll(b):
        logs = [
            of_units(cells, binom.logpmf(y, 4, summed(cells, cells.share.to_numpy() * expit(a + b[2] * cells.x))))
            for a in b[:2]
        ]
        size = np.array([b[3], 0.0])
        return -logsumexp(np.array(logs) + (size - logsumexp(size))[:, None], axis=0).sum()

    value, at = maximum(nll, [-1.0, 1.0, 0.5, 0.3])
    assert fit.loglik == pytest.approx(value, abs=1e-4)
    p = estimates(fit)
    assert p["successes", "~", "x", 0] == pytest.approx(at[2], rel=2e-3)


MODELS = {
    "poisson": "count :: composite(poisson, {link}, set=s, weight=w)\ncount ~ 1 + x{more}",
    "gaussian": "value :: composite(gaussian, {link}, set=s, weight=w)\nvalue ~ 1 + x{more}",
    "binomial": "yes :: composite(binomial, {link}, set=s, weight=share)\nyes ~ 1 + x{more}",
}
LINKS = [
    *(("poisson", link) for link in ("log", "identity", "sqrt")),
    *(("gaussian", link) for link in ("identity", "log", "reciprocal")),
    *(("binomial", link) for link in ("logit", "probit", "cloglog", "loglog", "cauchit")),
]


@pytest.mark.parametrize("points", [1, 3, 7, 15])
@pytest.mark.parametrize(("family", "link"), LINKS)
def test_gradients(cells, family, link, points):
    more = "" if points == 1 else " + (1 | g)"
    text = MODELS[family].format(link=link, more=more)
    model, _, designs, _ = Model(("" if points == 1 else "cluster: g\n") + text)._bound(cells)
    table = model.parameter_table
    objective = assemble(table, model.graphs, designs, Constraints(table), True, points, 1, scaled=False)
    theta = np.full(table.n_parameters, 0.3)
    theta[0] = 3.0 if link in ("identity", "sqrt", "reciprocal") else 0.3
    theta[1] = 0.1
    z = objective.z(theta)
    value, scores = objective.value_and_scores(z)
    assert np.isfinite(value)
    step = 1e-5
    for p in range(z.size):
        e = step * np.eye(z.size)[p]
        difference = (objective.value_and_scores(z + e)[0] - objective.value_and_scores(z - e)[0]) / (2.0 * step)
        assert scores.sum(axis=0)[p] == pytest.approx(difference, rel=1e-6, abs=2e-6)


def test_one_term_is_no_sum(cells):
    """A set of one record with the weight 1 is the response itself."""
    data = pd.DataFrame(
        {"y": np.random.default_rng(3).poisson(np.exp(0.3 + 0.5 * cells.x)), "x": cells.x, "g": cells.g}
    )
    data["s"] = np.arange(len(data))
    line = "\ny ~ 1 + x + (1 | g)"
    one = Model("cluster: g\ny :: composite(poisson, set=s)" + line).fit(data)
    plain = Model("cluster: g\ny :: poisson" + line).fit(data)
    assert one.loglik == pytest.approx(plain.loglik, abs=1e-4)
    np.testing.assert_allclose(one.params.est.to_numpy(float), plain.params.est.to_numpy(float), atol=1e-3)


def test_equal_weights_are_frequencies_of_terms(cells):
    """The order of records does not count, a term of weight two is two terms, a term of weight zero is none."""
    text = "count :: composite(poisson, set=s, weight=w)\ncount ~ 1 + x"
    fit = Model(text).fit(cells)
    halves = pd.concat([cells.assign(w=cells.w / 2), cells.assign(w=cells.w / 2, count=np.nan), cells.assign(w=0.0)])
    again = Model(text).fit(halves.sample(frac=1.0, random_state=1))
    assert again.loglik == pytest.approx(fit.loglik, abs=1e-6)


def test_drawn_and_fitted_again(cells):
    text = "cluster: g\ncount :: composite(poisson, set=s, weight=w)\ncount ~ 1 + x + (1 | g)"
    model = Model(text)
    fit = model.fit(cells)
    new = fit.simulate(seed=3)
    assert new.groupby("s")["count"].nunique().max() == 1
    assert np.isfinite(model.fit(new).loglik)
    mean, given = fit.predict()["count"], fit.predict(kind="conditional")["count"]
    assert mean.groupby(cells.s).nunique().max() == 1
    y = cells.groupby("s")["count"].max()
    assert np.corrcoef(given.groupby(cells.s).first(), y)[0, 1] > np.corrcoef(mean.groupby(cells.s).first(), y)[0, 1]


@pytest.mark.parametrize(
    ("text", "change", "slug"),
    [
        (MODELS["poisson"], {"w": -0.5}, "composite-weight"),
        (MODELS["poisson"], {"w": np.nan}, "composite-weight"),
        (MODELS["binomial"].replace("share", "w"), {"w": 1.2}, "composite-weight"),
        (MODELS["poisson"], {"count": 77.0}, "set-with-values"),
        (MODELS["poisson"], {"s": 0}, "set-with-values"),
        ("options: missing = ml\n" + MODELS["poisson"].replace("weight=w", "weight=v"), {}, "unknown-column"),
    ],
)
def test_bad_data(cells, text, change, slug):
    data = cells.copy()
    for name, value in change.items():
        data[name] = data[name].astype(float)
        data.loc[3, name] = value
    if "s" in change:
        data.loc[3:8, "s"] = 0
    with pytest.raises((DataError, FitError)) as problem:
        Model(text.format(link="", more="").replace(", ,", ",")).fit(data)
    assert slug in {d.slug for d in problem.value.diagnostics}


def test_a_set_without_weight(cells):
    data = cells.copy()
    data.loc[data.s == 2, "w"] = 0.0
    with pytest.raises(DataError) as problem:
        Model("count :: composite(poisson, set=s, weight=w)\ncount ~ 1 + x").fit(data)
    assert "composite-weight" in {d.slug for d in problem.value.diagnostics}


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("y :: composite\ny ~ x", "composite-family"),
        ("y :: composite(gama, set=s)\ny ~ x", "composite-family"),
        ("y :: composite(poisson)\ny ~ x", "missing-set"),
        ("y :: composite(poisson, set=s)\nu :: normal\ny ~ x + u", "latent-within-set"),
        ("y :: composite(poisson, set=s)\nc :: class(2)\ny ~ c", "latent-within-set"),
        ("y :: composite(poisson, logit, set=s)\ny ~ x", "unknown-link"),
        ("y :: composite(binomial, set=s, exposure=t)\ny ~ x", "unknown-argument"),
    ],
)
def test_bad_texts(text, slug):
    try:
        found = Model(text).check()
    except ModelError as problem:
        found = problem.diagnostics
    assert slug in {d.slug for d in found}


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("structure", ["one level", "two levels", "class"])
def test_recovery(family, structure):
    """Twenty data sets: mean z within 4 / sqrt(20), intervals that cover in the band of the binomial distribution."""
    z = []
    for seed in range(20):
        rng = np.random.default_rng([5, seed])
        units = 100 if structure != "one level" else 1
        sets = 5 if structure != "one level" else 400
        n = units * sets * TERMS
        g, s = np.repeat(np.arange(units), sets * TERMS), np.repeat(np.arange(units * sets), TERMS)
        x, share = rng.normal(size=n), rng.dirichlet(np.ones(TERMS), units * sets).ravel()
        low = rng.random(units) < 0.4
        added = {
            "one level": np.zeros(units), "two levels": 0.6 * rng.normal(size=units),
            "class": np.where(low, -1.5, 0.0),
        }[structure]  # fmt: skip
        nu = 0.6 + 0.5 * x + added[g]
        h = {"gaussian": np.exp(nu), "binomial": expit(nu), "poisson": np.exp(nu)}[family]
        m = np.bincount(s, share * h)
        y = {
            "gaussian": lambda m=m, rng=rng: rng.normal(m, 0.5), "binomial": lambda m=m, rng=rng: rng.binomial(5, m),
            "poisson": lambda m=m, rng=rng: rng.poisson(m),
        }[family]()  # fmt: skip
        data = pd.DataFrame({"g": g, "s": s, "x": x, "w": share, "y": 1.0 * y[s]})
        declared = {"gaussian": "gaussian, log", "binomial": "binomial, trials=5", "poisson": "poisson"}[family]
        lines = {
            "one level": "y ~ 1 + x", "two levels": "cluster: g\ny ~ 1 + x + (1 | g)",
            "class": "cluster: g\nc[g] :: class(2)\ny ~ c + x",
        }[structure]  # fmt: skip
        fit = Model(f"y :: composite({declared}, set=s, weight=w)\n{lines}").fit(data)
        truth = {("y", "~", "x"): [0.5], ("y", "~~", "y"): [0.25], ("y.1[g]", "~~", "y.1[g]"): [0.36]}
        truth["y", "~1", ""] = [0.6] if structure != "class" else ([0.6, -0.9] if low.mean() < 0.5 else [-0.9, 0.6])
        rows = [r for r in fit.params.itertuples() if (r.lhs, r.op, r.rhs) in truth and r.se > 0]
        found = {}
        for r in rows:
            found.setdefault((r.lhs, r.op, r.rhs), []).append((r.est, r.se))
        values = []
        for key, of in sorted(found.items()):
            pairs = sorted(of) if key == ("y", "~1", "") else of
            values += [(est - t) / se for (est, se), t in zip(pairs, sorted(truth[key]), strict=True)]
        z.append(values)
    z = np.array(z)
    assert (np.abs(z.mean(axis=0)) < 4.0 / np.sqrt(20.0)).all(), z.mean(axis=0)
    covered = (np.abs(z) < 1.96).mean()
    assert covered >= binom.ppf(0.001, z.size, 0.95) / z.size, covered
