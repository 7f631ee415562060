"""What elaboration asks of data, merged from what it would ask of each partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from semlang.data.facts import FrameFacts
from semlang.data.levels import appearance, levels, listed, text_levels
from semlang.data.partitions.held import Held
from semlang.data.stacking import in_one_order
from semlang.model.facts import DataFacts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnFacts", "MergedFacts", "facts_of", "merge"]


class ColumnFacts(NamedTuple):
    """Levels of a column in order, in order of appearance, and those that its type lists."""

    levels: tuple[str, ...]
    appearance: tuple[str, ...]
    listed: tuple[str, ...]


def facts_of(frame: pd.DataFrame, columns: Iterable[str]) -> dict[str, ColumnFacts]:
    """Return the facts of columns of a frame."""
    return {c: ColumnFacts(levels(frame[c])[0], appearance(frame[c]), listed(frame[c])) for c in columns}


def merge(parts: Sequence[ColumnFacts]) -> ColumnFacts:
    """Return the facts of a column from those of its parts.

    Examples
    --------
    >>> merge([ColumnFacts(("2", "10"), ("10", "2"), ()), ColumnFacts(("3",), ("3",), ())])
    ColumnFacts(levels=('2', '3', '10'), appearance=('10', '2', '3'), listed=())
    """
    import numpy as np

    given = [p for p in parts if p.levels]
    listing = in_one_order([p.listed for p in given]) if all(p.listed for p in given) else ()
    found = list(dict.fromkeys(name for p in parts for name in p.levels))
    ordered = text_levels(found, np.arange(len(found)))[0]
    if listing:
        ordered = tuple(c for c in listing if c in set(found))
    return ColumnFacts(ordered, tuple(dict.fromkeys(name for p in parts for name in p.appearance)), listing)


class _Levels(Mapping[str, tuple[str, ...]]):
    """Levels of columns, each asked for when it is needed."""

    def __init__(self, facts: MergedFacts) -> None:
        self._facts = facts

    def __getitem__(self, column: str) -> tuple[str, ...]:
        if column not in self._facts.columns:
            raise KeyError(column)
        found = self._facts.of(column)
        return found.appearance if column == self._facts.group else found.levels

    def __contains__(self, column: object) -> bool:
        return column in self._facts.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts.columns)

    def __len__(self) -> int:
        return len(self._facts.columns)


class MergedFacts(DataFacts):
    """The facts of data in partitions; a question that was not asked yet is one pass over the columns that it needs.

    Parameters
    ----------
    columns : tuple of str
    frames : callable
        Returns the partitions' frames of some columns.
    group : str
        The column whose levels stand in order of appearance, or ''.
    """

    __slots__ = ("_frames", "_known", "group")
    group: str
    _frames: Callable[[Sequence[str]], Held]
    _known: dict[str, ColumnFacts]

    def __init__(self, columns: tuple[str, ...], frames: Callable[[Sequence[str]], Held], group: str = "") -> None:
        super().__init__(columns, _Levels(self))
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "_frames", frames)
        object.__setattr__(self, "_known", {})

    def look_up(self, columns: Iterable[str]) -> None:
        """Find out all about some columns in one pass."""
        new = [c for c in dict.fromkeys(columns) if c in self.columns and c not in self._known]
        if new:
            found = self._frames(new).ask(facts_of, new)
            self._known.update({c: merge([part[c] for part in found]) for c in new})

    def of(self, column: str) -> ColumnFacts:
        """Return the facts of a column."""
        self.look_up([column])
        return self._known[column]

    def appearance(self, column: str) -> tuple[str, ...]:
        """Return the levels of a column in order of appearance, as the labels of groups are."""
        return self.of(column).appearance

    def not_given(self, column: str, group_column: str, group: str) -> bool:
        """Return whether a column has no value in a group of rows but has values in others."""
        if column not in self.columns or group_column not in self.columns or group not in self.of(group_column).levels:
            return False
        found = self._frames([column, group_column]).ask(_given, column, group_column, group)
        return any(anywhere for anywhere, _ in found) and not any(inside for _, inside in found)

    def scale(self, column: str) -> tuple[str, ...]:
        """Return the categories of a pandas Categorical; empty for other columns."""
        return self.of(column).listed if column in self.columns else ()


def _given(frame: pd.DataFrame, column: str, group_column: str, group: str) -> tuple[bool, bool]:
    """Return whether a column has a value anywhere, and in a group."""
    there = bool(frame[column].notna().any())
    names = levels(frame[group_column])[0]
    return there, there and group in names and not FrameFacts(frame).not_given(column, group_column, group)
