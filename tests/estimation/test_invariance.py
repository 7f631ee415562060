"""Random models: nothing that is reported depends on the unit or origin of a response or covariate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

KINDS = ("y", "y", "b :: binomial(logit)", "p :: poisson(log)", "o :: ordinal(logit)")
TERMS = ("x", "x + z", "x + z + x:z", "x + (1 | g)", "x + z + (1 | g)", "x + (1 + x | g)", "x + z + (1 + x || g)")
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


def check(seed: int) -> None:
    """Fit a model to data and to the same in other units and with another origin."""
    rng = np.random.default_rng(seed)
    data, (text, gaussian) = data_of(rng), text_of(rng)
    s, a = 10.0 ** rng.integers(-8, 9), (0.0, 2015.0, 1.5e9)[rng.integers(3)]
    unit = 10.0 ** rng.integers(-8, 9) if gaussian else 1.0
    if "||" in text:
        a = 0.0  # without their covariance, random effects at another origin are another model
    if "x:z" in text:
        a = 0.0  # the product is centred as a whole: far out it is collinear with z, and a finding says so
    if s < 1e-9 * a:
        s = 1.0  # a + s x holds no more digits of x
    moved = data.assign(x=a + s * data.x, **{name: unit * data[name] for name in gaussian})
    one, other = sl.Model(text).fit(data), sl.Model(text).fit(moved)

    about = f"seed {seed}: {text!r}, x times {s:g} plus {a:g}, responses times {unit:g}"
    jacobian = len(data) * len(gaussian) * np.log(unit)
    assert other.loglik + jacobian == pytest.approx(one.loglik, abs=1e-3), about
    assert other.converged == one.converged, about
    assert sorted(d.slug for d in other.diagnostics) == sorted(d.slug for d in one.diagnostics), about
    if "x:z" not in text:
        ratios = [
            [p["est"] / p["se"] for p in fit.parameters if p["op"] == "~" and p["rhs"] in ("x", "z") and p["se"]]
            for fit in (one, other)
        ]
        assert ratios[1] == pytest.approx(ratios[0], rel=2e-3), about


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
