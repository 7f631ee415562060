"""Predictors of models that are conditioned on something: mixtures, over states, of those of the model given them.

States are combinations of classes and nodes. Before the data they have the probabilities of the classes and of the
nodes at the prior; after them the posterior probabilities that the fold gives. Given its state a unit's model has
neither classes nor products, and expectations and moments are those of `Predictors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from semlang.data.design import Design
from semlang.data.repeated import repeated
from semlang.estimation.assemble import assemble
from semlang.estimation.conditioning.flags import of_units
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.conditioning.partition import Partition
from semlang.estimation.constraints import Constraints
from semlang.estimation.latent_moments import LatentMoments, latent_moments
from semlang.estimation.linear_predictors import linear_predictors
from semlang.estimation.predictors import Predictors, RowExpectations, completed
from semlang.graph.build import build_graph
from semlang.graph.condition import given_values, membership
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, ParameterTable

__all__ = ["MixedPredictors", "mixed_predictors"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRIOR_NODES = {0: 1, 1: 61, 2: 21, 3: 11}
"""Nodes a dimension before the data, by number of dimensions."""

RUN = 200_000
"""Responses in copies of the data that are looked at at once."""


@dataclass(frozen=True)
class _Side:
    """States with probabilities: before the data, or after them.

    Parameters
    ----------
    member : Mixture
    design : Design
        Rows of the part; their responses are what is known.
    full : floats
        Coordinates of the leaves.
    p : (*classes, copies, U) floats
        Joint probabilities of the states by unit of the lowest stage.
    unit : (n_rows,) ints
        That unit of each record, -1 where there is none.
    """

    member: Mixture
    design: Design
    full: Floats
    p: Floats
    unit: Ints

    @classmethod
    def of(cls, member: Mixture, design: Design, x: Floats, informed: bool) -> _Side:
        full, _ = member.derived.extend(x)
        p = member.probabilities(x, informed)
        below = member.weighted_inside
        design = replace(
            design,
            frequency={k: v for k, v in design.frequency.items() if k in below},
            weights={k: v for k, v in design.weights.items() if k in below},
        )
        return cls(member, design, full, p.reshape(*member.conditions.sizes, member.copies, -1), member.unit_of_records)

    def leaves(self, latent: bool = False) -> Iterator[tuple[Predictors, Floats]]:
        """Yield the model of each configuration on a run of copies, and the probabilities (copies, n_rows).

        Parameters
        ----------
        latent : bool
            Whether latent variables that responses do not depend on are looked at, too.
        """
        member, n = self.member, self.design.n_rows
        nodes = bool(member.nodes)
        for c, model, moves in zip(member.conditions.configurations, member.models, member.moving, strict=True):
            weights = np.where(self.unit >= 0, self.p[c.index][:, np.maximum(self.unit, 0)], np.nan)
            graph = build_graph(model.table, c.graph.group)
            points = member.leaf_points
            if not nodes or not (moves or latent):
                p = Predictors(model.table, graph, self.design, self.full, points, factored=model.factored)
                yield p, weights.sum(axis=0, keepdims=True)
                continue
            step = max(1, RUN // max(n * len(self.design.responses), 1))
            for start in range(0, member.copies, step):
                run = slice(start, min(start + step, member.copies))
                data = repeated(self.design, member.node_columns(run), run.stop - run.start)
                yield Predictors(model.table, graph, data, self.full, points, factored=model.factored), weights[run]


class MixedPredictors:
    """What `Predictors` is, for some units of a group whose model is conditioned on something.

    Parameters
    ----------
    table : ParameterTable
    before, after : Mixture
        On designs whose responses are complete, and on the data.
    x, x_before : (P,) floats
        Coordinates of the two.
    theta : (P,) floats
    """

    def __init__(self, table: ParameterTable, before: Mixture, after: Mixture, x: Floats, theta: Floats) -> None:
        self.table, self.theta, self._x = table, theta, x
        self._before, self._after = before, after
        self.design = after.given
        self.form: ReducedForm = after.conditions.configurations[0].form
        self.graph: ModelGraph = after.conditions.configurations[0].graph

    @cached_property
    def _prior(self) -> _Side:
        unknown = {k: np.full_like(y, np.nan) for k, y in self.design.responses.items()}
        return _Side.of(self._before, replace(self.design, responses=unknown), self._x, False)

    @cached_property
    def _posterior(self) -> _Side:
        self._after.move(self._x)
        return _Side.of(self._after, self.design, self._x, True)

    # ------------------------------------------------------------------ expectations

    def marginal(self) -> RowExpectations:
        """Return expectations over classes and latent variables of a new unit."""
        return self._mixed(self._prior, "marginal")

    def conditional(self) -> RowExpectations:
        """Return expectations over the posterior of the unit's classes and latent variables."""
        return self._informed("conditional", "marginal")

    def linear(self) -> RowExpectations:
        """Return the posterior means of the linear predictors."""
        return self._informed("linear", "linear")

    def _informed(self, method: str, without: str) -> RowExpectations:
        found = self._mixed(self._posterior, method)
        lost = self._posterior.unit[found.record] < 0
        if lost.any():
            found.values[lost] = self._mixed(self._prior, without).values[lost]
        return found

    def _mixed(self, side: _Side, method: str) -> RowExpectations:
        n, keys = self.design.n_rows, {key: k for k, key in enumerate(self.form.responses)}
        categories = self.design.categories.values()
        most = max([1, *(len(t) + 1 for t in self.form.thresholds.values()), *map(len, categories)])
        total, reached = np.zeros((n, len(keys), most)), np.zeros((n, len(keys)))
        for p, weights in side.leaves():
            e: RowExpectations = getattr(p, method)()
            kept, first = np.unique(e.record * len(p.form.responses) + e.response, return_index=True)
            copy, record = np.divmod(e.record[first], n)
            place = np.array([keys.get(key, -1) for key in p.form.responses])[kept % len(p.form.responses)]
            use = place >= 0
            copy, record, place, values = copy[use], record[use], place[use], e.values[first[use]]
            w = weights[copy, record]
            # A state without probability has no part in the mean, not even where it has none itself.
            share = np.where(w[:, None] > 0.0, w[:, None] * values, np.where(np.isnan(w[:, None]), np.nan, 0.0))
            np.add.at(total[:, :, : values.shape[1]], (record, place), share)
            np.add.at(reached, (record, place), w)
        record, response = np.nonzero(~(reached < 1.0 - 1e-6))
        return RowExpectations(record, response, total[record, response])

    def at(self, values: Mapping[str, float]) -> RowExpectations:
        """Return expectations at given values of latent variables, other disturbances zero.

        Classes that are not given are averaged over: with the probabilities that they have at these values.

        Parameters
        ----------
        values : mapping from name or key of a latent variable to its value, of a class variable to its number
        """
        conditions, design = self._before.conditions, self.design
        full, _ = self._before.derived.extend(self.theta)
        total = reached = np.zeros((0, 0, 0))
        for c in conditions.configurations:
            p = np.ones(design.n_rows)
            for key, size in zip(conditions.discrete, conditions.sizes, strict=True):
                p = p * self._membership(key, size, c.states, c.graph.group, full, values)
            nu = linear_predictors(c.graph, design, full, values)
            known = {k: f"value({k})" for k, v in nu.items() if c.table.variables[k].role != "response"}
            seen = repeated(design, {name: nu[k][None] for k, name in known.items()}, 1)
            table = given_values(c.table, known)
            leaf = Predictors(table, build_graph(table, c.graph.group), seen, full, 1)
            found = leaf.at({k: nu[key] for k, key in enumerate(leaf.form.responses)})
            if not total.size:
                total = np.zeros((design.n_rows, len(leaf.form.responses), found.values.shape[1]))
                reached = np.zeros(total.shape[:2])
            w = p[found.record]
            # A covariate that is missing leaves out the classes that need it; such a row has no mean.
            share = np.where(w[:, None] > 0.0, w[:, None] * found.values, 0.0)
            np.add.at(total, (found.record, found.response), share)
            np.add.at(reached, (found.record, found.response), w)
        record, response = np.nonzero(reached > 1.0 - 1e-6)
        return RowExpectations(record, response, total[record, response])

    def _membership(
        self, key: str, size: int, states: Mapping[str, int], group: int, full: Floats, at: Mapping[str, float]
    ) -> Floats:
        """Return the probability by record that a discrete variable has its state, those before it having theirs."""
        variable, n = self.table.variables[key], self.design.n_rows
        given = at.get(key, at.get(variable.name)) if variable.kind.name == "class" else None
        if given is not None:
            return np.full(n, float(int(given) == states[key]))
        if key in self.design.observed:
            known = of_units(self.design.observed[key], self.design, variable.level)
        else:
            known = np.full(n, np.nan)
        table = membership(self._before.table, key, states)
        nu = linear_predictors(build_graph(table, group), self.design, full, at)
        logits = np.stack([*(nu[f"{key}@{k}"] for k in range(1, size)), np.zeros(n)])
        p = softmax(logits, axis=0)[states[key] - 1]
        return np.asarray(np.where(np.isnan(known), p, known == states[key]), dtype=np.float64)

    # ------------------------------------------------------------------ moments of latent variables

    def moments(self) -> dict[str, LatentMoments]:
        """Return the posterior moments of the continuous latent variables of each level, mass points among them."""
        after, before = self._moments(self._posterior), None
        for level, found in after.items():
            lost = np.isnan(found.means).all(axis=1)
            if lost.any():
                before = self._moments(self._prior) if before is None else before
                found.means[lost], found.covariances[lost] = before[level].means[lost], before[level].covariances[lost]
        return after

    def _moments(self, side: _Side) -> dict[str, LatentMoments]:
        keys = [v.key for v in self.table.latents if v.kind.name != "class"]
        out: dict[str, LatentMoments] = {}
        for p, weights in side.leaves(latent=True):
            copies = len(weights)
            for level, found in latent_moments(p, [k for k in keys if k in p.table.variables]).items():
                U = found.records.size // copies
                w = weights[:, self._representatives(side, level)]
                m = found.means.reshape(copies, U, -1)
                C = found.covariances.reshape(copies, U, *found.covariances.shape[1:])
                share = np.where(w > 0.0, w, np.where(np.isnan(w), np.nan, 0.0))
                mean = np.einsum("cu,cuk->uk", share, np.where(share[..., None] == 0.0, 0.0, m))
                second = np.einsum("cu,cukl->ukl", share, C + m[..., :, None] * m[..., None, :])
                if level in out:
                    mean, second = out[level].means + mean, out[level].covariances + second
                out[level] = LatentMoments(found.keys, found.records[:U], mean, second, found.prior)
        return {
            level: replace(m, covariances=m.covariances - m.means[:, :, None] * m.means[:, None, :])
            for level, m in out.items()
        }

    def _representatives(self, side: _Side, level: str) -> Ints:
        """Return a record of each unit of a level, one of a unit of the lowest stage where there is one."""
        if level == ROWS:
            return np.arange(self.design.n_rows)
        code = self.design.clusters[level]
        out = np.flatnonzero(np.diff(code, prepend=-1))
        known = np.flatnonzero(side.unit >= 0)[::-1]
        out[code[known]] = known
        return out


def mixed_predictors(
    table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design], theta: Floats, points: int | None
) -> list[MixedPredictors]:
    """Return predictors of the units of each group, those in which the same latent variables are known apart.

    Raises
    ------
    Infeasible
        Where a covariance matrix is not positive semidefinite.
    """
    complete = [completed(d, table.variables) for d in designs]
    known = any((~np.isnan(y)).any() for d in designs for y in d.responses.values())
    before, after = (
        assemble(table, graphs, used, Constraints(table), True, points, 1, scaled=False)
        for used in (complete, designs if known else complete)  # before the data nothing is looked at
    )
    x = after.parametrisation.coordinates(theta)
    out = []
    for first, second in zip(before.members, after.members, strict=True):
        for b, a in zip(_mixtures(first), _mixtures(second), strict=True):
            dims = len(b.conditions.continuous)
            b.points = max(points or 1, PRIOR_NODES.get(dims, 1)) if dims else b.points
            out.append(MixedPredictors(table, b, a, x, theta))
    return out


def _mixtures(member: object) -> tuple[Mixture, ...]:
    if isinstance(member, Partition):
        return tuple(member.members)
    assert isinstance(member, Mixture)
    return (member,)
