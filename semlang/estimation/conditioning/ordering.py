"""Numbers of classes: by decreasing size, where the text does not tell the classes apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.graph.condition import discrete_variables, n_states
from semlang.model.table import ParameterTable, Row

__all__ = ["interchangeable", "renumbering"]

Floats = NDArray[np.float64]


def interchangeable(table: ParameterTable, key: str) -> bool:
    """Return whether a model says the same of every class of a variable (or of every mass point).

    Blocks, ``@k``, fixed values, start values, labels that differ and ``observed=`` tell classes apart.
    """
    if table.variables[key].arguments.get("observed"):
        return False
    n = n_states(table.variables[key])
    keys = {key} if table.variables[key].kind.name == "class" else set(discrete_variables(table)[key])
    places: dict[tuple[object, ...], dict[int, Row]] = {}
    for row in table.rows:
        if row.replaces and key in (row.class_variable, *(k for k, _ in row.also)):
            return False
        if any(k == key for k, _ in row.also):
            return False
        k = _class_of(row, keys, key)
        if k:
            places.setdefault(_place(row, key), {})[k] = row
    for own in places.values():
        first = next(iter(own.values()))
        logits = first.target == key and (first.quantity == "mass" or table.variables[key].kind.name == "class")
        if set(own) != set(range(1, n if logits else n + 1)):
            return False
        free = [r.parameter for r in own.values() if r.parameter >= 0]
        fixed = [r for r in own.values() if r.parameter < 0]
        last = own.get(n)
        reference = fixed == [last] and last is not None and last.ustart in (0.0, None)
        if fixed and not reference:
            return False
        if reference and last is not None and last.ustart == 0.0 and not _is_shifted(table, first):
            return False
        if len(set(free)) != len(free) and len(set(free)) > 1:
            return False
        if any(r.ustart is not None for r in own.values() if r.parameter >= 0):
            return False
    return True


def _class_of(row: Row, keys: set[str], key: str) -> int:
    """Return the class of a variable that a row belongs to, 0 for none."""
    if row.class_variable in keys:
        return row.klass
    if row.target == key and row.category:
        return int(row.category)
    return 0


def _place(row: Row, key: str) -> tuple[object, ...]:
    other = (row.class_variable, row.klass) if row.target == key and row.category else ()
    return (
        row.group, row.target, row.op, row.source, row.via, row.quantity, row.threshold, row.moderators, other,
        "" if row.target == key else row.category,
    )  # fmt: skip


def _is_shifted(table: ParameterTable, row: Row) -> bool:
    """Whether intercepts of classes are measured from that of the last, beside thresholds that all share."""
    v = table.variables[row.target]
    return v.role == "response" and v.kind.thresholds and row.op == "~1" and not row.quantity


def renumbering(
    table: ParameterTable, theta: Floats, sizes: Mapping[str, Sequence[float]], limits: Mapping[int, float]
) -> tuple[Floats, dict[str, list[int]], dict[int, float]] | None:
    """Return what renumbers the classes by size; None where they keep their numbers.

    Returns
    -------
    T : (P, P) floats
        New parameters are T times the old ones.
    order : mapping from key to list of int
        The old number, from 0, of each new class.
    limits : mapping from parameter to +-inf
    """
    T = np.eye(theta.size)
    orders: dict[str, list[int]] = {}
    moved = dict(limits)
    for key, size in sizes.items():
        order = sorted(range(len(size)), key=lambda k: -size[k])
        if order == list(range(len(size))) or not interchangeable(table, key):
            continue
        step = _transformation(table, key, order, theta.size)
        new = _limits(step, moved)
        if new is None:
            continue
        T, moved = step @ T, new
        orders[key] = order
    return (T, orders, moved) if orders else None


def _limits(T: Floats, limits: Mapping[int, float]) -> dict[int, float] | None:
    """Return the infinite parameters after a change; None where one would be a difference of infinite ones."""
    found: dict[int, float] = {}
    for p in range(len(T)):
        signs = {float(np.sign(T[p, j]) * v) for j, v in limits.items() if T[p, j]}
        if len(signs) > 1:
            return None
        if signs:
            found[p] = signs.pop()
    return found


def _transformation(table: ParameterTable, key: str, order: list[int], n: int) -> Floats:
    """Return new parameters as combinations of the old."""
    T = np.eye(n)
    keys = {key} if table.variables[key].kind.name == "class" else set(discrete_variables(table)[key])
    places: dict[tuple[object, ...], dict[int, Row]] = {}
    for row in table.rows:
        k = _class_of(row, keys, key)
        if k:
            places.setdefault(_place(row, key), {})[k] = row
    K = len(order)
    for own in places.values():
        first = next(iter(own.values()))
        free = {k: r.parameter for k, r in own.items() if r.parameter >= 0}
        if len(set(free.values())) < len(free):
            continue  # one parameter for all classes
        shifted = _is_shifted(table, first) and K in own and own[K].parameter < 0
        relative = (first.target == key and K not in own) or shifted
        new_reference = free.get(order[K - 1] + 1)
        for k, p in free.items():
            old = free.get(order[k - 1] + 1)
            T[p] = 0.0
            if old is not None:
                T[p, old] += 1.0
            if relative and new_reference is not None:
                T[p, new_reference] -= 1.0
        if shifted and new_reference is not None:
            for row in table.rows:
                if row.target == first.target and row.op == "|" and row.parameter >= 0 and row.group == first.group:
                    T[row.parameter, new_reference] -= 1.0
    return T
