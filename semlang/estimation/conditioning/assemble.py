"""From a model that is conditioned on something to the members of its objective."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.conditioning.conditions import Conditions, conditions, prefix, with_locations
from semlang.estimation.conditioning.derived import Derived
from semlang.estimation.conditioning.leaves import directions_of, leaf_model
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.conditioning.partition import Part, Partition, parts_of, runs_of
from semlang.estimation.factors import blocks_of
from semlang.estimation.member import Member
from semlang.estimation.parameters import Parametrisation
from semlang.graph.condition import given_known
from semlang.model.table import ParameterTable, Row

__all__ = ["conditional_members", "is_gaussian", "scales_of_classes", "with_last_points"]

Floats = NDArray[np.float64]


def conditional_members(
    table: ParameterTable,
    designs: Sequence[Design],
    pinned: Collection[int],
    points: int,
    threads: int,
    groups: Sequence[int] = (),
) -> tuple[list[Member], Parametrisation]:
    """Return a member for each group, and the optimiser's coordinates.

    Parameters
    ----------
    table : ParameterTable
    designs : sequence of Design
        One a group.
    pinned : collection of int
        Parameters in constraints or with bounds.
    points, threads : int
    groups : sequence of int
        Their numbers, from 1; default: all there are.
    """
    extended, last = with_locations(table)
    parts: list[tuple[int, Part]] = []
    given: list[Conditions] = []
    for n, design in zip(groups or range(1, len(designs) + 1), designs, strict=True):
        all_latent = conditions(extended, n)
        for part in parts_of(extended, [c.form for c in all_latent.configurations], design):
            parts.append((n, part))
            plain = not part.known and not part.fills
            given.append(all_latent if plain else _conditions_of(extended, n, part))
    parametrisation = Parametrisation([c.form for g in given for c in g.configurations], pinned, fixed=False)
    parametrisation.n_parameters = table.n_parameters
    parametrisation.scales = scales_of_classes(table, pinned)
    if not _all_factored(given, parametrisation):
        given = [_conditions_of(extended, n, part, whole=True) for n, part in parts]
    flags = iter(parametrisation.factored)
    derived = Derived(table.n_parameters, [_location(extended, row) for row in last], parametrisation.scales)
    factored = [[next(flags) for _ in g.configurations] for g in given]
    directions = [
        [directions_of(c, set(g.continuous), f, derived) for c, f in zip(g.configurations, own, strict=True)]
        for g, own in zip(given, factored, strict=True)
    ]
    made: dict[int, list[tuple[Part, Mixture]]] = {}
    for (n, part), g, own, ways in zip(parts, given, factored, directions, strict=True):
        models = [
            leaf_model(c, d, f, derived.size) for c, d, f in zip(g.configurations, ways, own, strict=True)
        ]  # fmt: skip
        seen = given_known(extended, part.known)
        first: Mixture | None = None
        for run in _runs(seen, part, g, points):
            here = replace(g, fills=run.fills) if g.fills else g
            member = Mixture(seen, n, run.design, here, models, derived, points, is_gaussian(table), threads, first)
            first = first or member
            made.setdefault(n, []).append((run, member))
    members: list[Member] = [
        own[0][1] if len(own) == 1 else Partition([p.rows for p, _ in own], [m for _, m in own], design)
        for own, design in zip(made.values(), designs, strict=True)
    ]
    return members, parametrisation


def _runs(table: ParameterTable, part: Part, given: Conditions, points: int) -> list[Part]:
    """Return a part in runs of top-level units; distinct rows with frequencies are as few as they are."""
    if not given.nodes and part.design.distinct[0] is not part.design:
        return [part]
    return runs_of(part, table.levels[-1], max(points ** len(given.nodes), len(given.configurations)))


def _conditions_of(table: ParameterTable, group: int, part: Part, whole: bool = False) -> Conditions:
    return conditions(given_known(table, part.known), group, whole, part.fills)


def with_last_points(table: ParameterTable, theta: Floats) -> tuple[ParameterTable, Floats]:
    """Return the table in which last mass points have parameters, and all parameters of it.

    Parameters
    ----------
    table : ParameterTable
    theta : (P,) floats
    """
    extended, last = with_locations(table)
    return extended, Derived(table.n_parameters, [_location(extended, row) for row in last]).extend(theta)[0]


def scales_of_classes(table: ParameterTable, pinned: Collection[int]) -> tuple[tuple[int, ...], ...]:
    """Return the thresholds, in order, of cumulative scales that are free in a class."""
    places: dict[tuple[object, ...], list[Row]] = {}
    for row in table.rows:
        kind = table.variables[row.target].kind if row.target in table.variables else None
        if row.op == "|" and row.klass and not row.via and kind and not (kind.sequence or kind.alternatives):
            places.setdefault((row.target, row.group, row.class_variable, row.klass, row.also), []).append(row)
    scales = {tuple(r.parameter for r in sorted(rows, key=lambda r: r.threshold)) for rows in places.values()}
    uses = Counter(row.parameter for row in table.rows)
    return tuple(
        sorted(s for s in scales if len(s) > 1 and all(p >= 0 and p not in pinned and uses[p] == 1 for p in s))
    )


def _all_factored(groups: Sequence[Conditions], parametrisation: Parametrisation) -> bool:
    """Whether the covariance matrices of known variables have factor coordinates."""
    flags = iter(parametrisation.factored)
    for g in groups:
        for c in g.configurations:
            for block, flag in zip(blocks_of(c.form.psi), next(flags), strict=True):
                if prefix(block, c.form, set(g.continuous)) and not flag:
                    return False
    return True


def is_gaussian(table: ParameterTable) -> bool:
    """Whether one point is exact in the leaves: there is nothing to integrate but what is linear and gaussian."""
    return all(
        v.is_linear
        for v in table.responses
    )  # fmt: skip


def _location(table: ParameterTable, last: Row) -> tuple[Row, tuple[Row, ...], tuple[Row, ...]]:
    """Return the last location of mass points, the others, and the logits of their masses."""
    variable = table.variables[last.target]
    names = variable.arguments.get("joint", (variable.name,))
    first = next(v.key for v in table.latents if v.name == names[0] and v.level == variable.level)
    rows = [r for r in table.rows if r.group == last.group and r.klass < last.klass]
    others = [r for r in rows if r.target == last.target and r.op == "~1" and not r.quantity and r.klass]
    masses = [r for r in rows if r.target == first and r.quantity == "mass"]
    return last, tuple(sorted(others, key=lambda r: r.klass)), tuple(sorted(masses, key=lambda r: r.klass))
