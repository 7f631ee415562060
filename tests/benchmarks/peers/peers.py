"""``python peers.py FILE WORK``: processor seconds, log-likelihood, package and version of the Python peer."""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", RAYON_NUM_THREADS="1")

import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import pandas as pd

FACTORS = "\n".join(f"f{k + 1} =~ " + " + ".join(f"y{k * 5 + j}" for j in range(1, 6)) for k in range(10))

Fitted = tuple[Callable[[], object], Callable[[object], float]]
"""A fit, and what gives its log-likelihood."""


def stepmix(data: pd.DataFrame) -> Fitted:
    """Four latent classes."""
    from stepmix import StepMix

    y = data.to_numpy() - int(data.min().min())
    options = {"random_state": 1, "verbose": 0, "progress_bar": 0, "max_iter": 5000, "abs_tol": 1e-10, "rel_tol": 0}
    return lambda: StepMix(4, measurement="binary", **options).fit(y), lambda model: model.score(y) * len(y)


def semopy(data: pd.DataFrame) -> Fitted:
    """Ten factors, without standard errors; its objective is no log-likelihood."""
    from semopy import Model

    def fit() -> object:
        model = Model(FACTORS)
        model.fit(data)
        return model

    return fit, lambda model: float("nan")


def mirt(data: pd.DataFrame, errors: bool) -> Fitted:
    """2PL with the defaults."""
    from mirt import fit_mirt

    y = data.to_numpy()
    return lambda: fit_mirt(y, compute_standard_errors=errors), lambda found: found.log_likelihood


def mixedlm(data: pd.DataFrame) -> Fitted:
    """Logit with a slope, by Laplace."""
    from mixedlm import families, glmer

    formula = "y ~ x1 + x2 + x3 + (x1 | id)"
    return lambda: glmer(formula, data, family=families.Binomial()), lambda found: float(found.logLik().value)


PEERS: dict[str, tuple[str, Callable[[pd.DataFrame], Fitted]]] = {
    "classes": ("stepmix", stepmix),
    "factors_semopy": ("semopy", semopy),
    "irt_python": ("mirt", lambda data: mirt(data, False)),
    "irt_se_python": ("mirt", lambda data: mirt(data, True)),
    "slope_python": ("mixedlm", mixedlm),
}


def main(file: str, work: str) -> None:
    """Print seconds, log-likelihood, package and version."""
    package, peer = PEERS[work]
    fit, loglik = peer(pd.read_csv(file))
    begin = time.process_time()
    found = fit()
    seconds = time.process_time() - begin
    print(seconds, loglik(found), package, version(package))


if __name__ == "__main__":
    main(*sys.argv[1:])
