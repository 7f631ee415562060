"""Many starts: class-specific parameters are moved apart at random, short climbs choose, the best go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.member import Infeasible
from semlang.estimation.optimize import Optimum
from semlang.model.table import ParameterTable, Row

__all__ = ["Starts", "apart", "best_of"]

Floats = NDArray[np.float64]

SAME = 1e-2
"""Two starts reached the same maximum when their log-likelihoods differ by less."""

FINALISTS = 4
"""One of so many starts goes on, at least so many."""


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
    """

    z: Floats
    values: tuple[float, ...]
    tried: int

    @property
    def agreed(self) -> int:
        """Number of starts that reached the best log-likelihood."""
        return sum(v > self.values[0] - SAME for v in self.values)


def _scales(table: ParameterTable, designs: Sequence[Design]) -> dict[str, float]:
    """Return how far the means of classes may lie apart, by response: an SD, or one unit of the link's scale."""
    out = {}
    for v in table.responses:
        if v.kind.name in ("gaussian",) and v.link in ("", "identity"):
            y = np.concatenate([d.responses[v.key] for d in designs])
            out[v.key] = float(np.nanstd(y)) or 1.0
        else:
            out[v.key] = 1.0
    return out


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
    scales = _scales(table, designs)
    variances = {
        r.target: theta[r.parameter] for r in table.rows if r.op == "~~" and r.target == r.source and r.parameter >= 0
    }
    for key, variable in table.variables.items():
        if variable.role != "response":
            measured = [scales[r.target] for r in table.rows if r.source == key and r.target in scales]
            scales[key] = float(np.sqrt(max(variances.get(key, 0.0), 0.0))) or (measured[0] if measured else 1.0)
    thresholds: dict[tuple[str, int], float] = {}
    done: set[int] = set(fixed)
    for row in table.rows:
        if row.parameter < 0 or row.parameter in done or not row.klass or (row.klass and row.quantity == "mass"):
            continue
        done.add(row.parameter)
        variable = table.variables[row.target]
        membership = variable.kind.name == "class"
        n = int(table.variables[row.class_variable].arguments.get("classes", 2))
        step = (row.klass - 0.5 * (n + 1)) / max(0.5 * (n - 1), 0.5)
        draw = step if rng is None else float(rng.normal())
        scale = scales.get(row.target, 1.0)
        if membership:
            out[row.parameter] += 0.0 if rng is None else 0.3 * draw
        elif row.threshold and not row.via:
            shift = thresholds.setdefault((row.target, row.klass), draw)
            out[row.parameter] += shift
        elif row.quantity:
            out[row.parameter] += 0.0 if rng is None else 0.3 * draw
        elif row.op == "~1":
            out[row.parameter] += scale * draw
        elif row.op == "~~" and row.target == row.source:
            out[row.parameter] *= 1.0 if rng is None else float(np.exp(0.4 * draw))
        elif row.op == "=~" or row.source:
            out[row.parameter] *= 1.0 + 0.2 * (0.0 if rng is None else draw)
        elif row.op == "~":
            out[row.parameter] += 0.5 * scale * draw / _size(row, designs)
    return out


def best_of(starts: Sequence[Floats], short: Callable[[Floats], Optimum], long: Callable[[Floats], Optimum]) -> Starts:
    """Climb a little from every start, and on from the best of them.

    Parameters
    ----------
    starts : sequence of (n,) floats
    short, long : callable
        Climb from coordinates.

    Raises
    ------
    Infeasible
        If no start has a likelihood.
    """
    first = _climbed(starts, short)
    if not first:
        raise Infeasible("no start has a likelihood")
    finalists = first[: max(min(FINALISTS, len(first)), len(first) // FINALISTS)]
    last = _climbed([o.z for o in finalists], long) or first
    return Starts(last[0].z, tuple(o.value for o in last), len(starts))


def _climbed(starts: Sequence[Floats], climb: Callable[[Floats], Optimum]) -> list[Optimum]:
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
