"""How the likelihood of a model is computed: which engine, over which latent variables, with how many points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from semlang.data.design import Design
from semlang.estimation.conditioning.conditions import conditions, is_conditional
from semlang.estimation.conditioning.filled import Fill, are_missing, fills_of, integrates
from semlang.estimation.factors import blocks_of
from semlang.estimation.grid.suits import COUNTS, suits
from semlang.estimation.kernels.families import has_density
from semlang.estimation.layers import layers_of
from semlang.estimation.lifting import lift_residuals
from semlang.graph.condition import known_for_some
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import Cells, ReducedForm
from semlang.model.table import ParameterTable
from semlang.shown import Shown

__all__ = ["GroupPlan", "LevelPlan", "Plan", "plan"]

MAX_NODES = 60_000
"""Most nodes of the whole grid (product over levels and dimensions) before the number of points is lowered."""

MAX_DENSITIES = 500_000_000
"""Most row densities of one evaluation before points are no longer raised."""

DEFAULT_POINTS = 7

NODES = "nodes at the posterior mean and SD"

STATES = {"class": "classes", "masspoints": "mass points"}


@dataclass(frozen=True)
class LevelPlan:
    """What is integrated over at one level.

    Parameters
    ----------
    level : str
    disturbances : tuple of str
        Keys of the latent variables of each dimension, joined by "or" where several take turns in one (given the
        others they are independent).
    points : int
        Points per dimension (0: exactly, without quadrature).
    units : int or None
        Number of units, where there are data.
    exact : bool
        Whether one point is exact whatever the others take.
    """

    level: str
    disturbances: tuple[str, ...]
    points: int
    units: int | None = None
    exact: bool = False

    @property
    def dims(self) -> int:
        """Number of dimensions."""
        return len(self.disturbances)


@dataclass(frozen=True)
class Condition:
    """A latent variable that is conditioned on.

    Parameters
    ----------
    key, level : str
    states : int
        Number of classes, mass points or nodes.
    how : str
        ``classes``, ``mass points`` or ``nodes at posterior mean and SD``.
    why : str
    units : int or None
        Number of units, where there are data.
    """

    key: str
    level: str
    states: int
    how: str
    why: str
    units: int | None = None


@dataclass(frozen=True)
class GroupPlan:
    """The engine of one group.

    Parameters
    ----------
    group : str
    engine : str
        ``closed form``, ``shared grid``, ``nested quadrature``, ``independent responses``, ``conditioning`` or
        ``none``.
    name : str
        The closed form that was chosen, where there are data.
    why : str
    levels : tuple of LevelPlan
        Lowest first.
    rows : int or None
        Number of observed responses.
    conditions : tuple of Condition
        What is conditioned on, highest level first; `levels` is what is left to integrate over.
    """

    group: str
    engine: str
    name: str
    why: str
    levels: tuple[LevelPlan, ...]
    rows: int | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def nodes(self) -> int:
        """Nodes of the grid for one row: product over levels of points^dims, times what is conditioned on."""
        states = int(np.prod([c.states for c in self.conditions], dtype=object))
        return states * int(np.prod([max(level.points, 1) ** level.dims for level in self.levels], dtype=object))

    @property
    def dims(self) -> int:
        """Number of dimensions that have points."""
        nodes = sum(c.how == NODES for c in self.conditions)
        return nodes + sum(v.dims for v in self.levels if v.points and not v.exact)


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """How each group's likelihood is computed."""

    groups: tuple[GroupPlan, ...]
    rule: str = "adaptive Gauss-Hermite at the mode"

    @property
    def points(self) -> int | None:
        """Points per dimension, None without quadrature."""
        used = [level.points for g in self.groups for level in g.levels if level.points]
        used += [c.states for g in self.groups for c in g.conditions if c.how == NODES]
        return max(used) if used else None

    @property
    def method(self) -> str:
        """One line for reports."""
        engines = dict.fromkeys(g.engine for g in self.groups)
        if "conditioning" in engines:
            on = dict.fromkeys(c.how for g in self.groups for c in g.conditions)
            return "maximum likelihood, sums over " + ", ".join(on)
        if "nested quadrature" in engines:
            return "maximum likelihood, " + ("Laplace" if self.points == 1 else self.rule)
        if "shared grid" in engines:
            return "maximum likelihood, shared grid of nodes"
        if "closed form" in engines:
            names = dict.fromkeys(g.name for g in self.groups if g.name)
            return "maximum likelihood, closed form" + (f" ({', '.join(names)})" if names else "")
        return "maximum likelihood"

    def named(self, names: Sequence[str]) -> Plan:
        """Return the plan with the names of the closed forms that were used, one a group; as it is where none were."""
        if len(names) != len(self.groups):
            return self
        return replace(self, groups=tuple(replace(g, name=n) for g, n in zip(self.groups, names, strict=True)))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as in ``semlang plan --json``."""
        groups = [
            asdict(g) | {"nodes": g.nodes, "levels": [asdict(v) | {"dims": v.dims} for v in g.levels]}
            for g in self.groups
        ]
        return {"method": self.method, "rule": self.rule, "points": self.points, "groups": groups}

    def __str__(self) -> str:
        lines = []
        for g in self.groups:
            title = f"Group {g.group}: " if g.group else ""
            engine = g.engine + (f" ({g.name})" if g.name else "")
            lines.append(f"{title}{engine}: {g.why}")
            for c in g.conditions:
                units = f", {c.units} units" if c.units is not None else ""
                lines.append(f"  given {c.key} ({c.level}{units}): {c.states} {c.how}, since {c.why}")
            for level in reversed(g.levels):
                units = f", {level.units} units" if level.units is not None else ""
                how = f"{level.points} points a dimension" if level.points else "exactly"
                names = ", ".join(level.disturbances)
                lines.append(f"  {level.level}: {names} ({level.dims} dim., {how}{units})")
            if g.engine in ("nested quadrature", "shared grid"):
                cost = f"  cost: {g.nodes} nodes a response"
                lines.append(cost + (f", {g.nodes * g.rows:.3g} densities an evaluation" if g.rows else ""))
        return "\n".join(lines)


@dataclass(frozen=True)
class _Situation:
    """What rules look at."""

    table: ParameterTable
    graph: ModelGraph
    form: ReducedForm
    design: Design | None
    shared: bool = False
    rows: int = 0

    @property
    def shares_nodes(self) -> bool:
        """Whether the shared grid is possible and cheaper than adaptive nodes."""
        if not self.shared or self.design is None:
            return False
        return suits(self.form, self.design, self.table.variables, self.table.levels, self.rows)

    @property
    def all_gaussian(self) -> bool:
        return all(
            v.kind.name == "gaussian" and v.link in ("", "identity") and not v.arguments.get("censored")
            and not v.arguments.get("interval")
            for v in self.table.responses
        )  # fmt: skip

    @cached_property
    def closed_form(self) -> str | None:
        """Name of the closed form, '' where the data will decide, None where there is none."""
        if not self.all_gaussian:
            return None
        if self.design is None:
            return None if self.form.quantities else ""
        from semlang.estimation.gaussian import choose

        for lift in (True, False):
            engine = choose(reduced_form(self.graph, lift=lift), self.design)
            if engine is not None and integrates(self.table, self.graph, self.design, lift):
                return engine.__name__
        return None

    @cached_property
    def fills(self) -> tuple[Fill, ...]:
        """Responses that are missing where they predict, and that no closed form integrates out."""
        if self.design is None or self.closed_form is not None:
            return ()
        return are_missing(self.table, self.graph, self.design, lift=False)

    @property
    def has_kernel(self) -> bool:
        modelled: dict[str, list[str]] = {}
        for k, quantity in self.form.quantities:
            modelled.setdefault(self.form.responses[k], []).append(quantity)
        for v in self.table.responses:
            modelled.setdefault(v.key, []).extend(v.arguments)
        return all(has_density(v.kind.name, v.link, modelled.get(v.key, ())) for v in self.table.responses)


@dataclass(frozen=True)
class _Rule:
    """A row of the table of engines: the first that applies is taken."""

    engine: str
    why: str
    applies: Callable[[_Situation], bool]


RULES = (
    _Rule("none", "latent classes, products of latent variables and category-specific paths are not estimated yet",
          lambda s: bool(s.graph.others)),
    _Rule("closed form", "all responses are gaussian", lambda s: s.closed_form is not None),
    _Rule("none", "no density for the kinds of the responses", lambda s: not s.has_kernel),
    _Rule("nested quadrature", "all responses are gaussian, so one point is exact",
          lambda s: s.all_gaussian and bool(blocks_of(s.form.psi))),
    _Rule("shared grid", "discrete responses of few types, one latent dimension a layer", lambda s: s.shares_nodes),
    _Rule("nested quadrature", "latent variables have responses that are not gaussian",
          lambda s: bool(blocks_of(s.form.psi))),
    _Rule("independent responses", "there is no latent variable", lambda _: True),
)  # fmt: skip


def plan(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design] | None = None,
    points: int | None = None,
    shared: bool = True,
) -> Plan:
    """Choose an engine for every group.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
        One a group.
    designs : sequence of Design, optional
        With data also the number of units, the closed form and the cost.
    points : int, optional
        The user's number of points; default 7, fewer where the grid is too large.
    shared : bool
        Whether a shared grid of nodes may be chosen, by all groups or none.
    """
    groups = []
    shared = shared and points is None
    for number, graph in enumerate(graphs):
        design = designs[number] if designs is not None else None
        form = reduced_form(graph, lift=False)
        if is_conditional(table):
            forms = [c.form for c in conditions(table, number + 1).configurations]
            fills = () if design is None else fills_of(table, forms, design)
            groups.append(_conditional(table, number, design, points, fills))
            continue
        rows = None
        if design is not None:
            rows = sum(y.size - int(np.count_nonzero(np.isnan(y))) for y in design.responses.values())
        situation = _Situation(table, graph, form, design, shared, rows or 0)
        if situation.fills:
            groups.append(_conditional(table, number, design, points, situation.fills))
            continue
        rule = next(r for r in RULES if r.applies(situation))
        name = (situation.closed_form or "") if rule.engine == "closed form" else ""
        exact = rule.engine not in ("nested quadrature", "shared grid")
        one = situation.all_gaussian
        q = COUNTS[len(layers_of(form, (), table.levels))][0] if rule.engine == "shared grid" else points
        levels = _levels(table, form, design, 0 if exact else 1 if one else q)
        groups.append(GroupPlan(graph.label, rule.engine, name, rule.why, levels, rows))
    if shared and len({g.engine == "shared grid" for g in groups}) > 1:
        return plan(table, graphs, designs, points, shared=False)
    return Plan(tuple(groups))


def _conditional(
    table: ParameterTable, number: int, design: Design | None, points: int | None, fills: tuple[Fill, ...] = ()
) -> GroupPlan:
    """Plan the sums over states, and what is left in each of them."""
    given = conditions(table, number + 1, fills=fills)
    c = given.configurations[0]
    left = [k for k in c.graph.others if not k.moderators]
    situation = _Situation(c.table, replace(c.graph, others=tuple(left)), c.form, design)
    refused = next((r for r in RULES if r.engine == "none" and r.applies(situation)), None)
    inner = replace_psi(c.form, set(given.continuous))
    exact, gaussian = not blocks_of(inner.psi), situation.all_gaussian
    dims = len(given.nodes) + (0 if exact or gaussian else len({j for b in blocks_of(inner.psi) for j in b.members}))
    q = affordable(dims) if points is None else points
    levels = _levels(table, inner, design, 0 if exact or gaussian else q)
    rows = None if design is None else sum(int(np.count_nonzero(~np.isnan(y))) for y in design.responses.values())
    on = [
        (v.level, key, n, STATES.get(v.kind.name, "categories"), given.why.get(key, "it is discrete"))
        for key, n in zip(given.discrete, given.sizes, strict=True)
        for v in (table.variables[key],)
    ]
    on += [(table.variables[k].level, k, q, NODES, given.why[k]) for k in given.nodes]
    on += [
        (table.variables[k].level, k, 1, "value where it is known", "a column knows it for some units")
        for k in known_for_some(table)
    ]
    on.sort(key=lambda x: -table.levels.index(x[0]))
    parts = tuple(
        Condition(key, level, n, how, why, design.n_units(level) if design is not None else None)
        for level, key, n, how, why in on
    )
    rest = "independent responses" if exact else "closed form by one point" if gaussian else "nested quadrature"
    engine, why = ("none", refused.why) if refused else ("conditioning", f"{rest} given the states")
    return GroupPlan(c.graph.label, engine, "", why, levels, rows, parts)


def replace_psi(form: ReducedForm, known: set[str]) -> ReducedForm:
    """Return a reduced form without the covariances of disturbances that are known."""
    numbers = [j for j, d in enumerate(form.disturbances) if d.key in known]
    kept = ~(np.isin(form.psi.i, numbers) | np.isin(form.psi.j, numbers))
    psi = Cells(
        form.psi.shape, form.psi.i[kept], form.psi.j[kept], form.psi.parameter[kept], form.psi.value[kept], True
    )  # fmt: skip
    return replace(form, psi=psi)


def _levels(
    table: ParameterTable, form: ReducedForm, design: Design | None, points: int | None
) -> tuple[LevelPlan, ...]:
    lifted, residuals = lift_residuals(form)
    layers = layers_of(lifted, residuals, table.levels)
    q = affordable(sum(layer.dims for layer in layers if not layer.exact)) if points is None else points
    return tuple(
        LevelPlan(
            layer.level,
            tuple(" or ".join(lifted.disturbances[j].key for j in shared) for shared in layer.coordinates),
            min(q, 1) if layer.exact else q,
            design.n_units(layer.level) if design is not None else None,
            layer.exact,
        )
        for layer in layers
    )


def affordable(dims: int, wanted: int = DEFAULT_POINTS) -> int:
    """Return the largest of the usual numbers of points, at most `wanted`, whose grid is not too large."""
    return next((q for q in (wanted, 5, 3) if q <= wanted and q**dims <= MAX_NODES), 1)
