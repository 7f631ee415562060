"""Findings about names: labels and columns, near misses, columns that the data do not have."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.constraints import names as names_in
from semlang.model.facts import DataFacts
from semlang.model.namespace import Namespace
from semlang.model.nearest import did_you_mean
from semlang.model.table import ParameterTable
from semlang.source import Span
from semlang.syntax import ast


def name_findings(
    model: ast.Model,
    table: ParameterTable,
    ns: Namespace,
    facts: DataFacts | None,
    mentioned: Mapping[str, Span],
) -> list[Diagnostic]:
    """Return what is to be said of the names in a model.

    `mentioned` says where columns stand that directives and brackets name.
    """
    out = list(_labels(model, table, ns, facts))
    if facts is not None:
        out += _absent(table, ns, facts, mentioned)
        out += _hidden(table, facts)
    else:
        out += _near_misses(model, table, ns)
    out += _unused(table, ns)
    return out


def _labels(model: ast.Model, table: ParameterTable, ns: Namespace, facts: DataFacts | None) -> Iterator[Diagnostic]:
    """A label that equals a column or variable: ``y ~ x1*x2`` labels a slope ``x1``."""
    used = Counter(r.label for r in table.rows if r.label and r.group == 1)
    spoken = {
        n.text
        for s in model.statements
        for e in (
            (s.expression,) if isinstance(s, ast.Definition) else s.operands if isinstance(s, ast.Constraint) else ()
        )
        for n in names_in(e)
    }
    columns = set(ns.columns) | set(table.variables) | (set(facts.columns) if facts is not None else set())
    seen: set[str] = set()
    for r in table.rows:
        label = r.label
        if not label or label in seen or r.user != 1 or label.startswith(".p"):
            continue
        alike = (
            _stem(label) is not None
            and _stem(label) == _stem(r.rhs.split(":")[0])
            and label != r.rhs
            and r.op == "~"
            and bool(r.rhs)
        )
        if label in columns or (alike and used[label] == 1 and label not in spoken):
            if label in spoken and label not in (ns.columns | ns.variables):
                continue
            seen.add(label)
            help_ = (
                f"an interaction is written '{label}:{r.rhs}'"
                if r.op in ("~", "=~") and r.rhs
                else "choose another label"
            )
            yield warning(
                "label-is-column",
                f"'{label}*' labels a parameter; '{label}' is also the name of a variable"
                if label in columns
                else f"'{label}*' labels a parameter",
                table.source,
                r.span,
                help=help_,
            )


def _stem(name: str) -> str | None:
    found = re.fullmatch(r"(.*?\D)\d+", name)
    return found.group(1) if found else None


def _hidden(table: ParameterTable, facts: DataFacts) -> Iterator[Diagnostic]:
    """Latent variables whose name a column has: the column is then not used."""
    known = set(facts.columns)
    for v in table.latents:
        if v.role == "latent" and v.name in known and v.arguments.get("observed") != v.name and v.span is not None:
            yield warning(
                "latent-is-column",
                f"'{v.name}' is a latent variable here; the column '{v.name}' of the data is not used",
                table.source,
                v.span,
                label="latent, and a column",
                help=(
                    "give the latent variable another name",
                    f"where the column is an indicator, it stands on the right of '=~'; where it tells some units' "
                    f"values: '{v.name} :: normal(observed={v.name})'",
                ),
            )


def _absent(
    table: ParameterTable, ns: Namespace, facts: DataFacts, mentioned: Mapping[str, Span]
) -> Iterator[Diagnostic]:
    """Columns that the data do not have."""
    known = set(facts.columns)
    places: dict[str, Span | None] = {}
    span: Span | None
    for v in table.responses:
        if ":" not in v.name:
            places.setdefault(v.name, v.span)
    for name, span in ns.columns.items():
        places.setdefault(name, span)
    for r in table.rows:
        for c in r.via:
            places.setdefault(c.column, r.span)
    for v in table.variables.values():
        for argument in ("trials", "exposure", "event", "entry", "set", "weight", "observed"):
            if isinstance(v.arguments.get(argument), str):
                places.setdefault(v.arguments[argument], v.span)
    for column in table.columns():
        places.setdefault(column, mentioned.get(column))
    keys = {v.name: v.key for v in table.responses}
    for name, span in places.items():
        if name not in known and not (":" in name and all(p in known for p in name.split(":"))):
            rows = (r for r in table.rows if name in keys and keys[name] in (r.target, r.source))
            yield error(
                "unknown-column",
                f"the data have no column '{name}'",
                table.source,
                next((r.span for r in rows), None) or span,
                help=did_you_mean(name, facts.columns),
            )


def _near_misses(model: ast.Model, table: ParameterTable, ns: Namespace) -> Iterator[Diagnostic]:
    """A name used once that looks like a latent variable or a declared name."""
    uses = Counter(x for s in model.statements if isinstance(s, ast.Formula | ast.Thresholds) for x in _names(s))
    known = [*dict.fromkeys([*(v.name for v in table.latents), *ns.declared.kinds])]
    places = dict(ns.columns) | {v.name: v.span for v in table.responses if v.span is not None}
    for name, span in places.items():
        if uses[name] != 1 or name in ns.declared.kinds or len(name) < 4:
            continue
        for other in known:
            if other == name or abs(len(other) - len(name)) > 2 or other[0].casefold() != name[0].casefold():
                continue
            if re.sub(r"\d", "", other) == re.sub(r"\d", "", name):
                continue
            same = other.casefold() == name.casefold()
            if not same and (other.startswith(name) or name.startswith(other)):
                continue
            if same or _alike(other, name):
                yield warning(
                    "near-miss-name",
                    f"'{name}' is used once and looks like '{other}'",
                    table.source,
                    span,
                    help=f"did you mean '{other}'?",
                )
                break


def _alike(a: str, b: str) -> bool:
    match = difflib.SequenceMatcher(None, a, b)
    return match.real_quick_ratio() > 0.8 and match.quick_ratio() > 0.8 and match.ratio() > 0.8


def _names(s: ast.Formula | ast.Thresholds) -> Iterator[str]:
    terms: tuple[ast.Term | ast.RandomEffects, ...]
    terms = (*s.lhs, *s.rhs) if isinstance(s, ast.Formula) else (*s.lhs, *(s.covariates or ()))
    stack = list(terms)
    while stack:
        t = stack.pop()
        if isinstance(t, ast.RandomEffects):
            stack += t.terms
            continue
        for f in t.factors:
            yield f.name if isinstance(f, ast.Variable) else f.variable.name


def _unused(table: ParameterTable, ns: Namespace) -> Iterator[Diagnostic]:
    """Declared names that no formula uses."""
    used = {v.name for v in table.variables.values()} | set(ns.columns) | {c.column for r in table.rows for c in r.via}
    used |= {r.class_variable.split("[")[0] for r in table.rows}
    for name, d in ns.declared.kinds.items():
        if name not in used:
            yield warning(
                "declared-unused",
                f"'{name}' is declared, and no formula uses it",
                table.source,
                d.span,
                help=did_you_mean(name, [u for u in used if u not in ns.declared.kinds]),
            )
