"""Covariance matrices of random effects with shared or constrained cells: maxima on the border of what can be.

Maxima are found by brute force: the dense normal likelihood in parameters that can't leave the border, by scipy; for
binary responses the sum over a grid of the two dimensions that are left on the border.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp

from semlang import Fit, Model

THREE = "cluster: g\n{0} ~ 1 + u1[g]:p + u2[g]:q + u3[g]:r\n"
COMPOUND = THREE + "u1 ~~ v*u1\nu2 ~~ v*u2\nu3 ~~ v*u3\nu1 ~~ c*u2 + c*u3\nu2 ~~ c*u3\n"
TOEPLITZ = THREE + "u1 ~~ v*u1\nu2 ~~ v*u2\nu3 ~~ v*u3\nu1 ~~ c*u2 + d*u3\nu2 ~~ c*u3\n"


def effects(seed: int = 1, groups: int = 40) -> pd.DataFrame:
    """Effects of three conditions whose sum is zero in each group: a correlation of -1/2."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"g": np.repeat(np.arange(groups), 6), "t": np.tile([0, 1, 2], 2 * groups)})
    u = rng.normal(size=(groups, 3))
    u -= u.mean(axis=1, keepdims=True)
    frame["y"] = u[frame.g, frame.t] + 0.3 * rng.normal(size=len(frame))
    for k, name in enumerate("pqr"):
        frame[name] = (frame.t == k).astype(float)
    return frame.assign(b=(frame.y > 0).astype(int))


def dense(
    frame: pd.DataFrame, psi: Callable[[np.ndarray], np.ndarray], starts: list[list[float]], y: str = "y"
) -> float:
    """Maximum of the normal likelihood over (mean, log residual variance, what psi takes)."""
    Z, rows = np.eye(3)[frame.t[frame.g == 0].to_numpy()], frame[y].to_numpy().reshape(-1, 6)

    def minus(p: np.ndarray) -> float:
        V = Z @ psi(p[2:]) @ Z.T + np.exp(p[1]) * np.eye(6)
        e = rows - p[0]
        return float(0.5 * (len(rows) * np.linalg.slogdet(2 * np.pi * V)[1] + np.sum(e * np.linalg.solve(V, e.T).T)))

    options = {"maxiter": 20000, "maxfev": 20000, "xatol": 1e-9, "fatol": 1e-11}
    return -min(minimize(minus, [0.0, -2.0, *s], method="Nelder-Mead", options=options).fun for s in starts)


def compound(p: np.ndarray) -> np.ndarray:
    """v = exp(p0), correlation between -1/2 and 1."""
    r = -0.5 + 1.5 / (1.0 + np.exp(-p[1]))
    return np.asarray(np.exp(p[0]) * ((1 - r) * np.eye(3) + r))


def toeplitz(p: np.ndarray) -> np.ndarray:
    """Correlations r1 in (-1, 1), r2 between 2 r1^2 - 1 and 1: where the determinant is not negative."""
    r1 = np.tanh(p[1])
    r2 = 2 * r1**2 - 1 + (2 - 2 * r1**2) / (1.0 + np.exp(-p[2]))
    return np.asarray(np.exp(p[0]) * np.array([[1, r1, r2], [r1, 1, r1], [r2, r1, 1]]))


def slugs(fit: Fit) -> set[str]:
    return {d.slug for d in fit.diagnostics}


def test_compound_symmetry_on_its_border() -> None:
    frame = effects(1)
    fit = Model(COMPOUND.format("y")).fit(frame)
    assert fit.converged
    assert fit.loglik == pytest.approx(dense(frame, compound, [[-0.5, -6.0], [0.0, 0.0]]), abs=1e-5)
    v, c = (float(fit.params.query(f"label == '{k}'").est.iloc[0]) for k in "vc")
    assert c == pytest.approx(-v / 2, rel=1e-6)  # an eigenvalue of 1e-8 of the variances
    (said,) = [d for d in fit.diagnostics if d.slug == "singular-covariance"]
    assert all(name in said.message for name in ("u1", "u2", "u3", "rank 2"))
    assert (fit.params.query("free > 0").se > 0).all()


@pytest.mark.parametrize("seed", [2, 8])
def test_a_border_that_is_no_plane(seed: int) -> None:
    """Equal variances, c between neighbours, d between the others: the determinant is zero on a parabola."""
    frame = effects(seed)
    fit = Model(TOEPLITZ.format("y")).fit(frame)
    assert fit.converged
    assert fit.loglik == pytest.approx(dense(frame, toeplitz, [[-0.5, -0.5, -5.0], [0.0, 0.0, 0.0]]), abs=1e-5)
    assert "singular-covariance" in slugs(fit)


def test_inside_of_the_border_nothing_changes() -> None:
    rng = np.random.default_rng(3)
    frame = effects(3)
    u = rng.normal(size=(40, 3)) + rng.normal(size=(40, 1))
    frame["y"] = u[frame.g, frame.t] + 0.5 * rng.normal(size=len(frame))
    fit = Model(COMPOUND.format("y")).fit(frame)
    assert fit.loglik == pytest.approx(dense(frame, compound, [[0.5, 0.0]]), abs=1e-5)
    assert "singular-covariance" not in slugs(fit)


def test_two_equal_variances_that_correlate_perfectly() -> None:
    """v, v, c at c = v: one effect of both. The likelihood is that of a random intercept."""
    rng = np.random.default_rng(2)
    frame = effects(2).query("t < 2").copy()
    frame["y"] = rng.normal(size=40)[frame.g] + 0.5 * rng.normal(size=len(frame))
    text = "cluster: g\ny ~ 1 + u1[g]:p + u2[g]:q\nu1 ~~ v*u1 + c*u2\nu2 ~~ v*u2"
    both, one = Model(text).fit(frame), Model("y ~ 1 + (1 | g)").fit(frame)
    assert both.converged
    assert both.loglik >= one.loglik - 1e-6
    if both.loglik < one.loglik + 1e-5:
        assert slugs(both) & {"singular-covariance", "correlation-at-one"}


def test_binary_responses_on_the_border() -> None:
    frame = effects()
    fit = Model("b :: binomial(logit)\n" + COMPOUND.format("b")).fit(frame)
    assert fit.converged
    assert "singular-covariance" in slugs(fit)
    h = np.linspace(-7.0, 7.0, 71)
    w = np.stack(np.meshgrid(h, h), axis=-1).reshape(-1, 2)
    weight = -0.5 * (w**2).sum(axis=1) - np.log(2 * np.pi) + 2 * np.log(h[1] - h[0])

    def loglik(mean: float, v: float) -> float:
        values, vectors = np.linalg.eigh(1.5 * v * np.eye(3) - 0.5 * v)
        u = mean + w @ (vectors[:, 1:] * np.sqrt(values[1:])).T
        sign = 2.0 * frame.b.to_numpy().reshape(-1, 2, 3).sum(axis=1) - 2.0  # of two, in the order of conditions
        both = np.stack([2 * log_expit(-u), log_expit(u) + log_expit(-u), 2 * log_expit(u)])
        per = sum(both[(sign[:, k] / 2 + 1).astype(int), :, k] for k in range(3))
        return float(logsumexp(per + weight, axis=1).sum())

    b0 = float(fit.params.query("op == '~1' and lhs == 'b'").est.iloc[0])
    v = float(fit.params.query("label == 'v'").est.iloc[0])
    here = loglik(b0, v)
    assert fit.loglik == pytest.approx(here, abs=1e-3)  # the ladder of points ends there
    assert here > max(loglik(b0 + 0.1, v), loglik(b0 - 0.1, v), loglik(b0, 0.9 * v), loglik(b0, 1.1 * v))


@pytest.mark.parametrize(
    ("bound", "free"),
    [
        ("c < -0.1", lambda p: (np.exp(p[0]), np.exp(p[1]), -0.1 - np.exp(p[2]))),
        ("c == 0.5*sqrt(v*w)", lambda p: (np.exp(p[0]), np.exp(p[1]), 0.5 * np.exp((p[0] + p[1]) / 2))),
        ("v < 0.2", lambda p: (0.2 / (1 + np.exp(-p[0])), np.exp(p[1]), p[2])),
    ],
)
def test_bounds_and_constraints_of_covariances(
    bound: str, free: Callable[[np.ndarray], tuple[float, float, float]]
) -> None:
    frame = effects(6)
    text = f"cluster: g\ny ~ 1 + u1[g]:p + u2[g]:q\nu1 ~~ v*u1 + c*u2\nu2 ~~ w*u2\n{bound}"
    fit = Model(text).fit(frame)

    def psi(p: np.ndarray) -> np.ndarray:
        v, w, c = free(p)
        out = np.array([[v, c, 0.0], [c, w, 0.0], [0.0, 0.0, 0.0]])
        return out if v * w >= c * c else np.full((3, 3), np.inf)

    def least(start: list[float]) -> float:
        with np.errstate(all="ignore"):
            return dense(frame, lambda p: np.nan_to_num(psi(p), nan=1e6, posinf=1e6), [start])

    best = max(least([a, b, c]) for a in (-1.0, 0.5) for b in (-1.0,) for c in (-2.0, -0.2))
    assert fit.converged
    assert fit.loglik == pytest.approx(best, abs=1e-4)  # of a simplex at an edge


@pytest.mark.parametrize("left", [0.1, 1e-3])
def test_near_the_border_is_not_flat(left: float) -> None:
    """Compound symmetry of four responses: the standard errors of its two eigenvalues are known."""
    rng = np.random.default_rng(5)
    e = rng.normal(size=(200, 4))
    e -= (1.0 - left) * e.mean(axis=1, keepdims=True)
    names = "hijk"
    text = "\n".join(
        f"{a} ~~ " + " + ".join(("v*" if a == b else "c*") + b for b in names[i:]) for i, a in enumerate(names)
    )
    fit = Model(text).fit(pd.DataFrame(e, columns=list(names)))
    assert fit.converged
    assert not slugs(fit)
    S = np.cov(e.T, bias=True)
    sums = float(np.full(4, 0.5) @ S @ np.full(4, 0.5))
    rest = (float(np.trace(S)) - sums) / 3
    row = fit.params.set_index("label")
    assert float(row.loc["v", "est"].iloc[0]) == pytest.approx((3 * rest + sums) / 4, rel=1e-6)
    se = np.sqrt(9 * rest**2 * 2 / 600 + sums**2 * 2 / 200) / 4
    assert float(row.loc["v", "se"].iloc[0]) == pytest.approx(se, rel=1e-3)  # the information's condition is 1e12


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_units_of_covariances_do_not_matter(unit: float) -> None:
    frame = effects()
    frame["y"] = frame.y * unit
    fit = Model(COMPOUND.format("y")).fit(frame)
    assert fit.converged
    assert fit.loglik + len(frame) * np.log(unit) == pytest.approx(-150.12882, abs=1e-4)  # brute force, unit 1
