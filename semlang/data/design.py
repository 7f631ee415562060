"""Data bound to a model: plain arrays, sorted so that units of every level are contiguous."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import Product

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Summary(NamedTuple):
    """Moments of the values of a response that are known.

    Parameters
    ----------
    known : int
        How many there are.
    mean, variance : float
        0 where there are none; the variance divides by `known`.
    """

    known: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: Floats) -> Summary:
        """Return the moments of values, NaN where missing."""
        total = float(np.add.reduce(values))
        if total != total:  # some are missing
            values = values[~np.isnan(values)]
            total = float(np.add.reduce(values))
        if not values.size:
            return cls(0, 0.0, 0.0)
        mean = total / values.size
        about = values - mean
        return cls(values.size, mean, float(about @ about) / values.size)


@runtime_checkable
class Takeable(Protocol):
    """Columns that are computed when they are asked for: those of some rows are, too."""

    def take(self, rows: Ints | slice, /) -> Mapping[Product, Floats]:
        """Return the columns of some rows."""


@dataclass(frozen=True)
class Design:
    """One group's data, ready for estimation.

    Rows are sorted by cluster, the highest level first, so that units of every level are contiguous; the order of rows
    inside the lowest units is the file's.

    Parameters
    ----------
    n_rows : int
    responses : mapping from key to (n_rows,) floats
        Observed values, NaN where missing. Binary: 0/1 (or successes of `trials`); ordinal and nominal: category number
        from 0. A response of a higher level is kept in the first row of each of its units, NaN elsewhere.
    columns : mapping from Product to (n_rows,) floats
        Every product of covariates that the model uses; NaN where a covariate is missing.
    clusters : mapping from level to (n_rows,) ints
        Unit numbers 0, 1, ... in order of appearance after sorting, for each cluster, lowest first.
    categories : mapping from response key to tuple of str
    trials, exposure : mapping from response key to (n_rows,) floats
    event : mapping from response key to (n_rows,) floats
        1 where a duration ended with the event, 0 where it is censored; a response without one has events only.
    entry : mapping from response key to (n_rows,) floats
        Times from which durations were observed.
    censored : mapping from response key to (n_rows,) floats
        1 where the response is above its value, -1 where it is below, 0 where it is the value.
    low, high : mapping from response key to (n_rows,) floats
        Limits of censoring, or the ends of the interval that the response is in; infinite where there are none. The
        value of a response in an interval is its middle, or the end that is there.
    sets : mapping from response key to (n_rows,) ints
        Number of the set that a record is an alternative of, of choices and rankings; -1 where there is none. A choice
        is 1 for the alternative that was chosen, else 0; a ranking the rank from 1, of those that were not ranked the
        one after the last.
    terms : mapping from response key to (n_rows,) floats
        Weights of the means of the records of a set in that of its response, of composite links. The response has its
        value in all records of the set.
    frequency : mapping from level to (n_rows,) floats
        Frequency of the unit that a row belongs to (level ``rows``: of the row).
    weights : the same for sampling weights
    row : (n_rows,) ints
        Row number in the file, from 0.
    dropped : mapping from reason to count
    observed : mapping from key of a latent variable to (n_rows,) floats
        What ``observed=`` says: the class, from 1, or the value; NaN where it is not known.
    """

    n_rows: int
    responses: Mapping[str, Floats]
    columns: Mapping[Product, Floats]
    clusters: Mapping[str, Ints]
    row: Ints
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trials: Mapping[str, Floats] = field(default_factory=dict)
    exposure: Mapping[str, Floats] = field(default_factory=dict)
    event: Mapping[str, Floats] = field(default_factory=dict)
    entry: Mapping[str, Floats] = field(default_factory=dict)
    censored: Mapping[str, Floats] = field(default_factory=dict)
    low: Mapping[str, Floats] = field(default_factory=dict)
    high: Mapping[str, Floats] = field(default_factory=dict)
    sets: Mapping[str, Ints] = field(default_factory=dict)
    terms: Mapping[str, Floats] = field(default_factory=dict)
    frequency: Mapping[str, Floats] = field(default_factory=dict)
    weights: Mapping[str, Floats] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    group: str = ""
    observed: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def distinct(self) -> tuple[Design, Ints]:
        """Distinct rows with frequencies, and the row that each became, see `semlang.data.collapse`."""
        found, row = self._collapsed
        return self if found is None else found, row

    @cached_property
    def _collapsed(self) -> tuple[Design | None, Ints]:
        """The same, None for the design itself: what holds itself stays in memory until garbage is looked for."""
        from semlang.data.collapse import collapse

        found, row = collapse(self)
        return None if found is self else found, row

    @cached_property
    def _summaries(self) -> dict[str, Summary]:
        return {}

    def summary(self, key: str) -> Summary:
        """Return the moments of a response, which are computed once."""
        found = self._summaries.get(key)
        if found is None:
            found = self._summaries[key] = Summary.of(self.responses[key])
        return found

    def spread(self, key: str) -> float:
        """Return the standard deviation of the values of a response that are known, 1 where they do not vary."""
        return math.sqrt(self.summary(key).variance) or 1.0

    def moved(self, origins: Mapping[str, float], columns: Mapping[Product, Floats]) -> Design:
        """Return the data with other columns and the origins of responses taken off them.

        Responses that lose an origin are rows of one array: what takes them together need not copy them.
        """
        whole = np.empty((len(origins), self.n_rows))
        moved = {
            key: np.subtract(self.responses[key], origin, out=whole[k])
            for k, (key, origin) in enumerate(origins.items())
        }
        out = replace(self, responses={**self.responses, **moved}, columns=columns)
        out._whole.append((tuple(origins), whole))
        out._summaries.update(
            (key, s._replace(mean=s.mean - origins.get(key, 0.0))) for key, s in self._summaries.items()
        )
        return out

    @cached_property
    def _whole(self) -> list[tuple[tuple[str, ...], Floats]]:
        """Arrays whose rows responses are."""
        return []

    def stacked(self, keys: Sequence[str]) -> Floats:
        """Return responses as the rows of an array, which is not to be written to."""
        for known, whole in self._whole:
            if known == tuple(keys):
                return whole
        out = np.empty((len(keys), self.n_rows))
        for k, key in enumerate(keys):
            out[k] = self.responses[key]
        return out

    def taken(self, rows: Ints | slice) -> Design:
        """Return some records, with all else as it is; of a slice they take no memory of their own.

        Unit numbers keep their gaps, see `first_records` and `n_units`.
        """
        columns = self.columns
        if isinstance(columns, Takeable):
            columns = columns.take(rows)
        else:
            columns = {product: values[rows] for product, values in columns.items()}
        kept = self.each_row(lambda values: values[rows])
        return replace(self, n_rows=kept["row"].size, columns=columns, **kept)

    def each_row(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> dict[str, Any]:
        """Return all fields with a value a row, apart from `columns`, after the same change of each array."""
        out: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                out[f.name] = change(value)
            elif isinstance(value, Mapping) and f.name not in ("columns", "categories", "dropped"):
                out[f.name] = {key: change(v) if isinstance(v, np.ndarray) else v for key, v in value.items()}
        return out

    def in_sets(self, flag: NDArray[np.bool_], key: str) -> NDArray[np.bool_]:
        """Return whether a flag is set for any record of the set of a record; the flag where `key` has no sets."""
        if key not in self.sets:
            return flag
        own = self.sets[key]
        some = np.zeros(int(own.max(initial=-1)) + 2, dtype=bool)
        some[own[flag]] = True
        some[-1] = False
        return np.asarray(some[own])

    def holds(self, key: str) -> NDArray[np.bool_]:
        """Return in which records a response stands: where it is seen, of a sum of means in the first of each set."""
        out: NDArray[np.bool_] = ~np.isnan(self.responses[key])
        if key in self.terms:
            here = np.flatnonzero(out & (self.sets[key] >= 0))
            out = np.zeros_like(out)
            out[here[np.unique(self.sets[key][here], return_index=True)[1]]] = True
        return out

    def n_units(self, level: str) -> int:
        """Return the number of units of a level."""
        return self.n_rows if level == "rows" else int(self.clusters[level].max(initial=-1)) + 1

    def first_records(self, level: str) -> NDArray[np.int64]:
        """Return the first record of each unit of a level, in the order of the units."""
        if level == "rows":
            return np.arange(self.n_rows)
        return np.flatnonzero(np.diff(self.clusters[level], prepend=-1))
