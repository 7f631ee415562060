"""What a fit knows of data in partitions: their sizes, how many stay in memory, which models they suit."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from semlang.data.partitions.binding import BoundPartitions
from semlang.data.partitions.held import Held
from semlang.data.partitions.part import Sizes
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import conditions, is_conditional, with_locations
from semlang.estimation.planned import Partitioning, Plan
from semlang.graph.condition import known_for_some, sought_numbers
from semlang.model.table import ParameterTable

__all__ = ["Parts", "of_all", "parts_of", "refused"]

ROW = 200.0
"""Bytes that an observed response takes in a member, about (24 numbers of 8 bytes were counted for a logit)."""


POINTS = 7
"""Nodes a dimension that a fit begins with."""


@dataclass(frozen=True)
class Parts:
    """The data of a fit in partitions.

    Parameters
    ----------
    bound : Held
        A `BoundPart` a partition.
    sizes : tuple of Sizes
    keep : int
        So many of the first partitions may stay in the memory of this process.
    workers : int
        Number of worker processes, 0 where all is computed in this one.
    whole : bool
        Whether the designs of the fit are all of the data, and not the first rows of each partition.
    """

    bound: Held
    sizes: tuple[Sizes, ...]
    keep: int
    workers: int
    whole: bool

    def rows(self, group: int) -> int:
        """Number of rows of a group."""
        return sum(s.rows[group] for s in self.sizes)

    def responses(self, group: int) -> int:
        """Number of observed responses of a group."""
        return sum(s.responses[group] for s in self.sizes)

    def units(self, group: int, level: str) -> int:
        """Number of units of a level in a group."""
        return self.rows(group) if level == "rows" else sum(s.units[group].get(level, 0) for s in self.sizes)


def parts_of(bound: BoundPartitions[Any], workers: int) -> Parts:
    """Return the data of a fit; as many partitions stay in this process as its budget allows.

    The budget is `SEMLANG_MEMORY`, in megabytes, or a quarter of the memory of the machine.
    """
    budget, keep = _budget(), 0
    row = ROW * _copies(bound.model.parameter_table)
    for one in bound.sizes:
        budget -= row * sum(
            n * distinct / max(rows, 1) for n, distinct, rows in zip(one.responses, one.distinct, one.rows, strict=True)
        )
        if budget < 0:
            break
        keep += 1
    return Parts(bound.parts, bound.sizes, keep, workers, bound.whole)


def _budget() -> float:
    """Return the bytes that partitions may take together.

    Raises
    ------
    FitError
        Where the variable is no number.
    """
    asked = os.environ.get("SEMLANG_MEMORY", "").strip()
    if asked:
        if asked.isascii() and asked.isdigit():
            return 1e6 * int(asked)
        raise FitError(
            [error("bad-option-value", f"SEMLANG_MEMORY is '{asked}', and not a number of megabytes",
                   help="set it to 2000, say, or leave it out: then it is a quarter of the machine's memory")]
        )  # fmt: skip
    try:
        return 0.25 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on every system
        return 1e9


def of_all(found: Plan, parts: Parts) -> Plan:
    """Return a plan for the first rows with the sizes of all."""
    groups = tuple(
        replace(
            group, rows=parts.responses(g),
            levels=tuple(replace(v, units=parts.units(g, v.level)) for v in group.levels),
            conditions=tuple(replace(c, units=parts.units(g, c.level)) for c in group.conditions),
        )
        for g, group in enumerate(found.groups)
    )  # fmt: skip
    partitioning = Partitioning(
        len(parts.sizes), sum(parts.rows(g) for g in range(len(groups))), parts.keep, parts.workers
    )
    return replace(found, groups=groups, partitioning=partitioning)


def refused(table: ParameterTable) -> str:
    """Return why a model is not fitted to data in partitions, '' where it is."""
    if sought_numbers(table):
        return "how many mass points there are is sought in all units at once: say it, masspoints(3)"
    if known_for_some(table):
        return "latent variables that are known for some units need all units at once"
    if table.reshape:
        return "rows are laid out anew (reshape:)"
    if any(v.kind.sets for v in table.responses) and not table.clusters:
        return "sets of alternatives may lie in two partitions: a cluster above them would keep them together"
    return ""


def _copies(table: ParameterTable) -> int:
    """Return how many copies of the data members hold, one a node of what is conditioned on."""
    if not is_conditional(table):
        return 1
    extended, _ = with_locations(table)
    dims = max(len(conditions(extended, n).continuous) for n in range(1, max(len(table.groups), 1) + 1))
    points = int(table.options.get("points") or POINTS)
    copies: int = points**dims
    return copies
