"""``include:``: texts put in the place of the directives that name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from pathlib import PurePath

from semlang.diagnostics import Diagnostic, error
from semlang.errors import ModelError
from semlang.source import Part, Source, Span
from semlang.syntax.ast import Directive, Model
from semlang.syntax.file import MAX_BYTES
from semlang.syntax.parser import parse

DEPTH = 20
"""Includes may be nested to this depth."""


MOST_FILES = 200
"""So many files may be included, each as often as it is named."""


class Budget:
    """What the includes of one model may still hold, over all of them."""

    def __init__(self) -> None:
        self.bytes = MAX_BYTES
        self.files = MOST_FILES

    def spend(self, source: Source) -> bool:
        """Count a file; return whether it was one too many."""
        self.bytes -= len(source.text)
        self.files -= 1
        return self.bytes < 0 or self.files < 0


def expand(
    model: Model, read: Callable[[str], Source], above: tuple[str, ...] = (), budget: Budget | None = None
) -> tuple[Source, tuple[Diagnostic, ...]]:
    """Return the source of a model with every ``include:`` replaced by the file it names.

    Parameters
    ----------
    model : Model
        A parsed text.
    read : callable
        Gives the source of a path, which is relative to the file that names it.
    above : tuple of str
        Files that are being included, to find cycles.
    budget : Budget, optional
        What is left of it; nothing is read once it is used up.

    Returns
    -------
    source : Source
        Its `parts` tell which file each stretch comes from.
    findings : tuple of Diagnostic
    """
    source = model.source
    chain = (*above, source.name)
    budget = budget or Budget()
    pieces: list[tuple[str, Source, int]] = []
    found: list[Diagnostic] = []
    at = 0
    for statement in model.statements:
        if not (isinstance(statement, Directive) and statement.key == "include"):
            continue
        pieces.append((source.text[at : statement.span.start], source, at))
        at = statement.span.end
        for argument in statement.arguments:
            path = str(PurePath(source.name).parent / str(argument.value))
            if path in chain:
                circle = " -> ".join((*chain[chain.index(path) :], path))
                found.append(error("include-cycle", f"a file includes itself: {circle}", source, argument.span))
                continue
            if len(chain) > DEPTH:
                found.append(
                    error("include-depth", f"includes are nested more than {DEPTH} deep", source, argument.span)
                )
                continue
            if budget.files < 0 or budget.bytes < 0:
                break
            try:
                included = read(path)
            except ModelError as problem:
                found += [replace(d, source=source, span=argument.span) for d in problem.diagnostics]
                continue
            if budget.spend(included):
                found.append(_too_much(source, argument.span))
                break
            inner, problems = parse(included)
            whole, more = expand(inner, read, chain, budget)
            found += [*problems, *more]
            pieces.append((whole.text + "\n", whole, 0))
    pieces.append((source.text[at:], source, at))
    starts = list(accumulate((len(text) for text, _, _ in pieces), initial=0))
    parts = [Part(a, b, of, offset) for a, b, (_, of, offset) in zip(starts, starts[1:], pieces, strict=False)]
    parts[-1] = Part(starts[-2], starts[-1] + 1, source, at)
    return Source("".join(text for text, _, _ in pieces), source.name, tuple(parts)), tuple(found)


def _too_much(source: Source, span: Span) -> Diagnostic:
    return error(
        "include-too-much",
        f"the model includes more than {MOST_FILES} files, or more than {MAX_BYTES // 1024} KB",
        source,
        span,
        label="one too many",
        help="include each file once",
    )
