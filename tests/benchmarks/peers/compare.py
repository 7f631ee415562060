"""Whole fits beside those of R packages, on the same simulated data, one thread, in one run.

``python tests/benchmarks/peers/compare.py [--data FOLDER] [CASE ...]`` prints seconds of processor time from the text
to the fit, the ratio to the peer (if Rscript and the package are installed) and how many exponentials numpy computes in
that time. With a folder the data are its files of the names in `FILES`; else they are simulated here.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import semlang

FACTORS = "\n".join(f"f{k + 1} =~ " + " + ".join(f"y{k * 5 + j}" for j in range(1, 6)) for k in range(10))
SLOPE = "y :: binomial(logit)\ny ~ x1 + x2 + x3 + (1 + x1 | id)\n"
THREE = "cluster: top/id\ny :: binomial(logit)\ny ~ x1 + x2 + (1 | top/id)\n"


def logistic(rng: np.random.Generator, nu: np.ndarray) -> np.ndarray:
    """Draw responses."""
    return (rng.random(nu.size) < 1 / (1 + np.exp(-nu))).astype(int)


def logit_slope() -> pd.DataFrame:
    """5,000 clusters of 20."""
    rng = np.random.default_rng(2)
    ids = np.repeat(np.arange(5000), 20)
    x1, x2, x3 = rng.normal(size=ids.size), rng.normal(size=5000)[ids], rng.integers(0, 2, ids.size)
    u = rng.normal(size=(5000, 2)) @ np.array([[1.0, 0.3], [0.0, 0.6]])
    nu = -0.5 + 0.8 * x1 + 0.4 * x2 - 0.3 * x3 + u[ids, 0] + u[ids, 1] * x1
    return pd.DataFrame({"id": ids, "x1": x1, "x2": x2, "x3": x3, "y": logistic(rng, nu)})


def logit_three_levels() -> pd.DataFrame:
    """500 clusters of 10 clusters of 20."""
    rng = np.random.default_rng(3)
    ids = np.repeat(np.arange(5000), 20)
    x1, x2 = rng.normal(size=ids.size), rng.normal(size=5000)[ids]
    nu = -0.5 + 0.8 * x1 + 0.4 * x2 + rng.normal(size=5000)[ids] + 0.7 * rng.normal(size=500)[ids // 10]
    return pd.DataFrame({"top": ids // 10, "id": ids, "x1": x1, "x2": x2, "y": logistic(rng, nu)})


def linear_slope() -> pd.DataFrame:
    """5,000 clusters of 20."""
    rng = np.random.default_rng(4)
    ids, t = np.repeat(np.arange(5000), 20), np.tile(np.arange(20) / 10, 5000)
    u = rng.normal(size=(5000, 2)) * [1, 0.5]
    return pd.DataFrame({"id": ids, "t": t, "y": 1 + 0.5 * t + u[ids, 0] + u[ids, 1] * t + rng.normal(size=t.size)})


def factors(missing: float = 0.0) -> pd.DataFrame:
    """5,000 rows, ten correlated factors with five items each."""
    rng = np.random.default_rng(5)
    eta = rng.normal(size=(5000, 10)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(10)).T
    y = np.repeat(eta, 5, axis=1) * rng.uniform(0.5, 1, 50) + 0.7 * rng.normal(size=(5000, 50))
    y[rng.random(y.shape) < missing] = np.nan
    return pd.DataFrame(y, columns=[f"y{j + 1}" for j in range(50)])


CASES: dict[str, tuple[str, Callable[[], pd.DataFrame], tuple[dict[str, object], ...]]] = {
    "logit_slope": (SLOPE, logit_slope, ({"points": 1, "se": "none"}, {"points": 1}, {"points": 7})),
    "logit_three_levels": (THREE, logit_three_levels, ({"points": 7, "se": "none"}, {"points": 7})),
    "linear_slope": ("y ~ t + (1 + t | id)\n", linear_slope, ({"se": "none"}, {})),
    "factors": (FACTORS, factors, ({"se": "none"}, {})),
    "factors_missing": (FACTORS, lambda: factors(0.2), ({},)),
}


FILES = {
    "logit_slope": "logit_rs_100000",
    "logit_three_levels": "logit3_100000",
    "linear_slope": "lmm_100000",
    "factors": "cfa_5000x50",
    "factors_missing": "cfa_5000x50_miss20",
}


def least(run: Callable[[], object], times: int = 3) -> tuple[float, object]:
    """Return the least processor time of some runs, and the last result."""
    seconds, result = np.inf, None
    for _ in range(times):
        begin = time.process_time()
        result = run()
        seconds = min(seconds, time.process_time() - begin)
    return seconds, result


def peer(case: str, folder: Path) -> tuple[float, float] | None:
    """Return seconds and log-likelihood of the R package, or None."""
    if shutil.which("Rscript") is None or case.endswith("_missing"):
        return None
    command = ["Rscript", str(Path(__file__).parent / "peers.R"), str(folder), case]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    words = found.stdout.split()[-2:]
    return (float(words[0]), float(words[1])) if found.returncode == 0 and len(words) == 2 else None


def main(cases: list[str], given: Path | None) -> None:
    """Print a line for each fit."""
    x, out = np.linspace(-3, 3, 1 << 20), np.empty(1 << 20)
    exp = least(lambda: np.exp(x, out=out), 20)[0] / x.size
    print(f"one exponential of numpy: {exp * 1e9:.2f} ns")
    with tempfile.TemporaryDirectory() as name:
        for case in cases:
            model, simulate, options = CASES[case]
            data = simulate() if given is None else pd.read_csv(given / f"{FILES[case]}.csv")
            data.to_csv(Path(name) / f"{case}.csv", index=False)
            other = peer(case, Path(name))
            print(f"{case}: peer " + ("not run" if other is None else f"{other[0]:.2f} s, {other[1]:.3f}"))
            for option in options:
                semlang.Model(model).fit(data, threads=1, **option)
                seconds, fit = least(lambda m=model, d=data, o=option: semlang.Model(m).fit(d, threads=1, **o))
                ratio = "" if other is None else f", {other[0] / seconds:.0f} times as fast"
                print(f"  {option}: {seconds:.3f} s, {fit.loglik:.3f}{ratio}, {seconds / exp / 1e6:.1f} million exp")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    main(arguments.cases or list(CASES), arguments.data)
