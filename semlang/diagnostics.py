"""Findings as data; how they look is decided in `render` and the formats of the command line."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from semlang.shown import Shown
from semlang.source import Source, Span


class Severity(enum.Enum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a span."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Diagnostic(Shown):
    """One finding.

    Parameters
    ----------
    slug : str
        Stable name of the pattern, e.g. ``unscaled-latent``.
    severity : Severity
    message : str
        What is wrong, in one clause; stands alone.
    source : Source, optional
        The text that `span` refers to.
    span : Span, optional
        The spot; None where there is no text (data, options).
    label : str
        Why here: a few words beside the caret.
    notes, help : tuple of str
        Background; what to type instead.
    fix : tuple of Edit
        A safe edit that mends it, or empty.
    """

    slug: str
    severity: Severity
    message: str
    source: Source | None = None
    span: Span | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fix: tuple[Edit, ...] = ()

    def __str__(self) -> str:
        return render(self)

    @property
    def is_error(self) -> bool:
        """Whether the finding stops a fit."""
        return self.severity is Severity.ERROR

    def located(self) -> tuple[Source | None, Span | None]:
        """Return the file that the spot is in (an included one, perhaps) and the span there."""
        return in_file(self.source, self.span)

    def to_json(self) -> dict[str, Any]:
        """Return the finding as in the interface's JSON; lines and columns count from 1."""

        file, here = self.located()

        def place(offset: int) -> dict[str, int]:
            assert file is not None
            line, column = file.position(offset)
            return {"line": line, "column": column}

        return {
            "slug": self.slug,
            "severity": self.severity.value,
            "message": self.message,
            "file": file.name if file else None,
            "start": place(here.start) if here else None,
            "end": place(here.end) if here else None,
            "label": self.label,
            "notes": list(self.notes),
            "help": list(self.help),
            "fix": {
                "edits": [{"start": place(e.span.start), "end": place(e.span.end), "text": e.text} for e in self.fix]
            }
            if self.fix and self.source
            else None,
        }


def in_file(source: Source | None, span: Span | None) -> tuple[Source | None, Span | None]:
    """Return a span in terms of the file that its first character comes from."""
    if source is None or span is None:
        return source, None
    file, start = source.origin(span.start)
    return file, Span(start, start + span.end - span.start)


def error(slug: str, message: str, source: Source | None = None, span: Span | None = None, **more: Any) -> Diagnostic:
    """Return a finding of level error; `help` and `notes` may be one text or several."""
    return _make(Severity.ERROR, slug, message, source, span, more)


def warning(slug: str, message: str, source: Source | None = None, span: Span | None = None, **more: Any) -> Diagnostic:
    """Return a finding of level warning."""
    return _make(Severity.WARNING, slug, message, source, span, more)


def note(slug: str, message: str, source: Source | None = None, span: Span | None = None, **more: Any) -> Diagnostic:
    """Return a finding of level note."""
    return _make(Severity.NOTE, slug, message, source, span, more)


def _make(
    severity: Severity,
    slug: str,
    message: str,
    source: Source | None,
    span: Span | None,
    more: dict[str, Any],
) -> Diagnostic:
    for key in ("help", "notes"):
        if isinstance(more.get(key), str):
            more[key] = (more[key],)
        elif key in more:
            more[key] = tuple(more[key])
    if "fix" in more:
        more["fix"] = tuple(more["fix"])
    return Diagnostic(slug, severity, message, source, span, **more)


def ordered(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return findings without repetition: errors first, then by place in the text."""
    rank = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    unique = list(dict.fromkeys(findings))
    return sorted(unique, key=lambda d: (rank[d.severity], d.span.start if d.span else 1 << 40))


def width(text: str) -> int:
    """Return the number of terminal cells of a text (wide East Asian characters take two)."""
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def render(finding: Diagnostic) -> str:
    """Return a finding as plain text with the line, a caret, notes and help.

    Examples
    --------
    >>> text = Source("f =- x1", "m.sem")
    >>> print(render(error("unknown-operator", "no operator is called '=-'", text, Span(2, 4), help="write '=~'")))
    error[unknown-operator]: no operator is called '=-'
     --> m.sem:1:3
      |
    1 | f =- x1
      |   ^^
      = help: write '=~'
    """
    out = [f"{finding.severity.value}[{finding.slug}]: {finding.message}"]
    gutter = "  "
    source, span = finding.located()
    if source is not None and span is not None:
        line, column = source.position(span.start)
        last, stop = source.position(max(span.end - 1, span.start))
        text = source.line(line)
        end = min(stop if last == line else len(text), len(text))
        gutter = " " * (len(str(line)) + 1)
        before = "".join("\t" if c == "\t" else " " * width(c) for c in text[: column - 1])
        carets = "^" * max(1, width(text[column - 1 : end]))
        out.append(f"{gutter[:-1]}--> {source.name}:{line}:{column}")
        out.append(f"{gutter}|")
        out.append(f"{line} | {text}")
        out.append(f"{gutter}| {before}{carets}{' ' + finding.label if finding.label else ''}")
    elif finding.label:
        out.append(f"{gutter}= {finding.label}")
    out += [f"{gutter}= note: {n}" for n in finding.notes]
    out += [f"{gutter}= help: {h}" for h in finding.help]
    return "\n".join(out)
