"""What integrals over nested levels answer: values with adjoints, posterior moments, posterior nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evaluation", "Nodes", "Posterior"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Log-likelihood of each top-level cluster and its derivatives with respect to the rows' inputs.

    Attributes
    ----------
    values : (C,) array
        Log-likelihood of each top-level cluster times its weight, data constants included
        (each row is a cluster where there is no level).
    o_bar, f1_bar, f2_bar : (N,) arrays
    A_bar : (D, N) array
        Derivatives of ``values.sum()`` with respect to ``o, f1, f2, A``.
    steps : int
        Largest number of Newton steps of a cluster.
    converged : bool
        False if the mode of some cluster was not found; values are then not to be used.
    failed : array of int
        Those clusters.
    """

    values: Floats
    o_bar: Floats
    A_bar: Floats
    f1_bar: Floats
    f2_bar: Floats
    steps: int
    converged: bool
    failed: Ints


@dataclass(frozen=True)
class Posterior:
    """Posterior moments of the spherical latent variables of the units of one level.

    Attributes
    ----------
    means : (units, M) array
    covariances : (units, M, M) array
    """

    means: Floats
    covariances: Floats


@dataclass(frozen=True)
class Nodes:
    """Posterior distribution of the spherical latent variables of a run of units of the lowest level.

    Attributes
    ----------
    rows : (n,) ints
        Rows of the run.
    unit : (n,) ints
        Their units, from 0 within the run.
    units : (U,) ints
        Numbers of these among all units of the lowest level.
    weights : (U, Q) floats
        Probabilities of the nodes.
    v : (U, D, Q) floats
        Coordinates: own ones first, then those of each ancestor. Levels without latent variables have none.
    sizes : tuple of int
        Numbers of combinations of the nodes of a level and of those above, lowest first, and 1; own nodes are the
        fastest index.
    covariances : (U, D, D) floats or None
        Of the coordinates, where the rule has one point: blocks of the inverse Hessian.
    """

    rows: Ints
    unit: Ints
    units: Ints
    weights: Floats
    v: Floats
    sizes: tuple[int, ...]
    covariances: Floats | None = None

    @property
    def groups(self) -> int:
        """Number of combinations of the ancestors' nodes."""
        return self.sizes[1]
