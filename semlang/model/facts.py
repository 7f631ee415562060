"""What elaboration may know of the data: names and levels of columns, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Names of the columns and the distinct values of those whose levels matter.

    Parameters
    ----------
    columns : tuple of str
        All column names in order.
    levels : mapping from column to tuple of str
        Distinct non-missing values as text, sorted (numbers by value; a categorical keeps its own order), for
        columns under ``factor()``, ordinal and nominal responses; for the group column in order of appearance.
    """

    columns: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
