"""From a model that is conditioned on something to the members of its objective."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from semlang.data.design import Design
from semlang.estimation.conditioning.conditions import Conditions, conditions, prefix, with_locations
from semlang.estimation.conditioning.derived import Derived
from semlang.estimation.conditioning.leaves import directions_of, leaf_model
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.factors import blocks_of
from semlang.estimation.parameters import Parametrisation
from semlang.model.table import ParameterTable, Row

__all__ = ["conditional_members"]


def conditional_members(
    table: ParameterTable, designs: Sequence[Design], pinned: Collection[int], points: int, threads: int
) -> tuple[list[Mixture], Parametrisation]:
    """Return a member for each group, and the optimiser's coordinates.

    Parameters
    ----------
    table : ParameterTable
    designs : sequence of Design
        One a group.
    pinned : collection of int
        Parameters in constraints or with bounds.
    points, threads : int
    """
    extended, last = with_locations(table)
    groups = [conditions(extended, g) for g in range(1, len(designs) + 1)]
    parametrisation = Parametrisation([c.form for g in groups for c in g.configurations], pinned)
    parametrisation.n_parameters = table.n_parameters
    if not _all_factored(groups, parametrisation):
        groups = [conditions(extended, g, whole=True) for g in range(1, len(designs) + 1)]
    flags = iter(parametrisation.factored)
    derived = Derived(table.n_parameters, [_location(extended, row) for row in last])
    factored = [[next(flags) for _ in g.configurations] for g in groups]
    directions = [
        [directions_of(c, set(g.continuous), f, derived) for c, f in zip(g.configurations, own, strict=True)]
        for g, own in zip(groups, factored, strict=True)
    ]
    members = []
    for n, (g, design) in enumerate(zip(groups, designs, strict=True)):
        models = [
            leaf_model(c, d, f, derived.size)
            for c, d, f in zip(g.configurations, directions[n], factored[n], strict=True)
        ]
        members.append(Mixture(extended, n + 1, design, g, models, derived, points, is_gaussian(table, g), threads))
    return members, parametrisation


def _all_factored(groups: Sequence[Conditions], parametrisation: Parametrisation) -> bool:
    """Whether the covariance matrices of known variables have factor coordinates."""
    flags = iter(parametrisation.factored)
    for g in groups:
        for c in g.configurations:
            for block, flag in zip(blocks_of(c.form.psi), next(flags), strict=True):
                if prefix(block, c.form, set(g.continuous)) and not flag:
                    return False
    return True


def is_gaussian(table: ParameterTable, conditions: Conditions) -> bool:
    """Whether one point is exact in the leaves: there is nothing to integrate but what is linear and gaussian."""
    return all(
        v.kind.name == "gaussian" and v.link in ("", "identity") and not v.arguments.get("censored")
        and not v.arguments.get("interval")
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
