"""How the likelihood of a model is computed: which engine, over which latent variables, with how many points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from semlang.data.design import Design
from semlang.estimation.factors import blocks_of
from semlang.estimation.kernels.codes import CODES
from semlang.estimation.layers import layers_of
from semlang.estimation.lifting import lift_residuals
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable

__all__ = ["GroupPlan", "LevelPlan", "Plan", "plan"]

MAX_NODES = 60_000
"""Most nodes of the whole grid (product over levels and dimensions) before the number of points is lowered."""

MAX_DENSITIES = 500_000_000
"""Most row densities of one evaluation before points are no longer raised."""

DEFAULT_POINTS = 7


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
class GroupPlan:
    """The engine of one group.

    Parameters
    ----------
    group : str
    engine : str
        ``closed form``, ``nested quadrature``, ``independent responses`` or ``none``.
    name : str
        The closed form that was chosen, where there are data.
    why : str
    levels : tuple of LevelPlan
        Lowest first.
    rows : int or None
        Number of observed responses.
    """

    group: str
    engine: str
    name: str
    why: str
    levels: tuple[LevelPlan, ...]
    rows: int | None = None

    @property
    def nodes(self) -> int:
        """Nodes of the grid for one row: product over levels of points^dims."""
        return int(np.prod([max(level.points, 1) ** level.dims for level in self.levels], dtype=object))


@dataclass(frozen=True)
class Plan:
    """How each group's likelihood is computed."""

    groups: tuple[GroupPlan, ...]
    rule: str = "adaptive Gauss-Hermite at the mode"

    @property
    def points(self) -> int | None:
        """Points per dimension, None without quadrature."""
        used = [level.points for g in self.groups for level in g.levels if level.points]
        return max(used) if used else None

    @property
    def method(self) -> str:
        """One line for reports."""
        engines = dict.fromkeys(g.engine for g in self.groups)
        if "nested quadrature" in engines:
            return "maximum likelihood, " + ("Laplace" if self.points == 1 else self.rule)
        if "closed form" in engines:
            names = dict.fromkeys(g.name for g in self.groups if g.name)
            return "maximum likelihood, closed form" + (f" ({', '.join(names)})" if names else "")
        return "maximum likelihood"

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
            for level in reversed(g.levels):
                units = f", {level.units} units" if level.units is not None else ""
                how = f"{level.points} points a dimension" if level.points else "exactly"
                names = ", ".join(level.disturbances)
                lines.append(f"  {level.level}: {names} ({level.dims} dim., {how}{units})")
            if g.engine == "nested quadrature":
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

        lifted = reduced_form(self.graph, lift=True)
        engine = choose(lifted, self.design) or choose(self.form, self.design)
        return None if engine is None else engine.__name__

    @property
    def has_other_quantities(self) -> bool:
        fixed = any(v.arguments.get("guess") or v.arguments.get("slip") for v in self.table.responses)
        return fixed or any(name != "sigma" for _, name in self.form.quantities)

    @property
    def has_kernel(self) -> bool:
        return all((v.kind.name, v.link or "identity") in CODES for v in self.table.responses)


@dataclass(frozen=True)
class _Rule:
    """A row of the table of engines: the first that applies is taken."""

    engine: str
    why: str
    applies: Callable[[_Situation], bool]


RULES = (
    _Rule("none", "latent classes, products of latent variables and category-specific paths are not estimated yet",
          lambda s: bool(s.graph.others)),
    _Rule("none", "the parameters guess, slip, zero and shape of a distribution are not estimated yet",
          lambda s: s.has_other_quantities),
    _Rule("closed form", "all responses are gaussian", lambda s: s.closed_form is not None),
    _Rule("none", "no density for the kinds of the responses", lambda s: not s.has_kernel),
    _Rule("nested quadrature", "all responses are gaussian, so one point is exact",
          lambda s: s.all_gaussian and bool(blocks_of(s.form.psi))),
    _Rule("nested quadrature", "latent variables have responses that are not gaussian",
          lambda s: bool(blocks_of(s.form.psi))),
    _Rule("independent responses", "there is no latent variable", lambda _: True),
)  # fmt: skip


def plan(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design] | None = None,
    points: int | None = None,
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
    """
    groups = []
    for number, graph in enumerate(graphs):
        design = designs[number] if designs is not None else None
        form = reduced_form(graph, lift=False)
        situation = _Situation(table, graph, form, design)
        rule = next(r for r in RULES if r.applies(situation))
        name = (situation.closed_form or "") if rule.engine == "closed form" else ""
        exact = rule.engine != "nested quadrature"
        one = situation.all_gaussian
        levels = _levels(table, form, design, 0 if exact else 1 if one else points)
        rows = None
        if design is not None:
            rows = sum(y.size - int(np.count_nonzero(np.isnan(y))) for y in design.responses.values())
        groups.append(GroupPlan(graph.label, rule.engine, name, rule.why, levels, rows))
    return Plan(tuple(groups))


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
