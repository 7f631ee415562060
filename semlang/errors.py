"""Exceptions that users meet; each carries its findings."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagnostics import Diagnostic, render


class SemlangError(Exception):
    """Base of all errors raised by semlang.

    Attributes
    ----------
    diagnostics : tuple of Diagnostic
        All findings, errors first.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(render(d) for d in self.diagnostics))


class ModelError(SemlangError):
    """The text has no table: wrong syntax or names."""


class DataError(SemlangError):
    """The data do not fit the model, or could not be read."""


class FitError(SemlangError):
    """The model can not be estimated, or not with these data."""


class DataWarning(UserWarning):
    """The data that a text names can't be read or do not fit: a view shows the text alone."""


class NotConvergedWarning(UserWarning):
    """A fit ended before it found a maximum; its estimates are where it stopped."""
