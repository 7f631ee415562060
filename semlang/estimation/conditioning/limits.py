"""Probabilities at 0 or 1, and counts without overdispersion: logits and logarithms without bound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.families import MIXTURES
from semlang.model.table import ParameterTable

__all__ = ["at_limit"]

Floats = NDArray[np.float64]

FAR = 7.0
"""A logit beyond which the probability is within 0.001 of 0 or 1."""

FAR_PROBIT = 4.0
"""The same for a probit, within 0.0001."""

FLAT = 0.05
"""Information of a logit (of one unit, at most 1/4) below which the data say nothing more of its size."""


def at_limit(table: ParameterTable, x: Floats, information: Floats) -> dict[int, float]:
    """Return the intercepts that are at the limit of their scale, with the limit, inf or -inf.

    Parameters
    ----------
    table : ParameterTable
    x : (P,) floats
        The parameters, as long as the optimiser's coordinates.
    information : (n, n) floats
        Nothing is found where constraints make n smaller than P.
    """
    found: dict[int, float] = {}
    if information.shape[0] != x.size:
        return found
    for row in table.rows:
        variable = table.variables.get(row.target)
        mixture = row.quantity in MIXTURES
        poisson = row.quantity == "shape" and variable is not None and not variable.kind.logarithm
        if row.parameter < 0 or variable is None or row.via or row.op not in ("~1", "|"):
            continue
        if not (row.klass or mixture or poisson):
            continue
        logit = variable.kind.name == "class" or (
            variable.role == "response"
            and variable.link in ("logit", "probit", "cloglog", "loglog", "log")
            and not row.quantity
        )
        logit = logit or mixture or (poisson and x[row.parameter] > 0)
        p = row.parameter
        far = FAR_PROBIT if variable.link == "probit" and not row.quantity else FAR
        if logit and abs(x[p]) > far and information[p, p] < FLAT:
            found[p] = math.copysign(math.inf, x[p])
    return found
