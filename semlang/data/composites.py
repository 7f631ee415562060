"""Composite links: records of a set are the terms of one mean, with known weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.alternatives import sets_within_units
from semlang.data.columns import Columns, row_names
from semlang.model.table import Variable
from semlang.sums import sum_by

__all__ = ["composite_sets"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def composite_sets(
    columns: Columns, v: Variable, values: Floats, trials: Floats | None
) -> tuple[Floats, Floats | None, Ints, Floats, int] | None:
    """Return what a response with a composite link is in every record of its set; None where a finding is.

    Parameters
    ----------
    columns : Columns
    v : Variable
    values, trials : (n,) floats
        NaN in the records that are terms alone.

    Returns
    -------
    values, trials : (n,) floats
        The same in all records of a set.
    sets : (n,) ints
        -1 where the set is missing.
    weights : (n,) floats
    lost : int
        Responses of records without a set.
    """
    sets = sets_within_units(columns, v)
    weights = _weights(columns, v)
    if sets is None or weights is None:
        return None
    inside = sets >= 0
    seen = ~np.isnan(values)
    holders = np.flatnonzero(inside & seen)
    size = int(sets.max(initial=-1)) + 1
    of_set, n_of_set = np.full(size, np.nan), np.ones(size)
    of_set[sets[holders[::-1]]] = values[holders[::-1]]
    if trials is not None:
        n_of_set[sets[holders[::-1]]] = trials[holders[::-1]]
    differ = holders[values[holders] != of_set[sets[holders]]]
    if trials is not None and not differ.size:
        differ = holders[trials[holders] != n_of_set[sets[holders]]]
    name = str(v.arguments["set"])
    if differ.size:
        rows = holders[sets[holders] == sets[differ[0]]]
        what = "response" if (values[rows] != values[rows[0]]).any() else "number of trials"
        columns.blame(
            v.name,
            "set-with-values",
            f"a set of '{name}' has more than one {what} '{v.name}'",
            label=f"{', '.join(f'{x:g}' for x in dict.fromkeys(values[rows].tolist()))} in {row_names(rows)}",
            notes="the means of all records of a set add up to the mean of one response: it stands in one of them, or "
            "in all alike",
            help="leave the other cells empty; a record that is a term of two responses is written once for each",
        )
        return None
    if _outside(columns, v, np.where(inside, weights, 0.0), sets, of_set):
        return None
    at = np.where(inside, sets, 0)
    filled = np.where(inside, of_set[at] if size else np.nan, np.nan)
    n = None if trials is None else np.where(inside, n_of_set[at] if size else 1.0, 1.0)
    return filled, n, sets, weights, int((seen & ~inside).sum())


def _weights(columns: Columns, v: Variable) -> Floats | None:
    given = v.arguments.get("weight", 1.0)
    if isinstance(given, int | float):
        return np.full(len(columns.frame), float(given))
    name = str(given)
    weights = columns.numbers(name)
    if weights is None:
        return None
    wrong = np.flatnonzero(np.isnan(weights) | (weights < 0.0))
    if wrong.size:
        first = weights[wrong[0]]
        columns.blame(
            name,
            "composite-weight",
            f"the weights '{name}' of the terms of '{v.name}' are not all known and not negative",
            label=f"{'none' if np.isnan(first) else f'{first:g}'} in {row_names(wrong)}",
            notes="E(y) is the sum of weight x inverse link over the records of a set",
            help="leave out records that are no terms, or give them the weight 0",
        )
        return None
    return weights.copy()


def _outside(columns: Columns, v: Variable, weights: Floats, sets: Ints, values: Floats) -> bool:
    """Find sets whose mean can't be that of a response of the kind: 0, or a multiple of a probability."""
    at = np.maximum(sets, 0)
    if not values.size:
        return False
    total = sum_by(at, weights, values.size)
    counts = v.kind.name != "composite gaussian"
    nothing = counts & (total == 0.0) & ~np.isnan(values)
    beyond = np.zeros(values.size, dtype=bool)
    beyond[sets[(sets >= 0) & (weights > 1.0)]] = v.kind.name == "composite binomial"
    beyond &= ~np.isnan(values)
    wrong = np.flatnonzero(nothing | beyond)
    if not wrong.size:
        return False
    weight = v.arguments.get("weight")
    records = np.flatnonzero(sets == wrong[0])
    columns.blame(
        weight if isinstance(weight, str) else v.name,
        "composite-weight",
        f"a probability in the mean of '{v.name}' has a weight above 1"
        if beyond[wrong[0]]
        else f"the weights of a set of '{v.arguments['set']}' are all 0, and so is its mean",
        label=row_names(records),
        notes="the mean of a response is the sum of weight x inverse link over the records of its set",
        help=f"mend the weights: {v.name} :: composite({v.kind.name.split()[-1]}, set={v.arguments['set']}, weight=w)",
    )
    return True
