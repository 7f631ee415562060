"""Numbers of classes: those of the user's start values, else by decreasing size, where the text tells none apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from semlang.graph.condition import discrete_variables, n_states
from semlang.model.scale import FIRST_PATH
from semlang.model.table import ParameterTable, Row

__all__ = ["interchangeable", "renumbering"]

Floats = NDArray[np.float64]

MOST_IN_ORDERS = 6
"""Classes up to which all orders are compared with start values."""
FAR = 1e3
"""Where an infinite estimate counts as being."""


def interchangeable(table: ParameterTable, key: str) -> bool:
    """Return whether a model says the same of every class of a variable (or of every mass point).

    Blocks, ``@k``, fixed values, labels that differ and ``observed=`` tell classes apart; that the first path of a
    random effect is 1 does not.
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
        if fixed and not reference and not _marked(table, own):
            return False
        zero = reference and last is not None and last.ustart == 0.0
        if zero and not _is_shifted(table, first) and _origins(table, first) is None:
            return False
        if len(set(free)) != len(free) and len(set(free)) > 1:
            return False
    return True


def _marked(table: ParameterTable, own: Mapping[int, Row]) -> bool:
    """Whether a random effect that moves nothing but the logits of one class variable has its scale from the first."""
    first = own[1]
    if first.rule != FIRST_PATH or any(r.parameter < 0 for k, r in own.items() if k > 1):
        return False
    effect, rows = first.source, [r for r in table.rows if r.group == first.group]
    uses = [r for r in rows if effect in (r.source, *r.moderators) and r.op != "~~"]
    return uses == [own[k] for k in sorted(own)] and not any(r.target == effect != r.source for r in rows)


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


def _origins(table: ParameterTable, row: Row) -> list[tuple[Row, Row, float]] | None:
    """Return what takes up a change of the origin of a latent variable whose mean in the last class is 0.

    For every path from it the path, the row of the mean or of a threshold that it acts on, and the sign of the change;
    None where the row is no such mean, or something else depends on the origin.
    """
    v = table.variables[row.target]
    if v.role == "response" or not v.kind.continuous or row.op != "~1" or row.quantity:
        return None
    found: list[tuple[Row, Row, float]] = []
    for path in table.rows:
        if path.group != row.group or row.target not in (path.source, *path.moderators) or path.op == "~~":
            continue
        target = table.variables.get(path.target)
        if path.source != row.target or path.moderators or path.via or path.klass or path.quantity or target is None:
            return None
        if target.role != "response":
            return None
        own = [
            r for r in table.rows if r.target == target.key and r.group == row.group and not r.via and not r.quantity
        ]
        op, sign = ("|", -1.0) if target.kind.thresholds else ("~1", 1.0)
        places = [r for r in own if r.op == op and r.parameter >= 0]
        if not places or any(r.op == op and r.parameter < 0 for r in own):
            return None
        found += [(path, place, sign) for place in places]
    return found


def renumbering(
    table: ParameterTable,
    theta: Floats,
    sizes: Mapping[str, Sequence[float]],
    limits: Mapping[int, float],
    starts: Mapping[int, float],
) -> tuple[Floats, Floats, dict[str, list[int]], dict[int, float]] | None:
    """Return what renumbers the classes; None where they keep their numbers.

    Parameters
    ----------
    table : ParameterTable
    theta : (P,) floats
    sizes : mapping from key to proportions
    limits : mapping from parameter to +-inf
    starts : mapping from parameter to float
        The user's start values. Where these differ between classes, a class takes the number whose values it is
        nearest to, whichever of many starts led to it; else classes are numbered by decreasing size.

    Returns
    -------
    theta : (P,) floats
        The new parameters.
    T : (P, P) floats
        Their derivatives in the old ones.
    order : mapping from key to list of int
        The old number, from 0, of each new class.
    limits : mapping from parameter to +-inf
    """
    T = np.eye(theta.size)
    theta = theta.copy()
    orders: dict[str, list[int]] = {}
    moved = dict(limits)
    for key, size in sizes.items():
        if not interchangeable(table, key):
            continue
        by_size = sorted(range(len(size)), key=lambda k: -size[k])
        order = _nearest(table, key, by_size, theta, starts)
        if order == list(range(len(size))):
            continue
        new = _limits(_transformation(table, key, order, theta.size), moved)
        if new is None:
            continue
        theta, slopes = _reordered(table, key, order, theta)
        T, moved = slopes @ T, new
        orders[key] = order
    return (theta, T, orders, moved) if orders else None


def _reordered(table: ParameterTable, key: str, order: list[int], theta: Floats) -> tuple[Floats, Floats]:
    """Return the parameters with classes in an order, and their derivatives in those before."""
    step = _transformation(table, key, order, theta.size)
    located = _with_last_location(table, key, order, theta, step)
    return _moved_markers(table, key, order, theta, *_moved_origins(table, key, order, theta, *located))


def _nearest(
    table: ParameterTable, key: str, by_size: list[int], theta: Floats, starts: Mapping[int, float]
) -> list[int]:
    """Return the order in which the classes are nearest to start values; by size where these do not tell."""
    keys = {key} if table.variables[key].kind.name == "class" else set(discrete_variables(table)[key])
    told = sorted({r.parameter for r in table.rows if r.parameter in starts and _class_of(r, keys, key)})
    if not told or len(by_size) > MOST_IN_ORDERS:
        return by_size
    values = np.array([starts[p] for p in told])

    def distance(order: list[int]) -> float:
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.nan_to_num(_reordered(table, key, order, theta)[0][told], posinf=FAR, neginf=-FAR)
        return float(np.minimum((np.clip(found, -FAR, FAR) - values) ** 2, FAR**2).sum())

    orders = [by_size, *(list(order) for order in permutations(range(len(by_size))))]
    gaps = [distance(order) for order in orders]
    return orders[int(np.argmin(np.array(gaps) + 1e-9 * (np.arange(len(gaps)) > 0)))]


def _with_last_location(
    table: ParameterTable, key: str, order: list[int], old: Floats, T: Floats
) -> tuple[Floats, Floats]:
    """Let the last mass point, which follows from the others, take its new number; return parameters and slopes."""
    new, T = T @ old, T.copy()
    K = len(order)
    for name in discrete_variables(table)[key]:
        own = [r for r in table.rows if r.target == name and r.op == "~1" and not r.quantity and r.klass]
        for group in {r.group for r in own}:
            e = {r.klass: r for r in own if r.group == group}
            if table.variables[name].kind.name != "masspoints" or e[K].parameter >= 0 or order[-1] == K - 1:
                continue
            masses = [
                r for r in table.rows if r.target == key and r.quantity == "mass" and r.group == group
            ]  # fmt: skip
            place = e[order.index(K - 1) + 1].parameter
            new[place], T[place] = 0.0, 0.0
            for a in masses:
                ratio = float(np.exp(old[a.parameter]))
                location = e[a.klass].parameter
                new[place] -= ratio * old[location]
                T[place, location] -= ratio
                T[place, a.parameter] -= ratio * old[location]
    return new, T


def _moved_origins(
    table: ParameterTable, key: str, order: list[int], old: Floats, new: Floats, T: Floats
) -> tuple[Floats, Floats]:
    """Measure the means of latent variables from that of the new last class; return parameters and derivatives."""
    new, T = new.copy(), T.copy()
    K = len(order)
    for last in table.rows:
        if last.class_variable != key or last.klass != K or last.parameter >= 0 or last.also:
            continue
        origins = _origins(table, last)
        own = {
            r.klass: r.parameter for r in table.rows
            if r.target == last.target and r.op == "~1" and r.class_variable == key and r.group == last.group
        }  # fmt: skip
        reference = own.get(order[-1] + 1, -1)
        if not origins or reference < 0:
            continue
        shift = old[reference]
        for p in own.values():
            if p >= 0:
                new[p] -= shift
                T[p, reference] -= 1.0
        for path, place, sign in origins:
            loading = old[path.parameter] if path.parameter >= 0 else path.ustart or 0.0
            new[place.parameter] += sign * loading * shift
            T[place.parameter, reference] += sign * loading
            if path.parameter >= 0:
                T[place.parameter, path.parameter] += sign * shift
    return new, T


def _moved_markers(
    table: ParameterTable, key: str, order: list[int], old: Floats, new: Floats, T: Floats
) -> tuple[Floats, Floats]:
    """Give random effects their scale from the new first class; return parameters and derivatives."""
    new, T = new.copy(), T.copy()
    places: dict[tuple[object, ...], dict[int, Row]] = {}
    for row in table.rows:
        if row.target == key and row.source and row.klass:
            places.setdefault(_place(row, key), {})[row.klass] = row
    K = len(order)
    for own in places.values():
        if own[1].parameter >= 0 or not _marked(table, own):
            continue
        a, slopes = np.zeros(K), np.zeros((K, old.size))
        for k, r in own.items():
            a[k - 1] = old[r.parameter] if r.parameter >= 0 else r.ustart
            if r.parameter >= 0:
                slopes[k - 1, r.parameter] = 1.0
        a, slopes = a[order] - a[order[-1]], slopes[order] - slopes[order[-1]]
        scale = a[0]
        for k in range(2, K):
            p = own[k].parameter
            new[p], T[p] = a[k - 1] / scale, (slopes[k - 1] - a[k - 1] / scale * slopes[0]) / scale
        effect = own[1].source
        for r in table.rows:
            if r.op == "~~" and effect in (r.target, r.source) and r.parameter >= 0 and r.group == own[1].group:
                power = 2 if r.target == r.source else 1
                new[r.parameter] = scale**power * old[r.parameter]
                T[r.parameter] = power * scale ** (power - 1) * old[r.parameter] * slopes[0]
                T[r.parameter, r.parameter] += scale**power
    return new, T


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
