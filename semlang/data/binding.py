"""Bind data to a model: a frame and a parameter table make the designs that are estimated from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.data.alternatives import check_sets
from semlang.data.categories import check_shared_scales
from semlang.data.clusters import cluster_codes, constant_within, contiguous, first_rows, renumber
from semlang.data.columns import Columns
from semlang.data.covariates import ProductColumns, check_covariates, products
from semlang.data.design import Design
from semlang.data.groups import group_rows
from semlang.data.missing_codes import check_missing_codes
from semlang.data.missing_predictors import check_missing_predictors
from semlang.data.observed import observed_values
from semlang.data.preparing import prepare
from semlang.data.response import Response
from semlang.data.responses import response
from semlang.data.validation import check_across_groups, check_responses, check_within
from semlang.data.weights import read_weights, spread_weights
from semlang.diagnostics import Diagnostic
from semlang.model.table import ROWS, ParameterTable

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Answer = tuple[tuple[Design, ...], tuple[Diagnostic, ...]]


def bind(table: ParameterTable, frame: pd.DataFrame, known: Mapping[str, tuple[str, ...]] | None = None) -> Answer:
    """Return one design a group and what is wrong with the data; the frame is not changed.

    Parameters
    ----------
    table : ParameterTable
        Elaborated with the facts of the same frame, so that factors are spelt out.
    frame : DataFrame
    known : mapping from column to its levels, optional
        Those of the data of a fit, where the frame is new to it; see `Columns`. What need not vary in such data is not
        checked.

    Returns
    -------
    designs : tuple of Design
        Empty where a finding is an error.
    findings : tuple of Diagnostic
        At most one for each mistake.
    """
    wide, wrong = prepare(table, frame)
    if wide is None:
        return (), wrong
    columns = Columns(table, wide, known)
    responses = {v.key: r for v in table.responses if (r := response(columns, v)) is not None}
    check_shared_scales(columns, {key: r.categories for key, r in responses.items()})
    check_covariates(columns, responses)
    frequency = read_weights(columns, table.frequency, "frequency")
    weights = read_weights(columns, table.weights, "weight")
    codes = cluster_codes(columns)
    groups = group_rows(columns)
    if codes is None or groups is None or any(d.is_error for d in columns.findings):
        return (), tuple(columns.findings)
    if known is None:
        check_responses(columns, responses, groups)
        check_missing_predictors(columns, responses, groups)
        check_missing_codes(columns)
    check_across_groups(columns, codes, groups)
    for v in table.responses:
        if v.kind.sets or v.kind.composite:
            check_sets(columns, v, responses[v.key], [w[ROWS] for w in (frequency, weights) if ROWS in w])
    made = [
        _design(columns, responses, {"frequency": frequency, "weight": weights}, codes, rows, g)
        for g, rows in enumerate(groups, 1)
    ]
    if any(d.is_error for d in columns.findings):
        return (), tuple(columns.findings)
    return tuple(made), tuple(columns.findings)


def _design(
    columns: Columns,
    responses: Mapping[str, Response],
    weights: Mapping[str, Mapping[str, Floats]],
    codes: Mapping[str, Ints],
    rows: Ints | None,
    group: int,
) -> Design:
    """Sort one group's rows and take what the model needs of them."""
    table = columns.table
    chosen = contiguous(codes, rows)
    order = np.arange(len(columns.frame)) if chosen is None else chosen

    def taken(values: Floats) -> Floats:
        if chosen is not None:
            return values[chosen]
        return values if values.flags.owndata and values.flags.writeable else values.copy()

    clusters = {name: renumber(c if chosen is None else c[chosen]) for name, c in codes.items()}
    bases: dict[str, Floats] = {}
    levels: dict[str, tuple[tuple[str, ...], Ints]] = {}
    for c in (c for product in products(table) for c in product):
        if c.function == "level" and c.column not in levels:
            names, code = columns.levels(c.column)
            levels[c.column] = names, code if chosen is None else code[chosen]
        elif c.function not in ("level", "factor") and c.column not in bases:
            bases[c.column] = taken(_base(columns, responses, c.column, c.response))
    covariates = ProductColumns(table, bases, levels, order.size)
    check_within(columns, covariates, clusters, order)
    values: dict[str, Floats] = {}
    dropped: dict[str, int] = {}
    given = {v.key for v in table.responses_of(group)}
    for v in table.responses:
        found = responses[v.key]
        values[v.key] = taken(found.values) if v.key in given else np.full(order.size, np.nan)
        if v.level != ROWS and v.level in clusters:
            values[v.key] = _of_units(columns, v.name, v.level, values[v.key], clusters[v.level], order)
        dropped |= found.dropped
    return Design(
        n_rows=order.size,
        responses=values,
        columns=covariates,
        clusters=clusters,
        row=order,
        categories={k: r.categories for k, r in responses.items() if r.categories},
        trials={k: taken(r.trials) for k, r in responses.items() if r.trials is not None},
        event={k: taken(r.event) for k, r in responses.items() if r.event is not None},
        entry={k: taken(r.entry) for k, r in responses.items() if r.entry is not None},
        censored={k: taken(r.censored) for k, r in responses.items() if r.censored is not None},
        low={k: taken(r.low) for k, r in responses.items() if r.low is not None},
        high={k: taken(r.high) for k, r in responses.items() if r.high is not None},
        sets={k: r.sets if chosen is None else r.sets[chosen] for k, r in responses.items() if r.sets is not None},
        terms={k: taken(r.terms) for k, r in responses.items() if r.terms is not None},
        exposure={k: taken(r.exposure) for k, r in responses.items() if r.exposure is not None},
        frequency=spread_weights(columns, weights["frequency"], clusters, order, "frequency"),
        weights=spread_weights(columns, weights["weight"], clusters, order, "weight"),
        dropped=dropped,
        group=table.groups[group - 1],
        observed={key: taken(known) for key, known in observed_values(columns).items()},
    )


def _base(columns: Columns, responses: Mapping[str, Response], column: str, is_response: bool) -> Floats:
    """Return a column as numbers; of a response its observed value, or its code where the values are text."""
    if is_response and column in responses and not columns.numeric(column):
        return responses[column].values
    if is_response and column in responses and responses[column].categories:
        names = responses[column].categories
        if set(names) - {"0", "1"} and len(names) == 2 and columns.table.variables[column].kind.name == "binomial":
            return responses[column].values
    values = columns.numbers(column)
    if values is None:
        raise ValueError(f"column {column!r} was not checked")
    return values


def _of_units(columns: Columns, name: str, level: str, values: Floats, codes: Ints, rows: Ints) -> Floats:
    """Keep the value of every unit in its first row."""
    unit, varying = constant_within(values, codes)
    if varying.size:
        from semlang.data.validation import varies

        varies(columns, name, level, rows[codes == varying[0]], f"the response '{name}'")
    out = np.full(values.size, np.nan)
    out[first_rows(codes)] = unit
    return out
