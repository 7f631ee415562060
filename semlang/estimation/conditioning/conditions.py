"""What is conditioned on: discrete latent variables, and continuous ones where nothing else makes the rest linear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from semlang.estimation.conditioning.filled import Fill
from semlang.estimation.factors import Block, blocks_of
from semlang.graph.build import build_graph
from semlang.graph.condition import discrete_variables, given_states, known_for_some, moves_distribution, n_states
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.discrete import LAST_LOCATION
from semlang.model.table import ParameterTable, Row

__all__ = ["Conditions", "Configuration", "conditions", "is_conditional", "with_locations"]


@dataclass(frozen=True)
class Configuration:
    """One combination of the states of all discrete latent variables, and the model in it.

    Parameters
    ----------
    states : mapping from key to int
        From 1, also of the variables that share the states of another.
    index : tuple of int
        From 0, in the order of the axes.
    table, graph, form
        The model given the states; `form` leaves products of latent variables out.
    """

    states: dict[str, int]
    index: tuple[int, ...]
    table: ParameterTable
    graph: ModelGraph
    form: ReducedForm


@dataclass(frozen=True)
class Conditions:
    """What one group's model is conditioned on.

    Parameters
    ----------
    discrete : tuple of str
        First keys of the discrete latent variables, one axis each.
    sizes : tuple of int
        Their numbers of states.
    levels : tuple of str
    continuous : tuple of str
        Keys of the continuous latent variables that are known by nodes, in the order of B.
    why : mapping from key to str
        Why a variable is conditioned on.
    configurations : tuple of Configuration
    fills : tuple of Fill
        Responses that are missing where they predict; those with categories are the last of `discrete`.
    """

    discrete: tuple[str, ...]
    sizes: tuple[int, ...]
    levels: tuple[str, ...]
    continuous: tuple[str, ...]
    why: dict[str, str]
    configurations: tuple[Configuration, ...]
    fills: tuple[Fill, ...] = ()

    @property
    def filled(self) -> frozenset[str]:
        """Keys of the responses that are filled in."""
        return frozenset(f.key for f in self.fills)

    @property
    def classes(self) -> tuple[int, ...]:
        """Axes of the discrete latent variables."""
        return tuple(a for a, key in enumerate(self.discrete) if key not in self.filled)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Keys of what is known by nodes: continuous latent variables, then gaussian responses."""
        return (*self.continuous, *(f.key for f in self.fills if f.gaussian))

    @property
    def lowest(self) -> str:
        """Lowest level of a variable that is conditioned on."""
        table = self.configurations[0].table
        found = {*self.levels, *(table.variables[k].level for k in self.nodes)}
        return next(level for level in table.levels if level in found)


def is_conditional(table: ParameterTable) -> bool:
    """Whether a model has discrete or partly known latent variables, or others that are not linear in one predictor."""
    return (
        bool(discrete_variables(table) or known_for_some(table))
        or any(r.moderators or moves_distribution(table, r) for r in table.rows)
        or bool(table.latents and any(v.kind.composite for v in table.responses))
    )


def with_locations(table: ParameterTable) -> tuple[ParameterTable, tuple[Row, ...]]:
    """Return the table whose last mass points have parameters of their own, after all others, and these rows."""
    rows: list[Row] = []
    found: list[Row] = []
    n = table.n_parameters
    for row in table.rows:
        if row.rule == LAST_LOCATION and row.parameter < 0:
            row = row._replace(parameter=n + len(found))
            found.append(row)
        rows.append(row)
    return replace(table, rows=tuple(rows), n_parameters=n + len(found)), tuple(found)


def conditions(table: ParameterTable, group: int, whole: bool = False, fills: Sequence[Fill] = ()) -> Conditions:
    """Decide what a group's model is conditioned on.

    Parameters
    ----------
    table : ParameterTable
        As `with_locations` returns it.
    group : int
        From 1.
    whole : bool
        Whether all variables that covary with a known one are known too, as they must be where the optimiser's
        coordinates are not the factor of their covariance matrix.
    fills : sequence of Fill
        Responses that are missing where they predict.
    """
    shared = discrete_variables(table)
    axes = tuple(shared)
    counted = [f for f in fills if not f.gaussian]
    sizes = tuple(n_states(table.variables[k]) for k in axes)
    levels = tuple(table.variables[k].level for k in axes)
    configurations = []
    for index in product(*(range(n) for n in sizes)):
        states = {key: i + 1 for first, i in zip(axes, index, strict=True) for key in shared[first]}
        given = given_states(table, states)
        graph = build_graph(given, group)
        form = reduced_form(graph, lift=False)
        for values in product(*(range(len(f.states)) for f in counted)):
            configurations.append(Configuration(states, (*index, *values), given, graph, form))
    why: dict[str, str] = {}
    for key, reason in _needed(table, group, configurations, axes):
        why.setdefault(key, reason)
    while True:
        more = dict(_joined(configurations, why, whole)) | dict(
            _above(configurations, (*levels, *(f.level for f in fills)), why, fills)
        )
        more = {k: reason for k, reason in more.items() if k not in why}
        if not more:
            break
        why |= more
    order = {d.key: n for c in configurations for n, d in enumerate(c.form.disturbances)}
    continuous = tuple(sorted((k for k in why if k in order), key=lambda k: order[k]))
    sizes += tuple(len(f.states) for f in counted)
    levels += tuple(f.level for f in counted)
    why |= {f.key: "it is missing where it predicts" for f in fills}
    keys = (*axes, *(f.key for f in counted))
    return Conditions(keys, sizes, levels, continuous, why, tuple(configurations), tuple(fills))


def _sources(c: Configuration, key: str) -> frozenset[str]:
    """Return the variables with disturbances that a variable depends on, itself among them."""
    moving = {d.key for d in c.form.disturbances}
    found: set[str] = set()
    waiting = [key]
    while waiting:
        k = waiting.pop()
        if k in found:
            continue
        found.add(k)
        waiting += [p.source for p in c.graph.into(k) if p.source and not p.is_zero]
        waiting += [m for r in c.graph.others if r.target == k for m in (r.source, *r.moderators) if m]
    return frozenset(found & moving)


def _needed(
    table: ParameterTable, group: int, configurations: list[Configuration], axes: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Yield what makes products linear, distributions' own parameters and the probabilities of classes known."""
    for row in table.rows:
        if row.group != group or row.quantity:
            continue
        if row.target in axes and row.source and row.source in table.variables:
            for c in configurations:
                for key in _sources(c, row.source):
                    yield key, f"the classes of {row.target} depend on it"
    for c in configurations:
        for row in c.table.rows:
            if row.group == group and moves_distribution(c.table, row):
                name = (row.threshold and f"the thresholds of {row.target}") or f"{row.quantity}({row.target})"
                for k in (row.source, *row.moderators):
                    for key in sorted(_sources(c, k)):
                        yield key, f"{name} depend{'s' if row.quantity else ''} on it"
    summed = next((v.key for v in table.responses_of(group) if v.kind.composite), None)
    for c in configurations if summed is not None else ():
        for d in c.form.disturbances:
            yield d.key, f"the mean of {summed} is a sum of means"
    taken: set[str] = set()
    for c in configurations:
        for row in c.graph.others:
            keys = [k for k in (row.source, *row.moderators) if k]
            if not row.moderators or not all(k in c.table.variables for k in keys):
                continue
            best: frozenset[str] | None = None
            for left in range(len(keys) - 1, -1, -1):
                need = frozenset().union(*(_sources(c, k) for n, k in enumerate(keys) if n != left))
                if best is None or len(need - taken) < len(best - taken):
                    best = need
            for key in sorted(best or ()):
                taken.add(key)
                yield key, f"{':'.join(keys)} is a product of latent variables"


def prefix(block: Block, form: ReducedForm, known: set[str]) -> int:
    """Return how many members of a block of Psi, from the first, hold all those that are known."""
    places = [n for n, j in enumerate(block.members) if form.disturbances[j].key in known]
    return max(places, default=-1) + 1


def _joined(configurations: list[Configuration], why: dict[str, str], whole: bool) -> Iterator[tuple[str, str]]:
    """Yield what covaries with known variables and stands before them in the factor of Psi."""
    for c in configurations:
        for block in blocks_of(c.form.psi):
            n = prefix(block, c.form, set(why))
            if n:
                for j in block.members if whole or not block.is_free else block.members[:n]:
                    yield c.form.disturbances[j].key, "it covaries with one of these"


def _above(
    configurations: list[Configuration], levels: tuple[str, ...], why: dict[str, str], fills: Sequence[Fill]
) -> Iterator[tuple[str, str]]:
    """Yield what varies over units that contain the units of something that is conditioned on."""
    table = configurations[0].table
    known = {*levels, *(table.variables[k].level for k in why if k in table.variables)}
    heights = [table.levels.index(level) for level in known]
    if not heights:
        return
    for c in configurations:
        for d in c.form.disturbances:
            if table.levels.index(d.level) > min(heights):
                yield d.key, f"its units contain those of {_lower(c, fills, why, min(heights))}"


def _lower(c: Configuration, fills: Sequence[Fill], why: dict[str, str], height: int) -> str:
    level = c.table.levels[height]
    names = [k for k in why if k in c.table.variables and c.table.variables[k].level == level]
    names += [f.key for f in fills if f.level == level]
    return ", ".join(names) or f"the classes of {level}"
