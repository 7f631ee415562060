"""The scale of an ordinal response: which categories it has, whether or not a row has them.

Thresholds are boundaries between categories. Where responses share them by label, the categories must be the same, and
the boundary of a first or last category that no row of a response has is left out for that response (it is infinite);
elsewhere every category that no row has is left out, for its threshold is its neighbour's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from semlang.model.table import ParameterTable, Variable
from semlang.syntax import ast

if TYPE_CHECKING:
    from semlang.model.draft import Draft
    from semlang.model.namespace import Namespace


def declared_categories(v: Variable) -> tuple[str, ...]:
    """Return the categories of ``categories=[1, 2, 3]`` in order, as text; empty where there is no such argument."""
    given = v.arguments.get("categories")
    if not isinstance(given, tuple | list):
        return ()
    return tuple(f"{c:.15g}" if isinstance(c, int | float) else str(c) for c in given)


def names_with_shared_thresholds(statements: Iterable[object]) -> frozenset[str]:
    """Return the names of responses whose thresholds have a label that those of another response have, too."""
    users: dict[str, set[str]] = {}
    for s in statements:
        if not isinstance(s, ast.Thresholds) or s.covariates is not None:
            continue
        names = {f[0].name for t in s.lhs for f in [t.factors] if f and isinstance(f[0], ast.Variable)}
        for t in s.thresholds:
            for m in t.modifiers:
                if m.kind in ("label", "labels", "equal"):
                    for label in m.values:
                        users.setdefault(str(label), set()).update(names)
    return frozenset(name for names in users.values() if len(names) > 1 for name in names)


def sharing(table: ParameterTable, v: Variable) -> tuple[Variable, ...]:
    """Return the other responses that share a free threshold with a response."""
    users: dict[int, set[str]] = {}
    for row in table.rows:
        if row.op == "|" and row.parameter >= 0:
            users.setdefault(row.parameter, set()).add(row.target)
    keys = {key for names in users.values() if v.key in names for key in names if key != v.key}
    return tuple(table.variables[key] for key in sorted(keys))


def used_range(scale: Sequence[str], used: Collection[str]) -> tuple[int, int]:
    """Return the places of the first and the last category of a scale that occur.

    Examples
    --------
    >>> used_range(("1", "2", "3", "4", "5"), {"2", "4"})
    (1, 3)
    """
    places = [k for k, c in enumerate(scale) if c in used]
    return (places[0], places[-1]) if places else (0, len(scale) - 1)


def fit_to_scales(rows: list[Draft], ns: Namespace) -> list[Draft]:
    """Leave out the thresholds of responses with shared thresholds that no category beyond makes finite."""
    shift: dict[str, tuple[int, int]] = {}
    for key, v in ns.variables.items():
        used = ns.levels_in_data(v.name) if v.name in ns.sharing and v.kind.thresholds else None
        scale = ns.categories_of(v) if used else None
        if used and scale and set(used) <= set(scale):
            shift[key] = used_range(scale, used)
    out = []
    for r in rows:
        if r.threshold and r.target in shift:
            low, high = shift[r.target]
            if not low < r.threshold <= high:
                continue
            r.threshold -= low
        out.append(r)
    return out
