"""Two factors whose product acts on an outcome; and the maximum by scipy on a grid of the first factor."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import norm

TRUTH = {"f1": 0.4, "f2": 0.5, "f1:f2": 0.35}
GRID = np.linspace(-6.0, 6.0, 121)


def data() -> pd.DataFrame:
    """Return three indicators of each factor and the outcome of 500 people."""
    rng = np.random.default_rng(22)
    f = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 500)
    x = np.c_[f[:, [0]] * [1, 0.8, 0.9], f[:, [1]] * [1, 0.8, 0.9]] + 0.6 * rng.normal(size=(500, 6))
    y = 0.4 * f[:, 0] + 0.5 * f[:, 1] + 0.35 * f[:, 0] * f[:, 1] + 0.7 * rng.normal(size=500)
    return pd.DataFrame(np.c_[x, y].round(3), columns=[*(f"x{k}" for k in range(1, 7)), "y"])


def loglik(frame: pd.DataFrame, t: np.ndarray) -> float:
    """Return the log-likelihood: given f1, the second factor and its responses are jointly normal.

    The parameters are loadings (4), slopes (3), intercepts (7), log residual SDs (7), log SD of f1, regression of f2 on
    f1 and its log residual SD.
    """
    load, slope, one, sd = t[:4], t[4:7], t[7:14], np.exp(t[14:21])
    s1, b, s2 = np.exp(t[21]), t[22], np.exp(t[23])
    f = s1 * GRID
    total = norm.logpdf(GRID) + np.log(GRID[1] - GRID[0]) + np.zeros((len(frame), 1))
    z = frame.to_numpy()
    for k, a in enumerate((1.0, *load[:2])):
        total = total + norm.logpdf(z[:, [k]], one[k] + a * f, sd[k])
    loads = [np.full_like(f, a) for a in (1.0, *load[2:])] + [slope[1] + slope[2] * f]
    offset = [one[3], one[4], one[5], one[6] + slope[0] * f]
    precision, weighted = np.full_like(f, 1 / s2**2), 0.0
    for k, (a, c) in enumerate(zip(loads, offset, strict=True), 3):
        r = z[:, [k]] - c - a * (b * f)
        total = total + norm.logpdf(r, 0.0, sd[k])
        precision = precision + a**2 / sd[k] ** 2
        weighted = weighted + a * r / sd[k] ** 2
    total = total + 0.5 * weighted**2 / precision - np.log(s2) - 0.5 * np.log(precision)
    return float(logsumexp(total, axis=1).sum())


def maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood and its parameters."""
    start = np.r_[0.8, 0.9, 0.8, 0.9, 0.4, 0.5, 0.3, np.zeros(7), np.full(7, -0.5), 0.0, 0.3, 0.0]
    best = minimize(lambda t: -loglik(frame, t), start, method="BFGS")
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("interaction.csv", index=False)
    print(*maximum(frame))
