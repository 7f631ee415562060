"""Probabilities at 0 or 1, and counts without overdispersion: logits and logarithms without bound.

The logit of such a probability runs off by itself where the other category has a logit of 0. Where it is the category
of reference that has probability 0, all logits of the class run off together and only their differences are known; a
middle category of an adjacent scale takes two thresholds along, in opposite directions. So what is looked for are
directions d in which the likelihood is flat far out, x + t d: one parameter of each is held, the others follow it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.families import MIXTURES
from semlang.estimation.parameters import by_distances, ordered
from semlang.model.discrete import LAST_LOCATION
from semlang.model.table import ParameterTable, Row

__all__ = ["Limits", "at_limit", "of_levels"]

Floats = NDArray[np.float64]

FAR = 7.0
"""A logit beyond which the probability is within 0.001 of 0 or 1."""

FAR_PROBIT = 4.0
"""The same for a probit, within 0.0001."""

FLAT = 0.05
"""Information of a logit (of one unit, at most 1/4) below which the data say nothing more of its size."""

ALONG = 0.01
"""Share of the held parameter's way from which another one that follows it is without bound too."""


@dataclass(frozen=True)
class Limits:
    """Parameters without bound.

    Parameters
    ----------
    directions : mapping from parameter to (P,) floats
        The parameters that are held; how all others follow one, of which 1 itself, and 0 for the other held ones.
    signs : mapping from parameter to +-inf
        Where the held ones are going.
    closed : frozenset of int
        Those among the held ones that are logarithms of distances: their thresholds are where the ones before them are.
    relative : frozenset of int
        Differences of logits from that of another level: at twice the distance, for that may be infinite the other way.
    scales : sequence of sequences of int
        Thresholds whose coordinates are logarithms of distances, without closed ones.
    """

    directions: Mapping[int, Floats] = field(default_factory=dict)
    signs: Mapping[int, float] = field(default_factory=dict)
    closed: frozenset[int] = frozenset()
    relative: frozenset[int] = frozenset()
    scales: tuple[tuple[int, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.directions)

    @property
    def infinite(self) -> dict[int, float]:
        """Parameters that are without bound, with their limit; those that are held or go along."""
        found: dict[int, float] = {}
        for held, d in self.directions.items():
            for p in () if held in self.closed else np.flatnonzero(np.abs(d) > ALONG):
                found.setdefault(int(p), math.copysign(math.inf, d[p] * self.signs[held]))
        return {p: self.signs.get(p, limit) for p, limit in sorted(found.items())}

    def only(self, held: Collection[int]) -> Limits:
        """Return some of them."""
        return replace(
            self, directions={p: self.directions[p] for p in held}, signs={p: self.signs[p] for p in held},
            closed=self.closed & set(held),
        )  # fmt: skip

    def at(self, x: Floats, size: float) -> Floats:
        """Return coordinates with the held parameters at a distance from 0, and what follows them where it is then."""
        before = ordered(x, self.scales)[0]
        out = before.copy()
        for p, d in self.directions.items():
            out += d * (self._place(p, size) - before[p])
        for p in self.directions:  # a step from 1e20 ends elsewhere
            out[p] = self._place(p, size)
        return by_distances(out, self.scales)

    def _place(self, p: int, size: float) -> float:
        return math.copysign(2.0 * size if p in self.relative else size, self.signs[p])

    def carried(self, x: Floats) -> tuple[list[int], Floats]:
        """Return the coordinates that are not held, and the derivatives (free, n) of these, less what follows, in all.

        Information on the free ones becomes one on all in which the directions are flat.
        """
        free = [p for p in range(x.size) if p not in self.directions]
        out = np.eye(x.size)[free]
        back = np.linalg.inv(ordered(x, self.scales)[1])
        for p, d in self.directions.items():
            way = back @ d
            out[:, p] = -way[free] / way[p]
        return free, out


def at_limit(table: ParameterTable, x: Floats, information: Floats, scales: Sequence[Sequence[int]] = ()) -> Limits:
    """Return what is at the limit of its scale.

    Parameters
    ----------
    table : ParameterTable
    x : (P,) floats
        The parameters, as long as the optimiser's coordinates.
    information : (n, n) floats
        Nothing is found where constraints make n smaller than P.
    scales : sequence of sequences of int
        Thresholds whose coordinates are logarithms of distances.
    """
    if information.shape[0] != x.size:
        return Limits()
    closed = frozenset(p for scale in scales for p in scale[1:] if x[p] < -FAR and information[p, p] < FLAT)
    opened = tuple(tuple(p for p in scale if p not in closed) for scale in scales)
    if any(opened):
        x, jacobian = ordered(x, opened)
        back = np.linalg.inv(jacobian)
        information = back.T @ information @ back
    sets: dict[tuple[object, ...], dict[int, float]] = {}
    for row in table.rows:
        far = None if row.parameter in closed else _far(table, row, x)
        if far is not None:
            key = (row.target, row.group, row.class_variable, row.klass, row.also, row.quantity)
            sets.setdefault(key, {})[row.parameter] = far
    signs: dict[int, float] = {}
    for own in _origins(table):
        if any(abs(x[p]) > FAR for p in own):
            signs.update((p, math.copysign(math.inf, x[p])) for p in own)
    for of_set in sets.values():  # logits of one choice: each is far from 0, or from another one
        if not any(abs(x[p]) > far for p, far in of_set.items()):
            continue
        for p, far in of_set.items():
            furthest = max((x[p], *(x[p] - x[q] for q in of_set)), key=abs)
            if abs(furthest) > far:
                signs[p] = math.copysign(math.inf, x[p] if abs(x[p]) > far else furthest)
    held, directions = _flat(sorted(signs), information)
    signs = {p: signs[p] for p in held} | dict.fromkeys(closed, -math.inf)
    relative = frozenset(r.parameter for r in table.rows if r.quantity in MIXTURES and of_levels(r))
    return Limits(directions | {p: np.eye(x.size)[p] for p in closed}, signs, closed, relative, opened)


def _far(table: ParameterTable, row: Row, x: Floats) -> float | None:
    """Return from where on a parameter is far out, None where it is no intercept on a scale with limits."""
    variable = table.variables.get(row.target)
    mixture = row.quantity in MIXTURES
    if row.parameter < 0 or variable is None:
        return None
    if mixture and of_levels(row):
        return FAR
    if row.via or row.op not in ("~1", "|"):
        return None
    poisson = row.quantity == "shape" and not variable.kind.logarithm
    if not (row.klass or mixture or poisson):
        return None
    logit = variable.kind.name == "class" or (
        variable.role == "response" and not row.quantity and _bounded(table, row.target)
    )
    if not (logit or mixture or (poisson and x[row.parameter] > 0)):
        return None
    return FAR_PROBIT if variable.link == "probit" and not row.quantity else FAR


def of_levels(row: Row) -> bool:
    """Whether a coefficient is that of a level of a factor, or of several: it has no unit."""
    return bool(row.via) and not row.source and all(c.function == "level" for c in row.via)


def _origins(table: ParameterTable) -> list[list[int]]:
    """Return the locations of mass points with mean 0, and the intercepts that move where one of them runs off."""
    found = []
    for v in table.latents:
        if v.kind.name != "masspoints":
            continue
        targets = [r.target for r in table.rows if r.source == v.key and r.op != "~~"]
        if any(table.variables[t].role != "response" or not _bounded(table, t) for t in targets):
            continue
        places = [r for r in table.rows if r.op == "~1" and not r.quantity and r.target == v.key and r.klass]
        if any(r.rule == LAST_LOCATION for r in places):
            places += [
                r for r in table.rows
                if r.target in targets and r.op in ("~1", "|") and not r.quantity and not r.klass and not r.via
            ]  # fmt: skip
        own = list(dict.fromkeys(r.parameter for r in places if r.parameter >= 0))
        if own:
            found.append(own)
    return found


def _bounded(table: ParameterTable, key: str) -> bool:
    """Whether the mean of a response has limits at which its linear predictor is infinite."""
    return table.variables[key].link in ("logit", "probit", "cloglog", "loglog", "log")


def _flat(candidates: Sequence[int], information: Floats) -> tuple[list[int], dict[int, Floats]]:
    """Return the candidates about which nothing is known given the others, and how the others follow each.

    A Cholesky factorisation that takes the best known first.
    """
    left = list(candidates)
    inside = information[np.ix_(left, left)].copy()
    known: list[int] = []
    while left:
        diagonal = np.diag(inside)
        best = int(np.argmax(diagonal))
        if diagonal[best] < FLAT:
            break
        inside = inside - np.outer(inside[:, best], inside[:, best]) / inside[best, best]
        known.append(left.pop(best))
        inside = np.delete(np.delete(inside, best, 0), best, 1)
    directions = {}
    for p in left:
        d = np.zeros(information.shape[0])
        d[p] = 1.0
        if known:
            block = information[np.ix_(known, known)]
            d[known] = -np.linalg.lstsq(block, information[known, p], rcond=None)[0]
        directions[p] = d
    return left, directions
