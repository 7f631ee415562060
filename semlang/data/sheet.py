"""Delimited text as columns, without pandas: what a browser knows of a data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.delimited import MISSING, header_finding, separator_of
from semlang.data.levels import number_levels, text_levels
from semlang.diagnostics import Diagnostic, error
from semlang.errors import DataError
from semlang.model.facts import DataFacts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sheet:
    """Columns of a data set.

    Parameters
    ----------
    name : str
    columns : mapping from name to floats (NaN where missing), or to a list of texts (None where missing)
    n_rows : int
    """

    name: str
    columns: Mapping[str, Floats | list[str | None]]
    n_rows: int

    def levels(self, column: str) -> tuple[tuple[str, ...], Ints]:
        """Return the levels of a column in order, and the code of every row, -1 where it is missing."""
        values = self.columns[column]
        if isinstance(values, np.ndarray):
            return number_levels(values)
        found = {v: k for k, v in enumerate(dict.fromkeys(v for v in values if v is not None))}
        codes = np.array([-1 if v is None else found[v] for v in values], dtype=np.int64)
        return text_levels(list(found), codes)

    def appearance(self, column: str) -> tuple[str, ...]:
        """Return the levels of a column in order of appearance."""
        names, codes = self.levels(column)
        return tuple(names[k] for k in dict.fromkeys(codes.tolist()) if k >= 0)


def read_sheet(name: str, text: str) -> Sheet:
    """Read delimited text; separators, missing values and findings are those of `semlang.data.delimited`.

    Raises
    ------
    DataError
        Where the text is empty, has no header, repeats a name, or a row is longer than the header.

    Examples
    --------
    >>> sheet = read_sheet("d.csv", "x,g\\n1,b\\nNA,a\\n2.5,b\\n")
    >>> sheet.columns["x"].tolist(), sheet.levels("g")[0], sheet.appearance("g")
    ([1.0, nan, 2.5], ('a', 'b'), ('b', 'a'))
    """
    text = text.removeprefix("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise DataError([error("empty-data", f"{name} is empty", help="the first line holds the names of the columns")])
    separator = separator_of(first)
    wrong = header_finding(name, text[: 1 << 20], separator)
    if wrong:
        raise DataError([wrong])
    rows = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=separator, skipinitialspace=True)
    names = [n.strip() for n in next(rows)]
    body = []
    for row in rows:
        if len(row) > len(names) and any(c.strip() for c in row[len(names) :]):
            raise DataError([_long(name, rows.line_num, len(row), len(names))])
        if row:
            body.append(row + [""] * (len(names) - len(row)))
    if not body:
        raise DataError(
            [error("empty-data", f"{name} has no rows", help="below the names of the columns stand the data")]
        )
    cells = list(zip(*body))
    decimal = separator == ";" and not any("." in c for column in cells for c in column)
    return Sheet(name, {n: _column(list(c), decimal) for n, c in zip(names, cells) if n}, len(body))


def _long(name: str, line: int, found: int, expected: int) -> Diagnostic:
    return error(
        "extra-fields",
        f"line {line} of {name} has {found} fields but the header has {expected}",
        help="put a text that holds the separator in double quotes",
    )


def _column(cells: list[str], decimal_comma: bool) -> Floats | list[str | None]:
    missing = frozenset(MISSING)
    try:
        plain = [c.strip() for c in cells]
        if decimal_comma:
            plain = [c.replace(",", ".") for c in plain]
        if any("_" in c for c in plain):  # Python reads 1_000 as a number
            raise ValueError
        return np.array([np.nan if c in missing else float(c) for c in plain])
    except ValueError:
        return [None if c in missing else c for c in cells]


class SheetFacts(DataFacts):
    """The facts of a sheet: names of its columns and, when asked for, their levels.

    Parameters
    ----------
    sheet : Sheet
    group : str
        The column whose levels stand in order of appearance, or ''.
    """

    __slots__ = ()

    def __init__(self, sheet: Sheet, group: str = "") -> None:
        super().__init__(tuple(sheet.columns), _Levels(sheet, group))


class _Levels(Mapping[str, tuple[str, ...]]):
    def __init__(self, sheet: Sheet, group: str) -> None:
        self.sheet, self.group = sheet, group

    def __getitem__(self, column: str) -> tuple[str, ...]:
        return self.sheet.appearance(column) if column == self.group else self.sheet.levels(column)[0]

    def __contains__(self, column: object) -> bool:
        return column in self.sheet.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.sheet.columns)

    def __len__(self) -> int:
        return len(self.sheet.columns)
