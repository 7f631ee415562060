"""From a data table to the rows of the kernel: one row for each observed response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from semlang.data.design import Design
from semlang.estimation.kernels.families import ENTRIES, NO_THRESHOLD, TERM, code_of
from semlang.estimation.layers import Layer
from semlang.estimation.quadrature import Tree
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, Variable
from semlang.sums import count_by

OPEN = 1e300
"""Stands for the end of an interval that is open."""
ENTRY = 2.0
"""Stands in the place of the event for the row of a time of entry."""

__all__ = [
    "Expansion",
    "contributing",
    "expand",
    "in_one_memory",
    "known_rows",
    "left_out",
    "level_weights",
    "row_offsets",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Expansion:
    """Kernel rows, sorted as the data are, and the units that they are nested in: without levels, the records.

    Parameters
    ----------
    response, predictor, source : (N,) ints
        Number of the response, and of the linear predictor (one array where these are the same); record of the design.
    y, offset : (N,) floats
    codes : (N,) ints
        Family and link.
    f1, f2 : (N,) floats
        Constants of the row densities (number of trials; infinite thresholds), 0 where parameters fill them.
    category : (N,) short ints
        Category number from 0 of ordinal rows and of categories that can be chosen, else -1.
    levels : tuple of str
        Levels that are integrated over, lowest first (empty: none).
    tree : Tree
    row_weights : (N,) floats
    unit_weights : one array a level
    multiplicity : (C,) floats
        How often each top-level unit occurred (frequencies; sampling weights don't count).
    clusters : mapping from level to (C,) ints
        Number of the unit of a higher level that each top-level unit belongs to.
    records : (C,) ints
        First record of each top-level unit.
    used : int
        Number of records with a response, frequencies counted.
    dropped : mapping from reason to count of responses
    constant : (N,) floats, optional
        Added to the log densities, before the row's weight: of rows that stand for several trials.
    """

    response: Ints
    predictor: Ints
    source: Ints
    y: Floats
    offset: Floats
    codes: Ints
    f1: Floats
    f2: Floats
    category: NDArray[np.signedinteger[Any]]
    levels: tuple[str, ...]
    tree: Tree
    row_weights: Floats
    unit_weights: tuple[Floats, ...]
    multiplicity: Floats
    clusters: Mapping[str, Ints]
    records: Ints
    used: float
    dropped: Mapping[str, int]
    constant: Floats | None = None

    @property
    def first(self) -> Ints:
        """First row of each top-level unit, and N."""
        return self.tree.top


def needs_more(reduced: ReducedForm, design: Design, k: int) -> bool:
    """Whether the distribution of response `k` needs anything beside its value."""
    key = reduced.responses[k]
    tables = (design.trials, design.exposure, design.event, design.entry)
    return any(reduced.needed[k]) or any(key in table for table in tables)


def missing_needs(reduced: ReducedForm, design: Design, k: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield in which rows something that the distribution of response `k` needs is missing, with the reason."""
    key = reduced.responses[k]
    for product in filter(None, reduced.needed[k]):
        missing = np.isnan(design.columns[product])
        if key in design.sets:  # an alternative whose utility is not known takes its set with it
            missing = design.in_sets(missing & ~np.isnan(design.responses[key]), key)
        yield f"{':'.join(c.name for c in product)} missing", missing
    for name, table in (
        ("trials", design.trials),
        ("exposure", design.exposure),
        ("event", design.event),
        ("entry", design.entry),
    ):
        if key in table:
            yield f"{name} of {key} missing", np.isnan(table[key])


def known_rows(reduced: ReducedForm, design: Design, k: int, dropped: Counter[str]) -> NDArray[np.bool_]:
    """Return which rows have response `k` and all that its linear predictor needs; count those lost in `dropped`."""
    known: NDArray[np.bool_] = ~np.isnan(design.responses[reduced.responses[k]])
    for reason, missing in missing_needs(reduced, design, k):
        lost = int((known & missing).sum())
        if lost:
            dropped[reason] += lost
            known &= ~missing
    return known


def contributing(reduced: ReducedForm, design: Design) -> NDArray[np.bool_]:
    """Return which records have a response that counts."""
    out = np.zeros(design.n_rows, dtype=bool)
    for k in range(len(reduced.responses)):
        out |= known_rows(reduced, design, k, Counter())
        if out.all():
            break
    return out


def left_out(reduced: ReducedForm, design: Design) -> Counter[str]:
    """Return the numbers of observed responses that are left out, by reason."""
    dropped: Counter[str] = Counter(design.dropped)
    for k in range(len(reduced.responses)):
        if needs_more(reduced, design, k):
            known_rows(reduced, design, k, dropped)
    return dropped


def expand(
    reduced: ReducedForm,
    design: Design,
    variables: Mapping[str, Variable],
    layers: Sequence[Layer],
    order: Sequence[str],
) -> Expansion:
    """Lay out one kernel row for each observed response with known covariates.

    Parameters
    ----------
    reduced : ReducedForm
    design : Design
    variables : mapping from key to Variable
    layers : sequence of Layer
        Innermost first.
    order : sequence of str
        All levels, lowest first.
    """
    levels = [layer.level for layer in layers]
    n, size = design.n_rows, len(reduced.responses)
    observed = np.zeros((n, size), dtype=bool)
    values = np.zeros((n, size))  # takes no memory where nobody writes
    as_given: Floats | None = None
    dropped: Counter[str] = Counter(design.dropped)
    for k, key in enumerate(reduced.responses):
        y = design.responses[key]
        known = known_rows(reduced, design, k, dropped)
        observed[:, k] = known
        if size == 1 and known.all() and _kept(design, variables[key]):
            as_given = np.ascontiguousarray(y)
            values = as_given[:, None]
        else:
            values[:, k] = np.where(known, y, 0.0)
    if size == 1:  # zeros that nobody writes take no memory
        source = np.flatnonzero(observed).astype(np.int64, copy=False)
        response = np.zeros(source.size, dtype=np.int64)
        if np.array_equal(source, design.row):
            source = design.row
    elif observed.all():
        source, response = np.repeat(np.arange(n), size), np.tile(np.arange(size), n)
    else:
        source, response = (np.ascontiguousarray(a, dtype=np.int64) for a in np.nonzero(observed))
    del observed
    as_read = response if source.size == n * size else None
    anchor = _anchors(source, response, design, reduced.responses)
    if anchor is not source:
        in_order = np.lexsort((source, response, anchor))
        source, response, anchor = source[in_order], response[in_order], anchor[in_order]
    source, response, anchor, ids = _units(source, response, anchor, design, layers)
    at, part = _copied(_rows_of_responses(reduced, design, variables), source, response)
    if design.sets:  # stage by stage
        at = np.arange(source.size) if at is None else at
        begins = np.flatnonzero(np.r_[True, (np.diff(anchor) != 0) | (np.diff(response) != 0)][: source.size])
        run = begins[np.searchsorted(begins, np.arange(source.size), side="right") - 1]
        by_stage = np.lexsort((at, part, run[at]))
        at, part = at[by_stage], part[by_stage]
    if at is not None:
        source, response, anchor, ids = source[at], response[at], anchor[at], [i[at] for i in ids]
    whole = response is as_read  # a row for every cell of the table, in its order
    if as_given is not None and source.size == n and bool((source[:-1] < source[1:]).all()):
        y = as_given
    else:
        y = values.reshape(-1) if whole else values[source, response]
    del at
    del values
    offset = row_offsets(reduced, design, source, response)
    of_response = np.array([_code(reduced, k, variables[r]) for k, r in enumerate(reduced.responses)], dtype=np.int64)
    same_code = size > 0 and bool((of_response == of_response[0]).all())
    codes = np.full(y.size, of_response[0]) if same_code else of_response[response]
    f1, f2 = np.zeros(y.size), np.zeros(y.size)
    kinds = [variables[r].kind for r in reduced.responses]
    predictor = response.copy() if any(k.alternatives for k in kinds) else response
    many = any(k.thresholds or k.sequence or k.alternatives for k in kinds)
    category: NDArray[np.signedinteger[Any]] = np.full(y.size, -1, dtype=np.int32 if many else np.int8)
    plain = [_is_plain(reduced, design, k, variables[key]) for k, key in enumerate(reduced.responses)]
    as_they_are = np.array(plain, dtype=bool)
    together: NDArray[np.signedinteger[Any]] = np.arange(y.size, dtype=np.int32)
    if size > 1 and not as_they_are.all():
        short = np.int16 if size < 32_000 else np.int64
        together = together.reshape(n, size).T.ravel() if whole else np.argsort(response.astype(short), kind="stable")
    last = np.cumsum(count_by(response, size))
    times: Floats | None = None  # how often the density of a row counts
    constant: Floats | None = None
    for k, key in enumerate(reduced.responses):
        if as_they_are[k]:
            continue
        here = together[last[k - 1] if k else 0 : last[k]]
        if variables[key].kind.thresholds:
            category[here] = y[here].astype(category.dtype)
        if variables[key].kind.sequence:
            category[here], y[here] = part[here], y[here] > part[here]
        if variables[key].kind.alternatives:
            of_category = _predictors(reduced, design, k)
            category[here], predictor[here], y[here] = part[here], of_category[part[here]], y[here] == part[here]
            f1[here] = of_category.size - part[here]
            continue
        if variables[key].kind.sets:
            y[here] = y[here] == part[here] + 1
            f1[here] = _left(anchor[here], part[here])
            continue
        if variables[key].kind.composite:
            part[here] = 0
            f1[here] = _left(anchor[here], part[here])
            first = np.r_[True, np.diff(anchor[here]) != 0][: here.size]
            terms = here[~first]
            codes[terms], y[terms] = TERM, design.terms[key][source[terms]]
            if ENTRIES[of_response[k]].f2 == "trials":
                f2[here] = _DATA["trials"](design, key, source[here])
            continue
        if _guessed_trials(reduced, design, k):
            trials, right = design.trials[key][source[here]], y[here]
            succeeded = part[here] == 0
            y[here] = succeeded
            times = np.ones(y.size) if times is None else times
            constant = np.zeros(y.size) if constant is None else constant
            times[here] = np.where(succeeded, right, trials - right)
            ways = gammaln(trials + 1.0) - gammaln(right + 1.0) - gammaln(trials - right + 1.0)
            constant[here] = np.where(succeeded, ways / np.maximum(right, 1.0), 0.0)
            continue
        entered = here[part[here] == 1] if key in design.entry else here[:0]
        if entered.size:
            y[entered] = design.entry[key][source[entered]]
        if "interval" in variables[key].arguments:
            y[here] = design.low[key][source[here]]
        if variables[key].kind.logarithm:
            y[here] = _log(y[here])
        entry = ENTRIES[of_response[k]]
        for f, role in ((f1, entry.f1), (f2, entry.f2)):
            if role in _DATA:
                f[here] = _DATA[role](design, key, source[here])
            if role == "event":
                f[entered] = ENTRY
            if role == "high":
                ends = _log(f[here]) if variables[key].kind.logarithm else f[here]
                f[here], y[here] = np.clip(ends, -OPEN, OPEN), np.clip(y[here], -OPEN, OPEN)
    once = as_they_are & np.array([ENTRIES[code].f1 == "trials" for code in of_response.tolist()], dtype=bool)
    if once.any():
        f1 = np.ones(y.size) if once.all() else np.where(once[response], 1.0, f1)
    tree = Tree.from_ids(ids or [anchor])
    row_weights, unit_weights, multiplicity = level_weights(design, source, tree, levels, order)
    if times is not None:
        row_weights = row_weights * times
    top = order.index(levels[-1]) if levels else -1
    records = source[tree.top[:-1]]
    clusters = {level: design.clusters[level][records] for level in order[max(top, 1) :] if level != ROWS}
    used = np.flatnonzero(count_by(source, n))
    counts = design.frequency.get(ROWS)
    for level in order[1:]:
        if level in design.frequency:
            counts = design.frequency[level] if counts is None else counts * design.frequency[level]
    total = float(used.size if counts is None else counts[used].sum())
    f1, f2 = (next((a for a in (row_weights, offset) if np.array_equal(f, a)), f) for f in (f1, f2))  # one memory
    return Expansion(
        response, predictor, source, y, offset, codes, f1, f2, category, tuple(levels), tree, row_weights,
        unit_weights, multiplicity, clusters, records, total, dict(dropped), constant,
    )  # fmt: skip


def in_one_memory(rows: Expansion, like: Expansion) -> Expansion:
    """Return rows with the arrays of others where these are equal: what states have in common is there once."""
    known: dict[str, Any] = {}
    for f in fields(rows):
        own, other = getattr(rows, f.name), getattr(like, f.name)
        if isinstance(own, np.ndarray) and isinstance(other, np.ndarray) and own.dtype == other.dtype:
            known[f.name] = other if np.array_equal(own, other) else own
    return replace(rows, **known)


def _is_plain(reduced: ReducedForm, design: Design, k: int, variable: Variable) -> bool:
    """Return whether rows of a response hold its values, and no data beside them but that there was one trial."""
    kind, entry = variable.kind, ENTRIES[_code(reduced, k, variable)]
    if kind.thresholds or kind.composite or not _kept(design, variable) or _guessed_trials(reduced, design, k):
        return False
    trials = ("trials",) if variable.key not in design.trials else ()
    return not any(role in _DATA and role not in trials for role in (entry.f1, entry.f2))


def row_offsets(reduced: ReducedForm, design: Design, source: Ints, response: Ints) -> Floats:
    """Return what is added to the linear predictors of rows: products without a parameter, logarithms of exposures."""
    out = np.zeros(source.size)
    for k, key in enumerate(reduced.responses):
        products = reduced.offsets.get(k, ())
        if not products and key not in design.exposure:
            continue
        here = np.flatnonzero(response == k)
        for product in products:
            out[here] += design.columns[product][source[here]]
        if key in design.exposure:
            out[here] += np.log(design.exposure[key][source[here]])
    return out


def _kept(design: Design, variable: Variable) -> bool:
    """Return whether rows hold the values of a response as they are given."""
    kind = variable.kind
    changed = kind.sequence or kind.alternatives or kind.sets or kind.logarithm or "interval" in variable.arguments
    return not (changed or variable.key in design.entry)


def _log(values: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def _code(reduced: ReducedForm, k: int, variable: Variable) -> int:
    quantities = [q for number, q in reduced.quantities if number == k]
    return code_of(variable.kind.name, variable.link, [*quantities, *variable.arguments])


def _copied(copies: Ints | None, source: Ints, response: Ints) -> tuple[Ints | None, Ints]:
    """Return the responses that rows belong to, None where each has one row, and the number of the row among them."""
    if copies is None:
        return None, np.zeros(source.size, dtype=np.int64)
    of = copies[source, response]
    first = np.cumsum(of) - of
    return np.repeat(np.arange(source.size), of), np.arange(int(of.sum())) - np.repeat(first, of)


def _rows_of_responses(reduced: ReducedForm, design: Design, variables: Mapping[str, Variable]) -> Ints | None:
    """Return how many kernel rows each response has: one, but for categories, steps of sequences and times of entry.

    None where all have one.
    """
    kinds = [variables[key].kind for key in reduced.responses]
    guessed = any(_guessed_trials(reduced, design, k) for k in range(len(kinds)))
    if not (
        guessed
        or design.entry
        or any(kind.sequence or kind.alternatives or kind.sets or kind.composite for kind in kinds)
    ):
        return None
    copies = np.ones((design.n_rows, len(reduced.responses)), dtype=np.int64)
    for k, key in enumerate(reduced.responses):
        if variables[key].kind.sequence:
            steps = np.nan_to_num(design.responses[key]).astype(np.int64) + 1
            copies[:, k] = np.minimum(steps, len(reduced.thresholds[k]))
        if _guessed_trials(reduced, design, k):
            copies[:, k] = 2
        if variables[key].kind.alternatives:
            copies[:, k] = _predictors(reduced, design, k).size
        if variables[key].kind.sets:
            copies[:, k] = _stages(design, key)
        if variables[key].kind.composite:  # the first record of a set is the response, and a term like all
            copies[:, k] += design.holds(key)
        if key in design.entry:
            copies[:, k] += np.nan_to_num(design.entry[key]) > 0.0
    return copies


def _guessed_trials(reduced: ReducedForm, design: Design, k: int) -> bool:
    """Whether a response counts successes that can be guessed: a row for the successes and one for the failures.

    Each trial is guessed by itself, so that y of n succeed with the probability (n over y) p**y (1 - p)**(n - y).
    """
    return reduced.responses[k] in design.trials and any((k, q) in reduced.quantities for q in ("guess", "slip"))


def _stages(design: Design, key: str) -> Ints:
    """Return in how many choices each record is an alternative: of a ranking until it is ranked itself.

    The last one of a set that is left over is no choice any more.
    """
    rank = np.nan_to_num(design.responses[key], nan=1.0).astype(np.int64)
    if (rank <= 1).all():
        return np.ones(design.n_rows, dtype=np.int64)
    own = design.sets[key]
    known = ~np.isnan(design.responses[key]) & (own >= 0)
    last = np.zeros(int(own.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(last, own[known], rank[known])
    return np.maximum(np.minimum(rank, last[own] - 1), 1)


def _left(anchor: Ints, part: Ints) -> Floats:
    """Return for rows of sets, which follow each other, how many rows of the set there are from each on."""
    n = anchor.size
    ends = np.flatnonzero(np.r_[(np.diff(anchor) != 0) | (np.diff(part) != 0), True][:n])
    rows = np.arange(n)
    return np.asarray(ends[np.searchsorted(ends, rows)] - rows + 1.0)


def _anchors(source: Ints, response: Ints, design: Design, keys: Sequence[str]) -> Ints:
    """Return the first record of the set that a response belongs to; the record itself where it is in none."""
    if not design.sets:
        return source
    anchor = source.copy()
    for k, key in enumerate(keys):
        if key in design.sets:
            here = response == k
            own = design.sets[key][source[here]]
            first = np.full(int(own.max(initial=-1)) + 1, design.n_rows, dtype=np.int64)
            np.minimum.at(first, own, source[here])
            anchor[here] = first[own]
    return anchor


def _predictors(reduced: ReducedForm, design: Design, k: int) -> Ints:
    """Return the linear predictor of each category of a response; that of the response, which is 0, where none is."""
    number = {p.category: n for n, p in enumerate(reduced.predictors, len(reduced.responses)) if p.response == k}
    names = design.categories.get(reduced.responses[k], ())
    if not set(number) <= set(names):  # adjacent categories have numbers
        names = tuple(number)
    return np.array([number.get(name, k) for name in names], dtype=np.int64)


_DATA: Mapping[str, Callable[[Design, str, Ints], Floats | float]] = {
    "trials": lambda d, key, rows: d.trials[key][rows] if key in d.trials else 1.0,
    "event": lambda d, key, rows: d.event[key][rows] if key in d.event else 1.0,
    "censored": lambda d, key, rows: d.censored[key][rows] if key in d.censored else 0.0,
    "high": lambda d, key, rows: d.high[key][rows],
    "one": lambda d, key, rows: 1.0,
    "upper": lambda d, key, rows: NO_THRESHOLD,
    "lower": lambda d, key, rows: -NO_THRESHOLD,
}
"""Numbers of the rows that are data, or stand for no threshold, by role."""


def _units(
    source: Ints, response: Ints, anchor: Ints, design: Design, layers: Sequence[Layer]
) -> tuple[Ints, Ints, Ints, list[Ints]]:
    """Sort the rows so that the units of every layer are contiguous, and number the units of each layer."""
    ids: list[Ints] = []
    place = np.arange(source.size if any(layer.block for layer in layers) else 0)
    for layer in layers:
        unit = anchor if layer.level == ROWS else design.clusters[layer.level][source]
        if layer.block:
            block = np.array(layer.block, dtype=np.int64)[response]
            unit = unit * (max(layer.block) + 1) + block
            order = np.lexsort((place, unit))
            source, response, anchor, place = source[order], response[order], anchor[order], place[order]
            ids = [i[order] for i in ids]
            unit = unit[order]
        ids.append(unit)
    return source, response, anchor, ids


def level_weights(
    design: Design, source: Ints, tree: Tree, levels: Sequence[str], order: Sequence[str]
) -> tuple[Floats, tuple[Floats, ...], Floats]:
    """Return weights of rows, of units of each level, and how often each top unit occurred.

    The weight of a unit multiplies its log-likelihood inside its parent's integral. A level without latent variables
    has no integral, so its weights move down to the next level that has one, or to the rows.
    """
    first_row = [tree.starts(number)[:-1] for number in range(len(levels))]
    rows = np.ones(source.size)
    units = [np.ones(f.size) for f in first_row]
    top_rows = tree.top[:-1]
    multiplicity = np.ones(top_rows.size)
    top = order.index(levels[-1]) if levels else 0
    for kind, given in (("frequency", design.frequency), ("weights", design.weights)):
        for level, values in given.items():
            position = order.index(level)
            inside = [i for i, name in enumerate(levels) if order.index(name) <= position]
            if not inside:
                rows *= values[source]
            else:
                units[inside[-1]] *= values[source[first_row[inside[-1]]]]
            if kind == "frequency" and position >= top:
                multiplicity *= values[source[top_rows]]
    return rows, tuple(units), multiplicity
