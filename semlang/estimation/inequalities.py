"""Inequalities a'd >= 0 that a direction d of the coefficients has to meet so that no probability falls along it.

    binary, y = 1 (0):  x'd >= 0 (<= 0);     poisson, y = 0:  x'd <= 0;     y > 0, or successes and failures:  x'd = 0;
    cumulative, y = s:  d_tau[s + 1] - x'd >= 0 and x'd - d_tau[s] >= 0: of a category in the middle two parts;
    sequential, y = s:  x'd - d_tau[t] >= 0 for t <= s, and d_tau[s + 1] - x'd >= 0: one a step;
    nominal, y = s:     (x_s - x_r)'d >= 0 for each other category r; of adjacent categories x_s'd is s x'd - sum d_tau;
    choice of c, not j: (x_c - x_j)'d >= 0, and of a ranking so for each pair in its order.

Where one is strict, the factor of the likelihood that it belongs to tends to 1: a response, a step, or that a category
or alternative is none any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.numbering import first_of_each
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable, Product, Variable

__all__ = ["Inequalities", "can_separate", "inequalities", "separable"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LINKS = frozenset(("logit", "probit", "cloglog", "loglog", "cauchit"))
KINDS = frozenset(("binomial", "ordinal", "adjacent", "sequential", "multinomial", "choice", "ranking"))


@dataclass(frozen=True)
class Inequalities:
    """A d >= 0 of one group.

    Parameters
    ----------
    A : (n, p) floats
    row, response : (n,) ints
        What each belongs to; row -1: an order of thresholds.
    part : (n,) ints
        Which step, category or pair of that row; -1 where the row as a whole has probability 1.
    """

    A: Floats
    row: Ints
    response: Ints
    part: Ints


def separable(table: ParameterTable, form: ReducedForm, k: int) -> bool:
    """Return whether the probability of some value of a response tends to 1 far out, by its linear predictor alone."""
    if any(key == k and name != "shape" for key, name in (*form.quantities, *form.random)):
        return False
    if any(a.slot >= 0 for addends in form.thresholds.get(k, ()) for a in addends):
        return False
    return _has_limit(table.variables[form.responses[k]])


def _has_limit(v: Variable) -> bool:
    if v.kind.name in ("poisson", "negbinomial"):
        return v.link == "log"
    return v.kind.name in KINDS and v.link in LINKS


def can_separate(table: ParameterTable) -> bool:
    """Return whether there is a response of a kind that can be separated."""
    return any(_has_limit(v) for v in table.responses)


def _alone(form: ReducedForm, k: int) -> bool:
    """Return whether no covariate acts on a response, in any of its predictors."""
    products = [form.mean_columns[c] for number, c, _ in form.mean_cells.tolist() if form.owners[number] == k]
    products += [a.via for addends in form.thresholds.get(k, ()) for a in addends]
    return not any(products)


def inequalities(
    table: ParameterTable, form: ReducedForm, design: Design, free: Ints, most: int | None = None
) -> Inequalities:
    """Return the inequalities of a group in the coefficients `free`.

    Parameters
    ----------
    most : int, optional
        Take every distinct value of a response without covariates once, and about so many records of the others in
        all. What overlaps there overlaps in all.
    """
    alone = [k for k, key in enumerate(form.responses) if most and _alone(form, k) and key not in design.trials]
    with_covariates = max(len(form.responses) - len(alone), 1)
    each = max(most // with_covariates, 1) if most else design.n_rows
    some = np.arange(design.n_rows)
    if design.n_rows > each:
        some = np.unique(np.linspace(0, design.n_rows - 1, each).astype(np.int64))
    place = {int(p): i for i, p in enumerate(free)}
    slopes = form.jacobian(np.ones(table.n_parameters))[1][:, free]
    A: list[Floats] = []
    rows: list[Ints] = []
    of: list[Ints] = []
    parts: list[Ints] = []

    def column(product: Product, at: Ints) -> Floats:
        return design.columns[product][at] if product else np.ones(at.size)

    def add(a: Floats, row: Ints, k: int, part: int = -1) -> None:
        A.append(a)
        rows.append(row)
        of.append(np.full(len(row), k, dtype=np.int64))
        parts.append(np.full(len(row), part, dtype=np.int64))

    def predictor(number: int, at: Ints) -> Floats:
        out = np.zeros((at.size, free.size))
        for kk, c, slot in form.mean_cells.tolist():
            if kk == number and slopes[slot].any():
                out += column(form.mean_columns[c], at)[:, None] * slopes[slot]
        return out

    for k, key in enumerate(form.responses):
        if not separable(table, form, k):
            continue
        known = ~np.isnan(design.responses[key])
        for product in form.needed[k]:
            known &= ~np.isnan(design.columns[product])
        if key in design.sets:
            here = _whole_sets(design, key, known, each)
        elif k in alone:
            here = np.flatnonzero(known)
            here = here[first_of_each(design.responses[key][here])]
        else:
            here = some[known[some]]
        y = design.responses[key][here]
        kind = table.variables[key].kind.name
        X = predictor(k, here)
        if kind == "ranking":
            for winner, loser, place_of in _in_order(design.sets[key][here], y):
                add(X[winner] - X[loser], here[loser], k, place_of)
            continue
        if kind == "multinomial":
            of_category = {
                p.category: len(form.responses) + i for i, p in enumerate(form.predictors) if p.response == k
            }
            nothing = np.zeros_like(X)
            utilities = [
                predictor(of_category[c], here) if c in of_category else nothing for c in design.categories[key]
            ]
            _softmax(utilities, y, here, k, add)
            continue
        if key in design.sets:
            own = design.sets[key][here]
            chosen_row = np.zeros(int(own.max(initial=0)) + 1, dtype=np.int64)
            chosen_row[own[y == 1]] = np.flatnonzero(y == 1)
            add((X[chosen_row[own]] - X)[y == 0], here[y == 0], k)
            continue
        thresholds = form.thresholds.get(k, ())
        if not thresholds:
            trials = design.trials[key][here] if key in design.trials else np.ones(here.size)
            counts = kind != "binomial"
            for sign, chosen in ((1.0, y > 0), (-1.0, (y == 0) if counts else (y < trials))):
                add(sign * X[chosen], here[chosen], k)
            if counts:  # a positive count has its mean: both ways
                add(-X[y > 0], here[y > 0], k)
            continue
        T = np.zeros((len(thresholds), here.size, free.size))
        for s, addends in enumerate(thresholds):
            for a in addends:
                if a.parameter in place:
                    T[s, :, place[a.parameter]] += column(a.via, here)
        if kind == "adjacent":
            utilities = [X * s - T[:s].sum(axis=0) for s in range(len(thresholds) + 1)]
            _softmax(utilities, y, here, k, add)
            continue
        if kind == "sequential":
            for t in range(len(thresholds)):
                passed, stopped = y > t, y == t
                add(X[passed] - T[t][passed], here[passed], k, t)
                add(T[t][stopped] - X[stopped], here[stopped], k, t)
            continue
        for s in range(len(thresholds)):
            below, above = y == s, y == s + 1
            add(T[s][below] - X[below], here[below], k, -1 if s == 0 else 0)
            add(X[above] - T[s][above], here[above], k, -1 if s == len(thresholds) - 1 else 1)
            if s and here.size:
                order = np.unique(T[s] - T[s - 1], axis=0)
                add(order, np.full(len(order), -1, dtype=np.int64), k)
    if not A:
        none = np.zeros(0, dtype=np.int64)
        return Inequalities(np.zeros((0, free.size)), none, none, none)
    return Inequalities(np.concatenate(A), np.concatenate(rows), np.concatenate(of), np.concatenate(parts))


def _softmax(utilities: Sequence[Floats], y: Floats, here: Ints, k: int, add: Callable[..., None]) -> None:
    """Add that the utility of what was observed is not below that of each other category."""
    for s, own in enumerate(utilities):
        at = y == s
        for r, other in enumerate(utilities):
            if r != s:
                add(own[at] - other[at], here[at], k, r)


def _in_order(sets: Ints, ranks: Floats) -> Iterator[tuple[Ints, Ints, int]]:
    """Yield pairs of records of one set, the first ranked before the second, and how many places apart they are."""
    order = np.lexsort((ranks, sets))
    for apart in range(1, order.size):
        first, second = order[:-apart], order[apart:]
        same = sets[first] == sets[second]
        if not same.any():
            return
        same &= ranks[first] < ranks[second]
        yield first[same], second[same], apart


def _whole_sets(design: Design, key: str, known: Bools, most: int) -> Ints:
    """Return the records of sets whose alternatives are all known, about as many as are asked for."""
    sets = design.sets[key]
    rows = np.flatnonzero(known & ~design.in_sets(~np.isnan(design.responses[key]) & ~known, key))
    if rows.size <= most:
        return rows
    return np.asarray(rows[sets[rows] <= np.sort(sets[rows])[most]], dtype=np.int64)
