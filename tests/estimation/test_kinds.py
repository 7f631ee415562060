"""Counts, positive values, durations and guessing: against R, against integrals by scipy, and in other units.

``inputs/kinds.csv`` is simulated: 40 clusters of six, a gamma variable, counts with and without excess zeros, a time,
often censored, and a binary item.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import gammaln

from semlang.api import Model
from semlang.errors import DataError, FitError

DATA = Path(__file__).parent / "inputs/kinds.csv"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    frame = pd.read_csv(DATA)
    low = np.floor(2 * frame.gam) / 2
    low, high = low.where(frame.gam >= 0.5), (low + 0.5).where(frame.gam <= 3)
    exact = (frame.index + 1) % 5 == 0
    limit = 0.3 + 0.2 * ((frame.index + 1) % 3)
    return frame.assign(
        p=frame.gam / (1.0 + frame.gam), low=low.where(~exact, frame.gam), high=high.where(~exact, frame.gam),
        limit=limit, above=np.maximum(frame.gam, limit),
    )  # fmt: skip


def estimates(fit):
    return fit.params.set_index(["lhs", "op", "rhs"]).est.round(9).to_dict()


GAM, NB, ZP, ZN, T = ("gam", "~1", ""), ("nb", "~1", ""), ("zp", "~1", ""), ("zn", "~1", ""), ("t", "~1", "")

# R 4.2.2, 2026-11-28: glmmTMB 1.1.5 (family, ziformula, dispformula) and survival 3.5-3 (survreg).
# survreg's scale is exp(-shape()); glmmTMB's dispersion of a gamma is log shape.
R = [
    ("gam :: gamma(log)\ngam ~ x", -362.5120169,
     {GAM: 0.6147450144, ("gam", "~", "x"): 0.3394114813, ("shape(gam)", "~1", ""): 0.5980334539}),
    ("nb :: negbinomial(log)\nnb ~ x", -446.0915461,
     {NB: 0.6380106685, ("nb", "~", "x"): 0.3783432066, ("shape(nb)", "~1", ""): 0.2055237635}),
    ("nb :: negbinomial(sqrt)\nnb ~ x", -446.1109213,
     {NB: 1.3991352876, ("nb", "~", "x"): 0.2609902975, ("shape(nb)", "~1", ""): 0.2060725924}),
    ("nb :: negbinomial\nnb ~ x\nshape(nb) ~ 1 + x", -445.4229242,
     {("shape(nb)", "~1", ""): 0.1496316146, ("shape(nb)", "~", "x"): 0.1956834591}),
    ("zp :: poisson\nzp ~ x\nzero(zp) ~ 1 + x", -369.2330549,
     {ZP: 0.5924885091, ("zero(zp)", "~1", ""): -0.8163967909, ("zero(zp)", "~", "x"): -0.0201567280}),
    ("zn :: negbinomial\nzn ~ x\nzero(zn) ~ 1", -382.967279,
     {ZN: 0.7019213110, ("zero(zn)", "~1", ""): -0.8425629664, ("shape(zn)", "~1", ""): 0.1081978917}),
    ("p :: beta\np ~ x", 85.8618838892,
     {("p", "~1", ""): 0.2702241834, ("p", "~", "x"): 0.2817863819, ("shape(p)", "~1", ""): 1.9511346}),
    ("p :: beta(probit)\np ~ x", 85.8690139401, {("p", "~", "x"): 0.1752439661, ("shape(p)", "~1", ""): 1.951214513}),
    ("p :: beta(cloglog)\np ~ x", 85.8310881733, {("p", "~", "x"): 0.1883798563, ("p", "~1", ""): -0.1839157104}),
    ("p :: beta\np ~ x\nshape(p) ~ 1 + x", 85.8623987042, {("shape(p)", "~", "x"): -0.002870826467}),
    ("w :: gaussian(interval=[low, high])\nw ~ x\nsigma(w) ~ 1", -541.406227719,
     {("w", "~1", ""): 1.9494108290, ("w", "~", "x"): 0.8464708668, ("sigma(w)", "~1", ""): 0.6694158786}),
    ("w :: lognormal(interval=[low, high])\nw ~ x", -454.457077064,
     {("w", "~1", ""): 0.3622549598, ("w", "~", "x"): 0.3816664691, ("sigma(w)", "~1", ""): -0.0963550628}),
    ("above :: gaussian(censored=[limit, Inf])\nabove ~ x\nsigma(above) ~ 1", -445.428078994,
     {("above", "~", "x"): 0.8226048471, ("sigma(above)", "~1", ""): 0.632135385}),
    ("gam :: lognormal\ngam ~ x", -365.0409095,
     {GAM: 0.3149045934, ("gam", "~", "x"): 0.3308483869, ("sigma(gam)", "~1", ""): np.log(0.8199689632)}),
    ("t :: weibull(aft, event=d)\nt ~ x", -313.7512911,
     {T: 0.8769411375, ("t", "~", "x"): -0.4582615201, ("shape(t)", "~1", ""): -np.log(0.8571177114)}),
    ("t :: exponential(aft, event=d)\nt ~ x", -316.8509422, {T: 0.8693742717, ("t", "~", "x"): -0.4746438109}),
    ("t :: loglogistic(aft, event=d)\nt ~ x", -321.9843313,
     {T: 0.4883755745, ("t", "~", "x"): -0.4343639629, ("shape(t)", "~1", ""): -np.log(0.6449709181)}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "loglik", "expected"), R, ids=[r[0].split("\n")[0] for r in R])
def test_against_r(data, text, loglik, expected):
    fit = Model(text).fit(data)
    assert fit.loglik == pytest.approx(loglik, abs=2e-6)
    found = estimates(fit)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=3e-5)  # the log-likelihood is flat to 1e-9 there


@pytest.mark.parametrize("kind", ["weibull", "exponential", "loglogistic"])
def test_hazards_and_accelerated_times_are_one_model(data, kind):
    """With z = a (log t - nu') = a log t + nu: nu = -a nu'."""
    first, second = (Model(f"t :: {kind}({link}, event=d)\nt ~ x").fit(data) for link in ("log", "aft"))
    assert first.loglik == pytest.approx(second.loglik, abs=1e-7)
    p, q = estimates(first), estimates(second)
    shape = np.exp(p.get(("shape(t)", "~1", ""), 0.0))
    assert p["t", "~", "x"] == pytest.approx(-shape * q["t", "~", "x"], abs=1e-4)


@pytest.mark.parametrize(
    ("text", "column"),
    [("gam :: gamma(log)\ngam ~ x + (1 | g)", "gam"), ("gam :: gamma(identity)\ngam ~ x", "gam"),
     ("gam :: gamma(reciprocal)\ngam ~ x", "gam"), ("gam :: lognormal\ngam ~ x + (1 | g)", "gam"),
     ("t :: weibull(event=d)\nt ~ x + (1 | g)", "t"), ("t :: loglogistic(aft, event=d)\nt ~ x + (1 | g)", "t")],
)  # fmt: skip
def test_units(data, text, column):
    """In a thousandth of the unit the density of each value that is not censored is a thousandth."""
    fit, other = Model(text).fit(data), Model(text).fit(data.assign(**{column: 1000.0 * data[column]}))
    events = data.d.sum() if "event" in text else len(data)
    assert other.loglik == pytest.approx(fit.loglik - events * np.log(1000.0), abs=1e-5)


def gamma(row, nu, q):
    shape = np.exp(q["shape(gam)", "~1", ""])
    return stats.gamma.logpdf(row.gam, shape, scale=np.exp(nu) / shape)


def negbinomial(row, nu, q):
    shape = np.exp(q["shape(nb)", "~1", ""])
    return stats.nbinom.logpmf(row.nb, shape, shape / (shape + np.exp(nu)))


def interval(row, nu, q):
    sd = np.sqrt(q["w", "~~", "w"])
    u, v = ((row[side].fillna(end) - np.exp(nu)) / sd for side, end in (("high", np.inf), ("low", -np.inf)))
    inside = np.where(u + v > 0, stats.norm.sf(v) - stats.norm.sf(u), stats.norm.cdf(u) - stats.norm.cdf(v))
    exact = row.low == row.high
    return np.where(exact, stats.norm.logpdf(u) - np.log(sd), np.log(np.where(exact, 1.0, np.maximum(inside, 1e-300))))


def beta(row, nu, q):
    shape, mean = np.exp(q["shape(p)", "~1", ""]), 1.0 / (1.0 + np.exp(-nu))
    return stats.beta.logpdf(row.p, shape * mean, shape * (1.0 - mean))


def weibull(row, nu, q):
    law = stats.weibull_min(np.exp(q["shape(t)", "~1", ""]), scale=np.exp(-nu / np.exp(q["shape(t)", "~1", ""])))
    return np.where(row.d, law.logpdf(row.t), law.logsf(row.t))


def guessing(row, nu, q):
    p = 0.2 + 0.8 / (1.0 + np.exp(-nu))
    return np.log(np.where(row.b, p, 1.0 - p))


def inflated(row, nu, q):
    zero = 1.0 / (1.0 + np.exp(-q["zero(zp)", "~1", ""]))
    return np.log(zero * (row.zp == 0) + (1.0 - zero) * stats.poisson.pmf(row.zp, np.exp(nu)))


def censored(row, nu, q):
    sd = np.sqrt(q["gam", "~~", "gam"])
    inside = stats.norm.logpdf(row.gam, nu, sd)
    return np.where(row.gam <= 0.5, stats.norm.logcdf((0.5 - nu) / sd),
                    np.where(row.gam >= 3, stats.norm.logsf((3 - nu) / sd), inside))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "density"),
    [("gam :: gamma\ngam ~ x + (1 | g)", gamma), ("nb :: negbinomial\nnb ~ x + (1 | g)", negbinomial),
     ("p :: beta\np ~ x + (1 | g)", beta), ("w :: gaussian(log, interval=[low, high])\nw ~ x + (1 | g)", interval),
     ("t :: weibull(event=d)\nt ~ x + (1 | g)", weibull), ("zp :: poisson\nzp ~ x + (1 | g)\nzero(zp) ~ 1", inflated),
     ("b :: binomial(logit, guess=0.2)\nb ~ x + (1 | g)", guessing),
     ("gam :: gaussian(censored=[0.5, 3])\ngam ~ x + (1 | g)", censored)],
    ids=["gamma", "negbinomial", "beta", "interval", "weibull", "inflated", "guessing", "censored"],
)  # fmt: skip
def test_random_intercepts_against_integrals(data, text, density):
    """The log-likelihood at the estimates by sums over a fine grid, with densities of scipy."""
    fit = Model(text).fit(data, points=25)
    q = estimates(fit)
    y = text.split(" ")[0]
    sd = np.sqrt(q[f"{y}.1[g]", "~~", f"{y}.1[g]"])
    total, grid = 0.0, np.linspace(-8.0, 8.0, 161)  # trapezia: exact to rounding for such integrands
    for _, rows in data.groupby("g"):
        fixed = q[y, "~1", ""] + q[y, "~", "x"] * rows.x.to_numpy()

        values = [density(rows, fixed + sd * v, q).sum() for v in grid]
        total += np.logaddexp.reduce(values + stats.norm.logpdf(grid)) + np.log(grid[1] - grid[0])
    assert fit.loglik == pytest.approx(total, abs=1e-5)


def test_a_guess_of_zero_is_the_logistic_model(data):
    """Without guessing in the data the probability goes to 0: reported, and the rest is the logistic model's."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=800)
    mirrored = data.iloc[:0].reindex(range(800)).assign(x=x, b=(rng.random(800) < 1 / (1 + np.exp(4 - x))) * 1.0)
    plain = Model("b :: binomial(logit)\nb ~ x").fit(mirrored)
    fit = Model("b :: binomial(logit)\nb ~ x\nguess(b) ~ 1").fit(mirrored)
    assert fit.loglik >= plain.loglik - 1e-6


@pytest.mark.parametrize("kind", ["exponential", "weibull(log", "weibull(aft", "loglogistic(aft"])
@pytest.mark.parametrize("more", ["", " + (1 | g)"])
def test_splitting_episodes_changes_nothing(data, kind, more):
    """A duration that is cut in two, censored at the cut and entered there, is the same duration."""
    kind = kind if "(" in kind else kind + "(log"
    whole = Model(f"t :: {kind}, event=d)\nt ~ x{more}").fit(data, points=15)
    cut = 0.4 * data.t
    first, second = data.assign(t0=0.0, t=cut, d=0), data.assign(t0=cut)
    parts = Model(f"t :: {kind}, event=d, entry=t0)\nt ~ x{more}").fit(pd.concat([first, second]), points=15)
    assert parts.loglik == pytest.approx(whole.loglik, abs=1e-6)
    np.testing.assert_allclose(parts.params.est, whole.params.est, atol=2e-4)


def test_entry_of_an_exponential_duration(data):
    """Without a memory only the time at risk counts."""
    entered = Model("t :: exponential(event=d, entry=t0)\nt ~ x").fit(data.assign(t0=1.5, t=data.t + 1.5))
    assert entered.loglik == pytest.approx(Model("t :: exponential(event=d)\nt ~ x").fit(data).loglik, abs=1e-7)


@pytest.mark.parametrize("more", ["", " + (1 | g)"])
def test_sequences_are_binary_steps(data, more):
    """Continuation ratios are logistic regressions of the steps, with an intercept a step."""
    sizes = data.assign(y=np.minimum(data.nb, 3))
    fit = Model(f"y :: sequential\ny ~ x{more}").fit(sizes, points=11)
    steps = sizes.loc[sizes.index.repeat(np.minimum(sizes.y + 1, 3))]
    s = steps.groupby(level=0).cumcount()
    steps = steps.assign(s=s, beyond=(steps.y > s).astype(int))
    binary = Model(f"beyond :: binomial\nbeyond ~ 0 + factor(s) + x{more}").fit(steps, points=11)
    assert fit.loglik == pytest.approx(binary.loglik, abs=1e-6)
    p, q = estimates(fit), estimates(binary)
    assert p["y", "~", "x"] == pytest.approx(q["beyond", "~", "x"], abs=1e-4)
    assert p["y", "|", "t2"] == pytest.approx(-q["beyond", "~", "s=1"], abs=1e-4)


# survival 3.5-3 of R 4.2.2, 2026-11-28: survreg(Surv(low, high, type = "interval2") ~ x, dist = "gaussian")
TOBIT = (-334.259010858, 0.471268606)


def test_censored_gaussian_responses(data):
    """Two limits; limits beyond all values change nothing."""
    fit = Model("gam :: gaussian(censored=[0.5, 3])\ngam ~ x").fit(data)
    q = estimates(fit)
    nu = q["gam", "~1", ""] + q["gam", "~", "x"] * data.x.to_numpy()
    assert fit.loglik == pytest.approx(censored(data, nu, q).sum(), abs=1e-7)
    assert fit.loglik == pytest.approx(TOBIT[0], abs=1e-5)
    assert q["gam", "~", "x"] == pytest.approx(TOBIT[1], abs=1e-4)
    wide = Model("gam :: gaussian(censored=[-100, 100])\ngam ~ x").fit(data)
    assert wide.loglik == pytest.approx(Model("gam ~ x").fit(data).loglik, abs=1e-6)


def test_classes_of_several_kinds(data):
    """A class variable above counts, durations and positive values: the sum over classes by hand."""
    fit = Model("c :: class(2)\nnb :: negbinomial\nt :: weibull(event=d)\ngam :: gamma\nc =~ nb + t + gam").fit(data)
    p = fit.params
    q = estimates(fit)

    def of(name, k):
        return float(p[(p.lhs == name) & (p.op == "~1") & (p["class"] == k)].est.iloc[0])

    joint = np.stack([
        negbinomial(data, of("nb", k), q) + weibull(data, of("t", k), q) + gamma(data, of("gam", k), q) for k in (1, 2)
    ])  # fmt: skip
    share = 1.0 / (1.0 + np.exp(-of("c", 1)))
    expected = np.logaddexp(joint[0] + np.log(share), joint[1] + np.log1p(-share)).sum()
    assert fit.loglik == pytest.approx(expected, abs=1e-5)


def test_counts_without_overdispersion(data):
    even = data.assign(nb=np.tile([1, 2, 2, 3, 1, 3], 40))
    fit = Model("nb :: negbinomial\nnb ~ x").fit(even)
    assert "no-overdispersion" in {d.slug for d in fit.diagnostics}
    assert fit.loglik == pytest.approx(Model("nb :: poisson\nnb ~ x").fit(even).loglik, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "change", "slug"),
    [
        ("t :: weibull(event=d)\nt ~ x", {"t": 0.0}, "outside-support"),
        ("gam :: gamma\ngam ~ x", {"gam": -1.0}, "outside-support"),
        ("w :: gaussian(interval=[low, high])\nw ~ x", {"low": 3.0, "high": 2.0}, "bad-interval"),
        ("above :: gaussian(censored=[limit, 0.5])\nabove ~ x", {"limit": 0.6}, "bad-interval"),
        ("w :: lognormal(interval=[low, high])\nw ~ x", {"low": -3.0, "high": 2.0}, "outside-support"),
        ("p :: beta\np ~ x", {"p": 1.0}, "outside-support"),
        ("nb :: negbinomial\nnb ~ x", {"nb": 1.5}, "not-count"),
        ("t :: weibull(event=d)\nt ~ x", {"d": 2.0}, "bad-event"),
    ],
)
def test_bad_values(data, text, change, slug):
    wrong = data.astype(float)
    for column, value in change.items():
        wrong.loc[7, column] = value
    with pytest.raises((DataError, FitError)) as problem:
        Model(text).fit(wrong)
    assert slug in {d.slug for d in problem.value.diagnostics}


@pytest.mark.parametrize("declared", ["logit, guess=c", "probit, guess=0.2, slip=s"])
def test_each_of_several_trials_is_guessed(declared):
    """Successes of n trials say what n rows of one trial say, but for the number of their orders."""
    rng = np.random.default_rng(6)
    g, n = np.repeat(np.arange(60), 4), rng.integers(2, 9, 240)
    x, u = rng.normal(size=240), rng.normal(size=60)
    y = rng.binomial(n, 0.2 + 0.75 / (1.0 + np.exp(-0.3 - x - u[g])))
    many = pd.DataFrame({"g": g, "x": x, "n": n, "y": y})
    one = many.loc[many.index.repeat(n)].reset_index(drop=True)
    one["y"] = np.concatenate([np.arange(a) < b for a, b in zip(n, y, strict=True)]).astype(int)
    lines = "\ny ~ 1 + x + (1 | g)"
    fits = [
        Model(f"cluster: g\ny :: binomial({declared}{more}){lines}").fit(data)
        for data, more in ((many, ", trials=n"), (one, ""))
    ]
    orders = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
    assert fits[0].loglik == pytest.approx(fits[1].loglik + orders.sum(), abs=1e-4)
    np.testing.assert_allclose(*(f.params.est.to_numpy(float) for f in fits), atol=2e-3)
    assert fits[0].predict()["y"].between(0.2, 1.0).all()


def test_a_mean_that_is_not_positive_is_not_drawn():
    model = Model("y :: gamma(identity)\ny ~ start(-2)*1 + start(0.1)*x\nshape(y) ~ start(0)*1")
    with pytest.raises(FitError) as problem:
        model.simulate(n=20, seed=1)
    assert {d.slug for d in problem.value.diagnostics} == {"not-simulated"}


def test_intervals(data):
    """Open ends are written in two ways; a response without ends is missing; drawn intervals hold the value."""
    text = "w :: gaussian(interval=[low, high])\nw ~ x + (1 | g)"
    fit = Model(text).fit(data)
    infinite = data.assign(low=data.low.fillna(-np.inf), high=data.high.fillna(np.inf))
    assert Model(text).fit(infinite).loglik == fit.loglik
    some = data.assign(low=data.low.where(data.index > 20), high=data.high.where(data.index > 20))
    assert Model(text).fit(some).loglik == pytest.approx(Model(text).fit(data[21:]).loglik, abs=1e-7)
    drawn = fit.simulate(seed=1)
    assert (drawn.low.fillna(-np.inf) <= drawn.w).all()
    assert (drawn.w <= drawn.high.fillna(np.inf)).all()
    assert drawn.low.isna().any()
    assert Model(text).fit(drawn).converged
    exact = Model(text).fit(data.assign(low=data.gam, high=data.gam))
    assert exact.loglik == pytest.approx(Model("gam ~ x + (1 | g)").fit(data).loglik, abs=1e-6)
