"""A binary exposure that is known for a third of all, and a fallible measure of it; the maximum by scipy alone."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

TRUTH = {"effect of exposure": 1.2, "sensitivity": 0.8, "specificity": 0.85}


def data() -> pd.DataFrame:
    """Return disease, fallible measure, covariate and, for some, the exposure of 900 people."""
    rng = np.random.default_rng(24)
    z = rng.normal(size=900).round(2)
    x = rng.random(900) < expit(-0.5 + 0.6 * z)
    w = (rng.random(900) < np.where(x, 0.8, 0.15)).astype(int)
    d = (rng.random(900) < expit(-1.0 + 1.2 * x + 0.5 * z)).astype(int)
    gold = np.where(rng.random(900) < 0.33, x.astype(float), np.nan)
    return pd.DataFrame({"d": d, "w": w, "z": z, "x_gold": gold})


def maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood and its parameters, in the order of the text."""
    w, d, z = frame.w.to_numpy(), frame.d.to_numpy(), frame.z.to_numpy()
    known = frame.x_gold.to_numpy()

    def bernoulli(y, nu):
        return -np.logaddexp(0, np.where(y == 1, -nu, nu))

    def minus(t):
        m = t[0] + t[1] * z  # logit of the first class: not exposed
        none = -np.logaddexp(0, -m) + bernoulli(w, t[2]) + bernoulli(d, t[4] + t[6] * z)
        some = -np.logaddexp(0, m) + bernoulli(w, t[2] + t[3]) + bernoulli(d, t[4] + t[5] + t[6] * z)
        return -np.where(known == 0, none, np.where(known == 1, some, np.logaddexp(none, some))).sum()

    best = minimize(minus, np.r_[0.5, 0, -1.5, 3, -1, 1, 0], method="BFGS")
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("exposure.csv", index=False)
    print(*maximum(frame))
