"""What elaboration may know of the data: names and levels of columns, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Names of the columns and the distinct values of those whose levels matter.

    Parameters
    ----------
    columns : tuple of str
        All column names in order.
    levels : mapping from column to tuple of str
        Distinct non-missing values as text, sorted (numbers by value; a categorical keeps its own order), for
        columns under ``factor()``, ordinal and nominal responses; for the group column in order of appearance.
    """

    columns: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def answers(self, asked: Collection[tuple[str, str]]) -> bool:
        """Return whether the data say anything to one of the questions: ``("column", name)``, ``("levels", name)``."""
        columns = {name for kind, name in asked if kind == "column"}
        if columns and not columns.isdisjoint(self.columns):
            return True
        return any(self.levels.get(name) for kind, name in asked if kind == "levels")

    def not_given(self, column: str, group_column: str, group: str) -> bool:
        """Return whether a column has no value in a group of rows but has values in others; no data, no answer."""
        return False

    def scale(self, column: str) -> tuple[str, ...]:
        """Return the categories that a column's type lists, in rows or not; empty where it lists none."""
        return ()
