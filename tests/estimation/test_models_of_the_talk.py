"""The models of the language document, on data simulated from them: they fit, with the stated numbers of parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from semlang.api import Model

N = 500


def factor_model(rng):
    f = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], N)
    return pd.DataFrame({f"y{k}": f[:, (k - 1) // 3] + 0.6 * rng.normal(size=N) for k in range(1, 7)})


def item_response(rng):
    female = rng.integers(0, 2, N)
    ability = 0.4 * female + rng.normal(size=N)
    d = {f"i{k}": rng.random(N) < expit(ability + 0.2 * k - 0.6 + 0.7 * female * (k == 3)) for k in range(1, 7)}
    return pd.DataFrame(d).astype(int).assign(female=female)


def counts_with_slopes(rng):
    subject, x = np.repeat(np.arange(80), 6), rng.normal(size=480)
    u = rng.multivariate_normal([0, 0], [[0.4, 0.1], [0.1, 0.2]], 80)[subject]
    return pd.DataFrame({"subject": subject, "x": x, "y": rng.poisson(np.exp(0.5 + u[:, 0] + (0.3 + u[:, 1]) * x))})


def latent_classes(rng):
    age = rng.normal(size=N)
    ill = rng.random(N) < expit(-0.3 + 0.8 * age)
    d = {f"test{k}": rng.random(N) < np.where(ill, 0.85, 0.1 + 0.05 * k) for k in range(1, 5)}
    return pd.DataFrame(d).astype(int).assign(age=age)


def measurement_error(rng):
    age, bus = rng.normal(size=N), rng.integers(0, 2, N)
    fibre = 0.3 * age + 0.5 * bus + rng.normal(size=N)
    d = {f"diary{k}": fibre + 0.7 * rng.normal(size=N) for k in (1, 2)}
    chd = rng.random(N) < expit(-1 - 0.6 * fibre + 0.4 * age)
    return pd.DataFrame(d).assign(age=age, bus=bus, chd=chd.astype(int))


def missing_covariate(rng):
    z = rng.normal(size=N)
    x = rng.random(N) < expit(0.2 + 0.5 * z)
    w = (rng.random(N) < np.where(x, 0.8, 0.15)).astype(int)
    d = (rng.random(N) < expit(-0.8 + 1.0 * x + 0.3 * z)).astype(int)
    gold = np.where(rng.random(N) < 0.3, x + 1.0, np.nan)
    return pd.DataFrame({"z": z, "w": w, "d": d, "x_gold": gold})


def dropout(rng):
    person, t = np.repeat(np.arange(150), 5), np.tile(np.arange(5) / 4, 150)
    u = rng.multivariate_normal([0, 0], [[0.8, 0.1], [0.1, 0.4]], 150)[person]
    y = 1 + u[:, 0] + (0.5 + u[:, 1]) * t + 0.6 * rng.normal(size=t.size)
    p = 1 - np.exp(-np.exp(-1.5 + 0.3 * t + 0.4 * u[:, 0] + 0.5 * u[:, 1]))
    return pd.DataFrame({"id": person, "t": t, "y": y, "dropout": (rng.random(t.size) < p).astype(int)})


def endogenous_treatment(rng):
    z, x, u = rng.normal(size=(3, 2 * N))
    treat = (-0.2 + 0.8 * z + 0.3 * x + u + rng.normal(size=2 * N) > 0).astype(int)
    return pd.DataFrame(
        {"z": z, "x": x, "treat": treat, "visits": rng.poisson(np.exp(0.5 + 0.6 * treat + 0.2 * x + 0.6 * u))}
    )


def complier(rng):
    x, treated = rng.normal(size=N), rng.integers(0, 2, N)
    complies = rng.random(N) < expit(0.3 + 0.6 * x)
    y = 1 + 0.7 * complies + 0.9 * complies * treated + rng.normal(size=N)
    return pd.DataFrame(
        {"x": x, "treated": treated, "y": y, "complied": np.where(treated == 1, complies + 1.0, np.nan)}
    )


def multilevel(rng):
    schools, n = 40, 10
    school = np.repeat(np.arange(schools), n)
    w2, climate = rng.normal(size=(2, schools))
    climate = 0.5 * w2 + climate
    w1 = rng.normal(size=school.size)
    ability = 0.6 * climate[school] + 0.5 * rng.normal(size=schools)[school] + 0.3 * w1 + rng.normal(size=school.size)
    d = {f"y{k}": (rng.random(school.size) < expit(1.2 * ability)).astype(int) for k in (1, 2, 3)}
    d |= {f"y{k}": (climate + 0.5 * rng.normal(size=schools))[school] for k in (4, 5, 6)}
    return pd.DataFrame(d).assign(school=school, w1=w1, w2=w2[school])


TEXTS = {
    "two factors": (
        factor_model, 19,
        "verbal  =~ y1 + y2 + y3\nspatial =~ y4 + y5 + y6\nverbal ~~ spatial",
    ),
    "item response model": (
        item_response, 14,
        "i{1..6} :: binomial(logit)\nability =~ NA*i{1..6}\nability ~~ 1*ability\nability ~ female\ni3      ~ female",
    ),
    "random coefficients": (counts_with_slopes, 5, "y :: poisson(log)\ny ~ 1 + x + (1 + x | subject)"),
    "latent classes": (
        latent_classes, 10,
        "test{1..4} :: binomial(logit)\ndisease :: class(2)\ndisease =~ test{1..4}\ndisease ~ age",
    ),
    "measurement error": (
        measurement_error, 10,
        "chd :: binomial(logit)\nfibre =~ 1*diary1 + 1*diary2\nfibre ~ age + bus\n"
        "diary1 ~~ v*diary1\ndiary2 ~~ v*diary2\n"
        "chd ~ fibre + age + bus",
    ),
    "missing covariate": (
        missing_covariate, 7,
        "x :: class(2, observed=x_gold)\nw + d :: binomial(logit)\nx ~ z\nw ~ 1 + x@2\nd ~ 1 + x@2 + z",
    ),
    "dropout": (
        dropout, 10,
        "dropout :: binomial(cloglog)\ny       ~ 1 + t + a[id] + b[id]:t\ndropout ~ 1 + t + a + b\na ~~ b",
    ),
    "endogenous treatment": (
        endogenous_treatment, 8,
        "u      :: normal\ntreat  :: binomial(probit)\nvisits :: poisson(log)\ntreat  ~ 1 + z + x + u\n"
        "visits ~ 1 + treat + x + u",
    ),
    "complier average causal effect": (
        complier, 6,
        "c :: class(2, observed=complied)\nc ~ x\ny ~ 1 + c@2 + cace*c@2:treated",
    ),
    "multilevel structural equation model": (
        multilevel, 19,
        "cluster: school\ny{1..3} :: binomial(logit)\ny{4..6} :: gaussian(level=school)\nability =~ y{1..3}\n"
        "climate[school] =~ y{4..6}\nability ~ climate + u[school] + w1\nclimate ~ w2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "n_free", "text"), TEXTS.values(), ids=TEXTS)
def test_fits_with_the_stated_number_of_free_parameters(data, n_free, text):
    frame = data(np.random.default_rng(20))
    fit = Model(text).fit(frame)
    assert fit.n_free == n_free
    assert fit.converged
    assert np.isfinite(fit.params["se"][fit.params["free"] > 0]).all()
