"""Directives: clusters, groups, weights, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.facts import DataFacts
from semlang.model.nearest import did_you_mean
from semlang.model.table import ROWS
from semlang.source import Span
from semlang.syntax import ast


@dataclass(frozen=True, slots=True)
class Settings:
    """What the directives say; `clusters` lowest first; `spans` tell where columns are named."""

    clusters: tuple[str, ...] = ()
    group_column: str = ""
    group_labels: tuple[str, ...] = ()
    frequency: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    reshape: Mapping[str, str] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)


def _names(arguments: Sequence[ast.Argument]) -> tuple[str, ...]:
    out: list[str] = []
    for a in arguments:
        values = a.value if isinstance(a.value, tuple) else (a.value,)
        for v in values:
            out += [p.strip() for p in str(v).split("/")]
    return tuple(out)


def _by_level(s: ast.Directive) -> dict[str, str]:
    return {a.name or ROWS: str(a.value) for a in s.arguments}


def _mentions(model: ast.Model) -> list[tuple[tuple[str, ...], Span]]:
    """Chains of cluster names (outermost first) in brackets, bars and ``level=``."""
    out: list[tuple[tuple[str, ...], Span]] = []

    def variable(v: ast.Variable) -> None:
        if v.level is not None and v.level != ROWS:
            out.append(((v.level,), v.span))

    def term(t: ast.Term | ast.RandomEffects) -> None:
        if isinstance(t, ast.RandomEffects):
            out.append((t.clusters, t.span))
            for inner in t.terms:
                term(inner)
            return
        for f in t.factors:
            variable(f if isinstance(f, ast.Variable) else f.variable)

    for s in model.statements:
        if isinstance(s, ast.Formula):
            for t in (*s.lhs, *s.rhs):
                term(t)
        elif isinstance(s, ast.Thresholds):
            for t in (*s.lhs, *s.thresholds, *(s.covariates or ())):
                term(t)
        elif isinstance(s, ast.Declaration):
            for v in s.variables:
                variable(v)
            for a in s.arguments:
                if a.name == "level" and isinstance(a.value, str) and a.value != ROWS:
                    out.append(((a.value,), a.span))
    return out


def _clusters(
    model: ast.Model,
    written: tuple[str, ...],
    argument: str | Sequence[str] | None,
    facts: DataFacts | None,
    findings: list[Diagnostic],
) -> tuple[str, ...]:
    """Return the clusters, lowest first; the argument wins over the file, the file over what formulas mention."""
    mentions = _mentions(model)
    if argument is not None:
        given = argument.split("/") if isinstance(argument, str) else list(argument)
        stated = tuple(str(g).strip() for g in given if str(g).strip())
    else:
        stated = written
    if stated:
        reported: set[str] = set()
        for chain, span in mentions:
            for c in chain:
                if c not in stated and c not in reported:
                    reported.add(c)
                    findings.append(
                        error(
                            "unknown-cluster",
                            f"'{c}' is no cluster of this model",
                            model.source,
                            span,
                            label="not in 'cluster:'",
                            help=(
                                *did_you_mean(c, stated),
                                f"clusters are {', '.join(stated)}; name all of them: 'cluster: outer/inner'",
                            ),
                        )
                    )
        return tuple(reversed(stated))
    longest: tuple[str, ...] = ()
    for chain, _ in mentions:
        if len(chain) > len(longest):
            longest = chain
    names = dict.fromkeys(c for chain, _ in mentions for c in chain)
    stray = next(((c, span) for chain, span in mentions for c in chain if c not in longest), None)
    if stray is not None:
        findings.append(
            error(
                "unknown-nesting",
                f"several cluster variables ({', '.join(names)}) and nothing says how they nest",
                model.source,
                stray[1],
                help=f"write 'cluster: {'/'.join(names)}', the outermost first",
            )
        )
        return tuple(reversed(tuple(names)))
    return tuple(reversed(longest))


def read_directives(
    model: ast.Model,
    cluster: str | Sequence[str] | None,
    facts: DataFacts | None,
    findings: list[Diagnostic],
) -> Settings:
    """Read all directives; they are global wherever they stand."""
    written: tuple[str, ...] = ()
    group_column = data = ""
    frequency: dict[str, str] = {}
    weights: dict[str, str] = {}
    reshape: dict[str, str] = {}
    seen: set[str] = set()
    spans: dict[str, Span] = {c: span for chain, span in reversed(_mentions(model)) for c in chain}
    for s in model.statements:
        if not isinstance(s, ast.Directive):
            continue
        if s.key in seen and s.key in ("cluster", "groups", "data", "reshape"):
            findings.append(
                warning("directive-twice", f"'{s.key}:' stands twice; the later line holds", model.source, s.span)
            )
        seen.add(s.key)
        for a in s.arguments:
            spans |= dict.fromkeys(_names([a]), a.span)
        match s.key:
            case "cluster":
                written = _names(s.arguments)
            case "groups" | "group":
                group_column = str(s.arguments[0].value) if s.arguments else ""
            case "data":
                data = str(s.arguments[0].value) if s.arguments else ""
            case "frequency":
                frequency |= _by_level(s)
            case "weights":
                weights |= _by_level(s)
            case "reshape":
                reshape |= {a.name or "y": str(a.value) for a in s.arguments}
    labels = facts.levels.get(group_column, ()) if facts is not None and group_column else ()
    return Settings(
        _clusters(model, written, cluster, facts, findings),
        group_column,
        tuple(labels),
        frequency,
        weights,
        data,
        reshape,
        spans,
    )
