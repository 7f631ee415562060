"""Write the simulated data of the gallery: ``python semlang/page/gallery/simulate.py``; the same on every run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Array = NDArray[Any]
Columns = Mapping[str, Array]
HERE = Path(__file__).parent
N = 300

Simulation = Callable[[np.random.Generator], Columns]
SIMULATIONS: dict[str, Simulation] = {}


def simulation(function: Simulation) -> Simulation:
    """Keep a simulation under its name."""
    SIMULATIONS[function.__name__.replace("_", "-")] = function
    return function


def normal(r: np.random.Generator, covariance: list[list[float]], n: int = N) -> list[Floats]:
    """Draw correlated normal variables."""
    return list(r.multivariate_normal(np.zeros(len(covariance)), np.array(covariance), n).T)


def measured(r: np.random.Generator, name: str, factor: Floats, loadings: list[float], noise: float = 0.7) -> Columns:
    """Draw indicators name1, name2, ... of a factor."""
    return {f"{name}{k + 1}": b * factor + noise * r.standard_normal(factor.size) for k, b in enumerate(loadings)}


def answers(r: np.random.Generator, name: str, eta: Floats, easiness: list[float], slopes: list[float]) -> Columns:
    """Draw answers 0 and 1 by a logistic model."""
    both = enumerate(zip(easiness, slopes, strict=True))
    return {f"{name}{k + 1}": r.binomial(1, 1 / (1 + np.exp(-(a + b * eta)))) for k, (a, b) in both}


def graded(r: np.random.Generator, eta: Floats, cuts: list[float]) -> Array:
    """Draw categories 1, 2, ... by a cumulative logit model."""
    latent = eta + r.logistic(size=eta.size)
    out: Array = 1 + (latent[:, None] > np.array(cuts)).sum(1)
    return out


# ------------------------------------------------------------------ factors


@simulation
def three_factors(r: np.random.Generator) -> Columns:
    visual, textual, speed = normal(r, [[0.8, 0.4, 0.25], [0.4, 1.0, 0.2], [0.25, 0.2, 0.5]])
    out: dict[str, Array] = {}
    for k, f in enumerate((visual, visual, visual, textual, textual, textual, speed, speed, speed)):
        out[f"x{k + 1}"] = 3 + 0.3 * k + (1.0, 0.6, 0.8)[k % 3] * f + 0.7 * r.standard_normal(N)
    return out


@simulation
def second_order(r: np.random.Generator) -> Columns:
    g = r.standard_normal(N)
    a, b, c = (w * g + 0.6 * r.standard_normal(N) for w in (0.8, 0.7, 0.9))
    parts = [measured(r, name, f, [1.0, 0.8, 0.9]) for name, f in (("v", a), ("n", b), ("s", c))]
    return {**parts[0], **parts[1], **parts[2]}


@simulation
def bifactor(r: np.random.Generator) -> Columns:
    g, a, b, c = (r.standard_normal(400) for _ in range(4))
    out: dict[str, Array] = {}
    for k in range(9):
        specific = (0.5 + 0.05 * (k % 3)) * (a, b, c)[k // 3]
        out[f"x{k + 1}"] = (0.6 + 0.04 * k) * g + specific + 0.6 * r.standard_normal(400)
    return out


@simulation
def mtmm(r: np.random.Generator) -> Columns:
    traits = normal(r, [[1, 0.4, 0.3], [0.4, 1, 0.5], [0.3, 0.5, 1]], 400)
    peer, teacher = normal(r, [[1, 0.3], [0.3, 1]], 400)
    out = {}
    for t, name in zip(traits, ("anx", "dep", "agg"), strict=True):
        out[f"{name}_self"] = t + 0.6 * r.standard_normal(400)
        out[f"{name}_peer"] = 0.7 * t + 0.6 * peer + 0.5 * r.standard_normal(400)
        out[f"{name}_teacher"] = 0.6 * t + 0.7 * teacher + 0.5 * r.standard_normal(400)
    return out


@simulation
def mimic(r: np.random.Generator) -> Columns:
    age, girl = 10 + 3 * r.random(N), r.binomial(1, 0.5, N)
    f = 0.3 * (age - 11.5) + 0.4 * girl + 0.8 * r.standard_normal(N)
    x = dict(measured(r, "x", f, [1.0, 0.9, 0.8, 0.7]))
    x["x4"] = x["x4"] - 0.4 * girl
    return {**x, "age": age, "girl": girl}


@simulation
def invariance(r: np.random.Generator) -> Columns:
    school = np.repeat(["Pasteur", "Grant"], 180)
    f = np.where(school == "Grant", 0.4 + 1.2 * r.standard_normal(360), r.standard_normal(360))
    return {**measured(r, "x", f, [1.0, 0.8, 1.1, 0.9]), "school": school}


@simulation
def reliability(r: np.random.Generator) -> Columns:
    return measured(r, "x", r.standard_normal(N), [0.9, 0.8, 0.7, 0.6, 0.8])


@simulation
def exploratory(r: np.random.Generator) -> Columns:
    a, b = normal(r, [[1, 0.4], [0.4, 1]], 400)
    out: dict[str, Array] = {}
    for k in range(8):
        out[f"x{k + 1}"] = (0.8 if k < 4 else 0.1) * a + (0.1 if k < 4 else 0.8) * b + 0.6 * r.standard_normal(400)
    return out


# ------------------------------------------------------------------ paths


@simulation
def democracy(r: np.random.Generator) -> Columns:
    wealth = 0.7 * r.standard_normal(N)
    then = 1.5 * wealth + 1.8 * r.standard_normal(N)
    now = 0.6 * wealth + 0.85 * then + 0.6 * r.standard_normal(N)
    out = {f"x{k + 1}": 5 + b * wealth + 0.3 * r.standard_normal(N) for k, b in enumerate((1.0, 2.2, 1.8))}
    for k, b in enumerate((1.0, 1.2, 1.1, 1.3)):
        both, noise = r.standard_normal(N), r.standard_normal((2, N))
        out[f"y{k + 1}"] = 5 + b * then + both + 1.2 * noise[0]
        out[f"y{k + 5}"] = 5 + b * now + both + 1.2 * noise[1]
    return out


@simulation
def mediation(r: np.random.Generator) -> Columns:
    x = r.standard_normal(N)
    m = 0.5 * x + 0.8 * r.standard_normal(N)
    return {"x": x, "m": m, "y": 0.2 * x + 0.6 * m + 0.8 * r.standard_normal(N)}


@simulation
def latent_mediation(r: np.random.Generator) -> Columns:
    x = r.standard_normal(N)
    m = 0.6 * x + 0.8 * r.standard_normal(N)
    y = 0.5 * m + 0.2 * x + 0.8 * r.standard_normal(N)
    return {
        **measured(r, "x", x, [1, 0.9, 0.8]),
        **measured(r, "m", m, [1, 0.8, 0.9]),
        **measured(r, "y", y, [1, 1, 0.7]),
    }


@simulation
def moderation(r: np.random.Generator) -> Columns:
    x, w = normal(r, [[1, 0.3], [0.3, 1]])
    return {"x": x, "w": w, "y": 1 + 0.4 * x + 0.3 * w + 0.25 * x * w + 0.9 * r.standard_normal(N)}


@simulation
def two_mediators(r: np.random.Generator) -> Columns:
    x = r.binomial(1, 0.5, N)
    m1 = 0.5 * x + r.standard_normal(N)
    m2 = 0.3 * x + 0.4 * m1 + r.standard_normal(N)
    return {"x": x, "m1": m1, "m2": m2, "y": 0.3 * m1 + 0.5 * m2 + 0.1 * x + r.standard_normal(N)}


# ------------------------------------------------------------------ time


def _growth(r: np.random.Generator, times: list[float], slope: Floats | float = 0.6) -> dict[str, Array]:
    i, s = normal(r, [[1, 0.2], [0.2, 0.25]])
    return {f"y{k + 1}": 2 + i + (slope + s) * t + 0.7 * r.standard_normal(N) for k, t in enumerate(times)}


@simulation
def growth(r: np.random.Generator) -> Columns:
    return _growth(r, [0, 1, 2, 3])


@simulation
def growth_covariate(r: np.random.Generator) -> Columns:
    treated = r.binomial(1, 0.5, N)
    return {**_growth(r, [0, 1, 2, 3], 0.4 + 0.5 * treated), "treated": treated}


@simulation
def latent_basis(r: np.random.Generator) -> Columns:
    return _growth(r, [0, 0.5, 0.8, 0.9, 1.0], 2.0)


@simulation
def quadratic_growth(r: np.random.Generator) -> Columns:
    i, s = normal(r, [[1, 0.1], [0.1, 0.3]])
    q = 0.1 * r.standard_normal(N)
    return {
        f"y{t + 1}": 2 + i + (1.2 + s) * t + (-0.2 + q) * t * t + 0.6 * r.standard_normal(N) for t in range(6)
    }  # fmt: skip


def _panel(r: np.random.Generator, trait: float) -> Columns:
    n = 500
    tx, ty = normal(r, [[1, 0.5], [0.5, 1]], n)
    x, y = normal(r, [[1, 0.3], [0.3, 1]], n)
    out = {}
    for t in range(1, 5):
        out[f"x{t}"], out[f"y{t}"] = trait * tx + x, trait * ty + y
        ex, ey = normal(r, [[0.8, 0.2], [0.2, 0.8]], n)
        x, y = 0.4 * x + 0.1 * y + ex, 0.2 * x + 0.3 * y + ey
    return out


@simulation
def cross_lagged(r: np.random.Generator) -> Columns:
    return _panel(r, 0.0)


@simulation
def ri_clpm(r: np.random.Generator) -> Columns:
    return _panel(r, 0.8)


@simulation
def change_score(r: np.random.Generator) -> Columns:
    before = r.standard_normal(N)
    after = before + 0.6 - 0.3 * before + 0.5 * r.standard_normal(N)
    a, b = measured(r, "a", before, [1.0, 0.9, 0.8]), measured(r, "b", after, [1.0, 0.9, 0.8])
    return {**a, **b}


@simulation
def simplex(r: np.random.Generator) -> Columns:
    f = r.standard_normal(400)
    out = {}
    for t in range(1, 6):
        out[f"y{t}"] = f + 0.5 * r.standard_normal(400)
        f = 0.85 * f + 0.5 * r.standard_normal(400)
    return out


# ------------------------------------------------------------------ items


@simulation
def rasch(r: np.random.Generator) -> Columns:
    return answers(r, "item", 1.1 * r.standard_normal(400), [1.2, 0.6, 0.0, -0.5, -1.0, 0.3], [1.0] * 6)


@simulation
def two_parameters(r: np.random.Generator) -> Columns:
    return answers(r, "item", r.standard_normal(500), [2.8, 1.0, 0.2, 1.3, 2.0], [0.8, 1.2, 0.9, 1.5, 0.7])


@simulation
def graded_response(r: np.random.Generator) -> Columns:
    f = r.standard_normal(400)
    return {
        f"item{k + 1}": graded(r, b * f, [-1.5 + 0.2 * k, 0.0, 1.4]) for k, b in enumerate((1.2, 1.8, 1.0, 1.5, 0.8))
    }


@simulation
def dif(r: np.random.Generator) -> Columns:
    girl = r.binomial(1, 0.5, 600)
    f = 0.3 * girl + r.standard_normal(600)
    out = dict(answers(r, "item", f, [0.8, 0.3, 0.0, -0.4, -0.8], [1.2, 1.0, 1.4, 0.9, 1.1]))
    out |= {"item3": r.binomial(1, 1 / (1 + np.exp(-(0.1 + 0.8 * girl + 1.4 * f))))}
    return {**out, "girl": girl}


@simulation
def latent_regression(r: np.random.Generator) -> Columns:
    ses, age = r.standard_normal(500), r.integers(8, 13, 500)
    f = 0.5 * ses + 0.2 * (age - 10) + 0.9 * r.standard_normal(500)
    return {**answers(r, "item", f, [1.0, 0.5, 0.0, -0.3, -0.9], [1.0, 1.3, 0.8, 1.1, 1.5]), "ses": ses, "age": age}


@simulation
def two_abilities(r: np.random.Generator) -> Columns:
    a, b = normal(r, [[1, 0.5], [0.5, 1]], 600)
    left = answers(r, "read", a, [0.8, 0.2, -0.3, -0.7], [1.2, 1.5, 0.9, 1.1])
    return {**left, **answers(r, "math", b, [1.0, 0.4, -0.1, -0.6], [1.0, 1.4, 1.2, 0.9])}


@simulation
def two_occasions(r: np.random.Generator) -> Columns:
    a, b = normal(r, [[1, 0.7], [0.7, 1.2]], 500)
    easy, slopes = [0.7, 0.2, -0.2, -0.6], [1.0, 1.2, 0.9, 1.1]
    return {**answers(r, "a", a, easy, slopes), **answers(r, "b", b + 0.5, easy, slopes)}


@simulation
def sequential_items(r: np.random.Generator) -> Columns:
    f = r.standard_normal(400)
    out = {}
    for k, b in enumerate((1.0, 1.3, 0.9, 1.2)):
        steps = np.stack([r.random(400) < 1 / (1 + np.exp(-(b * f + c))) for c in (1.2 - 0.2 * k, 0.2, -0.8)])
        out[f"task{k + 1}"] = np.cumprod(steps, axis=0).sum(0)
    return out


@simulation
def mixed_responses(r: np.random.Generator) -> Columns:
    f = r.standard_normal(400)
    return {
        "score": 10 + 2 * f + 1.5 * r.standard_normal(400),
        "passed": r.binomial(1, 1 / (1 + np.exp(-(0.4 + 1.2 * f)))),
        "errors": r.poisson(np.exp(0.8 - 0.5 * f)),
        "rating": graded(r, 1.3 * f, [-1.0, 0.5, 1.8]),
    }


# ------------------------------------------------------------------ classes


@simulation
def latent_class(r: np.random.Generator) -> Columns:
    c = r.random(500) < 0.4
    p = [(0.9, 0.2), (0.85, 0.3), (0.8, 0.15), (0.7, 0.25), (0.9, 0.35)]
    return {f"item{k + 1}": r.binomial(1, np.where(c, a, b)) for k, (a, b) in enumerate(p)}


@simulation
def class_regression(r: np.random.Generator) -> Columns:
    age = r.normal(40, 10, 500)
    c = r.random(500) < 1 / (1 + np.exp(-0.08 * (age - 42)))
    p = [(0.9, 0.15), (0.8, 0.2), (0.85, 0.1), (0.7, 0.2)]
    return {**{f"test{k + 1}": r.binomial(1, np.where(c, a, b)) for k, (a, b) in enumerate(p)}, "age": age}


@simulation
def latent_profile(r: np.random.Generator) -> Columns:
    c = r.choice(3, 400, p=[0.5, 0.3, 0.2])
    means = np.array([[0.0, 0.0, 0.0, 0.0], [2.0, 1.5, 0.0, 0.5], [0.0, 2.0, 2.5, -1.5]])
    return {f"x{k + 1}": means[c, k] + 0.8 * r.standard_normal(400) for k in range(4)}


@simulation
def growth_mixture(r: np.random.Generator) -> Columns:
    fast = r.random(400) < 0.35
    i = 1 + 1.0 * fast + 0.5 * r.standard_normal(400)
    s = np.where(fast, 1.2, 0.2) + 0.2 * r.standard_normal(400)
    return {f"y{t + 1}": i + s * t + 0.5 * r.standard_normal(400) for t in range(5)}


# ------------------------------------------------------------------ levels


def _units(r: np.random.Generator, units: int, size: int) -> Array:
    del r
    return np.repeat(np.arange(1, units + 1), size)


@simulation
def random_intercept(r: np.random.Generator) -> Columns:
    school = _units(r, 40, 12)
    u, hours = r.standard_normal(40)[school - 1], r.random(school.size) * 10
    return {"school": school, "hours": hours, "score": 50 + 3 * u + 1.2 * hours + 5 * r.standard_normal(school.size)}


@simulation
def random_slope(r: np.random.Generator) -> Columns:
    person = _units(r, 50, 8)
    day = np.tile(np.arange(8), 50)
    i, s = r.multivariate_normal([0, 0], [[25, 5], [5, 9]], 50).T
    noise = 6 * r.standard_normal(400)
    return {"person": person, "day": day, "reaction": 250 + i[person - 1] + (10 + s[person - 1]) * day + noise}


@simulation
def two_level_factor(r: np.random.Generator) -> Columns:
    school = _units(r, 60, 8)
    f = r.standard_normal(school.size)
    g = 0.6 * r.standard_normal(60)[school - 1]
    out: dict[str, Array] = {"school": school}
    for k, b in enumerate((1.0, 0.8, 0.9, 0.7)):
        v = 0.3 * r.standard_normal(60)[school - 1]
        out[f"x{k + 1}"] = b * f + b * g + v + 0.6 * r.standard_normal(school.size)
    return out


@simulation
def multilevel_logit(r: np.random.Generator) -> Columns:
    clinic = _units(r, 50, 10)
    u, treated = 0.9 * r.standard_normal(50)[clinic - 1], r.binomial(1, 0.5, 500)
    return {"clinic": clinic, "treated": treated, "cured": r.binomial(1, 1 / (1 + np.exp(-(-0.4 + 0.8 * treated + u))))}


@simulation
def three_levels(r: np.random.Generator) -> Columns:
    school, klass = np.repeat(np.arange(1, 26), 16), np.repeat(np.arange(1, 101), 4)
    u, v = 1.0 * r.standard_normal(25)[school - 1], 0.7 * r.standard_normal(100)[klass - 1]
    x = r.standard_normal(400)
    return {"school": school, "class": klass, "x": x, "y": 2 + 0.5 * x + u + v + r.standard_normal(400)}


@simulation
def counts(r: np.random.Generator) -> Columns:
    patient = _units(r, 60, 5)
    visit, drug = np.tile(np.arange(5), 60), np.repeat(r.binomial(1, 0.5, 60), 5)
    u = 0.6 * r.standard_normal(60)[patient - 1]
    return {
        "patient": patient,
        "visit": visit,
        "drug": drug,
        "seizures": r.poisson(np.exp(1.2 - 0.1 * visit - 0.4 * drug + u)),
    }


# ------------------------------------------------------------------ times to an event


@simulation
def weibull(r: np.random.Generator) -> Columns:
    age, drug = r.normal(60, 8, 400), r.binomial(1, 0.5, 400)
    time = (r.exponential(size=400) / np.exp(-2.0 + 0.03 * (age - 60) - 0.6 * drug)) ** (1 / 1.4)
    end = r.uniform(2, 8, 400)
    return {"time": np.minimum(time, end), "died": (time < end).astype(int), "age": age, "drug": drug}


@simulation
def frailty(r: np.random.Generator) -> Columns:
    patient = _units(r, 60, 3)
    u, drug = 0.7 * r.standard_normal(60)[patient - 1], np.repeat(r.binomial(1, 0.5, 60), 3)
    time = (r.exponential(size=180) / np.exp(-1.0 - 0.5 * drug + u)) ** (1 / 1.3)
    end = r.uniform(1, 6, 180)
    return {"patient": patient, "time": np.minimum(time, end), "infected": (time < end).astype(int), "drug": drug}


@simulation
def discrete_time(r: np.random.Generator) -> Columns:
    out: dict[str, list[float]] = {"person": [], "year": [], "girl": [], "dropout": []}
    for person in range(1, 251):
        girl = int(r.integers(2))
        for year in range(1, 6):
            gone = int(r.random() < 1 / (1 + np.exp(-(-2.4 + 0.25 * year - 0.5 * girl))))
            for name, value in zip(out, (person, year, girl, gone), strict=True):
                out[name].append(value)
            if gone:
                break
    return {name: np.array(values) for name, values in out.items()}


def text(columns: Columns) -> str:
    """Return columns as CSV, numbers with three decimals."""

    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    lines = [",".join(columns)]
    lines += [",".join(cell(v.item()) for v in row) for row in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every file."""
    for name, simulate in SIMULATIONS.items():
        r = np.random.default_rng(zlib.crc32(name.encode()))
        (HERE / f"{name}.csv").write_text(text(simulate(r)), encoding="utf-8")


if __name__ == "__main__":
    main()
