"""What elaboration may know of a data frame, computed on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from semlang.data.levels import appearance, levels, listed
from semlang.model.facts import DataFacts

if TYPE_CHECKING:
    import pandas as pd


class LazyLevels(Mapping[str, tuple[str, ...]]):
    """Levels of the columns of a frame; each is computed when it is first asked for.

    Parameters
    ----------
    frame : DataFrame
    group : str
        The column whose levels stand in order of appearance, or ''.
    """

    def __init__(self, frame: pd.DataFrame, group: str = "") -> None:
        self._frame = frame
        self._group = group
        self._known: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, column: str) -> tuple[str, ...]:
        if column not in self._known:
            if column not in self._frame.columns:
                raise KeyError(column)
            values = self._frame[column]
            self._known[column] = appearance(values) if column == self._group else levels(values)[0]
        return self._known[column]

    def __contains__(self, column: object) -> bool:
        return column in self._frame.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame.columns)

    def __len__(self) -> int:
        return len(self._frame.columns)


class FrameFacts(DataFacts):
    """The facts of a data frame.

    Parameters
    ----------
    frame : DataFrame
    group : str
        The group column, if it is known already; else ask `appearance` for its labels.

    Examples
    --------
    >>> import pandas as pd
    >>> facts = FrameFacts(pd.DataFrame({"g": ["b", "a", "b"], "x": [2.0, None, 1.0]}))
    >>> facts.columns, facts.levels["x"], facts.levels["g"], facts.appearance("g")
    (('g', 'x'), ('1', '2'), ('a', 'b'), ('b', 'a'))
    """

    __slots__ = ("_frame",)
    _frame: pd.DataFrame

    def __init__(self, frame: pd.DataFrame, group: str = "") -> None:
        super().__init__(tuple(str(c) for c in frame.columns.tolist()), LazyLevels(frame, group))
        object.__setattr__(self, "_frame", frame)

    def appearance(self, column: str) -> tuple[str, ...]:
        """Return the levels of a column in order of appearance, as the labels of groups are."""
        return appearance(self._frame[column])

    def not_given(self, column: str, group_column: str, group: str) -> bool:
        """Return whether a column has no value in a group of rows but has values in others.

        Examples
        --------
        >>> import pandas as pd
        >>> facts = FrameFacts(pd.DataFrame({"g": ["a", "b"], "x": [1.0, None]}))
        >>> facts.not_given("x", "g", "a"), facts.not_given("x", "g", "b")
        (False, True)
        """
        if column not in self._frame.columns or group_column not in self._frame.columns:
            return False
        present = self._frame[column].notna().to_numpy()
        names, codes = levels(self._frame[group_column])
        if group not in names or not present.any():
            return False
        return not present[codes == names.index(group)].any()

    def scale(self, column: str) -> tuple[str, ...]:
        """Return the categories of a pandas Categorical; empty for other columns."""
        return listed(self._frame[column]) if column in self._frame.columns else ()
