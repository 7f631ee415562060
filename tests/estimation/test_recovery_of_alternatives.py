"""Nominal responses and adjacent categories: data from known parameters give these back, and intervals cover them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semlang.api import Model

SETS = 20
CLUSTERS, SIZE = 100, 6

Parameters = dict[tuple[str, str, str, int], float]
KEY = ["lhs", "op", "rhs", "class"]


def choices(nu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which of the last axis is chosen: the largest utility."""
    return (nu + rng.gumbel(size=nu.shape)).argmax(axis=-1)


def adjacent(nu: np.ndarray, thresholds: list[float], rng: np.random.Generator) -> np.ndarray:
    """Return answers of which log P(s)/P(s - 1) = nu - tau_s."""
    logits = np.cumsum(nu[..., None] - np.array(thresholds), axis=-1)
    return choices(np.concatenate([np.zeros_like(logits[..., :1]), logits], axis=-1), rng)


def nominal(x, u, rng, b, c):
    """Return categories a, b, c with linear predictors 0, b0 + b1 x + u, c0 + c1 x + u."""
    nu = np.stack([np.zeros(x.size), b[0] + b[1] * x + u, c[0] + c[1] * x + u], axis=1)
    return np.array(list("abc"))[choices(nu, rng)]


B, C, TAU = (0.3, 0.6), (-0.4, -0.5), [-0.8, 0.5, 0.2]
NOMINAL: Parameters = {
    ("y@b", "~1", "", 0): B[0], ("y@b", "~", "x", 0): B[1], ("y@c", "~1", "", 0): C[0], ("y@c", "~", "x", 0): C[1]
}  # fmt: skip
ADJACENT: Parameters = {("y", "~", "x", 0): 0.5} | {("y", "|", f"t{s}", 0): t for s, t in enumerate(TAU, 1)}
IN_CLASSES = {1: [0.5, 0.3, 0.2], 2: [0.1, 0.3, 0.6]}


def one_level(kind, rng):
    x = rng.normal(size=400)
    y = nominal(x, 0.0, rng, B, C) if kind == "multinomial" else adjacent(0.5 * x, TAU, rng)
    return f"y :: {kind}\ny ~ x", pd.DataFrame({"x": x, "y": y}), NOMINAL if kind == "multinomial" else ADJACENT


def two_levels(kind, rng):
    id = np.repeat(np.arange(CLUSTERS), SIZE)
    x, u = rng.normal(size=id.size), 0.8 * rng.normal(size=CLUSTERS)[id]
    frame = pd.DataFrame({"id": id, "x": x})
    variance: Parameters = {("u[id]", "~~", "u[id]", 0): 0.64}
    if kind == "multinomial":
        text = "y :: multinomial\ny@b ~ x + 1*u[id]\ny@c ~ x + 1*u"
        return text, frame.assign(y=nominal(x, u, rng, B, C)), NOMINAL | variance
    return "y :: adjacent\ny ~ x + u[id]", frame.assign(y=adjacent(0.5 * x + u, TAU, rng)), ADJACENT | variance


def classes(kind, rng):
    """Four responses in two classes of 60 and 40 percent; the first is the larger one."""
    k = 1 + (rng.random(600) > 0.6)
    expected: Parameters = {("c", "~1", "", 1): np.log(0.6 / 0.4)}
    frame = {}
    for n in range(1, 5):
        if kind == "multinomial":
            frame[f"y{n}"] = [rng.choice(list("abc"), p=IN_CLASSES[j]) for j in k]
            for j, p in IN_CLASSES.items():
                for name, q in zip("bc", p[1:], strict=True):
                    expected[f"y{n}@{name}", "~1", "", j] = np.log(q / p[0])
        else:
            frame[f"y{n}"] = adjacent(np.where(k == 1, -1.0, 1.0), TAU, rng)
            expected |= {(f"y{n}", "|", f"t{s}", 0): t - 1.0 for s, t in enumerate(TAU, 1)}
            expected[f"y{n}", "~1", "", 1] = -2.0  # class 2 has none
    return "y{1..4} :: " + kind + "\nc :: class(2)\nc =~ y{1..4}", pd.DataFrame(frame), expected


@pytest.mark.slow
@pytest.mark.parametrize("structure", [one_level, two_levels, classes], ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", ["multinomial", "adjacent"])
def test_estimates_and_intervals(kind, structure):
    """Over twenty data sets the mean z of each parameter is below four standard errors, and 95 % intervals cover."""
    z = []
    for seed in range(SETS):
        text, frame, truth = structure(kind, np.random.default_rng(seed))
        fit = Model(text).fit(frame)
        assert fit.converged
        found = fit.params.reindex(columns=[*KEY, "est", "se"]).fillna({"class": 0}).set_index(KEY)
        z.append([(found.est[key] - value) / found.se[key] for key, value in truth.items()])
    z = np.array(z)
    assert np.isfinite(z).all()
    assert np.abs(z.mean(axis=0)).max() < 4.0 / np.sqrt(SETS)
    # one in 10,000 of the parameters would be outside
    assert (np.abs(z) < 1.96).sum(axis=0).min() >= binom.ppf(1e-4, SETS, 0.95)
