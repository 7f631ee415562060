"""Residual moments: observed minus implied, raw, of correlations, or over their standard errors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.constraints import Constraints
from semlang.estimation.gaussian.one_level import OneLevel
from semlang.estimation.gaussian.saturated import Saturated, saturated_form
from semlang.matrices.reduced import ReducedForm
from semlang.results.implied import by_complex_step, matrices
from semlang.results.table import Table
from semlang.results.unrestricted import Unrestricted, unrestricted

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["KINDS", "residuals"]

Floats = NDArray[np.float64]
Numbers = NDArray[Any]

KINDS = ("raw", "correlation", "standardized")


def residuals(fit: Fit, kind: str = "raw") -> list[Table]:
    """Return the residual moments of each group.

    Parameters
    ----------
    fit : Fit
    kind : {'raw', 'correlation', 'standardized'}
        Differences of covariances and means; of correlations, and of means in observed standard deviations (Bollen
        1989); raw ones over their standard errors, from the expected information of the unrestricted model less
        what the estimates take of it.

    Returns
    -------
    list of Table
        One a group: a square matrix of responses and covariates, and their means in the last column.

    Raises
    ------
    FitError
        ``undefined-measure`` where there is no unrestricted model.
    """
    free = unrestricted(fit)
    if isinstance(free, str):
        raise FitError([error("undefined-measure", f"residual moments are not defined for this fit: {free}")])
    out = []
    for g, group in enumerate(fit.table.groups):
        names = free.names(g)
        observed, implied, mean, implied_mean = free.moments(fit, g)
        difference, shift = observed - implied, mean - implied_mean
        if kind == "correlation":
            sd, sd_implied = np.sqrt(np.diag(observed)), np.sqrt(np.diag(implied))
            difference = observed / np.outer(sd, sd) - implied / np.outer(sd_implied, sd_implied)
            shift = shift / sd
        elif kind == "standardized":
            difference, shift = _standardized(fit, free, g, difference, shift)
        rows = tuple(
            (name, *line, last) for name, line, last in zip(names, difference.tolist(), shift.tolist(), strict=True)
        )
        title = f"Residuals ({kind})" + (f", group {group}" if group else "")
        out.append(Table(("variable", *names, "mean"), rows, (), title))
    return out


def _standardized(fit: Fit, free: Unrestricted, g: int, difference: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Divide by sqrt(diag(G Q V Q' G')), Q = 1 - D (D' I D)^-1 D' I, D the derivatives of (m, S) in the parameters.

    V is the covariance matrix of the unrestricted estimates at these, I its information at the implied moments.
    """
    informations, slopes, points = [], [], []
    for form, design in zip(free.forms, fit.designs, strict=True):
        at, D = by_complex_step(partial(_of_fit, form), fit.estimate.theta)
        points.append(at)
        slopes.append(D @ Constraints(fit.table).basis)
        informations.append(np.asarray(OneLevel(saturated_form(form), design).expected_information(at)))
    whole_information = sum(J.T @ V @ J for J, V in zip(slopes, informations, strict=True))
    group, D = free.groups[g], slopes[g]
    K, C = group.m.shape
    lower = np.tril_indices(K)
    at = np.concatenate([group.m.ravel(), group.S[lower]])
    own = OneLevel(saturated_form(free.forms[g]), fit.designs[g]).expected_information(at)
    variance = np.linalg.pinv(np.asarray(own), hermitian=True)
    Q = np.eye(at.size) - D @ np.linalg.pinv(np.asarray(whole_information), hermitian=True) @ D.T @ informations[g]

    def moments(parameters: Numbers) -> Numbers:
        """Covariances (lower half), then means, of responses and covariates."""
        m = parameters[: K * C].reshape(K, C)
        S = np.zeros((K, K), dtype=parameters.dtype)
        S[lower] = parameters[K * C :]
        model = Saturated(0.0, group.n, m, S, group.xx, 0)  # the upper half of S, which is 0, is not read
        covariance = model.covariance
        return np.concatenate([covariance[np.tril_indices(len(covariance))], model.mean])

    _, G = by_complex_step(moments, points[g])
    spread = np.einsum("ij,jk,ik->i", G @ Q, variance, G @ Q)
    scale = np.einsum("ij,jk,ik->i", G, variance, G)
    # A moment that the model reproduces whatever the data has no spread but rounding.
    se = np.where(spread > 1e-6 * scale, np.sqrt(np.maximum(spread, 0.0)), np.nan)
    size = len(difference)
    half = np.tril_indices(size)
    whole = np.full((size, size), np.nan)
    whole[half] = se[: half[0].size]
    whole = np.where(np.isnan(whole), whole.T, whole)
    means = np.concatenate([se[half[0].size :], np.full(size - K, np.nan)])
    return difference / whole, shift / means


def _of_fit(form: ReducedForm, theta: Numbers) -> Numbers:
    """Return m and the lower half of the covariance matrix given covariates, as `saturated_form` has them."""
    m, L, psi, residual = matrices(form, theta)
    S = L[:, 0] @ psi @ L[:, 0].T + residual
    return np.concatenate([m.ravel(), S[np.tril_indices(len(S))]])
