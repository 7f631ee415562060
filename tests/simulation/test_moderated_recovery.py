"""Twenty data sets each give moderated parameters, scales of ordinal responses and moved thresholds back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semlang.api import Model

REPLICATES = 20
Truth = dict[tuple[str, str, str, str], float]


def moderated(rng: np.random.Generator) -> pd.DataFrame:
    n = 500
    z = rng.normal(size=n)
    f = rng.normal(size=n)
    return pd.DataFrame(
        {"z": z, "x1": 0.2 + f + np.exp(0.25 * z - 0.1) * rng.normal(size=n),
         "x2": 0.1 + 0.3 * z + (0.8 + 0.3 * z) * f + 0.7 * rng.normal(size=n),
         "x3": 1.2 * f + 0.8 * rng.normal(size=n)}
    )  # fmt: skip


def scales(rng: np.random.Generator) -> pd.DataFrame:
    """Draw three items with the same loadings and thresholds in two groups, and other scales in the second."""
    n = 1200
    b = np.repeat([False, True], n // 2)
    f = np.where(b, 0.3 + 1.1 * rng.normal(size=n), rng.normal(size=n))
    d = {"g": np.where(b, "b", "a")}
    for k, (loading, sd) in enumerate(((1.0, 1.25), (0.8, 0.8), (1.2, 1.0)), 1):
        y = loading * f + np.where(b, sd, 1.0) * rng.normal(size=n)
        d[f"o{k}"] = (y[:, None] > np.array([-0.8, 0.5])).sum(axis=1)
    return pd.DataFrame(d)


def moved(rng: np.random.Generator) -> pd.DataFrame:
    """Draw ordinal responses of persons whose first threshold moves; where it is above the second, none is between."""
    persons, times = 200, 8
    i = np.repeat(np.arange(persons), times)
    x, u = rng.normal(size=i.size), 0.8 * rng.normal(size=persons)
    y = 0.5 * x + rng.logistic(size=i.size)
    first = -2.0 + u[i]
    low, high = y > first, y > np.maximum(first, 0.8)
    return pd.DataFrame({"i": i, "x": x, "y": 0 + low + high})


def factor(rng: np.random.Generator) -> pd.DataFrame:
    """Draw a factor whose log variance is -0.2 + 0.6 z."""
    n = 500
    z = rng.normal(size=n)
    f = np.exp(-0.1 + 0.3 * z) * rng.normal(size=n)
    items = {f"x{k}": b * f + 0.7 * rng.normal(size=n) for k, b in ((1, 1.0), (2, 0.8), (3, 1.2))}
    return pd.DataFrame({"z": z} | items)


def clustered(rng: np.random.Generator) -> pd.DataFrame:
    """Draw 150 clusters of 8; the log variance of the intercept is 0.2 + z, that of the slope -1.6 or -0.4."""
    n, size = 150, 8
    i = np.repeat(np.arange(n), size)
    z, b = rng.normal(size=n)[i], (np.arange(n) % 2)[i]
    t = np.tile(np.arange(size) / 2.0, n)
    u = (np.exp(0.1 + 0.5 * z[::size]) * rng.normal(size=n))[i]
    s = (np.exp(-0.8 + 0.6 * b[::size]) * rng.normal(size=n))[i]
    return pd.DataFrame(
        {"i": i, "z": z, "b": b, "t": t, "y": 1.0 + 0.5 * t + u + s * t + 0.6 * rng.normal(size=i.size),
         "p": (0.3 + 0.4 * (t - 2.0) + u + rng.logistic(size=i.size) > 0).astype(int)}
    )  # fmt: skip


COMMON = (
    "groups: g\no{1..3} :: ordinal(probit)\nf =~ NA*o1 + l1*o1 + l2*o2 + l3*o3\nf ~~ c(1, NA)*f\nf ~ c(0, NA)*1\n"
    "o1 | a1*t1 + b1*t2\no2 | a2*t1 + b2*t2\no3 | a3*t1 + b3*t2\n"
)
CASES: dict[str, tuple[str, Callable[[np.random.Generator], pd.DataFrame], Truth]] = {
    "moderated": (
        "f =~ NA*x1 + L*x2 + x3\nf ~~ 1*f\nx1 ~~ v*x1\nx2 ~ m*1\n"
        "L :~ L0 + L1*data(z)\nlog(v) :~ v0 + v1*data(z)\nm :~ m0 + m1*data(z)",
        moderated,
        {("f", "=~", "x1", ""): 1.0, ("f", "=~", "x2", ""): 0.8, ("f", "=~", "x2:z", ""): 0.3,
         ("f", "=~", "x3", ""): 1.2, ("sigma(x1)", "~1", "", ""): -0.1, ("sigma(x1)", "~", "z", ""): 0.25,
         ("x2", "~1", "", ""): 0.1, ("x2", "~", "z", ""): 0.3, ("x2", "~~", "x2", ""): 0.49},
    ),
    "factor variance": (
        "f =~ x1 + x2 + x3\nf ~~ v*f\nlog(v) :~ v0 + v1*data(z)",
        factor,
        {("sigma(f)", "~1", "", ""): -0.1, ("sigma(f)", "~", "z", ""): 0.3, ("f", "=~", "x2", ""): 0.8,
         ("f", "=~", "x3", ""): 1.2, ("x1", "~~", "x1", ""): 0.49},
    ),
    "binary intercept variance": (
        "cluster: i\np :: binomial(logit)\np ~ 1 + t + u[i]\nu ~~ v*u\nlog(v) :~ v0 + v1*data(z)",
        clustered,
        {("p", "~1", "", ""): -0.5, ("p", "~", "t", ""): 0.4, ("sigma(u[i])", "~1", "", ""): 0.1,
         ("sigma(u[i])", "~", "z", ""): 0.5},
    ),
    "slope variance": (
        "cluster: i\ny ~ 1 + t + u[i] + s[i]:t\nu ~~ v*u\ns ~~ w*s\nlog(v) :~ v0 + v1*data(z)\n"
        "log(w) :~ w0 + w1*data(b)",
        clustered,
        {("y", "~1", "", ""): 1.0, ("y", "~", "t", ""): 0.5, ("sigma(u[i])", "~1", "", ""): 0.1,
         ("sigma(u[i])", "~", "z", ""): 0.5, ("sigma(s[i])", "~1", "", ""): -0.8, ("sigma(s[i])", "~", "b", ""): 0.6,
         ("y", "~~", "y", ""): 0.36},
    ),
    "scales": (
        COMMON + "".join(f"o{k} ~*~ c(1, NA)*o{k}\n" for k in (1, 2, 3)),
        scales,
        {("o1", "~*~", "o1", "b"): 0.8, ("o2", "~*~", "o2", "b"): 1.25, ("o3", "~*~", "o3", "b"): 1.0,
         ("f", "~~", "f", "b"): 1.21, ("f", "~1", "", "b"): 0.3, ("f", "=~", "o2", "a"): 0.8,
         ("o3", "|", "t1", "a"): -0.8},
    ),
    "thresholds": (
        "cluster: i\ny :: ordinal(logit)\ny ~ x\ny | t1 + t2\ny | t1 ~ u[i]",
        moved,
        {("y", "~", "x", ""): 0.5, ("y", "|", "t1", ""): -2.0, ("y", "|", "t2", ""): 0.8,
         ("u[i]", "~~", "u[i]", ""): 0.64},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_recovery(name: str) -> None:
    """Mean z within 4 / sqrt(20) standard errors, intervals that cover in the band of the binomial distribution."""
    text, draw, truth = CASES[name]
    z = np.full((REPLICATES, len(truth)), np.nan)
    for seed in range(REPLICATES):
        fit = Model(text).fit(draw(np.random.default_rng([8, seed])))
        assert fit.converged
        p = fit.params
        group = p["group"].astype(str) if "group" in p else pd.Series("", index=p.index)
        for k, (lhs, op, rhs, g) in enumerate(truth):
            row = p[(p.lhs == lhs) & (p.op == op) & (p.rhs == rhs) & (group.eq(g) if g else True)]
            assert len(row) == 1, (lhs, op, rhs, g)
            z[seed, k] = (float(row.est.iloc[0]) - truth[lhs, op, rhs, g]) / float(row.se.iloc[0])
    assert np.isfinite(z).all()
    assert (np.abs(z.mean(axis=0)) < 4.0 / np.sqrt(REPLICATES)).all(), dict(zip(truth, z.mean(axis=0), strict=True))
    covered = (np.abs(z) < 1.96).mean()
    assert covered >= binom.ppf(0.001, z.size, 0.95) / z.size, covered
