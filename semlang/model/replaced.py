"""Rows of classes in place of rows of all classes."""

from __future__ import annotations

from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.table import Covariate, Row

__all__ = ["Place", "place", "takes_the_place", "without_idle", "without_replaced"]

Place = tuple[str, str, str, tuple[Covariate, ...], str, int, str, tuple[str, ...], int]


def place(row: Row | Draft) -> Place:
    """What a row of a class and a row of all classes have in common where one replaces the other."""
    ends = sorted((row.target, row.source)) if row.op == "~~" else [row.target, row.source]
    return (row.op, *ends, row.via, row.quantity, row.threshold, row.category, row.moderators, row.group)  # type: ignore[return-value]


def takes_the_place(row: Row | Draft) -> bool:
    """Whether a row of a class stands instead of that of all classes; others are added to it."""
    return bool(row.klass) and (row.replaces or row.op in ("~~", "|", "=~"))


def without_replaced(rows: list[Draft], ns: Namespace) -> list[Draft]:
    """Leave out free rows of all classes that a row of its own replaces in every class: nothing depends on them."""
    classes: dict[tuple[Place, str], set[int]] = {}
    for r in rows:
        if takes_the_place(r) and not r.also:
            classes.setdefault((place(r), r.class_variable), set()).add(r.klass)
    gone = {p for (p, variable), own in classes.items() if len(own) == ns.n_classes(variable)}
    return [r for r in rows if r.klass or not r.free or place(r) not in gone] if gone else rows


def without_idle(rows: list[Draft], ns: Namespace) -> list[Draft]:
    """Leave out automatic covariances of what is written not to vary, where there are classes.

    Without classes the rows are lavaan's, whose covariance matrices need not be of the kind that integrals take.
    """
    if not any(v.kind.name == "class" for v in ns.variables.values()):
        return rows
    still = {
        (r.group, r.target) for r in rows
        if r.op == "~~" and r.target == r.source and not r.klass and not r.free and r.ustart == 0.0
        and ns.variables[r.target].role != "response"
    }  # fmt: skip
    return [
        r for r in rows
        if r.op != "~~" or r.target == r.source or r.rule == "written"
        or not still & {(r.group, r.target), (r.group, r.source)}
    ] if still else rows  # fmt: skip
