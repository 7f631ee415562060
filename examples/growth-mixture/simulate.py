"""Two kinds of growth over five waves; and the maximum by scipy alone."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

TRUTH = {"sizes": [0.65, 0.35], "intercepts": [0.0, 2.0], "slopes": [0.6, -0.3]}
WAVES = np.arange(5.0)


def data() -> pd.DataFrame:
    """Return five waves of 400 children."""
    rng = np.random.default_rng(21)
    second = rng.random(400) < TRUTH["sizes"][1]
    i = np.where(second, 2.0, 0.0) + 0.8 * rng.normal(size=400)
    s = np.where(second, -0.3, 0.6) + 0.3 * rng.normal(size=400)
    y = i[:, None] + s[:, None] * WAVES + 0.7 * rng.normal(size=(400, 5))
    return pd.DataFrame(y.round(3), columns=[f"y{k}" for k in range(1, 6)])


def maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood and its parameters: logit, means, Cholesky factor, log residual SDs."""
    y = frame.to_numpy()
    L = np.column_stack([np.ones(5), WAVES])

    def minus(t):
        F = np.array([[t[5], 0.0], [t[6], t[7]]])
        S = L @ F @ F.T @ L.T + np.diag(np.exp(2 * t[8:]))
        a, b = (multivariate_normal(L @ m, S).logpdf(y) for m in (t[1:3], t[3:5]))
        return -np.logaddexp(a - np.logaddexp(0, -t[0]), b - np.logaddexp(0, t[0])).sum()

    start = np.r_[0.5, 0, 0.5, 2, -0.5, 0.8, 0, 0.3, np.full(5, -0.3)]
    best = minimize(minus, start, method="BFGS")
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("growth.csv", index=False)
    print(*maximum(frame))
