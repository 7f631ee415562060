"""Random models: nothing that is reported depends on the unit or origin of a response or covariate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import semlang as sl

KINDS = ("y", "y", "b :: binomial(logit)", "p :: poisson(log)", "o :: ordinal(logit)")
TERMS = (
    "x",
    "x + z",
    "x + z + x:z",
    "x + z + x:z + (1 | g)",
    "x + x^2",
    "x + (1 | g)",
    "x + z + (1 | g)",
    "x + (1 + x | g)",
    "x + z + (1 + x || g)",
)
FAST, ALL = range(20), range(300)


def data_of(rng: np.random.Generator) -> pd.DataFrame:
    """Twenty-four clusters of eight, responses of four kinds, three indicators."""
    g = np.repeat(np.arange(24), 8)
    x, z, f = rng.normal(size=(3, g.size))
    u = rng.normal(size=(24, 2)) * rng.uniform(0.3, 1.2, 2)
    nu = 0.3 + 0.5 * rng.normal() * x + 0.4 * z + u[g, 0] + u[g, 1] * x
    out = {"g": g, "x": x, "z": z, "y": nu + 0.6 * rng.normal(size=g.size)}
    out["b"] = (rng.random(g.size) < 1.0 / (1.0 + np.exp(-nu))).astype(float)
    out["p"] = rng.poisson(np.exp(np.clip(nu, -3.0, 3.0))).astype(float)
    out["o"] = np.digitize(nu + rng.logistic(size=g.size), [-1.0, 0.3, 1.5]).astype(float)
    for k in range(1, 4):
        out[f"v{k}"] = 0.8 * (f + 0.4 * x) + 0.5 * rng.normal(size=g.size)
    return pd.DataFrame(out)


def text_of(rng: np.random.Generator) -> tuple[str, list[str]]:
    """Return a model, and its gaussian responses."""
    if rng.random() < 0.15:
        return "f =~ v1 + v2 + v3\nf ~ x + z", ["v1", "v2", "v3"]
    kind, terms = KINDS[rng.integers(len(KINDS))], TERMS[rng.integers(len(TERMS))]
    name = kind[0]
    start = "" if name == "o" else "1 + "
    return f"{kind}\n{name} ~ {start}{terms}".removeprefix("y\n"), ["y"] if name == "y" else []


def outcome(text: str, data: pd.DataFrame) -> tuple[sl.Fit | None, list[str]]:
    """Return a fit and what is said of it; without a fit, of the model."""
    try:
        fit = sl.Model(text).fit(data)
    except sl.FitError as problem:
        return None, sorted(d.slug for d in problem.diagnostics)
    return fit, sorted(d.slug for d in fit.diagnostics)


def check(seed: int) -> None:
    """Fit a model to data and to the same in other units and with another origin."""
    rng = np.random.default_rng(seed)
    data, (text, gaussian) = data_of(rng), text_of(rng)
    s, a = 10.0 ** rng.integers(-8, 9), (0.0, 2015.0, 1.5e9)[rng.integers(3)]
    unit = 10.0 ** rng.integers(-8, 9) if gaussian else 1.0
    about = f"seed {seed}: {text!r}, x times {s:g} plus {a:g}, responses times {unit:g}"
    if "||" in text:  # at another origin it is another model: the unit alone changes, wherever the origin is
        origin = min(a, 5.0)  # far out its two variances are one and the same but for rounding: far-origin says so
        data, x = data.assign(x=origin + data.x), s * (origin + data.x)
    else:
        x = a + s * data.x
        data = data.assign(x=(x - a) / s)  # the digits of x that a + s x holds
    moved = data.assign(x=x, **{name: unit * data[name] for name in gaussian})
    (one, said), (other, said_of_other) = outcome(text, data), outcome(text, moved)
    if np.std(x) < 8.0 * np.spacing(np.abs(x).max()):
        assert "collinear-covariates" in said_of_other or "constant-covariate" in said_of_other, about
        return
    assert said_of_other == said, about
    if one is None or other is None:
        assert one is other, about
        return
    jacobian = len(data) * len(gaussian) * np.log(unit)
    assert other.loglik + jacobian == pytest.approx(one.loglik, abs=1e-3), about
    assert other.converged == one.converged, about
    highest = [t for t in ("x:z", "x^2") if t in text]
    terms = highest or ["x", "z"]  # beside x:z, z is the slope at x = 0, which moves
    ratios = [
        [p["est"] / p["se"] for p in fit.parameters if p["op"] == "~" and p["rhs"] in terms and p["se"]]
        for fit in (one, other)
    ]
    assert ratios[1] == pytest.approx(ratios[0], rel=2e-3, abs=1e-6), about


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", FAST)
def test_units_and_origins(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_units_and_origins_of_many() -> None:
    wrong = []
    for seed in ALL:
        try:
            check(seed)
        except AssertionError as problem:
            wrong.append(str(problem).splitlines()[0])
    assert not wrong, wrong


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("origin", [0.0, 10.0, 2015.0])
def test_uncorrelated_effects_at_another_origin_are_another_model(origin: float) -> None:
    """The likelihood of V = R + psi0 + psi1 x x' by brute force; far out, a finding says that it is another model."""
    data = data_of(np.random.default_rng(5))
    data["x"] += origin
    fit = sl.Model("y ~ 1 + x + (1 + x || g)").fit(data)
    names = fit.params.set_index("name")["est"]
    at = np.array(
        [names[n] for n in ("y ~1", "y ~ x", "y ~~ y", *(n for n in names.index if "~~" in n and "[g]" in n))]
    )

    def loglik(p: np.ndarray) -> float:
        total = 0.0
        for _, rows in data.groupby("g"):
            x = rows.x.to_numpy()
            V = p[2] * np.eye(x.size) + p[3] + p[4] * np.outer(x, x)
            r = rows.y.to_numpy() - p[0] - p[1] * x
            total -= 0.5 * (np.linalg.slogdet(2.0 * np.pi * V)[1] + r @ np.linalg.solve(V, r))
        return total

    assert loglik(at) == pytest.approx(fit.loglik, abs=1e-5)
    start = [*at[:2], *np.log(np.maximum(at[2:], 1e-9))]
    best = minimize(lambda p: -loglik(np.array([*p[:2], *np.exp(p[2:])])), start, method="Powell")
    assert fit.loglik > -best.fun - 1e-4
    assert ("far-origin" in [d.slug for d in fit.diagnostics]) == (origin > 0.0)
