"""Categories, steps and orders of alternatives with probability 0: the limit is the supremum, the rest is finite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax

import semlang as sl
from semlang.api import Model
from semlang.estimation import separation


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 240
    x, z = rng.normal(size=(2, n))
    d = (np.arange(n) % 12 == 0) * 1
    o = np.digitize(x + rng.normal(size=n), [-1.0, 0.0, 1.0])
    nom = np.digitize(0.5 * x + rng.normal(size=n), [-0.5, 0.5])
    data = pd.DataFrame({"x": x, "z": z, "d": d, "g": np.arange(n) // 8, "o": o, "trip": np.arange(n) // 4})
    data["always"], data["never"] = np.where(d, 3, o), np.where(d & (o == 0), 1, o)
    data["nom"] = np.array(list("abc"))[np.where(d & (nom == 0), 1, nom)]
    data["own"] = (np.arange(n) % 12 == 2) * 1
    utility = 1e3 * data.own - 0.8 * x + rng.gumbel(size=n)
    return data.assign(rank=utility.groupby(data.trip).rank(ascending=False).astype(int))


def supremum(loglik: Callable[[np.ndarray], float], at: list[float], far: dict[int, float]) -> float:
    """Maximum with some coefficients far out, on the limit's plateau."""
    start = np.array(at)
    inner = [k for k in range(start.size) if k not in far]
    for k, value in far.items():
        start[k] = value

    def negative(b: np.ndarray) -> float:
        full = start.copy()
        full[inner] = b
        return -loglik(full)

    return -float(minimize(negative, start[inner], method="BFGS", options={"gtol": 1e-8}).fun)


def nominal(data: pd.DataFrame) -> Callable[[np.ndarray], float]:
    X = np.column_stack([np.ones(len(data)), data.x, data.d])
    y = np.searchsorted(["a", "b", "c"], data.nom)

    def loglik(b: np.ndarray) -> float:
        nu = np.column_stack([np.zeros(len(data)), X @ b[:3], X @ b[3:]])
        return float(log_softmax(nu, axis=1)[np.arange(len(data)), y].sum())

    return loglik


def test_a_category_that_a_covariate_excludes(frame):
    """b and c over a are infinite, c over b is not: its estimate is the difference, which no single row reports."""
    fit = Model("nom :: multinomial\nnom ~ x + d").fit(frame)
    p = fit.params.set_index("name").est
    assert [d.slug for d in fit.diagnostics] == ["coefficient-at-infinity"]
    assert fit.converged
    assert (p["nom@b ~ d"], p["nom@c ~ d"]) == (np.inf, np.inf)
    # c over b stays free where the coefficient of b is far out
    loglik = nominal(frame)
    shifted = supremum(lambda b: loglik(np.r_[b[:2], 60.0, b[2:4], 60.0 + b[4]]), [0.0] * 5, {})
    assert fit.loglik == pytest.approx(shifted, abs=1e-6)
    assert np.isfinite(fit.params.set_index("name").se[["nom@b ~ x", "nom@c ~ x", "nom@b ~1"]]).all()


def adjacent(nu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    steps = np.cumsum(np.column_stack([np.zeros(len(nu)), nu[:, None] - tau]), axis=1)
    return log_softmax(steps, axis=1)


def sequential(nu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    go, stop = log_expit(nu[:, None] - tau), log_expit(tau - nu[:, None])
    passed = np.cumsum(np.column_stack([np.zeros(len(nu)), go]), axis=1)
    return passed + np.column_stack([stop, np.zeros(len(nu))])


def cumulative(nu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    above = np.column_stack([np.ones(len(nu)), expit(nu[:, None] - tau), np.zeros(len(nu))])
    with np.errstate(divide="ignore"):
        return np.log(-np.diff(above, axis=1))


@pytest.mark.parametrize(("kind", "logp"), [("adjacent", adjacent), ("sequential", sequential)])
def test_the_highest_category_always(frame, kind, logp):
    """Rows that are always in the last category say nothing of the rest."""
    fit = Model(f"always :: {kind}\nalways ~ x + d").fit(frame)
    rest = Model(f"always :: {kind}\nalways ~ x").fit(frame[frame.d == 0])
    assert fit.converged
    assert {d.slug for d in fit.diagnostics} == {"coefficient-at-infinity"}
    assert fit.params.set_index("name").est["always ~ d"] == np.inf
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    both = fit.params.set_index("name").loc[rest.params.name, ["est", "se"]].to_numpy(float)
    np.testing.assert_allclose(both, rest.params[["est", "se"]].to_numpy(float), rtol=2e-4)

    def loglik(b: np.ndarray) -> float:
        nu = b[0] * frame.x.to_numpy() + b[1] * frame.d.to_numpy()
        return float(logp(nu, b[2:])[np.arange(240), frame.always].sum())

    assert fit.loglik == pytest.approx(supremum(loglik, [0.5, 0.0, -1.0, 0.0, 1.0], {1: 60.0}), abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "logp"), [("adjacent", adjacent), ("sequential", sequential), ("ordinal", cumulative)]
)
def test_the_lowest_category_never(frame, kind, logp):
    """A covariate of one threshold excludes a category; the rows that it concerns count among the others."""
    fit = Model(f"never :: {kind}\nnever ~ x\nnever | t1 ~ d").fit(frame)
    assert {d.slug for d in fit.diagnostics} == {"coefficient-at-infinity"}
    assert fit.params.set_index("name").est["never|t1 ~ d"] == -np.inf

    def loglik(b: np.ndarray) -> float:
        tau = b[2:] + np.column_stack([b[1] * frame.d, np.zeros((240, 2))])
        return float(logp(b[0] * frame.x.to_numpy(), tau)[np.arange(240), frame.never].sum())

    assert fit.loglik == pytest.approx(supremum(loglik, [0.5, 0.0, -1.0, 0.0, 1.0], {1: -60.0}), abs=1e-6)


def test_a_group_without_the_highest_category(frame):
    """The category below it keeps the boundary between them and the rest: its rows still count."""
    data = frame.assign(k=np.where(frame.g % 2, "A", "B"))
    data["o"] = np.where(data.k == "A", np.minimum(data.o, 2), data.o) + 1
    fit = Model("groups: k\no :: ordinal(logit)\no ~ x").fit(data)
    own = Model("o :: ordinal(logit)\no ~ x").fit(data[data.k == "A"])
    rest = Model("o :: ordinal(logit)\no ~ x").fit(data[data.k == "B"])
    assert fit.loglik == pytest.approx(own.loglik + rest.loglik, abs=1e-6)
    p = fit.params[fit.params.group == "A"].set_index("name")
    assert np.isinf(p.est).sum() == 1
    assert p.est[np.isinf(p.est)].index[0].startswith("o | t3")


def test_an_alternative_that_is_always_ranked_first(frame):
    fit = Model("rank :: ranking(set=trip)\nrank ~ x + own").fit(frame)
    p = fit.params.set_index("name")
    assert {d.slug for d in fit.diagnostics} == {"coefficient-at-infinity"}
    assert p.est["rank ~ own"] == np.inf
    # the rest is the ranking of the other alternatives
    others = frame[frame.own == 0].copy()
    others["rank"] = others.groupby("trip")["rank"].rank().astype(int)
    rest = Model("rank :: ranking(set=trip)\nrank ~ x").fit(others)
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-6)
    assert tuple(p.loc["rank ~ x", ["est", "se"]]) == pytest.approx(tuple(rest.params.loc[0, ["est", "se"]]), rel=1e-4)


@pytest.mark.parametrize("kind", ["adjacent", "sequential"])
def test_whatever_the_latent_variables_are(frame, kind):
    fit = Model(f"always :: {kind}\nalways ~ x + d + (1 | g)").fit(frame)
    rest = Model(f"always :: {kind}\nalways ~ x + (1 | g)").fit(frame[frame.d == 0])
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-5)


@pytest.mark.parametrize("kind", ["adjacent", "sequential", "multinomial"])
def test_nothing_is_left(frame, kind):
    data = frame.assign(v=np.digitize(frame.x, [-0.5, 0.5]))
    with pytest.raises(sl.FitError) as problem:
        Model(f"v :: {kind}\nv ~ x").fit(data)
    assert [d.slug for d in problem.value.diagnostics if d.is_error] == ["unbounded-likelihood"]


@pytest.mark.parametrize("kind", ["adjacent", "sequential", "multinomial"])
def test_data_that_overlap(frame, kind):
    assert not Model(f"o :: {kind}\no ~ x + z").fit(frame).diagnostics


@pytest.mark.parametrize(
    "text",
    [
        "nom :: multinomial\nnom ~ x",
        "nom :: multinomial\nnom ~ x + (1|g)",
        "o :: adjacent\no ~ x",
        "o :: ordinal\no ~ x",
    ],
)
def test_what_overlaps_is_seen_without_a_linear_program(
    text: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes longer than the fit where there are many rows."""

    def program(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(separation, "_direction", program)
    rng = np.random.default_rng(1)
    data = frame.assign(nom=rng.choice(list("abc"), len(frame)), o=rng.integers(0, 4, len(frame)))
    assert sl.Model(text).fit(data, threads=1, se="none", points=1).converged
