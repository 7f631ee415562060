"""The verb: code for a named target."""

from __future__ import annotations

from importlib import import_module

from semlang.convert.converted import PROGRAMS, Conversion, Converted
from semlang.diagnostics import error
from semlang.errors import SemlangError
from semlang.model.table import ParameterTable

TARGETS = tuple(PROGRAMS)
"""Programs that a model can be converted to; each is a module of this package with a class `Writer`."""


def convert(table: ParameterTable, target: str) -> Converted:
    """Return code for another program.

    Parameters
    ----------
    table : ParameterTable
    target : str
        One of `TARGETS`.

    Raises
    ------
    SemlangError
        Where there is no such target.
    """
    if target not in TARGETS:
        raise SemlangError(
            [error("unknown-format", f"no target is called '{target}'", help=f"targets are {', '.join(TARGETS)}")]
        )
    writer: Conversion = import_module(f"semlang.convert.{target}").Writer(table)
    return writer.write()
