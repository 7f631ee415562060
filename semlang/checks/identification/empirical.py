"""After a fit: what the data at hand hardly determine, although the model is identified.

Everything is read off the estimates and the observed information; each finding names parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.checks.identification.names import Names
from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.table import ParameterTable, Row

Floats = NDArray[np.float64]

LARGE_CONDITION = 1e8
"""Condition number of the scaled information from which a direction counts as undetermined."""

ONE = 0.995
"""Correlations from which two variables are said to be one."""

SMALL_SHARE = 0.15
"""Parameters whose share of a null vector is smaller are not named."""


class Slope(NamedTuple):
    """A random intercept (no `covariate`) or slope of a response, and the mean of its covariate."""

    group: int
    key: str
    target: str
    covariate: str
    mean: float


def after_fit(
    table: ParameterTable,
    estimates: Floats,
    curvature: Curvature | None,
    parameters: Sequence[int] | None = None,
    slopes: Sequence[Slope] = (),
) -> tuple[Diagnostic, ...]:
    """Return the findings about a fit.

    Parameters
    ----------
    table : ParameterTable
    estimates : (P,)
    curvature : Curvature or None
        Observed information: minus the second derivatives of the log-likelihood. (Where a covariance matrix is at hand,
        its inverse.)
    parameters : sequence of int, optional
        Those that the information is of; default all.
    slopes : sequence of Slope
        Random intercepts and slopes: whether they can be told apart is judged at the covariate's mean.
    """
    names = Names(table)
    moved = moved_effects(table, slopes)
    if curvature is not None and any(m.mean for m in moved.values()):
        held = range(estimates.size) if parameters is None else parameters
        back = np.linalg.inv(to_means(moved, estimates.size))[np.ix_(held, held)]
        curvature = Curvature(back.T @ curvature.information @ back)

    def texts() -> list[str]:
        shown = range(estimates.size) if parameters is None else parameters
        return [names.text(p) if names.rows(p) else f"parameter {p + 1}" for p in shown]

    own = estimates if parameters is None else estimates[list(parameters)]
    weak = () if curvature is None else weak_directions(texts, curvature, own)
    return (*weak, *_correlations(table, estimates, moved))


def condition(information: Floats) -> float:
    """Return the condition number of the information with unit diagonal (it does not depend on units)."""
    values = Curvature(information).eigen[0]
    return float("inf") if values[0] <= 0 else float(values[-1] / values[0])


def weak_directions(
    names: Callable[[], Sequence[str]], curvature: Curvature, estimates: Floats | None = None
) -> Iterator[Diagnostic]:
    """Find combinations of parameters that the data hardly determine, or that increase the likelihood.

    A small eigenvalue is no proof: next to the border of a covariance matrix another direction is steep beyond all
    measure. Where a standard error along the direction is smaller than each of the estimates, they are determined.

    Parameters
    ----------
    names : callable
        Returns the parameters' names.
    curvature : Curvature
        Of P parameters.
    estimates : (P,) floats, optional
    """
    size = curvature.scale.size
    if not curvature.is_finite:
        return
    if curvature.exceeds(size / LARGE_CONDITION):  # P is the sum of the eigenvalues, so none is larger
        return
    values, vectors = curvature.eigen
    texts = names()
    for value, vector in zip(values, vectors.T, strict=True):
        if value > values[-1] / LARGE_CONDITION:
            break
        share = np.abs(vector) / np.abs(vector).max()
        if estimates is not None and value > size * np.finfo(float).eps * values[-1]:
            step = np.abs(vector / curvature.scale) / np.sqrt(value)
            if (step < np.abs(estimates))[share >= SMALL_SHARE].all():
                continue
        involved = [texts[i] for i in np.flatnonzero(share >= SMALL_SHARE).tolist()]
        signs = _signs(involved, (vector / curvature.scale)[share >= SMALL_SHARE])
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


def _correlations(table: ParameterTable, estimates: Floats, moved: Mapping[int, Moved]) -> Iterator[Diagnostic]:
    def correlation_at_mean(found: Moved) -> float:
        at = to_means({0: found}, estimates.size) @ estimates
        product = at[found.intercept] * at[found.slope]
        return float(at[found.both] / np.sqrt(product)) if product > 0.0 else 1.0

    def value(parameter: int, fixed: float | None) -> float:
        return float(estimates[parameter]) if parameter >= 0 else float(fixed or 0.0)

    rows = [r for r in table.rows if r.op == "~~" and not r.exo and r.target in table.variables]
    variance = {(r.group, r.target): value(r.parameter, r.ustart) for r in rows if r.target == r.source}
    for r in rows:
        if r.target == r.source:
            continue
        product = variance.get((r.group, r.target), 0.0) * variance.get((r.group, r.source), 0.0)
        covariance = value(r.parameter, r.ustart)
        if product <= 0 or abs(covariance) < ONE * np.sqrt(product):
            continue
        correlation = covariance / np.sqrt(product)
        away = moved.get(r.parameter)
        if away is not None and abs(correlation_at_mean(away)) < ONE:
            x = away.covariate
            yield warning(
                "far-origin",
                f"intercepts and slopes of {x} have a correlation of {correlation:.3f} at {x} = 0, and of "
                f"{correlation_at_mean(away):.2f} at its mean",
                table.source,
                r.span,
                notes=f"the origin of {x} is far from the data",
                help=f"centre '{x}' in the data",
            )
            continue
        beyond = abs(correlation) > 1 + 1e-8
        yield warning(
            "correlation-beyond-one" if beyond else "correlation-at-one",
            f"the correlation of {r.lhs} and {r.rhs} is {correlation:.3f}",
            table.source,
            r.span,
            notes="the two can't be told apart in these data" if not beyond else "no such pair of variables exists",
            help=f"make one of {r.lhs} and {r.rhs}, or fix their covariance",
        )


class Moved(NamedTuple):
    """The parameters of a random intercept and slope and of their means (-1: none), and the mean of the covariate."""

    covariate: str
    mean: float
    intercept: int
    both: int
    slope: int
    fixed: tuple[int, int]


def moved_effects(table: ParameterTable, slopes: Sequence[Slope]) -> dict[int, Moved]:
    """Return random intercepts and slopes that covary freely, by the parameter of their covariance."""
    rows: dict[int, list[Row]] = {}
    for r in table.rows:
        if r.parameter >= 0:
            rows.setdefault(r.parameter, []).append(r)
    own = [found[0] for found in rows.values() if len(found) == 1]
    pairs = {(r.group, frozenset((r.target, r.source))): r.parameter for r in own if r.op == "~~"}
    out: dict[int, Moved] = {}
    for s in slopes:
        if not s.covariate:
            continue
        for other in slopes:
            if (other.group, other.target, other.covariate) != (s.group, s.target, ""):
                continue
            keys = (frozenset((other.key,)), frozenset((other.key, s.key)), frozenset((s.key,)))
            at = [pairs.get((s.group, k), -1) for k in keys]
            if min(at) < 0:
                continue
            of = [r for r in own if r.group == s.group and r.target == s.target and not r.source and not r.klass]
            level = [r.parameter for r in of if r.op == "~1" and not r.via]
            slope = [r.parameter for r in of if r.op == "~" and ":".join(c.name for c in r.via) == s.covariate]
            fixed = (level[0], slope[0]) if len(level) == len(slope) == 1 else (-1, -1)
            out[at[1]] = Moved(s.covariate, s.mean, at[0], at[1], at[2], fixed)
    return out


def to_means(moved: Mapping[int, Moved], n: int) -> Floats:
    """Return the matrix that takes parameters to those with covariates at their means: u0 + m u1, u1."""
    M = np.eye(n)
    for found in moved.values():
        M[found.intercept, [found.both, found.slope]] = 2.0 * found.mean, found.mean**2
        M[found.both, found.slope] = found.mean
        if found.fixed[0] >= 0:
            M[found.fixed] = found.mean
    return M
