"""The limited-information test M2 of item response models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.constraints import Constraints
from semlang.results.comparison import chi2_tail
from semlang.results.items import Items, refuse
from semlang.results.measures import noncentrality
from semlang.results.scores import posterior_needed, predictors_of
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["m2"]

Floats = NDArray[np.float64]

MOST = 4000
"""Most margins: the covariance matrix of them has their square."""


def m2(fit: Fit) -> Table:
    """Return M2 with its degrees of freedom and p value, RMSEA2 with a 90 percent interval, and SRMSR.

    With e the differences of the observed and implied proportions of single categories and of pairs of categories of
    two items (the first category of each left out), Xi their covariance matrix and D the derivatives of the implied
    ones in the parameters,

        M2 = n e' (Xi^-1 - Xi^-1 D (D' Xi^-1 D)^- D' Xi^-1) e,

    chi-squared with as many degrees of freedom as there are margins less the rank of D. SRMSR is the root mean square
    of the residual correlations of the category numbers. Rows with missing responses are left out.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``m2 df p rmsea2 rmsea2.ci.lower rmsea2.ci.upper srmsr n``.

    Raises
    ------
    FitError
        ``not-for-this-model``.

    References
    ----------
    Maydeu-Olivares and Joe (2005), Journal of the American Statistical Association 100, 1009-1020; (2014),
    Multivariate Behavioral Research 49, 305-328.
    """
    items = Items(fit, "M2")
    margins = _Margins(items)
    n = float(items.weight[items.complete].sum())
    if n < 2:
        raise refuse("M2", "fewer than two rows have all responses")
    theta, basis = fit.estimate.theta, Constraints(fit.table).basis
    D = _derivatives(fit, theta) @ basis
    e = margins.observed() - margins.implied(items.at_nodes)
    factor = np.linalg.cholesky(margins.covariance(items.at_nodes))
    a, B = np.linalg.solve(factor, e), np.linalg.solve(factor, D)
    U, size, _ = np.linalg.svd(B, full_matrices=False)
    kept = U[:, size > 1e-7 * size.max(initial=1e-300)]
    a = a - kept @ (kept.T @ a)
    statistic, df = n * float(a @ a), e.size - kept.shape[1]
    srmsr = _srmsr(items)
    if df <= 0:
        raise refuse("M2", "there are no degrees of freedom")

    def scaled(noncentral: float) -> float:
        return math.sqrt(max(noncentral, 0.0) / (df * n))

    values = (
        statistic, df, chi2_tail(statistic, df), scaled(statistic - df), scaled(noncentrality(statistic, df, 0.95)),
        scaled(noncentrality(statistic, df, 0.05)), srmsr, round(n),
    )  # fmt: skip
    columns = ("m2", "df", "p", "rmsea2", "rmsea2.ci.lower", "rmsea2.ci.upper", "srmsr", "n")
    lost = float(items.weight[~items.complete].sum())
    notes = (f"{lost:g} rows miss a response and are left out",) if lost else ()
    return Table(columns, (values,), notes, "Limited-information fit")


class _Margins:
    """Proportions of single categories and of pairs: each is a set of atoms, an atom being a category of an item."""

    def __init__(self, items: Items) -> None:
        self.items = items
        atoms = [(k, c) for k, size in enumerate(items.sizes) for c in range(1, size)]
        pairs = [(i, j) for i, j in combinations(range(len(atoms)), 2) if atoms[i][0] != atoms[j][0]]
        if len(atoms) + len(pairs) > MOST:
            raise refuse("M2", f"there are {len(atoms) + len(pairs)} margins, more than {MOST}")
        self.atoms = atoms
        self.member = np.zeros((len(atoms) + len(pairs), len(atoms)))
        self.member[np.arange(len(atoms)), np.arange(len(atoms))] = 1.0
        for n, pair in enumerate(pairs, len(atoms)):
            self.member[n, list(pair)] = 1.0
        self.pairs = pairs
        of_item = np.zeros((len(atoms), len(items.items)))
        of_item[np.arange(len(atoms)), [k for k, _ in atoms]] = 1.0
        by_item = self.member @ of_item
        # Two margins that want different categories of one item never occur together.
        self.apart = by_item @ by_item.T - self.member @ self.member.T > 0.5

    def _logs(self, probabilities: list[Floats]) -> Floats:
        """Return log probabilities of the atoms at the nodes (Q, atoms)."""
        return np.log(np.maximum(np.stack([probabilities[k][:, c] for k, c in self.atoms], axis=1), 1e-300))

    def implied(self, probabilities: list[Floats]) -> Floats:
        """Return the implied proportions."""
        return np.asarray(self.items.prior @ np.exp(self._logs(probabilities) @ self.member.T))

    def observed(self) -> Floats:
        """Return the observed proportions among complete rows."""
        y, w = self.items.y[self.items.complete], self.items.weight[self.items.complete]
        atoms = np.stack([y[:, k] == c for k, c in self.atoms], axis=1).astype(np.float64)
        square = (atoms * w[:, None]).T @ atoms / w.sum()
        single = np.diag(square)
        return np.concatenate([single, [square[i, j] for i, j in self.pairs]])

    def covariance(self, probabilities: list[Floats]) -> Floats:
        """Return the covariance matrix of the margins of one row."""
        logs = self._logs(probabilities)
        total = np.zeros((len(self.member),) * 2)
        for weight, log in zip(self.items.prior, logs, strict=True):
            if weight < 1e-14:
                continue
            each = self.member @ log
            both = (self.member * log) @ self.member.T
            total += weight * np.exp(each[:, None] + each - both)
        total[self.apart] = 0.0
        p = self.implied(probabilities)
        return np.asarray(total - np.outer(p, p))


def _derivatives(fit: Fit, theta: Floats) -> Floats:
    """Return derivatives of the implied proportions (margins, P), by central differences; one row is enough."""
    y = np.stack([fit.designs[0].responses[v.key] for v in fit.table.responses])
    design = _row(fit.designs[0], int(np.flatnonzero(~np.isnan(y).any(axis=0))[0]))
    start = predictors_of(fit, (design,))[0]
    margins: _Margins | None = None

    def at(values: Floats) -> Floats:
        nonlocal margins
        one = replace(fit, designs=(design,), estimate=replace(fit.estimate, theta=values))
        with posterior_needed():
            items = Items(one, "M2", start.moved(values))
        margins = _Margins(items) if margins is None else margins
        return margins.implied(items.at_nodes)

    columns = []
    for p in range(theta.size):
        h = 1e-5 * max(1.0, abs(float(theta[p])))
        up, down = theta.copy(), theta.copy()
        up[p] += h
        down[p] -= h
        columns.append((at(up) - at(down)) / (2.0 * h))
    return np.stack(columns, axis=1) if columns else np.zeros((0, 0))


def _row(design: Design, record: int) -> Design:
    """Return the design of one record."""

    def cut(columns: Mapping[Any, Any]) -> dict[Any, Any]:
        return {k: v[record : record + 1] for k, v in columns.items()}

    return replace(
        design, n_rows=1, responses=cut(design.responses), columns=cut(design.columns),
        clusters={k: np.zeros(1, dtype=np.int64) for k in design.clusters}, row=np.zeros(1, dtype=np.int64),
        frequency={}, trials=cut(design.trials), exposure=cut(design.exposure),
    )  # fmt: skip


def _srmsr(items: Items) -> float:
    """Return the root mean square of observed less implied correlations of category numbers."""
    y, w = items.y[items.complete].astype(np.float64), items.weight[items.complete]
    observed = np.cov(y.T, aweights=w)
    scores = np.stack([p @ np.arange(p.shape[1]) for p in items.at_nodes], axis=1)
    squares = np.stack([p @ np.arange(p.shape[1]) ** 2 for p in items.at_nodes], axis=1)
    mean = items.prior @ scores
    implied = (scores * items.prior[:, None]).T @ scores - np.outer(mean, mean)
    implied[np.diag_indices(len(mean))] = items.prior @ squares - mean**2
    with np.errstate(invalid="ignore", divide="ignore"):
        R = observed / np.sqrt(np.outer(np.diag(observed), np.diag(observed)))
    R = R - implied / np.sqrt(np.outer(np.diag(implied), np.diag(implied)))
    lower = np.tril_indices(len(mean), -1)
    return float(np.sqrt(np.nanmean(R[lower] ** 2))) if lower[0].size else 0.0
