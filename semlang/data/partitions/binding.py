"""Bind data in partitions to a model: levels from all of them, choices from their first rows, designs by partition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from semlang.data.binding import bind
from semlang.data.bound import Bound
from semlang.data.design import Design
from semlang.data.partitions.held import Held
from semlang.data.partitions.merged_facts import MergedFacts
from semlang.data.partitions.opening import Partitions
from semlang.data.partitions.part import Known, Sizes, alike, bound_part, first_units, sizes
from semlang.data.preparing import prepare
from semlang.data.spots import absent, needed
from semlang.data.stacking import different_columns, stacked
from semlang.diagnostics import Diagnostic, ordered
from semlang.errors import DataError
from semlang.model.table import ParameterTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAMPLE", "BoundPartitions", "bind_partitions"]

M = TypeVar("M", bound=Bound)

SAMPLE = 100_000
"""Rows that are looked at where something is chosen and need not be computed: checks, start values, the frame."""


@dataclass(frozen=True)
class BoundPartitions(Generic[M]):
    """A model and its data in partitions.

    Parameters
    ----------
    model : Model
        With factors and thresholds filled in, from the levels of all partitions.
    frame : DataFrame
        The first units of each partition and those with the extremes of a column, about `SAMPLE` rows together; all
        rows where there are no more.
    designs : tuple of Design
        Of these.
    findings : tuple of Diagnostic
    parts : Held
        A `BoundPart` of each partition.
    sizes : tuple of Sizes
    whole : bool
        Whether `frame` has all rows.
    """

    model: M
    frame: pd.DataFrame
    designs: tuple[Design, ...]
    findings: tuple[Diagnostic, ...]
    parts: Held
    sizes: tuple[Sizes, ...]
    whole: bool


def bind_partitions(given: M, partitions: Partitions) -> BoundPartitions[M]:
    """Bind a model to data in partitions.

    Raises
    ------
    DataError
        Where the data do not fit.
    """
    import pandas as pd

    missing = absent(given.parameter_table, pd.DataFrame(columns=list(partitions.columns)))
    if missing:
        raise DataError(ordered(missing))
    facts = MergedFacts(partitions.columns, partitions.frames, given.parameter_table.group_column)
    facts.look_up(name for kind, name in given._elaboration.namespace.asked if kind == "levels")
    model = given.with_facts(facts)
    table = model.parameter_table
    known = _known(table, facts)
    frames = partitions.frames(_columns(table, partitions.columns))
    parts = frames.map(bound_part, table, known)
    numbers = tuple(parts.ask(sizes))
    for name, one in zip(partitions.names, numbers, strict=True):
        if one.errors:
            where = f"rows are counted in the partition that begins with {name}"
            raise DataError(ordered([replace(d, notes=(*d.notes, where)) for d in one.errors]))
    whole = sum(partitions.rows) <= SAMPLE
    most = max(partitions.rows) if whole else -(-SAMPLE // len(partitions.rows))
    top = table.clusters[-1] if table.clusters else ""
    outcomes = tuple(v.name for v in table.responses if v.kind.name != "gaussian" and v.name in partitions.columns)
    sample = stacked(frames.ask(first_units, top, most, tuple(known.levels), outcomes))
    frame, found = prepare(table, alike(sample, known))
    found = (*different_columns(partitions.lacking, needed(table)), *found)
    if frame is None:
        raise DataError(ordered(found))
    designs, more = bind(table, frame, None if whole else known.levels)
    found = (*found, *more)
    if any(d.is_error for d in found):
        raise DataError(ordered(found))
    return BoundPartitions(model, frame, designs, found, parts, numbers, whole)


def _known(table: ParameterTable, facts: MergedFacts) -> Known:
    """Return the levels that all partitions share: of categories, of factors, of the group."""
    own = {v.name for v in table.responses if v.kind.categorical and "trials" not in v.arguments}
    own |= {c.column for row in table.rows for c in row.via if c.function == "level"}
    own |= {table.group_column} - {""}
    own &= set(facts.columns)
    facts.look_up(sorted(own))
    return Known({c: facts.of(c).levels for c in own}, {c: listed for c in own if (listed := facts.scale(c))})


def _columns(table: ParameterTable, there: tuple[str, ...]) -> list[str]:
    """Return the columns that the model needs; of a product that is no column, its factors."""
    names = dict.fromkeys(p for c in needed(table) for p in ((c,) if c in there else c.split(":")))
    return [c for c in names if c in there]
