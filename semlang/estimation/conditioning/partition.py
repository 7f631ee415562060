"""Units in which different latent variables are known: parts of the data, each with a model of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import ProductColumns
from semlang.data.design import Design
from semlang.estimation.conditioning.filled import Fill, fills_of, in_rows, missing_where_needed
from semlang.estimation.conditioning.flags import anywhere, of_units
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.conditioning.nodes import LevelNodes
from semlang.estimation.conditioning.summed import few_units, moved_until_still
from semlang.estimation.member import LevelMoments, Posterior
from semlang.graph.condition import known_for_some
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, ParameterTable

__all__ = ["Part", "Partition", "parts_of", "runs_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
T = TypeVar("T")

RUN = 400_000
"""Rows of copies that an evaluation keeps something of at once, about 70 bytes each."""
LONGEST, SHORTEST = 60_000, 8_000
"""Most rows of a run, and fewest: calls for fewer take longer than their rows."""


@dataclass(frozen=True)
class Part:
    """The units in which the same latent variables are known.

    Parameters
    ----------
    known : tuple of str
        Keys of the continuous latent variables.
    rows : (n,) ints
        Their records in the whole design.
    design : Design
        The known variables are responses and columns of it.
    fills : tuple of Fill
        Responses that are missing where they predict, in some record of each of these units.
    """

    known: tuple[str, ...]
    rows: Ints
    design: Design
    fills: tuple[Fill, ...] = ()


def parts_of(table: ParameterTable, forms: Sequence[ReducedForm], design: Design) -> list[Part]:
    """Cut a design by what is known of continuous latent variables and missing of responses that predict."""
    keys = [k for k in known_for_some(table) if k in design.observed]
    fills = fills_of(table, forms, design)
    if not keys and not fills:
        return [Part((), np.arange(design.n_rows), design)]
    values = {k: of_units(design.observed[k], design, table.variables[k].level) for k in keys}
    code = np.zeros(design.n_rows, dtype=np.int64)
    for n, k in enumerate(keys):
        code += (~np.isnan(values[k])).astype(np.int64) << n
    missing = missing_where_needed(forms, design, fills)
    for n, f in enumerate(fills, len(keys)):
        code += anywhere(missing[f.key], design, table.levels[-1]).astype(np.int64) << n
    out = []
    for pattern in np.unique(code):
        rows = np.flatnonzero(code == pattern)
        known = tuple(k for n, k in enumerate(keys) if pattern >> n & 1)
        own = tuple(in_rows(f, rows) for n, f in enumerate(fills, len(keys)) if pattern >> n & 1)
        out.append(Part(known, rows, _part(table, design, rows, {k: values[k] for k in known}), own))
    return out


def _part(table: ParameterTable, design: Design, rows: Ints, known: Mapping[str, Floats]) -> Design:
    part = design.taken(rows)
    clusters = {level: np.unique(codes, return_inverse=True)[1] for level, codes in part.clusters.items()}
    responses, columns = dict(part.responses), part.columns
    assert isinstance(columns, ProductColumns)
    for key, values in known.items():
        own = values[rows]
        columns = columns.with_column(key, own)
        level = table.variables[key].level
        responses[key] = own if level == ROWS else np.where(np.diff(clusters[level], prepend=-1) != 0, own, np.nan)
    observed = {k: v for k, v in part.observed.items() if table.variables[k].kind.name == "class"}
    return replace(part, clusters=clusters, responses=responses, columns=columns, observed=observed)


def runs_of(part: Part, top: str, states: int) -> list[Part]:
    """Cut a part into runs of top-level units, so that copies of a run for all states are few rows.

    Parameters
    ----------
    part : Part
    top : str
        The highest level.
    states : int
        Number of copies, or of configurations.
    """
    n, width = part.design.n_rows, max(len(part.design.responses), 1)
    if n * width * states <= RUN:
        return [part]
    at_most = max(min(RUN // (width * states), LONGEST // width), SHORTEST // width)
    begins = part.design.first_records(top)
    target = np.arange(at_most, n, at_most)
    cuts = np.unique(np.r_[0, begins[np.searchsorted(begins, target, side="right") - 1], n])
    out = []
    for first, last in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        run = slice(first, last)
        fills = tuple(in_rows(f, run) for f in part.fills)
        out.append(Part(part.known, part.rows[run], _run(part.design, run), fills))
    return out


def _run(design: Design, run: slice) -> Design:
    """Return the rows of a run of top-level units."""
    own = design.taken(run)
    return replace(own, clusters={level: codes - codes[0] for level, codes in own.clusters.items()})


class Partition:
    """The sum of members that hold different units of one group.

    Parameters
    ----------
    rows : sequence of (n,) ints
        Records of each member in the whole design.
    members : sequence of Mixture
    design : Design
    """

    exact = False
    standing = True

    def __init__(self, rows: Sequence[Ints], members: Sequence[Mixture], design: Design) -> None:
        for m in members:  # some have no response that counts, which is a matter of all
            m.alone = all(not other.records.size for other in members)
        self._rows, self.members, self._design = tuple(rows), tuple(members), design
        self.multiplicity: Floats = np.concatenate([m.multiplicity for m in members])
        self.records: Ints = np.concatenate([r[m.given_records] for r, m in zip(rows, members, strict=True)])
        self.used = sum(m.used for m in members)
        dropped: Counter[str] = Counter()
        for m in members:
            dropped.update(m.dropped)
        self.dropped: Mapping[str, int] = dropped

    @property
    def points(self) -> int | None:
        """Nodes a dimension; None where there are none."""
        return next((m.points for m in self.members if m.points is not None), None)

    @points.setter
    def points(self, q: int | None) -> None:
        for m in self.members:
            if m.points is not None:
                m.points = q

    @property
    def nodes(self) -> tuple[LevelNodes, ...]:
        """The nodes of all members."""
        return tuple(nodes for m in self.members for nodes in m.nodes)

    @property
    def cautious(self) -> bool:
        """Whether steps shall be short."""
        return any(m.cautious for m in self.members)

    @cautious.setter
    def cautious(self, on: bool) -> None:
        for m in self.members:
            m.cautious = on

    @property
    def distinct(self) -> Mapping[str, int]:
        """Number of different units that each discrete latent variable can tell apart."""
        found: Counter[str] = Counter()
        for m in self.members:
            found.update(m.distinct)
        return found

    def _each(self, ask: Callable[[Mixture], T]) -> list[T]:
        """Return the answers of the members; what they keep of an evaluation is given back before the next one."""
        found = []
        for m in self.members:
            found.append(ask(m))
            m.forget()
        return found

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        return sum(self._each(lambda m: m.value(x)))

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units."""
        return np.concatenate(self._each(lambda m: m.values(x)))

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient."""
        parts = self._each(lambda m: m.value_and_gradient(x))
        return sum(f for f, _ in parts), np.asarray(np.sum([g for _, g in parts], axis=0))

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihoods and scores of the top-level units."""
        parts = self._each(lambda m: m.values_and_scores(x))
        return np.concatenate([f for f, _ in parts]), np.concatenate([s for _, s in parts])

    def information(self, x: Floats) -> Floats | None:
        """Return what is known were all states known, where there are few units for the parameters, see `Mixture`."""
        if not few_units(self.members):
            return None
        return np.asarray(np.sum(self._each(lambda m: m.given_states(x)), axis=0))

    def hessian(self, x: Floats) -> Floats | None:
        """Return None: second derivatives have no closed form."""
        return None

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are."""
        return x, None

    def first_state_values(self, x: Floats) -> Floats | None:
        """Return the log-likelihoods were all units in the first state of the one discrete latent variable."""
        parts = self._each(lambda m: m.first_state_values(x))
        known = [p for p in parts if p is not None]
        return np.concatenate(known) if len(known) == len(parts) else None

    def move(self, x: Floats) -> bool:
        """Move the nodes of all members; return whether the log-likelihood had changed."""
        return moved_until_still(self.members, x)

    def move_once(self, x: Floats) -> None:
        """Move the nodes to the posterior at `x` by the nodes as they are."""
        self._each(lambda m: m.move_once(x))

    def release(self) -> None:
        """Put the nodes where the prior has them."""
        self._each(lambda m: m.release())

    def reset(self) -> None:
        """Forget modes: the next evaluation depends on its coordinates and the nodes alone."""
        self._each(lambda m: m.reset())

    def state_sizes(self, x: Floats) -> Mapping[str, tuple[Floats, float]]:
        """Return the proportions of the states of discrete latent variables, and the weight of their units."""
        found: dict[str, tuple[Floats, float]] = {}
        for sizes in self._each(lambda m: m.state_sizes(x)):
            for key, (size, total) in sizes.items():
                old, weight = found.get(key, (np.zeros_like(size), 0.0))
                found[key] = (old * weight + size * total) / (weight + total), weight + total
        return found

    def posterior(self, x: Floats) -> Posterior:
        """Return the posterior of the units of all members."""
        classes: dict[str, Floats] = {}
        levels: dict[str, LevelMoments] = {}
        for rows, member in zip(self._rows, self.members, strict=True):
            found = member.posterior(x)
            member.forget()
            for key, p in found.classes.items():
                unit = self._units(rows, member.table.variables[key].level)
                whole = classes.setdefault(key, np.full((self._size(member, key), p.shape[1]), np.nan))
                whole[unit] = p
            for level, own in found.levels.items():
                unit = self._units(rows, level)
                n = self._design.n_units(level)
                shape = own.covariances.shape[1:]
                whole_level = levels.setdefault(
                    level, LevelMoments(own.keys, np.full((n, len(own.keys)), np.nan), np.full((n, *shape), np.nan))
                )
                if whole_level.keys == own.keys:
                    whole_level.means[unit], whole_level.covariances[unit] = own.means, own.covariances
        return Posterior(levels, classes)

    def _size(self, member: Mixture, key: str) -> int:
        return self._design.n_units(member.table.variables[key].level)

    def _units(self, rows: Ints, level: str) -> Ints:
        """Return the units of the whole design that the units of a part are."""
        return rows if level == ROWS else np.unique(self._design.clusters[level][rows])
