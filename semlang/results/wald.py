"""Wald tests of equations between parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.constraints import labels_at
from semlang.estimation.expressions import evaluate, names_in
from semlang.model.nearest import did_you_mean
from semlang.results.comparison import chi2_tail
from semlang.results.statements import relations_of
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["wald"]

Floats = NDArray[np.float64]


def wald(fit: Fit, text: str) -> Table:
    """Test equations by h(theta)' (H V H')^-1 h(theta), with h the differences of their sides and H the derivatives.

    Parameters
    ----------
    fit : Fit
    text : str
        Equations of labels, defined parameters and numbers, ``a == b; c == 0``.

    Returns
    -------
    Table
        ``test statistic df p``: one line an equation (where there are several) and the joint test; the degrees of
        freedom are the rank of H V H'.

    Raises
    ------
    FitError
        ``unknown-label``, ``not-an-equation``, ``no-covariance-matrix``.

    References
    ----------
    Wald (1943), Transactions of the American Mathematical Society 54, 426-482.
    """
    source, relations = relations_of(text)
    theta, vcov = fit.estimate.theta, fit.estimate.vcov
    if vcov is None:
        raise FitError(
            [error("no-covariance-matrix", "the fit has no covariance matrix of its estimates",
                   help="fit with standard errors: se='observed'")]
        )  # fmt: skip
    labels = labels_at(fit.table, theta)
    for r in relations:
        for name in (*names_in(r.left), *names_in(r.right)):
            if name not in labels and name != "pi":
                shown = [n for n in labels if not n.startswith(".p")]
                raise FitError(
                    [error("unknown-label", f"no parameter has the label '{name}'", source, r.span,
                           label=f"labels are {', '.join(shown[:8])}" if shown else "the model has no labels",
                           help=did_you_mean(name, shown) or "give it a label in the model: f =~ a*x2")]
                )  # fmt: skip
    sides = [(evaluate(r.left, labels, theta.size), evaluate(r.right, labels, theta.size)) for r in relations]
    h = np.array([a.value - b.value for a, b in sides])
    H = np.stack([a.gradient - b.gradient for a, b in sides])
    used = np.any(H != 0, axis=0)
    if np.isnan(np.diag(vcov)[used]).any():
        raise FitError([error("no-covariance-matrix", "a parameter of the test has no standard error")])
    V = H @ np.nan_to_num(vcov) @ H.T
    records = []
    if len(relations) > 1:
        for k, r in enumerate(relations):
            records.append(_line(r.text, h[k : k + 1], V[k : k + 1, k : k + 1]))
    records.append(_line("all" if records else relations[0].text, h, V))
    return Table.of(("test", "statistic", "df", "p"), records, (), "Wald test")


def _line(name: str, h: Floats, V: Floats) -> dict[str, object]:
    scale = np.sqrt(np.maximum(np.diag(V), 1e-300))
    values, vectors = np.linalg.eigh(V / np.outer(scale, scale))
    kept = values > 1e-8
    statistic = float(np.sum((vectors[:, kept].T @ (h / scale)) ** 2 / values[kept]))
    df = int(kept.sum())
    return {"test": name, "statistic": statistic, "df": df, "p": chi2_tail(statistic, df)}
