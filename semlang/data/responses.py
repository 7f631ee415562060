"""Responses: every kind's values checked and coded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semlang.data.alternatives import alternatives
from semlang.data.binary import binary_values, binomial_values
from semlang.data.categories import category_values
from semlang.data.columns import Columns, row_names
from semlang.data.composites import composite_sets
from semlang.data.response import Response
from semlang.model.kinds import limits
from semlang.model.table import Variable

Floats = NDArray[np.float64]


def response(columns: Columns, v: Variable) -> Response | None:
    """Return the coded values of a response; None where a finding says what is wrong with it."""
    if not v.kind.composite:
        return _response(columns, v)
    found = _response(columns, v)
    summed = None if found is None else composite_sets(columns, v, found.values, found.trials)
    if found is None or summed is None:
        return None
    found.values, found.trials, found.sets, found.terms, lost = summed
    if lost:
        found.dropped[f"set of {v.name} missing"] = lost
    return found


def _response(columns: Columns, v: Variable) -> Response | None:
    kind = v.kind.name.removeprefix("composite ")
    if v.kind.thresholds or kind == "multinomial":
        return _of_categories(columns, v)
    if kind == "binomial":
        return _binomial(columns, v)
    if v.kind.sets:
        found = alternatives(columns, v)
        return None if found is None else Response(found[0], sets=found[1])
    if "interval" in v.arguments:
        return _within(columns, v)
    values = columns.numbers(v.name, help=_advice(v))
    if values is None:
        return None
    if kind in _SUPPORT:
        slug, words, inside, help = _SUPPORT[kind]
        with np.errstate(invalid="ignore"):
            outside = np.flatnonzero(~inside(values) & ~np.isnan(values))
        if outside.size:
            columns.blame(
                v.name,
                slug,
                f"the {kind} response '{v.name}' has values that are not {words}",
                label=f"{_shown(values, outside)} in {row_names(outside)}",
                help=help,
            )
            return None
    out = Response(values)
    exposure = v.arguments.get("exposure")
    if exposure is not None:
        _exposed(columns, v, out, exposure)
    event = v.arguments.get("event")
    if event is not None:
        _ended(columns, v, out, str(event))
    entry = v.arguments.get("entry")
    if entry is not None:
        _entered(columns, v, out, str(entry))
    if "censored" in v.arguments:
        ends = _ends(columns, v, "censored")
        if ends is None:
            return None
        out.low, out.high = ends
        out.censored = censored(values, *ends)
        out.values = np.clip(values, *ends)
    return out


def censored(values: Floats, low: Floats, high: Floats) -> Floats:
    """Return 1 where a recorded value is at or above the upper limit, -1 where at or below the lower, else 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(1.0 * (values >= high) - 1.0 * (values <= low))


def _ends(columns: Columns, v: Variable, argument: str) -> tuple[Floats, Floats] | None:
    """Return the limits of every row, infinite where there are none; None where a finding says what is wrong."""
    given = limits(v.arguments[argument])
    assert given is not None, "the form is checked with the text"
    found: list[Floats] = []
    for x, side in zip(given, (-np.inf, np.inf), strict=True):
        values = columns.numbers(x, infinite=True) if isinstance(x, str) else np.full(len(columns.frame), float(x))
        if values is None:
            return None
        found.append(np.where(np.isnan(values), side, values))
    low, high = found
    wrong = np.flatnonzero((low > high) | ((low == high) & (np.isinf(low) | (argument == "censored"))))
    if wrong.size:
        k = int(wrong[0])
        name = next(x for x in given if isinstance(x, str))
        columns.blame(
            name,
            "bad-interval",
            f"the lower limit of '{v.name}' is not below the upper one in {row_names(wrong)}",
            label=f"{argument}=[{low[k]:g}, {high[k]:g}] in row {k + 1}",
            help=f"write the lower limit first: {v.name} :: {v.kind.name}({argument}=[low, high])",
        )
        return None
    return low, high


def _within(columns: Columns, v: Variable) -> Response | None:
    """Read the ends of intervals; the value is their middle, or the end that is there."""
    ends = _ends(columns, v, "interval")
    if ends is None:
        return None
    low, high = ends
    if v.kind.logarithm:
        wrong = np.flatnonzero((high <= 0.0) | ((low < 0.0) & np.isfinite(low)))
        if wrong.size:
            columns.blame(
                v.limit_columns[0],
                "outside-support",
                f"the {v.kind.name} response '{v.name}' has limits that are not positive",
                label=f"[{low[wrong[0]]:g}, {high[wrong[0]]:g}] in {row_names(wrong)}",
                help="use gaussian, or mend these values",
            )
            return None
        low = np.maximum(low, 0.0)
    known = np.isfinite(low) | np.isfinite(high)
    if v.kind.logarithm:
        known = (low > 0.0) | np.isfinite(high)
    with np.errstate(invalid="ignore"):
        middle = np.where(np.isinf(low), high, np.where(np.isinf(high), low, 0.5 * (low + high)))
    return Response(np.where(known, middle, np.nan), low=low, high=high)


def _of_categories(columns: Columns, v: Variable) -> Response | None:
    found = category_values(columns, v)
    return None if found is None else Response(found[0], found[1])


def _binomial(columns: Columns, v: Variable) -> Response | None:
    trials = v.arguments.get("trials")
    if trials is None or trials == 1:
        coded = binary_values(columns, v)
        return None if coded is None else Response(coded[0], coded[1])
    found = binomial_values(columns, v, trials)
    if found is None:
        return None
    values, n = found
    out = Response(values, trials=n)
    _need(out, n, f"missing trials of {v.name}")
    return out


def _exposed(columns: Columns, v: Variable, out: Response, argument: object) -> None:
    """Read the exposure of a count."""
    if isinstance(argument, int | float):
        out.exposure = np.full(out.values.size, float(argument))
        return
    name = str(argument)
    exposure = columns.numbers(name)
    if exposure is None:
        return
    wrong = np.flatnonzero(exposure <= 0)
    if wrong.size:
        columns.blame(
            name,
            "bad-exposure",
            f"the exposure '{name}' has values that are not positive",
            label=f"{_shown(exposure, wrong)} in {row_names(wrong)}",
            help="an exposure is a time or a size; leave it empty where it is missing",
        )
    out.exposure = exposure.copy()
    _need(out, out.exposure, f"missing exposure of {v.name}")


def _ended(columns: Columns, v: Variable, out: Response, name: str) -> None:
    """Read which durations ended with the event."""
    event = columns.numbers(name)
    if event is None:
        return
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~np.isin(event, (0.0, 1.0)) & ~np.isnan(event))
    if wrong.size:
        columns.blame(
            name,
            "bad-event",
            f"the event indicator '{name}' of '{v.name}' has values that are not 0 or 1",
            label=f"{_shown(event, wrong)} in {row_names(wrong)}",
            help="1 says that the event happened at this time, 0 that the time is censored; recode the column",
        )
        return
    if columns.known is None and not (event == 1.0).any():
        columns.blame(
            name,
            "bad-event",
            f"no duration '{v.name}' ended with the event: '{name}' is never 1",
            label="all values are 0 or missing",
            help="1 says that the event happened, 0 that the time is censored: are the two codes exchanged?",
        )
        return
    out.event = event.copy()
    _need(out, out.event, f"missing event of {v.name}")


def _entered(columns: Columns, v: Variable, out: Response, name: str) -> None:
    """Read from when on durations were observed."""
    entry = columns.numbers(name)
    if entry is None:
        return
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero((entry < 0.0) | (entry >= out.values))
    if wrong.size:
        columns.blame(
            name,
            "bad-entry",
            f"the times of entry '{name}' are not all from 0 to before the end '{v.name}'",
            label=f"{_shown(entry, wrong)} in {row_names(wrong)}",
            help=f"'{v.name}' is the time at the end, counted from the same origin as '{name}'",
        )
        return
    out.entry = entry.copy()
    _need(out, out.entry, f"missing entry of {v.name}")


def _need(out: Response, needed: Floats, reason: str) -> None:
    """Drop values whose trials or exposure are missing, so that nothing is NaN where there is a value."""
    lost = np.isnan(needed)
    if lost.any():
        count = int((lost & ~np.isnan(out.values)).sum())
        if count:
            out.dropped[reason] = count
        out.values = np.where(lost, np.nan, out.values)
        needed[lost] = 1.0


def _whole(values: Floats) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = (values >= 0) & (values == np.floor(values))
    return out


def _positive(values: Floats) -> NDArray[np.bool_]:
    return values > 0


def _inside_one(values: Floats) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = (values > 0) & (values < 1)
    return out


_Support = tuple[str, str, Callable[[Floats], NDArray[np.bool_]], str]
_SUPPORT: dict[str, _Support] = {
    **dict.fromkeys(
        ("poisson", "negbinomial"),
        ("not-count", "counts", _whole, "counts are 0, 1, 2, ...: for other numbers use gaussian or gamma"),
    ),
    **dict.fromkeys(
        ("gamma", "lognormal", "exponential", "weibull", "loglogistic"),
        ("outside-support", "positive", _positive, "use gaussian, or mend these values"),
    ),
    "beta": ("outside-support", "between 0 and 1", _inside_one, "0 and 1 themselves are outside, too"),
}


def _advice(v: Variable) -> str:
    return (
        f"if these are categories, declare it: {v.name} :: multinomial, ordinal(logit), "
        f'or with two of them binomial(logit, success="...")'
    )


def _shown(values: Floats, rows: NDArray[np.int64]) -> str:
    return ", ".join(f"{x:g}" for x in dict.fromkeys(values[rows[:50]].tolist()[:3]))
