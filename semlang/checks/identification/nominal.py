"""Nominal responses as their utility differences from the base: one underlying response a category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semlang.data.design import Design
from semlang.graph.by_category import by_category
from semlang.model.kinds import KINDS
from semlang.model.table import ParameterTable


def has_nominal(table: ParameterTable) -> bool:
    """Return whether a response is multinomial."""
    return any(v.kind.nominal for v in table.responses)


def as_differences(table: ParameterTable) -> ParameterTable:
    """Return the table with each multinomial response replaced by binary ones, a category each (without the base).

    The category with the largest utility U_c = nu_c + e_c is chosen, so the data identify the means and covariances of
    U_c - U_base up to one scale, which the known distribution of e sets (McFadden 1974; Skrondal and Rabe-Hesketh
    2003). Where no data tell the categories, rows that hold for all categories stand for one difference.

    Raises
    ------
    ValueError
        If the base category has a utility of its own.
    """
    for row in table.rows:
        v = table.variables.get(row.target)
        if v is not None and v.kind.nominal and row.category:
            base = v.arguments.get("base")
            if base is not None and _text(base) == _text(row.category):
                raise ValueError(f"the base category of '{v.key}' has a utility of its own: not known to this check")
    return by_category(table, KINDS["binomial"])


def designs_of_differences(table: ParameterTable, designs: Sequence[Design]) -> list[Design]:
    """Return designs in which every difference is observed where its response is."""
    out: list[Design] = []
    for design in designs:
        responses = dict(design.responses)
        for v in table.responses:
            responses.setdefault(v.key, design.responses.get(v.name, next(iter(design.responses.values()))))
        out.append(replace(design, responses=responses))
    return out


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
