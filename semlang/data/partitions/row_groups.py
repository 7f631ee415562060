"""Partitions of Parquet files: runs of row groups, borders moved so that units of the highest level stay whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semlang.data.levels import level_text
from semlang.data.stacking import stacked

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Piece", "RowGroups", "partitioned", "read_rows", "shared_types", "shared_unit"]

ROWS = 250_000
"""Rows of a partition, about; one row group is read at once, however long it is."""


class Piece(NamedTuple):
    """Rows of one row group."""

    path: str
    group: int
    start: int
    stop: int


@dataclass(frozen=True)
class RowGroups:
    """One partition.

    Parameters
    ----------
    pieces : tuple of Piece
    """

    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(p.stop - p.start for p in self.pieces)

    @property
    def name(self) -> str:
        """Where it begins, for findings."""
        first = self.pieces[0]
        return f"{Path(first.path).name}, row group {first.group + 1}"


def shared_types(schemas: Sequence[pa.Schema]) -> dict[str, Any]:
    """Return the Arrow types that files share, of all columns in which they differ or that some do not have.

    A column that is empty in a file has the type of the others, integers that other files have as numbers with
    decimals and truth values that others have as numbers are numbers, numbers that others have as text are text; other
    types stay as each file has them. See `semlang.data.stacking`, which does the same with frames.
    """
    import pyarrow as pa

    files = [dict(zip(schema.names, schema.types, strict=True)) for schema in schemas]
    out = {}
    for name in dict.fromkeys(n for types in files for n in types):
        kinds = [types.get(name, pa.null()) for types in files]
        given = list(dict.fromkeys(k for k in kinds if not pa.types.is_null(k)))
        if not given or len({*kinds}) == 1:
            continue
        out[name] = given[0] if len(given) == 1 else _shared(given)
    return out


def _shared(given: Sequence[Any]) -> Any:
    """Return the type of numbers, or of numbers and text; None for others."""
    from pyarrow import float64, int64, string, types

    text = [k for k in given if types.is_string(k) or types.is_large_string(k)]
    numbers = [k for k in given if types.is_integer(k) or types.is_floating(k) or types.is_decimal(k)]
    truth = [k for k in given if types.is_boolean(k)]
    if text and len(text) + len(numbers) == len(given):
        return string()
    if numbers and len(numbers) + len(truth) == len(given):
        return int64() if all(map(types.is_integer, given)) else float64()
    return None


def read_rows(partition: RowGroups, columns: Sequence[str], types: Mapping[str, Any]) -> pd.DataFrame:
    """Return some columns of a partition; one that a file does not have is missing in its rows.

    Parameters
    ----------
    types : mapping from column to Arrow type
        See `shared_types`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[pd.DataFrame] = []
    for piece in partition.pieces:
        with pq.ParquetFile(piece.path) as file:
            there = [c for c in columns if c in file.schema_arrow.names]
            table = file.read_row_group(piece.group, columns=there).slice(piece.start, piece.stop - piece.start)
        arrays = {}
        for name in columns:
            kind = types.get(name)
            if name not in there:
                arrays[name] = pa.nulls(piece.stop - piece.start, kind or pa.null())
            else:
                arrays[name] = table[name] if kind in (None, table[name].type) else _as(table[name], kind)
        parts.append(pa.table(arrays).to_pandas(ignore_metadata=True))
    return stacked(parts)


def _as(column: Any, kind: Any) -> Any:
    """Return a column as another type; whole numbers as text have no decimal point."""
    import pyarrow as pa

    if pa.types.is_string(kind) and pa.types.is_floating(column.type):
        texts = [None if v is None or v != v else level_text(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    return column.cast(kind)


class _Group(NamedTuple):
    """A row group: its rows, the units that are in it, and how many rows of the first of them it begins with."""

    piece: Piece
    units: Any
    lead: int
    again: bool
    first: Any
    last: Any


def partitioned(
    paths: Sequence[Path], cluster: str, types: Mapping[str, Any] | None = None
) -> tuple[tuple[RowGroups, ...], Any]:
    """Return the partitions of files, and a unit that is in several of them, None where all are whole.

    Parameters
    ----------
    paths : sequence of Path
        In the order in which their rows follow each other.
    cluster : str
        Column of the units that stay whole, or '' where that is every row.
    types : mapping from column to Arrow type, optional
        See `shared_types`.
    """
    types = types or {}
    made: list[RowGroups] = []
    units: list[Any] = []
    pieces: list[Piece] = []
    inside: list[Any] = []
    count, last = 0, None

    def close() -> None:
        nonlocal count
        if pieces:
            made.append(RowGroups(tuple(pieces)))
            units.append(inside[0] if len(inside) == 1 else np.concatenate(inside) if inside else np.zeros(0))
        pieces.clear()
        inside.clear()
        count = 0

    for group in _groups(paths, cluster, types.get(cluster)):
        piece, own = group.piece, group.units
        if pieces and count >= ROWS:
            if cluster and group.lead and group.first == last:  # its first unit began before
                pieces.append(piece._replace(stop=piece.start + group.lead))
                if not group.again:
                    own = own[own != group.first]
                piece = piece._replace(start=piece.start + group.lead)
            if piece.start == piece.stop:
                continue
            close()
        pieces.append(piece)
        count += piece.stop - piece.start
        last = group.last
        if cluster:
            inside.append(own)
    close()
    return tuple(made), shared_unit(units)


def shared_unit(units: Sequence[Any]) -> Any:
    """Return a unit that several partitions have, None where there is none.

    Parameters
    ----------
    units : sequence of arrays
        The units of each partition, some of them perhaps more than once.
    """
    import pandas as pd

    if not any(len(u) for u in units):
        return None
    every = np.concatenate([pd.unique(pd.Series(u)) for u in units if len(u)])
    twice = pd.Series(every).duplicated()
    return every[np.flatnonzero(twice)[0]] if twice.any() else None


def _groups(paths: Sequence[Path], cluster: str, kind: Any) -> Iterator[_Group]:
    """Yield the row groups of files that have rows; the cluster is read as a type, None for its own."""
    import pandas as pd
    import pyarrow.parquet as pq

    last = None
    for path in paths:
        with pq.ParquetFile(path) as file:
            for k in range(file.metadata.num_row_groups):
                n = file.metadata.row_group(k).num_rows
                if not n:
                    continue
                piece = Piece(str(path), k, 0, n)
                if not cluster or cluster not in file.schema_arrow.names:
                    yield _Group(piece, (), 0, False, last, last)
                    continue
                ids = file.read_row_group(k, columns=[cluster]).column(0)
                column = (ids if kind in (None, ids.type) else _as(ids, kind)).to_pandas()
                units = pd.unique(column.dropna())
                if column.isna().any():  # a finding will say so: such rows move no border
                    column = column.astype(object).ffill().fillna(last)
                values = column.to_numpy()
                other = np.flatnonzero(values != values[0])
                lead = int(other[0]) if other.size else n
                again = bool((values[lead:] == values[0]).any())
                last = values[-1]
                yield _Group(piece, units, lead, again, values[0], last)
