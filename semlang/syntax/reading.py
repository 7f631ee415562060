"""What the modules that read a tree share: the source, the findings so far, and a way to give up on a term."""

from __future__ import annotations

from typing import Any

from semlang.diagnostics import Diagnostic, Edit, error, note, warning
from semlang.source import Source, Span
from semlang.syntax.cover import Node

RESERVED = frozenset(
    {"if", "else", "repeat", "while", "function", "for", "next", "break", "in"}
    | {"TRUE", "FALSE", "NULL", "NA", "Inf", "NaN"}
)


class Rejected(Exception):
    """A part of a statement has no meaning; carries the finding."""

    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Reading:
    """The findings of one text while its statements are read.

    Attributes
    ----------
    findings : list of Diagnostic
    budget : int
        How many terms the ranges of this text may still expand to.
    last : bool
        Whether no other statement follows the one that is read.
    """

    def __init__(self, source: Source, budget: int) -> None:
        self.source = source
        self.findings: list[Diagnostic] = []
        self.budget = budget
        self.last = True

    def reject(self, slug: str, message: str, span: Span, **more: Any) -> Rejected:
        """Return the exception to raise where a part has no meaning."""
        return Rejected(error(slug, message, self.source, span, **more))

    def error(self, slug: str, message: str, span: Span, **more: Any) -> None:
        """Add an error and go on."""
        self.findings.append(error(slug, message, self.source, span, **more))

    def warn(self, slug: str, message: str, span: Span, **more: Any) -> None:
        """Add a warning."""
        self.findings.append(warning(slug, message, self.source, span, **more))

    def note(self, slug: str, message: str, span: Span, **more: Any) -> None:
        """Add a note."""
        self.findings.append(note(slug, message, self.source, span, **more))

    def check_name(self, name: str, span: Span) -> None:
        """Reject the words that R, and so lavaan, keeps for itself."""
        if name in RESERVED:
            raise self.reject(
                "reserved-name",
                f"'{name}' is a reserved word and can not be a name",
                span,
                label="reserved",
                help=f"rename the variable; `{name}` in backticks is allowed",
            )

    def check_no_stray_plus(self, node: Node, *, lavaan: bool = False) -> None:
        """Reject a sum that ends in a plus sign.

        Parameters
        ----------
        lavaan : bool
            The right side of a formula: at the end of a text lavaan lets it pass, and here it is a warning.
        """
        if node.kind != "sum" or node.children[-1].kind != "PLUS":
            return
        span = node.children[-1].span
        before = node.children[-2]
        make = warning if lavaan and self.last else error
        finding = make(
            "dangling-operator",
            "nothing stands behind '+'",
            self.source,
            span,
            label="something is missing behind this",
            help="delete the '+', or write what belongs behind it",
            fix=[Edit(Span(before.end, span.end), "")] if "\n" not in self.source.text[before.end : span.end] else [],
        )
        if finding.is_error:
            raise Rejected(finding)
        self.findings.append(finding)

    def spend(self, names: int, span: Span) -> None:
        """Count names that ranges give, and reject the one that takes a text beyond its limit."""
        self.budget -= names
        if self.budget < 0:
            raise self.reject(
                "too-many-terms",
                "the ranges of this text give more terms than a model may hold",
                span,
                label="no more from here",
                help="are the ends of the ranges meant?",
            )
