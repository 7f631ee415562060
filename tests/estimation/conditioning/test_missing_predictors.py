"""Missing responses that predict others: integrated (gaussian) or summed over (categories), whatever else is there.

References are maxima of likelihoods written out here with scipy: sums over a dense grid, or over categories.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp
from scipy.stats import norm

from semlang.api import Model
from semlang.errors import SemlangError

GRID = np.linspace(-8.0, 8.0, 401)
STEP = np.log(GRID[1] - GRID[0])


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 200 rows in which m, its sign and a text of it are missing in 45."""
    d = pd.read_csv(Path(__file__).parents[1] / "inputs" / "misspred.csv")
    known = d.m.notna()
    noisy = d.m + np.random.default_rng(8).normal(size=len(d))  # no category is separated from the others by m
    return d.assign(
        b=(d.m > 0).astype(float).where(known),
        t=d.m.gt(0).map({True: "yes", False: "no"}).astype(object).where(known, None),
        o=(1.0 + (noisy > -0.7) + (noisy > 0.8)).where(known),
        z=np.cos(np.arange(len(d))),
        k=1.0 + np.arange(len(d)) % 3,
        g=np.arange(len(d)) // 4,
    )


def bernoulli(y, nu):
    return np.where(y == 1, log_expit(nu), log_expit(-nu))


def best(loglik, start) -> float:
    return -minimize(lambda p: -loglik(p), start, method="BFGS", options={"gtol": 1e-6}).fun


def gaussian_predictor(d: pd.DataFrame, of_y):
    """Return the log-likelihood with m integrated; `of_y(p, rows, m)` is the log density of y."""

    def loglik(p):
        x, m = d.x.to_numpy(), d.m.to_numpy()
        seen, s = ~np.isnan(m), np.exp(p[2])
        full = norm.logpdf(m, p[0] + p[1] * x, s) + of_y(p[3:], slice(None), m)
        gone = np.flatnonzero(~seen)[:, None]
        each = norm.logpdf(GRID, p[0] + p[1] * x[gone], s) + of_y(p[3:], gone, GRID)
        return full[seen].sum() + logsumexp(each, axis=1).sum() + STEP * gone.size

    return loglik


def test_gaussian_predictor_of_gaussian_and_binary(frame):
    """-345.6110 with 7 and -339.1539 with 6 parameters; `sigma(m) ~ 1` is another name of the variance."""
    x, y, z = (frame[c].to_numpy() for c in "xyz")
    normal = gaussian_predictor(frame, lambda p, i, m: norm.logpdf(y[i], p[0] + p[1] * m + p[2] * x[i], np.exp(p[3])))
    value = best(normal, [0, 0.5, 0, 0.5, 0.2, 0, -0.8])
    assert value == pytest.approx(-345.6110, abs=1e-4)
    plain = Model("m ~ x\ny ~ m + x").fit(frame)
    modelled = Model("m ~ x\ny ~ m + x\nsigma(m) ~ 1").fit(frame)
    for fit in (plain, modelled):
        assert fit.loglik == pytest.approx(value, abs=2e-4)  # nodes stay once moves change less than 1e-4
        assert fit.estimate.n_rows == fit.estimate.n_top == 200
        assert not fit.estimate.dropped
    binary = gaussian_predictor(frame, lambda p, i, m: bernoulli(y[i], p[0] + p[1] * m + p[2] * m * z[i]))
    fit = Model("y :: binomial(logit)\nm ~ x\ny ~ m + m:z").fit(frame)
    assert fit.loglik == pytest.approx(best(binary, [0, 0.5, 0, 0, 1, 0]), abs=2e-4)
    fit = Model("y :: binomial(logit)\nm ~ x\ny ~ m + x").fit(frame)
    assert fit.loglik == pytest.approx(-339.1539, abs=2e-4)


def test_square_of_a_missing_predictor(frame):
    y = frame.y.to_numpy()
    normal = gaussian_predictor(frame, lambda p, i, m: norm.logpdf(y[i], p[0] + p[1] * m + p[2] * m**2, np.exp(p[3])))
    fit = Model("m ~ x\ny ~ m + m^2").fit(frame)
    assert fit.loglik == pytest.approx(best(normal, [0, 0.5, 0, 0.5, 0.2, 0, -0.8]), abs=2e-4)


@pytest.mark.parametrize("y_is_gaussian", [True, False])
def test_categories_are_summed_over(frame, y_is_gaussian):
    x, y, b = (frame[c].to_numpy() for c in "xyb")

    def loglik(p):
        nu = [p[2] + p[3] * k + p[4] * x for k in (0, 1)]
        of_y = [norm.logpdf(y, n, np.exp(p[5])) if y_is_gaussian else bernoulli(y, n) for n in nu]
        states = np.stack([bernoulli(k, p[0] + p[1] * x) + of_y[k] for k in (0, 1)])
        known = np.where(b == 1, states[1], states[0])
        return np.where(np.isnan(b), logsumexp(states, axis=0), known).sum()

    value = best(loglik, [0, 1, 0, 0.4, 0, *([-0.8] if y_is_gaussian else [])])
    own = "" if y_is_gaussian else "y :: binomial(logit)\n"
    fit = Model(f"{own}b :: binomial(logit)\nb ~ x\ny ~ b + x").fit(frame)
    assert fit.loglik == pytest.approx(value, abs=1e-5)
    text = Model(f'{own}t :: binomial(logit, success="yes")\nt ~ x\ny ~ t + x').fit(frame)
    assert text.loglik == pytest.approx(value, abs=1e-5)


def test_factor_of_an_ordinal_predictor(frame):
    x, y, o = (frame[c].to_numpy() for c in "xyo")

    def loglik(p):
        cuts = np.array([-np.inf, p[0], p[0] + np.exp(p[1]), np.inf])
        with np.errstate(divide="ignore"):
            of_o = [np.log(norm.cdf(cuts[k + 1] - p[2] * x) - norm.cdf(cuts[k] - p[2] * x)) for k in range(3)]
        means = (p[3], p[3] + p[4], p[3] + p[5])
        states = np.stack([of_o[k] + norm.logpdf(y, means[k], np.exp(p[6])) for k in range(3)])
        known = np.choose(np.nan_to_num(o, nan=1).astype(int) - 1, states)
        return np.where(np.isnan(o), logsumexp(states, axis=0), known).sum()

    fit = Model("o :: ordinal(probit)\no ~ x\ny ~ factor(o)").fit(frame)
    assert fit.loglik == pytest.approx(best(loglik, [-0.5, 0, 0.5, 0.3, 0.2, 0.4, -0.8]), abs=1e-5)


def test_a_chain_of_two(frame):
    """M predicts o, both predict y; where both are missing, a sum inside an integral."""
    d = frame.assign(o=frame.o.where(np.arange(len(frame)) % 4 > 0))
    x, y, m, o = (d[c].to_numpy() for c in "xymo")

    def loglik(p):
        at = np.where(np.isnan(m)[:, None], GRID, m[:, None])
        weight = np.where(np.isnan(m), STEP, -np.log(GRID.size))[:, None]
        cuts = np.array([-np.inf, p[3], p[3] + np.exp(p[4]), np.inf])
        states = []
        for k in range(3):
            with np.errstate(divide="ignore"):
                of_o = np.log(norm.cdf(cuts[k + 1] - p[5] * at) - norm.cdf(cuts[k] - p[5] * at))
            of_y = bernoulli(y[:, None], p[6] + p[7] * at + p[8] * (k + 1))
            states.append(np.where(np.isnan(o) | (o == k + 1), 0.0, -np.inf)[:, None] + of_o + of_y)
        each = logsumexp(np.stack(states), axis=0) + norm.logpdf(at, p[0] + p[1] * x[:, None], np.exp(p[2])) + weight
        return logsumexp(each, axis=1).sum()

    text = "y :: binomial(logit)\no :: ordinal(probit)\nm ~ x\no ~ m\ny ~ m + o"
    fit = Model(text).fit(d)
    v = {f"{r.lhs}{r.op}{r.rhs}": fit.estimate.theta[r.parameter] for r in fit.table.rows if r.parameter >= 0}
    cuts = v["o|t1"], np.log(v["o|t2"] - v["o|t1"])
    p = [v["m~1"], v["m~x"], 0.5 * np.log(v["m~~m"]), *cuts, v["o~m"], v["y~1"], v["y~m"], v["y~o"]]
    assert fit.loglik == pytest.approx(loglik(p), abs=3e-4)
    slopes = [loglik([*p[:k], p[k] + 1e-4, *p[k + 1 :]]) - loglik([*p[:k], p[k] - 1e-4, *p[k + 1 :]]) for k in range(9)]
    assert np.abs(slopes).max() / 2e-4 < 0.02  # where it has its maximum, up to the nodes


def test_below_a_random_effect(frame):
    """The sum stands inside the integral over the cluster's effect, the same at given parameters."""
    text = "b + y :: binomial(logit)\nb ~ x\ny ~ b + (1 | g)"
    fit = Model(text).fit(frame)
    v = {f"{r.lhs}{r.op}{r.rhs}": fit.estimate.theta[r.parameter] for r in fit.table.rows if r.parameter >= 0}
    sd = np.sqrt(next(value for key, value in v.items() if "~~" in key))
    x, y, b, g = (frame[c].to_numpy() for c in "xybg")
    u = sd * GRID[None, :]
    states = [bernoulli(k, v["b~1"] + v["b~x"] * x)[:, None]
              + bernoulli(y[:, None], v["y~1"] + v["y~b"] * k + u) for k in (0, 1)]  # fmt: skip
    rows = np.where(
        np.isnan(b)[:, None], logsumexp(np.stack(states), axis=0), np.where((b == 1)[:, None], *states[::-1])
    )
    units = np.zeros((g.max() + 1, GRID.size))
    np.add.at(units, g, rows)
    assert fit.loglik == pytest.approx((logsumexp(units + norm.logpdf(GRID), axis=1) + STEP).sum(), abs=1e-3)


def test_invariances(frame):
    """Units and origins of a missing predictor, the order of rows, and frequencies for copies change nothing."""
    text = "y :: binomial(logit)\nm ~ x\ny ~ m"
    fit = Model(text).fit(frame)
    log_s = np.log(1e6) * frame.m.notna().sum()
    moved = Model(text).fit(frame.assign(m=2015 + 1e6 * frame.m).sample(frac=1.0, random_state=1))
    assert moved.loglik + log_s == pytest.approx(fit.loglik, abs=2e-4)
    counted = Model("frequency: k\n" + text).fit(frame)
    copies = Model(text).fit(frame.loc[frame.index.repeat(frame.k.astype(int))])
    assert counted.loglik == pytest.approx(copies.loglik, abs=4e-4)


def test_what_can_not_be_filled_in(frame):
    """Where m's own covariate is missing nothing is known of m: y is left out, and counted, as by the closed form."""
    d = frame.assign(x=frame.x.where(frame.m.notna() | (frame.index % 3 > 0)))
    closed = Model("m ~ x\ny ~ m").fit(d)
    nodes = Model("m ~ x\ny ~ m\nsigma(m) ~ 1").fit(d)
    assert nodes.loglik == pytest.approx(closed.loglik, abs=2e-4)
    assert nodes.estimate.n_rows == closed.estimate.n_rows
    assert sum(nodes.estimate.dropped.values()) == sum(closed.estimate.dropped.values()) > 0


def test_missing_where_nothing_needs_it(frame):
    """A row in which the predictor and what it predicts are missing adds nothing."""
    both = frame.assign(y=frame.y.where(frame.m.notna()))
    text = "y :: binomial(logit)\nm ~ x\ny ~ m"
    assert Model(text).fit(both).loglik == pytest.approx(Model(text).fit(both.dropna()).loglik, abs=1e-8)


@pytest.mark.parametrize(
    "text",
    [
        "k :: poisson\nk ~ x\ny ~ k",
        "k :: gamma\nk ~ x\ny ~ k",
        "m ~ x\ny ~ log(m)",
        "k :: binomial(logit, trials=3)\ny ~ k\nk ~ x",
    ],
)
def test_others_are_an_error(frame, text):
    d = frame.assign(k=frame.k.where(frame.index > 3))
    with pytest.raises(SemlangError, match="missing-predictor"):
        Model(text).fit(d)
    assert Model(f"options: missing = listwise\n{text}".replace("log(m)", "m")).fit(d).converged


@pytest.mark.parametrize(
    "more", ["", "\nsigma(m) ~ 1", "\nq :: binomial(logit)\nq ~ 1"], ids=["closed form", "scale", "other kind"]
)
def test_covariates_of_a_predictor_are_not_those_of_what_it_predicts(more: str) -> None:
    """With x, m and w missing in different rows every density that is known counts, in every engine.

    m | x where both are known; y | m, w where m is known, whether x is or not; y | x, w where m alone is missing.
    """
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(2, 200))
    m = 0.5 * x + rng.normal(size=200)
    d = pd.DataFrame({"x": x, "w": w, "m": m, "y": 0.4 * m + 0.3 * w + rng.normal(size=200)})
    d["q"] = (np.arange(200) % 3 == 0).astype(float)
    d.loc[0:39, "x"] = np.nan
    d.loc[40:79, "m"] = np.nan
    d.loc[80:99, ["x", "m"]] = np.nan
    d.loc[100:109, "w"] = np.nan
    hx, hw, hm = (d[k].notna().to_numpy() for k in "xwm")
    x, w, m, y = (d[k].to_numpy() for k in "xwmy")

    def loglik(p):
        s, t = np.exp(p[2]), np.exp(p[6])
        of_m, of_y = p[0] + p[1] * x, p[3] + p[4] * m + p[5] * w
        without = p[3] + p[4] * of_m + p[5] * w
        return (
            norm.logpdf(m, of_m, s)[hm & hx].sum()
            + norm.logpdf(y, of_y, t)[hm & hw].sum()
            + norm.logpdf(y, without, np.hypot(t, p[4] * s))[~hm & hx & hw].sum()
        )

    expected = best(loglik, [0.0, 0.5, 0.0, 0.0, 0.4, 0.3, 0.0])
    if "q" in more:
        expected += bernoulli(d.q, np.log(d.q.mean() / (1.0 - d.q.mean()))).sum()
    fit = Model("m ~ 1 + x\ny ~ 1 + m + w" + more).fit(d)
    assert fit.converged
    assert fit.loglik == pytest.approx(expected, abs=1e-5)
