"""Open data that lie in partitions: Parquet files, or a frame of dask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semlang.data.partitions.held import Held, InProcess
from semlang.data.partitions.on_workers import OnWorkers
from semlang.data.partitions.part import units_of
from semlang.data.partitions.row_groups import partitioned, read_rows, shared_types, shared_unit
from semlang.data.partitions.scheduler import client_of, refuse_without_dask
from semlang.data.reading import matching
from semlang.data.stacking import lacking
from semlang.diagnostics import Diagnostic, error
from semlang.errors import DataError, FitError

__all__ = ["Partitions", "in_partitions", "opened"]

IN_MEMORY = 1_000_000
"""Rows of Parquet files that are read whole where nobody asks for a scheduler: a fit then can do all that a fit can."""


@dataclass(frozen=True)
class Partitions:
    """Data in partitions that keep the units of the highest level whole.

    Parameters
    ----------
    columns : tuple of str
    names : tuple of str
        How findings call each partition.
    rows : tuple of int
        Numbers of rows.
    frames : callable
        Returns the partitions' frames of some columns.
    workers : int
        Number of worker processes, 0 where all is computed in this one.
    lacking : mapping from column to the names of the files that do not have it
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[int, ...]
    frames: Callable[[Sequence[str]], Held]
    workers: int
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@contextmanager
def opened(
    data: Any, cluster: str, scheduler: str | None, processes: int, refused: str = ""
) -> Iterator[Partitions | None]:
    """Open data if they lie in partitions, or are asked to; None where they are to be read as one frame.

    Parameters
    ----------
    data : path, paths, pattern of paths, or DataFrame of dask or others
    cluster : str
        Column of the units that have to be whole, '' for rows.
    scheduler : str or None
        ``local`` or an address.
    processes : int
        Of a local scheduler.
    refused : str
        Why the model can't be fitted to partitions; it is where they can be read as one frame.

    Raises
    ------
    DataError
        ``split-units``, ``no-partitions``, or what is wrong with the files.
    FitError
        ``missing-extra``, ``no-scheduler``.
    """
    if refused and (scheduler is not None or _of_dask(data)):
        raise FitError([in_partitions(refused)])
    if _of_dask(data):
        with _connected(scheduler, processes) as client:
            yield _from_dask(data, cluster, client)
        return
    paths = _parquet(data)
    if not paths:
        if scheduler is not None and not _absent(data):
            refuse_without_dask()
            raise DataError(
                [error("no-partitions", "a scheduler needs data in partitions, and these are one table",
                       help=("write them as Parquet: --data 'parts/*.parquet'", "or give a DataFrame of dask"))]
            )  # fmt: skip
        yield None
        return
    if refused or (scheduler is None and _rows(paths) <= IN_MEMORY):
        yield None
        return
    schemas = _schemas(paths)
    files = [[c for c in s.names if not c.startswith("__index_level_")] for s in schemas]
    columns = tuple(dict.fromkeys(c for own in files for c in own))
    without = lacking(files, [p.name for p in paths])
    types = shared_types(schemas)
    parts, split = partitioned(paths, cluster if cluster in columns else "", types)
    if split is not None:
        raise DataError([_split(cluster, split, f"frame.sort_values('{cluster}').to_parquet('sorted.parquet')")])

    def partitions(held: Held, workers: int) -> Partitions:
        def frames(chosen: Sequence[str]) -> Held:
            return held.map(read_rows, tuple(chosen), {c: types[c] for c in chosen if c in types})

        return Partitions(columns, tuple(p.name for p in parts), tuple(p.rows for p in parts), frames, workers, without)

    if scheduler is None:
        yield partitions(InProcess.of(parts), 0)
        return
    with client_of(scheduler, processes) as client:
        yield partitions(OnWorkers(client, parts), _count(client))


def in_partitions(why: str) -> Diagnostic:
    """Return the finding that a model is not fitted to data in partitions."""
    return error(
        "not-in-partitions",
        "the model is not fitted to data in partitions",
        label=why,
        help="read the data as one table: fit(pandas.read_parquet(...)), without a scheduler",
    )


def _split(cluster: str, unit: Any, sort: str) -> Diagnostic:
    return error(
        "split-units",
        f"unit {unit} of {cluster} has rows in several partitions that do not follow each other",
        notes="a partition is a run of rows; all rows of a unit have to be in one",
        help=f"sort the rows by {cluster}: {sort}",
    )


# ---------------------------------------------------------------------- Parquet


def _parquet(data: Any) -> list[Path]:
    """Return the Parquet files that are meant, none where the data are something else."""
    if isinstance(data, str | Path):
        paths = matching(Path(data)) or [Path(data)]
    elif isinstance(data, list | tuple) and data and all(isinstance(d, str | Path) for d in data):
        paths = [Path(d) for d in data]
    else:
        return []
    fits = all(p.suffix.lower() in (".parquet", ".pq") and p.is_file() for p in paths)
    if not fits:
        return []
    try:
        _rows(paths)
    except Exception:  # no such library, or no such file: reading it as a table says what is wrong
        return []
    return paths


def _absent(data: Any) -> bool:
    """Return whether data are files of which one is not there: reading them says so."""
    given = data if isinstance(data, list | tuple) else [data]
    paths = [Path(d) for d in given if isinstance(d, str | Path)]
    return any(not matching(p) and not p.exists() for p in paths)


def _rows(paths: Sequence[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(int(pq.read_metadata(p).num_rows) for p in paths)


def _schemas(paths: Sequence[Path]) -> list[Any]:
    import pyarrow.parquet as pq

    return [pq.read_schema(p) for p in paths]


# ---------------------------------------------------------------------- dask


def _of_dask(data: Any) -> bool:
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(data, "to_delayed")


@contextmanager
def _connected(scheduler: str | None, processes: int) -> Iterator[Any]:
    """Return a client: of the scheduler that was asked for, else the present one, None where there is none."""
    if scheduler is not None:
        with client_of(scheduler, processes) as client:
            yield client
        return
    present: Any = None
    with suppress(ImportError, ValueError):
        from distributed import get_client

        present = get_client()
    yield present


def _count(client: Any) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _from_dask(data: Any, cluster: str, client: Any) -> Partitions:
    import dask

    columns = tuple(str(c) for c in data.columns)

    def frames(chosen: Sequence[str], only: Sequence[int] | None = None) -> Held:
        with dask.config.set({"optimization.tune.active": False}):  # joins partitions where few columns are read
            delayed = data[list(chosen)].to_delayed()
        delayed = delayed if only is None else [delayed[k] for k in only]
        if client is None:
            return InProcess(len(delayed), lambda k: delayed[k].compute(scheduler="sync"))
        return OnWorkers(client, client.compute(list(delayed)))

    if cluster in columns:
        units = frames([cluster]).ask(units_of, cluster)
        rows = frames([cluster]).ask(len)
        split = shared_unit(units)
        if split is not None:
            raise DataError([_split(cluster, split, f"data.shuffle('{cluster}') puts them together")])
    else:
        rows = frames(list(columns[:1])).ask(len)
    kept = [k for k, n in enumerate(rows) if n]
    if not kept:
        raise FitError([error("empty-data", "the data have no rows")])
    return Partitions(
        columns, tuple(f"partition {k + 1}" for k in kept), tuple(rows[k] for k in kept),
        lambda chosen: frames(chosen, kept), 0 if client is None else _count(client),
    )  # fmt: skip
