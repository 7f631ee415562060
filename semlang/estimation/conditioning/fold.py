"""The fold: sums over the states of units, from the lowest level with states to the top, and back.

At every unit, value = log sum over states of exp(log weight + sum of the parts' values). The reverse gives the
posterior probability of each state, and so what each log weight and each leaf's value adds to the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.sums import sum_by

__all__ = ["Fold", "Folded", "Stage"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stage:
    """One level of the fold.

    Parameters
    ----------
    level : str
    axes : tuple of int
        Axes of the variables that vary over the units of the level.
    parent : (U,) ints
        The unit of the next stage (after the last one: the top-level unit) that each unit belongs to.
    weight : (U,) floats or None
        What multiplies the value of a unit inside its parent.
    """

    level: str
    axes: tuple[int, ...]
    parent: Ints
    weight: Floats | None


@dataclass(frozen=True)
class Folded:
    """What a fold found.

    Parameters
    ----------
    values : (C,) floats
    adjoints : one (*states, U) array a stage
        Derivatives of ``values.sum()`` with respect to log weights and values of the parts: posterior probabilities
        times the weights of the units above.
    """

    values: Floats
    adjoints: tuple[Floats, ...]

    def probabilities(self, stage: int, axis: int) -> Floats:
        """Return the posterior probabilities (U, states) of a variable of a stage; NaN in units of weight zero."""
        a = self.adjoints[stage]
        others = tuple(k for k in range(a.ndim - 1) if k != axis)
        marginal = a.sum(axis=others).T
        with np.errstate(invalid="ignore"):
            return np.asarray(marginal / marginal.sum(axis=1, keepdims=True))


class Fold:
    """Sums over states, level by level.

    Parameters
    ----------
    stages : sequence of Stage
        Lowest level first.
    n_top : int
        Number C of top-level units.
    """

    def __init__(self, stages: Sequence[Stage], n_top: int) -> None:
        self.stages, self.n_top = tuple(stages), n_top

    def run(self, parts: Floats, log_weights: Sequence[Floats]) -> Folded:
        """Return the values of the top-level units and the adjoints of everything.

        Parameters
        ----------
        parts : (*states, U) floats
            Values of the units of the lowest stage in each state of all variables.
        log_weights : one array a stage
            Broadcasts to (*states, U) of its stage.
        """
        held: list[Floats] = []
        value = parts
        for number, (stage, log_weight) in enumerate(zip(self.stages, log_weights, strict=True)):
            joint = value + log_weight
            largest = joint.max(axis=stage.axes, keepdims=True)
            largest = np.where(np.isfinite(largest), largest, 0.0)
            joint -= largest
            np.exp(joint, out=joint)
            total = joint.sum(axis=stage.axes, keepdims=True)
            with np.errstate(divide="ignore"):
                value = largest + np.log(total)
            joint /= np.where(total > 0.0, total, 1.0)
            held.append(joint)
            if stage.weight is not None:
                value = value * stage.weight
            last = number + 1 == len(self.stages)
            value = sums(value, stage.parent, self.n_top if last else self.stages[number + 1].parent.size)
        values = value.reshape(-1)
        above = np.ones_like(value)
        adjoints: list[Floats] = []
        for stage, conditional in zip(reversed(self.stages), reversed(held), strict=True):
            above = above[..., stage.parent]
            if stage.weight is not None:
                above = above * stage.weight
            above = conditional * above
            adjoints.append(above)
        return Folded(values, tuple(reversed(adjoints)))


def sums(value: Floats, parent: Ints, n: int) -> Floats:
    """Return the sums over the last axis by parent."""
    if parent.size == n and np.array_equal(parent, np.arange(n)):
        return value
    out = np.zeros((*value.shape[:-1], n))
    flat, target = value.reshape(-1, value.shape[-1]), out.reshape(-1, n)
    for row, to in zip(flat, target, strict=True):
        to += sum_by(parent, row, n)
    return out
