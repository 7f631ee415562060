"""Binary and graded items, steep and wide: the end is the maximum of the integral on a dense grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from scipy.stats import norm

import semlang as sl

GRID = np.linspace(-7.0, 7.0, 401)
WEIGHT = norm.logpdf(GRID) + np.log(GRID[1] - GRID[0])
RUNS_AWAY = {6, 29}
"""Seeds in which the grid's likelihood rises to loadings above 70, too."""


def items(seed: int) -> tuple[np.ndarray, int]:
    """Return responses 0 to K - 1 of 60 to 250 respondents to four to six items, and K."""
    rng = np.random.default_rng(1000 + seed)
    n, J, K = int(rng.integers(60, 250)), int(rng.integers(4, 7)), int(rng.integers(2, 5))
    f = rng.normal(size=n)
    a = rng.uniform(0.8, 4.0, J)
    at = np.sort(rng.normal(size=(J, K - 1)) * 1.5, axis=1) + np.arange(K - 1) * 0.8
    above = [(rng.random(n)[:, None] < expit(a[j] * f[:, None] - 0.6 * a[j] * at[j])).sum(axis=1) for j in range(J)]
    return np.stack(above, axis=1), K


def on_a_grid(Y: np.ndarray, K: int, p: np.ndarray) -> float:
    """Return the log-likelihood at slopes, first thresholds and logarithms of distances, item by item."""
    out = np.tile(WEIGHT, (len(Y), 1))
    for j, (a, first, *distances) in enumerate(p.reshape(Y.shape[1], K)):
        t = first + np.concatenate([[0.0], np.cumsum(np.exp(distances))])
        P = np.vstack([np.ones(GRID.size), expit(a * GRID - t[:, None]), np.zeros(GRID.size)])
        out = out + np.log(np.maximum(P[Y[:, j]] - P[Y[:, j] + 1], 1e-300))
    return float(logsumexp(out, axis=1).sum())


def check(seed: int) -> None:
    Y, K = items(seed)
    J = Y.shape[1]
    if any(np.unique(column).size < K for column in Y.T):
        return
    names = [f"i{j}" for j in range(J)]
    kind = "binomial(logit)" if K == 2 else "ordinal(logit)"
    text = "\n".join(["options: std.lv = true", *(f"{i} :: {kind}" for i in names), "f =~ " + " + ".join(names)])
    model, data = sl.Model(text), pd.DataFrame(Y, columns=names)
    if seed in RUNS_AWAY:
        with pytest.raises(sl.FitError, match="unbounded-likelihood"):
            model.fit(data)
        return
    fit = model.fit(data)
    assert fit.converged, seed
    p = fit.params
    start: list[float] = []
    for i in names:
        start += p[(p.op == "=~") & (p.rhs == i)].est.to_list()
        t = -p[(p.op == "~1") & (p.lhs == i)].est if K == 2 else p[(p.op == "|") & (p.lhs == i)].est
        start += [t.iloc[0], *np.log(np.diff(t))]
    top = minimize(lambda x: -on_a_grid(Y, K, x), start, method="L-BFGS-B", options={"maxiter": 200})
    assert fit.loglik == pytest.approx(-top.fun, abs=2e-3), seed  # the number of points settles at 1e-3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [4, 8, 27])
def test_steep_items(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_thirty_tests() -> None:
    for seed in range(30):
        check(seed)
