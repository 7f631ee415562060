"""A treatment that some would not take, whose compliance is seen where it is offered; the maximum by scipy alone."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

TRUTH = {"effect on compliers": 0.8, "difference of compliers": 0.5}


def data() -> pd.DataFrame:
    """Return the outcome of 800 people, half of whom were offered a treatment."""
    rng = np.random.default_rng(23)
    x = rng.normal(size=800).round(2)
    complier = rng.random(800) < expit(0.3 + 0.7 * x)
    treated = np.tile([0, 1], 400)
    y = 1.0 + 0.5 * complier + 0.8 * complier * treated + rng.normal(size=800)
    complied = np.where(treated == 1, complier.astype(float), np.nan)
    return pd.DataFrame({"y": y.round(3), "x": x, "treated": treated, "complied": complied})


def maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood and its parameters: logit of never-takers, mean, effect, log SD."""
    known = frame.complied.to_numpy()

    def minus(t):
        never = norm.logpdf(frame.y, t[2], np.exp(t[5])) - np.logaddexp(0, -(t[0] + t[1] * frame.x))
        complier = norm.logpdf(frame.y, t[2] + t[3] + t[4] * frame.treated, np.exp(t[5]))
        complier = complier - np.logaddexp(0, t[0] + t[1] * frame.x)
        return -np.where(known == 0, never, np.where(known == 1, complier, np.logaddexp(never, complier))).sum()

    best = minimize(minus, np.r_[0, 0, 1, 0.5, 0.5, 0.0], method="BFGS")
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("trial.csv", index=False)
    print(*maximum(frame))
