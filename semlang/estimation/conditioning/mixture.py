"""A member of the objective that sums over the states of what is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.conditioning.summed import Summed
from semlang.estimation.member import LevelMoments, Posterior
from semlang.model.table import ROWS

__all__ = ["Mixture"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Mixture(Summed):
    """One group's log-likelihood, and what it says about the states of what is conditioned on, see `Copies`."""

    def posterior(self, x: Floats) -> Posterior:
        """Return probabilities of states, and moments of the coordinates that have nodes."""
        folded, _ = self._evaluate(x)
        classes: dict[str, Floats] = {}
        for number, stage in enumerate(self.fold.stages):
            for axis in stage.axes:
                if axis in self.conditions.classes:
                    p = folded.probabilities(number, axis)
                    classes[self.conditions.discrete[axis]] = self._all_units(p, stage.level)
        levels: dict[str, LevelMoments] = {}
        for nodes in self.nodes:
            number = next(i for i, s in enumerate(self.fold.stages) if s.level == nodes.level)
            mean, covariance = nodes.moments(folded.adjoints[number])
            named = [self.conditions.nodes[a - len(self.conditions.sizes)] for a in nodes.axes]
            latent = [d for d, key in enumerate(named) if key not in self.conditions.filled]
            if not latent:
                continue
            keys = tuple(named[d] for d in latent)
            mean, covariance = mean[:, latent], covariance[:, latent][:, :, latent]
            full, _ = self.derived.extend(x)
            F = self._factor(keys, full)
            levels[nodes.level] = LevelMoments(
                keys, self._all_units(mean @ F.T, nodes.level), self._all_units(F @ covariance @ F.T, nodes.level)
            )
        return Posterior(levels, classes)

    def _factor(self, keys: tuple[str, ...], full: Floats) -> Floats:
        F = np.zeros((len(keys), len(keys)))
        for d in self.models[0].directions:
            for key, (parameter, value) in d.loadings.items():
                if key in keys and d.key in keys:
                    F[keys.index(key), keys.index(d.key)] = full[parameter] if parameter >= 0 else value
        return F

    def probabilities(self, x: Floats, informed: bool) -> Floats:
        """Return the joint probabilities (*states, U) of all states for the units of the lowest stage.

        Parameters
        ----------
        x : (P,) floats
        informed : bool
            Given the responses of the top-level unit, else before them; NaN in units of weight zero.
        """
        if informed:
            joint = self._evaluate(x)[0].adjoints[0]
        else:
            full, _ = self.derived.extend(x)
            nothing = np.zeros((*self.shape, self.fold.stages[0].parent.size))
            weights = [self._log_weights(i, full) for i in range(len(self.fold.stages))]
            joint = self.fold.run(nothing, weights).adjoints[0]
        total = joint.sum(axis=tuple(range(joint.ndim - 1)))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(joint / total)

    @property
    def unit_of_records(self) -> Ints:
        """Unit of the lowest stage of each record of the design that was given, -1 where it has none."""
        return self._unit[self._levels[0]][self.merged]

    @property
    def weighted_inside(self) -> tuple[str, ...]:
        """Levels whose weights the leaves apply: those below the stages."""
        return self.table.levels[: self.table.levels.index(self._levels[0])]

    @property
    def moving(self) -> tuple[bool, ...]:
        """Which configurations see the nodes."""
        return tuple(self._moves)

    def _all_units(self, values: Floats, level: str) -> Floats:
        """Return values by unit of the design that was given; NaN for units that are left out."""
        unit = self._unit[level]
        place = unit[self.merged]
        if level != ROWS:
            code = self.given.clusters[level]
            first = np.flatnonzero(np.diff(code, prepend=-1))
            place = place[first]
        out = values[np.maximum(place, 0)]
        out[place < 0] = np.nan
        return out

    @property
    def given_records(self) -> Ints:
        """First record of each top-level unit in the design that was given, before equal rows became one."""
        first = np.full(self.design.n_rows, -1)
        first[self.merged[::-1]] = np.arange(self.merged.size)[::-1]
        return first[self.records]

    def first_state_values(self, x: Floats) -> Floats | None:
        """Return the log-likelihoods of the top-level units were all in the first state of the one discrete variable.

        None where there are more, or it varies over other units.
        """
        if len(self.fold.stages) > 1 or len(self.conditions.sizes) != 1 or self.nodes or self._filled:
            return None
        if self.fold.stages[0].parent.size != self.records.size:
            return None
        full, _ = self.derived.extend(x)
        value: Floats = self.leaves[0].units(full, self.node_columns).values[0]
        weight = self.fold.stages[0].weight
        return value if weight is None else value * weight

    @property
    def distinct(self) -> Mapping[str, int]:
        """Number of different units that each discrete latent variable can tell apart."""
        return {
            self.conditions.discrete[a]: s.parent.size
            for s in self.fold.stages
            for a in s.axes
            if a in self.conditions.classes
        }

    def state_sizes(self, x: Floats) -> dict[str, tuple[Floats, float]]:
        """Return the proportions of the states, posterior probabilities averaged over units, and the units' weight."""
        folded, _ = self._evaluate(x)
        out: dict[str, tuple[Floats, float]] = {}
        for adjoint, stage in zip(folded.adjoints, self.fold.stages, strict=True):
            for axis in stage.axes:
                if axis in self.conditions.classes:
                    p = adjoint.sum(axis=tuple(k for k in range(adjoint.ndim) if k != axis))
                    out[self.conditions.discrete[axis]] = p / p.sum(), float(p.sum())
        return out
