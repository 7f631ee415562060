"""Rows of several tables one under the other: columns of all of them, in types that all of them share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from semlang.diagnostics import Diagnostic, warning

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["different_columns", "in_one_order", "lacking", "stacked"]


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all frames; a column that a frame does not have is missing in its rows.

    Truth values are numbers where other frames have numbers, numbers are text where others have text. Categoricals stay
    so where all frames have them and their orders agree, see `in_one_order`; else they are their values.

    Parameters
    ----------
    frames : sequence of DataFrame
        At least one.

    Examples
    --------
    >>> import pandas as pd
    >>> stacked([pd.DataFrame({"x": [True]}), pd.DataFrame({"x": [0.5], "y": [1]})])["x"].tolist()
    [1.0, 0.5]
    """
    import pandas as pd

    from semlang.data.levels import level_text  # with numpy

    if len(frames) == 1:
        return frames[0]
    names = dict.fromkeys(c for f in frames for c in f.columns)
    changed: list[dict[str, pd.Series[Any]]] = [{} for _ in frames]
    for name in names:
        has = [k for k, f in enumerate(frames) if name in f.columns and not f[name].isna().all()]
        kinds: list[Any] = [frames[k][name].dtype for k in has]
        if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds):
            order = in_one_order([tuple(kind.categories) for kind in kinds])
            ordered = all(kind.ordered for kind in kinds)
            for k in has:
                own = frames[k][name]
                changed[k][name] = own.cat.set_categories(order, ordered=ordered) if order else own.astype(object)
        else:
            numbers = [k for k in has if pd.api.types.is_numeric_dtype(frames[k][name].dtype)]
            truth = [k for k in numbers if pd.api.types.is_bool_dtype(frames[k][name].dtype)]
            text = [k for k in has if pd.api.types.infer_dtype(frames[k][name], skipna=True) == "string"]
            if len(truth) < len(numbers) == len(has):
                for k in truth:
                    changed[k][name] = frames[k][name].astype("float64")
            elif numbers and not truth and len(numbers) + len(text) == len(has):
                for k in numbers:
                    changed[k][name] = frames[k][name].map(level_text, na_action="ignore").astype(object)
        if has:  # what has no value has the type of the others
            pattern = changed[has[0]].get(name, frames[has[0]][name])
            for k in set(range(len(frames))) - set(has):
                changed[k][name] = pattern.iloc[:0].reindex(frames[k].index)
    made = [f.assign(**new) if new else f for f, new in zip(frames, changed, strict=True)]
    return pd.concat(made, ignore_index=True)


def in_one_order(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the one order of all categories that agrees with every list; none where there is no or more than one.

    Examples
    --------
    >>> in_one_order([("low", "mid"), ("mid", "high")])
    ('low', 'mid', 'high')
    >>> in_one_order([("low", "mid"), ("mid", "low")]), in_one_order([("low", "mid"), ("low", "high")])
    ((), ())
    """
    lists = list(dict.fromkeys(lists))
    if len(lists) == 1:
        return lists[0]
    longest = max(lists, key=len, default=())
    place = {name: k for k, name in enumerate(longest)}
    if all(name in place for one in lists for name in one):
        agree = all([place[n] for n in one] == sorted(place[n] for n in one) for one in lists)
        return longest if agree else ()
    before: dict[str, set[str]] = {name: set() for one in lists for name in one}
    for one in lists:
        for first, second in pairwise(one):
            before[second].add(first)
    out: list[str] = []
    while before:
        free = [name for name, earlier in before.items() if not earlier]
        if len(free) != 1:
            return ()
        out.append(free[0])
        del before[free[0]]
        for earlier in before.values():
            earlier.discard(free[0])
    return tuple(out)


def lacking(columns: Sequence[Sequence[str]], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the columns that some of several tables do not have, with the names of these tables.

    Examples
    --------
    >>> lacking([["x", "y"], ["x"]], ["a.csv", "b.csv"])
    {'y': ('b.csv',)}
    """
    there = [set(c) for c in columns]
    every = dict.fromkeys(c for one in columns for c in one)
    without = {c: tuple(n for n, own in zip(names, there, strict=True) if c not in own) for c in every}
    return {c: files for c, files in without.items() if files}


def different_columns(lacking: Mapping[str, Sequence[str]], used: Collection[str]) -> list[Diagnostic]:
    """Return a warning for each column that is used, and that some files do not have."""
    found = []
    for column, files in lacking.items():
        if column in used:
            few = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
            found.append(
                warning(
                    "different-columns",
                    f"'{column}' is in some of the files, and not in {few}",
                    label="missing in all rows of these",
                    help="where it is there by another name, give all files the same columns",
                )
            )
    return found
