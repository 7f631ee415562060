"""Choices and rankings in long form: a record is an alternative of a set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.binary import binary_values
from semlang.data.columns import Columns, row_names
from semlang.data.response import Response
from semlang.diagnostics import warning
from semlang.model.table import Variable
from semlang.sums import count_by

__all__ = ["alternatives", "as_far_as_ranked", "as_written", "check_sets", "sets_within_units"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def alternatives(columns: Columns, v: Variable) -> tuple[Floats, Ints] | None:
    """Return the coded values of a choice or ranking, and the number of each record's set; None where a finding is.

    A choice is 1 or 0, NaN for what is no alternative; a set without any value is missing, and so is one in which a
    value is missing and nothing is chosen. A ranking is the rank from 1; alternatives of a set with ranks that have
    none, or share the last one, were not ranked, and stand after the last. A set of one alternative says nothing.
    """
    sets = sets_within_units(columns, v)
    if sets is None:
        return None
    if v.kind.name == "choice":
        coded = binary_values(columns, v)
        y = None if coded is None else _chosen(columns, v, coded[0], sets)
    else:
        y = columns.numbers(v.name)
        y = None if y is None else _ranked(columns, v, y.copy(), sets)
    if y is None:
        return None
    y[sets < 0] = np.nan
    y[(_count(sets, ~np.isnan(y)) < 2) & ~np.isnan(y)] = np.nan
    return y, sets


def sets_within_units(columns: Columns, v: Variable) -> Ints | None:
    """Return the number of each record's set, -1 where it is missing; None where units cut all sets into pieces."""
    name = str(v.arguments["set"])
    own = columns.levels(name)[1].astype(np.int64)
    sets = own.copy()
    for level in columns.table.clusters:
        unit = columns.levels(level)[1].astype(np.int64)
        pair = np.where((sets < 0) | (unit < 0), -1, sets * (int(unit.max(initial=0)) + 1) + unit)
        names, sets = np.unique(pair, return_inverse=True)
        sets = sets - int((names < 0).any())
        if (_count(own, own >= 0) > 1).any() and (_count(sets, sets >= 0) < 2).all():
            rows = np.flatnonzero(own == own[np.argmax(_count(own, own >= 0))])[:2]
            columns.blame(
                name,
                "set-across-clusters",
                f"the {_members(v)} of each set of '{name}' are in different units of {level}",
                label=row_names(rows),
                notes="a set has one response" if v.kind.composite else "a choice is made within one unit",
                help=() if v.kind.composite else f"is {level} what is chosen? then it is a factor: factor({level})",
            )
            return None
    return sets


def _members(v: Variable) -> str:
    return "rows" if v.kind.composite else "alternatives"


def _chosen(columns: Columns, v: Variable, y: Floats, sets: Ints) -> Floats | None:
    name = v.arguments["set"]
    chosen, missing = _count(sets, y == 1.0), _count(sets, np.isnan(y))
    known = (sets >= 0) & ~np.isnan(y)
    wrong = known & ((chosen > 1) | ((chosen == 0) & (missing == 0)))
    if wrong.any():
        number = np.unique(sets[wrong]).size
        first = np.flatnonzero(wrong & (sets == sets[np.flatnonzero(wrong)[0]]))
        columns.blame(
            v.name,
            "not-one-choice",
            f"in {number} set{'s' if number > 1 else ''} of '{name}' not exactly one alternative is chosen",
            label=f"{int(chosen[first[0]])} are chosen in {row_names(first)}",
            notes="a set has one row an alternative; the response is 1 in the row of the one that was chosen, else 0",
            help="mend these sets, leave them out, or name the column that tells the sets apart",
        )
        return None
    return np.where(chosen == 0, np.nan, y)


def _ranked(columns: Columns, v: Variable, y: Floats, sets: Ints) -> Floats | None:
    known = ~np.isnan(y) & (sets >= 0)
    wrong = np.flatnonzero(known & ((y < 1) | (y != np.floor(y))))
    if wrong.size:
        columns.blame(
            v.name,
            "not-a-rank",
            f"the ranking '{v.name}' has values that are no ranks",
            label=f"{y[wrong[0]]:g} in {row_names(wrong)}",
            help="ranks are 1 (the best), 2, ...; leave the cell empty where an alternative was not ranked",
        )
        return None
    order = np.lexsort((y, sets))
    order = order[known[order]]
    same_set = np.diff(sets[order]) == 0
    step = np.diff(y[order])
    first = np.r_[True, ~same_set][: order.size]
    last = np.zeros(int(sets.max(initial=-1)) + 1)
    np.maximum.at(last, sets[known], y[known])
    before_last = y[order][1:] < last[sets[order][1:]]
    tied = np.flatnonzero(same_set & (step == 0) & before_last) + 1
    unranked = _count(sets, np.isnan(y) & (sets >= 0)) > 0
    if not tied.size:
        tied = np.flatnonzero(same_set & (step == 0) & unranked[order][1:]) + 1
    if tied.size:
        rows = order[[tied[0] - 1, tied[0]]]
        columns.blame(
            v.name,
            "tied-ranks",
            f"alternatives of a set of '{v.arguments['set']}' have the same rank",
            label=f"rank {y[rows[0]]:g} in {row_names(rows)}",
            notes="only the last rank of a set may be shared: by all that were not ranked any further",
            help="mend the ranks, or leave the cell empty for what was not ranked",
        )
        return None
    gap = np.flatnonzero((first & (y[order] != 1)) | np.r_[False, same_set & (step > 1)][: order.size])
    if gap.size:
        k = order[gap[0]]
        columns.blame(
            v.name,
            "rank-gap",
            f"ranks of a set of '{v.arguments['set']}' do not follow each other",
            warning,
            label=f"rank {y[k]:g} in row {k + 1}, and no rank {y[k] - 1:g} in its set",
            notes="the order of the ranks is what counts: that of the alternatives which are there",
            help="if an alternative is missing from the data, add its row",
        )
    dense = np.cumsum(np.r_[1, ~(same_set & (step == 0))][: order.size])
    out = np.full(y.size, np.nan)
    begins = np.flatnonzero(first)
    out[order] = dense - dense[begins][np.cumsum(first) - 1] + 1
    ranked = np.zeros(last.size)
    np.maximum.at(ranked, sets[known], out[known])
    rest = np.isnan(y) & (sets >= 0) & (ranked[np.maximum(sets, 0)] > 0)
    out[rest] = ranked[sets[rest]] + 1
    highest = np.zeros(last.size)
    np.maximum.at(highest, sets[sets >= 0], np.nan_to_num(out[sets >= 0]))
    out[(sets >= 0) & (highest[sets] < 2)] = np.nan  # all share one rank
    return out


def _count(sets: Ints, flag: Flags) -> Ints:
    """Return for each record how many records of its set are flagged."""
    size = int(sets.max(initial=-1)) + 1
    counts = count_by(sets[flag & (sets >= 0)], size)
    return np.asarray(np.append(counts, 0)[sets])


def check_sets(columns: Columns, v: Variable, found: Response, weights: Sequence[Floats]) -> None:
    """Find sets whose records have different weights."""
    if found.sets is None:
        return
    name = str(v.arguments["set"])
    here = np.flatnonzero(~np.isnan(found.values))
    order = here[np.argsort(found.sets[here], kind="stable")]
    same = np.diff(found.sets[order]) == 0
    for values in weights:
        differ = np.flatnonzero(same & (np.diff(values[order]) != 0))
        if differ.size:
            columns.blame(
                name,
                "set-with-weights",
                f"the {_members(v)} of a set of '{name}' have different weights",
                label=row_names(order[[differ[0], differ[0] + 1]]),
                help="a weight, or a frequency, belongs to the set: give all its rows the same",
            )
            return


def as_far_as_ranked(drawn: Floats, data: Floats, sets: Ints) -> Floats:
    """Return drawn ranks of each set as far as ranks go in the data; the others share the one after the last."""
    last = np.zeros(int(sets.max(initial=-1)) + 2)
    known = ~np.isnan(data)
    np.maximum.at(last, sets[known], data[known])
    return np.where(last[sets] > 0, np.minimum(drawn, np.maximum(last[sets], 1.0)), drawn)


def as_written(ranks: Floats, sets: Ints) -> Floats:
    """Return ranks as they are written: NaN where a rank is shared, by what was not ranked."""
    size = int(ranks[~np.isnan(ranks)].max(initial=0.0)) + 1
    pair = np.where(np.isnan(ranks) | (sets < 0), -1, sets * size + np.nan_to_num(ranks)).astype(np.int64)
    shared = _count(pair, pair >= 0) > 1
    return np.where(shared, np.nan, ranks)
