"""Maxima of whole fits against those that scipy alone finds, of log-likelihoods written as sums over dense grids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp
from scipy.stats import multivariate_normal, norm

import semlang as sl

Key = tuple[str, str, str, int]
Parameters = Mapping[Key, float]


@dataclass
class Case:
    """A model, data, its log-likelihood by hand and the parameters with which the data were drawn.

    Parameters
    ----------
    transform : mapping from key to function
        Parameters that scipy has in another coordinate (logarithms of variances).
    """

    text: str
    frame: pd.DataFrame
    loglik: Callable[[Parameters], float]
    truth: dict[Key, float]


def on_variances(key: Key) -> bool:
    return key[1] == "~~" and key[0] == key[2]


def maximum(case: Case) -> tuple[float, dict[Key, float]]:
    """Return the maximum that scipy finds from the truth, with logarithms of variances."""
    keys = list(case.truth)
    log = np.array([on_variances(k) for k in keys])

    def named(x: np.ndarray) -> dict[Key, float]:
        return dict(zip(keys, np.where(log, np.exp(x), x), strict=True))

    values = np.array(list(case.truth.values()))
    start = np.where(log, np.log(np.where(log, values, 1.0)), values)
    found = minimize(lambda x: -case.loglik(named(x)), start, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-4})
    return -float(found.fun), named(found.x)


def bernoulli(y: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Return the log density of each response."""
    return np.asarray(log_expit(np.where(y == 1, 1.0, -1.0) * nu))


def school_classes() -> Case:
    """The class of a pupil depends on a school effect: 801 equispaced points."""
    rng = np.random.default_rng(21)
    school = np.repeat(np.arange(60), 12)
    u, x = 0.9 * rng.normal(size=60), rng.normal(size=school.size)
    first = rng.random(school.size) < expit(0.9 + 0.7 * x + u[school])
    nu = np.array([[1.4, 1.0, 1.8, 1.2], [-1.3, -0.9, -1.6, -1.0]])
    y = (rng.random((school.size, 4)) < expit(nu[np.where(first, 0, 1)])).astype(float)
    frame = pd.DataFrame(y, columns=[f"y{j}" for j in range(1, 5)]).assign(school=school, x=x)
    text = "cluster: school\ny{1..4} :: binomial(logit)\nc :: class(2)\nc =~ y{1..4}\nc ~ x + u[school]\n"
    truth: dict[Key, float] = {(f"y{j + 1}", "~1", "", k + 1): nu[k, j] for k in range(2) for j in range(4)}
    truth |= {("c", "~1", "", 1): 0.9, ("c", "~", "x", 1): 0.7, ("u[school]", "~~", "u[school]", 0): 0.81}
    z = np.linspace(-7.0, 7.0, 801)
    log_w = norm.logpdf(z) + np.log(z[1] - z[0])

    def loglik(p: Parameters) -> float:
        parts = [
            bernoulli(y, np.array([p[f"y{j}", "~1", "", k] for j in range(1, 5)])).sum(axis=1)[:, None] for k in (1, 2)
        ]
        m = (p["c", "~1", "", 1] + p["c", "~", "x", 1] * x)[:, None]
        m = m + np.sqrt(p["u[school]", "~~", "u[school]", 0]) * z
        rows = np.logaddexp(parts[0] + log_expit(m), parts[1] + log_expit(-m))
        return float(logsumexp(np.add.reduceat(rows, np.arange(0, school.size, 12)) + log_w, axis=1).sum())

    return Case(text, frame, loglik, truth)


def growth_mixture() -> Case:
    """Two classes of growth curves with class-specific means and residual variances: normal densities."""
    rng = np.random.default_rng(22)
    n = 400
    first = rng.random(n) < 0.6
    i = np.where(first, 0.0, 2.0) + 0.7 * rng.normal(size=n)
    s = np.where(first, 0.5, -0.4) + 0.3 * rng.normal(size=n)
    sd = np.where(first, 0.6, 0.9)
    y = np.column_stack([i + s * t + sd * rng.normal(size=n) for t in range(5)])
    frame = pd.DataFrame(y, columns=[f"y{t}" for t in range(5)])
    text = (
        "options: starts = 1\nc :: class(2)\n"
        "i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y0 + 1*y1 + 2*y2 + 3*y3 + 4*y4\ny{0..4} ~ 0\n"
        "s ~ c\n"
        + "".join(
            f"class: {k}\ni ~ start({m})*1\n" + "".join(f"y{t} ~~ {v}*y{t}\n" for t in range(5))
            for k, v, m in ((1, "a", 0), (2, "b", 2))
        )
    )  # fmt: skip
    truth: dict[Key, float] = {
        ("i", "~1", "", 1): 0.0, ("i", "~1", "", 2): 2.0, ("s", "~1", "", 1): 0.5, ("s", "~1", "", 2): -0.4,
        ("i", "~~", "i", 0): 0.49, ("s", "~~", "s", 0): 0.09, ("i", "~~", "s", 0): 0.0,
        ("y0", "~~", "y0", 1): 0.36, ("y0", "~~", "y0", 2): 0.81, ("c", "~1", "", 1): np.log(1.5),
    }  # fmt: skip
    L = np.column_stack([np.ones(5), np.arange(5)])

    def loglik(p: Parameters) -> float:
        cov = p["i", "~~", "s", 0]
        S = L @ [[p["i", "~~", "i", 0], cov], [cov, p["s", "~~", "s", 0]]] @ L.T
        if np.linalg.eigvalsh(S + 1e-3 * np.eye(5))[0] < 0:
            return -1e10
        parts = [
            multivariate_normal(
                L @ [p["i", "~1", "", k], p["s", "~1", "", k]], S + p["y0", "~~", "y0", k] * np.eye(5)
            ).logpdf(y)
            for k in (1, 2)
        ]
        m = p["c", "~1", "", 1]
        return float(np.logaddexp(parts[0] + log_expit(m), parts[1] + log_expit(-m)).sum())

    return Case(text, frame, loglik, truth)


def location_scale() -> Case:
    """A random intercept, and residual SDs that depend on a covariate: 401 points."""
    rng = np.random.default_rng(23)
    id = np.repeat(np.arange(120), 7)
    x, w = rng.normal(size=id.size), rng.normal(size=id.size)
    y = 0.4 + 0.6 * x + 0.8 * rng.normal(size=120)[id] + np.exp(-0.3 + 0.4 * w) * rng.normal(size=id.size)
    frame = pd.DataFrame({"id": id, "x": x, "w": w, "y": y})
    truth: dict[Key, float] = {
        ("y", "~1", "", 0): 0.4, ("y", "~", "x", 0): 0.6, ("sigma(y)", "~1", "", 0): -0.3,
        ("sigma(y)", "~", "w", 0): 0.4, ("u[id]", "~~", "u[id]", 0): 0.64,
    }  # fmt: skip
    z = np.linspace(-8.0, 8.0, 401)
    log_w = norm.logpdf(z) + np.log(z[1] - z[0])

    def loglik(p: Parameters) -> float:
        mean = (p["y", "~1", "", 0] + p["y", "~", "x", 0] * x)[:, None] + np.sqrt(p["u[id]", "~~", "u[id]", 0]) * z
        sd = np.exp(p["sigma(y)", "~1", "", 0] + p["sigma(y)", "~", "w", 0] * w)[:, None]
        rows = norm.logpdf(y[:, None], mean, sd)
        return float(logsumexp(np.add.reduceat(rows, np.arange(0, id.size, 7)) + log_w, axis=1).sum())

    return Case("cluster: id\ny ~ x + u[id]\nsigma(y) ~ 1 + w", frame, loglik, truth)


def latent_transition() -> Case:
    """Three waves of three items with probabilities that stay what they are: sums over eight paths."""
    rng = np.random.default_rng(24)
    n = 500
    nu = np.array([[1.5, 1.2, 1.0], [-1.2, -1.5, -1.0]])
    state = [(rng.random(n) < 0.45).astype(int)]
    for a in ((1.4, -0.8), (1.0, -1.2)):
        state.append((rng.random(n) > expit(np.where(state[-1] == 0, a[0], a[1]))).astype(int))
    y = [(rng.random((n, 3)) < expit(nu[k])).astype(float) for k in state]
    frame = pd.DataFrame(np.hstack(y), columns=[f"{w}{j}" for w in "abd" for j in (1, 2, 3)])
    text = "a{1..3} + b{1..3} + d{1..3} :: binomial(logit)\nc + e + g :: class(2)\ne ~ c\ng ~ e\n"
    text += "".join(
        f"class {v}: {k}\n"
        + "".join(f"{w}{j} ~ {'pq'[k - 1]}{j}*1\n{w}{j} ~ start({3 - 2 * k})*1\n" for j in (1, 2, 3))
        for v, w in zip("ceg", "abd", strict=True)
        for k in (1, 2)
    )
    truth: dict[Key, float] = {(f"a{j + 1}", "~1", "", k + 1): nu[k, j] for k in range(2) for j in range(3)}
    truth |= {
        ("c", "~1", "", 1): float(np.log(0.55 / 0.45)), ("e", "~1", "", 1): 1.4, ("e", "~1", "", 2): -0.8,
        ("g", "~1", "", 1): 1.0, ("g", "~1", "", 2): -1.2,
    }  # fmt: skip

    def loglik(p: Parameters) -> float:
        items = [np.array([p[f"a{j}", "~1", "", k] for j in (1, 2, 3)]) for k in (1, 2)]
        parts = [[bernoulli(wave, m).sum(axis=1) for m in items] for wave in y]

        def states(m: float) -> tuple[float, float]:
            return float(log_expit(m)), float(log_expit(-m))

        first = states(p["c", "~1", "", 1])
        value = [first[k] + parts[0][k] for k in range(2)]
        for wave, name in ((1, "e"), (2, "g")):
            moves = [states(p[name, "~1", "", k]) for k in (1, 2)]
            value = [
                np.logaddexp(value[0] + moves[0][k], value[1] + moves[1][k]) + parts[wave][k] for k in range(2)
            ]  # fmt: skip
        return float(np.logaddexp(*value).sum())

    return Case(text, frame, loglik, truth)


def latent_interaction() -> Case:
    """Two factors of three responses and their product: 201 points of one, normal densities given it."""
    rng = np.random.default_rng(25)
    n = 500
    f = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.3], [0.3, 0.8]], n)
    loadings = np.array([1.0, 0.8, 0.9, 1.0, 1.1, 0.7])
    x = f[:, [0, 0, 0, 1, 1, 1]] * loadings + 0.6 * rng.normal(size=(n, 6))
    y = 0.4 * f[:, 0] + 0.5 * f[:, 1] + 0.35 * f[:, 0] * f[:, 1] + 0.7 * rng.normal(size=n)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(1, 7)]).assign(y=y)
    truth: dict[Key, float] = {(f"x{j}", "~1", "", 0): 0.0 for j in range(1, 7)}
    truth |= {(f"x{j}", "~~", f"x{j}", 0): 0.36 for j in range(1, 7)}
    truth |= {("f1" if j < 4 else "f2", "=~", f"x{j}", 0): loadings[j - 1] for j in (2, 3, 5, 6)}
    truth |= {
        ("y", "~1", "", 0): 0.0, ("y", "~", "f1", 0): 0.4, ("y", "~", "f2", 0): 0.5, ("y", "~", "f1:f2", 0): 0.35,
        ("y", "~~", "y", 0): 0.49, ("f1", "~~", "f1", 0): 1.0, ("f2", "~~", "f2", 0): 0.8, ("f1", "~~", "f2", 0): 0.3,
    }  # fmt: skip
    z = np.linspace(-6.0, 6.0, 121)
    log_w = norm.logpdf(z) + np.log(z[1] - z[0])
    data = np.column_stack([x, y])

    def loglik(p: Parameters) -> float:
        sd, cov = np.sqrt(p["f1", "~~", "f1", 0]), p["f1", "~~", "f2", 0]
        rest = p["f2", "~~", "f2", 0] - cov**2 / sd**2
        if rest <= 0:
            return -1e10
        load = np.array([1.0, *(p["f1", "=~", f"x{j}", 0] for j in (2, 3)), 1.0,
                         *(p["f2", "=~", f"x{j}", 0] for j in (5, 6))])  # fmt: skip
        one = np.array([*(p[f"x{j}", "~1", "", 0] for j in range(1, 7)), p["y", "~1", "", 0]])
        theta = np.array([*(p[f"x{j}", "~~", f"x{j}", 0] for j in range(1, 7)), p["y", "~~", "y", 0]])
        out = np.empty((n, z.size))
        for k, f1 in enumerate(sd * z):  # given f1, f2 ~ N(cov / var f1, rest)
            own = np.append(np.where(np.arange(6) < 3, load * f1, 0.0), p["y", "~", "f1", 0] * f1)
            on_f2 = np.append(
                np.where(np.arange(6) < 3, 0.0, load), p["y", "~", "f2", 0] + p["y", "~", "f1:f2", 0] * f1
            )
            r = data - one - own - on_f2 * (cov / sd**2 * f1)
            a = on_f2 / theta
            m = 1.0 + rest * (on_f2 @ a)  # Sherman and Morrison
            quadratic = (r**2 / theta).sum(axis=1) - rest / m * (r @ a) ** 2
            out[:, k] = -0.5 * (quadratic + np.log(theta).sum() + np.log(m) + 7 * np.log(2 * np.pi))
        return float(logsumexp(out + log_w, axis=1).sum())

    return Case("f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\ny ~ f1 + f2 + f1:f2", frame, loglik, truth)


SLOW = pytest.mark.slow
CASES = [
    pytest.param(school_classes, marks=SLOW), growth_mixture, pytest.param(location_scale, marks=SLOW),
    latent_transition, pytest.param(latent_interaction, marks=SLOW),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_maximum(case: Callable[[], Case]) -> None:
    own = case()
    value, expected = maximum(own)
    fit = sl.Model(own.text).fit(own.frame)
    assert fit.converged
    assert fit.loglik == pytest.approx(value, abs=1e-4 if case is latent_interaction else 1e-3)
    rows = fit.params.reindex(columns=["lhs", "op", "rhs", "class", "est", "free"]).fillna({"class": 0})
    found = rows.set_index(["lhs", "op", "rhs", "class"]).est
    for key, estimate in expected.items():
        assert found[key] == pytest.approx(estimate, rel=5e-3, abs=5e-4), key
    assert rows.free.nunique() - (0 in set(rows.free)) == len(expected)
