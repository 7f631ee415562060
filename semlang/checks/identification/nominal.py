"""Nominal responses as their utility differences from the base: one underlying response a category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semlang.data.design import Design
from semlang.model.kinds import KINDS
from semlang.model.table import ParameterTable, Row, Variable


def has_nominal(table: ParameterTable) -> bool:
    """Return whether a response is multinomial."""
    return any(v.kind.name == "multinomial" for v in table.responses)


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
    categories: dict[str, list[str]] = {}
    for row in table.rows:
        if _is_nominal(table, row.target) and row.op in ("~", "~1", "=~"):
            found = categories.setdefault(row.target, [])
            if row.category not in found:
                found.append(row.category)
    for key, found in categories.items():
        base = table.variables[key].arguments.get("base")
        if base is not None and _text(base) in map(_text, found):
            raise ValueError(f"the base category of '{key}' has a utility of its own: not known to this check")
    rows: list[Row] = []
    for row in table.rows:
        if not _is_nominal(table, row.target):
            rows.append(row)
            continue
        named = [c for c in categories.get(row.target, []) if c]
        targets = [row.category] if row.category or not named else named
        rows += [row._replace(target=_key(row.target, c), category="") for c in targets]
    variables: dict[str, Variable] = {}
    for key, v in table.variables.items():
        if not _is_nominal(table, key):
            variables[key] = v
            continue
        named = [c for c in categories.get(key, [""]) if c] or [""]
        for c in named:
            variables[_key(key, c)] = replace(v, key=_key(key, c), kind=KINDS["binomial"], link="logit", arguments={})
    return replace(table, rows=tuple(rows), variables=variables)


def designs_of_differences(table: ParameterTable, designs: Sequence[Design]) -> list[Design]:
    """Return designs in which every difference is observed where its response is."""
    out: list[Design] = []
    for design in designs:
        responses = dict(design.responses)
        for v in table.responses:
            responses.setdefault(v.key, design.responses.get(v.name, next(iter(design.responses.values()))))
        out.append(replace(design, responses=responses))
    return out


def _is_nominal(table: ParameterTable, key: str) -> bool:
    return key in table.variables and table.variables[key].kind.name == "multinomial"


def _key(key: str, category: str) -> str:
    return f"{key}@{category}" if category else key


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
