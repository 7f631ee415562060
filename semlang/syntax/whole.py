"""Read a text whole: the files that it includes stand in their places."""

from __future__ import annotations

from functools import partial

from semlang.diagnostics import Diagnostic
from semlang.source import Source
from semlang.syntax.ast import Directive, Model
from semlang.syntax.file import read_source
from semlang.syntax.parser import parse


def read_whole(source: Source) -> tuple[Model, tuple[Diagnostic, ...]]:
    """Return the syntax tree of a text and of all that it includes, and what is wrong with either.

    Where an error stands in either, the tree is that of the text alone, with its ``include:`` lines.
    """
    model, found = parse(source)
    if any(isinstance(s, Directive) and s.key == "include" for s in model.statements):
        from semlang.syntax.include import expand

        whole, more = expand(model, partial(read_source, regular=True))
        found = (*found, *more)
        if not any(d.is_error for d in found):
            return parse(whole)
    return model, found
