"""Many starts: class-specific parameters are moved apart at random, short climbs choose, the best go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.member import Infeasible
from semlang.estimation.optimize import Optimum
from semlang.model.table import ParameterTable, Row
from semlang.sums import count_by, sum_by

__all__ = ["Starts", "apart", "best_of", "climbed", "degenerate", "different", "rivals"]

Floats = NDArray[np.float64]

SAME = 1e-2
"""Two starts reached the same maximum when their log-likelihoods differ by less."""

SHRUNK = 1e-4
"""Residual variance of a class, of that of all, below which the class is a point."""

NARROW = 0.25
"""How near to each other classes begin, of the distance of units, in one half of the starts.

Where curves of classes differ in several coordinates, those that begin far out catch nobody and are lost.
"""

BEYOND, RIVALS = 4.0, 3
"""Standard errors of a difference of log-likelihoods that tell two maxima apart, and most of these that go on."""

FINALISTS = 2
"""One of so many starts goes on, and at least four."""


@dataclass(frozen=True)
class Starts:
    """Where the best start led.

    Parameters
    ----------
    z : (n,) floats
    values : tuple of float
        Log-likelihoods of the starts that went on, best first.
    tried : int
        Number of starts.
    others : tuple of (n,) floats
        Where the other ones led, one of each log-likelihood, best first.
    """

    z: Floats
    values: tuple[float, ...]
    tried: int
    others: tuple[Floats, ...] = ()

    @property
    def agreed(self) -> int:
        """Number of starts that reached the best log-likelihood."""
        return sum(v > self.values[0] - SAME for v in self.values)


class _Spread:
    """How far the classes of a variable may lie apart in the mean of another: an SD between units of its level."""

    def __init__(self, table: ParameterTable, designs: Sequence[Design], theta: Floats) -> None:
        self.table, self.designs = table, designs
        self._variance = {
            r.target: theta[r.parameter]
            for r in table.rows
            if r.op == "~~" and r.target == r.source and r.parameter >= 0
        }

    def of(self, key: str, level: str) -> float:
        """Return the SD of a response's or latent variable's mean between units of a level."""
        variable = self.table.variables[key]
        if variable.role == "response":
            if not variable.is_gaussian:
                return 1.0
            return float(np.std(np.concatenate([self._means(d, key, level) for d in self.designs]))) or 1.0
        own = float(np.sqrt(max(self._variance.get(key, 0.0), 0.0)))
        paths = [r for r in self.table.rows if r.source == key and r.op in ("=~", "~") and r.target != key]
        known = [self.of(r.target, level) / _size(r, self.designs) for r in paths if self._is_response(r.target)]
        return own or (known[0] if known else 1.0)

    def _is_response(self, key: str) -> bool:
        return key in self.table.variables and self.table.variables[key].role == "response"

    @staticmethod
    def _means(design: Design, key: str, level: str) -> Floats:
        y = design.responses[key]
        seen = ~np.isnan(y)
        if level not in design.clusters:
            return y[seen]
        code = design.clusters[level][seen]
        count = count_by(code)
        return np.asarray(sum_by(code, y[seen])[count > 0] / count[count > 0])


def _size(row: Row, designs: Sequence[Design]) -> float:
    if not row.via:
        return 1.0
    column = np.concatenate([d.columns[row.via] for d in designs])
    return float(np.sqrt(np.nanmean(column**2))) or 1.0


def apart(
    table: ParameterTable, theta: Floats, designs: Sequence[Design], fixed: Sequence[int],
    rng: np.random.Generator | None,
) -> Floats:  # fmt: skip
    """Return start values with the classes apart: in order of their numbers, or at random.

    Parameters
    ----------
    table, theta, designs
    fixed : sequence of int
        Parameters with start values of the user.
    rng : Generator or None
        None: every class is a step above the one before.
    """
    out = theta.copy()
    spread = _Spread(table, designs, theta)
    thresholds: dict[tuple[str, int], float] = {}
    done: set[int] = set(fixed)
    width = 1.0 if rng is None or rng.random() < 0.5 else NARROW
    for row in table.rows:
        if row.parameter < 0 or row.parameter in done or not row.klass:
            continue
        done.add(row.parameter)
        variable = table.variables[row.target]
        membership = variable.kind.name == "class"
        n = int(table.variables[row.class_variable].arguments.get("classes", 2))
        step = (row.klass - 0.5 * (n + 1)) / max(0.5 * (n - 1), 0.5)
        draw = step if rng is None else float(rng.normal())
        scale = 1.0 if membership else spread.of(row.target, table.variables[row.class_variable].level)
        if membership or row.quantity == "mass":
            out[row.parameter] += 0.0 if rng is None else draw * (0.3 if membership else 1.0)
        elif row.threshold and not row.via:
            shift = thresholds.setdefault((row.target, row.klass), draw)
            out[row.parameter] += shift
        elif row.quantity:
            out[row.parameter] += 0.0 if rng is None else 0.3 * draw
        elif row.op == "~1":
            out[row.parameter] += (1.5 if variable.kind.name == "masspoints" else width) * scale * draw
        elif row.op == "~~" and row.target == row.source:
            out[row.parameter] *= 1.0 if rng is None else float(np.exp(0.4 * draw))
        elif row.op == "=~" or row.source:
            out[row.parameter] *= 1.0 + 0.2 * (0.0 if rng is None else draw)
        elif row.op == "~":
            out[row.parameter] += 0.5 * width * scale * draw / _size(row, designs)
    return out


def degenerate(table: ParameterTable, start: Floats, theta: Floats) -> bool:
    """Whether a class has shrunk to a point: a residual variance is next to nothing beside that of the start.

    The likelihood of a mixture of normal distributions with variances of their own has no bound there (Day 1969).
    """
    for row in table.rows:
        v = table.variables.get(row.target)
        if row.parameter < 0 or v is None or v.role != "response":
            continue
        if row.op == "~~" and row.target == row.source and theta[row.parameter] < SHRUNK * abs(start[row.parameter]):
            return True
        sigma = row.quantity == "sigma" and v.kind.name == "gaussian" and not row.via
        if sigma and theta[row.parameter] < start[row.parameter] + 0.5 * np.log(SHRUNK):
            return True
    return False


def best_of(
    starts: Sequence[Floats],
    short: Callable[[Floats], Optimum],
    long: Callable[[Floats], Optimum] | None = None,
    sound: Callable[[Floats], bool] = lambda z: True,
) -> Starts:
    """Climb a little from every start, and on from the best of them.

    Parameters
    ----------
    starts : sequence of (n,) floats
    short, long : callable
        Climb from coordinates; without `long`, no further.
    sound : callable
        Whether coordinates are worth going on from; where none are, all count.

    Raises
    ------
    Infeasible
        If no start has a likelihood.
    """
    first = climbed(starts, short)
    first = [o for o in first if sound(o.z)] or first
    if not first:
        raise Infeasible("no start has a likelihood")
    finalists = first[: max(4, len(first) // FINALISTS)]
    last = first if long is None else climbed([o.z for o in finalists], long) or first
    last = [o for o in last if sound(o.z)] or last
    values = tuple(o.value for o in last)
    return Starts(last[0].z, values, len(starts), tuple(last[k].z for k in different(values)))


def different(values: Sequence[float]) -> list[int]:
    """Return the places, in decreasing values, at which a maximum is another one than those before."""
    return [k for k, (before, v) in enumerate(pairwise(values), 1) if v < before - SAME]


def rivals(found: Starts, values: Callable[[Floats], Floats], multiplicity: Floats) -> list[Floats]:
    """Return the maxima of some rows that may be the highest one of all rows, the best first.

    Another one is out where the difference of the log-likelihoods is beyond four of its standard errors, those of a sum
    over units (Vuong 1989).

    Parameters
    ----------
    found : Starts
    values : callable
        From coordinates to the log-likelihoods of the units (C,).
    multiplicity : (C,) floats
        How often each unit occurred.
    """
    out, best = [found.z], values(found.z)
    for z in found.others:
        d = best - values(z)
        if d.sum() < BEYOND * np.sqrt((d**2 / np.where(multiplicity > 0.0, multiplicity, 1.0)).sum()):
            out.append(z)
    return out[:RIVALS]


def climbed(starts: Sequence[Floats], climb: Callable[[Floats], Optimum]) -> list[Optimum]:
    """Return where climbs from some coordinates lead, best first; those without a likelihood are left out.

    A start may lead to where a class is empty and its parameters have no information.
    """
    found: list[Optimum] = []
    for z in starts:
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                found.append(climb(z))
        except (Infeasible, np.linalg.LinAlgError):
            continue
    return sorted((o for o in found if np.isfinite(o.value)), key=lambda o: -o.value)
