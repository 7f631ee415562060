"""The columns of a frame as numbers or levels, with one finding for each that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.levels import levels, number_levels
from semlang.data.spots import spot
from semlang.diagnostics import Diagnostic, error
from semlang.model.table import ParameterTable

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Levels = tuple[tuple[str, ...], Ints]

FEW, MOST_UNUSED = 8, 4
"""Columns up to which they are taken one by one, and times as many as are needed above which they are."""
LARGE = 4_000_000
"""Cells above which they are, too: the array may be a copy."""


class Columns:
    """Columns of the data in the order of the file, converted when asked for and checked once.

    Parameters
    ----------
    table : ParameterTable
        For the places that findings point at.
    frame : DataFrame
    known : mapping from column to its levels, optional
        Those of the data of a fit, where the frame is new to it: another level is a finding, and a column without
        any value is none.
    """

    def __init__(
        self, table: ParameterTable, frame: pd.DataFrame, known: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.table = table
        self.frame = frame
        self.known = known
        self.findings: list[Diagnostic] = []
        self._series: dict[str, pd.Series[Any]] = {}
        self._numbers: dict[str, Floats | None] = {}
        self._levels: dict[str, Levels] = {}
        self._blamed: dict[str, bool] = {}

    def blame(self, column: str, slug: str, message: str, make: Callable[..., Diagnostic] = error, **more: Any) -> None:
        """Add a finding about a column; a column gets one error, or one finding that is none."""
        finding = make(slug, message, self.table.source, spot(self.table, column), **more)
        if column not in self._blamed or (finding.is_error and not self._blamed[column]):
            self._blamed[column] = finding.is_error
            self.findings.append(finding)

    def blamed(self, column: str) -> bool:
        """Whether the column has an error."""
        return self._blamed.get(column, False)

    def series(self, column: str) -> pd.Series[Any]:
        """Return a column as it is given."""
        found = self._series.get(column)
        if found is None:
            found = self._series[column] = self.frame[column]
        return found

    @cached_property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        """All columns as arrays, where they are numbers of one type and a good part of them is needed.

        A frame hands out its columns one by one in several times what a whole array takes.
        """
        needed = len(self.table.columns())
        if needed < FEW or MOST_UNUSED * needed < self.frame.shape[1] or self.frame.size > LARGE:
            return {}
        kinds = set(self.frame.dtypes)
        if len(kinds) != 1 or not _is_plain(kinds.pop()):
            return {}
        return dict(zip(self.frame.columns.tolist(), self.frame.to_numpy().T, strict=True))

    def given(self, column: str) -> NDArray[Any]:
        """Return the values of a column as they are given."""
        found = self._arrays.get(column)
        return self.series(column).to_numpy() if found is None else found

    def numeric(self, column: str) -> bool:
        """Whether the column holds numbers (not booleans, text or a Categorical)."""
        import pandas as pd

        array = self._arrays.get(column)
        if array is not None:
            return array.dtype.kind != "b"
        values = self.series(column)
        kind = values.infer_objects().dtype if values.dtype == object else values.dtype
        return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)

    def numbers(self, column: str, help: str = "", infinite: bool = False) -> Floats | None:
        """Return the numbers of a column, NaN where missing; None (and a finding) where it is text or not finite.

        Parameters
        ----------
        help : str
            What to write if the column is text on purpose.
        infinite : bool
            Whether infinite values mean something, and missing ones alone, too.
        """
        if column not in self._numbers:
            self._numbers[column] = self._convert(column, help, infinite)
        return self._numbers[column]

    def levels(self, column: str) -> Levels:
        """Return the levels of a column and the code of every row, -1 where missing."""
        if column not in self._levels:
            if self.numeric(column):
                self._levels[column] = number_levels(_floats(self.series(column)))
            else:
                self._levels[column] = levels(self.series(column))
            if self.known is not None and column in self.known:
                self._levels[column] = self._as_known(column, self.known[column], *self._levels[column])
        return self._levels[column]

    def _as_known(self, column: str, known: tuple[str, ...], names: tuple[str, ...], codes: Ints) -> Levels:
        """Return the levels of the fit and codes in terms of them; a finding where a level is new."""
        place = {name: k for k, name in enumerate(known)}
        new = [k for k, name in enumerate(names) if name not in place]
        if new:
            rows = np.flatnonzero(np.isin(codes, new))
            self.blame(
                column,
                "new-category",
                f"'{column}' has the value '{names[new[0]]}', which the data of the fit have not",
                label=row_names(rows),
                notes=f"the values of the fit are {', '.join(known[:8])}" + (", ..." if len(known) > 8 else ""),
                help="leave these rows out, or fit again with data that have it",
            )
        return known, np.array([place.get(name, -1) for name in names] + [-1], dtype=np.int64)[codes]

    def forget(self, column: str) -> None:
        """Free the memory of a column that is not needed any more."""
        self._numbers.pop(column, None)

    def _convert(self, column: str, help: str, infinite: bool = False) -> Floats | None:
        import pandas as pd

        array = self._arrays.get(column)
        if array is not None:
            values = np.ascontiguousarray(array, dtype=np.float64)
            if infinite or (values.size and np.isfinite(values).all()):
                return values
        series = self.series(column)
        kind = series.dtype
        if _is_plain(kind) or (pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)):
            values = _floats(series)
        else:
            text = series.astype(object)
            if pd.api.types.is_datetime64_any_dtype(series.dtype):
                self.blame(
                    column,
                    "text-column",
                    f"column '{column}' holds dates where numbers are needed",
                    label="dates",
                    help="give the time since a start as a number",
                )
                return None
            converted = pd.to_numeric(text, errors="coerce")
            bad = np.flatnonzero(converted.isna().to_numpy() & ~series.isna().to_numpy())
            if bad.size:
                self._text(column, text, bad, help)
                return None
            values = _floats(converted)
        if infinite or (np.isfinite(values).all() and values.size):
            return values
        if np.isinf(values).any():
            self.blame(
                column,
                "infinite-value",
                f"column '{column}' has infinite values",
                label=row_names(np.flatnonzero(np.isinf(values))),
                help="leave a value empty where it is missing",
            )
            return None
        if np.isnan(values).all() and self.known is None:
            self.blame(column, "empty-column", f"column '{column}' has no value", label="all rows are missing")
            return None
        return values

    def _text(self, column: str, text: pd.Series[Any], bad: Ints, help: str) -> None:
        shown = ", ".join(f"'{v}' in row {k + 1}" for k, v in zip(bad[:3], text.iloc[bad[:3]], strict=True))
        more = f" and {bad.size - 3} more" if bad.size > 3 else ""
        few = bad.size < 0.5 * int(text.notna().sum())
        self.blame(
            column,
            "text-column",
            f"column '{column}' holds text where numbers are needed",
            label=shown + more,
            notes="rows are counted from 1, below the header",
            help="mend these values, or leave them empty where they are missing" if few or not help else help,
        )


def _is_plain(kind: Any) -> bool:
    """Whether a column of the type is numbers of numpy."""
    return isinstance(kind, np.dtype) and kind.kind in "fiub"


def _floats(series: pd.Series[Any]) -> Floats:
    """Return numbers as floats, NaN where missing."""
    if _is_plain(series.dtype):  # looking for other marks of missing values takes a while
        return series.to_numpy(dtype=np.float64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def row_names(rows: Iterable[int], most: int = 3) -> str:
    """Return row numbers, from 1, as words.

    Examples
    --------
    >>> row_names([0]), row_names([1, 2]), row_names(range(9))
    ('row 1', 'rows 2 and 3', 'rows 1, 2, 3 and 6 more')
    """
    numbers = [int(r) + 1 for r in rows]
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    first = [str(r) for r in numbers[:most]]
    if len(numbers) > most:
        return f"rows {', '.join(first)} and {len(numbers) - most} more"
    return f"rows {', '.join(first[:-1])} and {first[-1]}"
