"""Separation: combinations of covariates along which the likelihood rises for ever, found before the fit.

A row of a response with categories or counts gives inequalities a'd >= 0 (`inequalities`): along a direction d of the
coefficients that meets them its probability does not fall, whatever the latent variables are. The likelihood has a
maximum in all directions exactly where no d makes one of them strict (Albert and Anderson 1984). At its supremum the
factors of the likelihood that are strict are 1; the others do not change along d (the limit model of Barndorff-Nielsen
1978; Geyer 2009), and may be separated once more. What is 1 is left out where it is a response or an alternative; where
it is a step or a category of a response, coefficients are held so far out along d that its probability is 1 (0) within
rounding. Only coefficients that act linearly, on such responses alone, count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.data.design import Design
from semlang.estimation.frame import Frame
from semlang.estimation.inequalities import inequalities, separable
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable
from semlang.sums import count_by

__all__ = ["Separation", "separate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SAMPLES = (2_000, 20_000)
"""Records among which an overlap is looked for first: what overlaps there overlaps in all."""
STEPS = 25
FAR = 15.0
"""A logit that a regression whose gradient vanishes does not reach unless there is separation."""
FLAT = 1e-9
ZERO = 1e-7
"""Part of the largest by which an inequality that holds in exact arithmetic may fail, from rounding."""
ROUNDING = 1e-6
"""Part of a vector of length one that is rounding: it comes from a matrix of products, with half of the digits."""
OUTSIDE = 20.0
"""Where the linear predictors of separated rows are put at least: their probabilities are 1 within 2e-9."""
BEYOND = 80.0
"""The same where the fit itself is out there, and other estimates move them."""


@dataclass(frozen=True)
class Separation:
    """What is at infinity, and the model at the limit.

    Parameters
    ----------
    limits : mapping from parameter to float
        Parameters at infinity, with the limit, inf or -inf.
    lost : tuple of int
        Parameters that act on separated rows alone: the data say nothing of them.
    held : tuple of int
        Parameters that the limit model has no more.
    designs : tuple of Design
        Those of the limit model: responses that have probability 1 are not there.
    rows : int
        Number of responses with probability 1.
    partly : int
        Number of responses of which some categories, or orders of alternatives, have probability 0.
    near : mapping from parameter to float
        Start values for the latter, of which a regression that has no maximum gives none.
    whole : tuple of str
        Responses of which nothing is left.
    free : (p,) integers
        Parameters that act linearly, on responses that can be separated.
    unseen : (p, k) floats
        Directions of these that change nothing in the limit model.
    directions : tuple of (p,) floats
        Along which the likelihood rises for ever, the first before the second.
    strict : tuple of (n, p) floats
        The inequalities that each of them makes strict.
    """

    limits: dict[int, float]
    lost: tuple[int, ...]
    held: tuple[int, ...]
    designs: tuple[Design, ...]
    rows: int
    partly: int = 0
    near: dict[int, float] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    free: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    unseen: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    directions: tuple[Floats, ...] = ()
    strict: tuple[Floats, ...] = ()

    def far_out(self, parameters: Floats) -> Floats:
        """Return the limit model's estimates moved to where the probabilities of separated rows are 1."""
        out = parameters.copy()
        for d, A in zip(reversed(self.directions), reversed(self.strict), strict=True):
            out[self.free] += d * max(float(((OUTSIDE - A @ out[self.free]) / (A @ d)).max()), 0.0)
        return out

    def shift(self, n: int) -> Floats:
        """Return what is added to the n parameters of the limit model: 0 where what is separated has been left out."""
        out = np.zeros(n)
        if self.near:
            for d, A in zip(reversed(self.directions), reversed(self.strict), strict=True):
                out[self.free] += d * max(float(((BEYOND - A @ out[self.free]) / (A @ d)).max()), 0.0)
        return out

    def seen_from(self, frame: Frame | None) -> Separation:
        """Return limits and lost parameters as those of the table, where the rest is that of the model in the frame."""
        if frame is None:
            return self
        A = frame.A[:, self.free]
        limits: dict[int, float] = {}
        for d in self.directions:
            for p in _moved(A, d[:, None]):
                limits.setdefault(p, float(np.copysign(np.inf, A[p] @ d)))
        lost = tuple(p for p in _moved(A, self.unseen) if p not in limits)
        return replace(self, limits=limits, lost=lost)


def separate(
    table: ParameterTable, forms: Sequence[ReducedForm], designs: Sequence[Design], pinned: Collection[int] = ()
) -> Separation | None:
    """Return what separates responses, or None where nothing does.

    Parameters
    ----------
    table : ParameterTable
    forms, designs : sequences
        One a group.
    pinned : collection of int
        Parameters in constraints or with bounds: they can't move.

    References
    ----------
    Albert and Anderson (1984), Biometrika 71, 1-10. Geyer (2009), Electronic Journal of Statistics 3, 259-289. Konis
    (2007), Linear programming algorithms for detecting separated data in binary logistic regression models.
    """
    free = _linear(table, forms, pinned)
    if not free.size:
        return None
    for most in SAMPLES:
        sample = [inequalities(table, f, d, free, most) for f, d in zip(forms, designs, strict=True)]
        if _overlap(np.concatenate([s.A for s in sample])):
            return None
        if all(d.n_rows <= most for d in designs):
            break
    parts = [inequalities(table, f, d, free) for f, d in zip(forms, designs, strict=True)]
    A = np.concatenate([p.A for p in parts])
    row, response, part = (np.concatenate([getattr(p, name) for p in parts]) for name in ("row", "response", "part"))
    group = np.repeat(np.arange(len(parts)), [len(p.A) for p in parts])
    _, unit = np.unique(np.stack([group, response, row, part]), axis=1, return_inverse=True)
    counts, alive = row >= 0, np.ones(len(A), dtype=bool)
    directions: list[tuple[Floats, Bools]] = []
    while len(directions) < free.size:
        d = _direction(A[alive], counts[alive])
        if d is None:
            break
        product = A @ d
        strict = alive & counts & (product > ZERO * np.abs(product[alive]).max())
        if not strict.any():
            break
        directions.append((d, strict))
        alive &= ~np.isin(unit, unit[strict])
    if not directions:
        return None
    unseen, held = _undetermined(A[alive & counts])
    first: dict[int, float] = {}
    for d, _ in directions:
        for i in np.flatnonzero(d).tolist():
            first.setdefault(int(free[i]), float(np.copysign(np.inf, d[i])))
    gone, place = ~alive & counts, np.stack([group, response, row], axis=1)
    where = np.unique(place[gone & (part < 0)], axis=0)
    touched = np.unique(place[gone & (part >= 0)], axis=0)
    left = {tuple(p) for p in place[alive & counts].tolist()}
    partly = sum(tuple(p) in left for p in touched.tolist())
    limit, whole = _without(forms, designs, where)
    near = _near(table, free[A[part >= 0].any(axis=0)]) if len(touched) else {}
    whole += _without_parts(forms, group, response, alive & counts, part >= 0)
    alone = np.eye(free.size)
    lost = tuple(int(free[i]) for i in _moved(alone, unseen) if int(free[i]) not in first)
    return Separation(
        first, lost, tuple(int(free[i]) for i in held), limit, len(where) + len(touched) - partly, partly, near, whole,
        free, unseen,
        tuple(d for d, _ in directions), tuple(A[strict] for _, strict in directions),
    )  # fmt: skip


def _near(table: ParameterTable, parameters: Ints) -> dict[int, float]:
    """Return start values: thresholds in order, all else 0."""
    thresholds = {row.parameter: float(row.threshold) for row in table.rows if row.op == "|"}
    middle = {p: t - 0.5 * (max(thresholds.values()) + 1.0) for p, t in thresholds.items()}
    return {p: 0.5 * middle.get(p, 0.0) for p in parameters.tolist()}


def _undetermined(A: Floats) -> tuple[Floats, list[int]]:
    """Return the directions that A does not see, and as many columns as have to be held for these."""
    sizes = np.sqrt((A**2).sum(axis=0))
    B = A / np.where(sizes > 0.0, sizes, 1.0)
    values, vectors = np.linalg.eigh(B.T @ B)
    null = vectors[:, values <= ZERO**1.5 * max(float(values[-1]), 1.0)]
    null = np.where(np.abs(null) > ROUNDING, null, 0.0)
    involved = np.abs(null).max(axis=1, initial=0.0)
    order = np.argsort(involved, kind="stable")
    kept: list[int] = []
    held: list[int] = []
    for i in order.tolist():
        rest = B[:, i] - (B[:, kept] @ np.linalg.lstsq(B[:, kept], B[:, i], rcond=None)[0] if kept else 0.0)
        (kept if float(rest @ rest) > ZERO else held).append(i)
    return null / np.where(sizes > 0.0, sizes, 1.0)[:, None], held


def _moved(A: Floats, directions: Floats) -> list[int]:
    """Return the rows of A that directions change, but for rounding."""
    return np.flatnonzero((np.abs(A @ directions) > ZERO * (np.abs(A) @ np.abs(directions))).any(axis=1)).tolist()


def _without(
    forms: Sequence[ReducedForm], designs: Sequence[Design], where: Ints
) -> tuple[tuple[Design, ...], tuple[str, ...]]:
    """Return the designs without responses (group, response, row), and the responses of which nothing is left."""
    out, left = [], {key: False for form in forms for key in form.responses}
    for g, (form, design) in enumerate(zip(forms, designs, strict=True)):
        responses = dict(design.responses)
        for k in np.unique(where[where[:, 0] == g, 1]).tolist():
            key = form.responses[k]
            responses[key] = responses[key].copy()
            responses[key][where[(where[:, 0] == g) & (where[:, 1] == k), 2]] = np.nan
            if key in design.sets:
                own, known = design.sets[key], ~np.isnan(responses[key])
                responses[key][count_by(own[known], int(own.max()) + 2)[own] < 2] = np.nan
        for key in form.responses:
            left[key] |= bool((~np.isnan(responses[key])).any())
        out.append(replace(design, responses=responses))
    return tuple(out), tuple(key for key, some in left.items() if not some)


def _without_parts(
    forms: Sequence[ReducedForm], group: Ints, response: Ints, alive: Bools, partial: Bools
) -> tuple[str, ...]:
    """Return the responses that consist of steps or pairs of categories and of which nothing is left."""
    left: dict[str, bool] = {}
    for g, k in np.unique(np.stack([group, response], axis=1)[partial], axis=0).tolist():
        key = forms[g].responses[k]
        left[key] = left.get(key, False) or bool(alive[(group == g) & (response == k)].any())
    return tuple(key for key, some in left.items() if not some)


def _linear(table: ParameterTable, forms: Sequence[ReducedForm], pinned: Collection[int]) -> Ints:
    """Return the parameters that act linearly, on responses that can be separated, and on nothing else."""
    P = table.n_parameters
    rng = np.random.default_rng(1)
    at = rng.uniform(0.5, 1.5, (2, P))
    used, bad = np.zeros(P, dtype=bool), np.zeros(P, dtype=bool)
    bad[list(pinned)] = True
    for form in forms:
        (_, one), (_, two) = (form.jacobian(t) for t in at)
        changes = np.abs(one - two) > 1e-12
        good = np.array([separable(table, form, k) for k in range(len(form.responses))], dtype=bool)
        for k, _, slot in form.mean_cells.tolist():
            used |= one[slot] != 0.0
            bad |= changes[slot] if good[form.owners[k]] else one[slot] != 0.0
        for _, _, _, slot in form.loading_cells.tolist():
            bad |= (one[slot] != 0.0) | (two[slot] != 0.0)
        for k, thresholds in form.thresholds.items():
            for addends in thresholds:
                for a in addends:
                    if a.parameter >= 0:
                        used[a.parameter] = True
                        bad[a.parameter] |= not good[k]
        others = [form.psi.parameter, form.theta.parameter]
        further = (*form.quantities.values(), *form.moderated.values())
        others += [np.array([a.parameter for a in addends], dtype=np.int64) for addends in further]
        for parameters in others:
            bad[parameters[parameters >= 0]] = True
        for a in (a for addends in form.further for a in addends if a.slot >= 0):
            bad |= (one[a.slot] != 0.0) | (two[a.slot] != 0.0)
    return np.flatnonzero(used & ~bad)


def _sizes(A: Floats) -> Floats:
    sizes = np.sqrt((A**2).mean(axis=0)) if len(A) else np.ones(A.shape[1])
    return np.asarray(np.where(sizes > 0.0, sizes, 1.0))


def _basis(A: Floats) -> tuple[Floats, Floats]:
    """Return A T with orthogonal columns of unit root mean square, and T: its range, whatever units and origins are."""
    sizes = _sizes(A)
    _, s, Vt = np.linalg.svd((A / sizes).T @ (A / sizes) / max(len(A), 1), hermitian=True)
    used = s > 1e-13 * s.max(initial=1e-300)
    T = (Vt[used].T / np.sqrt(s[used])) / sizes[:, None]
    return A @ T, T


def _overlap(A: Floats) -> bool:
    """Return whether a logistic regression of successes alone on the inequalities has a maximum: none can be strict."""
    if not len(A):
        return True
    Q, _ = _basis(A)
    d = np.zeros(Q.shape[1])
    for _ in range(STEPS):
        nu = np.clip(Q @ d, -500.0, 500.0)
        if nu.max(initial=0.0) > FAR:
            return False
        miss = 1.0 / (1.0 + np.exp(nu))
        gradient = Q.T @ miss
        step = Curvature((Q * (miss * (1.0 - miss))[:, None]).T @ Q)
        if step.pivot < 1e-12:
            return False
        move = step.solve(gradient)
        decrement = float(gradient @ move)
        if decrement < FLAT:
            return True
        d += move * min(1.0, 3.0 / np.sqrt(decrement / len(A) + 1e-300))
    return False


def _direction(A: Floats, counts: Bools) -> Floats | None:
    """Return the direction d with A d >= 0 that makes most of the inequalities that count strict, or None."""
    from scipy.optimize import linprog as _linprog
    from scipy.sparse import csr_array, eye_array, hstack

    linprog: Callable[..., Any] = _linprog
    Q, T = _basis(A)
    if not Q.shape[1]:
        return None
    Q, first = np.unique(np.column_stack([np.round(Q, 12), counts]), axis=0, return_index=True)
    Q, counted = Q[:, :-1], counts[first]
    m, q = Q.shape
    gains = eye_array(m, format="csr")[:, counted]
    answer = linprog(
        np.concatenate([np.zeros(q), -np.ones(int(counted.sum()))]),
        A_ub=hstack([csr_array(-Q), gains]),
        b_ub=np.zeros(m),
        bounds=[(None, None)] * q + [(0.0, 1.0)] * int(counted.sum()),
        method="highs",
    )
    if answer.x is None or -answer.fun < 0.5:
        return None
    d = T @ answer.x[:q]
    sizes = np.abs(d) * _sizes(A)
    return np.asarray(np.where(sizes > ZERO * sizes.max(), d, 0.0))
