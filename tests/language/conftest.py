"""Simulated data with a column for every kind of response, at two nested levels above the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 400 rows in 50 persons of 8 in 13 schools."""
    rng = np.random.default_rng(1)
    n = 400
    person = np.repeat(np.arange(n // 8), 8)
    school = person // 4
    normal = rng.normal
    x, z, w = normal(size=(3, n))
    c = rng.random(n) < 1.0 / (1.0 + np.exp(-(0.2 + 0.5 * x)))
    f = normal(size=n)
    g = 0.5 * f + 0.8 * normal(size=n)
    u, v = 0.6 * normal(size=n // 8)[person], 0.5 * normal(size=n)[school]
    w2 = normal(size=n)[school]
    female = rng.integers(0, 2, n)
    d: dict[str, object] = {"id": person, "cls": person, "school": school, "x": x, "z": z, "w": w, "w2": w2}
    d |= {"age": rng.uniform(size=n), "female": female, "sex": np.where(female, "F", "M")}
    d |= {"region": rng.choice(list("abc"), n), "income": np.exp(normal(size=n)), "n3": rng.integers(2, 6, n)}
    d |= {"expo": rng.uniform(0.5, 3.0, n)}
    for k in range(1, 7):
        own = f if k <= 3 else g
        d[f"x{k}"] = 0.2 * k + 0.8 * own + 0.7 * normal(size=n) + 0.3 * x
        d[f"i{k}"] = (rng.logistic(size=n) < 0.2 * k - 0.6 + 1.2 * own + 0.3 * x).astype(int)
        d[f"o{k}"] = np.digitize(0.9 * own + normal(size=n), [-0.8, 0.0, 0.8]) + 1
        d[f"b{k}"] = (rng.random(n) < np.where(c, 0.8, 0.25)).astype(int)
        d[f"cl{k}"] = rng.poisson(np.exp(0.3 + 0.4 * own))
        d[f"q{k}"] = 0.2 * k + 2.4 * c + 0.5 * f + 0.6 * normal(size=n)
        d[f"sy{k}"] = 0.3 * normal(size=n)[school] + 3.0 * v + 0.3 * w2
    for k in range(1, 4):
        mu = 1.0 / (1.0 + np.exp(-0.5 * f))
        d[f"gm{k}"] = rng.gamma(3.0, np.exp(0.3 + 0.4 * f) / 3.0)
        d[f"be{k}"] = np.clip(rng.beta(5.0 * mu, 5.0 * (1.0 - mu)), 1e-4, 1.0 - 1e-4)
        d[f"ln{k}"] = np.exp(0.2 + 0.5 * f + 0.5 * normal(size=n))
        d[f"nb{k}"] = rng.negative_binomial(2, 2.0 / (2.0 + np.exp(0.5 + 0.4 * f)))
    y = 0.5 + np.where(person % 3, 0.8, -0.6) * x + 0.7 * u + v + 0.5 * f + normal(size=n) * np.exp(0.2 * x)
    m = 0.3 * x + normal(size=n)
    yb = rng.logistic(size=n) < 0.4 * x + 2.0 * u + 0.2
    trials = rng.integers(2, 8, n)
    event, cut = rng.exponential(np.exp(-0.3 * x - 0.3 * u)), rng.exponential(2.0, n)
    T = np.minimum(event, cut)
    d |= {"y": y, "m": m, "y2": 0.3 * m + normal(size=n), "yb": yb.astype(int), "yt": np.where(yb, "Y", "N")}
    d |= {"yo": np.digitize(0.5 * x + 0.6 * u + normal(size=n), [-0.8, 0.0, 0.8]) + 1}
    d |= {"yc": rng.poisson(np.exp(0.3 + 0.4 * x + 0.4 * u)), "trials": trials}
    d |= {"ybin": rng.binomial(trials, 1.0 / (1.0 + np.exp(-0.3 * x - 0.5 * u)))}
    d |= {"zip": np.where(rng.random(n) < 0.3, 0, rng.poisson(np.exp(0.8 + 0.4 * x)))}
    d |= {"nom": rng.choice(["Low", "Medium", "Very likely"], n, p=[0.3, 0.4, 0.3])}
    d |= {"T": T, "d": (event <= cut).astype(int), "t0": 0.5 * T * rng.random(n)}
    d |= {"ycens": np.clip(y, -1.0, 2.5), "lo": np.floor(y), "hi": np.ceil(y)}
    d |= {"gold": np.where(rng.random(n) < 0.4, c + 1.0, np.nan), "truth": np.where(rng.random(n) < 0.4, f, np.nan)}
    d |= {"fw": rng.integers(1, 4, n), "wt": rng.uniform(0.5, 1.5, n), "wt2": rng.uniform(0.5, 1.5, n)[school]}
    d |= {"fq2": rng.integers(1, 3, n)[school], "pos": np.exp(0.3 + 0.3 * x + 0.2 * normal(size=n))}
    out = pd.DataFrame(d)
    out["trip"], out["price"], out["mode"] = (
        np.arange(n) // 4,
        normal(size=n),
        np.tile(["bus", "car", "train", "walk"], 100),
    )
    utility = -0.8 * out.price + 0.5 * (out["mode"] == "car") + 0.5 * normal(size=n // 8)[person] * out.price
    rank = (utility + rng.gumbel(size=n)).groupby(out.trip).rank(ascending=False).astype(int)
    return out.assign(rank=rank, chosen=(rank == 1).astype(int), chosent=np.where(rank == 1, "yes", "no"))
