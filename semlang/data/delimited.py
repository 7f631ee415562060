"""Read delimited text: the separator is found, and what is wrong with the file is said."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from semlang.diagnostics import Diagnostic, error

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", ".")
"""Cells that mean a missing value (``None`` is not one of them: it is a word that people use for a category)."""

_CHUNK = 1 << 20
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"(?:^|;)\s*[+-]?\d+,\d+\s*(?=;|$)")


def read_delimited(path: Path) -> tuple[pd.DataFrame | None, Diagnostic | None]:
    """Read a delimited text file; separators are comma, semicolon and tab.

    With semicolons, numbers may have decimal commas. The file is UTF-8, with or without a byte order mark.
    """
    import pandas as pd

    wrong = _encoding(path)
    if wrong:
        return None, wrong
    with path.open(encoding="utf-8-sig", newline="") as stream:
        head = stream.read(_CHUNK)
    first = next((line for line in head.splitlines() if line.strip()), "")
    if not first:
        return None, error("empty-data", f"{path.name} is empty", help="the first line holds the names of the columns")
    separator = separator_of(first)
    wrong = header_finding(path.name, head, separator)
    if wrong:
        return None, wrong
    decimal = decimal_of(head, separator)
    with warnings.catch_warnings(record=True) as lost:
        warnings.simplefilter("always", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(
                path,
                sep=separator,
                decimal=decimal,
                encoding="utf-8-sig",
                keep_default_na=False,
                na_values=list(MISSING),
                skipinitialspace=True,
                low_memory=False,
                index_col=False,
            )
        except pd.errors.ParserError as problem:
            return None, _long_row(path, separator) or error(
                "malformed-rows", f"{path.name} can't be read as a table", label=str(problem).strip()
            )
    long = _long_row(path, separator) if lost else None
    return (None, long) if long else (frame, None)


def _encoding(path: Path) -> Diagnostic | None:
    """Check that the bytes are UTF-8 text, a chunk at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as problem:
                line += chunk[: problem.start].count(b"\n")
                return error(
                    "not-utf8",
                    f"{path.name} is not UTF-8 text",
                    label=f"line {line}: {problem.reason}",
                    help="save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')",
                )
            if b"\0" in chunk:
                return error(
                    "unreadable-file",
                    f"{path.name} is not a text file",
                    help="data are CSV, Parquet (.parquet), Stata (.dta) or SPSS (.sav)",
                )
            if not chunk:
                return None
            line += chunk.count(b"\n")


def separator_of(line: str) -> str:
    """Return the separator that is most frequent in the header, outside quotes.

    Examples
    --------
    >>> separator_of('"a,b";c;d'), separator_of("x"), separator_of("a\\tb")
    (';', ',', '\\t')
    """
    bare = re.sub(r'"[^"]*"', "", line)
    return max((",", ";", "\t"), key=bare.count)


def decimal_of(head: str, separator: str) -> str:
    """Return the decimal sign: with semicolons a comma, where one stands in a number of the first rows."""
    return "," if separator == ";" and _DECIMAL_COMMA.search("\n".join(head.splitlines()[1:20])) else "."


def header_finding(name: str, head: str, separator: str) -> Diagnostic | None:
    """Check the names of the columns."""
    names = [n.strip() for n in next(csv.reader(io.StringIO(head.lstrip()), delimiter=separator), [])]
    numbers = [bool(_NUMBER.fullmatch(n)) for n in names]
    if all(numbers):
        return error(
            "no-header",
            f"the first line of {name} holds numbers and no names of columns",
            label=f"it begins {', '.join(names[:4])}",
            help="put a line with the names of the columns first",
        )
    repeated = list(dict.fromkeys(n for n in names if n and names.count(n) > 1)) if len(set(names)) < len(names) else []
    if len(names) > 3 and not numbers[0] and all(numbers[1:]) and (repeated or any("." in n for n in names[1:])):
        return error(
            "transposed-data",
            f"{name} looks transposed: its first line is '{names[0]}' and numbers",
            help="rows are units and columns are variables: exchange them, for instance with frame.T",
        )
    second = next((line for line in head.splitlines()[1:] if line.strip()), "")
    if len(names) == 1 and len(names[0].split()) > 1 and len(second.split()) == len(names[0].split()):
        return error(
            "no-separator",
            f"the columns of {name} are not separated by commas, semicolons or tabs",
            help="separate them by commas",
        )
    if repeated:
        shown = ", ".join(f"'{n}'" for n in repeated[:5])
        return error(
            "duplicate-columns",
            f"{name} has more than one column named {shown}",
            help="give every column a name of its own",
        )
    return None


def _long_row(path: Path, separator: str) -> Diagnostic | None:
    """Find the first row with more fields than the header (empty fields at its end are not counted)."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, delimiter=separator)
        names: list[str] = []
        try:
            for row in rows:
                names = names or row
                if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
                    return _extra(path, separator, rows.line_num, len(row), len(names))
        except csv.Error:
            return None
    return None


def _extra(path: Path, separator: str, line: int, found: int, expected: int) -> Diagnostic:
    more = "if its first column holds row names, give that column a name too" if found == expected + 1 else ""
    quote = "put a text that holds the separator in double quotes"
    return error(
        "extra-fields",
        f"line {line} of {path.name} has {found} fields but the header has {expected}",
        label={",": "separated by commas", ";": "separated by semicolons", "\t": "separated by tabs"}[separator],
        help=[quote, more] if more else quote,
    )
