"""Expected responses given the linear predictor: means, or probabilities of categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from semlang.estimation.kernels.families import MIXTURES
from semlang.model.table import ParameterTable, Variable

__all__ = ["INVERSE_LINKS", "expected", "has_expectation"]

Floats = NDArray[np.float64]

INVERSE_LINKS: Mapping[tuple[str, str], Callable[[Floats], Floats]] = {
    ("binomial", "logit"): lambda nu: np.asarray(expit(nu)),
    ("binomial", "probit"): lambda nu: np.asarray(ndtr(nu)),
    ("binomial", "cloglog"): lambda nu: -np.expm1(-np.exp(np.minimum(nu, 300.0))),
    ("binomial", "loglog"): lambda nu: np.exp(-np.exp(np.minimum(-nu, 300.0))),
    ("binomial", "cauchit"): lambda nu: 0.5 + np.arctan(nu) / np.pi,
    ("poisson", "log"): lambda nu: np.exp(np.minimum(nu, 700.0)),
    ("poisson", "identity"): lambda nu: nu,
    ("poisson", "sqrt"): np.square,
    ("gaussian", "identity"): lambda nu: nu,
    ("gaussian", "log"): lambda nu: np.exp(np.minimum(nu, 700.0)),
    ("gaussian", "reciprocal"): lambda nu: 1.0 / nu,
    ("ordinal", "logit"): lambda x: np.asarray(expit(x)),
    ("ordinal", "probit"): lambda x: np.asarray(ndtr(x)),
    ("ordinal", "cloglog"): lambda x: -np.expm1(-np.exp(np.minimum(x, 300.0))),
    ("ordinal", "loglog"): lambda x: np.exp(-np.exp(np.minimum(-x, 300.0))),
}
"""Mean of a response by its linear predictor; of an ordinal one P(y > s) by nu - tau_s."""


def has_expectation(variable: Variable, table: ParameterTable) -> bool:
    """Whether a response's expected values are known here: not where it guesses, slips, is inflated or censored."""
    mixed = any(r.target == variable.key and r.quantity in MIXTURES for r in table.rows)
    if mixed or "censored" in variable.arguments:
        return False
    return (variable.kind.name, variable.link or "identity") in INVERSE_LINKS


def expected(variable: Variable, nu: Floats, thresholds: Floats | None = None) -> list[Floats]:
    """Return the mean, or the probability of each category, each of the shape of `nu`.

    Parameters
    ----------
    variable : Variable
    nu : (n, ...) floats
        Linear predictors; probabilities of binomial responses are those of one trial.
    thresholds : (S, n) floats, optional
        Of an ordinal response.
    """
    inverse = INVERSE_LINKS[variable.kind.name, variable.link or "identity"]
    if variable.kind.name != "ordinal":
        return [inverse(nu)]
    assert thresholds is not None
    shape = (-1, *([1] * (nu.ndim - 1)))
    above = [np.ones_like(nu), *(inverse(nu - t.reshape(shape)) for t in thresholds), np.zeros_like(nu)]
    return [a - b for a, b in pairwise(above)]
