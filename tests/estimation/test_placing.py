"""Nodes at posterior means and standard deviations: exact gradient, right maxima where integrands look like steps."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from semlang import FitError, Model, NotConvergedWarning
from semlang.estimation import ascent, placing
from semlang.estimation.constraints import Constraints

INPUTS = Path(__file__).parent / "inputs"
TWO_PL = "options: std.lv = true\nb{{1..{0}}} :: binomial(logit)\nf =~ b{{1..{0}}}"


def _steps(seed: int, sd: float, clusters: int, size: int, mean: float = -1.0) -> pd.DataFrame:
    """Binary responses of clusters that are nearly all zero or all one."""
    rng = np.random.default_rng(seed)
    u = sd * rng.normal(size=clusters) + mean
    y = rng.random((clusters, size)) < 1.0 / (1.0 + np.exp(-u))[:, None]
    return pd.DataFrame({"y": y.ravel().astype(float), "c": np.repeat(np.arange(clusters), size)})


def _intercept_model(frame: pd.DataFrame, b: float, variance: float) -> float:
    """Log-likelihood of a logit model with a random intercept, by a grid of 40,001 nodes."""
    z = np.linspace(-8.0, 8.0, 40_001)
    w = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) * (z[1] - z[0])
    p = 1.0 / (1.0 + np.exp(np.clip(-b - np.sqrt(variance) * z, -700, 700)))
    s = frame.groupby("c")["y"].agg(["sum", "size"]).value_counts()
    return sum(n * np.log((w * p**k * (1 - p) ** (m - k)).sum()) for (k, m), n in s.items())


def _items(seed: int) -> pd.DataFrame:
    """A sample of a two-parameter logistic model with loadings of 0.8 to 3: everyday ones."""
    rng = np.random.default_rng(1000 + seed)
    J, n = int(rng.integers(4, 7)), int(rng.integers(60, 201))
    a, b = rng.uniform(0.8, 3, J), rng.uniform(-1.5, 1.5, J)
    eta = rng.normal(size=n)
    y = rng.random((n, J)) < 1.0 / (1.0 + np.exp(-(a * eta[:, None] + b)))
    return pd.DataFrame(y.astype(float), columns=[f"b{i + 1}" for i in range(J)])


def _grid_maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Maximum over a grid of 1,401 nodes by scipy's L-BFGS-B from six starts, loadings within +-60."""
    z = np.linspace(-7, 7, 1401)
    w = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) + np.log(z[1] - z[0])
    patterns, counts = np.unique(frame.to_numpy(), axis=0, return_counts=True)
    J = patterns.shape[1]

    def minus(theta):
        nu = theta[:J, None] * z + theta[J:, None]
        one, zero = -np.logaddexp(0, -nu), -np.logaddexp(0, nu)
        L = patterns @ one + (1 - patterns) @ zero + w
        top = L.max(1, keepdims=True)
        e = np.exp(L - top)
        posterior = e / e.sum(1)[:, None] * counts[:, None]
        r = patterns.T @ posterior - np.exp(one) * posterior.sum(0)
        return -counts @ (top[:, 0] + np.log(e.sum(1))), -np.concatenate([r @ z, r.sum(1)])

    found = []
    for seed in range(6):
        start = np.concatenate([np.random.default_rng(seed).uniform(0.5, 3 if seed else 1.2, J), np.zeros(J)])
        found.append(minimize(minus, start, jac=True, method="L-BFGS-B", bounds=[(-60, 60)] * J + [(-200, 200)] * J,
                              options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-7}))  # fmt: skip
    best = min(found, key=lambda r: r.fun)
    return -best.fun, best.x[:J]


@pytest.mark.parametrize("spread", [0.0, 6.0])
def test_gradient_at_nodes_that_stand_still(bind, spread):
    """Two levels, several kinds; the gradient is that of the value at the nodes as they stand."""
    rng = np.random.default_rng(4)
    n = 90
    c = np.repeat(np.arange(15), 6)
    nu = 0.4 * rng.normal(size=n) + rng.normal(size=15)[c]
    frame = pd.DataFrame(
        {"b1": (rng.random(n) < 1 / (1 + np.exp(-nu))) * 1.0, "b2": (rng.random(n) < 1 / (1 + np.exp(-2 * nu))) * 1.0,
         "g": nu + rng.normal(size=n), "o": np.digitize(nu + rng.normal(size=n), [-1, 0, 1]) * 1.0, "c": c}
    )  # fmt: skip
    text = "cluster: c\nb1 + b2 :: binomial(logit)\no :: ordinal(probit)\nf =~ b1 + b2 + g + o\nb1 + f ~ (1 | c)"
    objective = bind(text, frame).objective(points=7)
    z = np.random.default_rng(1).uniform(0.4, 0.9, objective.n)
    z[-6:] = np.sort(z[-6:])
    member = objective.members[0]
    for row in bind(text, frame).table.rows:
        if row.threshold:
            z[row.parameter] = -1.0 + 0.8 * row.threshold
    at_modes = objective.value(z)
    value = placing.settle(objective.members, objective.x(z), placing.Nodes(9, spread))
    assert member.engine.placed
    assert value == pytest.approx(at_modes, abs=0.05)
    _, gradient = objective.value_and_gradient(z)
    for k in range(z.size):
        h = np.zeros(z.size)
        h[k] = 1e-5
        slope = (objective.value(z + h) - objective.value(z - h)) / 2e-5
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    scores = objective.value_and_scores(z)[1]
    np.testing.assert_allclose(scores.sum(axis=0), gradient, rtol=1e-10, atol=1e-10)
    member.release()
    member.points = 7
    assert objective.value(z) == pytest.approx(at_modes, rel=1e-12)


def test_moments_of_a_gaussian_posterior_are_exact(bind):
    """With gaussian responses modes and curvatures are posterior means and SDs: moving the nodes changes nothing."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.normal(size=60) + np.repeat(rng.normal(size=20), 3), "c": np.repeat(range(20), 3)})
    objective = bind("y ~ 1 + (1 | c)", frame).objective(points=9)
    z = np.array([0.8, 0.3, 0.9])[: objective.n]
    before = objective.value(z)
    assert placing.settle(objective.members, objective.x(z), placing.Nodes(9)) == pytest.approx(before, abs=1e-9)


def test_clusters_of_two_with_a_huge_variance():
    """Maximum by a grid of 40,001 nodes and scipy: -233.3316 at 1.000 and 2288."""
    frame = _steps(11, 30.0, 300, 2)
    fit = Model("y :: binomial(logit)\ny ~ 1 + (1 | c)").fit(frame, threads=1)
    b, variance = (p["est"] for p in fit.parameters if p["free"])
    assert fit.converged
    assert fit.loglik == pytest.approx(-233.3316, abs=1e-3)
    assert fit.loglik == pytest.approx(_intercept_model(frame, b, variance), abs=1e-3)
    assert (b, variance) == (pytest.approx(1.000, abs=0.01), pytest.approx(2288, rel=2e-3))
    assert fit.unit_logliks.sum() == pytest.approx(fit.loglik, abs=1e-3)


@pytest.mark.parametrize(("seed", "sd", "clusters", "size"), [(1, 12.0, 150, 4), (2, 20.0, 120, 3)])
def test_other_steps(seed, sd, clusters, size):
    frame = _steps(seed, sd, clusters, size)
    fit = Model("y :: binomial(logit)\ny ~ 1 + (1 | c)").fit(frame, threads=1, se="none")
    best = minimize(lambda t: -_intercept_model(frame, t[0], np.exp(t[1])), [-1.0, 2 * np.log(sd)],
                    method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-7})  # fmt: skip
    assert fit.converged
    assert fit.loglik == pytest.approx(-best.fun, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "text", "loglik", "estimates"),
    [
        ("unsettled100", "b :: binomial(logit)\nf =~ 1*y1 + 1*b", -707.2565, {"b": -14.842}),
        ("v8", TWO_PL.format(5), -1774.8166, {"b1": 2.39, "b2": 1.44, "b3": 3.97, "b4": 1.54, "b5": 2.00}),
        ("u51", TWO_PL.format(4), -458.357, {"b1": 1.10, "b2": 1.94, "b3": 2.94, "b4": 1.23}),
    ],
)
def test_steep_items(name, text, loglik, estimates):
    """Values by brute-force integration (dense grids, scipy), see the inputs' names."""
    fit = Model(text).fit(pd.read_csv(INPUTS / f"{name}.csv"), threads=1)
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=1.5e-3)
    for item, value in estimates.items():
        op = "~1" if name == "unsettled100" else "=~"
        found = next(p["est"] for p in fit.parameters if p["op"] == op and item in (p["lhs"], p["rhs"]))
        assert found == pytest.approx(value, abs=0.01)


def _compare_with_grid(seed: int) -> None:
    frame = _items(seed)
    loglik, loadings = _grid_maximum(frame)
    model = Model(TWO_PL.format(frame.shape[1]))
    if np.abs(loadings).max() == 60.0:  # at its bound over the grid
        item = int(np.abs(loadings).argmax()) + 1
        with pytest.raises(FitError, match=rf"unbounded-likelihood.* as 'f =~ b{item}' grows"):
            model.fit(frame, threads=1)
        return
    fit = model.fit(frame, threads=1)
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=2e-3)  # the last two rules differ by less than 0.001


# samples in which quadrature at modes settles, does not settle (9, 54), runs off to a local maximum (121), has its
# maximum at a loading of 20 (136), has none (8)
@pytest.mark.parametrize("seed", [0, 9, 54, 121, 136, 8])
def test_items_against_a_grid(seed):
    _compare_with_grid(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 60))
def test_many_samples_of_items_against_a_grid(seed):
    _compare_with_grid(seed)


def test_a_likelihood_that_does_not_settle_says_so_first(monkeypatch):
    """With no more than 15 points at posterior means the steps above can't be integrated."""
    monkeypatch.setattr(placing, "RULES", placing.RULES[:2])
    with pytest.warns(NotConvergedWarning, match="runs away"):
        fit = Model("y :: binomial(logit)\ny ~ 1 + (1 | c)").fit(_steps(11, 30.0, 300, 2), threads=1)
    assert not fit.converged
    assert fit.summary().startswith("NOT CONVERGED: 'y.1[c] ~~ y.1[c]' runs away")
    assert "NOT CONVERGED" in fit._repr_html_()
    assert fit.to_json()["converged"] is False


def test_asked_points_that_are_too_few_are_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotConvergedWarning)
        fit = Model("y :: binomial(logit)\ny ~ 1 + (1 | c)").fit(_steps(1, 4.0, 60, 4), points=3, threads=1)
    assert any(d.slug == "points-not-settled" for d in fit.diagnostics)
    assert fit.estimate.points == 3


def test_no_likelihood_is_called_unbounded_on_an_approximation(monkeypatch):
    """Four points at modes let the likelihood of an ordinary sample rise for ever; the exact one does not."""
    frame = _items(54)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotConvergedWarning)
        fit = Model(TWO_PL.format(frame.shape[1])).fit(frame, points=4, threads=1)
    assert not any(d.slug == "unbounded-likelihood" for d in fit.diagnostics)
    assert any(d.slug in ("not-converged", "points-not-settled") for d in fit.diagnostics)


def test_check_is_not_skipped(monkeypatch, bind):
    """A ladder that settles by chance is found out: rules at modes are compared with nodes elsewhere."""
    frame = _steps(11, 30.0, 300, 2)
    monkeypatch.setattr(ascent, "SETTLED", 1e9)  # the first rule 'settles'
    fit = Model("y :: binomial(logit)\ny ~ 1 + (1 | c)").fit(frame, threads=1, se="none")
    assert fit.loglik == pytest.approx(-233.3316, abs=1e-3)
    assert Constraints(bind("y :: binomial(logit)\ny ~ 1 + (1 | c)", frame).table).n_free == 2
