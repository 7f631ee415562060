"""What the modifiers of a term, and the rules of the table, make of its parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semlang.model.table import ParameterTable, Row
from semlang.syntax import ast
from semlang.words.lists import by_group, value

_PHRASES = {
    "start": "starts at {}",
    "equal": "equal to {}",
    "lower": "at least {}",
    "upper": "at most {}",
    "rv": "a random slope, {}",
    "efa": "of the exploratory set {}",
    "prior": "with a prior, which maximum likelihood ignores",
}
_RULES = {
    "marker loading": ", which sets the scale",
    "first path of a random effect": ", which sets the scale",
}


def details(modifiers: Sequence[ast.Modifier], rows: Iterable[Row] = ()) -> list[str]:
    """Return what is said of a parameter: "fixed to 1", "labelled a".

    Examples
    --------
    >>> from semlang.source import Span
    >>> details([ast.Modifier("label", ("a",), Span(0, 1)), ast.Modifier("start", (0.5,), Span(2, 3))])
    ['labelled a', 'starts at 0.5']
    """
    said = [_one(m) for m in modifiers]
    rows = list(rows)
    if not any(m.kind == "fixed" or "fixed" in (m.kinds or ()) for m in modifiers):
        fixed = {(r.ustart, r.rule) for r in rows if r.free == 0 and r.ustart is not None}
        if len(fixed) == 1 and all(r.free == 0 for r in rows):
            ((number, rule),) = fixed
            said.insert(0, f"fixed to {value(number)}{_RULES.get(rule, '')}")
    return said


def _one(m: ast.Modifier) -> str:
    if m.kinds:
        words = [_phrase(kind, v) for kind, v in zip(m.kinds, m.values)]
        return by_group(m.groups, words)
    if len(m.values) > 1:
        return by_group(m.groups, [_phrase(m.kind, v) for v in m.values])
    return _phrase(m.kind, m.values[0] if m.values else None)


def _phrase(kind: str, v: float | str | None) -> str:
    if kind == "free" or v is None:
        return "free"
    if kind == "fixed":
        return f"fixed to {value(v)}"
    if kind == "label":
        return f"labelled {value(v)}"
    return _PHRASES.get(kind, kind + " {}").format(value(v))


def rows_of(table: ParameterTable | None, op: str, lhs: str, rhs: str) -> list[Row]:
    """Return the rows of a parameter, in all groups; a latent variable may stand with or without its bracket."""
    if table is None:
        return []
    return [r for r in table.rows if r.op == op and _is(r.lhs, lhs) and _is(r.rhs, rhs)]


def _is(shown: str, name: str) -> bool:
    return shown == name or shown.split("[")[0] == name
