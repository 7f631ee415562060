"""Bind a sheet to a model of one level: columns become the design that is estimated from, without pandas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import ProductColumns, products
from semlang.data.design import Design
from semlang.data.levels import level_text
from semlang.data.sheet import Sheet
from semlang.diagnostics import Diagnostic, error
from semlang.errors import DataError
from semlang.model.table import ParameterTable, Variable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def bind_sheet(table: ParameterTable, sheet: Sheet) -> tuple[Design, ...]:
    """Return one design a group.

    Parameters
    ----------
    table : ParameterTable
        Elaborated with the facts of the same sheet; responses are gaussian, binomial with 0 and 1, poisson or ordinal.
    sheet : Sheet

    Raises
    ------
    DataError
        ``text-column``, ``not-binary``, ``not-count``.
    """
    binding = _Binding(table, sheet)
    values = {v.key: binding.response(v) for v in table.responses}
    columns: dict[str, Floats] = {}
    codes: dict[str, tuple[tuple[str, ...], Ints]] = {}
    for c in (c for product in products(table) for c in product):
        if c.function == "level":
            codes[c.column] = sheet.levels(c.column)
        else:
            columns[c.column] = binding.numbers(c.column)
    frequency = {level: binding.numbers(column) for level, column in table.frequency.items()}
    if binding.found:
        raise DataError(binding.found)
    whole = Design(
        n_rows=sheet.n_rows,
        responses={key: y for key, (y, _) in values.items()},
        columns=ProductColumns(table, columns, codes, sheet.n_rows),
        clusters={},
        row=np.arange(sheet.n_rows),
        categories={key: names for key, (_, names) in values.items() if names},
        frequency=frequency,
    )
    if len(table.groups) == 1:
        return (whole,)
    names, of = sheet.levels(table.group_column)
    return tuple(_rows(whole, np.flatnonzero(of == names.index(label)), label) for label in table.groups)


def _rows(design: Design, rows: Ints, label: str) -> Design:
    return replace(design.taken(rows), group=label, dropped={})


class _Binding:
    def __init__(self, table: ParameterTable, sheet: Sheet) -> None:
        self.table, self.sheet = table, sheet
        self.found: list[Diagnostic] = []

    def numbers(self, column: str) -> Floats:
        values = self.sheet.columns[column]
        if isinstance(values, np.ndarray):
            return values
        self.found.append(
            error("text-column", f"column '{column}' holds text where numbers are needed", help="mend these values")
        )
        return np.zeros(self.sheet.n_rows)

    def response(self, v: Variable) -> tuple[Floats, tuple[str, ...]]:
        """Return the coded values of a response, and its categories."""
        if v.kind.thresholds:
            names, codes = self.sheet.levels(v.name)
            return np.where(codes < 0, np.nan, codes), names
        success = v.arguments.get("success")
        if v.kind.name == "binomial" and success is not None:
            names, codes = self.sheet.levels(v.name)
            one = names.index(level_text(success)) if level_text(success) in names else -2
            return np.where(codes < 0, np.nan, codes == one), ()
        values = self.numbers(v.name)
        seen = values[~np.isnan(values)]
        if v.kind.name == "binomial" and not np.isin(seen, (0.0, 1.0)).all():
            self.found.append(error("not-binary", f"the binary response '{v.name}' has values that are not 0 or 1"))
        if v.kind.name == "poisson" and ((seen < 0) | (seen != np.floor(seen))).any():
            self.found.append(error("not-count", f"the count '{v.name}' has values that are no counts"))
        return values, ()
