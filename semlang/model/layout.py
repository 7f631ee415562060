"""Hints for the drawing: what ``layout:`` lines say, and whether they name what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from semlang.diagnostics import Diagnostic, warning
from semlang.model.nearest import did_you_mean
from semlang.model.table import Layout, ParameterTable
from semlang.source import Span
from semlang.syntax import ast


def with_layout(table: ParameterTable, model: ast.Model, findings: list[Diagnostic]) -> ParameterTable:
    """Return the table with what the text says of the drawing.

    Lines add up; where a word, or the place of a variable, is given twice, the later holds. A name that the model
    does not have is a warning: the text is as right without it.

    Parameters
    ----------
    table : ParameterTable
    model : ast.Model
    findings : list of Diagnostic
        What is wrong is added to it.
    """
    said = _Said()
    known = _known(table)
    for s in model.statements:
        for hint in s.hints if isinstance(s, ast.Directive) else ():
            key = hint.key if hint.key != "at" else f"at({_spelt(hint.names[0][0])}, ...)"
            if key in said.seen:
                what = f"'{key}' stands twice in 'layout:'; the later holds"
                findings.append(warning("directive-twice", what, model.source, hint.span))
            said.seen[key] = hint.span
            found = []
            for together in hint.names:
                names = []
                for v in together:
                    name = _spelt(v)
                    if name in known:
                        names.append(name)
                        continue
                    findings.append(
                        warning(
                            "unknown-name-in-layout",
                            f"'layout:' names '{name}', which the model does not have",
                            model.source,
                            v.span,
                            label="not in the model",
                            help=(*did_you_mean(name, known), f"variables are {', '.join(list(known)[:12])}"),
                        )
                    )
                if names:
                    found.append(tuple(names))
            if found or hint.word:
                said.add(hint, tuple(found))
    return replace(table, layout=said.layout)


@dataclass
class _Said:
    layout: Layout = field(default_factory=Layout)
    seen: dict[str, Span] = field(default_factory=dict)

    def add(self, hint: ast.Hint, names: tuple[tuple[str, ...], ...]) -> None:
        flat = tuple(n for together in names for n in together)
        match hint.key:
            case "direction":
                self.layout = replace(self.layout, direction=hint.word)
            case "rows":
                self.layout = replace(self.layout, rows=names)
            case "columns":
                self.layout = replace(self.layout, columns=names)
            case "order":
                self.layout = replace(self.layout, order=flat)
            case "at":
                assert hint.place is not None
                self.layout = replace(self.layout, at={**self.layout.at, flat[0]: hint.place})
            case side:
                kept = {k: v for k, v in self.layout.sides.items() if v != side}
                self.layout = replace(self.layout, sides=kept | dict.fromkeys(flat, side))


def _spelt(v: ast.Variable) -> str:
    return f"{v.name}[{v.level}]" if v.level else v.name


def _known(table: ParameterTable) -> Mapping[str, None]:
    """Return every name that a variable of the diagram goes by."""
    out: dict[str, None] = {}
    for key, v in table.variables.items():
        out |= {v.name: None, key: None}
    for row in table.rows:
        out |= {c.column: None for c in row.via} | {c.name: None for c in row.via}
        if row.via:
            out[":".join(c.name for c in row.via)] = None
    return out
