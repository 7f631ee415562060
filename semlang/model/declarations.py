"""Declarations: what ``::`` says of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.kinds import ALIASES, COMPOSITES, KINDS, Kind
from semlang.model.nearest import did_you_mean
from semlang.source import Source, Span
from semlang.syntax import ast


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared of one name; `level` is the bracket of the declaration, if any."""

    name: str
    kind: Kind
    link: str
    arguments: Mapping[str, Any]
    span: Span
    level: str | None = None
    joint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """All declarations, by bare name in order of appearance."""

    kinds: Mapping[str, Declaration] = field(default_factory=dict)

    def kind(self, name: str) -> Kind | None:
        """Return the declared kind of a name, or None."""
        found = self.kinds.get(name)
        return found.kind if found else None

    def has_level(self, name: str) -> bool:
        """Whether the declaration says at which level a response is measured."""
        return name in self.kinds and isinstance(self.kinds[name].arguments.get("level"), str)

    def classes(self, name: str) -> int:
        """Return the number of classes (or mass points) of a discrete latent variable, at least 1."""
        return int(self.kinds[name].arguments.get("classes", 1))


def _argument(a: ast.Argument, kind: Kind, out: dict[str, Any], source: Source, findings: list[Diagnostic]) -> str:
    """Read one argument into `out`; return the link where it is one."""
    if a.name is None:
        if kind.discrete and isinstance(a.value, int | float):
            out["classes"] = int(a.value)
            return ""
        if isinstance(a.value, str) and a.value in kind.links:
            return a.value
        findings.append(
            error(
                "unknown-link",
                f"'{a.value}' is no link of {kind.name}",
                source,
                a.span,
                help=(
                    *did_you_mean(str(a.value), kind.links),
                    *((f"links are {', '.join(kind.links)}",) if kind.links else ()),
                ),
            )
        )
        return ""
    if a.name == "link" and isinstance(a.value, str):
        return _argument(ast.Argument(None, a.value, a.span), kind, out, source, findings)
    if a.name not in kind.arguments:
        findings.append(
            error(
                "unknown-argument",
                f"{kind.name} takes no argument '{a.name}'",
                source,
                a.span,
                help=(
                    *did_you_mean(a.name, kind.arguments),
                    *((f"arguments are {', '.join(kind.arguments)}",) if kind.arguments else ()),
                ),
            )
        )
        return ""
    out[a.name] = a.value
    return ""


def _composite(
    s: ast.Declaration, source: Source, findings: list[Diagnostic]
) -> tuple[Kind, tuple[ast.Argument, ...]] | None:
    """Return the kind of ``composite(family, ...)`` and its other arguments; None where no family is named."""
    named = [a for a in s.arguments if a.name is None and ALIASES.get(str(a.value), str(a.value)) in COMPOSITES]
    if not named:
        wrong = next((a for a in s.arguments if a.name is None), None)
        findings.append(
            error(
                "composite-family",
                f"'{wrong.value}' is no family of a composite link" if wrong else "a composite link has no family",
                source,
                wrong.span if wrong else s.kind_span,
                notes=f"the mean of a response of one of these families is a weighted sum: {', '.join(COMPOSITES)}",
                help=(
                    *(did_you_mean(str(wrong.value), COMPOSITES) if wrong else ()),
                    f"name it first: {s.variables[0].name} :: composite(poisson, set=cell, weight=w)",
                ),
            )
        )
        return None
    family = ALIASES.get(str(named[0].value), str(named[0].value))
    return COMPOSITES[family], tuple(a for a in s.arguments if a is not named[0])


def declare(model: ast.Model, findings: list[Diagnostic]) -> Declared:
    """Read all declarations; they are global wherever they stand."""
    source = model.source
    out: dict[str, Declaration] = {}
    for s in model.statements:
        if not isinstance(s, ast.Declaration):
            continue
        kind = KINDS.get(ALIASES.get(s.kind, s.kind))
        if kind is None:
            findings.append(
                error(
                    "unknown-kind",
                    f"no kind is called '{s.kind}'",
                    source,
                    s.kind_span,
                    help=did_you_mean(s.kind, [*KINDS, *ALIASES]),
                )
            )
            continue
        given = s.arguments
        if kind.name == "composite":
            found = _composite(s, source, findings)
            if found is None:
                continue
            kind, given = found
        arguments: dict[str, Any] = {}
        link = kind.links[0] if kind.links else ""
        for a in given:
            link = _argument(a, kind, arguments, source, findings) or link
        if kind.name == "class" and "classes" not in arguments:
            findings.append(
                error(
                    "classes-missing",
                    "a class variable needs its number of classes",
                    source,
                    s.kind_span,
                    help=f"write '{s.variables[0].name} :: class(2)'",
                )
            )
            continue
        joint = tuple(v.name for v in s.variables) if kind.name == "masspoints" and len(s.variables) > 1 else ()
        for v in s.variables:
            if v.name in out:
                findings.append(
                    warning("declared-twice", f"'{v.name}' is declared twice; the later line holds", source, v.span)
                )
            out[v.name] = Declaration(v.name, kind, link, arguments, v.span, v.level, joint)
    return Declared(out)
