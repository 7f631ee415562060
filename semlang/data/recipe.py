"""How the data of a fit became designs, kept so that new data become designs in the same way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.data.binding import bind
from semlang.data.design import Design
from semlang.data.levels import levels
from semlang.data.reading import read_data
from semlang.data.reshaping import widen
from semlang.data.spots import needed
from semlang.diagnostics import Diagnostic, error
from semlang.errors import DataError
from semlang.model.table import ParameterTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Recipe", "recipe"]


@dataclass(frozen=True)
class Recipe:
    """The columns of a fit's data and what was read off them.

    Parameters
    ----------
    table : ParameterTable
        That of the fit.
    frame : DataFrame
        The columns that the model needs, reshaped where it says so.
    levels : mapping from column to its levels
        Of responses with categories, of factors and of the group.
    """

    table: ParameterTable
    frame: pd.DataFrame
    levels: Mapping[str, tuple[str, ...]]

    def designs(self, data: Any, optional: Collection[str] = ()) -> tuple[tuple[Design, ...], pd.DataFrame]:
        """Return the designs of new data, and the frame that their `row` counts.

        Parameters
        ----------
        data : DataFrame, path or anything that converts
        optional : collection of str
            Columns that may be missing: responses are unknown then, clusters one unit, weights 1.

        Raises
        ------
        DataError
            ``missing-column``, ``new-category`` and what else is wrong with the data.
        """
        frame, found = read_data(data)
        if frame is not None and not any(d.is_error for d in found):
            frame, more = widen(frame, self.table.reshape, self.table.source)
            found = (*found, *more)
        if frame is None or any(d.is_error for d in found):
            raise DataError(found)
        frame = self._filled(frame, optional)
        designs, more = bind(self.table, frame, self.levels)
        wrong = [d for d in more if d.is_error]
        if wrong:
            raise DataError(wrong)
        return designs, frame

    def _filled(self, frame: pd.DataFrame, optional: Collection[str]) -> pd.DataFrame:
        """Add the columns that may be missing; raise where another one is."""
        lost = [c for c in needed(self.table) if c not in frame.columns]
        wrong = [c for c in lost if c not in optional]
        if wrong:
            raise DataError([self._missing(frame, c) for c in wrong])
        weights = {*self.table.frequency.values(), *self.table.weights.values()}
        ones = {*weights, *self.table.clusters, *_denominators(self.table)}
        return frame.assign(**{c: 1.0 if c in ones else np.nan for c in lost}) if lost else frame

    def _missing(self, frame: pd.DataFrame, column: str) -> Diagnostic:
        from semlang.model.nearest import did_you_mean

        return error(
            "missing-column",
            f"the data have no column '{column}', which the fit needs",
            help=did_you_mean(column, map(str, frame.columns)) or f"add it: frame['{column}'] = ...",
        )


def _copies_on_write() -> bool:
    """Whether a frame that is written to is no longer the one that shares its memory, as since pandas 3."""
    import pandas as pd

    return int(pd.__version__.split(".")[0]) >= 3


def _denominators(table: ParameterTable) -> set[str]:
    return {
        v.arguments[name]
        for v in table.responses
        for name in ("trials", "exposure", "event")
        if isinstance(v.arguments.get(name), str)
    }


def recipe(
    table: ParameterTable, frame: pd.DataFrame, designs: tuple[Design, ...], asked: Collection[str] = ()
) -> Recipe:
    """Keep what the data of a fit were.

    Parameters
    ----------
    table : ParameterTable
    frame : DataFrame
        As prepared for the model.
    designs : tuple of Design
    asked : collection of str
        Columns that the text asks about, be they in the table or not: a factor of one level has no row.
    """
    there = frame.columns.tolist()
    names = [c for c in dict.fromkeys((*needed(table), *sorted(asked))) if c in frame.columns]
    kept = frame.copy(deep=False) if names == there and _copies_on_write() else frame[names]
    kept.attrs = dict(frame.attrs)
    known: dict[str, tuple[str, ...]] = {}
    for design in designs:
        for v in table.responses:
            if v.key in design.categories:
                known[v.name] = design.categories[v.key]
    for row in table.rows:
        for c in row.via:
            if c.function == "level" and c.column not in known:
                known[c.column] = levels(kept[c.column])[0]
    if table.group_column:
        known[table.group_column] = levels(kept[table.group_column])[0]
    return Recipe(table, kept, known)
