"""Points inside the parameter space at which ranks are computed in floating point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.names import Names
from semlang.model.table import ParameterTable

__all__ = ["typical_point"]

APART = 1.5
"""How far the parameters of neighbouring classes or mass points are apart."""


def typical_point(table: ParameterTable, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return random parameters (P,): positive variances, ordered thresholds, classes that differ.

    Parameters
    ----------
    table : ParameterTable
    rng : numpy Generator
    """
    names = Names(table)
    theta = rng.uniform(0.5, 1.1, table.n_parameters)
    for p in range(theta.size):
        if not names.rows(p):
            continue
        row = names.row(p)
        discrete = row.target in table.variables and table.variables[row.target].kind.name == "class"
        match names.role(p):
            case "variance" | "residual variance":
                theta[p] = rng.uniform(0.9, 1.5)
            case "covariance" | "residual covariance":
                theta[p] = rng.uniform(0.15, 0.3)
            case "intercept" | "latent mean":
                theta[p] = rng.uniform(-0.6, 0.6)
            case "threshold":
                theta[p] = row.threshold - 1.6 + rng.uniform(-0.2, 0.2) if row.op == "|" else rng.uniform(-0.2, 0.2)
            case "quantity":
                low = -1.5 if row.quantity in ("guess", "slip", "zero") else 0.2
                theta[p] = rng.uniform(0.05, 0.1) if row.joins else rng.uniform(low, low + 0.4)
            case _:
                theta[p] *= rng.choice([-1.0, 1.0])
        if row.quantity == "mass" or (discrete and row.op == "~1"):
            theta[p] = rng.uniform(-0.4, 0.4)
        elif row.klass and row.op == "~1":
            theta[p] += APART * (row.klass - 1) * rng.choice([-1.0, 1.0])
    return theta
