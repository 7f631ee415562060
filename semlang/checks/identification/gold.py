"""Gold standards: a latent variable that is observed for some units is a response without error."""

from __future__ import annotations

from dataclasses import replace

from semlang.model.kinds import KINDS
from semlang.model.table import ParameterTable, Row, Variable


def has_gold_standard(table: ParameterTable) -> bool:
    """Return whether a continuous latent variable has a column where it is observed."""
    return any(_observed(v) for v in table.latents)


def with_gold_standards(table: ParameterTable) -> ParameterTable:
    """Return the table with a response without residual for each latent variable that is observed for some units.

    The units in the validation sample show the joint moments of that variable and all responses.
    """
    variables = dict(table.variables)
    rows = list(table.rows)
    for v in table.latents:
        if not _observed(v):
            continue
        key = f"{v.key} (observed)"
        variables[key] = Variable(key, key, v.level, "response", KINDS["gaussian"], "identity")
        for group in range(1, len(table.groups) + 1):
            rows.append(
                Row(0, v.key, "=~", key, group=group, ustart=1.0, rule="gold standard", target=key, source=v.key)
            )
    return replace(table, rows=tuple(rows), variables=variables)


def _observed(v: Variable) -> bool:
    return v.kind.continuous and "observed" in v.arguments
