"""Trips: 120 persons choose six times each among the modes that are there; and the maximum by scipy alone."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize

TRUTH = {"price": -0.9, "time": -0.6, "bus": 0.4, "train": 0.8, "sd of price": 0.6}
MODES = np.array(["bike", "bus", "car", "train"])


def data() -> pd.DataFrame:
    """Return a row an alternative; ranks of the alternatives of each trip, and which was chosen."""
    rng = np.random.default_rng(31)
    rows = []
    slopes = TRUTH["price"] + TRUTH["sd of price"] * rng.normal(size=120)
    for trip in range(720):
        there = np.sort(rng.choice(4, rng.integers(2, 5), replace=False))
        price, time = rng.gamma(2.0, 1.0, there.size).round(2), rng.gamma(3.0, 0.7, there.size).round(2)
        constant = np.array([0.0, TRUTH["bus"], 0.0, TRUTH["train"]])[there]
        u = constant + slopes[trip // 6] * price + TRUTH["time"] * time + rng.gumbel(size=there.size)
        rank = (-u).argsort().argsort() + 1
        rows += [(trip // 6 + 1, trip + 1, MODES[m], *x) for m, *x in zip(there, price, time, rank)]
    frame = pd.DataFrame(rows, columns=["person", "trip", "mode", "price", "time", "rank"])
    return frame.assign(chosen=(frame["rank"] == 1).astype(int))


def maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood of model.sem on a grid of 121 points, and its parameters, the SD last."""
    grid = np.linspace(-6.0, 6.0, 121)
    log_weight = -0.5 * grid**2 - 0.5 * np.log(2 * np.pi) + np.log(grid[1] - grid[0])
    X = np.column_stack([frame.price, frame.time, *(1.0 * (frame["mode"] == m) for m in MODES[1:])])
    trip, chosen = frame.trip.to_numpy() - 1, frame.chosen.to_numpy() == 1
    person = frame.groupby("trip").person.first().to_numpy() - 1

    def minus(t):
        nu = (X @ t[:5])[:, None] + t[5] * X[:, :1] * grid
        total = np.zeros((trip[-1] + 1, grid.size))
        np.add.at(total, trip, np.exp(nu))
        by_person = np.zeros((person[-1] + 1, grid.size))
        np.add.at(by_person, person, nu[chosen] - np.log(total))
        return -np.logaddexp.reduce(by_person + log_weight, axis=1).sum()

    best = minimize(minus, np.r_[-0.5, -0.5, 0, 0, 0, 0.5], method="BFGS")
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("trips.csv", index=False)
    print(maximum(frame))
