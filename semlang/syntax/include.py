"""``include:``: texts put in the place of the directives that name them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import PurePath

from semlang.diagnostics import Diagnostic, error
from semlang.source import Part, Source
from semlang.syntax.ast import Directive, Model
from semlang.syntax.parser import parse

DEPTH = 20
"""Includes may be nested to this depth."""


def expand(
    model: Model, read: Callable[[str], Source], above: tuple[str, ...] = ()
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

    Returns
    -------
    source : Source
        Its `parts` tell which file each stretch comes from.
    findings : tuple of Diagnostic
    """
    source = model.source
    chain = (*above, source.name)
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
            inner, problems = parse(read(path))
            whole, more = expand(inner, read, chain)
            found += [*problems, *more]
            pieces.append((whole.text + "\n", whole, 0))
    pieces.append((source.text[at:], source, at))
    starts = list(accumulate((len(text) for text, _, _ in pieces), initial=0))
    parts = [Part(a, b, of, offset) for a, b, (_, of, offset) in zip(starts, starts[1:], pieces, strict=False)]
    parts[-1] = Part(starts[-2], starts[-1] + 1, source, at)
    return Source("".join(text for text, _, _ in pieces), source.name, tuple(parts)), tuple(found)
