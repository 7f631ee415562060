"""What a conversion gives: the code and a finding for each thing that it does not say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from semlang.diagnostics import Diagnostic, Severity, error, note, warning
from semlang.model.table import ParameterTable, Row, Variable
from semlang.shown import Shown
from semlang.source import Source, Span

PROGRAMS = {
    "lavaan": "lavaan",
    "gllamm": "gllamm",
    "gsem": "Stata's gsem",
    "mplus": "Mplus",
    "lme4": "lme4",
    "mirt": "mirt",
}
"""Targets and what they are called."""


@dataclass(frozen=True, slots=True, repr=False)
class Converted(Shown):
    """Code for another program.

    Parameters
    ----------
    text : str
        The code; empty where the program has no such models.
    findings : tuple of Diagnostic
        ``not-convertible``: what can't be said there, and is not said in `text` (an error where nothing can);
        ``converted-differently``: what is said in another way, or computed in another way there.
    """

    text: str
    findings: tuple[Diagnostic, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""
        return not any(d.slug == "not-convertible" for d in self.findings)

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Findings:
    """Collects what a target can't say, each thing once.

    Parameters
    ----------
    table : ParameterTable
    target : str
        A key of `PROGRAMS`.
    """

    table: ParameterTable
    target: str
    found: list[Diagnostic] = field(default_factory=list)

    def _add(self, d: Diagnostic) -> None:
        if all((d.slug, d.message) != (x.slug, x.message) for x in self.found):
            self.found.append(d)

    def left_out(self, what: str, at: Row | Variable | Span | None = None, *, help: str = "") -> None:
        """Say that something is not in the code."""
        message = f"{what} can't be said in {PROGRAMS[self.target]}"
        label = "left out of the code"
        self._add(warning("not-convertible", message, *self._spot(at), label=label, help=(help,) if help else ()))

    def impossible(self, what: str, at: Row | Variable | Span | None = None, *, help: str = "") -> None:
        """Say that the program has no such models at all."""
        message = f"{what} can't be said in {PROGRAMS[self.target]}"
        self._add(error("not-convertible", message, *self._spot(at), help=(help,) if help else ()))

    def differs(self, what: str, at: Row | Variable | Span | None = None, *, help: str = "") -> None:
        """Say that something is said, or computed, in another way."""
        self._add(note("converted-differently", what, *self._spot(at), help=(help,) if help else ()))

    def products(self) -> set[str]:
        """Return the keys of products of latent variables that have moments, and leave them out."""
        out = set()
        for r in self.table.rows:
            for key in (r.target, r.source):
                if key and key not in self.table.variables:
                    out.add(key)
                    self.left_out(f"the product of latent variables '{key}'", r)
        return out

    def _spot(self, at: Row | Variable | Span | None) -> tuple[Source | None, Span | None]:
        span = at if isinstance(at, Span) or at is None else at.span
        return (self.table.source, span) if span is not None else (None, None)

    @property
    def hopeless(self) -> bool:
        """Whether nothing of the model can be said."""
        return any(d.severity is Severity.ERROR for d in self.found)

    def done(self, lines: Sequence[str], comment: str) -> Converted:
        """Return the code, headed by a comment on each thing that is left out; no code where it is hopeless."""
        if self.hopeless:
            return Converted("", tuple(self.found))
        missing = [f"{comment} NOT SAID HERE: {d.message}" for d in self.found if d.slug == "not-convertible"]
        return Converted("\n".join((*missing, *lines)) + "\n", tuple(self.found))


class Conversion(ABC):
    """Writes a model as code for one program.

    Parameters
    ----------
    table : ParameterTable
    """

    target: ClassVar[str]
    """A key of `PROGRAMS`."""

    def __init__(self, table: ParameterTable) -> None:
        self.table = table
        self.findings = Findings(table, self.target)

    @abstractmethod
    def write(self) -> Converted:
        """Return the code and what is not in it."""
