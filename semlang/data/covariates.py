"""Covariates: functions of columns, and their products, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.data.columns import Columns, row_names
from semlang.data.levels import level_text
from semlang.data.response import Response
from semlang.diagnostics import warning
from semlang.model.table import Covariate, ParameterTable, Product

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Filling(NamedTuple):
    """What stands in a column in place of a missing value: as a number, and the code of its level."""

    number: float
    code: int


class ProductColumns(Mapping[Product, Floats]):
    """Products of covariates of one group's rows; each is computed once, when it is first asked for.

    It iterates over the products of the parameter table and also answers for others of the same columns, such as
    those that arise when a product is substituted into another.

    Parameters
    ----------
    table : ParameterTable
    columns : mapping from column to (n_rows,) floats
    codes : mapping from column to its levels and the (n_rows,) codes of the rows
    n_rows : int
    """

    def __init__(
        self,
        table: ParameterTable,
        columns: Mapping[str, Floats],
        codes: Mapping[str, tuple[tuple[str, ...], Ints]],
        n_rows: int,
    ) -> None:
        self._products = products(table)
        self._columns = columns
        self._codes = codes
        self._n_rows = n_rows
        self._known: dict[Product, Floats] = {}

    def __getitem__(self, product: Product) -> Floats:
        if not product:
            return np.ones(self._n_rows)
        if product not in self._known:
            self._known[product] = self._compute(product)
        return self._known[product]

    def __contains__(self, product: object) -> bool:
        return isinstance(product, tuple) and all(
            c.column in (self._codes if c.function == "level" else self._columns) for c in product
        )

    def __iter__(self) -> Iterator[Product]:
        return iter(self._products)

    def __len__(self) -> int:
        return len(self._products)

    def take(self, rows: Ints | slice) -> ProductColumns:
        """Return the columns of some rows; of a slice they take no memory of their own."""
        out = copy(self)
        out._columns = {name: values[rows] for name, values in self._columns.items()}
        out._codes = {name: (names, codes[rows]) for name, (names, codes) in self._codes.items()}
        out._n_rows = len(range(*rows.indices(self._n_rows))) if isinstance(rows, slice) else rows.size
        out._known = {}
        return out

    def with_column(self, name: str, values: Floats) -> ProductColumns:
        """Return the columns with one more."""
        out = copy(self)
        out._columns, out._known = {**self._columns, name: values}, {}
        return out

    def redrawn(self, name: str, before: Floats, now: Floats, categories: Sequence[str]) -> ProductColumns:
        """Return the columns in which a response that is a covariate, too, has other values.

        Parameters
        ----------
        name : str
            The column of the response; where no covariate is made of it, nothing changes.
        before, now : (n_rows,) floats
            The response as coded, in the rows as they were and as they shall be; NaN where it is missing.
        categories : sequence of str
            Names of the codes 0, 1, ..., empty where the values are no codes.
        """
        out = copy(self)
        out._known = {}
        if name in self._columns:
            values = now
            if categories:
                values = _translated(now, before, self._columns[name], np.arange(len(categories), dtype=np.float64))
            out._columns = {**self._columns, name: values}
        if name in self._codes:
            names, codes = self._codes[name]
            own = [names.index(c) if c in names else -1 for c in categories]
            new = _translated(now, before, codes, np.array(own, dtype=np.float64))
            out._codes = {**self._codes, name: (names, np.where(np.isnan(new), -1, new).astype(np.int64))}
        return out

    def known(self, name: str) -> NDArray[np.bool_]:
        """Return the rows in which a column is known, as a number and as a level."""
        out = np.ones(self._n_rows, dtype=bool)
        if name in self._columns:
            out &= ~np.isnan(self._columns[name])
        if name in self._codes:
            out &= self._codes[name][1] >= 0
        return out

    def filling(self, name: str, rows: Ints, number: float, level: str = "") -> Filling:
        """Return what a column holds in the first of some rows; where there are none, a number and a level."""
        names, codes = self._codes.get(name, ((), np.zeros(0, dtype=np.int64)))
        if rows.size:
            value = float(self._columns[name][rows[0]]) if name in self._columns else number
            return Filling(value, int(codes[rows[0]]) if names else -1)
        return Filling(float(level) if is_number(level) else number, names.index(level) if level in names else -1)

    def filled(self, name: str, where: NDArray[np.bool_], value: Filling) -> ProductColumns:
        """Return the columns with one value of a column in some rows."""
        out = copy(self)
        out._known = {}
        if name in self._columns:
            out._columns = {**self._columns, name: np.where(where, value.number, self._columns[name])}
        if name in self._codes:
            names, codes = self._codes[name]
            out._codes = {**self._codes, name: (names, np.where(where, value.code, codes))}
        return out

    def without_columns(self) -> ProductColumns:
        """Return the constant alone."""
        out = copy(self)
        out._columns, out._codes, out._known = {}, {}, {}
        return out

    @property
    def sources(self) -> tuple[Floats | Ints, ...]:
        """The columns themselves, as numbers or codes."""
        return (*self._columns.values(), *(codes for _, codes in self._codes.values()))

    def _compute(self, product: Product) -> Floats:
        out = self._factor(product[0])
        for k, c in enumerate(product[1:]):
            out = out * self._factor(c) if k == 0 else np.multiply(out, self._factor(c), out=out)
        return out

    def _factor(self, c: Covariate) -> Floats:
        if c.function == "level":
            names, codes = self._codes[c.column]
            return indicator(names, codes, c.argument)
        return transformed(self._columns[c.column], c)


def _translated(now: Floats, before: Floats, column: NDArray[Any], unseen: Floats) -> Floats:
    """Return what a column has for codes: what it had in the first row with the code, `unseen` where none had it."""
    value = unseen.copy()
    for code in range(value.size):
        rows = np.flatnonzero((before == code) & ~np.isnan(column))
        if rows.size:
            value[code] = column[rows[0]]
    out = np.full(now.size, np.nan)
    there = ~np.isnan(now)
    out[there] = value[now[there].astype(np.int64)] if value.size else now[there]
    return out


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def products(table: ParameterTable) -> tuple[Product, ...]:
    """Return the products of covariates in the table, the empty one first."""
    return tuple(dict.fromkeys(((), *(row.via for row in table.rows))))


def indicator(names: tuple[str, ...], codes: Ints, level: float | str | None) -> Floats:
    """Return 1 where a row has the level, 0 where it has another, NaN where it is missing."""
    text = level_text(level)
    out: Floats = (codes == (names.index(text) if text in names else len(names))).astype(np.float64)
    if (codes < 0).any():
        out[codes < 0] = np.nan
    return out


def transformed(values: Floats, c: Covariate) -> Floats:
    """Return the function of a column that a covariate is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if c.function == "log" or (c.function == "offset" and c.argument == "log"):
            out: Floats = np.log(values)
            return out
        if c.function == "power":
            exponent = float(c.argument or 0.0)
            power: Floats = values * values if exponent == 2 else np.power(values, exponent)
            return power
    return values


def check_covariates(columns: Columns, responses: Mapping[str, Response]) -> None:
    """Check every covariate of the table: numbers, inside the domain of its function, not constant."""
    seen: dict[Covariate, None] = {}
    for product in products(columns.table):
        for c in product:
            seen[c] = None
    for c in seen:
        if c.function == "level":
            names, _ = columns.levels(c.column)
            text = level_text(c.argument)
            if text in names and len(names) == 1:
                _constant(columns, c.column, f"all rows have the value {text}")
            continue
        if c.function == "factor" or (c.response and c.column in responses):
            continue
        values = columns.numbers(c.column, help=f"for an effect of each category write factor({c.column})")
        if values is None or columns.blamed(c.column):
            continue
        outside = np.flatnonzero(~np.isfinite(transformed(values, c)) & ~np.isnan(values))
        if outside.size:
            columns.blame(
                c.column,
                "outside-domain",
                f"{c.name} is not defined for some values of '{c.column}'",
                label=row_names(outside),
            )
        elif c.function != "offset" and not np.isnan(values).all() and np.nanmin(values) == np.nanmax(values):
            _constant(columns, c.column, f"all rows have the value {level_text(float(np.nanmin(values)))}")


def _constant(columns: Columns, column: str, label: str) -> None:
    columns.blame(
        column,
        "constant-covariate",
        f"the covariate '{column}' does not vary",
        warning,
        label=label,
        notes="its effect can't be told apart from the intercept",
    )
