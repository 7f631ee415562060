"""Partitions of Parquet files: runs of row groups, borders moved so that units of the highest level stay whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Piece", "RowGroups", "partitioned", "read_rows", "shared_unit"]

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


def read_rows(partition: RowGroups, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a partition."""
    import pandas as pd
    import pyarrow.parquet as pq

    parts: list[pd.DataFrame] = []
    for piece in partition.pieces:
        with pq.ParquetFile(piece.path) as file:
            table = file.read_row_group(piece.group, columns=list(columns))
        parts.append(table.slice(piece.start, piece.stop - piece.start).to_pandas(ignore_metadata=True))
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


class _Group(NamedTuple):
    """A row group: its rows, the units that are in it, and how many rows of the first of them it begins with."""

    piece: Piece
    units: Any
    lead: int
    again: bool
    first: Any
    last: Any


def partitioned(paths: Sequence[Path], cluster: str) -> tuple[tuple[RowGroups, ...], Any]:
    """Return the partitions of files, and a unit that is in several of them, None where all are whole.

    Parameters
    ----------
    paths : sequence of Path
        In the order in which their rows follow each other.
    cluster : str
        Column of the units that stay whole, or '' where that is every row.
    """
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

    for group in _groups(paths, cluster):
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


def _groups(paths: Sequence[Path], cluster: str) -> Iterator[_Group]:
    """Yield the row groups of files that have rows."""
    import pandas as pd
    import pyarrow.parquet as pq

    for path in paths:
        with pq.ParquetFile(path) as file:
            for k in range(file.metadata.num_row_groups):
                n = file.metadata.row_group(k).num_rows
                if not n:
                    continue
                piece = Piece(str(path), k, 0, n)
                if not cluster:
                    yield _Group(piece, (), 0, False, None, None)
                    continue
                column = file.read_row_group(k, columns=[cluster]).column(0).to_pandas()
                values = column.to_numpy()
                other = np.flatnonzero(values != values[0])
                lead = int(other[0]) if other.size else n
                again = bool((values[lead:] == values[0]).any())
                yield _Group(piece, pd.unique(column.dropna()), lead, again, values[0], values[-1])
