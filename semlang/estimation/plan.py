"""How the likelihood of a model is computed: which engine, over which latent variables, with how many points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from semlang.data.design import Design
from semlang.estimation.conditioning.conditions import Conditions, conditions, is_conditional
from semlang.estimation.conditioning.filled import Fill, are_missing, fills_of, integrates
from semlang.estimation.factors import blocks_of
from semlang.estimation.kernels.families import has_density
from semlang.estimation.layers import layers_of
from semlang.estimation.lifting import lift_residuals
from semlang.estimation.planned import GRIDS, MAX_NODES, NODES, SPARSE, STATES, Condition, GroupPlan, LevelPlan, Plan
from semlang.estimation.sparse import LADDER, WIDE
from semlang.estimation.ways import Ways, ways
from semlang.graph.condition import known_for_some, sought_numbers
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import Cells, ReducedForm
from semlang.model.table import ROWS, ParameterTable

__all__ = ["affordable", "afterwards", "plan"]

DEFAULT_POINTS = 7

GLLAMM_POINTS = 8
"""Of its rules, without ``points``."""

AFTERWARDS = 50_000_000
"""Most row densities by adaptive nodes for posterior moments after a fit by other means."""


@dataclass(frozen=True)
class _Situation:
    """What rules look at."""

    table: ParameterTable
    graph: ModelGraph
    form: ReducedForm
    design: Design | None
    shared: bool = False
    rows: int = 0

    @cached_property
    def ways(self) -> Ways | None:
        """Ways to integrate over the latent variables, None where there is no choice."""
        if not self.shared or self.design is None or self.form.moderated or not blocks_of(self.form.psi):
            return None
        return ways(self.table, self.graph, self.form, self.design, self.rows)

    def best(self, engine: str) -> bool:
        """Whether a way to integrate is the cheapest."""
        return self.ways is not None and self.ways.engine == engine

    @property
    def all_gaussian(self) -> bool:
        return all(
            v.is_linear
            for v in self.table.responses
        )  # fmt: skip

    @cached_property
    def closed_form(self) -> str | None:
        """Name of the closed form, '' where the data will decide, None where there is none."""
        if not self.all_gaussian:
            return None
        if self.design is None:
            moderated = self.form.moderated and any(z.level != ROWS for z in self.form.disturbances)
            return None if self.form.quantities or moderated else ""
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
    _Rule("shared grid", "discrete responses of few types, one latent dimension a layer",
          lambda s: s.best("shared grid")),
    _Rule("variable elimination", "discrete responses of few types, latent variables integrated out in turn",
          lambda s: s.best("variable elimination")),
    _Rule(SPARSE, "many latent variables at once", lambda s: s.best(SPARSE)),
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
        The user's number of points; default that of ``options: points``, else 7, fewer where the grid is too large.
    shared : bool
        Whether shared nodes, or those of a sparse rule, may be chosen, by all groups or none.
    """
    groups = []
    if points is None and table.options.get("points") is not None:
        points = int(table.options["points"])
    placed = str(table.options.get("rule") or "adaptive").lower().replace("default", "adaptive")
    if placed in ("gllamm", "ordinary"):
        shared, points = False, points or GLLAMM_POINTS
    shared = shared and points is None and placed != "sparse"
    for number, graph in enumerate(graphs):
        design = designs[number] if designs is not None else None
        form = reduced_form(graph, lift=False)
        if is_conditional(table):
            given = conditions(table, number + 1)
            fills = () if design is None else fills_of(table, [c.form for c in given.configurations], design)
            if fills:
                given = conditions(table, number + 1, fills=fills)
            groups.append(_conditional(table, given, design, points))
            continue
        rows = None
        if design is not None:
            rows = sum(design.summary(key).known for key in design.responses)
        situation = _Situation(table, graph, form, design, shared, rows or 0)
        if situation.fills:
            given = conditions(table, number + 1, fills=situation.fills)
            groups.append(_conditional(table, given, design, points))
            continue
        rule = next(r for r in RULES if r.applies(situation))
        if placed == "sparse" and rule.engine == "nested quadrature" and not situation.all_gaussian:
            rule = _Rule(SPARSE, "the text asks for it", lambda _: True)
        name = (situation.closed_form or "") if rule.engine == "closed form" else ""
        exact = rule.engine not in ("nested quadrature", SPARSE, *GRIDS)
        one = situation.all_gaussian
        chosen = situation.ways if not exact and not one else None
        q = chosen.nodes if chosen is not None and chosen.nodes is not None else points
        q = q or LADDER[0] if rule.engine == SPARSE else q
        levels = _levels(table, form, design, 0 if exact else 1 if one else q, rule.engine == SPARSE)
        if one and rule.engine == "nested quadrature":
            levels = tuple(replace(level, exact=True) for level in levels)
        planned = GroupPlan(graph.label, rule.engine, name, rule.why, levels, rows)
        groups.append(planned if chosen is None else chosen.shown(planned))
    if shared and len({"shared" if g.engine in GRIDS else g.engine == SPARSE for g in groups}) > 1:
        return plan(table, graphs, designs, points, shared=False)
    return Plan(tuple(groups), placed)


def _conditional(table: ParameterTable, given: Conditions, design: Design | None, points: int | None) -> GroupPlan:
    """Plan the sums over states, and what is left in each of them."""
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
    sought = sought_numbers(table)
    parts = tuple(
        Condition(key, level, n, how, why, design.n_units(level) if design is not None else None, key in sought)
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
    table: ParameterTable, form: ReducedForm, design: Design | None, points: int | None, sparse: bool = False
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
            sparse and layer.dims >= WIDE,
        )
        for layer in layers
    )


def affordable(dims: int, wanted: int = DEFAULT_POINTS) -> int:
    """Return the largest of the usual numbers of points, at most `wanted`, whose grid is not too large."""
    return next((q for q in (wanted, 5, 3) if q <= wanted and q**dims <= MAX_NODES), 1)


def afterwards(dims: int, rows: int) -> int:
    """Return the points a dimension of adaptive nodes for scores after a fit whose latent variables were eliminated."""
    return next((q for q in (DEFAULT_POINTS, 5, 3) if rows * q**dims <= AFTERWARDS), 1)
