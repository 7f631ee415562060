"""Declarations: what ``::`` says of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.kinds import ALIASES, KINDS, Kind
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
        if kind.name in ("class", "masspoints") and isinstance(a.value, int | float):
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
        arguments: dict[str, Any] = {}
        link = kind.links[0] if kind.links else ""
        for a in s.arguments:
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
