"""A model and its data: what they say of it, and the designs that are estimated from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from semlang.data.named import as_warnings, named_path, placed
from semlang.diagnostics import Diagnostic, error, ordered
from semlang.errors import DataError, DataWarning, ModelError
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax import ast

if TYPE_CHECKING:
    import pandas as pd

    from semlang.data.design import Design
    from semlang.model.elaborate import Elaboration
    from semlang.model.facts import DataFacts

Reader = Callable[[Path], tuple["pd.DataFrame | None", tuple[Diagnostic, ...]]]
"""Reads the file that a text names."""


class Bound:
    """What a model does with data.

    Attributes
    ----------
    source : Source
    ast : ast.Model
    parameter_table : ParameterTable
    findings : tuple of Diagnostic
        About the text.
    """

    source: Source
    ast: ast.Model
    parameter_table: ParameterTable
    findings: tuple[Diagnostic, ...]
    _arguments: dict[str, Any]
    _elaboration: Elaboration

    @cached_property
    def known(self) -> Self:
        """The model with what the data that the text names say of it: groups, levels of factors, categories.

        All views show this model. Where the data can't be read, or do not fit, it is the model of the text alone, and a
        `DataWarning` says so.
        """
        model, designs, found = self.with_data()
        if designs is None and found:
            warnings.warn("\n".join(d.message for d in found[:1]), DataWarning, stacklevel=3)
        return model

    def _designed(self, data: Any, designs: Sequence[Design] | None) -> tuple[Self, Sequence[Design] | None]:
        """Return the model and designs of data, unless they are there."""
        if designs is not None or (data is None and "known" in self.__dict__):
            return self.known, designs
        model, made, _ = self.with_data(data)
        return model, made

    def with_facts(self, facts: DataFacts) -> Self:
        """Return the model with factors and thresholds filled in from the levels of the data's columns.

        Where the data have nothing to add it is the same model, with its graphs and all that was compiled from them.

        Raises
        ------
        ModelError
            Where names do not fit the data.
        """
        from semlang.model.elaborate import elaborate

        kept = self._elaboration.with_facts(facts)
        done = elaborate(self.ast, **self._arguments, facts=facts) if kept is None else kept
        table, found = done.answer
        if table is None:
            raise ModelError(ordered(found))
        findings = (*(d for d in self.findings if d not in found), *found)
        if kept is not None and len(findings) == len(self.findings):
            self.__dict__["known"] = self
            return self
        new = copy(self) if kept is not None else object.__new__(type(self))
        new.__dict__["known"] = new
        new.source, new.ast, new._arguments, new._elaboration = self.source, self.ast, self._arguments, done
        new.findings, new.parameter_table = findings, table
        return new

    def bind(self, data: Any = None) -> tuple[Self, tuple[Design, ...], tuple[Diagnostic, ...]]:
        """Read data (by default those named in the text) and bind them to the model.

        Returns
        -------
        model : Model
            With factors and thresholds filled in.
        designs : tuple of Design
            One a group.
        findings : tuple of Diagnostic
            Warnings and notes about the data.

        Raises
        ------
        DataError
            Where the data can't be read or do not fit.
        """
        model, _, designs, found = self._bound(data)
        return model, designs, found

    def with_data(self, data: Any = None) -> tuple[Self, tuple[Design, ...] | None, tuple[Diagnostic, ...]]:
        """Return the model with what its data say, the designs and findings about the data.

        Parameters
        ----------
        data : DataFrame, path or anything that converts, optional
            Data that do not fit are raised, as by `bind`. Default: the data that the text names; where these can't be
            read or do not fit, the model is that of the text alone, there are no designs, and findings say why.
        """
        if data is not None:
            return self.bind(data)
        model, _, designs, found = self._attempt(None)
        model.__dict__["known"] = self.__dict__["known"] = model  # nothing is read again
        return model, designs, as_warnings(found)

    def _bound(self, data: Any = None) -> tuple[Self, pd.DataFrame, tuple[Design, ...], tuple[Diagnostic, ...]]:
        """Bind data as `bind` does; return the prepared frame, too."""
        if data is None and not self.parameter_table.data:
            raise DataError(
                [
                    error(
                        "no-data",
                        "the model names no data",
                        help=('add a line  data: "file.csv"', "or give the data: fit(df), --data FILE"),
                    )
                ]
            )
        model, frame, designs, found = self._attempt(data)
        if frame is None or designs is None:
            raise DataError(ordered(found))
        return model, frame, designs, found

    def _attempt(
        self, data: Any, reader: Reader | None = None, *, thorough: bool = True
    ) -> tuple[Self, pd.DataFrame | None, tuple[Design, ...] | None, tuple[Diagnostic, ...]]:
        """Read data and bind them; what fails is None, and a finding says why. The frame is the prepared one where it
        can be.

        Parameters
        ----------
        data : DataFrame, path or anything that converts, or None
            None for the file that the text names, if any.
        reader : callable, optional
            Reads that file.
        thorough : bool
            Whether values are checked, not names and levels alone; else there are no designs.
        """
        path = named_path(self.ast) if data is None else None
        if data is None and path is None:
            return self, None, None, ()
        from semlang.data.binding import bind
        from semlang.data.facts import FrameFacts
        from semlang.data.preparing import prepare
        from semlang.data.reading import read_data
        from semlang.data.spots import needed
        from semlang.data.stacking import different_columns

        read, found = read_data(data) if path is None else (reader or read_data)(path)
        if path is not None:
            found = placed(found, self.ast)
        if read is None or any(d.is_error for d in found):
            return self, None, None, found
        frame, more = prepare(self.parameter_table, read)
        different = different_columns(read.attrs.get("lacking", {}), needed(self.parameter_table))
        found = (*found, *different, *more)
        if frame is None or any(d.is_error for d in more):
            return self, read, None, found
        try:
            model = self.with_facts(FrameFacts(frame, self.parameter_table.group_column))
        except ModelError as problem:
            return self, frame, None, (*found, *problem.diagnostics)
        if not thorough:
            return model, frame, None, found
        designs, more = bind(model.parameter_table, frame)
        wrong = any(d.is_error for d in more)
        return model, frame, None if wrong else designs, (*found, *more)
