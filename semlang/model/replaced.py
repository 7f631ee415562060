"""Rows of classes in place of rows of all classes."""

from __future__ import annotations

from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.table import Covariate, Row

__all__ = ["Place", "place", "takes_the_place", "without_replaced"]

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
