"""Maximisation: scoring while it gains, else BFGS from a good first information; Newton steps at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective

__all__ = [
    "MANY_UNITS", "ONE_SIDED", "SHORTER", "Begun", "Iteration", "Optimum", "begin", "begun_further", "definite",
    "maximise", "negative_hessian", "polish", "steps_of",
]  # fmt: skip

Floats = NDArray[np.float64]

ONE_SIDED = 40
"""With more coordinates the observed information is taken by one-sided differences, at half the work."""
MANY_UNITS = 200
"""The same with more units: standard errors then change by less than 5e-5 of themselves, mostly 1e-6."""
SHORTER = 0.01
"""One-sided steps, of those to both sides."""
FLAT = 1e-12
"""Eigenvalue, on unit diagonal, below which a direction is flat."""
ROUGH = 1e-6
"""The same where second derivatives are one-sided differences, whose errors are of this size."""
NOISE = 1e-7
"""A promised gain that a log-likelihood of 10,000, summed from many units, does not show above its rounding."""
NEARBY = 5e-4
"""Decrement, a fiftieth of a standard error, of a step after which second derivatives at nodes are nearly the same."""
SHORTEST = 1e-4
STALLED = 5
"""Iterations that have to gain something, where that is asked for."""
SHARE = 0.5
"""Share of the mean of the scores in their outer product that steps are made longer by at most, see `maximise`."""
LOCAL = 3.0
"""After a step of a smaller decrement, of about two standard errors, the information is that before the step."""


@dataclass(frozen=True)
class Iteration:
    """One line of the log: how far the step was and where it led.

    `decrement` is g'H^-1 g before the step, twice the gain that a quadratic model promises.
    """

    number: int
    method: str
    loglik: float
    gradient: float
    decrement: float
    step: float


@dataclass(frozen=True)
class Optimum:
    """Where the optimiser stopped.

    Parameters
    ----------
    z : (n,) floats
    value : float
    gradient : (n,) floats
    metric : Curvature or (n, n) floats
        The last information that was used, or its inverse.
    decrement : float
        g'H^-1 g.
    converged : bool
    log : tuple of Iteration
    curvature : Curvature, optional
        Observed information at `z`.
    """

    z: Floats
    value: float
    gradient: Floats
    metric: Curvature | Floats
    decrement: float
    converged: bool
    log: tuple[Iteration, ...] = field(default=(), repr=False)
    curvature: Curvature | None = field(default=None, repr=False)

    @cached_property
    def inverse(self) -> Floats:
        """Inverse of the last information that was used."""
        return _inverse(self.metric)

    @cached_property
    def variances_for_steps(self) -> Floats:
        """Variances that say how far a difference may step.

        Where coordinates are nearly collinear (an intercept and the slope of a calendar year), a step of the size that
        a coordinate has by itself leaves the neighbourhood, and one of the size that it has given the others drowns in
        rounding: their geometric mean does neither.
        """
        return _for_steps(self.metric)


Report = Callable[[Iteration], None]


def definite(information: Floats) -> Curvature:
    """Return the curvature with the smallest ridge (on unit diagonal) that makes it positive definite."""
    d = np.sqrt(np.maximum(np.diag(information), 0.0))
    d = np.where(d > 0.0, d, 1.0)  # each has a unit of its own
    ridge = 0.0
    while ridge < 1e7:
        found = Curvature(information + np.diag(ridge * d**2) if ridge else information)
        if found.pivot > 1e-11:
            return found
        ridge = max(1e-7, ridge * 10.0)
    raise np.linalg.LinAlgError("the information is not finite")


def _apply(metric: Curvature | Floats, gradient: Floats) -> Floats:
    """Return I^-1 g."""
    return metric.solve(gradient) if isinstance(metric, Curvature) else np.asarray(metric @ gradient)


def _for_steps(metric: Curvature | Floats) -> Floats:
    """Return the geometric means of each coordinate's variance by itself and given the others."""
    variances = np.diag(_inverse(metric))
    if isinstance(metric, Curvature):
        diagonal = np.diag(metric.information)
    else:  # inverted with unit diagonal, so that units do not matter
        root = np.sqrt(np.where(variances > 0.0, variances, 1.0))
        try:
            diagonal = np.diag(np.linalg.inv(metric / np.outer(root, root))) / root**2
        except np.linalg.LinAlgError:
            return variances
    conditional = np.where(diagonal > 0.0, 1.0 / np.where(diagonal > 0.0, diagonal, 1.0), variances)
    return np.asarray(np.sqrt(conditional * np.maximum(variances, conditional)))


def _inverse(metric: Curvature | Floats) -> Floats:
    """Return the inverse that a metric stands for."""
    if not isinstance(metric, Curvature):
        return metric
    inverse = metric.inverse(0.0)
    assert inverse is not None
    return inverse


def steps_of(z: Floats, variances: Floats) -> Floats:
    """Return steps of differences: a thousandth of a standard error, whatever the units of the parameters are.

    A parameter that the data hardly determine has a standard error beyond all sizes: a hundredth of the parameter, or
    of 1, is enough there.
    """
    se = np.sqrt(np.where(np.isfinite(variances) & (variances > 0), variances, 1.0))
    out: Floats = np.minimum(1e-3 * se, _farthest(z))
    return out


def _farthest(z: Floats) -> Floats:
    return np.asarray(1e-2 * np.maximum(1.0, np.abs(z)))


def first_steps(objective: Objective, z: Floats) -> Floats:
    """Return steps of differences at a start, from the outer product of the scores."""
    if objective.by_unit:
        scores = objective.value_and_scores(z)[1]
        total = (scores**2).sum(axis=0)
    else:
        total = np.diag(objective.scored(z)[2]())
    return steps_of(z, np.where(total > 0, 1.0 / np.maximum(total, 1e-300), 1e-4))


def negative_hessian(objective: Objective, z: Floats, steps: Floats, centre: Floats | None = None) -> Floats:
    """Return the observed information: in closed form, or by differences of the exact gradient.

    Central differences; with `centre`, the gradient at z, one-sided (half the work). A neighbour outside the domain
    is replaced by the centre.
    """
    exact = objective.hessian(z)
    if exact is not None:
        return -exact
    n = z.size
    out = np.empty((n, n))
    for k in range(n):
        h = float(steps[k])
        ends: list[tuple[float, Floats]] = []
        for sign in (1.0,) if centre is not None else (1.0, -1.0):
            moved = z.copy()
            moved[k] += sign * h
            try:
                ends.append((sign * h, objective.value_and_gradient(moved)[1]))
            except (Infeasible, np.linalg.LinAlgError):
                continue
        if len(ends) < 2:
            g0 = centre if centre is not None else objective.value_and_gradient(z)[1]
            ends.append((0.0, g0))
            if len(ends) < 2:
                out[k] = 0.0
                out[k, k] = 1.0
                continue
        (a, ga), (b, gb) = ends[0], ends[1]
        out[k] = -(ga - gb) / (a - b)
    return 0.5 * (out + out.T)


def _positive(information: Floats) -> Floats:
    """Return the matrix with the absolute values of its eigenvalues, none below 1e-9 of the largest (scaled)."""
    curvature = Curvature(information)
    values, vectors = curvature.eigen
    values = np.maximum(np.abs(values), 1e-9 * np.abs(values).max(initial=1.0))
    out: Floats = (vectors * values) @ vectors.T * np.outer(curvature.scale, curvature.scale)
    return out


@dataclass(frozen=True)
class Begun:
    """What a climb knows where it begins.

    Parameters
    ----------
    value : float
    gradient : (n,) floats
    information : (n, n) floats or None
        Outer product of the units' scores, or the expected information.
    by_scores : bool
        Whether it is the first.
    """

    value: float
    gradient: Floats
    information: Floats | None
    by_scores: bool


def begin(objective: Objective, z: Floats, inverse: Floats | None = None) -> Begun:
    """Evaluate at `z` what a climb from there, with an inverse information or without, takes first."""
    expected = objective.information(z) if inverse is None else None
    if expected is None and inverse is None and objective.multiplicity.size >= 5 * objective.n:
        value, gradient, measure = objective.scored(z)
        return Begun(value, gradient, objective.with_borders(z, gradient, measure()), True)
    return Begun(*objective.value_and_gradient(z), expected, False)


def begun_further(
    objective: Objective, z: Floats, other: Floats, value: float, clearly: float, agree: float
) -> Begun | None:
    """Return what is known at `other`, where another function led, with a `value` by that.

    None unless it gained far more over `z` than the two differ by: `clearly` times as much, and `agree`.
    """
    try:
        begun = begin(objective, other)
    except (Infeasible, np.linalg.LinAlgError):
        return None
    try:
        first = objective.value(z)
    except Infeasible:
        return begun
    return begun if begun.value - first > clearly * abs(begun.value - value) + agree else None


def maximise(
    objective: Objective,
    z: Floats,
    *,
    tolerance: float = 1e-8,
    limit: int = 200,
    report: Report | None = None,
    inverse: Floats | None = None,
    stall: float = 0.0,
    begun: Begun | None = None,
) -> Optimum:
    """Climb from `z` to the maximum.

    Scoring takes the expected information, or the outer product of the units' scores where there are at least five
    units a parameter; it needs no tuning and few iterations where the model fits. Where the decrement falls slowly,
    units are few, or the outer product is that of a place within a standard error, BFGS goes on from the last
    information (or from differences of the gradient at the start). Steps are halved until they gain.

    Parameters
    ----------
    objective : Objective
    z : (n,) floats
    tolerance : float
        Stop when g'H^-1 g is smaller.
    limit : int
        Number of iterations.
    report : callable, optional
        Called with each iteration.
    inverse : (n, n) floats, optional
        Inverse information to begin with: BFGS from the first step.
    stall : float
        Stop, not converged, where `STALLED` iterations together gain less, or no step above `SHORTEST` gains.
    begun : Begun, optional
        What is known at `z`.

    Raises
    ------
    Infeasible
        If there is no likelihood at the start.
    """
    log: list[Iteration] = []
    if begun is None:
        begun = begin(objective, z, inverse)
    value, gradient, information, by_scores = begun.value, begun.gradient, begun.information, begun.by_scores
    scoring = information is not None

    def evaluate(at: Floats) -> tuple[float, Floats, Callable[[], Floats | None]]:
        if by_scores and scoring:
            return objective.scored(at)
        value, gradient = objective.value_and_gradient(at)
        return value, gradient, lambda: objective.information(at) if scoring else None

    if not np.isfinite(value):
        raise Infeasible("the log-likelihood is not finite at the start")
    if information is None and inverse is None:
        information = _positive(negative_hessian(objective, z, first_steps(objective, z), gradient))
    units = max(float(objective.multiplicity.sum()), 1.0) if by_scores else 1.0
    previous, slow = np.inf, 0
    H: Curvature | Floats = np.eye(z.size) if inverse is None else inverse.copy()
    fresh = True
    converged = False
    decrement = np.inf
    for number in range(1, limit + 1):
        if information is not None:
            H = definite(information)
        step = _apply(H, gradient)
        decrement = float(gradient @ step)
        if decrement < tolerance:
            converged = True
            break
        if by_scores and scoring:
            step /= 1.0 - min(decrement / units, SHARE)
        t, found = 1.0, False
        while t > (SHORTEST if stall else 1e-9):
            try:
                new_value, new_gradient, measure = evaluate(z + t * step)
                slack = 1e-13 * abs(value)
                if np.isfinite(new_value) and new_value >= value + 1e-4 * t * decrement - slack:
                    found = True
                    break
            except (Infeasible, np.linalg.LinAlgError):
                pass
            t *= 0.5 if t > 0.1 else 0.25
        method = "scoring" if scoring else "bfgs"
        if not found:
            if not stall and (not fresh or scoring):  # once more from a measured metric
                scoring, fresh = False, True
                information = _positive(negative_hessian(objective, z, steps_of(z, _for_steps(H))))
                continue
            break
        line = Iteration(number, method, new_value, float(np.abs(new_gradient).max(initial=0.0)), decrement, t)
        log.append(line)
        if report is not None:
            report(line)
        change, fall = t * step, gradient - new_gradient
        z, value, gradient = z + change, new_value, new_gradient
        if len(log) > STALLED and value - log[-STALLED - 1].loglik < stall:
            break
        if scoring and decrement < LOCAL:
            if (ahead := float(gradient @ _apply(H, gradient))) < tolerance:
                decrement, converged = ahead, True
                break
            scoring = not by_scores  # what scores know is known by now; the steps know more
        information = measure() if scoring else None
        if by_scores and information is not None:
            information = objective.with_borders(z, gradient, information)
        if scoring:
            slow = slow + 1 if decrement > 0.2 * previous or t < 0.3 else 0
            previous = decrement
            if slow >= 3:
                scoring, information = False, None
        if not scoring:
            fresh = False
            H = _inverse(H)
            curvature = float(change @ fall)
            if curvature > 1e-12 * float(np.sqrt((change @ change) * (fall @ fall))):
                Hy = H @ fall
                H += (1.0 + fall @ Hy / curvature) * np.outer(change, change) / curvature
                H -= (np.outer(Hy, change) + np.outer(change, Hy)) / curvature
            information = None
    return Optimum(z, value, gradient, H, decrement, converged, tuple(log))


def _newton(curvature: Curvature, gradient: Floats, floor: float = FLAT) -> Floats | None:
    """Return I^-1 g, eigenvalues that are nearly zero raised to `floor`; None where one is negative."""
    if curvature.pivot > floor:
        return curvature.solve(gradient)
    values, vectors = curvature.eigen
    if values[0] < -1e-6:
        return None
    along = vectors.T @ (gradient / curvature.scale) / np.maximum(values, floor)
    return np.asarray(vectors @ along / curvature.scale)


def polish(objective: Objective, found: Optimum, *, tolerance: float = 1e-8, limit: int = 12) -> Optimum:
    """Finish with Newton steps on the observed information, which also tells whether it is a maximum.

    The last step, which promises less than the tolerance, is taken without a look at where it leads.

    At a variance of zero the gradient in its root vanishes whatever the data say; the curvature there is twice
    dl/d(sigma^2), so a direction of positive curvature is a way up: it is followed.
    """
    z, value, gradient = found.z, found.value, found.gradient
    log = list(found.log)
    steps = np.zeros_like(z) if objective.exact else steps_of(z, found.variances_for_steps)
    one_sided = not objective.exact and (z.size > ONE_SIDED or objective.multiplicity.size > MANY_UNITS)
    if one_sided:
        steps = SHORTER * steps

    def measure(at: Floats, slope: Floats) -> Curvature:
        return Curvature(negative_hessian(objective, at, steps, slope if one_sided else None))

    if one_sided and objective.standing:  # nodes may have moved since: beside short steps that is no small error
        with suppress(Infeasible, np.linalg.LinAlgError):
            value, gradient = objective.value_and_gradient(z)
    curvature = measure(z, gradient)
    decrement = moved = np.inf
    converged = False
    stale = False
    for _ in range(limit):
        step = _newton(curvature, gradient, ROUGH if one_sided else FLAT)
        if step is None:
            up = curvature.eigen[1][:, 0] / curvature.scale
            step, decrement = up * (np.sign(gradient @ up) or 1.0), np.inf
        else:
            decrement = float(gradient @ step)
            if decrement < tolerance:
                converged = True
                if curvature.pivot > ROUGH and (np.abs(step) <= _farthest(z)).all():  # what it gains could not be seen
                    z, value, gradient = z + step, value + 0.5 * decrement, gradient - curvature.information @ step
                break
        t = 1.0
        while t > 1e-7:
            try:
                new = objective.value_and_gradient(z + t * step)
                gain = 1e-4 * t * decrement if np.isfinite(decrement) else 1e-9
                if new[0] >= value + gain - 1e-13 * abs(value):
                    break
            except (Infeasible, np.linalg.LinAlgError):
                pass
            t *= 0.5
        else:
            if stale:
                curvature, stale = measure(z, gradient), False
                continue
            if not np.isfinite(decrement):  # there is no way up: the curvature is rounding, as at an infinite shape
                size, vectors = curvature.eigen
                along = vectors.T @ (gradient / curvature.scale)
                decrement = float(np.sum(along**2 / np.maximum(np.abs(size), 1e-12)))
            converged = 0.0 <= decrement < NOISE * max(1.0, 1e-4 * abs(value))
            break
        z, moved = z + t * step, decrement
        value, gradient = new
        log.append(Iteration(len(log) + 1, "newton", value, float(np.abs(gradient).max(initial=0.0)), decrement, t))
        if not np.isfinite(decrement) or decrement > 1e-3:
            curvature = measure(z, gradient)
        else:
            stale = True
    if stale and (not converged or moved > (NEARBY if objective.standing else 1e-6) or objective.exact):
        curvature = measure(z, gradient)
    return replace(
        found, z=z, value=value, gradient=gradient, decrement=decrement, converged=converged, log=tuple(log),
        curvature=curvature,
    )  # fmt: skip
