"""Modifiers applied: fixed values, labels, starts and bounds, group by group."""

from __future__ import annotations

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.draft import Draft
from semlang.source import Source
from semlang.syntax import ast

Value = float | str | None


def _pick(m: ast.Modifier, group: int, labels: tuple[str, ...]) -> tuple[str, Value] | None:
    """Return kind and value of a modifier in a group (from 1), or None where it says nothing there."""
    if m.groups is not None:
        if labels[group - 1] not in m.groups:
            return None
        i = m.groups.index(labels[group - 1])
    else:
        i = 0 if len(m.values) == 1 else group - 1
    if i >= len(m.values):
        return None
    kind = m.kinds[i] if m.kinds is not None else m.kind
    value = m.values[i]
    if kind == "none":
        return None
    if value is None and kind in ("fixed", "free"):
        mixed = m.kinds is not None and "label" in m.kinds and "fixed" not in m.kinds
        return None if mixed or m.kind == "label" else ("free", None)
    return None if value is None else (kind, value)


def apply_modifiers(
    row: Draft, labels: tuple[str, ...], source: Source, findings: list[Diagnostic], reported: set[tuple[str, str]]
) -> None:
    """Apply a row's modifiers for its group; a later one of a kind wins."""
    automatic = not row.free
    fixed_here = False
    start: float | None = None
    for m in row.given:
        place = f"{m.span.start}"
        wrong = m.groups is None and len(m.values) > 1 and len(m.values) != len(labels)
        if wrong and ("group-vector-length", place) not in reported:
            reported.add(("group-vector-length", place))
            findings.append(
                error(
                    "group-vector-length",
                    f"{len(m.values)} values for {len(labels)} group{'s' * (len(labels) > 1)}",
                    source,
                    m.span,
                    help="give one value per group, or one for all",
                )
            )
        unknown = [g for g in m.groups or () if g not in labels]
        if unknown and all(labels) and ("unknown-group", place) not in reported:
            reported.add(("unknown-group", place))
            findings.append(
                error(
                    "unknown-group",
                    f"no group is called '{unknown[0]}'",
                    source,
                    m.span,
                    help=f"groups are {', '.join(labels)}",
                )
            )
        found = _pick(m, row.group, labels)
        if found is None:
            continue
        kind, value = found
        match kind:
            case "fixed" if isinstance(value, int | float):
                row.fix(float(value), "written")
                fixed_here = True
            case "free":
                row.set_free("written")
                fixed_here = False
            case "label" | "equal":
                row.label = str(value)
            case "start" if isinstance(value, int | float):
                start = float(value)
            case "lower" if isinstance(value, int | float):
                row.lower = float(value)
            case "upper" if isinstance(value, int | float):
                row.upper = float(value)
    if start is not None and not fixed_here:
        if not row.free and automatic:
            m = next(x for x in row.given if x.kind == "start" or (x.kinds is not None and "start" in x.kinds))
            if ("start-on-marker", f"{m.span.start}") not in reported:
                reported.add(("start-on-marker", f"{m.span.start}"))
                findings.append(
                    warning(
                        "start-on-marker",
                        f"the start value fixes {row.lhs} {row.op} {row.rhs} at {start:g}: it is fixed by '{row.rule}'",
                        source,
                        m.span,
                        help=f"write NA* to free it, or {start:g}* to say that it is fixed",
                    )
                )
        row.ustart = start
