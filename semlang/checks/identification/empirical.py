"""After a fit: what the data at hand hardly determine, although the model is identified.

Everything is read off the estimates and the observed information; each finding names parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.names import Names
from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.table import ParameterTable

Floats = NDArray[np.float64]

LARGE_CONDITION = 1e8
"""Condition number of the scaled information from which a direction counts as undetermined."""

SMALL_SHARE = 0.15
"""Parameters whose share of a null vector is smaller are not named."""


@dataclass(frozen=True)
class Evidence:
    """What a fit knows beside the estimates; every part is optional.

    Parameters
    ----------
    binary : mapping from response to (observed 0/1, fitted probabilities)
    class_sizes : mapping from class variable to proportions
    n_units : int
        Number of units for which classes are counted.
    loglik_by_points : mapping from number of quadrature points to log-likelihood at the estimates
    """

    binary: Mapping[str, tuple[Floats, Floats]] | None = None
    class_sizes: Mapping[str, Sequence[float]] | None = None
    n_units: int = 0
    loglik_by_points: Mapping[int, float] | None = None


def after_fit(
    table: ParameterTable, estimates: Floats, information: Floats, evidence: Evidence | None = None
) -> tuple[Diagnostic, ...]:
    """Return the findings about a fit.

    Parameters
    ----------
    table : ParameterTable
    estimates : (P,)
    information : (P, P)
        Observed information: minus the second derivatives of the log-likelihood. (Where a covariance matrix is at hand,
        its inverse.)
    evidence : Evidence, optional
    """
    names = Names(table)
    evidence = evidence or Evidence()
    texts = [names.text(p) if names.rows(p) else f"parameter {p + 1}" for p in range(estimates.size)]
    return (
        *weak_directions(texts, information),
        *_boundaries(names, estimates, information),
        *_correlations(table, estimates),
        *_separation(evidence),
        *_empty_classes(evidence),
        *_quadrature(evidence),
    )


def condition(information: Floats) -> float:
    """Return the condition number of the information with unit diagonal (it does not depend on units)."""
    values = np.linalg.eigvalsh(_scaled(information)[0])
    return float("inf") if values[0] <= 0 else float(values[-1] / values[0])


def weak_directions(names: Sequence[str], information: Floats) -> Iterator[Diagnostic]:
    """Find combinations of parameters that the data hardly determine, or that increase the likelihood.

    Parameters
    ----------
    names : sequence of str
    information : (P, P)
    """
    if information.size == 0 or not np.all(np.isfinite(information)):
        return
    scaled, scale = _scaled(information)
    values, vectors = np.linalg.eigh(scaled)
    for value, vector in zip(values, vectors.T, strict=True):
        if value > values[-1] / LARGE_CONDITION:
            break
        share = np.abs(vector) / np.abs(vector).max()
        involved = [names[i] for i in np.flatnonzero(share >= SMALL_SHARE).tolist()]
        moves = vector / np.where(scale > 0, scale, 1.0)
        signs = _signs(involved, moves[share >= SMALL_SHARE])
        if value < -values[-1] / LARGE_CONDITION:
            yield error(
                "not-a-maximum",
                f"the log-likelihood increases in a direction of {_few(involved)}",
                notes=f"smallest eigenvalue of the scaled information: {value:.2g}",
                help="try other start values, or more quadrature points",
            )
        else:
            yield warning(
                "empirically-unidentified",
                f"these data hardly determine {_few(involved)}",
                notes=(f"condition number of the information: {values[-1] / max(value, 1e-300):.1g}", signs),
                help="fix or equate one of them, or look for a restriction that the theory gives",
            )


def _scaled(information: Floats) -> tuple[Floats, Floats]:
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    safe = np.where(scale > 0, scale, 1.0)
    return information / np.outer(safe, safe), scale


def _signs(names: Sequence[str], moves: Floats) -> str:
    if len(names) < 2:
        return f"{names[0]} has no curvature of its own"
    first = np.sign(moves[0])
    same = [n for n, m in zip(names, moves, strict=True) if np.sign(m) == first]
    other = [n for n, m in zip(names, moves, strict=True) if np.sign(m) != first]
    return f"as {_few(same)} rises, " + (f"{_few(other)} falls" if other else "nothing makes up for it")


def _few(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _boundaries(names: Names, estimates: Floats, information: Floats) -> Iterator[Diagnostic]:
    spread = np.sqrt(1 / np.maximum(np.diag(information), 1e-300))
    for p in range(estimates.size):
        if not names.rows(p) or not names.role(p).endswith("variance"):
            continue
        value = float(estimates[p])
        if value < 0:
            yield warning(
                "negative-variance",
                f"the estimate of {names.text(p)} is negative ({value:.3g})",
                names.table.source,
                names.row(p).span,
                notes="a sign of a wrong model, or of a small sample",
            )
        elif value < min(1e-4, 0.05 * spread[p]) or value < 1e-8:
            yield warning(
                "boundary-variance",
                f"the estimate of {names.text(p)} is at its boundary 0",
                names.table.source,
                names.row(p).span,
                notes="standard errors and likelihood-ratio tests of other parameters are not the usual ones there",
                help=f"without it the model is simpler: {names.row(p).lhs} ~~ 0*{names.row(p).rhs}",
            )


def _correlations(table: ParameterTable, estimates: Floats) -> Iterator[Diagnostic]:
    def value(parameter: int, fixed: float | None) -> float:
        return float(estimates[parameter]) if parameter >= 0 else float(fixed or 0.0)

    rows = [r for r in table.rows if r.op == "~~" and not r.exo and r.target in table.variables]
    variance = {(r.group, r.target): value(r.parameter, r.ustart) for r in rows if r.target == r.source}
    for r in rows:
        if r.target == r.source:
            continue
        product = variance.get((r.group, r.target), 0.0) * variance.get((r.group, r.source), 0.0)
        covariance = value(r.parameter, r.ustart)
        if product <= 0 or abs(covariance) < 0.995 * np.sqrt(product):
            continue
        correlation = covariance / np.sqrt(product)
        beyond = abs(correlation) > 1 + 1e-8
        yield warning(
            "correlation-beyond-one" if beyond else "correlation-at-one",
            f"the correlation of {r.lhs} and {r.rhs} is {correlation:.3f}",
            table.source,
            r.span,
            notes="the two can't be told apart in these data" if not beyond else "no such pair of variables exists",
            help=f"make one of {r.lhs} and {r.rhs}, or fix their covariance",
        )


def _separation(evidence: Evidence) -> Iterator[Diagnostic]:
    """A covariate pattern predicts a binary response without error: estimates run away."""
    for name, (observed, fitted) in (evidence.binary or {}).items():
        seen = np.isfinite(observed) & np.isfinite(fitted)
        y, p = observed[seen], fitted[seen]
        sure = (p < 1e-6) | (p > 1 - 1e-6)
        if y.size and sure.any() and np.all(np.abs(y[sure] - p[sure]) < 1e-5):
            yield warning(
                "separation",
                f"covariates predict '{name}' without error in {int(sure.sum())} of {y.size} rows",
                notes="some coefficients have no finite estimate; their standard errors mean nothing",
                help="merge categories, drop the covariate, or fix its coefficient",
            )


def _empty_classes(evidence: Evidence) -> Iterator[Diagnostic]:
    for name, sizes in (evidence.class_sizes or {}).items():
        small = [k + 1 for k, size in enumerate(sizes) if size * max(evidence.n_units, 1) < 1 or size < 1e-4]
        if small:
            which = ", ".join(map(str, small))
            yield warning(
                "empty-class",
                f"class {which} of '{name}' has no members",
                help=f"try {len(sizes) - len(small)} classes",
            )


def _quadrature(evidence: Evidence) -> Iterator[Diagnostic]:
    found = sorted((evidence.loglik_by_points or {}).items())
    if len(found) >= 2:
        (few, low), (many, high) = found[-2:]
        if abs(high - low) > 0.01:
            yield warning(
                "quadrature-not-converged",
                f"the log-likelihood moves by {abs(high - low):.2g} from {few} to {many} quadrature points",
                help=f"use more than {many} points",
            )
