"""The model of a text and a sheet alone: it reads no file, for in a browser there is none."""

from __future__ import annotations

from semlang.api import Model
from semlang.data.sheet import Sheet, SheetFacts
from semlang.source import Source


def text_model(source: Source, sheet: Sheet | None = None) -> Model:
    """Return a model with the names and levels of a sheet's columns; its views ask no data that the text names.

    Raises
    ------
    ModelError
        Where the text has no table, or names do not fit the sheet.
    """
    model = Model(source)
    if sheet is not None and not model.parameter_table.reshape:
        model = model.with_facts(SheetFacts(sheet, model.parameter_table.group_column))
    model.__dict__["known"] = model
    return model
