"""Four fallible tests of a disease whose probability depends on age; and the maximum by scipy alone."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

TRUTH = {"sensitivity": [0.9, 0.8, 0.7, 0.85], "specificity": [0.9, 0.95, 0.8, 0.7], "age": 0.8, "one": -0.4}


def data() -> pd.DataFrame:
    """Return the tests and the age, in decades from its mean, of 600 people."""
    rng = np.random.default_rng(20)
    age = rng.normal(size=600).round(2)
    sick = rng.random(600) < expit(TRUTH["one"] + TRUTH["age"] * age)
    p = np.where(sick[:, None], TRUTH["sensitivity"], 1 - np.array(TRUTH["specificity"]))
    tests = (rng.random((600, 4)) < p).astype(int)
    return pd.DataFrame(tests, columns=[f"test{k}" for k in range(1, 5)]).assign(age=age)


def maximum(frame: pd.DataFrame) -> tuple[float, np.ndarray]:
    """Return the largest log-likelihood and its parameters: intercept and slope of membership, logits by class."""
    y, age = frame.iloc[:, :4].to_numpy(), frame.age.to_numpy()

    def minus(t):
        nu = t[2:].reshape(2, 4)
        tests = [-np.logaddexp(0, np.where(y == 1, -n, n)).sum(axis=1) for n in nu]
        m = t[0] + t[1] * age
        return -np.logaddexp(tests[0] - np.logaddexp(0, -m), tests[1] - np.logaddexp(0, m)).sum()

    found = [minimize(minus, np.r_[0.0, 0.0, s * np.ones(4), -s * np.ones(4)], method="BFGS") for s in (1.0, 2.0)]
    best = min(found, key=lambda f: f.fun)
    return -best.fun, best.x


if __name__ == "__main__":
    frame = data()
    frame.to_csv("tests.csv", index=False)
    print(*maximum(frame))
