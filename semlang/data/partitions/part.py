"""One partition bound to a model, and what is told of it where the model is fitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.data.binding import bind
from semlang.data.design import Design
from semlang.diagnostics import Diagnostic
from semlang.model.table import ParameterTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BoundPart", "Known", "Sizes", "bound_part", "first_units", "sizes", "units_of"]


FEW = 50
"""Values of a column up to which there is a row of each with each outcome."""


@dataclass(frozen=True)
class Known:
    """What all partitions share.

    Parameters
    ----------
    levels : mapping from column to its levels in all partitions
    listed : mapping from column to the categories that its type lists
    """

    levels: Mapping[str, tuple[str, ...]]
    listed: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class BoundPart:
    """Designs of a partition, one a group, and what is wrong with its data (then there are none)."""

    designs: tuple[Design, ...]
    errors: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Sizes:
    """Numbers of one partition by group: rows, different rows, observed responses, units of each cluster; errors.

    Different rows are as many as rows where they are not counted, see `Design.distinct`.
    """

    rows: tuple[int, ...]
    distinct: tuple[int, ...]
    responses: tuple[int, ...]
    units: tuple[Mapping[str, int], ...]
    errors: tuple[Diagnostic, ...]


def alike(frame: pd.DataFrame, known: Known) -> pd.DataFrame:
    """Return the frame with the categories that all partitions list together."""
    import pandas as pd

    from semlang.data.levels import level_text

    changed = {}
    for column, names in known.listed.items():
        if column not in frame.columns or not isinstance(frame[column].dtype, pd.CategoricalDtype):
            continue
        renamed = frame[column].cat.rename_categories(level_text)
        changed[column] = renamed.cat.set_categories(names)
    return frame.assign(**changed) if changed else frame


def bound_part(frame: pd.DataFrame, table: ParameterTable, known: Known) -> BoundPart:
    """Bind a partition; warnings about it alone say nothing about the data."""
    designs, found = bind(table, alike(frame, known), known.levels)
    return BoundPart(designs, tuple(d for d in found if d.is_error))


def sizes(part: BoundPart) -> Sizes:
    """Return the numbers of a partition."""
    return Sizes(
        tuple(d.n_rows for d in part.designs),
        tuple(d.distinct[0].n_rows for d in part.designs),
        tuple(sum(int(np.count_nonzero(~np.isnan(y))) for y in d.responses.values()) for d in part.designs),
        tuple({c: d.n_units(c) for c in d.clusters} for d in part.designs),
        part.errors,
    )


def first_units(
    frame: pd.DataFrame, cluster: str, rows: int, levels: Collection[str], outcomes: Collection[str] = ()
) -> pd.DataFrame:
    """Return the first rows, those in which every other column has its extremes, and all others of their units.

    Where a covariate takes the same values in rows of two outcomes, the rows that are returned show it: with each
    outcome there are the extremes of every covariate, and of one with few values each.

    Parameters
    ----------
    frame : DataFrame
    cluster : str
        Column of the units, or '' where they are rows.
    rows : int
    levels : collection of str
        Columns of which every value is wanted.
    outcomes : collection of str
        Columns of responses that covariates may separate.
    """
    if len(frame) <= rows:
        return frame
    place = np.arange(len(frame))
    wanted = [place[:rows]]
    for column in frame.columns:
        values = frame[column].reset_index(drop=True)
        if column in levels:
            wanted.append(values.dropna().drop_duplicates().index.to_numpy())
        elif column != cluster and values.dtype.kind in "iufb" and values.notna().any():
            wanted.append(np.array([values.argmin(), values.argmax()]))
    covariates = [c for c in frame.columns if c != cluster and c not in outcomes]
    for outcome in outcomes if covariates else ():
        known = frame[outcome].reset_index(drop=True).dropna()
        if known.nunique() > FEW:  # of counts zero is what a rate tends to
            known = known == known.min()
        for value in known.unique():
            here = known.index[known == value].to_numpy()
            wanted += [here[_telling(frame[c].iloc[here])] for c in covariates]
    chosen = np.isin(place, np.concatenate(wanted))
    if cluster:
        chosen = frame[cluster].isin(frame[cluster][chosen].unique()).to_numpy()
    return frame[chosen]


def _telling(values: pd.Series[Any]) -> Any:
    """Return the places of one of each value where there are few, else of the extremes."""
    first = np.flatnonzero((~values.duplicated() & values.notna()).to_numpy())
    if first.size <= FEW or values.dtype.kind not in "iufb":
        return first[:FEW]
    numbers = values.reset_index(drop=True)
    return np.array([numbers.argmin(), numbers.argmax()])


def units_of(frame: pd.DataFrame, cluster: str) -> Any:
    """Return the units of a cluster."""
    import pandas as pd

    return pd.unique(frame[cluster].dropna())
