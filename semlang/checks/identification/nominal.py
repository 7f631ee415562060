"""Nominal responses and choices as utility differences: one underlying response a category, or an alternative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

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


def has_sets(table: ParameterTable) -> bool:
    """Return whether a response is a choice among records, or a ranking of them."""
    return any(v.kind.sets for v in table.responses)


def as_comparisons(
    table: ParameterTable, designs: Sequence[Design] | None
) -> tuple[ParameterTable, list[Design] | None]:
    """Return the table and designs with binary responses in place of choices and rankings.

    Choices identify the means and covariances of the differences of utilities from that of one alternative, up to a
    scale that the logistic distribution sets. So the covariates of a record are what they differ by from those of the
    first of its set, which has no response of its own; where no data are known, or other responses have the same
    covariates, they are taken as they are. Beside latent classes, whose probabilities are looked at in a few records of
    a unit, covariates count as generic: a few records are no whole set.
    """
    keys = [v.key for v in table.responses if v.kind.sets]
    variables = {
        key: replace(v, kind=KINDS["binomial"], arguments={}) if key in keys else v
        for key, v in table.variables.items()
    }
    if any(v.kind.discrete for v in table.latents):
        return replace(table, variables=variables), None
    if designs is None or len(keys) != len(table.responses) or len(keys) > 1:
        return replace(table, variables=variables), None if designs is None else list(designs)
    return replace(table, variables=variables), [_differences(table, d, keys[0]) for d in designs]


def _differences(table: ParameterTable, design: Design, key: str) -> Design:
    known = np.flatnonzero(~np.isnan(design.responses[key]))
    own = design.sets[key]
    first = np.arange(design.n_rows)
    names, place = np.unique(own[known], return_index=True)
    begin = np.zeros(int(own.max(initial=-1)) + 2, dtype=np.int64)
    begin[names] = known[place]
    first[known] = begin[own[known]]
    y = design.responses[key].copy()
    y[begin[names]] = np.nan
    own_columns = {row.via for row in table.rows if row.target == key and row.via}
    columns = {
        product: values - values[first] if product in own_columns else values
        for product, values in design.columns.items()
    }
    return replace(design, responses={key: y}, columns=columns, sets={})


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
