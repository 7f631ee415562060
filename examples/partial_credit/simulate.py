"""Four items with four categories, of which the next can be harder or easier than the one before; and brute force."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import logsumexp

SLOPES = np.array([1.0, 1.5, 0.8, 1.2])
THRESHOLDS = np.array([[-1.5, -0.5, 0.5], [-0.5, -0.8, 1.0], [-2.0, 0.0, 0.3], [-0.3, 0.6, 1.4]])


def data() -> pd.DataFrame:
    """Return the answers, from 0 to 3, of 500 people."""
    rng = np.random.default_rng(31)
    ability = rng.standard_normal(500)
    steps = SLOPES[:, None] * ability[:, None, None] - THRESHOLDS
    logits = np.concatenate([np.zeros((500, 4, 1)), np.cumsum(steps, axis=2)], axis=2)
    answers = (logits + rng.gumbel(size=logits.shape)).argmax(axis=2)
    return pd.DataFrame(answers, columns=[f"item{k}" for k in range(1, 5)])


def expanded(model: str, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes (4,) and thresholds (4, 3) of a model at its own parameters."""
    if model == "generalised":
        return t[:4], t[4:].reshape(4, 3)
    slopes = np.repeat(t[0], 4)  # the standard deviation of the ability
    if model == "partial credit":
        return slopes, t[1:].reshape(4, 3)
    return slopes, t[1:4] - np.r_[0.0, t[4:]][:, None]  # rating scale: steps, and locations of items 2 to 4


def maximum(frame: pd.DataFrame, model: str = "generalised") -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood, by 61 equispaced nodes, and its parameters."""
    y = frame.to_numpy()
    z = np.linspace(-6.0, 6.0, 61)
    log_w = -0.5 * z**2 - logsumexp(-0.5 * z**2)

    def minus(t):
        slopes, thresholds = expanded(model, t)
        steps = slopes[:, None, None] * z - thresholds[:, :, None]
        logits = np.concatenate([np.zeros((4, 1, z.size)), np.cumsum(steps, axis=1)], axis=1)
        logs = logits - logsumexp(logits, axis=1, keepdims=True)
        return -logsumexp(sum(logs[k, y[:, k]] for k in range(4)) + log_w, axis=1).sum()

    size = {"generalised": 16, "partial credit": 13, "rating scale": 7}[model]
    start = np.r_[np.ones(4 if model == "generalised" else 1), np.zeros(size)][:size]
    best = minimize(minus, start, method="BFGS", options={"gtol": 1e-4})
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("answers.csv", index=False)
    for model in ("generalised", "partial credit", "rating scale"):
        print(model, *maximum(frame, model))
